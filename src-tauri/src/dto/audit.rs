//! What QA sees of the log. Times are milliseconds since 1970, UTC; numbers of records fit a JavaScript number.

mod told;

use serde::Serialize;

/// A room that this window has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Room {
    /// The slots.
    Line,
    /// Work orders.
    Orders,
    /// Devices that come back.
    Repair,
    /// The log.
    Audit,
    /// Group keys.
    Keys,
    /// Accounts.
    People,
}

/// Some of what was found, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SearchPage {
    /// The rows.
    pub(crate) rows: Vec<AttemptLine>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

/// A device that was on a port: an intent with what came of it, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct AttemptLine {
    /// The record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// Registration ID; this and the next two are empty where the device could not say.
    pub(crate) id: String,
    /// MAC address, twelve hexadecimal digits.
    pub(crate) mac: String,
    /// Serial number.
    pub(crate) serial: String,
    /// Work order, or empty.
    pub(crate) job: String,
    /// Operator ID.
    pub(crate) operator: String,
    /// Label of the group key; empty for a refusal.
    pub(crate) key: String,
    /// Port with its USB path.
    pub(crate) port: String,
    /// `new`, `rekey` or `refused`.
    pub(crate) mode: String,
    /// `ok`, `open`, `refused`, or the class of a failure such as `timeout`.
    pub(crate) outcome: String,
    /// The failure or refusal, or empty.
    pub(crate) code: String,
    /// What that means, or empty.
    pub(crate) sentence: String,
    /// What the device holds: `new`, `old`, `unknown`, `untouched`; `open` while nobody has seen it.
    pub(crate) holds: String,
    /// How that was verified: `challenge`, or `none`.
    pub(crate) verified: String,
    /// Milliseconds from the intent to its outcome; none where it was found out later.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) cycle_ms: Option<u64>,
    /// The record of the outcome.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) outcome_record: Option<u64>,
}

/// What a device holds, as far as the log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Standing {
    /// It proved a key, and nothing was begun since that is not settled.
    Keyed,
    /// What came of the last write is not known: do not ship it.
    Open,
    /// Every write failed.
    NotKeyed,
    /// It was seen, and never written to.
    Refused,
}

/// A device's whole life, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct DeviceLife {
    /// Registration ID.
    pub(crate) id: String,
    /// MAC address, twelve hexadecimal digits, or empty: what the device said last.
    pub(crate) mac: String,
    /// Serial number, or empty.
    pub(crate) serial: String,
    /// What it holds.
    pub(crate) standing: Standing,
    /// Label of the group key under which it proved its key last; this and the next two are empty where it never did.
    pub(crate) key: String,
    /// Check value of that group key.
    pub(crate) check_value: String,
    /// Fingerprint of the device key that it proved.
    pub(crate) fingerprint: String,
    /// The record of that proof.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) keyed_record: Option<u64>,
    /// The last record of the log that a witness vouches for.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) secured_to: Option<u64>,
    /// Its records, oldest first.
    pub(crate) events: Vec<LifeEvent>,
}

/// One record of a device. A text that such a record does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct LifeEvent {
    /// The record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// The `ev` field, for example `inject.intent`.
    pub(crate) event: String,
    /// The `rc` field.
    pub(crate) outcome: String,
    /// The failure or refusal.
    pub(crate) code: String,
    /// What that means.
    pub(crate) sentence: String,
    /// Operator ID.
    pub(crate) operator: String,
    /// The second person's ID.
    pub(crate) approver: String,
    /// In which role.
    pub(crate) role: String,
    /// Label of the group key; of an outcome, that of its intent.
    pub(crate) key: String,
    /// Its check value.
    pub(crate) check_value: String,
    /// Work order.
    pub(crate) job: String,
    /// Port with its USB path.
    pub(crate) port: String,
    /// Firmware version, as the device said it.
    pub(crate) firmware: String,
    /// `new` or `rekey`.
    pub(crate) mode: String,
    /// Why it was re-keyed.
    pub(crate) reason: String,
    /// What the device held then: `new`, `old`, `unknown`; `untouched` after a refusal.
    pub(crate) holds: String,
    /// How that was verified: `challenge`, or `none`.
    pub(crate) verified: String,
    /// The intent of an outcome; the record that an intent follows.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) refers_to: Option<u64>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Saved {
    /// Where it is.
    pub(crate) path: String,
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct VerifyProgress {
    /// Records that were checked.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) done: u64,
    /// Records that there were when it began.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) of: u64,
}

/// What came of verifying the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum VerifyVerdict {
    /// Complete and unaltered.
    Intact {
        /// Records in the log.
        #[cfg_attr(test, ts(type = "number"))]
        records: u64,
        /// Their root: the first ten characters in Base32, in two groups.
        root: String,
        /// Records that the head outside of the database covers.
        #[cfg_attr(test, ts(type = "number"))]
        head: u64,
        /// What a witness outside of this machine vouches for.
        secured: Option<Secured>,
    },
    /// Not as it was written.
    Damaged {
        /// What is wrong, in the order of the records.
        findings: Vec<FindingLine>,
        /// How many more there are.
        #[cfg_attr(test, ts(type = "number"))]
        more: u64,
    },
    /// Broken off.
    Cancelled {
        /// Records that were checked.
        #[cfg_attr(test, ts(type = "number"))]
        done: u64,
    },
}

/// What a witness vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Secured {
    /// Its name.
    pub(crate) witness: String,
    /// The last record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
    /// When, by the witness's clock.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: u64,
}

/// One thing that is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct FindingLine {
    /// What.
    pub(crate) sentence: String,
    /// The first record that it concerns, where that can be told.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) record: Option<u64>,
    /// What to do now: one to three steps.
    pub(crate) remedy: Vec<String>,
}

/// What came of the devices of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Figures {
    /// By day of UTC (`2026-11-22`), oldest first.
    pub(crate) days: Vec<TallyLine>,
    /// By work order; the empty name stands for none.
    pub(crate) jobs: Vec<TallyLine>,
    /// By port.
    pub(crate) slots: Vec<SlotTally>,
    /// Why devices failed or were refused, most frequent first.
    pub(crate) causes: Vec<Cause>,
}

/// Attempts that belong together, by what came of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct TallyLine {
    /// What they have in common.
    pub(crate) name: String,
    /// The device proved that it holds its key.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) passed: u64,
    /// It did not.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
    /// It was seen and not written to.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) refused: u64,
    /// Nobody has seen the outcome yet.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) open: u64,
}

/// Attempts on one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SlotTally {
    /// Their number; the name is the port with its USB path.
    pub(crate) tally: TallyLine,
    /// The median time from intent to PASS; none without a PASS.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) median_ms: Option<u64>,
}

/// Why devices failed or were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Cause {
    /// Stable name.
    pub(crate) code: String,
    /// What that means; empty where this program does not know the code.
    pub(crate) sentence: String,
    /// How often.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) count: u64,
}

/// Some of those who asked for what is not permitted, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct DenialPage {
    /// The rows; perhaps none, although there are older ones.
    pub(crate) rows: Vec<DenialLine>,
    /// Where older ones begin, if there is anything older.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) next: Option<u64>,
}

/// Somebody asked for what is not permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct DenialLine {
    /// The record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// Operator ID; empty where nobody was signed in.
    pub(crate) operator: String,
    /// The roles that the person had then, or empty.
    pub(crate) role: String,
    /// The word of the action.
    pub(crate) action: String,
    /// What that is; empty where this program does not know the action.
    pub(crate) meaning: String,
    /// What it was about, or empty.
    pub(crate) what: String,
    /// Why not: a word such as `role`.
    pub(crate) why: String,
}

/// How far QA has reviewed the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Review {
    /// The last review.
    pub(crate) last: Option<ReviewLine>,
    /// Whether it is time for one.
    pub(crate) due: bool,
    /// The first record that a review signed now would cover.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) from: u64,
    /// The last one.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) to: u64,
    /// The attempts among these records.
    pub(crate) attempts: TallyLine,
    /// How often somebody asked, in these records, for what is not permitted.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) denials: u64,
}

/// A review that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ReviewLine {
    /// Its record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// Who reviewed, an operator ID.
    pub(crate) reviewer: String,
    /// The first record that was reviewed.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) from: u64,
    /// The last one.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) to: u64,
    /// What the reviewer had to say.
    pub(crate) remark: String,
}
