//! One station: its settings, its log, its vault. Every flow of the CLI and the window starts here.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use keystation_audit::{Clock, Journal, Origin, Paths, Reader, Rules, SystemClock};
use keystation_core::key::KeyLabel;
use keystation_core::record::{Actor, End, Entry, Event, Seq};
use keystation_vault::{CustodyKind, Passphrase, UnlockedVault, WorkFactor};
use sha2::{Digest, Sha256};

use crate::after::After;
use crate::archive::Archive;
use crate::ceremony::{Ceremonies, Limits};
use crate::config::StationConfig;
use crate::custodies::{Custodies, Opened};
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::in_work::InWork;
use crate::leaving::Left;
use crate::orders::Shelf;
use crate::people::{Action, People, Permit, PinCost, Request};
use crate::program;
use crate::random;
use crate::training::{self, Training, TrainingError};

/// An open station. Clones share it; the last one to go closes the log.
#[derive(Clone)]
pub struct Station(Arc<Inner>);

struct Inner {
    data: DataDir,
    config: Arc<StationConfig>,
    /// First of all to go: its threads write to the log.
    after: After,
    journal: Journal,
    /// For what is asked of the log for each device.
    readers: crate::readers::Readers,
    /// The run of this program, in the records of which nobody is the actor.
    session: String,
    people: People,
    custodies: Custodies,
    ceremonies: Ceremonies,
    orders: Shelf,
    /// Held from the look at the batches of repair to the record that is made of it.
    batches: Mutex<()>,
    in_work: InWork,
    desk: Mutex<Desk>,
    /// Told whenever what somebody is typing concerns nobody any more.
    left: OnceLock<Left>,
    /// Told whenever the desk changes.
    changed: Condvar,
    /// Whether the last record is written. Held by whoever writes it: a second one waits until it is.
    closed: Mutex<bool>,
    /// The directory that only this training has.
    training: OnceLock<Training>,
}

/// A station that is kept from going by nobody.
pub(crate) struct WeakStation(Weak<Inner>);

impl WeakStation {
    pub(crate) fn upgrade(&self) -> Option<Station> {
        self.0.upgrade().map(Station)
    }
}

/// What changes while the station is open.
pub(crate) struct Desk {
    pub(crate) opened: Opened,
    /// Those that are open for a look at a device.
    pub(crate) beside: BTreeMap<u64, UnlockedVault>,
    /// Counts how often something was closed.
    pub(crate) closings: u64,
    /// Counts the changes that somebody may wait for.
    turns: u64,
    /// The program was told to go: no custody is opened any more.
    pub(crate) ending: bool,
}

impl Station {
    /// Makes a station: directory, settings, signing key, log with its genesis record.
    pub fn init(data: &DataDir, name: &str) -> Result<Origin, StationError> {
        if data.settings().exists() {
            return Err(StationError::Exists(data.path().to_owned()));
        }
        if training::is_name(name) {
            return Err(TrainingError::Reserved.into());
        }
        Self::make(data, name, "", include_str!("../defaults/example.toml"), "")
    }

    /// The same under any name, with `head` above the settings and `more` below them.
    pub(crate) fn make(
        data: &DataDir,
        name: &str,
        head: &str,
        example: &str,
        more: &str,
    ) -> Result<Origin, StationError> {
        let origin = Origin::new(&format!("{name}/1")).map_err(StationError::Origin)?;
        let settings = include_str!("../defaults/station.toml").replace("{origin}", name);
        let disk = |cause| StationError::Disk { path: data.path().to_owned(), cause };
        data.lay_out(example).map_err(disk)?;
        let journal = Journal::create(
            &paths(data),
            &origin,
            &Actor { role: "station".to_owned(), ..Actor::default() },
            clock()?,
        )?;
        journal.close()?;
        // Last: a directory with settings is a whole station.
        data.settle(&format!("{head}{settings}{more}")).map_err(disk)?;
        Ok(origin)
    }

    /// Opens a station for writing: checks the log against its head and puts a start record into it.
    pub fn open(data: &DataDir, program: &str) -> Result<Self, StationError> {
        Self::open_under(data, program, clock()?, PinCost::STATION)
    }

    /// The same under another clock and with another cost of PINs than the usual ones, and with the least cost of what is
    /// sealed where that is the least. For tests.
    pub fn open_under(
        data: &DataDir,
        program: &str,
        clock: impl Clock + Clone + Sync,
        cost: PinCost,
    ) -> Result<Self, StationError> {
        Self::open_as(data, program, clock, cost, false)
    }

    /// Opens the station of a training, which nothing else opens.
    pub(crate) fn open_training(
        data: &DataDir,
        program: &str,
        clock: impl Clock + Clone + Sync,
        cost: PinCost,
    ) -> Result<Self, StationError> {
        Self::open_as(data, program, clock, cost, true)
    }

    fn open_as(
        data: &DataDir,
        program: &str,
        clock: impl Clock + Clone + Sync,
        cost: PinCost,
        training: bool,
    ) -> Result<Self, StationError> {
        if !data.settings().exists() {
            return Err(StationError::Missing(data.path().to_owned()));
        }
        let config = StationConfig::read(&data.settings())?;
        if training::is_name(&config.origin) != training {
            return Err(TrainingError::Started(data.path().to_owned()).into());
        }
        let rules = Rules { space: config.space, ..Rules::default() };
        let journal = Journal::open_under(&paths(data), &rules, clock.clone())?;
        let named = format!("{}/", config.origin);
        if !journal.origin().as_str().starts_with(&named) {
            return Err(StationError::OtherLog {
                settings: config.origin,
                log: journal.origin().as_str().to_owned(),
            });
        }
        let open_intents = Reader::open(&paths(data))?.open_intents()?.len() as u64;
        let desk =
            Desk { opened: Opened::default(), beside: BTreeMap::new(), closings: 0, turns: 0, ending: false };
        let work = if cost == PinCost::TEST { WorkFactor::TEST } else { WorkFactor::STATION };
        let inner = Inner {
            data: data.clone(),
            session: random::session()?,
            readers: Default::default(),
            people: People::new(clock, cost, config.session),
            custodies: Custodies::sealing(data, &config, work)?,
            ceremonies: Ceremonies::new(Limits::STATION),
            orders: Shelf::default(),
            batches: Mutex::default(),
            in_work: InWork::default(),
            after: After::default(),
            journal,
            desk: Mutex::new(desk),
            left: OnceLock::new(),
            changed: Condvar::new(),
            closed: Mutex::new(false),
            training: OnceLock::new(),
            config: Arc::new(config),
        };
        let station = Self(Arc::new(inner));
        station.append(Event::Open {
            version: format!("{program} {}", env!("CARGO_PKG_VERSION")),
            sqlite: keystation_audit::sqlite_version().to_owned(),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            config: hex(&Sha256::digest(&station.0.config.text)),
            build: program::build().map_err(StationError::Program)?.to_owned(),
            open_intents,
        })?;
        station.record_tries()?;
        station.tidy_people()?;
        station.look_at_counter()?;
        station.watch_session().map_err(StationError::Thread)?;
        Ok(station)
    }

    /// The directory of this station.
    #[must_use]
    pub fn data(&self) -> &DataDir {
        &self.0.data
    }

    /// Whether this is a training.
    #[must_use]
    pub fn is_training(&self) -> bool {
        training::is_name(&self.0.config.origin)
    }

    /// Keeps the directory of a training for as long as the station is open.
    pub(crate) fn hold(&self, training: Training) {
        // It is opened once.
        drop(self.0.training.set(training));
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &StationConfig {
        &self.0.config
    }

    /// Opens the sealed file. A wrong passphrase is recorded. Permit: [`Action::Unlock`].
    pub fn unlock(&self, permit: &Permit, passphrase: &Passphrase) -> Result<(), StationError> {
        self.open_custody(permit, CustodyKind::SealedFile, passphrase)
    }

    /// Wipes the keys. A slot that has derived its device's key ends that device in order; one that has only read the
    /// device reports that the vault is locked, and has written nothing. Permit: [`Action::Lock`].
    pub fn lock(&self, permit: &Permit) -> Result<(), StationError> {
        self.honour(permit, Action::Lock)?;
        self.lock_custody()
    }

    /// Whether keys can be derived.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        !self.desk().opened.is_empty()
    }

    /// Whether an open custody has a key of this label.
    #[must_use]
    pub fn has_key(&self, label: &KeyLabel) -> bool {
        self.desk().opened.keys().any(|key| key.label == *label)
    }

    /// Blocks until `ready` says yes; asked again, with no lock held, whenever a custody is opened or closed, a session changes, or
    /// [`Station::wake`] is called.
    pub(crate) fn wait_until(&self, ready: impl Fn() -> bool) {
        loop {
            let seen = self.desk().turns;
            if ready() {
                return;
            }
            let same = |desk: &mut Desk| desk.turns == seen;
            drop(self.0.changed.wait_while(self.desk(), same).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Has everyone who waits ask again.
    pub(crate) fn wake(&self) {
        self.desk().turns += 1;
        self.0.changed.notify_all();
    }

    /// The log and the settings, for whoever only looks.
    #[must_use]
    pub fn archive(&self) -> Archive {
        Archive::of(self.0.data.clone(), Arc::clone(&self.0.config))
    }

    /// What another person has to approve before the time is accepted.
    #[must_use]
    pub fn clock_request(reason: &str) -> Request {
        Request { action: Action::AcceptClock, subject: String::new(), reason: reason.to_owned() }
    }

    /// Two people accept the time that the clock shows, after it went back. Permit: [`Action::AcceptClock`], approved for this
    /// reason.
    pub fn accept_clock(&self, permit: &Permit, reason: &str) -> Result<Seq, StationError> {
        self.honour_request(permit, &Self::clock_request(reason))?;
        let approver = permit.approver().to_owned();
        let accepted = self.append_by(permit, Event::ClockAccepted { reason: reason.to_owned(), approver });
        self.done_or_told(permit, "", accepted)
    }

    /// A read-only connection to the log.
    pub fn reader(&self) -> Result<Reader, StationError> {
        Ok(Reader::open(&paths(&self.0.data))?)
    }

    /// The last record, and the log is closed. Again is harmless.
    pub fn close(self) -> Result<(), StationError> {
        let mut closed = self.0.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Ok(());
        }
        self.leave(End::Program)?;
        self.tell_unread()?;
        // What they are at is put down before the last record, or not at all.
        self.0.after.end();
        self.append(Event::Close)?;
        // The last connection to go folds the write-ahead log into the database: that is the journal's.
        self.0.readers.close();
        self.0.journal.clone().close()?;
        *closed = true;
        Ok(())
    }

    pub(crate) fn left(&self) -> &OnceLock<Left> {
        &self.0.left
    }

    pub(crate) fn after(&self) -> &After {
        &self.0.after
    }

    pub(crate) fn ceremonies(&self) -> &Ceremonies {
        &self.0.ceremonies
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.0.orders
    }

    pub(crate) fn all_custodies(&self) -> &Custodies {
        &self.0.custodies
    }

    pub(crate) fn append(&self, event: Event) -> Result<Seq, StationError> {
        Ok(self.journal().append(&Entry { actor: self.actor(), event })?)
    }

    /// A record of what the station itself did, whoever is signed in.
    pub(crate) fn append_alone(&self, event: Event) -> Result<Seq, StationError> {
        Ok(self.journal().append(&Entry { actor: self.nobody(), event })?)
    }

    /// A record of what a permit was for.
    pub(crate) fn append_by(&self, permit: &Permit, event: Event) -> Result<Seq, StationError> {
        Ok(self.journal().append(&Entry { actor: permit.actor().clone(), event })?)
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// A look at the log, over a connection that is kept.
    pub(crate) fn look(&self) -> Result<crate::readers::Look<'_>, StationError> {
        self.0.readers.look(&paths(&self.0.data))
    }

    /// Nobody else opens or closes a batch of repair meanwhile: its number, and the record before it, are looked up first.
    pub(crate) fn with_batches(&self) -> MutexGuard<'_, ()> {
        self.0.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn in_work(&self) -> &InWork {
        &self.0.in_work
    }

    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    pub(crate) fn downgrade(&self) -> WeakStation {
        WeakStation(Arc::downgrade(&self.0))
    }

    /// The name of this run of the program.
    pub(crate) fn program_session(&self) -> &str {
        &self.0.session
    }

    /// Who acts: the person who is signed in, or the station itself.
    pub(crate) fn actor(&self) -> Actor {
        self.asker()
    }

    /// The desk; a thread that panicked while it held it left nothing half-done there.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the log of a data directory is.
#[must_use]
pub fn paths(data: &DataDir) -> Paths {
    Paths::in_dir(data.path())
}

pub(crate) fn clock() -> Result<SystemClock, StationError> {
    SystemClock::new().map_err(StationError::Clock)
}

/// The 32 bytes of 64 hexadecimal digits.
pub(crate) fn digest(digits: &str) -> Option<[u8; 32]> {
    let pairs: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    pairs?.try_into().ok()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
