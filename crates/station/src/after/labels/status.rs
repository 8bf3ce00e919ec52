//! How far the printers are, for whoever looks from another program.

use keystation_audit::Reader;
use keystation_core::record::Seq;
use serde::Serialize;

use super::queue;
use crate::after::position::Position;
use crate::after::status::Trouble;
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// One printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrinterStatus {
    /// Its name.
    pub name: String,
    /// Whether the station has begun with it: from its next start on it has.
    pub begun: bool,
    /// Labels that it has not taken yet.
    pub waiting: Vec<Waiting>,
    /// Why it does not take the first of them, if it did not for a minute: `number` is the record that asks for that one.
    pub trouble: Option<Trouble>,
}

/// A label that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The record that asks for it.
    pub asked: Seq,
    /// The device.
    pub id: String,
}

/// How far each printer of the settings is, in a directory that another program may work in.
pub fn status(data: &DataDir) -> Result<Vec<PrinterStatus>, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let reader = Reader::open(&paths(data))?;
    let origin = reader.verifier_key()?.name().to_owned();
    let size = reader.size()?;
    let mut printers = Vec::new();
    for printer in &config.printers {
        let name = printer.name.clone();
        let file = data.after().join(format!("label-{name}"));
        let kept = Position::read(&file)
            .map_err(|cause| StationError::Unreadable { path: file.clone(), cause })?
            .filter(|position| position.origin() == origin);
        let (from, stalled) = match kept {
            Some(position) => {
                let known = queue::known(&reader, &name, position.next())?;
                let next = known.done.map_or(position.next(), |done| position.next().max(done + 1));
                (Some(next), known.stalled)
            }
            None => {
                let known = queue::known(&reader, &name, 0)?;
                (known.next(), known.stalled)
            }
        };
        let mut waiting = Vec::new();
        if let Some(from) = from {
            for asked in queue::waiting(&reader, from, size, usize::MAX)?.0 {
                let subject = queue::subject(&reader, asked)?;
                let labelled = subject.filter(|subject| {
                    config.labels.iter().any(|label| label.printer == name && label.title == subject.title)
                });
                waiting.extend(
                    labelled.map(|subject| Waiting { asked: asked.seq, id: subject.registration_id }),
                );
            }
        }
        let first = waiting.first().and_then(|first: &Waiting| i64::try_from(first.asked).ok());
        let trouble = stalled.filter(|stalled| Some(stalled.number) == first);
        printers.push(PrinterStatus { name, begun: from.is_some(), waiting, trouble });
    }
    Ok(printers)
}
