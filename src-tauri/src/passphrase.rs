//! Unlocking: the passphrase is asked for until it opens the vault.

use keystation::Passphrase;
use keystation::people::Action;
use tauri::async_runtime::spawn_blocking;
use tauri::{Runtime, WebviewWindow};

use crate::desk::LineDesk;
use crate::dto::{Custody, UnlockOutcome};
use crate::problem::Problem;
use crate::typed::Question;

const WRONG: &str = "That passphrase does not open the vault. Enter it again; mind the keyboard layout.";

/// Asks until the vault is open, the operator gives up, or the vault fails for another reason than the passphrase.
pub(crate) async fn unlock<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    let permit = desk.at_station(|station| station.permit(Action::Unlock)).await?;
    let turn = desk.dialogs.turn()?;
    let mut question = Question::opening(Custody::SealedFile);
    while !desk.station.is_unlocked() {
        let Some(secret) = turn.ask(window, &question).await? else { return Ok(UnlockOutcome::Cancelled) };
        let passphrase = Passphrase::new(secret).expect("what the dialog gives is not empty");
        let station = desk.station.clone();
        // A second of scrypt.
        match spawn_blocking(move || station.unlock(&passphrase)).await? {
            Err(error) if error.code() == "passphrase-wrong" => question.complain(WRONG),
            result => result?,
        }
    }
    // Whoever asked may have left while it was opened.
    if let Err(denied) = desk.station.honour(&permit, Action::Unlock) {
        desk.station.lock()?;
        return Err(denied.into());
    }
    Ok(UnlockOutcome::Unlocked)
}
