//! The report and its signature: made by a station that may write, verified by anybody.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use keystation_audit::{Names, Reader, ReportNote, ReportNoteError, VerifierKey};
use keystation_core::record::{Event, Seq};
use sha2::{Digest, Sha256};

use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::report::facts::Facts;
use crate::report::file::{NewFile, OutError};
use crate::report::{printed, sheet};
use crate::station::Station;

/// A report that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The report.
    pub file: PathBuf,
    /// The file beside it that vouches for it.
    pub note: PathBuf,
    /// The record of its export.
    pub record: Seq,
    /// Records that it was made from.
    pub records: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// What a report is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The station signed this file.
    Genuine(ReportNote),
    /// The note is not what the key would have signed.
    NotSigned(ReportNoteError),
    /// The note is genuine, and it is about another file.
    OtherFile,
}

/// Writes the job sheet of a work order to a file. Only reads the log.
pub fn job_sheet(reader: &Reader, job: &str, path: &Path) -> Result<u64, StationError> {
    let file = NewFile::create(path)?;
    let facts = Facts::of(reader, job)?;
    written(file, &sheet::sheet(&facts)?)?;
    Ok(facts.checkpoint.size)
}

impl Station {
    /// Makes the report on a work order, and the signed note beside it: `path` with `.note` behind it. The export is in
    /// the log before either has its name.
    /// Permit: [`Action::Report`].
    pub fn report(&self, permit: &Permit, job: &str, path: &Path) -> Result<Made, StationError> {
        self.honour(permit, Action::Report)?;
        self.signed(permit, path, || {
            let facts = Facts::of(&self.reader()?, job)?;
            let names = Names::open_read_only(&self.data().names())?;
            let names: BTreeMap<_, _> =
                names.map_or_else(|| Ok(Vec::new()), |names| names.all())?.into_iter().collect();
            let (pdf, records) = (printed::report(&facts, &names)?, facts.checkpoint.size);
            let event = move |sha256| Event::ReportExported { job: job.to_owned(), sha256, records };
            Ok((pdf, records, event))
        })
    }

    /// Writes what `make` makes, a file out of so many records, and the signed note beside it. The event, which has the hash
    /// of the file, is in the log before either has its name.
    pub(crate) fn signed<E: FnOnce([u8; 32]) -> Event>(
        &self,
        permit: &Permit,
        path: &Path,
        make: impl FnOnce() -> Result<(Vec<u8>, u64, E), StationError>,
    ) -> Result<Made, StationError> {
        let beside = note_path(path);
        let (file, note_file) = (NewFile::create(path)?, NewFile::create(&beside)?);
        let (pdf, records, event) = make()?;
        let sha256: [u8; 32] = Sha256::digest(&pdf).into();
        let record = self.append_by(permit, event(sha256))?;
        let note = self.journal().sign_report(record)?;
        // The note first: a report that stands alone would look like one that nobody signed.
        written(note_file, note.as_bytes())?;
        written(file, &pdf)?;
        Ok(Made { file: path.to_owned(), note: beside, record, records, sha256 })
    }
}

/// Judges a report by the note beside it and a key that the caller trusts.
pub fn judge(path: &Path, key: &VerifierKey) -> Result<Judgement, StationError> {
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |cause| StationError::Unreadable { path, cause }
    };
    let beside = note_path(path);
    let mut note = Vec::new();
    // A note is refused when it is longer than this: read no more of whatever is there.
    let source = fs::File::open(&beside).map_err(unread(&beside))?;
    source.take(64 * 1024).read_to_end(&mut note).map_err(unread(&beside))?;
    let note = String::from_utf8_lossy(&note);
    let mut digest = Sha256::new();
    let mut file = fs::File::open(path).map_err(unread(path))?;
    std::io::copy(&mut file, &mut Hasher(&mut digest)).map_err(unread(path))?;
    Ok(match ReportNote::open(&note, key) {
        Err(why) => Judgement::NotSigned(why),
        Ok(said) if said.sha256[..] == digest.finalize()[..] => Judgement::Genuine(said),
        Ok(_) => Judgement::OtherFile,
    })
}

struct Hasher<'a>(&'a mut Sha256);

impl Write for Hasher<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn note_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".note");
    name.into()
}

fn written(mut file: NewFile, bytes: &[u8]) -> Result<(), StationError> {
    let written = file.write_all(bytes);
    written.map_err(|cause| OutError::Disk { path: file.path().to_owned(), cause })?;
    Ok(file.keep()?)
}
