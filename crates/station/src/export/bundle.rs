//! The bundle: a directory with the log, or a part of it, for whoever need not trust the station.

use std::path::Path;

use keystation_audit::{Checkpoint, Reader};
use keystation_core::record::{Event, Seq};

use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::export::directory::NewDirectory;
use crate::export::part::Part;
use crate::people::{Action, Permit};
use crate::station::Station;
use crate::training::{self, TrainingError};

/// A bundle that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Records that were asked for and are in it.
    pub records: u64,
    /// The checkpoint that it hangs on.
    pub checkpoint: Checkpoint,
    /// The record of the export; `None`: it was not recorded.
    pub record: Option<Seq>,
}

/// Writes a bundle into a directory that is not there yet. Only reads the log, so it works beside a station that writes; the
/// export is not recorded.
pub fn bundle(data: &DataDir, part: &Part, path: &Path) -> Result<Exported, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let reader = Reader::open(&crate::paths(data))?;
    let (directory, exported) = fill(&reader, &config, part, path)?;
    directory.keep()?;
    Ok(exported)
}

impl Station {
    /// Writes a bundle into a directory that is not there yet. The export is in the log before the directory has its name; the
    /// bundle is of the moment before. Permit: [`Action::Export`].
    pub fn bundle(&self, permit: &Permit, part: &Part, path: &Path) -> Result<Exported, StationError> {
        self.honour(permit, Action::Export)?;
        let (directory, exported) = fill(&self.reader()?, self.config(), part, path)?;
        let [job, rid, from, to] = part.named();
        let Checkpoint { size, root, .. } = exported.checkpoint;
        let records = exported.records;
        let event = Event::BundleExported { job, rid, from, to, records, size, root };
        let record = self.append_by(permit, event)?;
        directory.keep()?;
        Ok(Exported { record: Some(record), ..exported })
    }
}

/// A directory with everything in it, without its name.
fn fill(
    reader: &Reader,
    config: &StationConfig,
    part: &Part,
    path: &Path,
) -> Result<(NewDirectory, Exported), StationError> {
    let selection = part.selection()?;
    if training::is_name(&config.origin) {
        return Err(TrainingError::NoProof.into());
    }
    let directory = NewDirectory::create(path)?;
    let moment = reader.snapshot()?;
    let write = |name: &str, bytes: &[u8]| Ok::<_, StationError>(directory.write(name, bytes)?);
    let records = match &selection {
        None => moment.bundle(&config.witnesses, write)?,
        Some(selection) => moment.bundle_of(selection, &config.witnesses, write)?,
    };
    if records == 0 {
        return Err(match part {
            Part::Job(job) => StationError::NoJob(job.clone()),
            _ => StationError::NotInLog(part.sentence()),
        });
    }
    let checkpoint = moment.checkpoint().clone();
    directory.write("README", readme(part, records, &checkpoint).as_bytes())?;
    Ok((directory, Exported { records, checkpoint, record: None }))
}

fn readme(part: &Part, records: u64, now: &Checkpoint) -> String {
    let whole = *part == Part::Whole;
    let title = match part {
        Part::Whole => "The audit log of a Keystation, whole".to_owned(),
        part => format!("From the audit log of a Keystation: {} ({records} records)", part.sentence()),
    };
    let by_hand = if whole {
        String::new()
    } else {
        let tile = if now.size < 256 { format!("000.p/{}", now.size) } else { "000".to_owned() };
        format!(
            "\nOne record by hand. These two print the same 64 digits, the hash of record 0:\n\n    \
             {{ printf '\\0'; cat records/0.json; }} | sha256sum\n    \
             head -c 32 tile/0/{tile} | od -An -v -tx1 | tr -d ' \\n'\n"
        )
    };
    let proves = if whole {
        "That these are all records that the log had when its key signed the checkpoint, unchanged and in their order."
    } else {
        "Of each file in records/ that it is in the log that the checkpoint was signed for, unchanged and under its number."
    };
    let proves_not = if whole { "" } else { "That no record was left out: only the whole bundle does.\n" };
    let root: String = now.root.iter().map(|byte| format!("{byte:02x}")).collect();
    include_str!("../../defaults/bundle-README.txt")
        .replace("{title}", &title)
        .replace("{origin}", now.origin.as_str())
        .replace("{size}", &now.size.to_string())
        .replace("{root}", &format!("{} ({root})", now.short_root()))
        .replace("{by_hand}", &by_hand)
        .replace("{proves}", proves)
        .replace("{proves_not}", proves_not)
}
