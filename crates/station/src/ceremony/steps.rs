//! The steps of a ceremony. Each is one call; what it changes is in the log before it returns.

use std::time::Duration;

use keystation_core::key::{CheckValue, GroupKeyInfo};
use keystation_core::record::{DenialReason, Entry, Event, KeyEvent, KeyOrigin};
use keystation_vault::{
    Component, ComponentCheck, GroupKey, ImportError, NoKeyOfThem, Part, Passphrase, SecretText, WriteError,
};

use super::history::History;
use super::running::{Running, Table};
use super::watch::now;
use super::{Abort, Ceremony, CeremonyError, CeremonyOrder, Phase};
use crate::error::StationError;
use crate::group_keys::Origin;
use crate::people::{Action, Known, Permit, Person, Pin};
use crate::random;
use crate::station::{Station, WeakStation};

/// A component that is being entered.
#[must_use = "the sign-in is held until this is dropped"]
pub struct CeremonyEntry {
    station: WeakStation,
    id: String,
    part: Part,
    user: String,
}

impl CeremonyEntry {
    /// Who enters it.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl Drop for CeremonyEntry {
    fn drop(&mut self) {
        let Some(station) = self.station.upgrade() else { return };
        let mut table = station.ceremonies().table();
        if let Some(running) = table.running.as_mut().filter(|running| running.id == self.id) {
            running.leave(self.part);
        }
    }
}

impl Station {
    /// The ceremony that is going on, or the one that ended last.
    #[must_use]
    pub fn ceremony(&self) -> Option<Ceremony> {
        let table = self.ceremonies().table();
        table.running.as_ref().map(|running| running.shown(now())).or_else(|| table.last.clone())
    }

    /// The ceremony that is going on, for whoever is to take a step of it: that there is none is refused, and recorded.
    pub fn ceremony_under_way(&self, permit: &Permit) -> Result<Ceremony, CeremonyError> {
        self.honour(permit, Action::Ceremony)?;
        let shown = self.ceremonies().table().running.as_ref().map(|running| running.shown(now()));
        self.step_or_told(permit.actor(), "", shown.ok_or(CeremonyError::None))
    }

    /// Begins one. Label and check value must be new to the station.
    pub fn ceremony_begin(&self, permit: &Permit, order: CeremonyOrder) -> Result<Ceremony, CeremonyError> {
        self.honour(permit, Action::Ceremony)?;
        let label = order.key.label.clone();
        self.step_or_told(permit.actor(), label.as_str(), self.begun_ceremony(order))
    }

    fn begun_ceremony(&self, order: CeremonyOrder) -> Result<Ceremony, CeremonyError> {
        order.check()?;
        self.journal().may_begin().map_err(StationError::from)?;
        self.all_custodies().get(order.custody)?;
        self.expect_new(&order.key.label, order.check_value)?;
        let id = random::session()?;
        let mut table = self.ceremonies().table();
        if table.running.is_some() {
            return Err(CeremonyError::Running);
        }
        let running = Running::begin(id, order, now(), self.ceremonies().limits);
        let (shown, ends) = (running.shown(now()), running.ends);
        *table = Table { running: Some(running), last: None };
        drop(table);
        self.watch_ceremony(shown.id.clone(), ends).map_err(StationError::Thread)?;
        Ok(shown)
    }

    /// A custodian signs in for one component, whoever the session belongs to.
    pub fn ceremony_sign_in(&self, part: Part, who: Person<'_>, pin: &Pin) -> Result<(), CeremonyError> {
        let id = self.step_by_asker(part, |running| {
            running.expect_free(part)?;
            running.expect_alone(part, now())?;
            Ok(running.id.clone())
        })?;
        // Hashing a PIN takes a while: not with the table held.
        let known = self.sign_in_beside(who, pin)?;
        self.step_by_asker(part, |running| {
            if running.id != id {
                return Err(CeremonyError::None);
            }
            running.expect_alone(part, now())?;
            self.expect_may_give(running, part, &known)?;
            running.seat_custodian(part, known, now())
        })
    }

    /// The custodian who signed in for it begins to enter a component: whoever types 88 characters is not to lose them to
    /// the end of the sign-in. It lasts until the entry is dropped, or the ceremony ends.
    pub fn ceremony_enter(&self, part: Part) -> Result<CeremonyEntry, CeremonyError> {
        self.step_of(part, |running| {
            let known = running.enter(part, now())?;
            let id = running.id.clone();
            Ok(CeremonyEntry { station: self.downgrade(), id, part, user: known.user().to_owned() })
        })
    }

    /// The custodian who signed in for it gives a component. It is judged, and then has its record, with what came of it, before anybody is told. One that ends the
    /// ceremony has one, too: it was given.
    ///
    /// The check value that comes back is for this custodian's eyes, after typing it.
    pub fn ceremony_component(&self, part: Part, text: &SecretText) -> Result<ComponentCheck, CeremonyError> {
        self.step_of(part, |running| {
            let known = running.custodian(part, now())?;
            let permit = self.expect_may_give(running, part, &known)?;
            let component = match Component::judged(text, part, running.order.bytes) {
                Ok(component) => component,
                Err(why) => {
                    let left = running.refuse(part)?;
                    return Err(CeremonyError::Refused { part: part.number(), why, left });
                }
            };
            let check = component.check();
            running.keep(part, component)?;
            let two = match self.somebody_has_two(running) {
                Ok(two) => two,
                Err(error) => {
                    running.take_back(part);
                    return Err(error.into());
                }
            };
            let event = KeyEvent::Component {
                ceremony: running.id.clone(),
                key: running.order.for_record(),
                part: part.number(),
                of: running.order.parts,
                check_value: check.to_string(),
                taken: !two,
            };
            let entry = Entry { actor: permit.actor().clone(), event: Event::GroupKey(event) };
            if let Err(error) = self.journal().append(&entry) {
                running.take_back(part);
                return Err(StationError::from(error).into());
            }
            if two { Err(CeremonyError::Aborted(Abort::OnePerson)) } else { Ok(check) }
        })
    }

    /// The custodian who gave the component, and is one still, typed its check value from the paper. Any other text ends the
    /// ceremony. Nobody else was at the table since.
    pub fn ceremony_confirm(&self, part: Part, typed: &str) -> Result<(), CeremonyError> {
        self.step_of(part, |running| {
            let giver = running.giver(part)?;
            self.permit_known(Action::Ceremony, &giver)?;
            running.confirm(part, typed.trim())
        })
    }

    /// The key's check value was typed from its paper; any other text ends the ceremony. The components make the key, and
    /// its custody takes it. Where the custody does not, for a wrong passphrase for example, this can be called again.
    pub fn ceremony_finish(&self, typed: &str, secret: &Passphrase) -> Result<GroupKeyInfo, CeremonyError> {
        let permit = self.permit(Action::Ceremony)?;
        self.step_or_told(permit.actor(), "", self.finished(typed, secret))
    }

    fn finished(&self, typed: &str, secret: &Passphrase) -> Result<GroupKeyInfo, CeremonyError> {
        let (id, order, key, origin) = self.step(|running| {
            let (key, origin) = self.put_together(running, typed)?;
            running.taking = true;
            Ok((running.id.clone(), running.order.clone(), key, origin))
        })?;
        // A token or a TPM may take its time: not with the table held, so that whoever asks is answered, and whoever locks wipes.
        let taking = Taking { station: self, id };
        let taken = self.take_in(order.custody, secret, order.key, key, origin);
        let error = match taken {
            Ok(info) => {
                let mut table = self.ceremonies().table();
                if let Some(running) = table.running.take_if(|running| running.id == taking.id) {
                    table.last = Some(ended(&running, Phase::Done, None));
                }
                drop(table);
                self.ceremonies().tell();
                return Ok(info);
            }
            Err(error) => CeremonyError::from(error),
        };
        match self.not_taken(&taking.id)? {
            None => Err(error),
            Some(why) => {
                let failed: Result<(), _> = self.step_or_told(&self.asker(), "", Err(error));
                tracing::warn!(?failed, "no key came of a ceremony that was ended meanwhile");
                Err(CeremonyError::Aborted(why))
            }
        }
    }

    /// The key, and who answers for it.
    fn put_together(&self, running: &Running, typed: &str) -> Result<(GroupKey, Origin), CeremonyError> {
        let (components, custodians) = running.complete()?;
        // As the log has them now: a role that was taken away in the meantime counts.
        let mut actors = Vec::new();
        for known in custodians {
            actors.push(self.permit_known(Action::Ceremony, known)?.actor().clone());
        }
        if typed.trim().parse::<CheckValue>().ok() != Some(running.order.check_value) {
            return Err(CeremonyError::Aborted(Abort::KeyCheck));
        }
        let failed = |write: WriteError| StationError::from(ImportError::from(write));
        let key = GroupKey::of_components(&components).map_err(|no| match no {
            NoKeyOfThem::Equal(..) => CeremonyError::Aborted(Abort::Equal),
            NoKeyOfThem::Weak(_) => CeremonyError::Aborted(Abort::Weak),
            NoKeyOfThem::Memory(cause) => failed(WriteError::Memory(cause)).into(),
        })?;
        if key.check_value().map_err(failed)? != running.order.check_value {
            return Err(CeremonyError::Aborted(Abort::KeyCheck));
        }
        let approver = actors.swap_remove(1).operator;
        let actor = actors.swap_remove(0);
        Ok((key, Origin { how: KeyOrigin::Ceremony, actor, approver }))
    }

    /// The custody did not take the key: it goes on as before, unless it was ended meanwhile; says why.
    fn not_taken(&self, id: &str) -> Result<Option<Abort>, StationError> {
        let mut table = self.ceremonies().table();
        let taking = table.running.as_mut().filter(|running| running.id == id && running.taking);
        let Some(running) = taking else { return Ok(None) };
        running.taking = false;
        let why = running.ended;
        if let Some(why) = why {
            self.end_at(&mut table, why)?;
        }
        Ok(why)
    }

    /// Gives it up. Every component is wiped.
    pub fn ceremony_abort(&self, permit: &Permit) -> Result<(), CeremonyError> {
        self.honour(permit, Action::Ceremony)?;
        Ok(self.end_ceremony(Abort::Asked)?)
    }

    /// Ends the ceremony, if there is one: wiped first, recorded then. One whose key is on its way into the custody is wiped at
    /// once as well; what becomes of it is recorded when the custody answers.
    pub(crate) fn end_ceremony(&self, why: Abort) -> Result<(), StationError> {
        self.end_at(&mut self.ceremonies().table(), why)
    }

    fn end_at(&self, table: &mut Table, why: Abort) -> Result<(), StationError> {
        if let Some(running) = table.running.as_mut().filter(|running| running.taking) {
            running.wipe();
            running.ended.get_or_insert(why);
            return Ok(());
        }
        let Some(running) = table.running.take() else { return Ok(()) };
        table.last = Some(ended(&running, Phase::Aborted, Some(why)));
        let (ceremony, key) = (running.id.clone(), running.order.for_record());
        drop(running);
        self.tell_left();
        self.ceremonies().tell();
        self.append(Event::GroupKey(KeyEvent::Aborted { ceremony, key, why: why.as_str() }))?;
        Ok(())
    }

    /// A step at one component, taken by its custodian. One that was not taken is in the log when this returns.
    fn step_of<T>(
        &self,
        part: Part,
        step: impl FnOnce(&mut Running) -> Result<T, CeremonyError>,
    ) -> Result<T, CeremonyError> {
        let mut actor = self.asker();
        let done = self.step(|running| {
            if let Some(known) = running.seated(part) {
                (actor.operator, actor.role) = (known.user().to_owned(), known.roles().to_string());
            }
            step(running)
        });
        self.step_or_told(&actor, &component(part), done)
    }

    /// The same by somebody of whom only the session is known.
    fn step_by_asker<T>(
        &self,
        part: Part,
        step: impl FnOnce(&mut Running) -> Result<T, CeremonyError>,
    ) -> Result<T, CeremonyError> {
        self.step_or_told(&self.asker(), &component(part), self.step(step))
    }

    /// One step of the ceremony that is going on. A step that fails in a way that ends it ends it.
    fn step<T>(
        &self,
        step: impl FnOnce(&mut Running) -> Result<T, CeremonyError>,
    ) -> Result<T, CeremonyError> {
        // Before the table is held: a session that is due ends the ceremony.
        self.settle_session()?;
        let mut table = self.ceremonies().table();
        let running = table.running.as_mut().ok_or(CeremonyError::None)?;
        if running.taking {
            return Err(CeremonyError::Turn("the key is on its way into its custody"));
        }
        let result =
            if now() >= running.ends { Err(CeremonyError::Aborted(Abort::Expired)) } else { step(running) };
        if let Err(CeremonyError::Aborted(why)) = result {
            self.end_at(&mut table, why)?;
        }
        result
    }

    fn history(&self) -> Result<History, StationError> {
        Ok(History(self.reader()?.components()?))
    }

    /// What was said of the key may be wrong; the component that was just given says which key it is. Nobody may have given two
    /// of it, in whichever ceremony: then one person has the key.
    fn somebody_has_two(&self, running: &Running) -> Result<bool, StationError> {
        let (history, papers) = (self.history()?, running.papers());
        let gave_another = |(number, user)| history.gave_another(&running.order, &papers, number, user);
        Ok(running.givers().any(gave_another) || history.somebody_has_two(&running.on_table()))
    }

    /// Whether this person may give this component: a custodian, who sits at no other component, and who never gave
    /// another one of this key.
    fn expect_may_give(&self, running: &Running, part: Part, known: &Known) -> Result<Permit, CeremonyError> {
        let permit = self.permit_known(Action::Ceremony, known)?;
        let subject = format!("{} component {}", running.order.key.label, part.number());
        let why = if running.sits_elsewhere(part, known.user()) {
            DenialReason::ApprovalSamePerson
        } else if self.history()?.gave_another(&running.order, &running.papers(), part.number(), known.user())
        {
            DenialReason::State
        } else {
            return Ok(permit);
        };
        Err(self.refuse_action(Action::Ceremony, &subject, why, permit.actor().clone())?.into())
    }
}

/// A key is on its way into its custody: until this is dropped.
struct Taking<'a> {
    station: &'a Station,
    id: String,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        // Nothing is left to do unless the custody panicked.
        if let Err(error) = self.station.not_taken(&self.id) {
            tracing::error!(%error, "a ceremony was ended without a record");
        }
    }
}

fn component(part: Part) -> String {
    format!("component {}", part.number())
}

fn ended(running: &Running, phase: Phase, aborted: Option<Abort>) -> Ceremony {
    let shown = running.shown(Duration::MAX);
    Ceremony { phase, aborted, seconds_left: 0, ..shown }
}
