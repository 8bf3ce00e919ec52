//! What came of the devices of a batch, counted from its records and from nothing else.

use std::collections::{BTreeMap, HashMap};

use keystation_audit::{Attempt, Checkpoint, Field, Query, Reader, Record};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::record::{BatchCounts, Seq};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::Effect;

use super::batch::{Batch, list_of};
use super::list::{BatchList, Entry};
use super::standing::{Campaign, Standing, counted};
use crate::data_dir::DataDir;
use crate::error::StationError;

/// The reconciliation of a batch at one moment of the log.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    /// Which.
    pub batch: Batch,
    /// The log that it was made from.
    pub checkpoint: Checkpoint,
    /// The same as the signed note.
    pub note: String,
    /// The sums: `asked` = `done` + `failed` + `missing`.
    pub counts: BatchCounts,
    /// One for each device: those that were asked for first, then the unexpected ones.
    pub rows: Vec<Row>,
    /// Devices that were done, by day (UTC), oldest first.
    pub days: BTreeMap<String, u64>,
    /// Devices that were done, by what that did to their key.
    pub effects: BTreeMap<&'static str, u64>,
    /// Devices that were done, and settled after the end of the batch: at its end they had failed.
    pub settled_since: u64,
    /// Where those that were asked for stand now.
    pub standing: BTreeMap<Standing, u64>,
    /// Of those that failed or are missing, so many are out: nobody waits for them.
    pub out: u64,
    /// Of a campaign, how far it is.
    pub campaign: Option<Campaign>,
}

impl Reconciliation {
    /// Whether every device is done that is not out.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.counts.done + self.out >= self.counts.asked
    }
}

/// A device of a reconciliation. What is not known of it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What came of it.
    pub state: State,
    /// Registration ID.
    pub id: String,
    /// MAC address, twelve hexadecimal digits.
    pub mac: String,
    /// Serial number.
    pub serial: String,
    /// Attempts on it in the batch.
    pub attempts: u64,
    /// The record that says what came of it; of a device that failed the last one.
    pub record: Option<Seq>,
    /// When that attempt was begun, UTC, milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// Who made it.
    pub operator: String,
    /// Why it failed.
    pub code: String,
    /// What the re-key did to its key.
    pub effect: Option<Effect>,
    /// Whether a write was begun on it: it has a place in the batch.
    pub begun: bool,
    /// Where it stands now; none of a device that the log does not know.
    pub standing: Option<Standing>,
}

/// What came of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It proved its key.
    Done,
    /// It was seen, and did not.
    Failed,
    /// It was never seen.
    #[default]
    Missing,
    /// It was seen, and is none of the batch.
    Unexpected,
}

impl Row {
    /// Whether the device is out by now.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.standing.is_some_and(Standing::is_out)
    }

    /// Whether what this row asks for is not done, and the device is out. Without a list only a device that was begun has a place of
    /// which that can be said.
    pub(super) fn is_given_up(&self, has_list: bool) -> bool {
        let place = has_list || self.begun && self.state != State::Unexpected;
        place && self.state != State::Done && self.is_out()
    }

    /// Takes an attempt; the newest one comes first.
    fn take(&mut self, attempt: &Attempt, record: &Record<'_>) {
        let refused = attempt.mode == "refused";
        // Who it is says the newest intent; a refusal, which may be of another board with its registration ID, while there is none.
        if self.attempts == 0 || !refused && !self.begun {
            self.id.clone_from(&attempt.rid);
            self.mac.clone_from(&attempt.mac);
            self.serial.clone_from(&attempt.serial);
        }
        self.attempts += 1;
        self.begun |= !refused;
        let done = attempt.outcome.as_ref().filter(|outcome| outcome.holds == "new");
        if let Some(outcome) = done {
            let effect = record.text("effect").and_then(|word| Effect::named(&word));
            self.state = State::Done;
            self.record = Some(outcome.seq);
            (self.effect, self.code) = (effect, String::new());
        } else if self.state == State::Missing {
            self.state = State::Failed;
            self.record = Some(attempt.outcome.as_ref().map_or(attempt.seq, |outcome| outcome.seq));
            self.code =
                attempt.outcome.as_ref().map_or_else(|| attempt.code.clone(), |outcome| outcome.code.clone());
            if self.code.is_empty() {
                // Nobody saw what came of it.
                "open".clone_into(&mut self.code);
            }
        } else {
            return;
        }
        self.time_ms = Some(attempt.time_ms);
        self.operator.clone_from(&attempt.operator);
    }
}

impl State {
    /// The word in the CSV and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
        }
    }
}

/// Reconciles a batch from the records of one moment. Needs memory for each of its devices.
pub fn reconcile(reader: &Reader, data: &DataDir, batch: &Batch) -> Result<Reconciliation, StationError> {
    let list = list_of(data, batch)?;
    let moment = reader.snapshot()?;
    let mut seen: HashMap<String, Row> = HashMap::new();
    let query = Query { terms: vec![(Field::Job, batch.id.to_string())], ..Query::default() };
    reader.attempts::<StationError>(&query, |attempt, record| {
        let who = if attempt.rid.is_empty() {
            // Without an ID, and without a name it is no device that could be counted.
            format!("{} {}", attempt.mac, attempt.serial)
        } else {
            attempt.rid.clone()
        };
        if who != " " {
            seen.entry(who).or_default().take(attempt, record);
        }
        Ok(())
    })?;
    let mut seen: Vec<Row> = seen.into_values().collect();
    // Of two boards that could be one entry the one that was done is meant, then the older one.
    seen.sort_by_key(|row| (row.state != State::Done, !row.begun, row.record));
    let (mut rows, strangers) = match &list {
        Some(list) => of_list(list, seen),
        None => of_count(batch.devices, seen),
    };
    for (place, row) in rows.iter_mut().enumerate() {
        row.standing = match &list {
            // Whoever was only refused may be the board before: what stands is what the list asks for.
            Some(list) if !row.begun => Standing::of(reader, batch, &unseen(&list.entries()[place]))?,
            _ => Standing::of(reader, batch, row)?,
        };
    }
    let out = rows.iter().filter(|row| row.is_given_up(list.is_some())).count() as u64;
    let standing = counted(&rows);
    let mut counts = BatchCounts { asked: rows.len() as u64, ..BatchCounts::default() };
    let (mut days, mut effects) = (BTreeMap::new(), BTreeMap::new());
    let (end, mut settled_since) = (batch.closed.map(|ended| ended.record), 0);
    for row in &rows {
        *match row.state {
            State::Done => &mut counts.done,
            State::Failed => &mut counts.failed,
            State::Missing | State::Unexpected => &mut counts.missing,
        } += 1;
        if row.state == State::Done {
            settled_since += u64::from(end.is_some_and(|end| row.record > Some(end)));
            let day = row.time_ms.map_or_else(String::new, day);
            *days.entry(day).or_default() += 1;
            let effect = row.effect.unwrap_or_default().as_str();
            *effects.entry(effect).or_default() += 1;
        }
    }
    counts.unexpected = strangers.len() as u64;
    rows.extend(strangers);
    Ok(Reconciliation {
        batch: batch.clone(),
        checkpoint: moment.checkpoint().clone(),
        note: moment.note().to_owned(),
        counts,
        rows,
        days,
        effects,
        settled_since,
        standing,
        out,
        campaign: Campaign::of(reader, batch)?,
    })
}

/// The day of a moment, UTC: `2026-11-22`.
fn day(ms: i64) -> String {
    crate::report::moment(ms).chars().take(10).collect()
}

fn of_list(list: &BatchList, seen: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let mut rows: Vec<Row> = list.entries().iter().map(unseen).collect();
    let mut strangers = Vec::new();
    for row in seen {
        let id = RegistrationId::new(&row.id, IdRule::Punctuation).ok();
        let identity = Identity { mac: row.mac.parse().ok(), serial: row.serial.parse().ok() };
        match id.and_then(|id| list.find(&id, &identity)) {
            Some(entry) if rows[entry].state == State::Missing => rows[entry] = row,
            _ => strangers.push(Row { state: State::Unexpected, ..row }),
        }
    }
    strangers.sort_by_key(|row| row.record);
    (rows, strangers)
}

/// A batch without a list is for so many devices, whichever they are.
fn of_count(devices: u64, seen: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let (mut rows, mut strangers) = (Vec::new(), Vec::new());
    for row in seen {
        let meant = row.begun || row.code != Code::BatchFull.as_str();
        if meant && (rows.len() as u64) < devices {
            rows.push(row);
        } else {
            strangers.push(Row { state: State::Unexpected, ..row });
        }
    }
    rows.sort_by_key(|row| row.record);
    strangers.sort_by_key(|row| row.record);
    while (rows.len() as u64) < devices {
        rows.push(Row::default());
    }
    (rows, strangers)
}

fn unseen(entry: &Entry) -> Row {
    let Identity { mac, serial } = &entry.identity;
    Row {
        id: entry.id.as_ref().map_or_else(String::new, ToString::to_string),
        mac: mac.map_or_else(String::new, |mac| mac.spelled("")),
        serial: serial.as_ref().map_or_else(String::new, ToString::to_string),
        ..Row::default()
    }
}
