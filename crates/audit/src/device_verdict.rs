//! Records that the station must have refused: of devices that were out. Whoever has the signing key can write them.

use keystation_core::record::Seq;
use rusqlite::Connection;

use crate::account::number;
use crate::said;

/// An intent on a registration ID that is out. Where a board has taken its place that has the same one, it is in use, unless it was revoked.
const INTENTS: &str = "
    SELECT retired.seq, sighting.seq FROM retired CROSS JOIN sighting INDEXED BY sighting_rid
        ON sighting.rid = retired.rid AND sighting.mode <> 'refused' AND sighting.seq > retired.seq
    WHERE retired.rid <> '' AND (restored IS NULL OR sighting.seq < restored)
      AND NOT (how = 'replace' AND new_rid = retired.rid)
      AND (how = 'revoke' OR NOT EXISTS (
          SELECT 1 FROM retired AS later INDEXED BY retired_rid
          WHERE later.rid = retired.rid AND later.rid <> '' AND later.how = 'replace' AND later.new_rid = later.rid
            AND later.seq > retired.seq AND later.seq < sighting.seq))";

/// Another record of a registration ID that is out: of scrap only one that revokes or replaces it, of a revoked one only one that puts a
/// board of another registration ID in its place.
const AGAIN: &str = "
    SELECT retired.seq, next.seq FROM retired CROSS JOIN retired AS next INDEXED BY retired_rid
        ON next.rid = retired.rid AND next.rid <> '' AND next.seq > retired.seq
    WHERE retired.rid <> '' AND (retired.restored IS NULL OR next.seq < retired.restored)
      AND NOT (retired.how = 'replace' AND retired.new_rid = retired.rid)
      AND NOT (retired.how = 'scrap' AND next.how <> 'scrap')
      AND NOT (retired.how = 'revoke' AND next.how = 'replace' AND next.new_rid <> next.rid)
      AND (retired.how = 'revoke' OR NOT EXISTS (
          SELECT 1 FROM retired AS later INDEXED BY retired_rid
          WHERE later.rid = retired.rid AND later.rid <> '' AND later.how = 'replace' AND later.new_rid = later.rid
            AND later.seq > retired.seq AND later.seq < next.seq))";

/// The records that break the rules of section 14, ascending. The tables were held against their records before. Scrap of a work order
/// breaks none: older programs knew of no other, and let it be made under another order.
pub(crate) fn broken(conn: &Connection) -> Result<Vec<Seq>, rusqlite::Error> {
    let mut broken = Vec::new();
    let mut statement = conn.prepare(INTENTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let out = number(row, 0)?;
        if is_of_a_device(conn, out)? || is_carried(conn, out)? {
            broken.push(number(row, 1)?);
        }
    }
    let mut statement = conn.prepare(AGAIN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let next = number(row, 1)?;
        if is_of_a_device(conn, next)? {
            broken.push(next);
        }
    }
    // What takes nothing back that is in force changed no row.
    let mut statement = conn.prepare(said::RESTORES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        broken.push(number(row, 0)?);
    }
    broken.sort_unstable();
    broken.dedup();
    Ok(broken)
}

/// Whether a record is `carry.…`.
fn is_carried(conn: &Connection, seq: Seq) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT substr(body, instr(body, x'226576223a22') + 6, 6) = x'63617272792e' FROM log WHERE seq = ?1",
    )?
    .query_row([seq.cast_signed()], |row| row.get(0))
}

/// Whether a record is `device.…`. It was read before.
fn is_of_a_device(conn: &Connection, seq: Seq) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT substr(body, instr(body, x'226576223a22') + 6, 7) = x'6465766963652e' FROM log WHERE seq = ?1",
    )?
    .query_row([seq.cast_signed()], |row| row.get(0))
}
