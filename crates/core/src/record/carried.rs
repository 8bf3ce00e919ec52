//! What a new epoch takes over from the log before: `carry.account`, `carry.component`, `carry.device`, `carry.key`.

use super::Value;
use super::custody::CeremonyKey;
use super::fields::parent;
use super::people::words;
use crate::key::GroupKeyInfo;
use crate::record::Seq;
use crate::role::Roles;

/// Of what records the first ones of a new epoch were made: fields of its `log.genesis`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CarriedFrom {
    /// How many records of this log carry something over: those from number 1 on.
    pub records: u64,
    /// Records of the old log that a checkpoint which its key signed vouches for; 0 where it could not be read.
    pub size: u64,
    /// Their Merkle root, hexadecimal, or empty.
    pub root: String,
    /// How many of these are not what was signed for any more, and so say nothing.
    pub lost: u64,
}

/// One thing that a new epoch takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// `carry.account`: an account as the old log left it.
    Account {
        /// ID of the person.
        user: String,
        /// What the person is.
        roles: Roles,
        /// Whether the account is enabled.
        active: bool,
        /// Number of the credential that counts.
        cred: u64,
        /// Whether its PIN has to be changed at the next sign-in.
        once: bool,
        /// Wrong PINs since the last right one or the last reset.
        tries: u32,
        /// When the last of these was: the start of the machine and the milliseconds since then.
        last_try: Option<(String, u64)>,
        /// The record of the old log that changed the account last.
        was: Seq,
    },
    /// `carry.key`: a group key as the old log left it, destroyed ones included.
    Key {
        /// Everything but the key.
        key: GroupKeyInfo,
        /// The custody that has it.
        custody: String,
        /// How it came; empty where an older program did not say.
        how: String,
        /// `imported`, `active`, `suspended` or `destroyed`.
        state: &'static str,
        /// Who imported it.
        by: String,
        /// The second person, or empty.
        approver: String,
        /// The record of the old log that changed its state last.
        was: Seq,
    },
    /// `carry.device`: a device that is out, as a record of the old log says. What is not known is empty.
    Device {
        /// `scrap`, `revoke` or `replace`.
        how: &'static str,
        /// Registration ID.
        id: String,
        /// MAC address, twelve hexadecimal digits.
        mac: String,
        /// Serial number.
        serial: String,
        /// Registration ID of the board that takes its place.
        new_id: String,
        /// Its MAC address.
        new_mac: String,
        /// What the old log says of its identity in the cloud.
        cloud: CloudState,
        /// The record of the old log.
        was: Seq,
    },
    /// `carry.component`: who gave which component of which key.
    Component {
        /// The ceremony.
        ceremony: String,
        /// The key that was to come of it.
        key: CeremonyKey,
        /// Which part, from 1.
        part: u8,
        /// Its check value, 6 hexadecimal digits: whatever else was said of it, it is known again by this.
        component: String,
        /// Who gave it.
        by: String,
        /// The record of the old log.
        was: Seq,
    },
}

/// Whether an identity that is out was blocked in the cloud, as far as a log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudState {
    /// No list names it.
    Unlisted,
    /// A list names it, and no record says that it was done: it may be blocked.
    Listed,
    /// A list that was done names it.
    Done,
}

words!(CloudState: Unlisted = "none", Listed = "listed", Done = "done");

impl CloudState {
    /// The one that the word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }
}

impl CarriedFrom {
    pub(super) fn fields(&self) -> [(&'static str, Value); 4] {
        [
            ("carried", self.records.into()),
            ("carried_size", self.size.into()),
            ("carried_root", self.root.as_str().into()),
            ("carried_lost", self.lost.into()),
        ]
    }
}

impl Carried {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Account { .. } => "carry.account",
            Self::Key { .. } => "carry.key",
            Self::Component { .. } => "carry.component",
            Self::Device { .. } => "carry.device",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Account { user, roles, active, cred, once, tries, last_try, was } => {
                let (boot, mono) = last_try.as_ref().map_or(("", 0), |(boot, mono)| (boot.as_str(), *mono));
                vec![
                    ("user", user.as_str().into()),
                    ("roles", roles.to_string().into()),
                    ("active", u64::from(*active).into()),
                    ("cred", (*cred).into()),
                    ("once", u64::from(*once).into()),
                    ("tries", u64::from(*tries).into()),
                    ("try_boot", boot.into()),
                    ("try_mono", mono.into()),
                    ("was", (*was).into()),
                ]
            }
            Self::Key { key, custody, how, state, by, approver, was } => {
                let mut fields = parent(&key.label, key.check_value, &key.group, &key.scope, key.slot);
                fields.extend([
                    ("bytes", u64::from(key.length).into()),
                    ("custody", custody.as_str().into()),
                    ("how", how.as_str().into()),
                    ("state", (*state).into()),
                    ("by", by.as_str().into()),
                    ("by2", approver.as_str().into()),
                    ("was", (*was).into()),
                ]);
                fields
            }
            Self::Device { how, id, mac, serial, new_id, new_mac, cloud, was } => vec![
                ("how", (*how).into()),
                ("rid", id.as_str().into()),
                ("mac", mac.as_str().into()),
                ("sn", serial.as_str().into()),
                ("new_rid", new_id.as_str().into()),
                ("new_mac", new_mac.as_str().into()),
                ("cloud", cloud.as_str().into()),
                ("was", (*was).into()),
            ],
            Self::Component { ceremony, key, part, component, by, was } => {
                let mut fields = key.fields(ceremony);
                fields.extend([
                    ("part", u64::from(*part).into()),
                    ("cv", component.as_str().into()),
                    ("by", by.as_str().into()),
                    ("was", (*was).into()),
                ]);
                fields
            }
        }
    }
}
