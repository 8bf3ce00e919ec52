//! Where a station keeps what it has.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use keystation_core::key::KeyLabel;

/// The station's data directory.
///
/// ```text
/// station.toml     settings
/// profiles/        product profiles
/// labels/          templates of labels (docs/after.md)
/// after/           how far printers and outbox have come with the log; may be lost
/// vault.age        group keys, sealed (docs/vault-format.md)
/// keys/            cards of the keys in a token or a TPM (docs/vault-format.md)
/// transfer-key.age the station's own key, to which others seal a group key
/// transfer/        where the window looks for such files: <label>.age
/// audit.db         the audit log (docs/audit-format.md)
/// head.note        its checkpoint of the last rest, outside of the database
/// head.tail        the records since then: in there they are on the disk before they are acknowledged
/// station.key      signs the checkpoints
/// log.vkey         the public half of it, for whoever verifies
/// people.json      hashes of PINs and tags of badges (docs/people.md)
/// pepper.key       what a copy of people.json lacks
/// tries.json       PINs that were tried where the log does not open; only until it does (docs/people.md)
/// slots.json       how often the contact of each slot has closed (docs/line.md)
/// names.db         who is behind an operator ID; can be erased, and is no part of the log
/// witness.vkeys    keys of the witnesses that cosigned it
/// orders/          work orders, as they came (docs/work-order.md)
/// rekeys/          lists of batches of repair, by their IDs (docs/repair.md)
/// exports/         proof files of single devices, for whoever asks
/// training/        a training, a station of its own (docs/training.md)
/// epochs/          logs of earlier epochs, as they were found
/// backup.part/     the log on its way into a backup (docs/backup.md)
/// ballast          room for the last records on a full disk
/// *.lock           held by the one program that writes
/// ```
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory at this path.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The platform's place for the data of this program, for example `~/.local/share/keystation`.
    #[must_use]
    pub fn platform() -> Option<Self> {
        directories::ProjectDirs::from("", "", "keystation").map(|dirs| Self(dirs.data_dir().to_owned()))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.0.join("station.toml")
    }

    /// A product profile: a bare name is one of `profiles/`, whatever lies in the current directory; anything with a
    /// slash is a path.
    #[must_use]
    pub fn profile(&self, name: &Path) -> PathBuf {
        if name.file_name() == Some(name.as_os_str()) {
            self.0.join("profiles").join(name)
        } else {
            name.to_owned()
        }
    }

    /// How far printers and outbox have come.
    #[must_use]
    pub fn after(&self) -> PathBuf {
        self.0.join("after")
    }

    /// What an earlier epoch of the log left.
    #[must_use]
    pub fn epoch(&self, number: u32) -> PathBuf {
        self.0.join("epochs").join(number.to_string())
    }

    /// The sealed file.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.0.join("vault.age")
    }

    /// The cards of keys in a token or a TPM.
    #[must_use]
    pub fn cards(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The station's own key for transfers.
    #[must_use]
    pub fn transfer_key(&self) -> PathBuf {
        self.0.join("transfer-key.age")
    }

    /// The transfer file of the key `label`, where none is named. Labels have no separator of paths in them.
    #[must_use]
    pub fn transfer(&self, label: &KeyLabel) -> PathBuf {
        self.0.join("transfer").join(format!("{label}.age"))
    }

    /// The table of names.
    #[must_use]
    pub fn names(&self) -> PathBuf {
        self.0.join("names.db")
    }

    /// Hashes of PINs and tags of badges.
    #[must_use]
    pub fn people(&self) -> PathBuf {
        self.0.join("people.json")
    }

    /// What a copy of these lacks.
    #[must_use]
    pub fn pepper(&self) -> PathBuf {
        self.0.join("pepper.key")
    }

    /// PINs that were tried where the log does not open.
    #[must_use]
    pub fn tries(&self) -> PathBuf {
        self.0.join("tries.json")
    }

    /// How often the contact of each slot has closed.
    #[must_use]
    pub fn slots(&self) -> PathBuf {
        self.0.join("slots.json")
    }

    /// The texts of work orders.
    #[must_use]
    pub fn orders(&self) -> PathBuf {
        self.0.join("orders")
    }

    /// Where the lists of batches lie.
    #[must_use]
    pub fn rekeys(&self) -> PathBuf {
        self.0.join("rekeys")
    }

    /// Where proof files of single devices go.
    #[must_use]
    pub fn exports(&self) -> PathBuf {
        self.0.join("exports")
    }

    /// Makes the directory, for its owner only, with an example profile, and examples of its label.
    pub(crate) fn lay_out(&self, example: &str) -> io::Result<()> {
        let private = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        private(&self.0)?;
        for (name, text) in [
            ("profiles/example.toml", example),
            ("labels/example.zpl", include_str!("../defaults/label.zpl")),
            ("labels/example.toml", include_str!("../defaults/label.toml")),
        ] {
            let file = self.0.join(name);
            file.parent().map_or(Ok(()), private)?;
            if !file.exists() {
                durable(&file, text)?;
            }
        }
        Ok(())
    }

    /// Writes the settings, which make the directory a station.
    pub(crate) fn settle(&self, settings: &str) -> io::Result<()> {
        durable(&self.settings(), settings)?;
        fs::File::open(&self.0)?.sync_all()
    }
}

fn durable(file: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_a_profile_of_the_station_also_where_such_a_file_lies_around() {
        let data = DataDir::new("/station".into());
        // Tests run in the folder of the crate.
        assert!(Path::new("Cargo.toml").is_file());
        assert_eq!(data.profile(Path::new("Cargo.toml")), Path::new("/station/profiles/Cargo.toml"));
        for path in ["./Cargo.toml", "/etc/x.toml", "defaults/example.toml"] {
            assert_eq!(data.profile(Path::new(path)), Path::new(path));
        }
    }
}
