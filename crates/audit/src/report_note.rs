//! The signed note beside a report: which file the station made, out of how many records of its log.

use crate::note::{NoteError, Signer, VerifierKey};
use crate::origin::Origin;
use crate::record::Record;
use crate::tree::Hash;

/// The first line. No origin begins like this, so no checkpoint does.
const FIRST: &str = "keystation-report/v1";

/// A report that a station made: `docs/audit-format.md`, section 10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportNote {
    /// Which log.
    pub origin: Origin,
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// Records of the log that it was made from: the first so many.
    pub records: u64,
}

/// A note that vouches for no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportNoteError {
    /// It is not a note, or not signed by the key of the log.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the four lines of a report.
    #[error("it is not the note of a report")]
    Form,
    /// The second line is not the name of its key.
    #[error("its origin is not that of the log")]
    Origin,
}

impl ReportNote {
    /// What a record of an export says; `None`: the record is about something else.
    pub(crate) fn of(record: &Record<'_>, origin: &Origin) -> Option<Self> {
        if record.event() != "export.report" {
            return None;
        }
        let sha256 = hash(&record.text("sha256")?)?;
        let records = u64::try_from(record.integer("records")?).ok()?;
        (1..=record.seq()).contains(&records).then(|| Self { origin: origin.clone(), sha256, records })
    }

    pub(crate) fn sign(&self, signer: &Signer) -> String {
        let sha256: String = self.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        signer.sign(&format!("{FIRST}\n{}\n{sha256}\n{}\n", self.origin, self.records))
    }

    /// Reads a note that is signed by `key`, and whose origin is the name of `key`.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, ReportNoteError> {
        let lines: Vec<_> = key.open(note)?.split('\n').collect();
        let [FIRST, origin, sha256, records, ""] = lines[..] else {
            return Err(ReportNoteError::Form);
        };
        let origin = Origin::new(origin).ok().filter(|origin| origin.as_str() == key.name());
        let origin = origin.ok_or(ReportNoteError::Origin)?;
        let sha256 = hash(sha256).ok_or(ReportNoteError::Form)?;
        let plain = records.bytes().all(|byte| byte.is_ascii_digit()) && !records.starts_with('0');
        let records = records.parse().ok().filter(|number| plain && *number < 1_u64 << 53);
        Ok(Self { origin, sha256, records: records.ok_or(ReportNoteError::Form)? })
    }
}

/// 64 hexadecimal digits in lower case.
fn hash(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}
