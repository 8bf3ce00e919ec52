//! Secrets that people type into a dialog of the operating system: passphrase of the vault, PIN of a token, authorisation
//! of a TPM's keys, a group key, a component of one. They never enter the page or its IPC.

use std::sync::atomic::{AtomicBool, Ordering};

use keystation::{SecretRefused, SecretText};
use tauri::{AppHandle, Runtime, WebviewWindow};

use crate::dto::{Custody, NewKey};
use crate::problem::{Problem, sentence};

#[cfg(target_os = "linux")]
mod dialog;

#[cfg(not(target_os = "linux"))]
mod dialog {
    use super::*;

    pub(super) async fn ask<R: Runtime>(_: &WebviewWindow<R>, _: &Question) -> Result<Answer, Problem> {
        Err(Problem::new(
            "system-unsupported",
            "This system has no dialog for secrets in Keystation yet.",
            &["Use the headless program: keystation inject."],
        ))
    }

    pub(super) fn dismiss() {}
}

/// What a dialog asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// Title of the dialog.
    title: String,
    /// Which secret, and of whom.
    sentence: String,
    /// What was wrong with the last try, or empty.
    complaint: String,
    /// What the button does that gives the secret.
    button: &'static str,
}

impl Question {
    fn new(title: &str, sentence: &str, button: &'static str) -> Self {
        let (title, sentence) = (title.to_owned(), sentence.to_owned());
        Self { title, sentence, complaint: String::new(), button }
    }

    /// What opens a custody.
    pub(crate) fn opening(custody: Custody) -> Self {
        match custody {
            Custody::SealedFile => Self::new("Unlock the vault", "Passphrase of the vault", "Unlock"),
            Custody::Pkcs11 => Self::new("Unlock the token", "User PIN of the token", "Unlock"),
            Custody::Tpm => Self::new("Unlock the TPM", "Authorisation of the keys in the TPM", "Unlock"),
        }
    }

    /// A whole group key.
    pub(crate) fn group_key(key: &NewKey) -> Self {
        let sentence =
            format!("Group key {}, {:?} key of {}", key.label.as_str(), key.slot, key.group.as_str());
        Self::new("Group key", &sentence.to_lowercase(), "Import")
    }

    /// The component of one person in a ceremony.
    pub(crate) fn component(side: usize, user: &str, label: &str) -> Self {
        let side = if side == 0 { "left" } else { "right" };
        let sentence = format!("{user} enters the {side} component of {label}. Nobody else looks on.");
        Self::new(&format!("Component of {user}, {side}"), &sentence, "Give")
    }

    /// The same question, with what was wrong with the last try.
    pub(crate) fn complain(&mut self, complaint: &str) {
        complaint.clone_into(&mut self.complaint);
    }
}

/// What came back from a dialog.
pub(crate) enum Answer {
    Given(SecretText),
    /// What can be no secret.
    Unusable(SecretRefused),
    Cancelled,
}

/// The dialogs of a window: one at a time.
#[derive(Default)]
pub(crate) struct Dialogs {
    /// Whether somebody has the turn.
    taken: AtomicBool,
    /// What a person would have typed, where there is no display.
    #[cfg(test)]
    pub(crate) hand: std::sync::Mutex<std::collections::VecDeque<(Question, Answer)>>,
}

impl Dialogs {
    /// The right to ask, until it is dropped.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, Problem> {
        if self.taken.swap(true, Ordering::Acquire) {
            return Err(Problem::new(
                "secret-asked",
                "A secret is being asked for already.",
                &["Enter it in its own window, or cancel there."],
            ));
        }
        Ok(Turn(self))
    }

    /// Closes the dialog that is open, as if it was cancelled: what was typed so far is wiped.
    pub(crate) fn dismiss<R: Runtime>(app: &AppHandle<R>) {
        if let Err(error) = app.run_on_main_thread(dialog::dismiss) {
            // The event loop has ended, and the dialog with it.
            tracing::debug!(%error, "no dialog can be dismissed");
        }
    }
}

/// The right to ask.
pub(crate) struct Turn<'a>(&'a Dialogs);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

impl Turn<'_> {
    /// Asks until there is an answer that can be a secret; none if the person gave up.
    pub(crate) async fn ask<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<Option<SecretText>, Problem> {
        let mut question = question.clone();
        loop {
            match self.answer(window, &question).await? {
                Answer::Given(secret) => return Ok(Some(secret)),
                Answer::Unusable(SecretRefused::Empty) => question.complain("Nothing was entered."),
                Answer::Unusable(why) => question.complain(&format!("This cannot be it: {}", sentence(&why))),
                Answer::Cancelled => return Ok(None),
            }
        }
    }

    #[cfg(not(test))]
    async fn answer<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<Answer, Problem> {
        dialog::ask(window, question).await
    }

    /// The next answer of the hand, which says what it expects to be asked for. Without one a person cancels.
    #[cfg(test)]
    async fn answer<R: Runtime>(&self, _: &WebviewWindow<R>, question: &Question) -> Result<Answer, Problem> {
        let Some((expected, answer)) = self.0.hand.lock().expect("one test").pop_front() else {
            return Ok(Answer::Cancelled);
        };
        assert_eq!(&expected, question);
        Ok(answer)
    }
}
