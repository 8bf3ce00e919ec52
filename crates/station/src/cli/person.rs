//! `keystation person …`: names behind operator IDs.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use keystation::{DataDir, Exit, PersonName, StationError};
use keystation_audit::Names;
use serde_json::json;

use super::output::{Output, printable};

/// More than any name has, in bytes.
const LINE_LIMIT: u64 = 4096;

/// Keeps a name. It comes from a file or from standard input, never from the arguments, which every user of the machine
/// can see, and which shells write into their history.
pub(super) fn set(data: &DataDir, id: &str, file: Option<&Path>, out: Output) -> Result<Exit, StationError> {
    expect_station(data)?;
    let line = match file {
        Some(path) => File::open(path)
            .and_then(|file| first_line(BufReader::new(file)))
            .map_err(|cause| StationError::Unreadable { path: path.to_owned(), cause }),
        None => {
            out.note(format!("Name of {id}:"));
            first_line(io::stdin().lock()).map_err(StationError::Input)
        }
    };
    let name = PersonName::new(&line?)?;
    Names::open(&data.names())?.set(id, name.as_str())?;
    out.say(format!("{id} has a name now."), &json!({ "event": "person", "operator": id, "named": true }));
    Ok(Exit::Done)
}

pub(super) fn list(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    expect_station(data)?;
    let names = Names::open_read_only(&data.names())?;
    for (id, name) in names.map_or_else(|| Ok(Vec::new()), |names| names.all())? {
        out.say(
            printable(&format!("{id:<16} {name}")),
            &json!({ "event": "person", "operator": id, "name": name }),
        );
    }
    Ok(Exit::Done)
}

/// Erases a name. That there was none is no failure: the owner's wish is fulfilled.
pub(super) fn forget(data: &DataDir, id: &str, out: Output) -> Result<Exit, StationError> {
    expect_station(data)?;
    let gone = Names::open(&data.names())?.forget(id)?;
    let sentence = if gone {
        format!(
            "The name of {id} is erased here. Copies of names.db in backups, and printed reports, still have it."
        )
    } else {
        format!("{id} has no name here.")
    };
    out.say(sentence, &json!({ "event": "person", "operator": id, "named": false, "erased": gone }));
    Ok(Exit::Done)
}

fn first_line(source: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    source.take(LINE_LIMIT).read_line(&mut line)?;
    Ok(line)
}

/// A mistyped `--data` makes no table somewhere else.
fn expect_station(data: &DataDir) -> Result<(), StationError> {
    if data.settings().exists() { Ok(()) } else { Err(StationError::Missing(data.path().to_owned())) }
}
