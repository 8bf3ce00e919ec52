//! What the log says, as the page is told it.

use keystation::log;
use keystation::people::Action;
use keystation_core::failure::Code;
use keystation_core::registration::RegistrationId;

use super::{
    AttemptLine, Cause, DenialLine, DenialPage, DeviceLife, Figures, FindingLine, LifeEvent, Review,
    ReviewLine, SearchPage, Secured, SlotTally, Standing, TallyLine, VerifyProgress,
};

/// What a code means; empty for none, and for one that this program does not know.
fn meaning(code: &str) -> String {
    Code::named(code).map_or_else(String::new, |code| code.sentence().to_owned())
}

impl From<log::Page> for SearchPage {
    fn from(page: log::Page) -> Self {
        Self { rows: page.rows.into_iter().map(AttemptLine::from).collect(), more: page.more }
    }
}

impl From<log::Attempt> for AttemptLine {
    fn from(attempt: log::Attempt) -> Self {
        let seen = attempt.outcome;
        let text = |text: &str| text.to_owned();
        let (outcome, code, holds, verified) = match &seen {
            Some(seen) => (text(&seen.rc), text(&seen.code), text(&seen.holds), text(&seen.verified)),
            None if attempt.mode == "refused" => {
                (text("refused"), attempt.code, text("untouched"), String::new())
            }
            None => (text("open"), String::new(), text("open"), String::new()),
        };
        Self {
            seq: attempt.seq,
            time: attempt.time_ms,
            id: attempt.rid,
            mac: attempt.mac,
            serial: attempt.serial,
            job: attempt.job,
            operator: attempt.operator,
            key: attempt.key,
            port: attempt.port,
            mode: attempt.mode,
            outcome,
            sentence: meaning(&code),
            code,
            holds,
            verified: if verified.is_empty() { text("none") } else { verified },
            cycle_ms: seen.as_ref().and_then(|seen| seen.took_ms),
            outcome_record: seen.map(|seen| seen.seq),
        }
    }
}

impl From<log::Denials> for DenialPage {
    fn from(denials: log::Denials) -> Self {
        Self { rows: denials.rows.into_iter().map(DenialLine::from).collect(), next: denials.next }
    }
}

impl From<log::Denial> for DenialLine {
    fn from(denial: log::Denial) -> Self {
        let log::Denial { seq, time_ms, operator, role, action, what, why } = denial;
        let known = Action::ALL.into_iter().find(|known| known.word() == action);
        let meaning = known.map_or_else(String::new, |known| known.meaning().to_owned());
        Self { seq, time: time_ms, operator, role, action, meaning, what, why }
    }
}

impl From<log::DeviceStanding> for Standing {
    fn from(standing: log::DeviceStanding) -> Self {
        match standing {
            log::DeviceStanding::Keyed => Self::Keyed,
            log::DeviceStanding::Open => Self::Open,
            log::DeviceStanding::NotKeyed => Self::NotKeyed,
            log::DeviceStanding::Refused => Self::Refused,
        }
    }
}

impl DeviceLife {
    pub(crate) fn of(id: &RegistrationId, life: log::Life, secured: Option<log::Secured>) -> Self {
        let (keyed_record, key, check_value, fingerprint) = match life.keyed {
            Some(keyed) => (Some(keyed.record), keyed.key, keyed.check_value, keyed.fingerprint),
            None => (None, String::new(), String::new(), String::new()),
        };
        Self {
            id: id.to_string(),
            mac: life.mac,
            serial: life.serial,
            standing: life.standing.into(),
            key,
            check_value,
            fingerprint,
            keyed_record,
            secured_to: secured.map(|secured| secured.checkpoint.size - 1),
            events: life.events.into_iter().map(LifeEvent::from).collect(),
        }
    }
}

impl From<log::LifeEvent> for LifeEvent {
    fn from(event: log::LifeEvent) -> Self {
        Self {
            seq: event.seq,
            time: event.time_ms,
            event: event.event,
            outcome: event.rc,
            sentence: meaning(&event.code),
            code: event.code,
            operator: event.operator,
            approver: event.approver,
            role: event.role,
            key: event.key,
            check_value: event.check_value,
            job: event.job,
            port: event.port,
            firmware: event.firmware,
            mode: event.mode,
            reason: event.reason,
            holds: event.holds,
            verified: event.verified,
            refers_to: event.refers_to,
        }
    }
}

impl From<log::Progress> for VerifyProgress {
    fn from(progress: log::Progress) -> Self {
        Self { done: progress.done, of: progress.of }
    }
}

impl From<log::Secured> for Secured {
    fn from(secured: log::Secured) -> Self {
        let record = secured.checkpoint.size - 1;
        Self { witness: secured.witness, record, time: secured.time * 1000 }
    }
}

impl From<&log::Finding> for FindingLine {
    fn from(finding: &log::Finding) -> Self {
        Self {
            sentence: finding.to_string(),
            record: finding.seq(),
            remedy: finding.remedy().iter().map(|step| (*step).to_owned()).collect(),
        }
    }
}

impl From<log::Figures> for Figures {
    fn from(figures: log::Figures) -> Self {
        let lines = |tallies: Vec<log::Tally>| tallies.into_iter().map(TallyLine::from).collect();
        let cause = |(code, count): (String, u64)| Cause { sentence: meaning(&code), code, count };
        Self {
            days: lines(figures.days),
            jobs: lines(figures.jobs),
            slots: figures.slots.into_iter().map(SlotTally::from).collect(),
            causes: figures.causes.into_iter().map(cause).collect(),
        }
    }
}

impl From<log::Tally> for TallyLine {
    fn from(tally: log::Tally) -> Self {
        let log::Tally { name, passed, failed, refused, open } = tally;
        Self { name, passed, failed, refused, open }
    }
}

impl From<log::Slot> for SlotTally {
    fn from(slot: log::Slot) -> Self {
        Self { tally: slot.tally.into(), median_ms: slot.median_ms }
    }
}

impl From<keystation::Reviewed> for Review {
    fn from(reviewed: keystation::Reviewed) -> Self {
        Self {
            last: reviewed.last.map(ReviewLine::from),
            due: reviewed.due,
            from: reviewed.rest.from,
            to: reviewed.rest.to,
            attempts: reviewed.attempts.into(),
            denials: reviewed.denials,
        }
    }
}

impl From<log::Review> for ReviewLine {
    fn from(review: log::Review) -> Self {
        let log::Review { seq, time_ms, reviewer, from, to, remark } = review;
        Self { seq, time: time_ms, reviewer, from, to, remark }
    }
}
