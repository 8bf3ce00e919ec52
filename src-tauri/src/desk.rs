//! What is behind the window: a station at work, or its log alone.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use keystation::config::{Profile, Purpose};
use keystation::line::{LabelMatch, Line, LineEvent};
use keystation::people::{Action, Away, Permit};
use keystation::training::Training;
use keystation::{Archive, DataDir, Ending, Remark, Station, StationError};
use keystation_core::key::KeyLabel;
use tauri::async_runtime::spawn_blocking;

use crate::alarm::Alarm;
use crate::audit_room::AuditRoom;
use crate::board::Board;
use crate::dto::{self, AfterLine, SessionLine};
use crate::going::Going;
use crate::labels::Labels;
use crate::machine::Departure;
use crate::problem::Problem;
use crate::repair_room::RepairBench;
use crate::typed::Dialogs;

/// What the window was opened on.
pub(crate) enum Desk {
    /// A station that is open for work.
    Line(Box<LineDesk>),
    /// Its log, read-only. What writes is no part of this, so no command can reach it.
    Audit(AuditRoom),
}

impl Desk {
    /// Opens the station and starts its slots.
    pub(crate) fn line(data: &DataDir) -> Result<Self, StationError> {
        Self::at(Station::open(data, env!("CARGO_PKG_NAME"))?)
    }

    /// Makes a training anew, and starts its slots, into which simulated devices are plugged.
    pub(crate) fn training(data: &DataDir) -> Result<Self, StationError> {
        Self::at(Training::begin(data)?.open(env!("CARGO_PKG_NAME"))?)
    }

    /// Starts the slots of a station that is open.
    pub(crate) fn at(station: Station) -> Result<Self, StationError> {
        LineDesk::open(station).map(|desk| Self::Line(Box::new(desk)))
    }

    /// Opens the log to look at it: no lock, no vault, no ports, beside a running station or without one.
    pub(crate) fn audit(data: &DataDir) -> Result<Self, StationError> {
        Ok(Self::Audit(AuditRoom::new(Archive::open(data)?)))
    }

    /// What is always in sight.
    pub(crate) async fn overview(&self) -> Result<dto::Overview, Problem> {
        match self {
            Self::Line(desk) => {
                desk.station.permit(Action::Overview)?;
                Ok(desk.overview()?)
            }
            Self::Audit(room) => room.overview().await,
        }
    }

    /// The machine goes to sleep, its screen is locked, or it is shut down: then the station ends, after the device in hand.
    pub(crate) fn depart(&self, departure: Departure) -> Result<(), StationError> {
        let Self::Line(desk) = self else { return Ok(()) };
        match departure {
            Departure::Suspend => desk.station.away(Away::Suspend),
            Departure::ScreenLock => desk.station.away(Away::Screen),
            Departure::Shutdown => desk.station.end(),
        }
    }

    /// Locks the station when anything in the process panics. A window that only looks has nothing to lock.
    pub(crate) fn watch_panics(&self) -> Result<(), StationError> {
        match self {
            Self::Line(desk) => desk.alarm.listen().map_err(StationError::Thread),
            Self::Audit(_) => Ok(()),
        }
    }

    /// Ends the program in order when a signal tells it to go. A window that only looks has nothing to end.
    pub(crate) fn watch_signals(&self) -> Result<Option<Ending>, StationError> {
        let Self::Line(desk) = self else { return Ok(None) };
        Ending::watch(&desk.station, |signal, failed| match failed {
            None => tracing::info!(signal, "ended: the keys are wiped, the log is closed"),
            Some(error @ StationError::Unanswered(_)) => {
                tracing::error!(signal, %error, "ended: the keys are wiped, the log is closed");
            }
            Some(error) => tracing::error!(signal, %error, "ended: the log was not closed in order"),
        })
        .map(Some)
        .map_err(StationError::Thread)
    }

    /// Ends what was begun here, before the program ends.
    pub(crate) fn close(&self) -> Result<(), StationError> {
        match self {
            Self::Line(desk) => desk.close(),
            Self::Audit(room) => {
                room.cancel_verify();
                Ok(())
            }
        }
    }
}

/// Nothing is left half-done in what a thread that panicked held.
fn lock(running: &Mutex<Option<Line>>) -> MutexGuard<'_, Option<Line>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open station, its running slots and what they show.
pub(crate) struct LineDesk {
    pub(crate) station: Station,
    pub(crate) board: Arc<Board>,
    /// What was scanned.
    pub(crate) labels: Arc<Labels>,
    /// Locks the station after a panic.
    pub(crate) alarm: Alarm,
    /// Where people type secrets.
    pub(crate) dialogs: Dialogs,
    room: AuditRoom,
    slots: Vec<dto::SlotLine>,
    /// The group key of the first slot's profile.
    key: Option<KeyLabel>,
    running: Arc<Mutex<Option<Line>>>,
    /// What goes out after a PASS.
    going: Arc<Going>,
    /// What repair is at.
    pub(crate) repair: Arc<RepairBench>,
}

impl LineDesk {
    fn open(station: Station) -> Result<Self, StationError> {
        let board = Arc::new(Board::default());
        let dialogs = Dialogs::new({
            let station = station.clone();
            move || station.touch()
        });
        // Whoever leaves, however that comes about, leaves no secret half typed behind.
        station.when_left(dialogs.dismissal());
        let mut desk = Self {
            station: station.clone(),
            board,
            labels: Arc::default(),
            alarm: Alarm::new(station.clone()),
            dialogs,
            room: AuditRoom::new(station.archive()),
            slots: Vec::new(),
            key: None,
            running: Arc::default(),
            going: Going::new(station.data()),
            repair: Arc::default(),
        };
        for slot in station.config().slots_for(Purpose::Line) {
            let profile = Profile::read(&slot.profile)?;
            desk.slots.push(dto::SlotLine {
                number: slot.number,
                port: slot.place.to_string(),
                profile: profile.title,
                scans: profile.label != LabelMatch::None,
            });
            desk.key.get_or_insert(profile.group_key);
        }
        let (board, labels) = (Arc::clone(&desk.board), Arc::clone(&desk.labels));
        let numbers: Vec<_> = desk.slots.iter().map(|slot| slot.number).collect();
        let line = Line::start(&station, &numbers, move |event| match event {
            LineEvent::Slot(number, event) => board.tell(number, event),
            event => labels.tell(&event),
        })?;
        desk.running = Arc::new(Mutex::new(Some(line)));
        Ok(desk)
    }

    /// Does `work` on a thread that may take its time: a PIN is hashed, a record is flushed. What acts passes the one gate there:
    /// [`Station::permit`], or a method of the station that passes it itself.
    pub(crate) async fn at_station<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&Station) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        Problem: From<E>,
    {
        let station = self.station.clone();
        self.guarded(async { Ok(spawn_blocking(move || work(&station)).await??) }).await
    }

    /// Does `work` of repair, on a thread that may take its time; it passes the one gate there.
    pub(crate) async fn at_repair<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Station, &RepairBench) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let repair = Arc::clone(&self.repair);
        self.at_station(move |station| work(station, &repair)).await
    }

    /// Does `work` if `action` is permitted, with the permit.
    pub(crate) async fn permitted<T: Send + 'static, E: Send + 'static>(
        &self,
        action: Action,
        work: impl FnOnce(&Station, &Permit) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        Problem: From<E>,
    {
        let station = self.station.clone();
        let work = move || -> Result<T, Problem> {
            let permit = station.permit(action)?;
            Ok(work(&station, &permit)?)
        };
        self.guarded(async { spawn_blocking(work).await? }).await
    }

    /// Does `work`. If it panics, itself or on a thread that it waits for, the station is locked before the page is told.
    pub(crate) async fn guarded<T>(
        &self,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let mut work = pin!(work);
        // What a panic left behind is not used again: the future is only dropped.
        let done = poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)))
                .unwrap_or_else(|_| Poll::Ready(Err(Problem::panicked())))
        })
        .await;
        if done.as_ref().is_err_and(|problem| problem.code == Problem::PANICKED) {
            let alarm = self.alarm.clone();
            spawn_blocking(move || alarm.raise()).await?;
        }
        done
    }

    /// Whether `action` is permitted; a sign of life if it is.
    pub(crate) async fn may(&self, action: Action) -> Result<(), Problem> {
        self.permitted(action, |_, _| Ok::<_, Problem>(())).await
    }

    /// The log.
    pub(crate) const fn room(&self) -> &AuditRoom {
        &self.room
    }

    fn overview(&self) -> Result<dto::Overview, StationError> {
        let session = SessionLine::of(self.station.session(), self.station.is_new()?, &self.station.names()?);
        let seen = self.station.overview()?;
        let check_value = |label: &KeyLabel| {
            let key = seen.keys.iter().find(|key| key.label == *label)?;
            Some(key.check_value.to_string())
        };
        let key = self
            .key
            .as_ref()
            .map(|label| dto::KeyLine { label: label.to_string(), check_value: check_value(label) });
        let mut profiles: Vec<_> = self.slots.iter().map(|slot| slot.profile.as_str()).collect();
        profiles.dedup();
        let mut seen = dto::Overview::from(seen);
        if let Some((standing, altered)) = self.station.open_standing()? {
            seen.order = Some(standing.into());
            seen.notices.extend(altered.map(Problem::from));
        }
        if self.alarm.was_raised() {
            seen.notices.insert(0, Problem::panicked());
        }
        Ok(dto::Overview {
            profile: profiles.join(", "),
            key,
            counts: self.board.counts(),
            slots: self.slots.clone(),
            health: lock(&self.running)
                .as_ref()
                .map(|line| line.slots().into_iter().map(dto::SlotHealth::from).collect())
                .unwrap_or_default(),
            after: AfterLine::is_for(&session.roles).then(|| self.going.now()).flatten(),
            rooms: dto::Room::of(&session.roles),
            operator: session.user.clone(),
            session,
            read_only: false,
            ..seen
        })
    }

    /// Takes what a scanner typed. What it was, or why it was not taken, the line tells.
    pub(crate) async fn scanned(&self, text: String) -> Result<(), Problem> {
        let running = Arc::clone(&self.running);
        // A label is a part of giving a device its key.
        self.permitted(Action::Inject, move |_, _| {
            if let Some(line) = &*lock(&running) {
                drop(line.scanned(&text));
            }
            Ok::<_, Problem>(())
        })
        .await
    }

    /// Puts a slot back that was taken out.
    pub(crate) async fn put_back(&self, slot: u32) -> Result<(), Problem> {
        let running = Arc::clone(&self.running);
        self.permitted(Action::PutBack, move |_, permit| {
            // One at a time: what two ask for at once is one record.
            let line = lock(&running);
            line.as_ref().map_or(Ok(false), |line| line.put_back(permit, slot)).map(drop)
        })
        .await
    }

    /// Puts down that the person who is signed in, `reviewer`, has looked through what nobody had yet, up to record `to`,
    /// which is what the page showed.
    pub(crate) async fn sign_review(
        &self,
        reviewer: String,
        to: u64,
        remark: String,
    ) -> Result<dto::ReviewLine, Problem> {
        self.permitted(Action::SignReview, move |station, permit| {
            if permit.actor().operator != reviewer {
                station.not_asked(permit, "", "reviewer")?;
                return Err(Problem::new(
                    "reviewer",
                    "Whoever is signed in signs the review, and nobody for another person.",
                    &["Sign in, then sign."],
                ));
            }
            Ok(station.sign_review(permit, Some(to), &Remark::new(&remark)?)?.into())
        })
        .await
    }

    /// Stops the slots, each after the device that it is keying, wipes the keys and closes the log.
    fn close(&self) -> Result<(), StationError> {
        self.room.cancel_verify();
        self.board.close();
        self.repair.stop();
        // Not while the lock is held: a slot ends after the device in hand.
        let line = lock(&self.running).take();
        drop(line);
        self.station.clone().close()
    }
}
