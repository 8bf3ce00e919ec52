//! QA's review of the log: how often, what it covers, who signs it.

use keystation_audit::{Reader, Review, Tally, Unreviewed};
use keystation_core::record::Seq;

use crate::archive::Archive;
use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::station::Station;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How often the log is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewRule {
    /// An attempt that nobody has reviewed for so many days makes a review due.
    pub days: u16,
}

impl Default for ReviewRule {
    fn default() -> Self {
        Self { days: 7 }
    }
}

impl ReviewRule {
    /// Whether a review is due at `now_ms`, when nobody has reviewed an attempt of `oldest_ms`; UTC, milliseconds since 1970.
    #[must_use]
    pub fn due(self, oldest_ms: Option<i64>, now_ms: i64) -> bool {
        oldest_ms.is_some_and(|oldest| now_ms.saturating_sub(oldest) > i64::from(self.days) * DAY_MS)
    }
}

/// How far the log was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The last review.
    pub last: Option<Review>,
    /// What a review that is signed now would cover.
    pub rest: Unreviewed,
    /// The attempts among that.
    pub attempts: Tally,
    /// How often somebody asked, in these records, for what is not permitted.
    pub denials: u64,
    /// Whether it is time for one.
    pub due: bool,
}

/// What a reviewer has to say: at most 500 characters, perhaps none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remark(String);

impl Remark {
    /// Characters at most: a record has 4096 bytes.
    pub const LIMIT: usize = 500;

    /// `text` without the blanks around it.
    pub fn new(text: &str) -> Result<Self, StationError> {
        match text.trim().chars().count() {
            0..=Self::LIMIT => Ok(Self(text.trim().to_owned())),
            more => Err(StationError::Remark(more)),
        }
    }
}

impl Archive {
    /// How far the log was reviewed.
    pub fn review(&self) -> Result<Reviewed, StationError> {
        let reader = self.reader()?;
        let (last, rest) = (reader.last_review()?, reader.unreviewed()?);
        let attempts = reader.attempts_among(rest.from, rest.to)?;
        let denials = reader.denials_since(rest.from)?;
        let due = self.is_due(&rest);
        Ok(Reviewed { last, rest, attempts, denials, due })
    }

    /// Whether it is time for a review of the log that `reader` reads. Takes the same time at any size of it.
    pub(crate) fn review_due(&self, reader: &Reader) -> Result<bool, StationError> {
        Ok(self.is_due(&reader.unreviewed()?))
    }

    fn is_due(&self, rest: &Unreviewed) -> bool {
        self.config().review.due(rest.oldest_ms, jiff::Timestamp::now().as_millisecond())
    }
}

impl Station {
    /// Puts down that the person of `permit` has looked through what nobody had yet, up to record `to`: what they were shown.
    /// `None`: up to the last one that there is now. Permit: [`Action::SignReview`].
    pub fn sign_review(
        &self,
        permit: &Permit,
        to: Option<Seq>,
        remark: &Remark,
    ) -> Result<Review, StationError> {
        self.honour(permit, Action::SignReview)?;
        let signed = self.journal().review(permit.actor(), to, &remark.0).map_err(StationError::from);
        let seq = self.done_or_told(permit, "", signed)?;
        Ok(self.reader()?.review(seq)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::people::testing;

    use super::*;

    #[test]
    fn a_review_is_due_when_an_attempt_is_older_than_the_rule_allows() {
        let rule = ReviewRule::default();
        let now = 1_795_313_643_123;
        for (oldest, due) in [
            (None, false),
            (Some(now), false),
            (Some(now - 7 * DAY_MS), false),
            (Some(now - 7 * DAY_MS - 1), true),
            (Some(0), true),
            // The clock was set back: nothing is older than now.
            (Some(now + 8 * DAY_MS), false),
        ] {
            assert_eq!(rule.due(oldest, now), due, "{oldest:?}");
        }
        assert!(ReviewRule { days: 1 }.due(Some(now - 2 * DAY_MS), now));
    }

    #[test]
    fn a_remark_fits_into_a_record_whatever_it_is_made_of() {
        for text in ["\u{1}".repeat(500), "\u{10348}".repeat(500), format!("  {}\n", "x".repeat(500))] {
            assert!(Remark::new(&text).is_ok());
        }
        assert!(matches!(Remark::new(&"x".repeat(501)), Err(StationError::Remark(501))));
        assert_eq!(Remark::new(" two boards \n").unwrap(), Remark("two boards".to_owned()));
    }

    /// The longest remark that there is, in the log.
    #[test]
    fn a_review_is_signed_by_a_person_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let data = crate::DataDir::new(directory.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let station = testing::open(&data);
        let archive = Archive::open(&data).unwrap();
        assert_eq!(archive.review().unwrap().last, None);

        testing::sign_in(&station, "qa-007", "qa");
        let permit = station.permit(Action::SignReview).unwrap();
        let last = archive.reader().unwrap().size().unwrap() - 1;
        let longest = Remark::new(&"\u{1}".repeat(500)).unwrap();
        let signed = station.sign_review(&permit, None, &longest).unwrap();
        assert_eq!((signed.from, signed.to, signed.seq), (0, last, last + 1));
        assert_eq!((signed.reviewer.as_str(), signed.remark.as_str()), ("qa-007", longest.0.as_str()));
        let reviewed = archive.review().unwrap();
        assert_eq!((reviewed.last, reviewed.rest.from, reviewed.due), (Some(signed), last + 1, false));

        let other = station.permit(Action::AuditRoom).unwrap();
        let refused = station.sign_review(&other, None, &Remark::default());
        assert!(matches!(refused, Err(StationError::Denied(_))), "a permit is for one action");
        assert_eq!(
            archive.review().unwrap().rest.from,
            last + 1,
            "a review that nobody may sign leaves none"
        );
    }
}
