//! What to do about an error.

use keystation_audit::{AppendError, EpochError, OpenError, ReadError};
use keystation_core::failure::Code;

use super::StationError;
use crate::anchoring;
use crate::config::ConfigError;
use crate::orders::error::refusal_remedy;
use crate::report::OutError;

impl StationError {
    /// What to do now: one to three steps.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Missing(_) | Self::Read(ReadError::NoLog(_)) => {
                &["Check `--data`.", "A new station: keystation init."]
            }
            Self::Exists(_) => &["Use the station that is there, or name another directory with `--data`."],
            Self::NoDataDir => &["Name a directory with `--data`."],
            Self::Config(ConfigError::Unreadable { .. }) => {
                &["Check the name of the file, and that this user may read it."]
            }
            Self::Config(ConfigError::Exposed(_)) => &[
                "Give it, and each folder that it lies in, to root or to the user of the station: chown.",
                "Let nobody else write to it: chmod go-w; a token nobody else read: chmod 600.",
            ],
            Self::Config(ConfigError::Wrong { .. }) => &["Mend the line and start again."],
            Self::Origin(_) => &[
                "Use keylog.<company-domain>/<plant>/<station>, for example keylog.example.com/plant7/stn03.",
            ],
            Self::Id(_) => &["Give the ID as the records have it."],
            Self::NoDevice(_) => &[
                "Look for its MAC address or serial number: keystation audit search.",
                "Was it keyed at another station?",
            ],
            Self::NoProductLabel(_) => &["Add a [[label]] section for its profile: docs/after.md."],
            Self::Remark(_) => &["Say it in fewer words."],
            Self::Query(_) => &["For example: mac:a1-b2-c3-d4-e5-f6, or job:WO-44192 outcome:timeout."],
            Self::Disk { .. } => &["Check free space and permissions.", "Start again."],
            Self::Out(OutError::Exists(_)) => &["Name another file, or move that one away."],
            Self::Out(OutError::Disk { .. }) => &["Check the path, free space and permissions."],
            Self::NoJob(_) => &["Write it as the records have it: keystation audit figures lists them."],
            Self::NotInLog(_) => &["Write it as the records have it: keystation audit search finds it."],
            Self::Page(_) => &["Call the administrator."],
            Self::Name(_) => &["Give it on one line, by prompt or with --name-file."],
            Self::Names(_) => {
                &["Check names.db in the data directory: it may be moved away, the log needs none of it."]
            }
            Self::Random(_)
            | Self::Clock(_)
            | Self::Program(_)
            | Self::Unprotected(_)
            | Self::Thread(_)
            | Self::Input(_) => &["Call the administrator."],
            Self::NoVault(_) => {
                &["A new station: keystation key import.", "Otherwise: restore the vault file from its copy."]
            }
            Self::VaultGone(_) => &["Restore the vault file from its copy.", "No copy: call the custodian."],
            Self::OtherLog { .. } => {
                &["Put `origin` back: it never changes while the log lives.", "Copied files? Call QA."]
            }
            Self::Backup(error) => error.remedy(),
            Self::NotClean(_) => &[
                "Nothing was saved.",
                "Look at that line of what it is made from.",
                "Report the kind of the find, never the find.",
            ],
            Self::Training(error) => error.remedy(),
            Self::NoSlot(_) => &["Add a [[slot]] section to station.toml."],
            Self::NoKey(_) => {
                &["Check `group_key` in the profile.", "keystation key list shows what is there."]
            }
            Self::OutboxAhead { .. } => &[
                "Inject nothing; leave all files as they are.",
                "Call QA: whoever took the records knows what the log had.",
                "Two administrators then begin a new log: keystation audit new-epoch.",
            ],
            Self::NoCustody(_) => &["Add its section to station.toml: [token] or [tpm]."],
            Self::WhichCustody(_) => &["Name one with `--custody`."],
            Self::OtherKey { .. } => {
                &["Stop.", "Is it the vault of another station, or an old copy?", "Call the custodian."]
            }
            Self::KeyInactive { .. } => Code::KeyInactive.remedy(),
            Self::KeyState { .. } => &["keystation key list shows what it is."],
            Self::OtherCheckValue { .. } => &[
                "Do not use it.",
                "Compare with the paper of its owner.",
                "If another key is in the station: destroy it.",
            ],
            Self::OtherTransfer { .. } => &["Take the file of the key that was approved."],
            Self::Reason => &["Say why, in a few words: `--reason`."],
            Self::Order(error) => error.remedy(),
            Self::Life(error) => error.remedy(),
            Self::Rekey(error) => error.remedy(),
            Self::Append(AppendError::Order(refusal)) => refusal_remedy(refusal),
            Self::Transfer(error) => error.remedy(),
            Self::Ceremony(error) => error.remedy(),
            Self::Scan(_) => &["Check the scanner and its cable.", "Scan one code."],
            Self::Destroy(error) => error.remedy(),
            Self::NoCheckPort(_) => &["Choose port and profile from the list.", "Is the cable plugged in?"],
            Self::Unanswered(_) => &[
                "Look whether the token or the TPM works: unplug it, plug it in again.",
                "Unlock it: what was begun is finished or taken back then.",
                "Look in `keystation key list` what became of it.",
            ],
            Self::Locked => &["Unlock the vault."],
            Self::Custody(_) => &["Stop.", "Call the custodian."],
            Self::Mismatch | Self::PinsDiffer => &["Enter it again."],
            Self::PinFiles => &["Give two of both."],
            Self::Port(_) => &["Check the cable.", "Close other programs that use the port."],
            Self::Unlock(error) => error.remedy(),
            Self::Create(error) => error.remedy(),
            Self::Import(error) => error.remedy(),
            Self::Secret(error) => error.remedy(),
            Self::Log(OpenError::InUse(_)) => {
                &["Close the other window or program that works at this station.", "Then try again."]
            }
            Self::Log(OpenError::Integrity(_)) => &[
                "Inject nothing; leave all files as they are.",
                "Call QA.",
                "`keystation-desktop --qa` shows what is wrong.",
            ],
            Self::Log(OpenError::Derived(_)) => &[
                "Call QA: somebody wrote into the database past the program.",
                "Then: keystation audit rebuild.",
                "Look at who has an account: keystation person list.",
            ],
            Self::Log(OpenError::Exists(_)) => {
                &["Take an empty directory: `--data`.", "Or move away what was left there, then try again."]
            }
            Self::Log(OpenError::KeyExposed(_)) => {
                &["Call QA.", "If nobody else had access to this machine: chmod 600 mends it."]
            }
            Self::Log(_) | Self::Read(ReadError::Gone { .. }) => {
                &["Inject nothing; leave all files as they are.", "Call QA or the administrator."]
            }
            Self::Read(ReadError::ProofTooLong(_)) => {
                &["Export a bundle of it: keystation audit export --id."]
            }
            Self::Read(_) => &["Run `keystation audit verify`.", "Call the administrator."],
            Self::Append(error) if anchoring::proves_two_logs(error) => {
                &["Inject nothing more.", "Keep this file: with the log it is the proof.", "Call QA."]
            }
            Self::Append(AppendError::NotAnchored(_)) => &[
                "Take the file that the witness of this station made last.",
                "Check `[[witness]]` in station.toml.",
            ],
            Self::Append(AppendError::SpaceLow(_)) => {
                &["Make room on the disk of the log.", "Then start the station again."]
            }
            Self::Append(AppendError::ClockDoubted) => {
                &["Set the clock right.", "Two people then accept the time: keystation clock accept."]
            }
            Self::Append(AppendError::NotAccepted(_)) => {
                &["Name both people and the reason: `--operator`, `--approver`, `--reason`."]
            }
            Self::Append(_) => {
                &["Check free space and the disk.", "Start again: the log is checked at the start."]
            }
            Self::Unreadable { .. } => &["Check the name of the file and the stick."],
            Self::VerifierKey { .. } => &["Take the station's log.vkey, or the witness's witness.vkey."],
            Self::WhichWitness(_) => {
                &["Name one with `--witness`.", "None yet: keystation witness init, on another machine."]
            }
            Self::NoSuchSize(_) => {
                &["Take the number that the witness says.", "Is it greater than the log? Call QA."]
            }
            Self::NotOfLog { .. } => &["Name the vkey of the log that they should be of: `--vkey`."],
            Self::Epoch(EpochError::OnePerson | EpochError::Reason) => {
                &["Name both people and the reason: `--operator`, `--approver`, `--reason`."]
            }
            Self::Epoch(_) => &["Leave all files as they are.", "Call QA or the administrator."],
            Self::NotCosigned(refusal) => refusal.remedy(),
            Self::Witness(_) => &["Check `--state`.", "Leave its files as they are and call QA."],
            Self::Denied(denied) => denied.remedy(),
            Self::SignIn(refused) => refused.remedy(),
            Self::Person(refused) => refused.remedy(),
            Self::PinCounter(error) => error.remedy(),
            Self::People(refused) => refused.remedy(),
            Self::Ports(_) => &["Check that the user may read /sys and /dev."],
        }
    }
}
