//! The one place in front of the station: who has it, since when, and when it locks. Values only; whoever asks brings the
//! time.

use keystation_core::role::Roles;

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// User ID.
    pub user: String,
    /// What the person is.
    pub roles: Roles,
    /// Whether nothing is open to them but choosing a PIN.
    pub must_change_pin: bool,
    /// 16 hexadecimal digits, in every record of the session.
    pub id: String,
    /// What is about to happen to it, in the last 30 seconds before.
    pub warning: Option<Warning>,
}

/// A session that locks or ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// Seconds until then.
    pub seconds: u64,
    /// Why.
    pub why: Soon,
}

/// Why a session locks or ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soon {
    /// Nobody gave a sign of life: one puts it off.
    Idle,
    /// It is as old as a session may be: nothing puts that off.
    Hours,
}

/// What there is of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Nobody is signed in.
    None,
    /// Somebody is.
    Open(Session),
    /// Somebody is, and the screen is locked.
    Away(Session),
    /// Somebody was, for as long as a session may be.
    Expired(Session),
}

/// How long a session may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRule {
    /// Minutes without a sign of life until it locks while a custody is open or a key ceremony is going on, 1 to 15.
    pub idle_minutes: u8,
    /// Hours until it ends, 1 to 12.
    pub hours: u8,
}

impl Default for SessionRule {
    fn default() -> Self {
        Self { idle_minutes: 5, hours: 12 }
    }
}

/// Seconds of warning.
const WARNING: u64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Away,
    Expired,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Idle,
    Expired,
}

/// What is in work at the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing.
    None,
    /// Something is plugged in, and has not said who it is: a device, or a plug that is loose.
    Plugged,
    /// A device that said who it is.
    Device,
}

/// Milliseconds for which something that never says who it is puts off what is due: longer than a device takes to say it. A
/// plug that is loose puts it off once, however many there are of them.
const PLUGGED_MS: u64 = 10_000;

/// A session in its place. Times are milliseconds of one clock that goes on while the machine sleeps.
#[derive(Debug)]
pub(super) struct Sitting {
    pub(super) session: Session,
    pub(super) phase: Phase,
    began: u64,
    touched: u64,
}

impl Sitting {
    pub(super) fn begin(session: Session, now: u64) -> Self {
        Self { session, phase: Phase::Open, began: now, touched: now }
    }

    /// A sign of life.
    pub(super) fn touch(&mut self, now: u64) {
        self.touched = self.touched.max(now);
    }

    /// The same person is back.
    pub(super) fn resume(&mut self, now: u64) {
        self.phase = Phase::Open;
        self.touch(now);
    }

    /// Whether it has been as long as it may be, also while a device is still in work.
    pub(super) fn is_over(&self, rule: SessionRule, now: u64) -> bool {
        self.phase == Phase::Expired || now >= self.ends(rule)
    }

    /// What has to happen now. Nothing while a device is in work.
    pub(super) fn due(&self, rule: SessionRule, now: u64, secrets: bool, work: Work) -> Option<Due> {
        if work == Work::Device || self.phase == Phase::Expired {
            return None;
        }
        let now = now.saturating_sub(put_off(work));
        if now >= self.ends(rule) {
            Some(Due::Expired)
        } else if self.locks(rule, secrets).is_some_and(|at| now >= at) {
            Some(Due::Idle)
        } else {
            None
        }
    }

    /// When it is worth asking again; `None`: not before something happens.
    pub(super) fn next(&self, rule: SessionRule, secrets: bool, work: Work) -> Option<u64> {
        if work == Work::Device || self.phase == Phase::Expired {
            return None;
        }
        let ends = self.ends(rule);
        Some(self.locks(rule, secrets).map_or(ends, |locks| locks.min(ends)) + put_off(work))
    }

    /// That it locks or ends, in the last 30 seconds before. What cannot be put off comes first where both are due.
    pub(super) fn warning(&self, rule: SessionRule, now: u64, secrets: bool, work: Work) -> Option<Warning> {
        let at = self.next(rule, secrets, work)?;
        let why = if at == self.ends(rule) + put_off(work) { Soon::Hours } else { Soon::Idle };
        let seconds = at.saturating_sub(now).div_ceil(1000);
        (self.phase == Phase::Open && seconds <= WARNING).then_some(Warning { seconds, why })
    }

    const fn ends(&self, rule: SessionRule) -> u64 {
        self.began + rule.hours as u64 * 3_600_000
    }

    const fn locks(&self, rule: SessionRule, secrets: bool) -> Option<u64> {
        match self.phase {
            Phase::Open if secrets => Some(self.touched + rule.idle_minutes as u64 * 60_000),
            _ => None,
        }
    }
}

const fn put_off(work: Work) -> u64 {
    match work {
        Work::Plugged => PLUGGED_MS,
        Work::None | Work::Device => 0,
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::role::Role;

    use super::*;

    const RULE: SessionRule = SessionRule { idle_minutes: 5, hours: 12 };
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;

    fn sitting() -> Sitting {
        let session = Session {
            user: "op-1".to_owned(),
            roles: Roles::from(Role::Operator),
            must_change_pin: false,
            id: "0123456789abcdef".to_owned(),
            warning: None,
        };
        Sitting::begin(session, HOUR)
    }

    #[test]
    fn it_locks_after_five_minutes_while_a_custody_is_open() {
        let mut sitting = sitting();
        assert_eq!(sitting.due(RULE, HOUR + 5 * MINUTE - 1, true, Work::None), None);
        assert_eq!(sitting.due(RULE, HOUR + 5 * MINUTE, true, Work::None), Some(Due::Idle));
        assert_eq!(sitting.due(RULE, HOUR + 5 * MINUTE, false, Work::None), None, "there is nothing to lock");
        sitting.touch(HOUR + 4 * MINUTE);
        assert_eq!(sitting.due(RULE, HOUR + 9 * MINUTE - 1, true, Work::None), None);
        assert_eq!(sitting.due(RULE, HOUR + 9 * MINUTE, true, Work::None), Some(Due::Idle));
        sitting.phase = Phase::Away;
        assert_eq!(sitting.due(RULE, 2 * HOUR, true, Work::None), None, "it is locked");
    }

    #[test]
    fn it_ends_after_twelve_hours_open_or_locked() {
        let mut sitting = sitting();
        for phase in [Phase::Open, Phase::Away] {
            sitting.phase = phase;
            sitting.touch(13 * HOUR - 1);
            assert_eq!(sitting.due(RULE, 13 * HOUR - 1, true, Work::None), None);
            assert_eq!(sitting.due(RULE, 13 * HOUR, true, Work::None), Some(Due::Expired));
            assert_eq!(sitting.due(RULE, 13 * HOUR, false, Work::None), Some(Due::Expired));
        }
        sitting.phase = Phase::Expired;
        assert_eq!(
            (sitting.due(RULE, 99 * HOUR, true, Work::None), sitting.next(RULE, true, Work::None)),
            (None, None)
        );
    }

    #[test]
    fn nothing_is_due_while_a_device_is_in_work() {
        let sitting = sitting();
        for now in [HOUR + 5 * MINUTE, 13 * HOUR, 99 * HOUR] {
            assert_eq!(sitting.due(RULE, now, true, Work::Device), None);
        }
        assert_eq!(sitting.next(RULE, true, Work::Device), None);
        assert!(sitting.is_over(RULE, 13 * HOUR), "but nothing new is begun");
        assert!(!sitting.is_over(RULE, 13 * HOUR - 1));
    }

    #[test]
    fn what_never_says_who_it_is_puts_it_off_by_seconds() {
        let mut sitting = sitting();
        let at = HOUR + 5 * MINUTE + PLUGGED_MS;
        assert_eq!(sitting.next(RULE, true, Work::Plugged), Some(at));
        assert_eq!(sitting.due(RULE, at - 1, true, Work::Plugged), None);
        assert_eq!(sitting.due(RULE, at, true, Work::Plugged), Some(Due::Idle));
        sitting.touch(13 * HOUR);
        let at = 13 * HOUR + PLUGGED_MS;
        assert_eq!(sitting.due(RULE, at - 1, true, Work::Plugged), None);
        assert_eq!(sitting.due(RULE, at, true, Work::Plugged), Some(Due::Expired));
        let soon = Some(Warning { seconds: 1, why: Soon::Hours });
        assert_eq!(sitting.warning(RULE, at - 1, true, Work::Plugged), soon);
    }

    #[test]
    fn it_warns_in_the_last_thirty_seconds() {
        let sitting = sitting();
        let warning = |now, secrets| sitting.warning(RULE, now, secrets, Work::None);
        let soon = |seconds, why| Some(Warning { seconds, why });
        assert_eq!(warning(HOUR + 5 * MINUTE - 30_001, true), None);
        assert_eq!(warning(HOUR + 5 * MINUTE - 30_000, true), soon(30, Soon::Idle));
        assert_eq!(warning(HOUR + 5 * MINUTE - 1, true), soon(1, Soon::Idle));
        assert_eq!(warning(HOUR + 5 * MINUTE - 1, false), None);
        assert_eq!(
            warning(13 * HOUR - 500, false),
            soon(1, Soon::Hours),
            "the end of the shift warns as well"
        );
        let mut touched = sitting;
        touched.touch(13 * HOUR - 5 * MINUTE);
        assert_eq!(
            touched.warning(RULE, 13 * HOUR - 500, true, Work::None),
            soon(1, Soon::Hours),
            "whoever touches"
        );
    }
}
