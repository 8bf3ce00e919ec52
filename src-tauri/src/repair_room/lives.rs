//! A device is scrapped, revoked, replaced or put back, by two people.

use keystation::lives::{Act, NewBoard, TakeOut};
use keystation::people::Action;
use keystation::{Station, StationError};

use super::{approved_by_somebody, profile_of};
use crate::dto::{ApprovalRequest, Approved, SwapBoard, TakeOutAct, TakeOutAsked, TakenOutLine};
use crate::problem::Problem;

const fn action(act: TakeOutAct) -> Action {
    match act {
        TakeOutAct::Scrap => Action::ScrapDevice,
        TakeOutAct::Revoke => Action::RevokeDevice,
        TakeOutAct::Replace => Action::ReplaceDevice,
        TakeOutAct::Restore => Action::RestoreDevice,
    }
}

/// As the station takes it. What cannot be a board is none.
fn planned(station: &Station, asked: &TakeOutAsked) -> Result<TakeOut, Problem> {
    let TakeOutAsked { device, act, reason, note, board } = asked;
    let act = match (act.without_board(), board) {
        (Some(act), _) => act,
        (None, Some(board)) => Act::Replace(Box::new(new_board(station, board)?)),
        (None, None) => return Err(no_board("A swap takes a board that comes in.")),
    };
    Ok(TakeOut {
        device: device.as_str().trim().to_owned(),
        act,
        reason: reason.as_str().to_owned(),
        note: note.as_str().to_owned(),
    })
}

fn new_board(station: &Station, board: &SwapBoard) -> Result<NewBoard, Problem> {
    let mac = match board.mac.as_str().trim() {
        "" => None,
        mac => Some(mac.parse().map_err(|_| no_board("This is no MAC address."))?),
    };
    let profile = profile_of(station, board.profile.as_str())?;
    Ok(NewBoard { profile, mac, destroyed: board.destroyed.as_str().to_owned() })
}

fn no_board(what: &str) -> Problem {
    Problem::new("successor", what, &["Scan or type the MAC address that stands on the new board."])
}

/// What the second person is asked for. What cannot be is refused, and a record.
pub(crate) fn ask(station: &Station, asked: &TakeOutAsked) -> Result<ApprovalRequest, Problem> {
    station.may_ask(action(asked.act))?;
    let planned = planned(station, asked)?;
    Ok(ApprovalRequest::of(&station.take_out_request(&planned)?))
}

/// Does it.
pub(crate) fn take_out(
    station: &Station,
    asked: &TakeOutAsked,
    approval: Approved,
) -> Result<TakenOutLine, Problem> {
    let action = action(asked.act);
    station.may_ask(action)?;
    approved_by_somebody(station, action, asked.device.as_str(), approval)?;
    let planned = planned(station, asked)?;
    let taken = station.take_out(&planned, approval.into()).map_err(|e: StationError| Problem::from(e))?;
    Ok(taken.into())
}
