//! The tables that are made from the records, made anew; and a record of it.

use keystation_audit::{Journal, Rules};
use keystation_core::record::{Actor, Entry, Event, Seq};

use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::people::Permit;
use crate::random;
use crate::station::{clock, paths};

/// Makes the derived tables of the log anew and puts that into the log: who did it, or that the log did not open and nobody
/// could sign in. No station may have the log open.
pub fn rebuild(data: &DataDir, permit: Option<&Permit>) -> Result<Seq, StationError> {
    let rules = Rules { space: StationConfig::read(&data.settings())?.space, ..Rules::default() };
    Journal::rebuild(&paths(data))?;
    let journal = Journal::open_under(&paths(data), &rules, clock()?)?;
    let (actor, why) = match permit {
        Some(permit) => (permit.actor().clone(), "asked"),
        None => {
            let session = random::session()?;
            (Actor { session, role: "station".to_owned(), ..Actor::default() }, "not-opened")
        }
    };
    let record = journal.append(&Entry { actor, event: Event::Rebuilt { why } })?;
    journal.close()?;
    Ok(record)
}
