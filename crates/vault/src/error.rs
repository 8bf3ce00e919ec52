//! What can go wrong with a sealed file: what happened, and what to do now.

use std::io;

use keystation_core::key::{CheckValue, KeyLabel};

use crate::card::CardError;
use crate::custody::CustodyKind;
use crate::document::DocumentError;
use crate::group_key::KeyRefused;
use crate::permissions::Exposure;
use crate::secret::SecretRefused;
use crate::token::TokenError;
use crate::tpm::TpmError;

/// A custody that does not open. Nothing was changed, no key is in memory.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// There is no file.
    #[error("there is no vault file")]
    Absent,
    /// The file may not be read.
    #[error("the vault file may not be read")]
    Denied(#[source] io::Error),
    /// Others than its owner may read or replace it.
    #[error("the vault file is not private: {0}")]
    Exposed(Exposure),
    /// Reading failed.
    #[error("the vault file cannot be read")]
    Unreadable(#[source] io::Error),
    /// Longer than any vault.
    #[error("the vault file is longer than any vault")]
    TooLarge,
    /// Not an age file, or its header is damaged.
    #[error("the vault file is no age file, or its beginning is damaged")]
    NotAge,
    /// An age version after v1.
    #[error("the vault file has a newer age format than v1")]
    NewerAge,
    /// Sealed for keys, not by a passphrase.
    #[error("the vault file is sealed for other recipients than a passphrase")]
    NotByPassphrase,
    /// The file ends too early.
    #[error("the vault file is cut off")]
    Truncated,
    /// The header or the content was altered.
    #[error("the vault file is damaged: its content does not match its seal")]
    Damaged,
    /// The passphrase does not open it. A damaged salt looks the same.
    #[error("the passphrase does not open the vault")]
    WrongPassphrase,
    /// Its scrypt cost would occupy the station for minutes.
    #[error(
        "the vault file asks for a work factor of 2^{required}, at most 2^{} is accepted",
        crate::WorkFactor::MOST
    )]
    TooMuchWork {
        /// log2 of what it asks for.
        required: u8,
    },
    /// It opened, but the content is not a vault that this version understands.
    #[error("the vault file opened, but {0}")]
    Document(#[from] DocumentError),
    /// A key does not make its check value: key and check value do not belong together.
    #[error("the key {label} has the check value {found}, the vault says {expected}")]
    CheckValue {
        /// Whose.
        label: KeyLabel,
        /// What the file says.
        expected: CheckValue,
        /// What the key makes.
        found: CheckValue,
    },
    /// The kernel gives no memory that is never swapped.
    #[error("no locked memory for the keys")]
    Memory(#[source] io::Error),
    /// No card says of a key that it is in this custody.
    #[error("there is no key in the custody `{}`", .0.as_str())]
    NoKeys(CustodyKind),
    /// A key card is wrong.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The PKCS#11 token does not do it.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The TPM does not do what it is asked.
    #[error(transparent)]
    Tpm(#[from] TpmError),
}

impl UnlockError {
    /// One word for the record of the attempt.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Denied(_) => "denied",
            Self::Exposed(_) => "exposed",
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge | Self::NotAge | Self::NewerAge | Self::NotByPassphrase => "not-a-vault",
            Self::Truncated => "truncated",
            Self::Damaged => "damaged",
            Self::WrongPassphrase => "passphrase",
            Self::TooMuchWork { .. } => "work-factor",
            Self::Document(_) => "document",
            Self::CheckValue { .. } => "check-value",
            Self::Memory(_) => "memory",
            Self::NoKeys(_) => "no-keys",
            Self::Card(_) => "card",
            Self::Token(token) => token.word(),
            Self::Tpm(tpm) => tpm.word(),
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Absent => {
                &["Check the path of the vault.", "A new station: make a vault and import the group key."]
            }
            Self::Denied(_) => &["Run the program as the station's own user, who owns the file."],
            Self::Exposed(_) => {
                &["Give it to the station's user: chown.", "Close it: chmod 600.", "Ask who had access."]
            }
            Self::Unreadable(_) => &["Check the disk.", "Restore the vault file from its copy."],
            Self::NewerAge
            | Self::Document(DocumentError::UnknownVersion | DocumentError::UnknownField { .. }) => {
                &["Update Keystation: a newer version made this vault."]
            }
            Self::TooLarge | Self::NotAge | Self::NotByPassphrase | Self::TooMuchWork { .. } => {
                &["Check the path of the vault.", "Restore the vault file from its copy."]
            }
            Self::Truncated | Self::Damaged => &["Restore the vault file from its copy.", "Check the disk."],
            Self::WrongPassphrase => &[
                "Enter the passphrase again: mind the keyboard layout.",
                "Restore the vault file from its copy.",
            ],
            Self::Document(_) => &["Restore the vault file from its copy."],
            Self::CheckValue { .. } => {
                &["Stop.", "Call the custodian: compare the check value with the key's paper."]
            }
            Self::Memory(_) => {
                &["Raise the limit of locked memory (ulimit -l, LimitMEMLOCK=) to 1 MiB at least."]
            }
            Self::NoKeys(_) => {
                &["Import a group key into it.", "Check that `--data` names the right station."]
            }
            Self::Card(card) => card.remedy(),
            Self::Token(token) => token.remedy(),
            Self::Tpm(tpm) => tpm.remedy(),
        }
    }

    /// Whether the secret was wrong, and nothing else: a person can enter it again.
    #[must_use]
    pub const fn is_wrong_secret(&self) -> bool {
        match self {
            Self::WrongPassphrase | Self::Tpm(TpmError::WrongSecret) => true,
            Self::Token(token) => token.is_wrong_pin(),
            _ => false,
        }
    }
}

/// A file of the vault that could not be written. The old file, if there was one, stands as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another program is writing it.
    #[error("another program is changing the vault")]
    Busy,
    /// The directory or the file may not be written.
    #[error("the vault file may not be written")]
    Denied(#[source] io::Error),
    /// The disk is full.
    #[error("the disk is full: the vault is as it was")]
    NoSpace(#[source] io::Error),
    /// Writing failed in another way.
    #[error("the vault file could not be written")]
    Failed(#[source] io::Error),
    /// The new file was written and does not open as what was sealed.
    #[error("the new vault file does not open again: the vault is as it was")]
    NotReadBack(#[source] UnlockError),
    /// The kernel gives no memory that is never swapped.
    #[error("no locked memory for the keys")]
    Memory(#[source] io::Error),
}

impl WriteError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Busy => &["Wait until it is done.", "Try again."],
            Self::Denied(_) => &["Run the program as the station's own user, who owns the directory."],
            Self::NoSpace(_) => &["Make room on the disk.", "Try again."],
            Self::Failed(_) | Self::NotReadBack(_) => &["Check the disk.", "Try again."],
            Self::Memory(_) => {
                &["Raise the limit of locked memory (ulimit -l, LimitMEMLOCK=) to 1 MiB at least."]
            }
        }
    }

    /// By the kind of the failure.
    pub(crate) fn of(cause: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match cause.kind() {
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::Denied(cause),
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::NoSpace(cause),
            _ => Self::Failed(cause),
        }
    }
}

/// A vault that was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something stands there already. A vault is never overwritten.
    #[error("there is a vault file already; it is never overwritten")]
    Exists,
    /// The passphrase is too weak for a new vault.
    #[error("the passphrase is refused: {0}")]
    Passphrase(#[from] SecretRefused),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl CreateError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &["Use the vault that is there.", "Or move it away first."],
            Self::Passphrase(_) => &["Choose a longer one, for example five words picked by dice."],
            Self::Write(write) => write.remedy(),
        }
    }
}

/// A group key that was not imported. The vault is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The vault does not open.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The text is no group key, or a weak one.
    #[error("the group key is refused: {0}")]
    Key(#[from] KeyRefused),
    /// 32 bytes: what a derived device key has, and a group key of Azure has not. A person has to answer first.
    #[error("the key has 32 bytes, like a derived device key; is it the key of the enrollment group?")]
    MayBeDerivedKey,
    /// The answer was that it is a device key.
    #[error("a derived device key is no group key: every device key made from it would be wrong")]
    DerivedKey,
    /// The label names another key.
    #[error("the label {0} is taken")]
    LabelTaken(KeyLabel),
    /// The same key is there under another label.
    #[error("the same key is in the vault as {0}")]
    SameKey(KeyLabel),
    /// The vault is full.
    #[error("the vault holds {} keys, which is all it can", crate::document::KEYS)]
    Full,
    /// There was no vault, and none was made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<TokenError> for ImportError {
    fn from(error: TokenError) -> Self {
        Self::Unlock(error.into())
    }
}

impl ImportError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Unlock(unlock) => unlock.remedy(),
            Self::Key(_) => &[
                "Copy the key again from the enrollment group: portal, or `az iot dps enrollment-group show --show-keys`.",
            ],
            Self::MayBeDerivedKey => &[
                "Compare it with the key of the enrollment group.",
                "If it is that key, import it again with --not-a-device-key.",
            ],
            Self::DerivedKey => &["Take the key of the enrollment group, not of a device."],
            Self::LabelTaken(_) => &["Choose another label."],
            Self::SameKey(_) => &["Use the key that is there."],
            Self::Full => &["Make a second vault."],
            Self::Create(create) => create.remedy(),
            Self::Write(write) => write.remedy(),
        }
    }
}

/// A transfer file that was not taken. Nothing was changed, no key is in memory.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The station's own key for transfers does not open.
    #[error("the station's key for transfers: {0}")]
    Unlock(#[from] UnlockError),
    /// The file cannot be read.
    #[error("the transfer file cannot be read")]
    Unreadable(#[source] io::Error),
    /// Longer than any transfer.
    #[error("the transfer file is longer than any")]
    TooLarge,
    /// Not an age file, its header is damaged, or it is armored.
    #[error("the transfer file is no binary age file, or its beginning is damaged")]
    NotAge,
    /// An age version after v1.
    #[error("the transfer file has a newer age format than v1")]
    NewerAge,
    /// Sealed by a passphrase.
    #[error("the transfer file is sealed by a passphrase, not to this station")]
    ByPassphrase,
    /// Sealed to somebody else. A damaged stanza looks the same.
    #[error("the transfer file is not sealed to this station")]
    ForAnother,
    /// The file ends too early.
    #[error("the transfer file is cut off")]
    Truncated,
    /// The header or the content was altered.
    #[error("the transfer file is damaged: its content does not match its seal")]
    Damaged,
    /// It opened, but the content is no key in transfer.
    #[error("the transfer file opened, but {0}")]
    Document(#[from] DocumentError),
    /// The key does not make its check value.
    #[error("the key in transfer has the check value {found}, the file says {expected}")]
    CheckValue {
        /// What the file says.
        expected: CheckValue,
        /// What the key makes.
        found: CheckValue,
    },
    /// A key that is not imported.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl TransferError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Unlock(unlock) => unlock.remedy(),
            Self::Import(import) => import.remedy(),
            Self::Unreadable(_) => &["Check the name of the file and the stick."],
            Self::ForAnother => &[
                "Compare the owner's recipient with `keystation key recipient`.",
                "Have the key sealed again.",
            ],
            Self::NewerAge
            | Self::Document(DocumentError::UnknownTransfer | DocumentError::UnknownField { .. }) => {
                &["Update Keystation, or have the key sealed as docs/vault-format.md, section 9, says."]
            }
            Self::TooLarge | Self::NotAge | Self::ByPassphrase => {
                &["Take the file that the owner made with `age -r`, without `-a` and `-p`."]
            }
            Self::Truncated | Self::Damaged => &["Copy the file again from its owner."],
            Self::Document(_) => &["Have the owner make it again: docs/vault-format.md, section 9."],
            Self::CheckValue { .. } => &["Stop.", "Call the owner of the key: compare the check value."],
        }
    }
}

/// A key that was not destroyed. It is where it was.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// The custody does not open.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// There is no key of this label.
    #[error("there is no key {0} to destroy")]
    NoKey(KeyLabel),
    /// It was looked for afterwards and is still there.
    #[error("the key {0} was deleted and is still there")]
    StillThere(KeyLabel),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<TokenError> for DestroyError {
    fn from(error: TokenError) -> Self {
        Self::Unlock(error.into())
    }
}

impl DestroyError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Unlock(unlock) => unlock.remedy(),
            Self::NoKey(_) => &["Look at `keystation key list` for the labels."],
            Self::StillThere(_) => &["Do not count it as destroyed.", "Call the maker of the token."],
            Self::Write(write) => write.remedy(),
        }
    }
}
