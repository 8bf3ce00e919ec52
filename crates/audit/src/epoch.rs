//! A new epoch: a new log under the next origin, where the old one cannot be continued. Nothing of the old one is deleted.
//!
//! ```text
//! epoch.plan       what is being done and how far; while it is there, no log of this directory opens
//! epochs/next/     the new log, until it is complete
//! epochs/<n>/      database, head and keys of epoch n, as they were found
//! ```

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use keystation_core::record::{Actor, Previous};

use crate::clock::Clock;
use crate::files::{self, FileError, Lock, Paths};
use crate::journal::Journal;
use crate::note::{Signer, VerifierKey};
use crate::open_error::OpenError;
use crate::origin::Origin;
use crate::remains::Remains;

/// What belongs to one epoch. SQLite's own files come before the database: without them it would still open.
const PARTS: [&str; 7] =
    ["audit.db-wal", "audit.db-shm", "audit.db", "head.tail", "head.note", "log.vkey", "station.key"];

/// The role in a genesis record whose two people could prove nothing: of the old log nothing could be read.
pub const UNPROVEN: &str = "unproven";

/// Who begins a new epoch, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochOrder {
    /// Operator ID.
    pub operator: String,
    /// The operator's roles, or [`UNPROVEN`].
    pub role: String,
    /// The second person.
    pub approver: String,
    /// For the record, at most 200 characters.
    pub reason: String,
}

/// A new epoch that was not begun, or not finished.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// One of the two people is missing, or both are the same.
    #[error("a new epoch takes two people: the approver is somebody else than the operator")]
    OnePerson,
    /// There is no reason, or too much of it.
    #[error("a new epoch takes a reason of 1 to 200 characters without control characters")]
    Reason,
    /// Nothing says whose log it was.
    #[error("neither station.key nor log.vkey in {} says which log it was: no epoch can follow it", .0.display())]
    NoKey(PathBuf),
    /// The old one was moved aside before.
    #[error("{} is there already: something of that epoch was moved aside before", .0.display())]
    Exists(PathBuf),
    /// The plan of an earlier call cannot be read.
    #[error("{} is not a plan that this program wrote", .0.display())]
    Plan(PathBuf),
    /// There is no next origin.
    #[error("no epoch can follow {0}")]
    Last(String),
    /// The new log could not be made, or the old one is in use.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// A file failed. The same call goes on where this one stopped.
    #[error(transparent)]
    File(#[from] FileError),
}

/// How far it is. Each step can be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The new log is made beside the old one.
    Make,
    /// The old one is moved aside.
    Out,
    /// The new one takes its place.
    In,
}

/// What `epoch.plan` says: a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    phase: Phase,
    origin: Origin,
    operator: String,
    role: String,
    previous: Previous,
}

/// The plan of a directory.
pub(crate) fn plan_file(directory: &Path) -> PathBuf {
    directory.join("epoch.plan")
}

/// Begins the epoch after the one in `directory`, or finishes one that was begun and cut short. Gives back the origin of the new log.
///
/// The plan of one that was cut short is signed by nobody: as long as no file was moved it is made anew, for this order. Afterwards the new log is there,
/// which says who began it. Whoever calls this has asked the two for a proof in either case ([`accounts_left`](crate::accounts_left)).
pub fn begin_epoch(
    directory: &Path,
    order: &EpochOrder,
    clock: impl Clock + Clone,
) -> Result<Origin, EpochError> {
    let lock_file = Paths::in_dir(directory).lock;
    let _lock = Lock::take(&lock_file)?.ok_or_else(|| OpenError::InUse(lock_file.clone()))?;
    let mut plan = match files::read(&plan_file(directory))? {
        Some(text) => {
            let plan = Plan::parse(&text).ok_or_else(|| EpochError::Plan(plan_file(directory)))?;
            if plan.phase == Phase::Make { plan_of(directory, order)? } else { plan.of_new_log(directory)? }
        }
        None => plan_of(directory, order)?,
    };
    while plan.advance(directory, &clock)? {}
    Ok(plan.origin)
}

fn plan_of(directory: &Path, order: &EpochOrder) -> Result<Plan, EpochError> {
    let EpochOrder { operator, role, approver, reason } = order;
    if operator.is_empty() || approver.is_empty() || operator == approver {
        return Err(EpochError::OnePerson);
    }
    if reason.trim().is_empty() || reason.chars().count() > 200 || reason.chars().any(char::is_control) {
        return Err(EpochError::Reason);
    }
    let paths = Paths::in_dir(directory);
    let key = key(&paths)?.ok_or_else(|| EpochError::NoKey(directory.to_owned()))?;
    let origin = next_origin(key.name()).ok_or_else(|| EpochError::Last(key.name().to_owned()))?;
    let aside = aside(directory, key.name());
    // An empty one is from a plan that was cut short.
    if aside.exists() && fs::read_dir(&aside).map_err(FileError::new("read", &aside))?.next().is_some() {
        return Err(EpochError::Exists(aside));
    }
    let remains = Remains::find(&paths, &key)?;
    let last = remains.last();
    let root = last.map_or(String::new(), |last| last.root.iter().map(|b| format!("{b:02x}")).collect());
    let plan = Plan {
        phase: Phase::Make,
        origin,
        operator: operator.clone(),
        role: role.clone(),
        previous: Previous {
            origin: key.name().to_owned(),
            size: last.map_or(0, |last| last.size),
            root,
            approver: approver.clone(),
            reason: reason.clone(),
        },
    };
    plan.store(directory)?;
    Ok(plan)
}

/// Where the log of this origin goes.
fn aside(directory: &Path, origin: &str) -> PathBuf {
    directory.join("epochs").join(origin.rsplit('/').next().unwrap_or_default())
}

/// Where the files of the old log may be. Of an epoch that was cut short some of them, or all, were moved aside; a plan that says so may say what it likes, so
/// the directory itself is one of the places.
pub(crate) fn places(directory: &Path) -> Result<Vec<Paths>, FileError> {
    let here = Paths::in_dir(directory);
    let plan = files::read(&plan_file(directory))?.and_then(|text| Plan::parse(&text));
    let Some(plan) = plan.filter(|plan| plan.phase != Phase::Make) else { return Ok(vec![here]) };
    let mut moved = Paths::in_dir(&aside(directory, &plan.previous.origin));
    if plan.phase == Phase::Out {
        let back = |moved: &mut PathBuf, here: &PathBuf| {
            if !moved.exists() {
                moved.clone_from(here);
            }
        };
        back(&mut moved.db, &here.db);
        back(&mut moved.head, &here.head);
        back(&mut moved.key, &here.key);
        back(&mut moved.vkey, &here.vkey);
    }
    Ok(vec![moved, here])
}

/// The key of the old log, from whichever file still says it.
pub(crate) fn key(paths: &Paths) -> Result<Option<VerifierKey>, FileError> {
    if let Some(text) = files::read(&paths.key)?
        && let Ok(signer) = Signer::from_text(&text)
    {
        return Ok(Some(signer.verifier().clone()));
    }
    Ok(files::read(&paths.vkey)?.and_then(|text| text.trim_end().parse().ok()))
}

/// The origin of the epoch after that of `name`.
fn next_origin(name: &str) -> Option<Origin> {
    let (station, epoch) = name.rsplit_once('/')?;
    let next = epoch.parse::<u32>().ok()?.checked_add(1)?;
    Origin::new(&format!("{station}/{next}")).ok()
}

/// Makes the new log from the beginning; what an earlier call left of it was never in use.
fn make(directory: &Path, next: &Path, plan: &Plan, clock: impl Clock) -> Result<(), EpochError> {
    if next.exists() {
        fs::remove_dir_all(next).map_err(FileError::new("remove", next))?;
    }
    private(next)?;
    let actor = Actor { operator: plan.operator.clone(), role: plan.role.clone(), ..Actor::default() };
    // The old log is in its place as long as there is a new one to be made: so this, too, can be done again.
    let old = Paths::in_dir(directory);
    let key = key(&old)?.ok_or_else(|| EpochError::NoKey(directory.to_owned()))?;
    let (from, said) = Remains::find(&old, &key)?.said(&key);
    let takes_over = (&plan.previous, &from, &said);
    let journal = Journal::succeed(&Paths::in_dir(next), &plan.origin, &actor, clock, takes_over)?;
    Ok(journal.close().map_err(OpenError::Genesis)?)
}

/// Makes a directory below `epochs`, which is made with it.
fn private(directory: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(FileError::new("create", directory))?;
    files::sync_directory(directory)?;
    directory.parent().map_or(Ok(()), files::sync_directory)
}

/// Moves the first part that is still there; `false` when none is.
fn move_part(from: &Path, to: &Path) -> Result<bool, FileError> {
    let Some(part) = PARTS.into_iter().find(|part| from.join(part).exists()) else { return Ok(false) };
    let (old, new) = (from.join(part), to.join(part));
    fs::rename(&old, &new).map_err(FileError::new("move", &old))?;
    files::sync_directory(&new)?;
    files::sync_directory(&old)?;
    Ok(true)
}

impl Plan {
    /// The same, if the new log is the one that it names: with its files some of the old one were moved.
    fn of_new_log(self, directory: &Path) -> Result<Self, EpochError> {
        let next = key(&Paths::in_dir(&directory.join("epochs/next")))?;
        // Its key is moved last.
        let next = if next.is_some() { next } else { key(&Paths::in_dir(directory))? };
        let named = next.is_some_and(|key| key.name() == self.origin.as_str());
        if named { Ok(self) } else { Err(EpochError::Plan(plan_file(directory))) }
    }

    /// Takes one step; `false` when it was the last. Whatever step is cut short is taken again.
    fn advance(&mut self, directory: &Path, clock: &(impl Clock + Clone)) -> Result<bool, EpochError> {
        let (aside, next) = (aside(directory, &self.previous.origin), directory.join("epochs/next"));
        match self.phase {
            Phase::Make => {
                make(directory, &next, self, clock.clone())?;
                private(&aside)?;
                self.phase = Phase::Out;
                self.store(directory)?;
            }
            Phase::Out => {
                if !move_part(directory, &aside)? {
                    self.phase = Phase::In;
                    self.store(directory)?;
                }
            }
            Phase::In => {
                if !move_part(&next, directory)? {
                    if next.exists() {
                        fs::remove_dir_all(&next).map_err(FileError::new("remove", &next))?;
                    }
                    let plan = plan_file(directory);
                    fs::remove_file(&plan).map_err(FileError::new("remove", &plan))?;
                    files::sync_directory(&plan)?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn store(&self, directory: &Path) -> Result<(), FileError> {
        let phase = match self.phase {
            Phase::Make => "make",
            Phase::Out => "out",
            Phase::In => "in",
        };
        let Previous { origin, size, root, approver, reason } = &self.previous;
        let text = format!(
            "{phase}\n{}\n{}\n{}\n{origin}\n{size}\n{root}\n{approver}\n{reason}\n",
            self.origin, self.operator, self.role
        );
        files::replace(&plan_file(directory), &text)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [phase, origin, operator, role, previous, size, root, approver, reason, ""] = lines[..] else {
            return None;
        };
        let phase = match phase {
            "make" => Phase::Make,
            "out" => Phase::Out,
            "in" => Phase::In,
            _ => return None,
        };
        let previous = Previous {
            origin: Origin::new(previous).ok()?.to_string(),
            size: size.parse().ok()?,
            root: root.to_owned(),
            approver: approver.to_owned(),
            reason: reason.to_owned(),
        };
        let origin = Origin::new(origin).ok()?;
        next_origin(&previous.origin).filter(|next| *next == origin)?;
        Some(Self { phase, origin, operator: operator.to_owned(), role: role.to_owned(), previous })
    }
}

#[cfg(test)]
mod tests;
