//! What is asked of the tables before a device is taken out or put back, in the transaction of that record.

use keystation_core::flow::{Retired, Retirement};
use keystation_core::identity::{Identity, Mac};
use keystation_core::record::{Cleanup, CleanupList, CloudState, DeviceChange, DeviceEvent, Seq, Successor};
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, OptionalExtension};

use crate::cleanup;
use crate::known::{holder, may_be_one, newest_intent};
use crate::retired;

/// Why a device is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceRefusal {
    /// The log never began it.
    #[error("the log never began a device with the registration ID {0}")]
    Unknown(RegistrationId),
    /// Another intent came between.
    #[error("{0} was begun again meanwhile")]
    Overtaken(RegistrationId),
    /// It is out already.
    #[error("{id} was {} already, says record {}", retirement.what.as_str(), retirement.record)]
    Out {
        /// Which.
        id: RegistrationId,
        /// How.
        retirement: Retirement,
    },
    /// It is a board that is none of the station's any more.
    #[error("record {record} says that another board took the place of the one with the MAC address {mac}")]
    Exchanged {
        /// Its MAC address.
        mac: Mac,
        /// The record.
        record: Seq,
    },
    /// Another board has its registration ID now.
    #[error("record {record} is of another board under {id}: this one has not that registration ID any more")]
    OtherBoard {
        /// Which.
        id: RegistrationId,
        /// The newest intent of it.
        record: Seq,
    },
    /// What was to take its place is another device, or was one.
    #[error("{id} cannot take its place: record {record} is of it already")]
    Taken {
        /// Which.
        id: RegistrationId,
        /// The record.
        record: Seq,
    },
    /// The board that is to take its place has another serial number.
    #[error("the board that takes its place has another serial number")]
    OtherSerial,
    /// The board that is to take its place is the one that is there.
    #[error("the board that is to take its place has its MAC address: it is the same one")]
    SameBoard,
    /// Two boards would have one key.
    #[error(
        "the new board gets the registration ID {0} again, and so its key: two boards have it as long as the old one exists"
    )]
    NotDestroyed(RegistrationId),
    /// The record is not that of a scrap that is in force.
    #[error("record {0} is not that of a scrap which could be taken back")]
    NoScrap(Seq),
    /// Its identity was blocked in the cloud.
    #[error("record {done} says that {id} was cleaned up: it is blocked in the cloud")]
    CleanedUp {
        /// Which.
        id: String,
        /// The record.
        done: Seq,
    },
    /// Nobody made a list of this hash.
    #[error("no record says that a clean-up list with this hash was made")]
    NoList,
    /// That list was done, or a later one.
    #[error("record {0} says that this list was done, or a later one")]
    ListDone(Seq),
}

/// Whether a device is taken out, or put back.
pub(crate) fn judge_device(
    conn: &Connection,
    event: &DeviceEvent,
) -> Result<Result<(), DeviceRefusal>, rusqlite::Error> {
    if event.change == DeviceChange::Restored {
        return judge_restore(conn, event);
    }
    let Some(id) = &event.id else { return Ok(Err(DeviceRefusal::NoScrap(Seq::MAX))) };
    let newest = newest_intent(conn, id.as_str())?;
    if newest != event.follows {
        return Ok(Err(DeviceRefusal::Overtaken(id.clone())));
    }
    let out = retired::of_id(conn, id.as_str())?;
    // Whose identity it is may be known of another epoch, or another station: it must not register all the same.
    let stays = match (&event.change, newest) {
        (DeviceChange::Revoked, _) => out.filter(|out| out.what != Retired::Scrapped),
        (_, None) => return Ok(Err(DeviceRefusal::Unknown(id.clone()))),
        (DeviceChange::Replaced(_), _) => out.filter(|out| out.what == Retired::Replaced),
        _ => out,
    };
    if let Some(retirement) = stays {
        return Ok(Err(DeviceRefusal::Out { id: id.clone(), retirement }));
    }
    if let Err(refusal) = judge_board(conn, id, &event.identity)? {
        return Ok(Err(refusal));
    }
    match &event.change {
        DeviceChange::Replaced(by) => {
            let cleaned = out.map(|out| cleaned(conn, out.record)).transpose()?.flatten();
            judge_successor(conn, event, id, by, out, cleaned)
        }
        _ => Ok(Ok(())),
    }
}

/// What is done to a device is done to the board that has its registration ID, not to one that had it.
pub(crate) fn judge_board(
    conn: &Connection,
    id: &RegistrationId,
    board: &Identity,
) -> Result<Result<(), DeviceRefusal>, rusqlite::Error> {
    if let Some(mac) = board.mac
        && let Some(record) = retired::exchanged(conn, mac)?
    {
        return Ok(Err(DeviceRefusal::Exchanged { mac, record }));
    }
    Ok(match holder(conn, id.as_str())? {
        Some((holder, record)) if !may_be_one(&holder, board) => {
            Err(DeviceRefusal::OtherBoard { id: id.clone(), record })
        }
        _ => Ok(()),
    })
}

fn judge_restore(
    conn: &Connection,
    event: &DeviceEvent,
) -> Result<Result<(), DeviceRefusal>, rusqlite::Error> {
    let scrap = event.follows.unwrap_or(Seq::MAX);
    let in_force = "SELECT rid FROM retired WHERE seq = ?1 AND how = 'scrap' AND restored IS NULL";
    let rid: Option<String> = conn
        .prepare_cached(in_force)?
        .query_row([i64::try_from(scrap).unwrap_or(-1)], |row| row.get(0))
        .optional()?;
    if rid.as_deref() != Some(event.id.as_ref().map_or("", RegistrationId::as_str)) {
        return Ok(Err(DeviceRefusal::NoScrap(scrap)));
    }
    // What was never begun is on no list, and nobody can have revoked it.
    let Some(id) = &event.id else { return Ok(Ok(())) };
    if let Some(retirement) = retired::beside_scrap(conn, id.as_str(), &event.identity)? {
        return Ok(Err(DeviceRefusal::Out { id: id.clone(), retirement }));
    }
    Ok(match cleaned(conn, scrap)? {
        Some(done) => Err(DeviceRefusal::CleanedUp { id: id.to_string(), done }),
        None => Ok(()),
    })
}

/// The record which says that what the record `out` took out was blocked in the cloud.
fn cleaned(conn: &Connection, out: Seq) -> Result<Option<Seq>, rusqlite::Error> {
    let (state, record) = cleanup::state_of(conn, out)?;
    Ok(if state == CloudState::Done { record } else { None })
}

fn judge_successor(
    conn: &Connection,
    event: &DeviceEvent,
    id: &RegistrationId,
    by: &Successor,
    out: Option<Retirement>,
    cleaned: Option<Seq>,
) -> Result<Result<(), DeviceRefusal>, rusqlite::Error> {
    if by.identity.serial != event.identity.serial {
        return Ok(Err(DeviceRefusal::OtherSerial));
    }
    if by.identity.mac.is_some() && by.identity.mac == event.identity.mac {
        return Ok(Err(DeviceRefusal::SameBoard));
    }
    if by.id == *id {
        return Ok(match (out, cleaned) {
            (Some(retirement), _) if retirement.what == Retired::Revoked => {
                Err(DeviceRefusal::Out { id: id.clone(), retirement })
            }
            (_, Some(done)) => Err(DeviceRefusal::CleanedUp { id: id.to_string(), done }),
            _ if by.destroyed.trim().is_empty() => Err(DeviceRefusal::NotDestroyed(id.clone())),
            _ => Ok(()),
        });
    }
    let taken = newest_intent(conn, by.id.as_str())?.or(retired::replaces(conn, by.id.as_str(), None)?);
    if let Some(record) = taken {
        return Ok(Err(DeviceRefusal::Taken { id: by.id.clone(), record }));
    }
    Ok(match retired::of_identity(conn, by.id.as_str(), &Identity { serial: None, ..by.identity.clone() })? {
        Some(retirement) => Err(DeviceRefusal::Out { id: by.id.clone(), retirement }),
        None => Ok(()),
    })
}

/// Whether a list is made, or was done.
pub(crate) fn judge_cleanup(
    conn: &Connection,
    event: &Cleanup,
) -> Result<Result<(), DeviceRefusal>, rusqlite::Error> {
    let Cleanup::Done { list: CleanupList { sha256, devices, to }, .. } = event else { return Ok(Ok(())) };
    let hash: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(match (cleanup::listed(conn, &hash)?, cleanup::done(conn)?) {
        (Some(list), _) if list != (*to, *devices) => Err(DeviceRefusal::NoList),
        (None, _) => Err(DeviceRefusal::NoList),
        (Some(_), Some((last, record))) if *to <= last => Err(DeviceRefusal::ListDone(record)),
        _ => Ok(()),
    })
}
