//! The command line. Verbs and options are a contract with scripts and MES.
//!
//! Secrets come by prompt, file or file descriptor: never as an argument, never from the environment.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::key_args::KeyVerb;

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

    /// Operator ID for the records [default: `operator` of station.toml]
    #[arg(long, global = true, value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) operator: Option<String>,

    /// Read the operator's PIN from the first line of this file; without it the PIN is asked for, where one is needed
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "pin_fd")]
    pub(crate) pin_file: Option<PathBuf>,

    /// Read the operator's PIN from this file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub(crate) pin_fd: Option<i32>,

    /// Diagnostics on standard error, for example `keystation=debug`. They hold no key and no device data
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) trace: Option<String>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a station: settings, signing key, log with its first record
    Init {
        /// Name of the audit log, kept for good: keylog.<company-domain>/<plant>/<station>
        #[arg(long, value_name = "NAME")]
        origin: String,
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
        /// Work order
        #[arg(long, value_name = "ID", default_value = "", value_parser = work_order)]
        job: String,
        /// Wait for Enter when the device is done, and again when the vault is locked, so that a memory scanner can look
        #[arg(long)]
        inspect: bool,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
    /// Read a finished device, prove its key, hold it against its record, and the log against its anchor; writes nothing
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
    /// Names behind operator IDs: in a table that can be erased, never in the log
    #[command(subcommand)]
    Person(PersonVerb),
    /// The clock of the station
    #[command(subcommand)]
    Clock(ClockVerb),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditVerb),
    /// A witness on another machine: cosigns what has grown out of what it saw before; needs no station
    #[command(subcommand)]
    Witness(WitnessVerb),
    /// Known answers, custody, disk and clock
    Selftest {
        /// Unlock, derive, lock, and wait for Enter after each step, so that a memory scanner can look
        #[arg(long)]
        inspect: bool,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessVerb {
    /// Make a witness with a key of its own
    Init {
        /// Where it keeps its key and what it remembers
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// Whose it is, for example witness.example.com/qa
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Watch a station's log from now on
    AddLog {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The station's log.vkey
        #[arg(long, value_name = "FILE")]
        vkey: PathBuf,
    },
    /// Cosign the checkpoint of a request, or say why not
    Sign {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The request that the station made
        #[arg(long = "in", value_name = "REQUEST")]
        input: PathBuf,
        /// Where the cosigned checkpoint goes
        #[arg(long = "out", value_name = "RESPONSE")]
        output: PathBuf,
    },
    /// The logs that it watches, and how far it has seen them
    List {
        /// Directory of the witness
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonVerb {
    /// Give an operator ID a name. It is asked for: arguments can be seen by everybody at this machine
    Set {
        /// Operator ID
        #[arg(value_name = "ID", value_parser = keystation::config::plain_id)]
        id: String,
        /// Read the name from the first line of this file
        #[arg(long, value_name = "FILE")]
        name_file: Option<PathBuf>,
    },
    /// Operator IDs and their names
    List,
    /// Take the name of an operator ID away. Its records stay as they are: they hold the ID only
    Forget {
        /// Operator ID
        #[arg(value_name = "ID", value_parser = keystation::config::plain_id)]
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockVerb {
    /// Two people accept the time that it shows, after it went back. Until then no device is begun
    Accept {
        /// The second person's ID; the first one is `--operator`
        #[arg(long, value_name = "ID", value_parser = keystation::config::plain_id)]
        approver: String,
        /// Why it may be believed, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Print records, oldest first
    Show {
        /// Only the last N records
        #[arg(long, value_name = "N")]
        last: Option<u64>,
        /// Only records of this registration ID
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Find devices, newest first: by MAC, serial number, registration ID, work order, operator, key, outcome, period
    Search {
        /// `mac:` `sn:` `id:` `job:` `op:` `key:` `outcome:` `from:2026-11-01` `to:2026-11-30`, or one word alone
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Only what is older than this record, for the next page
        #[arg(long, value_name = "RECORD")]
        before: Option<u64>,
    },
    /// Everything that the log has of one device, oldest first: each record with who, when, under which key, how verified
    History {
        /// Registration ID
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Sign QA's review of what nobody has looked through yet; the reviewer is `--operator`
    Review {
        /// What the reviewer has to say
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        remark: String,
        /// The last record that was looked at, as `--status` tells it [default: the last one that there is]
        #[arg(long, value_name = "RECORD")]
        to: Option<u64>,
        /// Sign nothing: say when the last review was, and whether one is due
        #[arg(long, conflicts_with_all = ["remark", "to"])]
        status: bool,
    },
    /// Yield, causes of failure and cycle times
    Figures {
        /// First day, UTC
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Last day, UTC
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Of one work order
        #[arg(long, value_name = "ID")]
        job: Option<String>,
    },
    /// Write a list of devices for a spreadsheet or an MES, newest first: one row for each attempt
    List {
        /// `mac:` `sn:` `id:` `job:` `op:` `key:` `outcome:` `from:2026-11-01` `to:2026-11-30`; nothing for all
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        /// How it is written
        #[arg(long, value_enum, default_value_t = ListFormat::Csv)]
        format: ListFormat,
        /// The file to write. It must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Have a witness outside of this machine vouch for the log
    #[command(subcommand)]
    Anchor(AnchorVerb),
    /// Two signed checkpoints of one log: did the one grow out of the other, or are there two logs? Exit 1 with the proof
    Compare {
        /// A signed checkpoint
        #[arg(value_name = "A")]
        a: PathBuf,
        /// Another one
        #[arg(value_name = "B")]
        b: PathBuf,
        /// The key that signed both [default: the station's own]
        #[arg(long, value_name = "FILE")]
        vkey: Option<PathBuf>,
    },
    /// Write the job sheet of a work order, one page of PDF: counts, group key, and the log's checkpoint as a QR code
    Sheet {
        /// Work order
        #[arg(long, value_name = "ID")]
        job: String,
        /// The file to write. It must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the signed report on a work order: FILE, a PDF, and FILE.note, its signature. Recorded in the log
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Report {
        #[command(subcommand)]
        verify: Option<ReportVerb>,
        /// Work order
        #[arg(long, value_name = "ID", required = true)]
        job: Option<String>,
        /// The file to write. It must not be there yet
        #[arg(long, value_name = "FILE", required = true)]
        out: Option<PathBuf>,
    },
    /// Write a bundle for verifiers that need not trust this station: the whole log, or a part of it. Recorded in the log
    Export {
        /// The directory to make. It must not be there yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Only this work order
        #[arg(long, value_name = "ID", conflicts_with_all = ["id", "from", "to"])]
        job: Option<String>,
        /// Only this registration ID
        #[arg(long, value_name = "RID", conflicts_with_all = ["from", "to"])]
        id: Option<String>,
        /// From this day on, UTC
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Up to this day, UTC
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Write nothing into the log, not even that this was exported: works beside a station that runs
        #[arg(long)]
        read_only: bool,
    },
    /// Write the proof file of one device: that its records are in the log. Verifies alone
    Proof {
        /// Registration ID
        #[arg(long, value_name = "RID")]
        id: String,
        /// The file to write. It must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Begin a new log where the old one cannot be continued; the old one is put aside, nothing is deleted
    NewEpoch {
        /// The second person's ID
        #[arg(long, value_name = "ID", value_parser = keystation::config::plain_id)]
        approver: String,
        /// Why, for the first record of the new log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make the tables that are derived from the records anew; the records stay as they are
    Rebuild,
    /// Verify every record, the tree, the signature and the head outside of the database
    Verify,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportVerb {
    /// Check a report against the note beside it; needs no station
    Verify {
        /// The report; its note is FILE.note
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The verifier key of the station's log, which you got from the station before (log.vkey)
        #[arg(long, value_name = "FILE")]
        vkey: PathBuf,
    },
}

/// The two forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ListFormat {
    /// Comma-separated, for a spreadsheet
    Csv,
    /// One JSON object on each line
    Jsonl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnchorVerb {
    /// Write a request for a witness, to be carried there on a stick
    Request {
        /// Where the request goes
        #[arg(long = "out", value_name = "FILE")]
        output: PathBuf,
        /// Name of the witness, where station.toml names more than one
        #[arg(long, value_name = "NAME")]
        witness: Option<String>,
        /// Begin at so many records, where the witness says so [default: what it cosigned last]
        #[arg(long, value_name = "N")]
        old: Option<u64>,
    },
    /// Take the checkpoint that the witness cosigned into the log
    Accept {
        /// The witness's response
        #[arg(long = "in", value_name = "FILE")]
        input: PathBuf,
    },
    /// How far the log is secured, and what the rules make of that
    Status,
}

/// A work order's number, as ERP systems write it: at most 64 characters of `A-Z a-z 0-9 - _ . /`.
fn work_order(text: &str) -> Result<String, &'static str> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    if plain && text.len() <= 64 {
        Ok(text.to_owned())
    } else {
        Err("at most 64 characters of A-Z, a-z, 0-9, -, _, . and / are allowed")
    }
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
