//! What the log says of work orders: the tables `work_order` and `scrap`.

use std::str::FromStr;

use keystation_core::identity::Identity;
use keystation_core::order::OrderId;
use keystation_core::record::{CloudState, OrderTerms, Seq};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{number, parsed};
use crate::anchor::hex;
use crate::group_key::field;
use crate::projection::{Mode, Outcome, Sighting};
use crate::record::{Record, RecordError, is_day};
use crate::retired::{How, Out};

/// A work order, as the records up to now say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkOrder {
    /// Which.
    pub id: OrderId,
    /// What it says; the quantity as it was raised last.
    pub terms: OrderTerms,
    /// Whether devices are made under it.
    pub state: OrderState,
    /// Devices, by registration ID, that were begun under it: so many places are taken.
    pub begun: u64,
    /// Of these, devices that proved their key under it.
    pub passed: u64,
    /// Devices that were put down as scrap.
    pub scrapped: u64,
    /// Who created it.
    pub by: String,
    /// The record of that.
    pub created: Seq,
    /// The last record that changed state or quantity.
    pub changed: Seq,
}

/// Whether devices are made under a work order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// Not now: it was not opened yet, or another one was opened since.
    Waiting,
    /// It is the one that is open.
    Open,
    /// Never again.
    Closed,
}

impl OrderState {
    /// The word in the table, in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A text is no state of a work order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the state of a work order")]
pub struct NotAnOrderState;

impl FromStr for OrderState {
    type Err = NotAnOrderState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Waiting, Self::Open, Self::Closed];
        all.into_iter().find(|state| state.as_str() == text).ok_or(NotAnOrderState)
    }
}

/// What a record does to one work order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderStep {
    pub(crate) order: OrderId,
    pub(crate) seq: Seq,
    pub(crate) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Created { terms: Box<OrderTerms>, by: String },
    Opened,
    Raised(u64),
    Scrapped(Scrap),
    Closed,
}

/// A device that was put down as scrap, as records have it: what is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scrap {
    pub(crate) rid: String,
    pub(crate) mac: String,
    pub(crate) sn: String,
}

impl Scrap {
    /// As the record of it has the device.
    pub(crate) fn new(rid: &str, identity: &Identity) -> Self {
        Self {
            rid: rid.to_owned(),
            mac: identity.mac.map_or(String::new(), |mac| mac.spelled("")),
            sn: identity.serial.as_ref().map_or(String::new(), ToString::to_string),
        }
    }
}

impl Scrap {
    /// Scrap of a work order is out like any other.
    pub(crate) fn out(&self, seq: Seq) -> Out {
        let Self { rid, mac, sn } = self.clone();
        let (new_rid, new_mac) = (String::new(), String::new());
        Out { seq, how: How::Scrap, rid, mac, sn, new_rid, new_mac, cloud: CloudState::Unlisted }
    }
}

impl OrderStep {
    /// `None`: the record is none of a work order.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let text = |key| record.text(key).map(std::borrow::Cow::into_owned).ok_or(RecordError::Field(key));
        let quantity = || {
            let quantity = record.integer("qty").and_then(|n| u64::try_from(n).ok());
            quantity.filter(|quantity| *quantity > 0).ok_or(RecordError::Field("qty"))
        };
        let day =
            |key| text(key).and_then(|day| if is_day(&day) { Ok(day) } else { Err(RecordError::Field(key)) });
        let change = match record.event() {
            "order.create" => Change::Created {
                terms: Box::new(OrderTerms {
                    digest: record
                        .text("sha256")
                        .and_then(|hex| digest(&hex))
                        .ok_or(RecordError::Field("sha256"))?,
                    quantity: quantity()?,
                    key: field(record, "gk")?,
                    check_value: field(record, "gkcv")?,
                    profile: text("profile")?,
                    from: day("from")?,
                    until: day("until")?,
                    signer: text("signer")?,
                }),
                by: record.operator().into_owned(),
            },
            "order.open" => Change::Opened,
            "order.quota" => Change::Raised(quantity()?),
            "order.scrap" => {
                let scrap = Scrap { rid: text("rid")?, mac: text("mac")?, sn: text("sn")? };
                if scrap.mac.is_empty() && scrap.sn.is_empty() {
                    return Err(RecordError::Field("sn"));
                }
                Change::Scrapped(scrap)
            }
            "order.close" => Change::Closed,
            _ => return Ok(None),
        };
        Ok(Some(Self { order: field(record, "job")?, seq: record.seq(), change }))
    }

    /// The order after the record, scrap apart. An ID is given once; what is closed stays so; nothing lowers a quantity.
    pub(crate) fn follow(&self, order: Option<&WorkOrder>) -> Option<WorkOrder> {
        let Some(order) = order else {
            let Change::Created { terms, by } = &self.change else { return None };
            return Some(WorkOrder {
                id: self.order.clone(),
                terms: (**terms).clone(),
                state: OrderState::Waiting,
                begun: 0,
                passed: 0,
                scrapped: 0,
                by: by.clone(),
                created: self.seq,
                changed: self.seq,
            });
        };
        let mut after = order.clone();
        if order.state == OrderState::Closed {
            return Some(after);
        }
        match &self.change {
            Change::Created { .. } | Change::Scrapped(_) => return Some(after),
            Change::Opened => after.state = OrderState::Open,
            Change::Closed => after.state = OrderState::Closed,
            Change::Raised(quantity) if *quantity > order.terms.quantity => after.terms.quantity = *quantity,
            Change::Raised(_) => return Some(after),
        }
        after.changed = self.seq;
        Some(after)
    }

    /// Changes the tables as [`follow`](Self::follow) says: of two that would be open the one before waits.
    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let before = WorkOrder::find(conn, &self.order)?;
        let Some(after) = self.follow(before.as_ref()) else { return Ok(()) };
        if after.state == OrderState::Closed && before.as_ref() == Some(&after) {
            return Ok(());
        }
        match &self.change {
            Change::Opened => {
                conn.prepare_cached(
                    "UPDATE work_order SET state = 'waiting', changed = ?2 WHERE state = 'open' AND job <> ?1",
                )?
                .execute((self.order.as_str(), self.seq.cast_signed()))?;
            }
            Change::Scrapped(scrap) => {
                let Scrap { rid, mac, sn } = scrap;
                let new = conn
                    .prepare_cached(
                        "INSERT OR IGNORE INTO scrap (job, rid, mac, sn, seq) VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute((self.order.as_str(), rid, mac, sn, self.seq.cast_signed()))?;
                if new > 0 {
                    scrap.out(self.seq).store(conn)?;
                }
                return WorkOrder { scrapped: after.scrapped + new as u64, ..after }.store(conn);
            }
            _ => {}
        }
        after.store(conn)
    }
}

pub(crate) const COLUMNS: &str = "job, sha256, qty, gk, gkcv, profile, since, until, signer, state, begun, passed, scrapped, op, \
                       created, changed";

impl WorkOrder {
    pub(crate) fn find(conn: &Connection, id: &OrderId) -> Result<Option<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM work_order WHERE job = ?1"))?
            .query_row([id.as_str()], Self::read)
            .optional()
    }

    /// The one that is open.
    pub(crate) fn open(conn: &Connection) -> Result<Option<Self>, rusqlite::Error> {
        let open = format!("SELECT {COLUMNS} FROM work_order WHERE state = 'open'");
        conn.prepare_cached(&open)?.query_row([], Self::read).optional()
    }

    /// All of them, by ID.
    pub(crate) fn all(conn: &Connection) -> Result<Vec<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM work_order ORDER BY job"))?
            .query_map([], Self::read)?
            .collect()
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let digest =
            digest(row.get_ref(1)?.as_str()?).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, 0))?;
        Ok(Self {
            id: parsed(row, 0)?,
            terms: OrderTerms {
                digest,
                quantity: number(row, 2)?,
                key: parsed(row, 3)?,
                check_value: parsed(row, 4)?,
                profile: row.get(5)?,
                from: row.get(6)?,
                until: row.get(7)?,
                signer: row.get(8)?,
            },
            state: parsed(row, 9)?,
            begun: number(row, 10)?,
            passed: number(row, 11)?,
            scrapped: number(row, 12)?,
            by: row.get(13)?,
            created: number(row, 14)?,
            changed: number(row, 15)?,
        })
    }

    /// Devices that the table of those that were seen has under it: begun, and of these passed. Takes as long as it has devices.
    pub(crate) fn made(&self, conn: &Connection) -> Result<(u64, u64), rusqlite::Error> {
        conn.prepare_cached(
            "SELECT count(DISTINCT rid), count(DISTINCT CASE WHEN EXISTS (
                 SELECT 1 FROM outcome WHERE outcome.intent = sighting.seq AND outcome.holds = 'new') THEN rid END)
             FROM sighting INDEXED BY sighting_job WHERE job = ?1 AND mode <> 'refused' AND seq > ?2",
        )?
        .query_row((self.id.as_str(), self.created.cast_signed()), |row| Ok((number(row, 0)?, number(row, 1)?)))
    }

    fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let Self { id, terms, state, begun, passed, scrapped, by, created, changed } = self;
        conn.prepare_cached(&format!(
            "INSERT OR REPLACE INTO work_order ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        ))?
        .execute((
            id.as_str(),
            hex(&terms.digest),
            terms.quantity.cast_signed(),
            terms.key.as_str(),
            terms.check_value.digits(),
            &terms.profile,
            &terms.from,
            &terms.until,
            &terms.signer,
            state.as_str(),
            begun.cast_signed(),
            passed.cast_signed(),
            scrapped.cast_signed(),
            by,
            created.cast_signed(),
            changed.cast_signed(),
        ))?;
        Ok(())
    }
}

/// An intent that is about to be added takes a place, unless its device has one.
pub(crate) fn count_begun(conn: &Connection, sighting: &Sighting<'_>) -> Result<(), rusqlite::Error> {
    if sighting.mode == Mode::Refused || sighting.job.is_empty() {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE work_order SET begun = begun + 1 WHERE job = ?1 AND state <> 'closed' AND NOT EXISTS (
             SELECT 1 FROM sighting INDEXED BY sighting_rid
             WHERE rid = ?2 AND job = ?1 AND mode <> 'refused' AND seq > work_order.created)",
    )?
    .execute((&sighting.job, &sighting.rid))?;
    Ok(())
}

/// An outcome that is about to be added makes its device one that passed, unless it is.
pub(crate) fn count_passed(conn: &Connection, outcome: &Outcome<'_>) -> Result<(), rusqlite::Error> {
    conn.prepare_cached(
        "UPDATE work_order SET passed = passed + 1
         WHERE job = (SELECT job FROM sighting WHERE seq = ?1 AND mode <> 'refused')
           AND state <> 'closed' AND created < ?1 AND NOT EXISTS (
             SELECT 1 FROM sighting INDEXED BY sighting_rid CROSS JOIN outcome ON outcome.intent = sighting.seq
             WHERE sighting.rid = (SELECT rid FROM sighting WHERE seq = ?1) AND sighting.job = work_order.job
               AND sighting.seq > work_order.created AND outcome.holds = 'new')",
    )?
    .execute([outcome.intent.cast_signed()])?;
    Ok(())
}

/// Whether a device of an order is scrap.
pub(crate) fn is_scrap(conn: &Connection, id: &OrderId, device: &Scrap) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT 1 FROM scrap WHERE job = ?1 AND
             (rid <> '' AND rid = ?2 OR mac <> '' AND mac = ?3 OR sn <> '' AND sn = ?4) LIMIT 1",
    )?
    .exists((id.as_str(), &device.rid, &device.mac, &device.sn))
}

/// Whether the device of a registration ID has a place under an order.
pub(crate) fn has_place(conn: &Connection, order: &WorkOrder, rid: &str) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT 1 FROM sighting INDEXED BY sighting_rid
         WHERE rid = ?1 AND job = ?2 AND mode <> 'refused' AND seq > ?3 LIMIT 1",
    )?
    .exists((rid, order.id.as_str(), order.created.cast_signed()))
}

/// 64 lower-case hexadecimal digits.
fn digest(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex.len() != 64 || !digits {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}
