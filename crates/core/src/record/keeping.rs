//! What is recorded of backups.

use super::Value;
use super::fields::hex;

/// A copy of a station that can take its place, as both records name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// SHA-256 of its manifest, which has the hash of every file.
    pub manifest: [u8; 32],
    /// Records of the log in it.
    pub size: u64,
    /// Their Merkle root.
    pub root: [u8; 32],
}

/// What happened to a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupEvent {
    /// `backup.made`: this station was copied.
    Made(Backup),
    /// `station.restored`: this station was made of a copy.
    Restored {
        /// Which.
        backup: Backup,
        /// When that was made, as the time of a record is written.
        made: String,
        /// Why.
        reason: String,
        /// The second person.
        approver: String,
    },
}

impl BackupEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Made(_) => "backup.made",
            Self::Restored { .. } => "station.restored",
        }
    }

    pub(super) fn approver(&self) -> &str {
        match self {
            Self::Made(_) => "",
            Self::Restored { approver, .. } => approver,
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let (Self::Made(backup) | Self::Restored { backup, .. }) = self;
        let mut fields = vec![
            ("sha256", hex(&backup.manifest).into()),
            ("size", backup.size.into()),
            ("root", hex(&backup.root).into()),
        ];
        if let Self::Restored { made, reason, .. } = self {
            fields.extend([("made", made.as_str().into()), ("reason", reason.as_str().into())]);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    #[test]
    fn a_backup_is_named_by_its_manifest_and_its_log() {
        let backup = Backup { manifest: [0xab; 32], size: 7, root: [0x01; 32] };
        let made = Event::Backup(BackupEvent::Made(backup.clone()));
        assert_eq!((made.name(), made.rc(), made.approver()), ("backup.made", "", ""));
        let named = [
            ("sha256", Value::Text("ab".repeat(32))),
            ("size", Value::Number(7)),
            ("root", Value::Text("01".repeat(32))),
        ];
        assert_eq!(made.fields(), named);
        let (when, why) = ("2026-11-26T03:00:00.000Z", "the disk broke");
        let restored = Event::Backup(BackupEvent::Restored {
            backup,
            made: when.to_owned(),
            reason: why.to_owned(),
            approver: "ad-2".to_owned(),
        });
        assert_eq!((restored.name(), restored.approver()), ("station.restored", "ad-2"));
        let more = [("made", Value::from(when)), ("reason", Value::from(why))];
        assert_eq!(restored.fields(), [&named[..], &more].concat());
    }
}
