//! `keystation audit anchor …`: the station's side of what a witness does.

use std::path::Path;

use keystation::config::StationConfig;
use keystation::files::{read_text, write_text};
use keystation::people::Action;
use keystation::{AnchorState, Anchoring, DataDir, Exit, StationError, anchoring, paths};
use keystation_audit::Reader;
use serde_json::json;

use super::args::AnchorVerb;
use super::output::{Output, utc};
use super::session::Bench;

/// `request` and `status` only read; `accept` works at an open station.
pub(super) fn look(data: &DataDir, verb: &AnchorVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        AnchorVerb::Request { output, witness, old } => request(data, output, witness.as_deref(), *old, out),
        AnchorVerb::Accept { .. } | AnchorVerb::Status => status(data, out),
    }
}

fn request(
    data: &DataDir,
    output: &Path,
    name: Option<&str>,
    old: Option<u64>,
    out: Output,
) -> Result<Exit, StationError> {
    let (witness, request) = anchoring::request(data, name, old)?;
    write_text(output, &request.to_text())?;
    let size = request.note.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
    out.say(
        format!("Take {} to {}: keystation witness sign.", output.display(), witness.name()),
        &json!({ "event": "anchor-request", "witness": witness.name(), "old": request.old, "records": size, "out": output }),
    );
    Ok(Exit::Done)
}

pub(super) fn accept(bench: &Bench<'_>, input: &Path) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::AnchorAccept)?;
    let seq = bench.station.accept_anchor(&permit, &read_text(input)?)?;
    let anchoring = bench.station.anchoring()?;
    let (record, witness, time) = anchoring.secured.unwrap_or_default();
    bench.out.say(
        format!("Secured to record {record} by {witness}, {}. (record {seq})", utc(time)),
        &json!({ "event": "anchor", "secured": record, "witness": witness, "time": time, "record": seq }),
    );
    Ok(Exit::Done)
}

fn status(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let Anchoring { state, secured, open } = Anchoring::of(&Reader::open(&paths(data))?, &config)?;
    let rule = match state {
        AnchorState::None => {
            "No witness is named in station.toml: the log is not secured outside of this machine."
        }
        AnchorState::Fresh => "Secured.",
        AnchorState::Due => "It is time for the witness.",
        AnchorState::Overdue => "Overdue: no new job is begun.",
    };
    let sentence = match &secured {
        Some((record, witness, time)) => {
            format!("{rule} To record {record} by {witness}, {}; {open} records since.", utc(*time))
        }
        None => format!("{rule} {open} records."),
    };
    let (record, witness, time) = secured.map_or((None, None, None), |(r, w, t)| (Some(r), Some(w), Some(t)));
    out.say(
        sentence,
        &json!({ "event": "anchor-status", "state": state.as_str(), "secured": record, "witness": witness,
                 "time": time, "open": open }),
    );
    Ok(Exit::Done)
}
