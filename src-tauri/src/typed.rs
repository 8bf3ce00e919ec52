//! What people say to a dialog of the operating system: which file is taken in, where one goes, and the secrets that they type: passphrase of
//! the vault, PIN of a token, authorisation of a TPM's keys, a group key, a component of one. Secrets never enter the page or its IPC, and the
//! page names no file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keystation::{SecretRefused, SecretText};
use tauri::{Runtime, WebviewWindow};
use zeroize::Zeroizing;

use crate::dto::{Custody, KeySlot, NewKey};
use crate::problem::{Problem, sentence};

#[cfg(all(target_os = "linux", not(test)))]
mod dialog;

#[cfg(test)]
#[path = "typed/hand.rs"] // tests have no display
mod dialog;
#[cfg(test)]
pub(crate) use dialog::Hand;

#[cfg(not(any(target_os = "linux", test)))]
mod dialog {
    use super::*;

    pub(super) async fn ask<R: Runtime>(
        _: &WebviewWindow<R>,
        _: &Question,
        _: &Turn<'_>,
    ) -> Result<Option<Text>, Problem> {
        Err(Problem::new(
            "system-unsupported",
            "This system has no dialog for secrets in Keystation yet.",
            &["Use the headless program: keystation inject."],
        ))
    }

    pub(super) async fn file<R: Runtime>(
        _: &WebviewWindow<R>,
        _: &Question,
        _: &Turn<'_>,
    ) -> Result<Option<PathBuf>, Problem> {
        Err(Problem::new(
            "system-unsupported",
            "This system has no dialog for files in Keystation yet.",
            &["Use the headless program: keystation order create."],
        ))
    }

    /// Where there is no dialog, there is one folder.
    pub(super) async fn folder<R: Runtime>(
        _: &WebviewWindow<R>,
        _: &'static str,
        start: &Path,
        _: &Turn<'_>,
    ) -> Result<Option<PathBuf>, Problem> {
        Ok(Some(start.to_owned()))
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
    /// What the button does that gives the secret, or says yes.
    button: &'static str,
    /// Whether there is something to type. A question of yes or no has nothing.
    takes_text: bool,
}

impl Question {
    fn new(title: &str, sentence: &str, button: &'static str) -> Self {
        let (title, sentence) = (title.to_owned(), sentence.to_owned());
        Self { title, sentence, complaint: String::new(), button, takes_text: true }
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

    /// Whether a key of 32 bytes, as the derived key of one device has, is the key of an enrollment group.
    pub(crate) fn group_not_device(key: &NewKey) -> Self {
        let sentence = format!(
            "This key has 32 bytes, as the derived key of one device has. Is it the key of the enrollment group {}?",
            key.group.as_str()
        );
        Self {
            takes_text: false,
            ..Self::new("Key of a group or of a device?", &sentence, "Yes, of the group")
        }
    }

    /// The component of one person in a ceremony.
    pub(crate) fn component(part: u8, user: &str, label: &str) -> Self {
        let side = if part == 1 { "left" } else { "right" };
        let sentence = format!("{user} enters the {side} component of {label}. Nobody else looks on.");
        Self::new(&format!("Component of {user}, {side}"), &sentence, "Give")
    }

    /// The file of a work order.
    pub(crate) fn order_file() -> Self {
        Self { takes_text: false, ..Self::new("Choose the work order", "", "Take it in") }
    }

    /// The list of a work order's devices.
    pub(crate) fn device_list() -> Self {
        Self { takes_text: false, ..Self::new("Choose the list of devices", "", "Take it in") }
    }

    /// The list of a batch of repair.
    pub(crate) fn batch_list() -> Self {
        Self { takes_text: false, ..Self::new("Choose the list of devices to re-key", "", "Take it in") }
    }

    /// A list of the cloud's clean-up that was done.
    pub(crate) fn cleanup_list() -> Self {
        Self { takes_text: false, ..Self::new("Choose the list that was cleaned up", "", "Take it in") }
    }

    /// The same question, with what was wrong with the last try.
    pub(crate) fn complain(&mut self, complaint: &str) {
        complaint.clone_into(&mut self.complaint);
    }
}

/// What was typed into a dialog.
type Text = Zeroizing<Vec<u8>>;

/// Told that somebody types: the station must not lock under their hands. It may take its time.
pub(crate) type Alive = Arc<dyn Fn() + Send + Sync>;

/// The dialogs of a window: one at a time.
pub(crate) struct Dialogs {
    /// Whether somebody has the turn.
    taken: AtomicBool,
    /// How often somebody left.
    left: Arc<AtomicU64>,
    alive: Alive,
    #[cfg(test)]
    pub(crate) hand: Hand,
}

impl Dialogs {
    pub(crate) fn new(alive: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            taken: AtomicBool::new(false),
            left: Arc::default(),
            alive: Arc::new(alive),
            #[cfg(test)]
            hand: Hand::default(),
        }
    }

    /// The right to ask, until it is dropped.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, Problem> {
        if self.taken.swap(true, Ordering::Acquire) {
            return Err(Problem::new(
                "secret-asked",
                "A secret is being asked for already.",
                &["Enter it in its own window, or cancel there."],
            ));
        }
        Ok(Turn { dialogs: self, since: self.left.load(Ordering::SeqCst) })
    }

    /// What closes the dialog that is open, as if it was cancelled, and lets no other one open of whoever has the turn: what was typed
    /// so far is wiped. To be called from any thread; it does not wait.
    pub(crate) fn dismissal(&self) -> impl Fn() + Send + Sync + 'static {
        let left = Arc::clone(&self.left);
        move || {
            left.fetch_add(1, Ordering::SeqCst);
            dialog::dismiss();
        }
    }
}

/// The right to ask.
pub(crate) struct Turn<'a> {
    dialogs: &'a Dialogs,
    /// How often somebody had left when it was given.
    since: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.dialogs.taken.store(false, Ordering::Release);
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
            let Some(text) = self.answer(window, &question).await? else { return Ok(None) };
            match SecretText::from_line(text) {
                Ok(secret) if !secret.expose().is_empty() => return Ok(Some(secret)),
                Ok(_) | Err(SecretRefused::Empty) => question.complain("Nothing was entered."),
                Err(why) => question.complain(&format!("This cannot be it: {}", sentence(&why))),
            }
        }
    }

    /// Asks a question of yes or no. Only the button that says yes is a yes.
    pub(crate) async fn agrees<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<bool, Problem> {
        Ok(self.answer(window, question).await?.is_some())
    }

    /// Asks for a file; none if the person gave up.
    pub(crate) async fn file<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<Option<PathBuf>, Problem> {
        if self.is_over()() {
            return Ok(None);
        }
        dialog::file(window, question, self).await
    }

    /// Asks for a folder that is there, `start` at first; none if the person gave up.
    pub(crate) async fn folder<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        title: &'static str,
        start: &Path,
    ) -> Result<Option<PathBuf>, Problem> {
        if self.is_over()() {
            return Ok(None);
        }
        dialog::folder(window, title, start, self).await
    }

    /// What was typed; none if the person gave up, or said no.
    async fn answer<R: Runtime>(
        &self,
        window: &WebviewWindow<R>,
        question: &Question,
    ) -> Result<Option<Text>, Problem> {
        if self.is_over()() {
            return Ok(None);
        }
        dialog::ask(window, question, self).await
    }

    /// Whether whoever had the turn has left meanwhile: their questions are for nobody else.
    fn is_over(&self) -> impl Fn() -> bool + Send + 'static {
        let (left, since) = (Arc::clone(&self.dialogs.left), self.since);
        move || left.load(Ordering::SeqCst) != since
    }
}
