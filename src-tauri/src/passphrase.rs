//! Unlocking. The passphrase is typed into a dialog of the operating system: it never enters the page or its IPC.

use keystation::Passphrase;
use tauri::async_runtime::spawn_blocking;
use tauri::{Runtime, WebviewWindow};

use crate::desk::LineDesk;
use crate::dto::UnlockOutcome;
use crate::problem::Problem;

#[cfg(target_os = "linux")]
mod dialog;

#[cfg(not(target_os = "linux"))]
mod dialog {
    use super::*;

    pub(super) async fn ask<R: Runtime>(_: &WebviewWindow<R>, _: &str) -> Result<Answer, Problem> {
        Err(Problem::new(
            "system-unsupported",
            "This system has no passphrase dialog in Keystation yet.",
            &["Use the headless program: keystation inject."],
        ))
    }
}

/// What came back from the dialog.
enum Answer {
    Passphrase(Passphrase),
    /// Nothing was entered, or what cannot be a passphrase; the sentence says which.
    Unusable(String),
    Cancelled,
}

const WRONG: &str = "That passphrase does not open the vault. Enter it again; mind the keyboard layout.";

/// Asks until the vault is open, the operator gives up, or the vault fails for another reason than the passphrase.
pub(crate) async fn unlock<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    let Ok(_one_dialog) = desk.asking.try_lock() else {
        return Err(Problem::new(
            "passphrase-asked",
            "The passphrase is being asked for already.",
            &["Enter it in its own window."],
        ));
    };
    let mut complaint = String::new();
    while !desk.station.is_unlocked() {
        let passphrase = match dialog::ask(window, &complaint).await? {
            Answer::Passphrase(passphrase) => passphrase,
            Answer::Unusable(why) => {
                complaint = why;
                continue;
            }
            Answer::Cancelled => return Ok(UnlockOutcome::Cancelled),
        };
        let station = desk.station.clone();
        // A second of scrypt.
        match spawn_blocking(move || station.unlock(&passphrase)).await? {
            Err(error) if error.code() == "passphrase-wrong" => complaint = WRONG.to_owned(),
            result => result?,
        }
    }
    Ok(UnlockOutcome::Unlocked)
}
