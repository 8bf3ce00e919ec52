//! How far the log is secured outside of this machine, and what the rules make of that.

use keystation_audit::{AppendError, Reader, Secured, WitnessKey, WitnessRequest};
use keystation_core::record::Seq;

use crate::error::StationError;
use crate::files::write_text;
use crate::people::{Action, Permit};
use crate::station::{Station, paths};
use crate::{DataDir, config::StationConfig};

/// When a log counts as not secured enough. Hours since the newest cosignature, records since its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorRule {
    /// From so many hours on the screen warns.
    pub warn_hours: u64,
    /// From so many records on the screen warns.
    pub warn_records: u64,
    /// From so many hours on no new job is begun.
    pub block_hours: u64,
    /// From so many records on no new job is begun.
    pub block_records: u64,
}

impl Default for AnchorRule {
    fn default() -> Self {
        Self { warn_hours: 8, warn_records: 1000, block_hours: 24, block_records: 5000 }
    }
}

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorState {
    /// No witness is named in the settings: the log is not secured outside of this machine.
    None,
    /// Secured well enough.
    Fresh,
    /// It is time for the witness.
    Due,
    /// No new job is begun.
    Overdue,
}

impl AnchorState {
    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fresh => "fresh",
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }
}

/// How far the log is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchoring {
    /// What the rules say.
    pub state: AnchorState,
    /// The last record that a witness vouches for, the witness's name, and when by its clock (seconds since 1970).
    pub secured: Option<(Seq, String, u64)>,
    /// Records that nobody outside of this machine vouches for.
    pub open: u64,
}

impl AnchorRule {
    /// What the rules say of a log of `size` records at `now`, which was begun at `began`; seconds since 1970.
    #[must_use]
    pub fn judge(&self, secured: Option<&Secured>, size: u64, began: u64, now: u64) -> Anchoring {
        let (since, covered) = secured.map_or((began, 0), |secured| (secured.time, secured.checkpoint.size));
        let open = size.saturating_sub(covered);
        let hours = now.saturating_sub(since) / 3600;
        let state = if hours >= self.block_hours || open >= self.block_records {
            AnchorState::Overdue
        } else if hours >= self.warn_hours || open >= self.warn_records {
            AnchorState::Due
        } else {
            AnchorState::Fresh
        };
        let secured = secured.map(|s| (s.checkpoint.size - 1, s.witness.clone(), s.time));
        Anchoring { state, secured, open }
    }
}

impl Anchoring {
    /// The state of the log that `reader` reads, under the rules of `config`.
    pub fn of(reader: &Reader, config: &StationConfig) -> Result<Self, StationError> {
        let size = reader.size()?;
        if config.witnesses.is_empty() {
            return Ok(Self { state: AnchorState::None, secured: None, open: size });
        }
        let secured = reader.secured(&config.witnesses)?;
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        Ok(config.anchor.judge(secured.as_ref(), size, reader.began()?, now))
    }
}

/// The request to the witness of this name, or to the only one; it begins at what that witness cosigned last, or at `old`.
pub fn request(
    data: &DataDir,
    name: Option<&str>,
    old: Option<u64>,
) -> Result<(WitnessKey, WitnessRequest), StationError> {
    let config = StationConfig::read(&data.settings())?;
    let mut fitting = config.witnesses.iter().filter(|key| name.is_none_or(|name| key.name() == name));
    let (Some(witness), None) = (fitting.next(), fitting.next()) else {
        return Err(StationError::WhichWitness(
            config.witnesses.iter().map(|key| key.name().to_owned()).collect(),
        ));
    };
    let reader = Reader::open(&paths(data))?;
    let cosigned =
        reader.secured(std::slice::from_ref(witness))?.map_or(0, |secured| secured.checkpoint.size);
    let old = old.unwrap_or(cosigned);
    let request = reader.snapshot()?.witness_request(old)?;
    Ok((witness.clone(), request.ok_or(StationError::NoSuchSize(old))?))
}

impl Station {
    /// Takes a checkpoint that a witness of this station cosigned into the log. Permit: [`Action::AnchorAccept`].
    pub fn accept_anchor(&self, permit: &Permit, note: &str) -> Result<Seq, StationError> {
        self.honour(permit, Action::AnchorAccept)?;
        let witnesses = &self.config().witnesses;
        let seq = self.journal().anchor(permit.actor(), note, witnesses)?;
        // For those who check an export: the keys that its cosignatures are checked with.
        let keys: String = witnesses.iter().map(|key| format!("{key}\n")).collect();
        write_text(&self.data().path().join("witness.vkeys"), &keys)?;
        Ok(seq)
    }

    /// How far the log is secured outside of this machine.
    pub fn anchoring(&self) -> Result<Anchoring, StationError> {
        Anchoring::of(&self.reader()?, self.config())
    }

    /// Whether work on `job` may go on: a job that is under way may be ended, a new one is not begun while the log is overdue.
    /// Devices without a work order count as new, or a station that never names one would never be stopped.
    pub(crate) fn may_work_on(&self, job: &str) -> Result<bool, StationError> {
        if self.config().witnesses.is_empty() {
            return Ok(true);
        }
        let reader = self.look()?;
        let overdue = Anchoring::of(&reader, self.config())?.state == AnchorState::Overdue;
        Ok(!overdue || (!job.is_empty() && reader.knows_job(job)?))
    }
}

/// Whether a refusal shows that there are two logs of this name.
pub(crate) const fn proves_two_logs(error: &AppendError) -> bool {
    matches!(error, AppendError::NotAnchored(refusal) if refusal.proves_two_logs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystation_audit::{Checkpoint, Origin};

    const HOUR: u64 = 3600;
    const TIME: u64 = 1_795_313_643;

    fn secured(size: u64) -> Secured {
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let checkpoint = Checkpoint { origin, size, root: [0; 32] };
        Secured { checkpoint, witness: "witness.example.com/qa".to_owned(), time: TIME }
    }

    #[test]
    fn hours_and_records_warn_first_and_block_then() {
        let rule = AnchorRule::default();
        for (size, now, state) in [
            (101, TIME, AnchorState::Fresh),
            (1099, TIME + 8 * HOUR - 1, AnchorState::Fresh),
            (101, TIME + 8 * HOUR, AnchorState::Due),
            (1100, TIME, AnchorState::Due),
            (5099, TIME + 24 * HOUR - 1, AnchorState::Due),
            (101, TIME + 24 * HOUR, AnchorState::Overdue),
            (5100, TIME, AnchorState::Overdue),
            // The station's clock is behind the witness's: only the records count.
            (101, TIME - HOUR, AnchorState::Fresh),
            (5100, TIME - HOUR, AnchorState::Overdue),
        ] {
            let judged = rule.judge(Some(&secured(100)), size, 0, now);
            assert_eq!(judged.state, state, "{size} records, {} s", now.cast_signed() - TIME.cast_signed());
            assert_eq!(judged.secured, Some((99, "witness.example.com/qa".to_owned(), TIME)));
            assert_eq!(judged.open, size - 100);
        }
    }

    #[test]
    fn a_log_that_was_never_secured_is_as_old_as_its_first_record() {
        let rule = AnchorRule::default();
        assert_eq!(rule.judge(None, 1, TIME, TIME + HOUR).state, AnchorState::Fresh);
        assert_eq!(rule.judge(None, 1, TIME, TIME + 8 * HOUR).state, AnchorState::Due);
        let judged = rule.judge(None, 5000, TIME, TIME);
        assert_eq!((judged.state, judged.secured, judged.open), (AnchorState::Overdue, None, 5000));
    }
}
