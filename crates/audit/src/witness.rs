//! A witness: remembers how far it has seen each log, and cosigns only what has grown out of that.
//!
//! The semantics of `add-checkpoint` of <https://c2sp.org/tlog-witness>, with files as the transport. It shares nothing
//! with a station; one directory holds all it knows:
//!
//! ```text
//! witness.key      its private key, mode 0600
//! witness.vkey     the public half, for the stations
//! logs/<origin>    for each log, `/` as `+`: its vkey on a line, then the checkpoint that was cosigned last
//! witness.lock     held while it works
//! ```

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::{Cosigner, WitnessKey};
use crate::files::{self, FileError, Lock};
use crate::note::{KeyError, NoteError, VerifierKey};
use crate::origin::Origin;
use crate::proof::{self, ProofError};
use crate::request::{RequestError, WitnessRequest};

/// A witness in its directory, locked against others until it is dropped.
pub struct Witness {
    directory: PathBuf,
    cosigner: Cosigner,
    _lock: Lock,
}

/// A log that a witness watches.
#[derive(Debug, Clone)]
pub struct WatchedLog {
    /// The log's key.
    pub key: VerifierKey,
    /// The checkpoint that was cosigned last, and when (seconds since 1970).
    pub last: Option<(Checkpoint, u64)>,
}

/// Why a witness does not cosign.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is none.
    #[error("this is no request to a witness: {0}")]
    Form(#[from] RequestError),
    /// The witness was never told of the log.
    #[error("this witness does not watch the log {0}")]
    Unknown(String),
    /// The checkpoint is none, or not signed by the key of the log.
    #[error("the checkpoint is not one of this log: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A line under the witness's own name is wrong.
    #[error("a cosignature under the name of this witness is not its own: {0}")]
    Cosignature(NoteError),
    /// The witness itself cosigned more than it remembers.
    #[error(
        "this witness cosigned {cosigned} records of the log, and remembers {known}: its own state was brought back \
         from an older copy"
    )]
    RolledBack {
        /// Records of the checkpoint that bears its cosignature.
        cosigned: u64,
        /// Records of the checkpoint that it remembers.
        known: u64,
    },
    /// The log became smaller.
    #[error(
        "the log has {size} records now, and had {known} before: records were removed, or an older copy brought back"
    )]
    Smaller {
        /// Records now.
        size: u64,
        /// Records before.
        known: u64,
    },
    /// As many records as before, and others.
    #[error(
        "the {size} records of the log are not the {size} records that were cosigned before: the log was forked"
    )]
    Forked {
        /// Records.
        size: u64,
    },
    /// The request begins with another checkpoint than the one that was cosigned last.
    #[error(
        "the request begins at {old} records, the last cosigned checkpoint of this log has {known}. If the response for \
         that one was lost, make the request anew from {known}; if this witness ever cosigned {old}, its state is not whole"
    )]
    Conflict {
        /// Where the request begins.
        old: u64,
        /// Records of the checkpoint that was cosigned last.
        known: u64,
    },
    /// The log did not grow out of what was cosigned before, or nothing shows that it did.
    #[error("nothing shows that the log grew out of the {known} records that were cosigned before: {why}")]
    Proof {
        /// Records of the checkpoint that was cosigned last.
        known: u64,
        /// What is wrong with the proof.
        why: ProofError,
    },
    /// The witness's clock is behind its last cosignature.
    #[error("the clock of this witness is behind its last cosignature: set it right")]
    Clock,
    /// The witness itself does not work.
    #[error(transparent)]
    Broken(#[from] WitnessError),
}

impl Refusal {
    /// A stable name, for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Form(_) => "request-form",
            Self::Unknown(_) => "log-unknown",
            Self::Checkpoint(_) => "checkpoint-invalid",
            Self::Cosignature(_) => "cosignature-invalid",
            Self::RolledBack { .. } => "witness-rolled-back",
            Self::Smaller { .. } => "log-smaller",
            Self::Forked { .. } => "log-forked",
            Self::Conflict { .. } => "other-beginning",
            Self::Proof { .. } => "not-consistent",
            Self::Clock => "witness-clock",
            Self::Broken(_) => "witness-broken",
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Form(_) => &["Take the file that `keystation audit anchor request` made."],
            Self::Unknown(_) => {
                &["Check which station it comes from.", "A new one: keystation witness add-log."]
            }
            Self::Checkpoint(_) | Self::Cosignature(_) => {
                &["Check which station it comes from.", "Keep the file and call QA."]
            }
            Self::RolledBack { .. } | Self::Broken(_) => {
                &["Cosign nothing more with this witness.", "Leave its files as they are and call QA."]
            }
            Self::Smaller { .. } | Self::Forked { .. } | Self::Proof { .. } => &[
                "Inject nothing more at that station.",
                "Keep this file and the last cosigned checkpoint: together they are the proof.",
                "Call QA.",
            ],
            Self::Conflict { .. } => {
                &["At the station: keystation audit anchor request --old with that number."]
            }
            Self::Clock => &["Set the clock of this machine right."],
        }
    }
}

/// A witness that does not work.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// There is none in the directory.
    #[error("there is no witness in {}", .0.display())]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a witness in {} already; it is left as it is", .0.display())]
    Exists(PathBuf),
    /// Another program works with it.
    #[error("another program uses the witness in {}", .0.display())]
    InUse(PathBuf),
    /// Others can read the key.
    #[error("{} can be read or written by other users, so its cosignatures are worth nothing", .0.display())]
    KeyExposed(PathBuf),
    /// A key cannot be used.
    #[error("{}: no key of its kind: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: KeyError,
    },
    /// What is remembered of a log is not what was put down.
    #[error("what this witness remembers in {} is damaged or was changed", .0.display())]
    State(PathBuf),
    /// The name of a witness or log cannot be used.
    #[error("`{0}` is no name for it: up to 128 characters of a-z, 0-9, -, . and / are allowed")]
    Name(String),
    /// The log is watched already.
    #[error("the log {0} is watched already, perhaps with another key; nothing was changed")]
    Watched(String),
    /// A file failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The system gives no random numbers for the key.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
}

impl Witness {
    /// Makes a witness with a new key; its name says whose it is, for example `witness.example.com/qa`.
    pub fn create(directory: &Path, name: &str) -> Result<WitnessKey, WitnessError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '/');
        if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
            return Err(WitnessError::Name(name.to_owned()));
        }
        let key_file = directory.join("witness.key");
        if key_file.exists() {
            return Err(WitnessError::Exists(directory.to_owned()));
        }
        let logs = directory.join("logs");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&logs);
        made.map_err(FileError::new("create", &logs))?;
        let cosigner = Cosigner::generate(name)?;
        files::replace(&directory.join("witness.vkey"), &format!("{}\n", cosigner.verifier()))?;
        // Last: with its key it is a witness.
        files::create(&key_file, &cosigner.to_text(), 0o600)?;
        Ok(cosigner.verifier().clone())
    }

    /// Opens the witness in a directory.
    pub fn open(directory: &Path) -> Result<Self, WitnessError> {
        let path = directory.join("witness.key");
        let text = files::read(&path)?.ok_or_else(|| WitnessError::Missing(directory.to_owned()))?;
        let lock = Lock::take(&directory.join("witness.lock"))?;
        let lock = lock.ok_or_else(|| WitnessError::InUse(directory.to_owned()))?;
        if files::is_open_to_others(&path)? {
            return Err(WitnessError::KeyExposed(path));
        }
        let cosigner = Cosigner::from_text(&text).map_err(|why| WitnessError::Key { path, why })?;
        Ok(Self { directory: directory.to_owned(), cosigner, _lock: lock })
    }

    /// The key that stations check its cosignatures with.
    #[must_use]
    pub const fn key(&self) -> &WitnessKey {
        self.cosigner.verifier()
    }

    /// Watches a log from now on. Whoever calls this must know whose key it is: it cannot be told from the key.
    pub fn add_log(&self, key: &VerifierKey) -> Result<(), WitnessError> {
        let origin = Origin::new(key.name()).map_err(|_| WitnessError::Name(key.name().to_owned()))?;
        let file = self.file(&origin);
        if file.exists() {
            return Err(WitnessError::Watched(origin.to_string()));
        }
        Ok(files::replace(&file, &format!("{key}\n"))?)
    }

    /// The logs that it watches, by name.
    pub fn logs(&self) -> Result<Vec<WatchedLog>, WitnessError> {
        let folder = self.directory.join("logs");
        let fail = || FileError::new("read", &folder);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(fail())? {
            files.push(entry.map_err(fail())?.path());
        }
        // A crash may have left the file that was to replace another.
        files.retain(|file| file.extension().is_none_or(|end| end != "tmp"));
        files.sort();
        let logs = files.iter().map(|file| Ok(self.load(file)?.expect("it was listed")));
        logs.collect()
    }

    /// Cosigns the checkpoint of `request` at `now` (seconds since 1970) and gives back the checkpoint with the
    /// cosignature. What it cosigned is on the disk before this returns, so that no crash makes it forget.
    pub fn sign(&self, request: &str, now: u64) -> Result<String, Refusal> {
        let WitnessRequest { old, proof, note } = WitnessRequest::parse(request)?;
        let origin = note.split('\n').next().unwrap_or_default();
        let unknown =
            || Refusal::Unknown(origin.chars().filter(|c| c.is_ascii_graphic()).take(128).collect());
        let file = self.file(&Origin::new(origin).map_err(|_| unknown())?);
        let log = self.load(&file)?.ok_or_else(unknown)?;
        let checkpoint = Checkpoint::open(&note, &log.key)?;
        let size = checkpoint.size;
        let own = self.key().cosigned_at(&note).map_err(Refusal::Cosignature)?;
        let known = log.last.as_ref().map_or(0, |(last, _)| last.size);
        if own.is_some() && size > known {
            return Err(Refusal::RolledBack { cosigned: size, known });
        }
        if size < known {
            return Err(Refusal::Smaller { size, known });
        }
        if let Some((last, time)) = &log.last {
            if size == known && checkpoint.root != last.root {
                return Err(Refusal::Forked { size });
            }
            if now < *time {
                return Err(Refusal::Clock);
            }
        }
        if old != known {
            return Err(Refusal::Conflict { old, known });
        }
        let proven = match &log.last {
            Some((last, _)) => proof::verify_consistency(known, &last.root, size, &checkpoint.root, &proof),
            None if proof.is_empty() => Ok(()),
            None => Err(ProofError::Length),
        };
        proven.map_err(|why| Refusal::Proof { known, why })?;
        let line = self.cosigner.cosign(&note, now).map_err(CheckpointError::Note)?;
        let response = note + &line;
        // As it will be read again: with one more line it could be too long.
        self.key().cosigned_at(&response).map_err(CheckpointError::Note)?;
        files::replace(&file, &format!("{}\n{response}", log.key)).map_err(WitnessError::File)?;
        Ok(response)
    }

    fn file(&self, origin: &Origin) -> PathBuf {
        self.directory.join("logs").join(origin.as_str().replace('/', "+"))
    }

    /// `None`: the log is not watched. What is remembered bears two signatures, and both are checked.
    fn load(&self, file: &Path) -> Result<Option<WatchedLog>, WitnessError> {
        let Some(text) = files::read(file)? else { return Ok(None) };
        let damaged = || WitnessError::State(file.to_owned());
        let (key, note) = text.split_once('\n').ok_or_else(damaged)?;
        let key: VerifierKey = key.parse().map_err(|why| WitnessError::Key { path: file.to_owned(), why })?;
        if Origin::new(key.name()).ok().map(|origin| self.file(&origin)).as_deref() != Some(file) {
            return Err(damaged());
        }
        if note.is_empty() {
            return Ok(Some(WatchedLog { key, last: None }));
        }
        let checkpoint = Checkpoint::open(note, &key).map_err(|_| damaged())?;
        let time = self.key().cosigned_at(note).ok().flatten().ok_or_else(damaged)?;
        Ok(Some(WatchedLog { key, last: Some((checkpoint, time)) }))
    }
}
