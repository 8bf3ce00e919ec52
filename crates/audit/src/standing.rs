//! What the log knows of one device.

use keystation_core::flow::{OpenIntent, Standing};
use keystation_core::identity::Identity;
use keystation_core::key::Fingerprint;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use rusqlite::Connection;

use crate::projection::Place;
use crate::reader::ReadError;
use crate::record::{Record, RecordError};

/// What the log knows of a registration ID. Of several intents that are open the newest is told.
pub(crate) fn standing(conn: &Connection, id: &RegistrationId) -> Result<Standing, ReadError> {
    let Place { open, keyed, attempts, replaces } = Place::of(conn, id.as_str())?;
    let open = open.map(|seq| open_intent(conn, seq)).transpose()?;
    let proved = keyed.map(|seq| written(conn, seq)).transpose()?;
    Ok(Standing { open, keyed, proved, attempts, replaces })
}

/// The fingerprint of the key that a device proved in the outcome `keyed`.
pub(crate) fn written(conn: &Connection, keyed: Seq) -> Result<Fingerprint, ReadError> {
    fingerprint(conn, intent_of(conn, keyed)?)
}

/// The intent of an outcome.
pub(crate) fn intent_of(conn: &Connection, outcome: Seq) -> Result<Seq, ReadError> {
    with_record(conn, outcome, |record| {
        record.integer("ref").map(i64::cast_unsigned).ok_or(RecordError::Field("ref"))
    })
}

fn open_intent(conn: &Connection, seq: Seq) -> Result<OpenIntent, ReadError> {
    with_record(conn, seq, |record| {
        let text = |key| record.text(key).unwrap_or_default();
        let (mac, serial) = (text("mac"), text("sn"));
        let mac = (!mac.is_empty()).then(|| mac.parse().map_err(|_| RecordError::Field("mac")));
        let serial = (!serial.is_empty()).then(|| serial.parse().map_err(|_| RecordError::Field("sn")));
        Ok(OpenIntent {
            seq,
            fingerprint: fingerprint_of(record)?,
            identity: Identity { mac: mac.transpose()?, serial: serial.transpose()? },
            job: text("job").into_owned(),
        })
    })
}

/// The fingerprint of the key that `intent` was to write.
pub(crate) fn fingerprint(conn: &Connection, intent: Seq) -> Result<Fingerprint, ReadError> {
    with_record(conn, intent, fingerprint_of)
}

fn fingerprint_of(record: &Record<'_>) -> Result<Fingerprint, RecordError> {
    record.text("dkfp").unwrap_or_default().parse().map_err(|_| RecordError::Field("dkfp"))
}

/// Reads one record.
pub(crate) fn with_record<T>(
    conn: &Connection,
    seq: Seq,
    take: impl FnOnce(&Record<'_>) -> Result<T, RecordError>,
) -> Result<T, ReadError> {
    let body: Vec<u8> = conn
        .prepare_cached("SELECT body FROM log WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| row.get(0))?;
    Record::parse(&body).and_then(|record| take(&record)).map_err(|why| ReadError::NotARecord { seq, why })
}
