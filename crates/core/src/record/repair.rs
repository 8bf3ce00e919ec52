//! What is recorded of repair beside the intents of its devices (docs/audit-format.md, section 13).

use super::fields::{hex, identified, parent_of};
use super::{Seq, Value};
use crate::identity::Identity;
use crate::key::{GroupKeyInfo, KeyLabel};
use crate::order::OrderId;
use crate::registration::RegistrationId;
use crate::repair::RekeyReason;

/// Something that repair did, or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairEvent {
    /// `rekey.look`: somebody looked at a device before deciding. Nothing was written to it.
    Looked {
        /// Registration ID.
        id: RegistrationId,
        /// What the device says it is.
        identity: Identity,
        /// What it says that it holds, beside what the log says: one word.
        holding: &'static str,
    },
    /// `rekey.open`: a batch that two people agreed to. Its devices are re-keyed from now on.
    Opened {
        /// Its ID, the `job` of its intents.
        batch: OrderId,
        /// What was agreed to.
        terms: Box<BatchTerms>,
    },
    /// `rekey.close`: no device is re-keyed in it any more.
    Closed {
        /// Its ID.
        batch: OrderId,
        /// The record that opened it.
        opened: Seq,
        /// What came of its devices.
        counts: BatchCounts,
        /// The `rekey.close` before this one in the log.
        before: Option<Seq>,
    },
}

/// What two people agree to when a batch is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTerms {
    /// Why.
    pub reason: RekeyReason,
    /// Whether the same key may be written again although the reason asks for another one.
    pub same_key: bool,
    /// The list of devices; `None`: whichever are plugged in.
    pub list: Option<ListHashes>,
    /// So many devices.
    pub devices: u64,
    /// The group key of the new keys.
    pub key: GroupKeyInfo,
    /// DPS endpoint that is written.
    pub endpoint: String,
    /// File name of the product profile.
    pub profile: String,
    /// SHA-256 of that file.
    pub profile_sha256: [u8; 32],
    /// The group key whose devices are moved, where the list is of them: a campaign.
    pub from: Option<KeyLabel>,
    /// The second person.
    pub approver: String,
    /// The `rekey.open` before this one in the log.
    pub before: Option<Seq>,
}

/// What a list of devices is known by (`docs/audit-format.md`, section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListHashes {
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Root of the Merkle tree of its rows.
    pub root: [u8; 32],
}

/// Where a device stands on the list of its batch, and that it does: the log judges it without the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// Number of the row, from 0.
    pub row: u64,
    /// What the row says of the device.
    pub named: RowNames,
    /// The hashes beside the way from the row to the root of the list, lowest first (RFC 6962, section 2.1.1).
    pub path: Vec<[u8; 32]>,
}

/// Which of the three a row of a list says; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowNames {
    /// The registration ID.
    pub id: bool,
    /// The MAC address.
    pub mac: bool,
    /// The serial number.
    pub serial: bool,
}

impl RowNames {
    /// The names in records, in their order.
    const WORDS: [&'static str; 3] = ["id", "mac", "serial"];

    /// The names that there are, joined by `+`.
    #[must_use]
    pub fn text(self) -> String {
        let said = [self.id, self.mac, self.serial].into_iter().zip(Self::WORDS);
        let words: Vec<_> = said.filter_map(|(said, word)| said.then_some(word)).collect();
        words.join("+")
    }

    /// Reads what [`text`](Self::text) wrote; `None`: it is none, or spelled otherwise.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let says = |word| text.split('+').any(|part| part == word);
        let [id, mac, serial] = Self::WORDS.map(says);
        let names = Self { id, mac, serial };
        (!text.is_empty() && names.text() == text).then_some(names)
    }
}

/// The text of a row, over which its leaf is made: what it says of registration ID, MAC address (twelve hexadecimal digits, lower
/// case) and serial number, with commas between them. What it does not say is empty.
#[must_use]
pub fn row_text(id: &str, mac: &str, serial: &str) -> String {
    format!("{id},{mac},{serial}")
}

/// The reconciliation of a batch: `asked` is the sum of the next three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchCounts {
    /// Devices that it was for.
    pub asked: u64,
    /// Of these, devices that proved their key.
    pub done: u64,
    /// Of these, devices that were seen and did not.
    pub failed: u64,
    /// Of these, devices that were never seen.
    pub missing: u64,
    /// Devices that were seen and are none of it.
    pub unexpected: u64,
}

impl RepairEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Looked { .. } => "rekey.look",
            Self::Opened { .. } => "rekey.open",
            Self::Closed { .. } => "rekey.close",
        }
    }

    pub(super) fn approver(&self) -> &str {
        match self {
            Self::Opened { terms, .. } => &terms.approver,
            Self::Looked { .. } | Self::Closed { .. } => "",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Looked { id, identity, holding } => {
                let mut fields = vec![("rid", id.as_str().into()), ("holding", (*holding).into())];
                fields.extend(identified(Some(identity)));
                fields
            }
            Self::Opened { batch, terms } => {
                let mut fields = parent_of(&terms.key);
                fields.extend([
                    ("job", batch.as_str().into()),
                    ("reason", terms.reason.code().as_str().into()),
                    ("note", terms.reason.note().into()),
                    ("same_key", u64::from(terms.same_key).into()),
                    ("sha256", terms.list.map_or_else(String::new, |list| hex(&list.sha256)).into()),
                    ("list_root", terms.list.map_or_else(String::new, |list| hex(&list.root)).into()),
                    ("qty", terms.devices.into()),
                    ("endpoint", terms.endpoint.as_str().into()),
                    ("profile", terms.profile.as_str().into()),
                    ("profile_sha256", hex(&terms.profile_sha256).into()),
                    ("from", terms.from.as_ref().map_or("", KeyLabel::as_str).into()),
                    ("prior", before(terms.before)),
                ]);
                fields
            }
            Self::Closed { batch, opened, counts, before: prior } => {
                let BatchCounts { asked, done, failed, missing, unexpected } = *counts;
                vec![
                    ("job", batch.as_str().into()),
                    ("ref", (*opened).into()),
                    ("asked", asked.into()),
                    ("done", done.into()),
                    ("failed", failed.into()),
                    ("missing", missing.into()),
                    ("unexpected", unexpected.into()),
                    ("prior", before(*prior)),
                ]
            }
        }
    }
}

fn before(seq: Option<Seq>) -> Value {
    seq.map_or(Value::Number(-1), Value::from)
}
