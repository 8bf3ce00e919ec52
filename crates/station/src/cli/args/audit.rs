//! `keystation audit …`.

use std::path::PathBuf;

use clap::Subcommand;

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
    /// Sign QA's review of what nobody has looked through yet, as `--operator`
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
    /// Write the signed report on a work order, or on a shift: FILE, a PDF, and FILE.note, its signature. Recorded in the log
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Report {
        #[command(subcommand)]
        verb: Option<ReportVerb>,
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
    /// Begin a new log where the old one cannot be continued, by two administrators, `--operator` and `--approver`; the old one is put
    /// aside, nothing is deleted
    NewEpoch {
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
    /// What a shift made, from the log: by person and session, and by work order. Printed where no file is named
    Shift(ShiftArgs),
}

/// Which records are the shift, and where its report goes. Nothing named is the whole log.
#[derive(Debug, clap::Args)]
pub(crate) struct ShiftArgs {
    /// Only this session, as the records have it in `ses`
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Only this person. (`--operator` says who signs in for a signed report)
    #[arg(long = "of", value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) person: Option<String>,
    /// Only this day of UTC: `2026-11-22`
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "until"], value_parser = moment)]
    pub(crate) day: Option<i64>,
    /// Not before this moment: a day, which is its beginning in UTC, or `2026-11-22T06:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<i64>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<i64>,
    /// Write a table for a spreadsheet to this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the signed report, a PDF, to this file, and its signature to FILE.note; as `--operator`. Recorded in the log
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    pub(crate) pdf: Option<PathBuf>,
}

/// A moment, in milliseconds since 1970.
fn moment(text: &str) -> Result<i64, &'static str> {
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    // A day first: it would be no timestamp.
    let time = if text.contains('T') { text.parse().ok() } else { day() };
    time.map(jiff::Timestamp::as_millisecond)
        .ok_or("write a day as 2026-11-22, a moment as 2026-11-22T06:00:00Z")
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
