//! How often the contact of a slot has closed: what pins and sockets are worn by, and changed for.
//!
//! The log cannot say it: a contact that closes and opens again before a device has spoken leaves no record, and is the very thing
//! that wears. So the counts are in a file of their own, `slots.json`, by the place on the USB tree or the path of the port: a slot
//! that is given another place begins anew, and so does one whose line somebody took out of the file after a contact was
//! changed. It is written, flushed and put in the place of the one before after [`EVERY`] contacts of the whole line, as soon as a
//! device has its result, and when the line stops: a kill loses hardly more than these. It is no evidence, and no record is made of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::lock;
use crate::error::StationError;
use crate::files;

/// Contacts after which the file is written anew.
const EVERY: u32 = 50;
/// What the file says of itself.
const FORMAT: &str = "keystation-slots/v1";

/// What became of the contact of a slot, since it was first used at its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// How often something was plugged in.
    pub cycles: u64,
    /// How often it was lost before there was a result.
    pub lost: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    slots: BTreeMap<String, Contact>,
}

/// The contacts of all places, those that no slot has any more included.
pub(super) struct Wear {
    path: PathBuf,
    state: Mutex<State>,
    /// Whoever writes: the file is never older than what was written before.
    writing: Mutex<()>,
}

struct State {
    slots: BTreeMap<String, Contact>,
    /// Changes that the file does not have yet.
    unwritten: u32,
}

impl Wear {
    /// What the file says; none is one in which nothing was counted yet. One that cannot be read is not begun anew: it says how old
    /// the contacts are.
    pub(super) fn read(path: PathBuf) -> Result<Self, StationError> {
        let slots = match fs::read_to_string(&path) {
            Ok(text) => slots(&text),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(cause) => Err(cause),
        };
        let slots = slots.map_err(|cause| StationError::Unreadable { path: path.clone(), cause })?;
        Ok(Self { path, state: Mutex::new(State { slots, unwritten: 0 }), writing: Mutex::new(()) })
    }

    pub(super) fn of(&self, place: &str) -> Contact {
        lock(&self.state).slots.get(place).copied().unwrap_or_default()
    }

    /// Something was plugged in.
    pub(super) fn closed(&self, place: &str) {
        self.count(place, |contact| contact.cycles += 1);
    }

    /// It was gone before there was a result.
    pub(super) fn lost(&self, place: &str) {
        self.count(place, |contact| contact.lost += 1);
    }

    fn count(&self, place: &str, change: impl FnOnce(&mut Contact)) {
        let mut state = lock(&self.state);
        change(state.slots.entry(place.to_owned()).or_default());
        state.unwritten += 1;
    }

    /// Writes what the file does not have yet, if that is [`EVERY`] contacts. A slot asks when its device has its result: flushing
    /// takes the disk's time, and nobody waits for it then.
    pub(super) fn keep(&self) {
        // One that writes already writes for all.
        if let Ok(_writing) = self.writing.try_lock()
            && lock(&self.state).unwritten >= EVERY
        {
            self.write();
        }
    }

    /// Writes what the file does not have yet.
    pub(super) fn flush(&self) {
        let _writing = lock(&self.writing);
        if lock(&self.state).unwritten > 0 {
            self.write();
        }
    }

    /// No device fails by it: what could not be written is tried again after as many contacts.
    fn write(&self) {
        let slots = {
            let mut state = lock(&self.state);
            state.unwritten = 0;
            state.slots.clone()
        };
        let text =
            serde_json::to_string(&Document { format: FORMAT.to_owned(), slots }).map_err(io::Error::from);
        if let Err(error) = text.and_then(|text| files::replace(&self.path, format!("{text}\n").as_bytes())) {
            tracing::error!(%error, path = %self.path.display(), "the contacts of the slots were not written");
        }
    }
}

fn slots(text: &str) -> io::Result<BTreeMap<String, Contact>> {
    let document: Document = serde_json::from_str(text)?;
    if document.format == FORMAT {
        Ok(document.slots)
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, "it is no keystation-slots/v1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join("slots.json")
    }

    #[test]
    fn contacts_survive_a_restart_and_a_kill_loses_those_since_the_last_result() {
        let dir = tempfile::tempdir().unwrap();
        let wear = Wear::read(file(&dir)).unwrap();
        for _ in 0..EVERY - 1 {
            wear.closed("usb 1-1.4");
        }
        wear.keep();
        assert!(!file(&dir).exists(), "it is not due");
        wear.lost("usb 1-1.4");
        assert!(!file(&dir).exists(), "no device waits for the disk");
        wear.keep();
        wear.closed("usb 1-1.2");
        let killed = Wear::read(file(&dir)).unwrap();
        assert_eq!(killed.of("usb 1-1.4"), Contact { cycles: 49, lost: 1 });
        assert_eq!(killed.of("usb 1-1.2"), Contact::default());
        wear.flush();
        let stopped = Wear::read(file(&dir)).unwrap();
        assert_eq!(stopped.of("usb 1-1.2"), Contact { cycles: 1, lost: 0 });
        let text = fs::read_to_string(file(&dir)).unwrap();
        assert_eq!(
            text,
            "{\"format\":\"keystation-slots/v1\",\"slots\":{\"usb 1-1.2\":{\"cycles\":1,\"lost\":0},\
             \"usb 1-1.4\":{\"cycles\":49,\"lost\":1}}}\n"
        );
    }

    #[test]
    fn a_file_that_says_something_else_is_not_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{}",
            r#"{"format":"keystation-slots/v2","slots":{}}"#,
            r#"{"format":"keystation-slots/v1","slots":{"usb 1-1":{"cycles":-1,"lost":0}}}"#,
            r#"{"format":"keystation-slots/v1","slots":{"usb 1-1":{"cycles":1,"lost":0,"more":0}}}"#,
        ] {
            fs::write(file(&dir), text).unwrap();
            assert!(matches!(Wear::read(file(&dir)), Err(StationError::Unreadable { .. })), "{text}");
            assert_eq!(fs::read_to_string(file(&dir)).unwrap(), text);
        }
    }
}
