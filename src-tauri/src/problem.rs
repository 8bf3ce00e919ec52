//! What the page is told when something does not work.

pub(crate) mod remedy;

use std::error::Error;

use keystation::ceremony::CeremonyError;
use keystation::people::{ChangePinError, Denied, PersonError, PinRefused, SignInError};
use keystation::{NotAName, Notice, SecretRefused, StationError};
use keystation_core::failure::Failure;
use serde::Serialize;

/// What happened and what to do. The page decides on `code` and shows the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Problem {
    /// Stable name.
    pub(crate) code: String,
    /// What happened.
    pub(crate) sentence: String,
    /// What to do now: one to three steps.
    pub(crate) remedy: Vec<String>,
}

impl Problem {
    pub(crate) fn new(code: &str, sentence: &str, remedy: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            sentence: sentence.to_owned(),
            remedy: remedy.iter().map(|step| (*step).to_owned()).collect(),
        }
    }

    /// The code of [`Self::panicked`].
    pub(crate) const PANICKED: &str = "program-failed";

    /// Something in the program panicked.
    pub(crate) fn panicked() -> Self {
        Self::new(
            Self::PANICKED,
            "Something in this program failed. The keys were wiped and the screen was locked.",
            &[
                "Sign in again. A device that was in work: plug it in again.",
                "Start the station again as soon as the line allows it.",
                "Again: call the administrator.",
            ],
        )
    }
}

/// Problems from the errors of the station, each of which has a code and a remedy.
macro_rules! from {
    ($($error:ty),+) => {
        $(impl From<&$error> for Problem {
            fn from(error: &$error) -> Self {
                let code = error.code();
                Self::new(code, &sentence(error), remedy::own(code).unwrap_or_else(|| error.remedy()))
            }
        }

        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::from(&error)
            }
        })+
    };
}

from!(StationError, Denied, SignInError, PersonError, CeremonyError);

impl From<ChangePinError> for Problem {
    fn from(error: ChangePinError) -> Self {
        match error {
            ChangePinError::Denied(denied) => denied.into(),
            ChangePinError::Pin(refused) => refused.into(),
            ChangePinError::SignIn(refused) => refused.into(),
        }
    }
}

impl From<PinRefused> for Problem {
    fn from(refused: PinRefused) -> Self {
        PersonError::Pin(refused).into()
    }
}

/// A device that gave no answer, or that nobody may touch: nothing was written.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let code = failure.code;
        let mut said = code.sentence().to_owned();
        if let Some(cause) = &failure.cause {
            said = format!("{said} {}", sentence(&**cause));
        }
        Self::new(code.as_str(), &said, remedy::own(code.as_str()).unwrap_or_else(|| code.remedy()))
    }
}

/// What somebody scanned or typed can be no badge.
impl From<SecretRefused> for Problem {
    fn from(_: SecretRefused) -> Self {
        PersonError::Badge.into()
    }
}

impl From<NotAName> for Problem {
    fn from(error: NotAName) -> Self {
        StationError::from(error).into()
    }
}

impl From<&Notice> for Problem {
    fn from(notice: &Notice) -> Self {
        let word = notice.word();
        Self::new(word, &notice.sentence(), remedy::own(word).unwrap_or_else(|| notice.remedy()))
    }
}

/// A panic, or a call that the framework could not make. What a panic said is for the diagnostics.
impl From<tauri::Error> for Problem {
    fn from(error: tauri::Error) -> Self {
        if let tauri::Error::JoinError(_) = error {
            return Self::panicked();
        }
        let remedy = &["Close the window.", "Start the station again.", "Again: call the administrator."];
        Self::new("window-failed", &sentence(&error), remedy)
    }
}

/// An error with its causes, as one sentence for a person. A cause that the error already names is not said twice.
pub(crate) fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    let mut characters = text.chars();
    let first = characters.next().map_or_else(String::new, |first| first.to_uppercase().to_string());
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_problem_has_code_sentence_and_steps() {
        let missing: Problem = StationError::Missing("/no/station".into()).into();
        assert_eq!(missing.code, "station-missing");
        assert_eq!(missing.sentence, "There is no station in /no/station.");
        assert!((1..=3).contains(&missing.remedy.len()));
    }

    #[test]
    fn a_sentence_names_the_cause_once() {
        let cause = io::Error::other("no space left");
        let full = StationError::Disk { path: "/x".into(), cause };
        assert_eq!(sentence(&full), "/x cannot be written: no space left.");
        let named = io::Error::other(io::Error::other("said already"));
        assert_eq!(sentence(&named), "Said already.");
    }
}
