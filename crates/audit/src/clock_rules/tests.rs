use super::*;
use crate::clock::BootId;

const S: i64 = 1_000;
const M: i64 = 60 * S;
const H: i64 = 60 * M;
const D: i64 = 24 * H;
const Y: i64 = 365 * D;

/// 2026-12-01T00:00:00Z, when the newest record was made, an hour after the machine was started.
const LAST: i64 = 1_796_083_200_000;
/// The same by the count since boot.
const MONO: i64 = H;

fn boot(last: char) -> BootId {
    format!("9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a1{last}").parse().unwrap()
}

fn stamp(utc_ms: i64, mono_ms: i64, boot: BootId) -> Stamp {
    Stamp { utc_ms, mono_ms: mono_ms.unsigned_abs(), boot }
}

fn state() -> ClockState {
    let last = Some(stamp(LAST, MONO, boot('1')));
    ClockState { last, ..ClockState::new(LAST - 9 * D) }
}

/// What the rules make of a step: nothing, a record, or no intent until two people accept.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Made {
    Nothing,
    Record(i64),
    Stop(i64),
}
use Made::{Nothing, Record, Stop};

fn made(state: &ClockState, now: &Stamp) -> Made {
    match state.examine(now) {
        None => Nothing,
        Some(jump) if jump.severe => Stop(jump.by_ms),
        Some(jump) => Record(jump.by_ms),
    }
}

#[test]
fn within_one_start_of_the_machine_the_count_since_boot_tells() {
    // After the last record: what went by on the wall clock, what went by since boot, and what is made of it.
    let cases = [
        (0, 0, Nothing),
        (S, S, Nothing),
        (8 * H, 8 * H, Nothing),
        (300 * D, 300 * D, Nothing),
        // Slept: the count goes on. What an hour of sleep would look like if it did not:
        (H, H, Nothing),
        (H, S, Record(H - S)),
        // Kept right by NTP, one leap second, the tolerance and just beyond it.
        (H - 300, H, Nothing),
        (H - S, H, Nothing),
        (H + S, H, Nothing),
        (H - 2 * S, H, Nothing),
        (H + 2 * S, H, Nothing),
        (H - 2 * S - 1, H, Record(-2 * S - 1)),
        (H + 2 * S + 1, H, Record(2 * S + 1)),
        // Set back, and the record is still after the last one.
        (H - M, H, Record(-M)),
        (H - 5 * M, H, Record(-5 * M)),
        (H - 5 * M - 1, H, Stop(-5 * M - 1)),
        (H - 10 * M, H, Stop(-10 * M)),
        (8 * H - H, 8 * H, Stop(-H)),
        // Set back to before it.
        (-3 * S, 10, Record(-3 * S - 10)),
        (-S, 10, Nothing),
        (-6 * M, S, Stop(-6 * M - S)),
        (-H, 0, Stop(-H)),
        (-D, S, Stop(-D - S)),
        // Set forward: seen, and no reason to stop.
        (M, 0, Record(M)),
        (D, H, Record(D - H)),
        (10 * Y, S, Record(10 * Y - S)),
        // A count that goes backwards is no count of this kernel; the difference tells all the same.
        (-M, -M, Nothing),
        (0, -M, Record(M)),
    ];
    for (wall, count, expected) in cases {
        let now = stamp(LAST + wall, MONO + count, boot('1'));
        assert_eq!(made(&state(), &now), expected, "wall {wall} ms, since boot {count} ms");
    }
}

#[test]
fn over_a_restart_time_must_not_go_back() {
    let cases = [
        (M, Nothing),
        (30 * D, Nothing),
        (10 * Y, Nothing),
        (0, Nothing),
        (-S, Nothing),
        (-2 * S, Nothing),
        (-2 * S - 1, Record(-2 * S - 1)),
        (-5 * M, Record(-5 * M)),
        (-5 * M - 1, Stop(-5 * M - 1)),
        (-H, Stop(-H)),
        (-D, Stop(-D)),
    ];
    for (wall, expected) in cases {
        // A new count begins at nothing.
        let now = stamp(LAST + wall, 20 * S, boot('2'));
        assert_eq!(made(&state(), &now), expected, "wall {wall} ms");
    }
}

#[test]
fn a_time_before_the_release_or_the_witness_stops() {
    let witness = LAST + H;
    let released = LAST - 9 * D;
    let ahead = (anchor::AHEAD * 1000).cast_signed();
    let with_witness = ClockState { witness: Some(witness), ..state() };
    let cases = [
        // The battery of the clock is empty: 1970.
        (state(), 0, Stop(-released), Against::Release),
        (state(), released - 1, Stop(-1), Against::Release),
        (state(), -10 * Y, Stop(-10 * Y - released), Against::Release),
        // As far behind the witness as a checkpoint is accepted from it, and further.
        (with_witness.clone(), witness - ahead - 1, Stop(-ahead - 1), Against::Witness),
        (with_witness.clone(), LAST, Stop(-H), Against::Witness),
        // Behind both: the later one tells more.
        (with_witness.clone(), 0, Stop(-witness), Against::Witness),
    ];
    for (state, utc, expected, against) in cases {
        let jump = state.examine(&stamp(utc, S, boot('2'))).unwrap();
        assert_eq!((made(&state, &stamp(utc, S, boot('2'))), jump.against), (expected, against), "{utc}");
    }
    for utc in [witness - ahead, witness - ahead + S, witness, witness + H] {
        assert_eq!(made(&with_witness, &stamp(utc, S, boot('2'))), Nothing, "{utc}");
    }
    // A witness that is not as far ahead does not take the place of the release.
    let older = ClockState { witness: Some(released - D), ..state() };
    assert_eq!(older.examine(&stamp(0, S, boot('2'))).unwrap().against, Against::Release);
}

#[test]
fn what_was_told_is_not_told_again_and_what_was_accepted_holds() {
    let mut state = state();
    let early = |ms: i64| stamp(1_000_000 + ms, S + ms, boot('2'));
    let tell = |state: &mut ClockState, now: Stamp| {
        let jump = state.examine(&now).expect("the clock does not stand where it should");
        let event = state.event(&jump).unwrap();
        state.follow(&event, now);
        event.rc().to_owned()
    };
    assert_eq!(tell(&mut state, early(0)), "blocked");
    assert!(state.is_blocked());
    assert_eq!(state.examine(&early(S)), None, "one record of it");
    // A step while it is blocked is a record, and blocks no second time.
    assert_eq!(tell(&mut state, early(20 * M - H)), "");
    state.follow(
        &Event::ClockAccepted { reason: "radio clock".to_owned(), approver: "qa-1".to_owned() },
        early(20 * M - H),
    );
    assert!(!state.is_blocked());
    assert_eq!(state.examine(&early(20 * M - H + S)), None, "two people accepted it");
    // A program of a later release does not believe it any more.
    let later = ClockState { released: LAST, ..state.clone() };
    assert_eq!(made(&later, &early(20 * M - H + S)), Stop(1_000_000 + 20 * M - H + S - LAST));
    // Set right, and then back again.
    let right = stamp(LAST, 2 * S, boot('2'));
    assert_eq!(tell(&mut state, right), "");
    assert_eq!(tell(&mut state, stamp(LAST - 6 * M, 3 * S, boot('2'))), "blocked");
}

#[test]
fn two_people_accept_for_a_reason() {
    let may = |operator, approver, reason| may_accept(true, operator, approver, reason);
    assert_eq!(may("op-1", "qa-1", "radio clock"), Ok(()));
    for (operator, approver) in [("op-1", "op-1"), ("", "qa-1"), ("op-1", ""), ("", "")] {
        assert_eq!(may(operator, approver, "radio clock"), Err(AcceptRefusal::OnePerson));
    }
    for reason in ["", "  ", "a\nb", &"x".repeat(201)] {
        assert_eq!(may("op-1", "qa-1", reason), Err(AcceptRefusal::Reason), "{reason:?}");
    }
    assert_eq!(may_accept(false, "op-1", "qa-1", "radio clock"), Err(AcceptRefusal::NotInDoubt));
}

/// The genesis is a log's first record: nothing can stand before it, and nothing is before it.
#[test]
fn a_log_that_begins_is_held_against_nothing() {
    assert_eq!(made(&ClockState::new(LAST), &stamp(0, 0, boot('1'))), Nothing);
}
