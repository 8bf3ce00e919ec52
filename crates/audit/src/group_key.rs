//! What the log says of group keys: the table `group_key`, and which devices hang on a key.

use std::str::FromStr;

use keystation_core::key::{CheckValue, GroupKeyInfo, KeyLabel};
use keystation_core::record::{Carried, Seq};
use keystation_core::registration::{IdRule, RegistrationId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{natural, number, parsed};
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::standing;

/// What a group key is, where it is, and what may be done with it: all that an injection asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// What the key is, as it was imported.
    pub info: GroupKeyInfo,
    /// The custody that has it, as records spell it.
    pub custody: String,
    /// What may be done with it.
    pub state: KeyState,
}

/// A group key, as the records up to now say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStanding {
    /// Everything but the key.
    pub info: GroupKeyInfo,
    /// Where it is: `sealed-file`, `pkcs11` or `tpm`.
    pub custody: String,
    /// How it came: `single`, `ceremony` or `transfer`; empty if an older program took it.
    pub how: String,
    /// What may be done with it.
    pub state: KeyState,
    /// Who imported it.
    pub by: String,
    /// The second person, or empty.
    pub approver: String,
    /// The record of the import.
    pub imported: Seq,
    /// The last record that changed its state.
    pub changed: Seq,
    /// Registration IDs whose latest set that was proved hangs on it.
    pub devices: u64,
}

/// What may be done with a group key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Nothing yet.
    Imported,
    /// Devices may be keyed under it.
    Active,
    /// Nothing for now.
    Suspended,
    /// It is gone for good.
    Destroyed,
}

impl KeyState {
    /// The word in the table, in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A text is no state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the state of a group key")]
pub struct NotAKeyState;

impl FromStr for KeyState {
    type Err = NotAKeyState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Imported, Self::Active, Self::Suspended, Self::Destroyed];
        all.into_iter().find(|state| state.as_str() == text).ok_or(NotAKeyState)
    }
}

/// A row of `group_key`: a [`KeyStanding`] but for its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRow {
    info: GroupKeyInfo,
    custody: String,
    how: String,
    state: KeyState,
    by: String,
    approver: String,
    imported: Seq,
    changed: Seq,
}

/// What a record does to one group key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyStep {
    Imported(Box<KeyRow>),
    Changed { label: KeyLabel, check_value: CheckValue, state: KeyState, seq: Seq },
}

/// The field `key` of a record, as one of the texts that it can be.
pub(crate) fn field<T: FromStr>(record: &Record<'_>, key: &'static str) -> Result<T, RecordError> {
    record.text(key).and_then(|text| text.parse().ok()).ok_or(RecordError::Field(key))
}

/// The field `key` of a record, a number from 0 to 255.
pub(crate) fn small(record: &Record<'_>, key: &'static str) -> Result<u8, RecordError> {
    record.integer(key).and_then(|n| u8::try_from(n).ok()).ok_or(RecordError::Field(key))
}

impl KeyStep {
    /// `None`: the record changes no group key.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let state = match record.event() {
            "gk.import" | "carry.key" => {
                return KeyRow::of(record).map(|row| Some(Self::Imported(Box::new(row))));
            }
            "gk.activate" => KeyState::Active,
            "gk.suspend" => KeyState::Suspended,
            "gk.destroy" => KeyState::Destroyed,
            _ => return Ok(None),
        };
        let (label, check_value) = (field(record, "gk")?, field(record, "gkcv")?);
        Ok(Some(Self::Changed { label, check_value, state, seq: record.seq() }))
    }

    /// Which key.
    pub(crate) fn label(&self) -> &KeyLabel {
        match self {
            Self::Imported(row) => &row.info.label,
            Self::Changed { label, .. } => label,
        }
    }

    /// The key after the record. A label is that of the key that was imported under it last; to change another one, or one
    /// that is gone, changes nothing.
    pub(crate) fn follow(&self, key: Option<&KeyRow>) -> Option<KeyRow> {
        match self {
            Self::Imported(row) => Some((**row).clone()),
            Self::Changed { check_value, state, seq, .. } => {
                let before = key?.clone();
                let there = before.is_there(*check_value);
                Some(if there { KeyRow { state: *state, changed: *seq, ..before } } else { before })
            }
        }
    }

    /// Changes the table as [`follow`](Self::follow) says.
    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let before = KeyRow::find(conn, self.label())?;
        match self.follow(before.as_ref()) {
            Some(after) if before.as_ref() != Some(&after) => after.store(conn),
            _ => Ok(()),
        }
    }
}

const KEY: &str = "gk, gkcv, grp, scope, slot, bytes, custody, how, state, op, op2, imported, changed";

impl KeyRow {
    fn of(record: &Record<'_>) -> Result<Self, RecordError> {
        let how = record.text("how");
        let (state, by, approver) = if record.event() == "carry.key" {
            natural::<Seq>(record, "was")?;
            let text = |key| record.text(key).ok_or(RecordError::Field(key));
            (field(record, "state")?, text("by")?, text("by2")?)
        } else {
            // Older programs used a key as soon as they had it, and did not say how it came.
            let state = if how.is_some() { KeyState::Imported } else { KeyState::Active };
            (state, record.operator(), record.approver())
        };
        Ok(Self {
            info: GroupKeyInfo {
                label: field(record, "gk")?,
                group: field(record, "group")?,
                scope: field(record, "scope")?,
                slot: field(record, "slot")?,
                check_value: field(record, "gkcv")?,
                length: small(record, "bytes")?,
            },
            custody: record.text("custody").ok_or(RecordError::Field("custody"))?.into_owned(),
            state,
            how: how.unwrap_or_default().into_owned(),
            by: by.into_owned(),
            approver: approver.into_owned(),
            imported: record.seq(),
            changed: record.seq(),
        })
    }

    /// What the next epoch takes over of it.
    pub(crate) fn carry(&self) -> Carried {
        let Self { info, custody, how, state, by, approver, imported: _, changed } = self.clone();
        Carried::Key { key: info, custody, how, state: state.as_str(), by, approver, was: changed }
    }

    /// Whether it is the key of this check value, and was not destroyed.
    pub(crate) fn is_there(&self, check_value: CheckValue) -> bool {
        self.info.check_value == check_value && self.state != KeyState::Destroyed
    }

    pub(crate) fn find(conn: &Connection, label: &KeyLabel) -> Result<Option<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {KEY} FROM group_key WHERE gk = ?1"))?
            .query_row([label.as_str()], Self::read)
            .optional()
    }

    /// All of them, by label.
    pub(crate) fn all(conn: &Connection) -> Result<Vec<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {KEY} FROM group_key ORDER BY gk"))?
            .query_map([], Self::read)?
            .collect()
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            info: GroupKeyInfo {
                label: parsed(row, 0)?,
                check_value: parsed(row, 1)?,
                group: parsed(row, 2)?,
                scope: parsed(row, 3)?,
                slot: parsed(row, 4)?,
                length: row.get(5)?,
            },
            custody: row.get(6)?,
            how: row.get(7)?,
            state: parsed(row, 8)?,
            by: row.get(9)?,
            approver: row.get(10)?,
            imported: number(row, 11)?,
            changed: number(row, 12)?,
        })
    }

    fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let Self { info, custody, how, state, by, approver, imported, changed } = self;
        conn.prepare_cached(&format!(
            "INSERT OR REPLACE INTO group_key ({KEY})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        ))?
        .execute((
            info.label.as_str(),
            info.check_value.digits(),
            info.group.as_str(),
            info.scope.as_str(),
            info.slot.as_str(),
            info.length,
            custody,
            how,
            state.as_str(),
            by,
            approver,
            imported.cast_signed(),
            changed.cast_signed(),
        ))?;
        Ok(())
    }

    fn standing(self, conn: &Connection) -> Result<KeyStanding, rusqlite::Error> {
        let Self { info, custody, how, state, by, approver, imported, changed } = self;
        let devices: i64 = conn
            .prepare_cached("SELECT count(*) FROM sighting WHERE gk = ?1 AND live = 1")?
            .query_row([info.label.as_str()], |row| row.get(0))?;
        let devices = devices.cast_unsigned();
        Ok(KeyStanding { info, custody, how, state, by, approver, imported, changed, devices })
    }
}

impl From<KeyRow> for KnownKey {
    fn from(KeyRow { info, custody, state, .. }: KeyRow) -> Self {
        Self { info, custody, state }
    }
}

impl Reader {
    /// Every group key that was ever imported, by label.
    pub fn group_keys(&self) -> Result<Vec<KeyStanding>, ReadError> {
        let rows = KeyRow::all(&self.conn)?;
        Ok(rows.into_iter().map(|row| row.standing(&self.conn)).collect::<Result<_, _>>()?)
    }

    /// The group key that was imported under `label` last.
    pub fn group_key(&self, label: &KeyLabel) -> Result<Option<KeyStanding>, ReadError> {
        let row = KeyRow::find(&self.conn, label)?;
        Ok(row.map(|row| row.standing(&self.conn)).transpose()?)
    }

    /// Whom others seal a group key to, `age1…`: the station's key for transfers, if it ever made one.
    pub fn recipient(&self) -> Result<Option<String>, ReadError> {
        let last = "SELECT last FROM tally WHERE ev = 'gk.recipient' AND rc = ''";
        let last = self.conn.prepare_cached(last)?.query_row([], |row| number(row, 0)).optional()?;
        let Some(last) = last else { return Ok(None) };
        let field = |record: &Record<'_>| {
            let recipient = record.text("recipient").ok_or(RecordError::Field("recipient"))?;
            Ok(recipient.into_owned())
        };
        standing::with_record(&self.conn, last, field).map(Some)
    }

    /// Every group key that was ever imported, by label; counts no devices.
    pub fn known_keys(&self) -> Result<Vec<KnownKey>, ReadError> {
        Ok(KeyRow::all(&self.conn)?.into_iter().map(KnownKey::from).collect())
    }

    /// The group key that was imported under `label` last; counts no devices.
    pub fn known_key(&self, label: &KeyLabel) -> Result<Option<KnownKey>, ReadError> {
        Ok(KeyRow::find(&self.conn, label)?.map(KnownKey::from))
    }

    /// Which devices die if a group key goes: at most `limit` of those whose latest proved set hangs on `label`, each with
    /// the intent that wrote it, in the order of these, from the one after the record `after` on.
    pub fn devices_under(
        &self,
        label: &KeyLabel,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<(RegistrationId, Seq)>, ReadError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT rid, seq FROM sighting WHERE gk = ?1 AND live = 1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?;
        let after = after.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let device = |row: &Row<'_>| Ok((registration_id(row)?, number(row, 1)?));
        let devices =
            statement.query_map((label.as_str(), after, limit), device)?.collect::<Result<_, _>>()?;
        Ok(devices)
    }
}

fn registration_id(row: &Row<'_>) -> Result<RegistrationId, rusqlite::Error> {
    // The wider rule: which one a product had was asked when its device was keyed.
    RegistrationId::new(row.get_ref(0)?.as_str()?, IdRule::Punctuation)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))
}
