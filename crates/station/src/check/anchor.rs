//! The device as a witness of the log: `docs/audit-format.md`, section 11.

use std::fs;
use std::path::PathBuf;

use keystation_audit::{DeviceAnchor, Paths, ReadError, Reader};
use keystation_core::credential::LogAnchor;
use keystation_core::registration::RegistrationId;

use super::{Finding, Point, Verdict};
use crate::data_dir::DataDir;
use crate::error::StationError;

/// The log is not what it was: whatever is touched now may be evidence.
const STOP: &[&str] =
    &["Stop: key no device here.", "Leave everything as it is: device, station, disks.", "Call QA."];
/// The log is as it was, and the device is not from it.
const SET_ASIDE: &[&str] = &["Set the device aside.", "Call QA."];
/// A log that was put aside is not whole: it is known to be damaged, or it was changed since.
const OLD_LOG: &[&str] = &["Leave the epochs folder as it is.", "Call QA."];

/// Holds the anchor of a device against the log, or against the earlier log of this station that it was keyed under.
pub(super) fn compare(
    data: &DataDir,
    reader: &Reader,
    id: &RegistrationId,
    anchor: Option<LogAnchor>,
) -> Result<Point, StationError> {
    let Some(anchor) = anchor else {
        let sentence = "It is not anchored: its set was written without an anchor of the log.";
        return Ok(point(Verdict::NotCompared, sentence, None));
    };
    let verdict = match held(reader, anchor, id) {
        Ok(verdict) => verdict,
        Err(ReadError::Damaged(finding)) => {
            let found = Finding { code: "log-damaged", remedy: STOP };
            return Ok(point(Verdict::Fails, finding.to_string(), Some(found)));
        }
        Err(other) => return Err(other.into()),
    };
    let (sentence, remedy) = match verdict {
        DeviceAnchor::Agrees(intent) => {
            let sentence =
                format!("Up to its intent, record {intent}, the log is the one that it was keyed under.");
            return Ok(point(Verdict::Holds, sentence, None));
        }
        DeviceAnchor::OtherLog(log) => return earlier(data, reader, log, anchor, id),
        DeviceAnchor::CutBack { size, log } => (
            format!(
                "The log had {size} records when it was keyed, and has {log} now: records were removed, or an older \
                 copy was brought back."
            ),
            STOP,
        ),
        DeviceAnchor::Replaced { size } => (
            format!(
                "The first {size} records are not those that the log had when it was keyed: it was replaced."
            ),
            STOP,
        ),
        DeviceAnchor::NotItsIntent(record) => (
            format!("It says that record {record} is the intent to key it, and the record is another one."),
            SET_ASIDE,
        ),
        DeviceAnchor::Void => ("Its anchor is none that a station writes.".to_owned(), SET_ASIDE),
    };
    Ok(point(Verdict::Fails, sentence, Some(Finding { code: verdict.word(), remedy })))
}

/// The anchor is of another log than the one at work here: of an earlier epoch, or of another station.
fn earlier(
    data: &DataDir,
    reader: &Reader,
    log: [u8; 4],
    anchor: LogAnchor,
    id: &RegistrationId,
) -> Result<Point, StationError> {
    let found = epochs(data).map_err(|cause| StationError::Disk { path: data.path().to_owned(), cause })?;
    // A log that was put aside may be damaged, or its database be gone: then its key alone says whose it was.
    let mine = found.into_iter().filter_map(|aside| Reader::open(&aside).ok()).find_map(|old| {
        let key = old.verifier_key().ok().filter(|key| key.id() == log)?;
        Some((key.name().to_owned(), held(&old, anchor, id)))
    });
    let Some((origin, verdict)) = mine else {
        let sentence = format!(
            "It was keyed under another log, with the key {}; this one has the key {}. Check it at the station of that log.",
            hex(log),
            hex(reader.verifier_key()?.id()),
        );
        return Ok(point(Verdict::NotCompared, sentence, None));
    };
    Ok(match verdict {
        Ok(DeviceAnchor::Agrees(intent)) => {
            let sentence = format!(
                "It was keyed in record {intent} of {origin}, an earlier log of this station that agrees."
            );
            point(Verdict::Holds, sentence, None)
        }
        Ok(other) => {
            let sentence =
                format!("It was keyed under {origin}, and what was put aside of that log does not agree.");
            point(Verdict::Fails, sentence, Some(Finding { code: other.word(), remedy: OLD_LOG }))
        }
        Err(_) => {
            let sentence = format!(
                "It was keyed under {origin}, an earlier log of this station that cannot be compared."
            );
            point(Verdict::NotCompared, sentence, None)
        }
    })
}

fn held(reader: &Reader, anchor: LogAnchor, id: &RegistrationId) -> Result<DeviceAnchor, ReadError> {
    reader.snapshot()?.device_anchor(anchor, id)
}

/// The logs that were put aside.
fn epochs(data: &DataDir) -> std::io::Result<Vec<Paths>> {
    let folder: PathBuf = data.path().join("epochs");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    fs::read_dir(folder)?.map(|entry| Ok(Paths::in_dir(&entry?.path()))).collect()
}

fn point(verdict: Verdict, sentence: impl Into<String>, finding: Option<Finding>) -> Point {
    Point { name: "anchor", verdict, sentence: sentence.into(), finding }
}

fn hex(bytes: [u8; 4]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
