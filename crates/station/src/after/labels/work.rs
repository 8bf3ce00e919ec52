//! One printer, on its own thread.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use keystation_core::record::{AfterEvent, Seq};

use super::queue::{self, Asked};
use super::{LabelConfig, PrinterConfig, Subject, Trouble, Way, file, folder, tcp};
use crate::after::follow::{Follower, Patience};
use crate::after::position::Position;
use crate::error::StationError;

/// A printer that has taken nothing for so long gets a record.
const STALL: Duration = Duration::from_secs(60);
/// Labels that are looked for at once.
const BATCH: usize = 64;
/// Records after which the position is kept, though it asks for nothing.
const KEEP: u64 = 1000;
/// What the file of a printer's position begins with.
const PREFIX: &str = "label-";

/// Where each printer of the settings goes on. One that is new begins with the next record, and that is a record; so is the end of
/// one that the settings do not name any more.
pub(in crate::after) fn begin(
    follower: &Follower,
    printers: &[PrinterConfig],
) -> Result<Vec<Position>, StationError> {
    let mut positions = Vec::new();
    for PrinterConfig { name, .. } in printers {
        let kept = follower.position(&format!("{PREFIX}{name}"))?;
        let reader = follower.reader()?;
        let mut position = match kept {
            Some(mut position) => {
                // What was printed and not kept here.
                let known = queue::known(&reader, name, position.next())?;
                if let Some(done) = known.done.filter(|done| *done >= position.next()) {
                    position.move_to(done + 1);
                }
                position
            }
            None => {
                let next = match queue::known(&reader, name, 0)?.next() {
                    Some(next) => next,
                    None => follower.append(AfterEvent::LabelsBegun { printer: name.clone() })?,
                };
                Position::at(&follower.file(&format!("{PREFIX}{name}")), follower.origin(), next)
            }
        };
        position.keep().map_err(follower.disk())?;
        positions.push(position);
    }
    end_others(follower, &printers.iter().map(|printer| printer.name.as_str()).collect())?;
    Ok(positions)
}

fn end_others(follower: &Follower, printers: &BTreeSet<&str>) -> Result<(), StationError> {
    let disk = follower.disk();
    let files = match std::fs::read_dir(follower.data.after()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        files => files.map_err(&disk)?,
    };
    for file in files {
        let name = file.map_err(&disk)?.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if printers.contains(name) || crate::config::plain_id(name).is_err() {
            continue;
        }
        if follower.position(&format!("{PREFIX}{name}"))?.is_some() {
            follower.append(AfterEvent::LabelsEnded { printer: name.to_owned() })?;
        }
        std::fs::remove_file(follower.file(&format!("{PREFIX}{name}"))).map_err(&disk)?;
    }
    Ok(())
}

/// Prints what is asked for until the program ends.
pub(in crate::after) fn print(
    follower: &Follower,
    printer: &PrinterConfig,
    labels: &[LabelConfig],
    position: &mut Position,
) -> Result<(), StationError> {
    let reader = follower.reader()?;
    let mut opening = file::Opening::default();
    while let Some(size) = follower.more_than(position.next()) {
        let (asked, next) = queue::waiting(&reader, position.next(), size, BATCH)?;
        for asked in asked {
            if let Some(subject) = queue::subject(&reader, asked)?
                && let Some(label) = labels.iter().find(|label| label.title == subject.title)
                && !hand_over(follower, (printer, &mut opening), label, asked, subject, position)?
            {
                return position.keep().map_err(follower.disk());
            }
            position.move_to(asked.seq + 1);
        }
        position.move_to(next);
        if position.unkept() >= KEEP {
            position.keep().map_err(follower.disk())?;
        }
        follower.reached(next);
    }
    position.keep().map_err(follower.disk())
}

/// Hands one label over, however long it takes. Says no when the program ends first.
fn hand_over(
    follower: &Follower,
    (printer, opening): (&PrinterConfig, &mut file::Opening),
    label: &LabelConfig,
    asked: Asked,
    mut subject: Subject,
    position: &mut Position,
) -> Result<bool, StationError> {
    let name = || printer.name.clone();
    let id = subject.registration_id.clone();
    let (mut patience, began, mut told) = (Patience::new(), Instant::now(), false);
    loop {
        // A file is the same one if it is written twice.
        let again = position.was_begun(asked.seq) && !matches!(printer.way, Way::Folder(_));
        subject.copy = asked.copy || again;
        let drawn = match label.design.draw(&subject) {
            Ok(drawn) => drawn,
            Err(why) => {
                let why = why.word();
                follower.append(AfterEvent::LabelFailed { asked: asked.seq, id, printer: name(), why })?;
                return Ok(true);
            }
        };
        match pass_on(follower, (printer, opening), &id, asked.seq, &drawn, position) {
            Ok(()) => {
                let copy = subject.copy;
                follower.append(AfterEvent::LabelPrinted { asked: asked.seq, id, printer: name(), copy })?;
                return Ok(true);
            }
            Err(Trouble::Ending) => return Ok(false),
            Err(trouble) => {
                let why = trouble.word();
                tracing::warn!(printer = printer.name, why, "a label waits");
                if !told && began.elapsed() >= STALL {
                    told = true;
                    follower.append(AfterEvent::PrinterStalled { printer: name(), asked: asked.seq, why })?;
                }
            }
        }
        if !follower.rest(patience.next()) {
            return Ok(false);
        }
    }
}

fn pass_on(
    follower: &Follower,
    (printer, opening): (&PrinterConfig, &mut file::Opening),
    id: &str,
    asked: Seq,
    label: &[u8],
    position: &mut Position,
) -> Result<(), Trouble> {
    let stop = &follower.stop;
    let mut begin = || {
        position.begin(asked).map_err(|error| {
            tracing::warn!(%error, "a label is not begun: the next one could not be marked as a copy");
            Trouble::Disk
        })
    };
    match &printer.way {
        Way::Tcp { address, answer } => tcp::send(*address, *answer, label, stop, &mut begin),
        Way::File(path) => file::write(path, label, stop, opening, &mut begin),
        Way::Folder(path) => folder::write(path, id, asked, label),
    }
}
