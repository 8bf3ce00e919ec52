//! One call is one session: the station is opened, whoever is named signs in, acts, and is signed out when the log is closed.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

use keystation::people::{
    Action, ApprovalId, ApproveError, Permit, Person, Pin, Request, SessionState, Who, rule,
};
use keystation::{DataDir, Ending, Exit, Station, StationError};

use super::args::{Cli, People};
use super::output::Output;
use super::secrets;
use super::trouble::sentence_of;

/// An open station and whoever stands in front of it.
pub(super) struct Bench<'a> {
    pub(super) station: Station,
    pub(super) out: Output,
    people: &'a People,
    /// Set once somebody has signed in.
    signed_in: OnceCell<()>,
    /// What a signal leaves to be said, once the devices in work are done and the log is closed.
    last_words: LastWords,
}

type LastWords = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// Opens the station, shows what was left unfinished, works at it, and closes it whatever came of the work.
pub(super) fn at_station(
    cli: &Cli,
    data: &DataDir,
    out: Output,
    work: impl FnOnce(&Bench<'_>) -> Result<Exit, StationError>,
) -> Result<Exit, StationError> {
    at_opened(cli, opened(data)?, out, work)
}

#[cfg(not(test))]
fn opened(data: &DataDir) -> Result<Station, StationError> {
    Station::open(data, "keystation")
}

/// With PINs that cost next to nothing: the unit tests try every verb as everybody.
#[cfg(test)]
pub(super) fn opened(data: &DataDir) -> Result<Station, StationError> {
    let clock = keystation::SystemClock::new().map_err(StationError::Clock)?;
    Station::open_under(data, "keystation", clock, keystation::people::PinCost::TEST)
}

/// The same at a station that is open already; whoever is signed in there acts.
pub(super) fn at_opened(
    cli: &Cli,
    station: Station,
    out: Output,
    work: impl FnOnce(&Bench<'_>) -> Result<Exit, StationError>,
) -> Result<Exit, StationError> {
    let overview = station.overview()?;
    for notice in &overview.notices {
        out.notice(notice);
    }
    for (id, record) in overview.open_intents {
        out.note(format!("Unfinished since record {record}: {id}. Do not ship it: plug it in again."));
    }
    // What was done is done, and was said: only the record that this program ended is missing.
    let not_closed = |error| match error {
        StationError::Unanswered(_) => {
            format!("The keys are wiped, the log is closed, but {}", sentence_of(&error))
        }
        error => format!("The log was not closed in order. {}", sentence_of(&error)),
    };
    let last_words = LastWords::default();
    let words = Arc::clone(&last_words);
    let ending = Ending::watch(&station, move |signal, failed| {
        if let Some(say) = words.lock().unwrap_or_else(PoisonError::into_inner).take() {
            say();
        }
        let how = failed.map_or_else(|| "The keys are wiped, the log is closed.".to_owned(), not_closed);
        out.note(format!("Ended by {signal}. {how}"));
    })
    .map_err(StationError::Thread)?;
    let bench = Bench { station, out, people: &cli.people, signed_in: OnceCell::new(), last_words };
    if matches!(bench.station.session(), SessionState::Open(_)) {
        bench.signed_in.get_or_init(|| ());
    }
    let exit = work(&bench);
    let closed = bench.station.close();
    ending.stay();
    if let Err(error) = closed {
        out.note(not_closed(error));
    }
    exit
}

impl Bench<'_> {
    /// The permit for an action that needs nobody else. Who is named on the command line signs in first; where nobody is, and
    /// somebody is needed, the refusal is a record.
    pub(super) fn permit(&self, action: Action) -> Result<Permit, StationError> {
        if rule(action).who != Who::Anyone {
            self.sign_in()?;
        }
        Ok(self.station.permit(action)?)
    }

    /// Whether who is named on the command line may ask for an action at all: before anything is read of what it is to be done to.
    pub(super) fn may_ask(&self, action: Action) -> Result<(), StationError> {
        self.sign_in()?;
        self.station.may_ask(action)?;
        Ok(())
    }

    /// The permit for a request that another person approves.
    pub(super) fn approved(&self, request: &Request) -> Result<Permit, StationError> {
        Ok(self.station.permit_approved(request, self.approval(request)?)?)
    }

    /// The approval of another person, who is named on the command line, too. That nobody is named is refused, and a record.
    pub(super) fn approval(&self, request: &Request) -> Result<ApprovalId, StationError> {
        self.sign_in()?;
        let People { approver: Some(approver), approver_pin_file, approver_pin_fd, .. } = self.people else {
            self.out.note("Another person has to approve this: `--approver`.");
            return match self.station.permit(request.action) {
                Err(denied) => Err(denied.into()),
                Ok(_) => unreachable!("who has to be approved gets no permit without"),
            };
        };
        let pin = secrets::pin(approver_pin_file.as_deref(), *approver_pin_fd, approver)?;
        self.station.approve(request, Person::Id(approver), &pin).map_err(|error| match error {
            ApproveError::Denied(denied) => denied.into(),
            ApproveError::SignIn(refused) => refused.into(),
        })
    }

    /// Signs in who is named on the command line, once.
    pub(super) fn sign_in(&self) -> Result<(), StationError> {
        if self.signed_in.get().is_some() {
            return Ok(());
        }
        let Some(operator) = &self.people.operator else {
            let how = match self.station.is_new()? {
                true => "Nobody has an account yet: `keystation person begin` makes the first two.",
                false => "Somebody has to sign in for this: `--operator`.",
            };
            self.out.note(how);
            return Ok(());
        };
        let pin = self.own_pin(operator)?;
        let session = self.station.sign_in(Person::Id(operator), &pin)?;
        if session.must_change_pin {
            self.out.note("The PIN holds once: choose another with `keystation person change-pin`.");
        }
        self.signed_in.get_or_init(|| ());
        Ok(())
    }

    /// The PIN of whoever signs in, for what asks for it once more.
    pub(super) fn own_pin(&self, operator: &str) -> Result<Pin, StationError> {
        secrets::pin(self.people.pin_file.as_deref(), self.people.pin_fd, operator)
    }

    /// What is said when a signal ends the program, before it dies of it.
    pub(super) fn when_ended(&self, say: impl FnOnce() + Send + 'static) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(say));
    }

    /// Who is named as the one who signs in.
    pub(super) fn operator(&self) -> &str {
        self.people.operator.as_deref().unwrap_or_default()
    }
}
