//! The counter of wrong PINs in a TPM: it tells that a log was put back together with its head (docs/people.md, section 4).

use keystation_core::record::{
    Counting, Denial, DenialReason, Entry, Event, Purpose, SessionEvent, SignInRefusal,
};
use keystation_vault::{Counter, TpmError};
use sha2::{Digest, Sha256};

use super::action::Action;
use super::throttle::LOCKED_OUT_AT;
use crate::error::StationError;
use crate::station::Station;

/// No PIN is taken, of nobody: the settings name a counter, and nothing stands in for it.
#[derive(Debug, thiserror::Error)]
pub enum PinCounterError {
    /// The TPM does not give it.
    #[error("no PIN is taken without the counter of wrong ones: {0}")]
    Tpm(#[from] TpmError),
    /// As many wrong PINs as lock an account are in no record.
    #[error(
        "no PIN is taken: the TPM's counter 0x{index:08x} is {lost} ahead of the log, so an older log was put back"
    )]
    Ahead {
        /// How many are missing.
        lost: u64,
        /// Where the counter is.
        index: u32,
    },
    /// The log knows of more than the counter.
    #[error("no PIN is taken: the TPM's counter 0x{index:08x} is at {counter}, and the log saw it at {log}")]
    Behind {
        /// What the TPM says.
        counter: u64,
        /// What the log says.
        log: u64,
        /// Where the counter is.
        index: u32,
    },
    /// The log does not open, and says nothing of the counter.
    #[error("no PIN is taken: the log does not open, so the TPM's counter cannot be held against it")]
    NoLog,
}

impl PinCounterError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Tpm(_) => "pin-counter",
            Self::Ahead { .. } | Self::Behind { .. } => "pin-counter-differs",
            Self::NoLog => "pin-counter-no-log",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Tpm(error) => error.remedy(),
            Self::Ahead { .. } => &[
                "Find out who put an older copy back, and call QA.",
                "Put back the newest copy of the whole data directory.",
                "There is none: docs/people.md, section 4, says how a station begins to count anew.",
            ],
            Self::Behind { .. } => &[
                "Is it another PC, or was its TPM replaced? Put the disk back into its own.",
                "Otherwise docs/people.md, section 4, says how a station begins to count anew.",
            ],
            Self::NoLog => &[
                "Leave all files as they are, and call QA.",
                "To begin a new log: docs/people.md, section 4, says what comes first.",
            ],
        }
    }
}

impl From<TpmError> for StationError {
    fn from(error: TpmError) -> Self {
        PinCounterError::from(error).into()
    }
}

/// Where the counter of the station whose log has the name `origin`, without the epoch, is in a TPM: two stations at one TPM have
/// two. The first 22 bits of SHA-256(`keystation/pin-counter/v1` ‖ 00 ‖ `origin`), among [`Counter::OWNERS`].
pub(crate) fn index_of(origin: &str) -> u32 {
    let hash = Sha256::new().chain_update(b"keystation/pin-counter/v1\0").chain_update(origin).finalize();
    let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    Counter::OWNERS.start() | first >> 10
}

impl Station {
    /// [`Station::settle_counter`] at the start. Where no PIN will be taken that is a record, once, for nobody can be asked who asks.
    pub(crate) fn look_at_counter(&self) -> Result<(), StationError> {
        let Err(error) = self.settle_counter() else { return Ok(()) };
        tracing::warn!(%error, "nobody can sign in");
        let (action, code) = (Action::SignIn.word().to_owned(), error.code().to_owned());
        let denial = Denial { action, why: DenialReason::State, what: String::new(), code };
        self.append_alone(Event::Denied(denial)).map(drop)
    }

    /// Holds the counter against the log, and begins it where the log has none. Fewer than ten wrong PINs that it counted and no
    /// record has are put down for every account; with more of them no PIN is taken. Before each PIN, and at the start.
    pub(crate) fn settle_counter(&self) -> Result<(), StationError> {
        let counted = self.look()?.counter()?;
        let Some(counter) = self.all_custodies().counter() else {
            return counted.map_or(Ok(()), |_| self.counted(0, Counting::Ended));
        };
        let Some(log) = counted else { return self.counted(counter.begin()?, Counting::Begun) };
        let (value, index) = (counter.value()?, counter.index());
        let Some(lost) = value.checked_sub(log) else {
            return Err(PinCounterError::Behind { counter: value, log, index }.into());
        };
        match u32::try_from(lost) {
            Ok(0) => Ok(()),
            Ok(lost) if lost < LOCKED_OUT_AT => self.lost(lost, value),
            _ => Err(PinCounterError::Ahead { lost, index }.into()),
        }
    }

    /// Nobody knows whose they were: each account has them. A kill in between counts them twice, never not at all.
    fn lost(&self, lost: u32, counter: u64) -> Result<(), StationError> {
        let accounts = self.look()?.accounts()?;
        for account in accounts {
            let last = account.tries.saturating_add(lost).min(LOCKED_OUT_AT);
            for tries in account.tries + 1..=last {
                let (user, why) = (account.user.clone(), SignInRefusal::Pin);
                self.alone(SessionEvent::Refused { user, why, purpose: Purpose::Lost, tries })?;
                if tries == LOCKED_OUT_AT {
                    self.alone(SessionEvent::LockedOut { user: account.user.clone() })?;
                }
            }
        }
        self.counted(counter, Counting::Lost)
    }

    /// Raises the counter for a wrong PIN; `None`: the settings name none.
    pub(super) fn raise_counter(&self) -> Option<Result<u64, TpmError>> {
        self.all_custodies().counter().map(Counter::raise)
    }

    pub(super) fn counted(&self, counter: u64, why: Counting) -> Result<(), StationError> {
        self.alone(SessionEvent::Counted { counter, why })
    }

    fn alone(&self, event: SessionEvent) -> Result<(), StationError> {
        self.journal().append(&Entry { actor: self.nobody(), event: Event::Session(event) })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of docs/people.md.
    #[test]
    fn the_example_of_the_documents_holds() {
        let index = format!("0x{:08x}", index_of("keylog.example.com/plant7/stn03"));
        let kept =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/people.md")).unwrap();
        assert!(kept.contains(&index), "{index}");
        for number in 0..1000 {
            assert!(Counter::OWNERS.contains(&index_of(&format!("keylog.example.com/plant7/stn{number}"))));
        }
    }
}
