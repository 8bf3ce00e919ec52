//! What a simulated device keeps over a restart: one JSON file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Persona;

/// A credential set as a device holds it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) endpoint: String,
    pub(super) key: Zeroizing<[u8; 32]>,
    /// The station's log at the write, if the station told.
    pub(super) anchor: Option<[u8; 20]>,
}

/// Everything that survives a restart.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) set: Option<Set>,
    pub(super) generation: u32,
    pub(super) locked: bool,
    pub(super) boot: u32,
}

/// The file, for people and tests to look into. **It holds the device key in the clear, on purpose**: it stands for
/// the flash memory of a device that does not exist, and a test must see what was stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    mac: Option<String>,
    serial: Option<String>,
    registration_id: Option<String>,
    scope: Option<String>,
    endpoint: Option<String>,
    /// Base64, 44 characters.
    device_key: Option<String>,
    /// Base64, 28 characters; null or absent where the set came without.
    anchor: Option<String>,
    generation: u32,
    locked: bool,
    boot: u32,
}

/// The storage of one device.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// A memory whose cells do not keep what is written.
    pub(super) broken: bool,
}

impl StateFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), broken: false }
    }

    /// Whether nothing was ever stored.
    pub(super) fn is_new(&self) -> bool {
        !self.path.exists()
    }

    /// What is stored; a device without a file has just been made.
    pub(super) fn load(&self, persona: &Persona) -> io::Result<State> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(e) => return Err(e),
        };
        let damaged =
            |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", self.path.display()));
        let document: Document = serde_json::from_slice(&text).map_err(|e| damaged(&e.to_string()))?;
        if document.mac != persona.mac_text() || document.serial != persona.serial {
            return Err(damaged("it is the memory of another device: give it another --state directory"));
        }
        let set = match document {
            Document {
                registration_id: Some(id),
                scope: Some(scope),
                endpoint: Some(endpoint),
                device_key: Some(text),
                anchor,
                ..
            } => {
                let mut key = Zeroizing::new([0; 32]);
                if !fills(&text, key.as_mut_slice()) {
                    return Err(damaged("device_key is not 32 bytes of Base64"));
                }
                let mut held = [0; 20];
                if anchor.as_ref().is_some_and(|text| !fills(text, &mut held)) {
                    return Err(damaged("anchor is not 20 bytes of Base64"));
                }
                Some(Set { id, scope, endpoint, key, anchor: anchor.map(|_| held) })
            }
            Document {
                registration_id: None,
                scope: None,
                endpoint: None,
                device_key: None,
                anchor: None,
                ..
            } => None,
            _ => return Err(damaged("part of a credential set is missing")),
        };
        Ok(State { set, generation: document.generation, locked: document.locked, boot: document.boot })
    }

    /// Writes beside, reads back, then replaces in one step: a kill leaves the old file or the new one. Not synced to
    /// the disk: a simulated device loses its power when its process ends, not when the computer does.
    pub(super) fn save(&self, persona: &Persona, state: &State) -> io::Result<()> {
        let set = state.set.as_ref();
        let document = Document {
            mac: persona.mac_text(),
            serial: persona.serial.clone(),
            registration_id: set.map(|set| set.id.clone()),
            scope: set.map(|set| set.scope.clone()),
            endpoint: set.map(|set| set.endpoint.clone()),
            device_key: set.map(|set| Base64::encode_string(set.key.as_slice())),
            anchor: set.and_then(|set| set.anchor).map(|anchor| Base64::encode_string(&anchor)),
            generation: state.generation,
            locked: state.locked,
            boot: state.boot,
        };
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        let beside = self.path.with_extension("json.new");
        let mut written = text.clone();
        if self.broken {
            let middle = written.len() / 2;
            written[middle] ^= 1;
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?
            .write_all(&written)?;
        if fs::read(&beside)? != text {
            fs::remove_file(&beside)?;
            return Err(io::Error::other("what was written is not what is read back"));
        }
        fs::rename(&beside, &self.path)
    }
}

/// Whether `text` is Base64 of as many bytes as `to` has room for.
fn fills(text: &str, to: &mut [u8]) -> bool {
    let room = to.len();
    Base64::decode(text, to).is_ok_and(|bytes| bytes.len() == room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_belongs_to_one_device_and_is_whole_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dev0.json");
        let (memory, owner) = (StateFile::new(&path), Persona::default());
        let set = Set {
            id: "a".to_owned(),
            scope: "s".to_owned(),
            endpoint: "e".to_owned(),
            key: Zeroizing::new([7; 32]),
            anchor: Some([9; 20]),
        };
        let state = State { set: Some(set), generation: 3, locked: true, boot: 9 };
        memory.save(&owner, &state).unwrap();
        assert!(memory.load(&owner).unwrap() == state);

        assert!(memory.load(&Persona { mac: None, ..owner.clone() }).is_err());
        assert!(memory.load(&Persona { serial: None, ..owner.clone() }).is_err());
        let text = fs::read_to_string(&path).unwrap();
        let broken = StateFile { path: path.clone(), broken: true };
        assert!(broken.save(&owner, &State::default()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        for (from, to) in
            [("\"scope\": \"s\"", "\"scope\": null"), ("BwcH", "BwcHBwcH"), ("CQkJ", "CQk"), ("boot", "boat")]
        {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert!(memory.load(&owner).is_err(), "{from}");
        }
    }
}
