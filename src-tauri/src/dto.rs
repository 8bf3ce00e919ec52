//! What crosses the IPC boundary. No key, no passphrase: a group key has a label and a check value here, no more.
//!
//! The tests write each of these to `ui/src/bindings`.

mod after;
mod audit;
mod cards;
mod check;
mod keys;
mod orders;
mod people;
mod repair;
mod scan;
mod shift;

use keystation::log::Record;
use serde::Serialize;

pub(crate) use after::*;
pub(crate) use audit::*;
pub(crate) use cards::*;
pub(crate) use check::*;
pub(crate) use keys::*;
pub(crate) use orders::told::order_id;
pub(crate) use orders::*;
pub(crate) use people::*;
pub(crate) use repair::*;
pub(crate) use scan::*;
pub(crate) use shift::*;

use crate::problem::Problem;

/// What is always in sight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Overview {
    /// Name of the station's log.
    pub(crate) station: String,
    /// Operator ID: the user of the session.
    pub(crate) operator: String,
    /// The work order that is open.
    pub(crate) order: Option<OrderLine>,
    /// Name and revision of the product profile.
    pub(crate) profile: String,
    /// The group key of that profile.
    pub(crate) key: Option<KeyLine>,
    /// Whether the vault is locked.
    pub(crate) locked: bool,
    /// Records in the log.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) records: u64,
    /// Devices whose outcome is not known.
    pub(crate) open_intents: usize,
    /// The first few of them: registration IDs.
    pub(crate) unsettled: Vec<String>,
    /// Results since the station was started.
    pub(crate) counts: Counts,
    /// How far the log is secured outside of this machine.
    pub(crate) anchor: Anchor,
    /// What a person has to see of disk and clock.
    pub(crate) notices: Vec<Problem>,
    /// Where devices are plugged in.
    pub(crate) slots: Vec<SlotLine>,
    /// What each of them made, and how worn its contact is.
    pub(crate) health: Vec<SlotHealth>,
    /// What goes out after a PASS, for whoever looks after it: a supervisor, or QA. Nobody else is disturbed by it.
    pub(crate) after: Option<AfterLine>,
    /// The rooms that the person may enter; the first one is shown at first.
    pub(crate) rooms: Vec<Room>,
    /// Whether this window only looks.
    pub(crate) read_only: bool,
    /// Whether this is a training: devices that are none, and a log that counts for nothing. The page says so on every screen.
    pub(crate) training: bool,
    /// Who may sign in at a training: an example account, which exists in its log only.
    pub(crate) example: Option<ExampleAccount>,
    /// Whether it is time for QA's review.
    pub(crate) review_due: bool,
    /// What is wrong with the log at first sight, in a window that only looks: then the numbers here mean nothing.
    pub(crate) damage: Option<Problem>,
    /// Who is signed in.
    pub(crate) session: SessionLine,
}

/// Devices with an open intent that the strip has room to name.
const UNSETTLED: usize = 3;

impl From<keystation::Overview> for Overview {
    /// As far as the log tells it.
    fn from(seen: keystation::Overview) -> Self {
        Self {
            station: seen.origin,
            operator: seen.operator,
            order: None,
            profile: String::new(),
            key: None,
            locked: seen.locked,
            records: seen.records,
            open_intents: seen.open_intents.len(),
            unsettled: seen.open_intents.iter().take(UNSETTLED).map(|(id, _)| id.clone()).collect(),
            // To the person at the bench a device that was refused is one that got no PASS.
            counts: Counts { done: seen.counts.passed, failed: seen.counts.failed + seen.counts.refused },
            anchor: seen.anchoring.into(),
            notices: seen.notices.iter().map(Problem::from).collect(),
            slots: Vec::new(),
            health: Vec::new(),
            after: None,
            rooms: Vec::new(),
            read_only: true,
            training: seen.training,
            example: seen.training.then(ExampleAccount::of_training),
            review_due: seen.review_due,
            damage: None,
            session: SessionLine::nobody(),
        }
    }
}

/// How far the log is secured outside of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Anchor {
    /// What the rules say.
    pub(crate) state: AnchorState,
    /// The last record that a witness vouches for.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) record: Option<u64>,
    /// When, by the witness's clock, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) time: Option<u64>,
    /// Records that nobody vouches for.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) open: u64,
}

/// What the rules say of how far the log is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum AnchorState {
    /// The settings name no witness.
    None,
    /// Secured well enough.
    Fresh,
    /// It is time for the witness.
    Due,
    /// No new job is begun.
    Overdue,
}

impl From<keystation::Anchoring> for Anchor {
    fn from(anchoring: keystation::Anchoring) -> Self {
        let state = match anchoring.state {
            keystation::AnchorState::None => AnchorState::None,
            keystation::AnchorState::Fresh => AnchorState::Fresh,
            keystation::AnchorState::Due => AnchorState::Due,
            keystation::AnchorState::Overdue => AnchorState::Overdue,
        };
        let (record, time) = anchoring.secured.map(|(record, _, time)| (record, time * 1000)).unzip();
        Self { state, record, time, open: anchoring.open }
    }
}

/// A group key, as a person compares it with a paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct KeyLine {
    /// The station's name for it.
    pub(crate) label: String,
    /// Its check value; none while the vault is locked, or when the vault has no such key.
    pub(crate) check_value: Option<String>,
}

/// Results since the station was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Counts {
    /// PASS.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) done: u64,
    /// FAIL.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
}

/// A slot of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SlotLine {
    /// From 1.
    pub(crate) number: u32,
    /// Its serial port.
    pub(crate) port: String,
    /// Name and revision of its profile.
    pub(crate) profile: String,
    /// Whether the label of each device is scanned before it is plugged in.
    pub(crate) scans: bool,
}

/// What a slot made since the station was started, and what became of its contact in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SlotHealth {
    /// Its number.
    pub(crate) number: u32,
    /// Devices that came to a result.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) devices: u64,
    /// Those that passed.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) passed: u64,
    /// Free retries.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) retries: u64,
    /// Contacts that were lost before there was a result.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) lost: u64,
    /// How often something was plugged in, over all starts.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) cycles: u64,
}

impl From<keystation::line::SlotView> for SlotHealth {
    fn from(slot: keystation::line::SlotView) -> Self {
        let keystation::line::SlotView { number, health, contact, .. } = slot;
        Self {
            number,
            devices: health.devices,
            passed: health.passed,
            retries: health.retries,
            lost: health.lost_contacts,
            cycles: contact.cycles,
        }
    }
}

/// Whose PIN everybody may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ExampleAccount {
    /// User ID.
    pub(crate) user: String,
    /// The PIN.
    pub(crate) pin: String,
}

impl ExampleAccount {
    fn of_training() -> Self {
        Self { user: keystation::training::TRAINEE.to_owned(), pin: keystation::training::PIN.to_owned() }
    }
}

/// A record of the log, as far as an operator looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RecordLine {
    /// Its number.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// UTC, RFC 3339.
    pub(crate) time: String,
    /// The `ev` field.
    pub(crate) event: String,
    /// The `rc` field: `ok`, a class of failure, or empty.
    pub(crate) outcome: String,
    /// What the device holds, as far as the record knows: `new`, `old`, `unknown`, or empty.
    pub(crate) holds: String,
    /// Registration ID, or empty.
    pub(crate) id: String,
    /// Operator ID, or empty.
    pub(crate) operator: String,
}

impl From<Record<'_>> for RecordLine {
    fn from(record: Record<'_>) -> Self {
        Self {
            seq: record.seq(),
            time: record.time().to_owned(),
            event: record.event().to_owned(),
            outcome: record.rc().to_owned(),
            holds: record.text("holds").unwrap_or_default().into_owned(),
            id: record.text("rid").unwrap_or_default().into_owned(),
            operator: record.operator().into_owned(),
        }
    }
}

/// What came of asking for the passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum UnlockOutcome {
    /// The vault is open.
    Unlocked,
    /// The operator closed the dialog.
    Cancelled,
}
