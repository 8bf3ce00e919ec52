//! Boards by what they are called: a registration ID, a MAC address, a serial number, or several of these.
//!
//! A registration ID need not tell one board from another, and of a device whose board was exchanged the serial number does not. Whoever
//! acts on a device has to mean one board.

use keystation_core::identity::{Identity, Mac};
use keystation_core::record::Seq;
use keystation_core::registration::{IdRule, RegistrationId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::number;
use crate::reader::{ReadError, Reader};

/// A board as the log knows it, under one registration ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// Registration ID.
    pub id: RegistrationId,
    /// What it said it is: of one that takes the place of another and was not begun yet, what was said of it.
    pub identity: Identity,
    /// The newest intent of that registration ID, whichever board it was for.
    pub newest: Seq,
}

/// A scrap that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapInForce {
    /// The record of it.
    pub record: Seq,
    /// The registration ID; none of what was never begun.
    pub id: Option<RegistrationId>,
    /// What it is known by.
    pub identity: Identity,
}

/// A board under a registration ID, and the last record that says so: an intent, or that it takes the place of another.
struct Board {
    identity: Identity,
    seq: Seq,
}

impl Board {
    fn is_called(&self, id: &str, word: &str) -> bool {
        id == word || says(&self.identity, word)
    }
}

/// Whether two may be one board: what one of them does not say is no other one.
pub(crate) fn may_be_one(one: &Identity, other: &Identity) -> bool {
    let mac = one.mac.is_none() || other.mac.is_none() || one.mac == other.mac;
    mac && (one.serial.is_none() || other.serial.is_none() || one.serial == other.serial)
}

/// The board that has a registration ID now, and the newest intent of that ID, perhaps of a board before it. None: it was never begun.
pub(crate) fn holder(conn: &Connection, rid: &str) -> Result<Option<(Identity, Seq)>, rusqlite::Error> {
    let Some(newest) = newest_intent(conn, rid)? else { return Ok(None) };
    let holder = boards(conn, rid)?.into_iter().next();
    Ok(holder.map(|board| (board.identity, newest)))
}

/// The newest intent of a registration ID.
pub(crate) fn newest_intent(conn: &Connection, rid: &str) -> Result<Option<Seq>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT seq FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND mode <> 'refused' ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([rid], |row| number(row, 0))
    .optional()
}

/// The boards that have, or had, a registration ID: the one that has it now comes first.
fn boards(conn: &Connection, rid: &str) -> Result<Vec<Board>, rusqlite::Error> {
    // The last is a board that takes the place of another under the same one.
    let mut statement = conn.prepare_cached(
        "SELECT mac, sn, max(seq) AS last FROM sighting INDEXED BY sighting_rid
         WHERE rid = ?1 AND mode <> 'refused' GROUP BY mac, sn
         UNION ALL SELECT new_mac, sn, seq FROM retired INDEXED BY retired_rid
         WHERE rid = ?1 AND rid <> '' AND how = 'replace' AND new_rid = rid
         ORDER BY last DESC",
    )?;
    let mut rows = statement.query([rid])?;
    let mut boards: Vec<Board> = Vec::new();
    while let Some(row) = rows.next()? {
        let identity = identity(row, 0)?;
        match boards.iter_mut().find(|board| may_be_one(&board.identity, &identity)) {
            Some(board) => {
                board.identity.mac = board.identity.mac.or(identity.mac);
                board.identity.serial = board.identity.serial.take().or(identity.serial);
            }
            None => boards.push(Board { identity, seq: number(row, 2)? }),
        }
    }
    Ok(boards)
}

/// The registration IDs of boards that are called so.
fn ids(conn: &Connection, word: &str) -> Result<Vec<String>, rusqlite::Error> {
    let mac = spelled(word);
    let mut begun = conn.prepare_cached(
        "SELECT rid FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND mode <> 'refused'
         UNION SELECT rid FROM sighting INDEXED BY sighting_mac WHERE mac = ?2 AND mode <> 'refused'
         UNION SELECT rid FROM sighting INDEXED BY sighting_sn WHERE sn = ?1 AND mode <> 'refused'",
    )?;
    let ids = begun.query_map((word, &mac), |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
    if !ids.is_empty() {
        return Ok(ids);
    }
    // A board that takes the place of another and was not begun yet: found by looking at all that were exchanged.
    let mut waiting = conn.prepare_cached(
        "SELECT DISTINCT rid FROM retired WHERE how = 'replace' AND new_rid = rid AND rid <> '' AND new_mac = ?1",
    )?;
    waiting.query_map([mac], |row| row.get(0))?.collect()
}

impl Reader {
    /// The boards that are called by every word of `name`: each a registration ID, a MAC address in any spelling, or a serial number. A
    /// registration ID is that of the board that has it now, unless another word says which board. The one that was begun last comes
    /// first; of no word there is none.
    pub fn known_devices(&self, name: &str) -> Result<Vec<KnownDevice>, ReadError> {
        let words: Vec<&str> = name.split_whitespace().collect();
        let Some(first) = words.first() else { return Ok(Vec::new()) };
        let _moment = self.moment()?;
        let mut found = Vec::new();
        for rid in ids(&self.conn, first)? {
            let Some(newest) = newest_intent(&self.conn, &rid)? else { continue };
            let mut boards = boards(&self.conn, &rid)?;
            boards.retain(|board| words.iter().all(|word| board.is_called(&rid, word)));
            if words.contains(&rid.as_str()) {
                boards.truncate(1);
            }
            for Board { identity, seq } in boards {
                found.push((seq, KnownDevice { id: registration_id(&rid)?, identity, newest }));
            }
        }
        found.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        Ok(found.into_iter().map(|(_, device)| device).collect())
    }

    /// The scraps in force of boards that are called so, of each board the newest: the words are those of [`Self::known_devices`].
    pub fn scraps_in_force(&self, name: &str) -> Result<Vec<ScrapInForce>, ReadError> {
        let words: Vec<&str> = name.split_whitespace().collect();
        let _moment = self.moment()?;
        let mut scraps: Vec<ScrapInForce> = Vec::new();
        for word in &words {
            let mut statement = self.conn.prepare_cached(
                "SELECT seq, rid, mac, sn FROM retired
                 WHERE how = 'scrap' AND restored IS NULL
                   AND (rid = ?1 AND rid <> '' OR mac = ?2 AND mac <> '' OR sn = ?1 AND sn <> '')",
            )?;
            let mut rows = statement.query((word, spelled(word)))?;
            while let Some(row) = rows.next()? {
                let rid = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                let id = if rid.is_empty() { None } else { Some(registration_id(rid)?) };
                scraps.push(ScrapInForce { record: number(row, 0)?, id, identity: identity(row, 2)? });
            }
        }
        scraps.retain(|scrap| words.iter().all(|word| scrap.may_be_called(word)));
        scraps.sort_by_key(|scrap| std::cmp::Reverse(scrap.record));
        let mut newest: Vec<ScrapInForce> = Vec::new();
        for scrap in scraps {
            // The board that has the registration ID now was scrapped after the one whose place it took.
            let named = scrap.id.as_ref().is_some_and(|id| words.contains(&id.as_str()));
            let known = newest
                .iter()
                .any(|one| one.id == scrap.id && (named || may_be_one(&one.identity, &scrap.identity)));
            if !known {
                newest.push(scrap);
            }
        }
        Ok(newest)
    }
}

impl ScrapInForce {
    /// Whether the word is one that the scrap has, or may be one that it does not say.
    fn may_be_called(&self, word: &str) -> bool {
        let Identity { mac, serial } = &self.identity;
        let id = self.id.as_ref().map(RegistrationId::as_str);
        let unsaid =
            if word.parse::<Mac>().is_ok() { mac.is_none() } else { id.is_none() || serial.is_none() };
        unsaid || id == Some(word) || says(&self.identity, word)
    }
}

fn says(Identity { mac, serial }: &Identity, word: &str) -> bool {
    serial.as_ref().is_some_and(|serial| serial.as_str() == word)
        || mac.is_some() && *mac == word.parse().ok()
}

/// A MAC address as the columns have it; another word as it is.
fn spelled(word: &str) -> String {
    word.parse::<Mac>().map_or_else(|_| word.to_owned(), |mac| mac.spelled(""))
}

pub(crate) fn registration_id(rid: &str) -> Result<RegistrationId, rusqlite::Error> {
    RegistrationId::new(rid, IdRule::Punctuation)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))
}

fn identity(row: &Row<'_>, column: usize) -> Result<Identity, rusqlite::Error> {
    let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
    Ok(Identity { mac: text(column)?.parse().ok(), serial: text(column + 1)?.parse().ok() })
}
