//! The command line. Verbs and options are a contract with scripts and MES.
//!
//! Secrets come by prompt, file or file descriptor: never as an argument, never from the environment.

mod after;
mod audit;
mod backup;
mod key;
mod life;
mod order;
mod person;
mod repair;
mod witness;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use keystation::orders::OrderId;

pub(crate) use after::{LabelVerb, OutboxVerb};
pub(crate) use audit::{AnchorVerb, AuditVerb, ListFormat, ReportVerb, ShiftArgs};
pub(crate) use backup::{BackupArgs, BackupPassphrase, RestoreArgs};
pub(crate) use key::{CeremonyArgs, ChangeArgs, ImportArgs, KeyVerb};
pub(crate) use life::{CleanupVerb, DeviceVerb, Why};
pub(crate) use order::{CreateArgs, OrderVerb};
pub(crate) use person::{Admins, NewPin, PersonVerb};
pub(crate) use repair::{BatchVerb, LookArgs, RekeyArgs};
pub(crate) use witness::WitnessVerb;

/// Gives devices their Azure DPS keys, has them prove it, and keeps a record that can be verified.
///
/// Exit codes: 0 done, 1 the device or the check failed, 2 usage or settings, 3 refused by policy or sign-in,
/// 4 the station itself cannot work (vault, log, disk).
#[derive(Debug, Parser)]
#[command(name = "keystation", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The station's data directory [default: the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// One JSON object per line on standard output; messages go to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) people: People,

    /// Diagnostics on standard error, for example `keystation=debug`. They hold no key and no device data
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) trace: Option<String>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Who is in front of the station. One call is one session: who is named here signs in, acts, and is signed out.
#[derive(Debug, Args)]
pub(crate) struct People {
    /// Who signs in. The PIN is asked for
    #[arg(long, global = true, value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) operator: Option<String>,

    /// Read the PIN of `--operator` from the first line of this file
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "pin_fd")]
    pub(crate) pin_file: Option<PathBuf>,

    /// Read the PIN of `--operator` from this file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub(crate) pin_fd: Option<i32>,

    /// Who approves, where two people are needed. The PIN is asked for
    #[arg(long, global = true, value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) approver: Option<String>,

    /// Read the PIN of `--approver` from the first line of this file
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "approver_pin_fd")]
    pub(crate) approver_pin_file: Option<PathBuf>,

    /// Read the PIN of `--approver` from this file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub(crate) approver_pin_fd: Option<i32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a station: settings, signing key, log with its first record, and its first two administrators
    Init {
        /// Name of the audit log, kept for good: keylog.<company-domain>/<plant>/<station>
        #[arg(long, value_name = "NAME")]
        origin: String,
        #[command(flatten)]
        admins: Admins,
    },
    /// Group keys
    #[command(subcommand)]
    Key(KeyVerb),
    /// List serial ports with USB path, vendor, product and serial number
    Ports,
    /// Give one device its key; exit 0 only on PASS
    Inject {
        /// Serial port
        #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
        port: PathBuf,
        /// Product profile: a bare name in the station's `profiles` folder, or a path with a slash
        #[arg(long, value_name = "FILE")]
        profile: PathBuf,
        /// Work order: the one that is open
        #[arg(long, value_name = "ID")]
        job: Option<OrderId>,
        /// What was scanned from the label of the device, where the profile asks for it
        #[arg(long, value_name = "TEXT", value_parser = keystation::line::Label::new)]
        label: Option<keystation::line::Label>,
        /// Wait for Enter when the device is done, and again when the vault is locked, so that a memory scanner can look
        #[arg(long)]
        inspect: bool,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
    /// A line: every slot gives the devices that are plugged in their keys, until SIGTERM or Ctrl-C ends it
    ///
    /// A line on standard input is a label that was scanned; an empty one puts back the slots that were taken out, where the
    /// person who is signed in may do that.
    Run {
        /// Train: simulated devices come by themselves, one good, one that fails, and so on; there are no others, and the trainee
        /// is signed in. Log, vault and key are those of the training, in `training` of the data directory, which is made anew at
        /// each start; nothing of the station is opened (docs/training.md)
        #[arg(long, conflicts_with_all = ["slots", "PassphraseFrom"])]
        training: bool,
        /// Which slots of `station.toml`, for example `1,2-4` [default: all of them]
        #[arg(long, value_name = "LIST", value_parser = slot_list)]
        slots: Option<SlotList>,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
    /// Read a finished device, prove its key, hold it against its record, and the log against its anchor. The device is not changed
    Check {
        /// Serial port
        #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
        port: PathBuf,
        /// Product profile: a bare name in the station's `profiles` folder, or a path with a slash
        #[arg(long, value_name = "FILE")]
        profile: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
    /// Look at a device before deciding: what is in it, and what the log says of it. Nothing is written to it
    Look(LookArgs),
    /// Repair: overwrite the key of a device or of many, for a reason that a supervisor approves
    ///
    /// A batch goes on where it was, after a pause, a kill or a week: the same again, or `--batch`. At a terminal `p`, `g` and `q` with
    /// Enter pause it, go on and end it for now.
    Rekey(Box<RekeyArgs>),
    /// Batches of repair: what was asked, done, failed, missing
    #[command(subcommand)]
    Batch(BatchVerb),
    /// Work orders: what is made, how many, which devices
    #[command(subcommand)]
    Order(OrderVerb),
    /// Devices that are taken out, and boards that take the place of others
    #[command(subcommand)]
    Device(DeviceVerb),
    /// Identities that have to be blocked in the cloud
    #[command(subcommand)]
    Cleanup(CleanupVerb),
    /// What comes after a PASS: what waits for printers and outbox and since when, which calls of hooks failed
    After,
    /// Labels of devices that passed
    #[command(subcommand)]
    Label(LabelVerb),
    /// The outbox: every record, in order, to a folder or an HTTP endpoint
    #[command(subcommand)]
    Outbox(OutboxVerb),
    /// People: accounts, roles, PINs, badges, names
    #[command(subcommand)]
    Person(PersonVerb),
    /// The clock of the station
    #[command(subcommand)]
    Clock(ClockVerb),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditVerb),
    /// A sealed copy of the station that can take its place: docs/backup.md says what is in it
    Backup(BackupArgs),
    /// Make a station of a backup, in a directory that is empty or not there: a new log follows the one of the backup
    Restore(RestoreArgs),
    /// Write down what helps to find a fault. Of devices, people and secrets nothing is in it, or there is no file
    Diagnose {
        /// The file, which is not there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// A witness on another machine: cosigns what has grown out of what it saw before; needs no station
    #[command(subcommand)]
    Witness(WitnessVerb),
    /// Known answers, disk and clock; custody too, where somebody signs in
    Selftest {
        /// Unlock, derive, lock, and wait for Enter after each step, so that a memory scanner can look
        #[arg(long)]
        inspect: bool,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockVerb {
    /// Two people accept the time that it shows, `--operator` and `--approver`, after it went back. Until then no device is begun
    Accept {
        /// Why it may be believed, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Slots by number, each once, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotList(pub(crate) Vec<u32>);

/// `1,2-4`: numbers and ranges.
fn slot_list(text: &str) -> Result<SlotList, &'static str> {
    let wrong = "numbers and ranges from 1 to 64 are possible, for example 1,2-4";
    let number = |text: &str| match text.parse() {
        Ok(number @ 1..=64) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
        _ => Err(wrong),
    };
    let mut slots = std::collections::BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (number(first)?, number(last)?);
        if first > last {
            return Err(wrong);
        }
        slots.extend(first..=last);
    }
    Ok(SlotList(slots.into_iter().collect()))
}

/// Where the secrets of the custodies come from; without an option each is asked for, if it is needed.
#[derive(Debug, Args)]
pub(crate) struct PassphraseFrom {
    /// Read the vault's passphrase from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Read the vault's passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<i32>,
    /// Read the PIN of the PKCS#11 token from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "token_pin_fd")]
    pub(crate) token_pin_file: Option<PathBuf>,
    /// Read the PIN of the PKCS#11 token from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) token_pin_fd: Option<i32>,
    /// Read the authorisation of the TPM's keys from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "tpm_auth_fd")]
    pub(crate) tpm_auth_file: Option<PathBuf>,
    /// Read the authorisation of the TPM's keys from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) tpm_auth_fd: Option<i32>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_list_of_slots_is_numbers_and_ranges() {
        assert_eq!(slot_list("1,2-4").unwrap().0, [1, 2, 3, 4]);
        assert_eq!(slot_list("64,3,2-3").unwrap().0, [2, 3, 64]);
        for text in ["", "0", "65", "1-", "-1", "4-2", "1,,2", "1 ", "+1", "a"] {
            assert!(slot_list(text).is_err(), "{text:?}");
        }
    }
}
