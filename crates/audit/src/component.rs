//! Who gave which component of a group key: the table `component`. Nobody gives two of one key, ever.

use keystation_core::key::{CheckValue, EnrollmentGroup, IdScope, KeyLabel, KeySlot};
use keystation_core::record::{Carried, CeremonyKey, Seq};
use rusqlite::{Connection, Row};

use crate::account::{natural, number, parsed};
use crate::group_key::{field, small};
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};

/// A component of a group key that a custodian gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The ceremony.
    pub ceremony: String,
    /// Label of the key that was to come of it.
    pub key: KeyLabel,
    /// The check value that the key must have.
    pub check_value: CheckValue,
    /// The enrollment group.
    pub group: EnrollmentGroup,
    /// The DPS instance.
    pub scope: IdScope,
    /// Primary or secondary.
    pub slot: KeySlot,
    /// Which part, from 1.
    pub part: u8,
    /// Its own check value, 6 hexadecimal digits: what the paper has beside it.
    pub component: String,
    /// Who gave it.
    pub user: String,
    /// The record.
    pub seq: Seq,
}

const COMPONENT: &str = "seq, cer, gk, gkcv, grp, scope, slot, part, user";
/// Of the text of a record: what the table does not have.
const CHECK_VALUE: &str = "CAST(body AS TEXT) ->> '$.cv'";

impl Component {
    /// `None`: the record is none of a component.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let user = match record.event() {
            "gk.component" => record.operator(),
            "carry.component" => {
                natural::<u64>(record, "was")?;
                record.text("by").ok_or(RecordError::Field("by"))?
            }
            _ => return Ok(None),
        };
        Ok(Some(Self {
            ceremony: record.text("cer").ok_or(RecordError::Field("cer"))?.into_owned(),
            key: field(record, "gk")?,
            check_value: field(record, "gkcv")?,
            group: field(record, "group")?,
            scope: field(record, "scope")?,
            slot: field(record, "slot")?,
            part: small(record, "part")?,
            component: record.text("cv").ok_or(RecordError::Field("cv"))?.into_owned(),
            user: user.into_owned(),
            seq: record.seq(),
        }))
    }

    /// What the next epoch takes over of it.
    pub(crate) fn carry(&self) -> Carried {
        let Self { ceremony, key: label, check_value, group, scope, slot, part, component, user, seq } =
            self.clone();
        let key = CeremonyKey { label, group, scope, slot, check_value };
        Carried::Component { ceremony, key, part, component, by: user, was: seq }
    }

    pub(crate) fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        conn.prepare_cached(&format!(
            "INSERT INTO component ({COMPONENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        ))?
        .execute((
            self.seq.cast_signed(),
            &self.ceremony,
            self.key.as_str(),
            self.check_value.digits(),
            self.group.as_str(),
            self.scope.as_str(),
            self.slot.as_str(),
            self.part,
            &self.user,
        ))?;
        Ok(())
    }

    /// All of them, oldest first.
    pub(crate) fn all(conn: &Connection) -> Result<Vec<Self>, rusqlite::Error> {
        // A row without its record is shown as well: whoever verifies the log is to see it.
        let from = "component LEFT JOIN log USING (seq) ORDER BY seq";
        conn.prepare_cached(&format!("SELECT {COMPONENT}, {CHECK_VALUE} FROM {from}"))?
            .query_map([], Self::read)?
            .collect()
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            seq: number(row, 0)?,
            ceremony: row.get(1)?,
            key: parsed(row, 2)?,
            check_value: parsed(row, 3)?,
            group: parsed(row, 4)?,
            scope: parsed(row, 5)?,
            slot: parsed(row, 6)?,
            part: row.get(7)?,
            user: row.get(8)?,
            component: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
        })
    }
}

impl Reader {
    /// Every component that was ever given, oldest first.
    pub fn components(&self) -> Result<Vec<Component>, ReadError> {
        Ok(Component::all(&self.conn)?)
    }
}
