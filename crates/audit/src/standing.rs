//! What the log knows of one device.

use keystation_core::flow::{OpenIntent, Standing};
use keystation_core::key::Fingerprint;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use rusqlite::Connection;

use crate::projection::Place;
use crate::reader::ReadError;
use crate::record::{Record, RecordError};

/// What the log knows of a registration ID. Of several intents that are open the newest is told.
pub(crate) fn standing(conn: &Connection, id: &RegistrationId) -> Result<Standing, ReadError> {
    let Place { open, keyed, attempts } = Place::of(conn, id.as_str())?;
    let open = open.map(|seq| Ok::<_, ReadError>(OpenIntent { seq, fingerprint: fingerprint(conn, seq)? }));
    Ok(Standing { open: open.transpose()?, keyed, attempts })
}

/// The fingerprint of the key that `intent` was to write.
pub(crate) fn fingerprint(conn: &Connection, intent: Seq) -> Result<Fingerprint, ReadError> {
    with_record(conn, intent, |record| {
        let text = record.text("dkfp").unwrap_or_default();
        text.parse().map_err(|_| RecordError::Field("dkfp"))
    })
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
