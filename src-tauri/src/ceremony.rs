//! The key ceremony in the window: two custodians at one table. Their components are typed into native dialogs, one person
//! after the other.

use keystation::ceremony::{self, Abort, CeremonyError, CeremonyOrder};
use keystation::people::Action;
use keystation::{CustodyKind, Part, Station};
use tauri::async_runtime::spawn_blocking;
use tauri::{Runtime, WebviewWindow};

use crate::custody::{Asked, opened, parsed_check_value};
use crate::desk::LineDesk;
use crate::door::proof;
use crate::dto::{self, Ceremony, ComponentOutcome, NewKey, SignIn, Who};
use crate::problem::{Problem, sentence};
use crate::typed::Question;

/// One of the two sides.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(try_from = "u8")]
pub(crate) struct Seat(Part);

impl TryFrom<u8> for Seat {
    type Error = &'static str;

    fn try_from(side: u8) -> Result<Self, Self::Error> {
        let part = if side < 2 { Part::new(side + 1) } else { None };
        part.map(Self).ok_or("a side is 0 or 1")
    }
}

/// The ceremony that is under way, or came to its end last.
pub(crate) fn now(station: &Station) -> Result<Option<Ceremony>, Problem> {
    station.permit(Action::Keys)?;
    Ok(station.ceremony().map(Ceremony::from))
}

/// Begins one: two components of 64 bytes, as Azure makes keys.
pub(crate) fn begin(station: &Station, key: &NewKey, check_value: &str) -> Result<Ceremony, Problem> {
    let permit = station.permit(Action::Ceremony)?;
    let check_value = parsed_check_value(check_value)?;
    let order = CeremonyOrder::new(key.parsed()?, CustodyKind::from(key.custody), check_value);
    Ok(station.ceremony_begin(&permit, order)?.into())
}

/// A custodian signs in for one side. The session stays with whoever has it.
pub(crate) fn sign_in(station: &Station, seat: Seat, who: Who, pin: &dto::Pin) -> Result<SignIn, Problem> {
    station.permit(Action::Ceremony)?;
    let (named, pin) = match proof(who, pin) {
        Ok(proof) => proof,
        Err(problem) => return Ok(SignIn::refused(problem)),
    };
    match station.ceremony_sign_in(seat.0, named.person(), &pin) {
        Ok(()) => Ok(SignIn::open()),
        Err(CeremonyError::SignIn(error)) => SignIn::failed(error),
        Err(CeremonyError::Denied(denied)) => Ok(SignIn::refused(denied.into())),
        Err(error) => Err(error.into()),
    }
}

/// Asks the custodian of one side for the component, until it can be one.
pub(crate) async fn component<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    Seat(part): Seat,
) -> Result<ComponentOutcome, Problem> {
    let ceremony = under_way(desk).await?;
    let turn = desk.dialogs.turn()?;
    // Nobody types a component for nothing: the sign-in is held until this dialog is closed.
    let entry = desk.at_station(move |station| station.ceremony_enter(part)).await?;
    let mut question = Question::component(part.number(), entry.user(), ceremony.order.key.label.as_str());
    loop {
        let Some(text) = turn.ask(window, &question).await? else { return Ok(ComponentOutcome::Cancelled) };
        let station = desk.station.clone();
        match spawn_blocking(move || station.ceremony_component(part, &text)).await? {
            Ok(_) => return Ok(ComponentOutcome::Given),
            Err(error @ CeremonyError::Refused { left, .. }) => {
                question.complain(&format!("{} Tries left: {left}.", sentence(&error)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether what was typed is the check value of the component. If it is not, the ceremony has ended.
pub(crate) fn confirm(station: &Station, seat: Seat, typed: &str) -> Result<bool, Problem> {
    station.permit(Action::Ceremony)?;
    match station.ceremony_confirm(seat.0, typed) {
        Ok(()) => Ok(true),
        Err(CeremonyError::Aborted(Abort::ComponentCheck)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The ceremony that is under way: nobody is asked for a secret for one that has ended.
async fn under_way(desk: &LineDesk) -> Result<ceremony::Ceremony, Problem> {
    desk.permitted(Action::Ceremony, Station::ceremony_under_way).await
}

/// Puts the key together and into its custody, whose secret is asked for.
pub(crate) async fn finish<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    typed: String,
) -> Result<Ceremony, Problem> {
    // Nobody is asked for a passphrase for what would be refused all the same.
    let before = under_way(desk).await?;
    let turn = desk.dialogs.turn()?;
    let station = desk.station.clone();
    let finish = move |secret: &_| match station.ceremony_finish(&typed, secret) {
        // What ended it is in the ceremony itself.
        Ok(_) | Err(CeremonyError::Aborted(_)) => Ok(()),
        Err(error) => Err(Problem::from(error)),
    };
    let asked = Asked::for_new_key(desk, before.order.custody.into());
    opened(&turn, window, asked, finish).await?;
    Ok(desk.station.ceremony().ok_or(CeremonyError::None)?.into())
}

/// Gives it up.
pub(crate) fn abort(station: &Station) -> Result<(), Problem> {
    let permit = station.permit(Action::Ceremony)?;
    Ok(station.ceremony_abort(&permit)?)
}
