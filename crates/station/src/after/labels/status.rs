//! How far the printers are, for whoever looks from another program.

use keystation_audit::Reader;
use keystation_core::record::Seq;

use super::queue;
use crate::after::position::Position;
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// One printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterStatus {
    /// Its name.
    pub name: String,
    /// Whether the station has begun with it: from its next start on it has.
    pub begun: bool,
    /// Labels that it has not taken yet.
    pub waiting: Vec<Waiting>,
}

/// A label that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        let kept = Position::read(&file, &origin)
            .map_err(|cause| StationError::Unreadable { path: file.clone(), cause })?;
        let from = match kept {
            Some(position) => {
                let known = queue::known(&reader, &name, position.next())?;
                Some(known.done.map_or(position.next(), |done| position.next().max(done + 1)))
            }
            None => queue::known(&reader, &name, 0)?.next(),
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
        printers.push(PrinterStatus { name, begun: from.is_some(), waiting });
    }
    Ok(printers)
}
