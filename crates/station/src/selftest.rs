//! What `keystation selftest` looks at without anybody's secret: known answers, log, clock, disk.

use std::io::Write;

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use keystation_audit::Reader;
use keystation_core::derive;
use keystation_core::registration::{IdRule, RegistrationId};

use crate::data_dir::DataDir;
use crate::station::paths;

/// Microsoft's published example (learn.microsoft.com, *Symmetric key attestation with DPS*).
const PUBLISHED_GROUP_KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
const PUBLISHED_ID: &str = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";
const PUBLISHED_DEVICE_KEY: &str = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=";

/// A sentence, or what is wrong.
type Said = Result<String, Box<dyn std::error::Error>>;

/// What was looked at, in one word, and what was found.
pub type Check = (&'static str, Said);

/// Every check, also after one has failed.
#[must_use]
pub fn checks(data: &DataDir) -> Vec<Check> {
    vec![("derivation", known_answer()), ("log", log(data)), ("clock", clock(data)), ("disk", disk(data))]
}

fn known_answer() -> Said {
    let group_key = Base64::decode_vec(PUBLISHED_GROUP_KEY)?;
    let id = RegistrationId::new(PUBLISHED_ID, IdRule::Dashes)?;
    if derive::device_key(&group_key, &id).to_base64().as_str() == PUBLISHED_DEVICE_KEY {
        Ok("Microsoft's published example gives its published key".to_owned())
    } else {
        Err("Microsoft's published example gives another key: this program is damaged".into())
    }
}

fn log(data: &DataDir) -> Said {
    let reader = Reader::open(&paths(data))?;
    Ok(format!("{} records; `keystation audit verify` reads them all", reader.size()?))
}

fn clock(data: &DataDir) -> Said {
    let now = Timestamp::now();
    let last = Reader::open(&paths(data))?.recent(1)?.pop().ok_or("the log is empty")?;
    let last: Timestamp = last.parse()?.time().parse()?;
    if last > now {
        return Err(format!("it says {now}, the last record was made at {last}").into());
    }
    Ok(format!("{now:.0}, not before the last record"))
}

fn disk(data: &DataDir) -> Said {
    let file = data.path().join(".selftest");
    let mut made = std::fs::File::create_new(&file)?;
    let written = made.write_all(b"ok").and_then(|()| made.sync_all());
    std::fs::remove_file(&file)?;
    written?;
    Ok("the data directory takes a file and keeps it".to_owned())
}
