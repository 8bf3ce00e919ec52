//! `keystation run --training`: the line of a training.

use std::sync::mpsc;

use keystation::line::{Line, LineEvent, SlotEvent};
use keystation::training::{MARK, TRAINEE, Training};
use keystation::{DataDir, Exit, StationError};
use serde_json::json;

use super::args::Cli;
use super::output::Output;
use super::session::{Bench, at_opened};

/// Trains until a signal ends the program, or every slot has stopped.
pub(super) fn run(cli: &Cli, data: &DataDir, out: Output) -> Result<Exit, StationError> {
    at_training(cli, data, out, line)
}

/// Makes the training anew, signs the trainee in, and works there.
pub(super) fn at_training(
    cli: &Cli,
    data: &DataDir,
    out: Output,
    work: impl FnOnce(&Bench<'_>) -> Result<Exit, StationError>,
) -> Result<Exit, StationError> {
    let station = Training::begin(data)?.open("keystation")?;
    out.say(
        format!("{MARK}. In {}.", station.data().path().display()),
        &json!({ "event": "training", "mark": MARK, "data": station.data().path(), "operator": TRAINEE }),
    );
    station.sign_in_trainee()?;
    at_opened(cli, station, out, work)
}

fn line(bench: &Bench<'_>) -> Result<Exit, StationError> {
    let (out, station) = (bench.out, &bench.station);
    let numbers: Vec<_> = station.config().slots.iter().map(|slot| slot.number).collect();
    let (stopped, stops) = mpsc::channel();
    let line = Line::start(station, &numbers, move |event| {
        let LineEvent::Slot(number, event) = event else { return };
        match event {
            SlotEvent::Pass { pass, .. } => {
                out.say(
                    format!("TRAINING  slot {number}  PASS  {}  (record {})", pass.id, pass.record),
                    &json!({ "event": "pass", "slot": number, "id": pass.id.as_str(), "record": pass.record,
                             "training": true }),
                );
            }
            SlotEvent::Fail { failure, .. } => {
                out.say(
                    format!("TRAINING  slot {number}  FAIL  {failure}  [{}]", failure.code),
                    &json!({ "event": "fail", "slot": number, "code": failure.code.as_str(),
                             "sentence": failure.code.sentence(), "remedy": failure.code.remedy(),
                             "record": failure.record, "training": true }),
                );
            }
            SlotEvent::Broken { cause, .. } => {
                out.note(format!("slot {number} stopped: {cause}"));
                // Whoever waits for it may be gone with the program.
                let _ = stopped.send(());
            }
            _ => {}
        }
    })?;
    for _ in &numbers {
        // The line has the sender for as long as it is there.
        if stops.recv().is_err() {
            break;
        }
    }
    drop(line);
    Ok(Exit::Broken)
}
