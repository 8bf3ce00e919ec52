//! Secrets that people type into a dialog of the operating system: passphrase of the vault, PIN of a token, authorisation
//! of a TPM's keys, a group key, a component of one. They never enter the page or its IPC.

use std::sync::atomic::{AtomicBool, Ordering};

use keystation::{SecretRefused, SecretText};
use tauri::{AppHandle, Runtime, WebviewWindow};
use zeroize::Zeroizing;

use crate::dto::{Custody, KeySlot, NewKey};
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

    /// The passphrase of a vault that is still to be made.
    pub(crate) fn new_vault() -> Self {
        Self::new("New vault", "Choose a passphrase for the vault. Whoever loses it loses the keys.", "Next")
    }

    /// The same once more.
    pub(crate) fn vault_again() -> Self {
        Self::new("New vault, again", "The same passphrase, again", "Make the vault")
    }

    /// A whole group key.
    pub(crate) fn group_key(key: &NewKey) -> Self {
        let slot = if key.slot == KeySlot::Primary { "primary" } else { "secondary" };
        let sentence = format!("{}: the {slot} key of {}", key.label.as_str(), key.group.as_str());
        Self::new("Group key", &sentence, "Import")
    }

    /// The component of one person in a ceremony.
    pub(crate) fn component(part: u8, user: &str, label: &str) -> Self {
        let side = if part == 1 { "left" } else { "right" };
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

impl Answer {
    /// Of what was typed.
    fn of(text: Zeroizing<Vec<u8>>) -> Self {
        match SecretText::from_line(text) {
            Ok(secret) if secret.expose().is_empty() => Self::Unusable(SecretRefused::Empty),
            Ok(secret) => Self::Given(secret),
            Err(why) => Self::Unusable(why),
        }
    }
}

/// The dialogs of a window: one at a time.
#[derive(Default)]
pub(crate) struct Dialogs {
    /// Whether somebody has the turn.
    taken: AtomicBool,
    #[cfg(test)]
    pub(crate) hand: Hand,
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

    async fn answer<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<Answer, Problem> {
        #[cfg(test)]
        if let Some(answer) = self.0.hand.answer(question) {
            return Ok(answer);
        }
        dialog::ask(window, question).await
    }
}

/// A person who answers without a display: with what was laid out, if it is what is asked for, and cancels otherwise.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Hand(std::sync::Mutex<std::collections::VecDeque<(&'static str, String)>>);

#[cfg(test)]
impl Hand {
    /// Lays out what is typed when a dialog of this title is shown.
    pub(crate) fn lay_out(&self, title: &'static str, text: &str) {
        self.0.lock().unwrap().push_back((title, text.to_owned()));
    }

    /// Whether all of it was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let mut laid_out = self.0.lock().unwrap();
        let next = laid_out.pop_front_if(|(title, _)| *title == question.title);
        let typed = next.map(|(_, text)| Answer::of(Zeroizing::new(text.into_bytes())));
        Some(typed.unwrap_or(Answer::Cancelled))
    }
}
