//! A ceremony that is going on: what was given, by whom, until when. Values only; whoever asks brings the time.

use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystation_vault::{Component, Part};

use super::history::{OnTable, Paper};
use super::{Abort, Ceremony, CeremonyError, CeremonyOrder, Phase, Side};
use crate::people::Known;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// All of it.
    pub(crate) whole: Duration,
    /// From a sign-in until the component begins to be entered.
    pub(crate) sign_in: Duration,
}

impl Limits {
    pub(crate) const STATION: Self =
        Self { whole: Duration::from_secs(30 * 60), sign_in: Duration::from_secs(5 * 60) };
}

/// How often what cannot be a component may be entered.
const TRIES: u8 = 3;

/// The ceremony of a station: there is one at most. Dropping it wipes what was given.
pub(crate) struct Ceremonies(Arc<Shared>);

/// What the thread that watches the time sees too.
pub(crate) struct Shared {
    pub(super) limits: Limits,
    table: Mutex<Table>,
    /// Told whenever a ceremony ends.
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) running: Option<Running>,
    /// The last one that ended, for whoever looks.
    pub(super) last: Option<Ceremony>,
}

impl Ceremonies {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared { limits, table: Mutex::default(), changed: Condvar::new() }))
    }

    pub(super) fn share(&self) -> Arc<Shared> {
        Arc::clone(&self.0)
    }
}

impl Deref for Ceremonies {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Ceremonies {
    fn drop(&mut self) {
        *self.0.table() = Table::default();
        self.0.tell();
    }
}

impl Shared {
    /// The table; a thread that panicked while it held it left nothing half-done there.
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a ceremony is going on.
    pub(crate) fn is_running(&self) -> bool {
        self.table().running.is_some()
    }

    /// Has the thread that watches look again.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }
}

/// A ceremony that is going on. Dropping it wipes every component.
pub(super) struct Running {
    pub(super) id: String,
    pub(super) order: CeremonyOrder,
    pub(super) ends: Duration,
    limits: Limits,
    seats: Vec<Seat>,
    /// The key was put together and is on its way into its custody, which may take its time. Whether there is a key then is not
    /// known before: until that nothing is done here but wiping.
    pub(super) taking: bool,
    /// Somebody locked or gave up meanwhile: every component is wiped, and where no key came of it that is why.
    pub(super) ended: Option<Abort>,
}

/// One component's side.
#[derive(Default)]
struct Seat {
    custodian: Option<Arc<Known>>,
    since: Duration,
    /// The component is being entered: until that ends the sign-in lasts, and nobody else sits down here.
    entering: bool,
    component: Option<Component>,
    confirmed: bool,
    refused: u8,
}

impl Seat {
    /// Whether the sign-in of a component that is still missing has run out.
    fn is_stale(&self, now: Duration, limits: Limits) -> bool {
        self.component.is_none() && !self.entering && now > self.since + limits.sign_in
    }
}

impl Running {
    pub(super) fn begin(id: String, order: CeremonyOrder, now: Duration, limits: Limits) -> Self {
        let seats = (0..order.parts).map(|_| Seat::default()).collect();
        Self { id, order, ends: now + limits.whole, limits, seats, taking: false, ended: None }
    }

    fn seat(&mut self, part: Part) -> Result<&mut Seat, CeremonyError> {
        let no_such = CeremonyError::Turn("this key has no such component");
        self.seats.get_mut(usize::from(part.number()) - 1).ok_or(no_such)
    }

    /// Whether `user` sits at another component.
    pub(super) fn sits_elsewhere(&self, part: Part, user: &str) -> bool {
        let others = (1u8..).zip(&self.seats).filter(|(number, _)| *number != part.number());
        others.filter_map(|(_, seat)| seat.custodian.as_ref()).any(|custodian| custodian.user() == user)
    }

    /// Whether a component may still be given there.
    pub(super) fn expect_free(&mut self, part: Part) -> Result<(), CeremonyError> {
        match self.seat(part)? {
            Seat { component: Some(_), .. } => Err(CeremonyError::Turn("this component was given")),
            Seat { entering: true, .. } => Err(CeremonyError::Turn("this component is being entered")),
            _ => Ok(()),
        }
    }

    /// Who signed in for this component, also if that has run out.
    pub(super) fn seated(&self, part: Part) -> Option<&Known> {
        self.seats.get(usize::from(part.number()) - 1)?.custodian.as_deref()
    }

    /// One custodian at a time is at the table: from the sign-in until the own component is confirmed, or the sign-in runs out.
    pub(super) fn expect_alone(&self, part: Part, now: Duration) -> Result<(), CeremonyError> {
        let others = (1u8..).zip(&self.seats).filter(|(number, _)| *number != part.number());
        let at_table =
            |seat: &Seat| seat.custodian.is_some() && !seat.confirmed && !seat.is_stale(now, self.limits);
        match others.into_iter().any(|(_, seat)| at_table(seat)) {
            true => Err(CeremonyError::Turn("the custodian of another component is not done")),
            false => Ok(()),
        }
    }

    /// The components that were given.
    pub(super) fn papers(&self) -> Vec<Paper> {
        let given = self.seats.iter().filter_map(|seat| seat.component.as_ref());
        given.map(|component| (component.part().number(), component.check().to_string())).collect()
    }

    /// The same, with who gave them, as they are known again whatever number somebody took them for.
    pub(super) fn on_table(&self) -> Vec<OnTable> {
        let given =
            self.seats.iter().filter_map(|seat| Some((seat.custodian.as_ref()?, seat.component.as_ref()?)));
        let papers = |component: &Component| {
            component.checks().into_iter().map(|(part, check)| (part.number(), check.to_string())).collect()
        };
        given
            .map(|(giver, component)| OnTable { giver: giver.user().to_owned(), papers: papers(component) })
            .collect()
    }

    /// Who gave a component, and which.
    pub(super) fn givers(&self) -> impl Iterator<Item = (u8, &str)> {
        let given = (1u8..).zip(&self.seats).filter(|(_, seat)| seat.component.is_some());
        given.filter_map(|(number, seat)| Some((number, seat.custodian.as_ref()?.user())))
    }

    /// Who gave the component that is to be confirmed.
    pub(super) fn giver(&mut self, part: Part) -> Result<Arc<Known>, CeremonyError> {
        let seat = self.seat(part)?;
        let given = seat.custodian.clone().filter(|_| seat.component.is_some());
        given.ok_or(CeremonyError::Turn("this component is missing"))
    }

    /// A custodian signed in.
    pub(super) fn seat_custodian(
        &mut self,
        part: Part,
        known: Known,
        now: Duration,
    ) -> Result<(), CeremonyError> {
        self.expect_free(part)?;
        let seat = self.seat(part)?;
        (seat.custodian, seat.since) = (Some(Arc::new(known)), now);
        Ok(())
    }

    /// Who may give the component now.
    pub(super) fn custodian(&mut self, part: Part, now: Duration) -> Result<Arc<Known>, CeremonyError> {
        let limits = self.limits;
        let seat = self.seat(part)?;
        if seat.component.is_some() {
            return Err(CeremonyError::Turn("this component was given"));
        }
        if seat.is_stale(now, limits) {
            seat.custodian = None;
        }
        seat.custodian.clone().ok_or(CeremonyError::SignInFirst(part.number()))
    }

    /// The custodian begins to enter the component, which may take longer than the sign-in lasts.
    pub(super) fn enter(&mut self, part: Part, now: Duration) -> Result<Arc<Known>, CeremonyError> {
        self.expect_free(part)?;
        let known = self.custodian(part, now)?;
        self.seat(part)?.entering = true;
        Ok(known)
    }

    /// The custodian does not enter it any more, given or not.
    pub(super) fn leave(&mut self, part: Part) {
        if let Ok(seat) = self.seat(part) {
            seat.entering = false;
        }
    }

    /// What was entered could not be the component; how often it may be entered again.
    pub(super) fn refuse(&mut self, part: Part) -> Result<u8, CeremonyError> {
        let seat = self.seat(part)?;
        seat.refused += 1;
        match TRIES - seat.refused {
            0 => Err(CeremonyError::Aborted(Abort::Refused)),
            left => Ok(left),
        }
    }

    pub(super) fn keep(&mut self, part: Part, component: Component) -> Result<(), CeremonyError> {
        self.seat(part)?.component = Some(component);
        Ok(())
    }

    /// The component was not taken; it is wiped.
    pub(super) fn take_back(&mut self, part: Part) {
        if let Ok(seat) = self.seat(part) {
            seat.component = None;
        }
    }

    /// The custodian typed the check value of the component.
    pub(super) fn confirm(&mut self, part: Part, typed: &str) -> Result<(), CeremonyError> {
        let seat = self.seat(part)?;
        let component = seat.component.as_ref().ok_or(CeremonyError::Turn("this component is missing"))?;
        if seat.confirmed {
            return Err(CeremonyError::Turn("this component was confirmed"));
        }
        if typed.parse() != Ok(component.check()) {
            return Err(CeremonyError::Aborted(Abort::ComponentCheck));
        }
        seat.confirmed = true;
        Ok(())
    }

    /// Nothing of a component is left.
    pub(super) fn wipe(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.component = None);
    }

    /// All components, if all are confirmed; and who gave them.
    pub(super) fn complete(&self) -> Result<(Vec<&Component>, Vec<&Known>), CeremonyError> {
        let missing = CeremonyError::Turn("a component is missing, or not confirmed");
        let confirmed = self.seats.iter().map(|seat| {
            let component = seat.component.as_ref().filter(|_| seat.confirmed)?;
            Some((component, &**seat.custodian.as_ref()?))
        });
        confirmed.collect::<Option<Vec<_>>>().map(|all| all.into_iter().unzip()).ok_or(missing)
    }

    fn phase(&self, sides: &[Side]) -> Phase {
        if self.taking || self.complete().is_ok() {
            Phase::Result
        } else if sides.iter().any(|side| !side.confirmed && side.user.is_some()) {
            Phase::Components
        } else {
            Phase::SignIn
        }
    }

    /// As people may see it.
    pub(super) fn shown(&self, now: Duration) -> Ceremony {
        let seated = |seat: &Seat| {
            let known = seat.custodian.as_ref().filter(|_| !seat.is_stale(now, self.limits))?;
            Some(known.user().to_owned())
        };
        let sides = (1u8..).zip(&self.seats).map(|(number, seat)| Side {
            part: Part::new(number).expect("no ceremony has more seats than a key has components"),
            user: seated(seat),
            check_value: seat.component.as_ref().map(Component::check),
            confirmed: seat.confirmed,
        });
        let sides: Vec<_> = sides.collect();
        Ceremony {
            id: self.id.clone(),
            order: self.order.clone(),
            phase: self.phase(&sides),
            aborted: None,
            sides,
            seconds_left: self.ends.saturating_sub(now).as_secs(),
        }
    }
}
