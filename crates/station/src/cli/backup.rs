//! `keystation backup` and `restore`.

use keystation::backup::{Administrator, BackedUp, Unpacked, back_up_unrecorded};
use keystation::people::Action;
use keystation::{DataDir, Exit, StationError};
use keystation_audit::EpochError;
use keystation_vault::Passphrase;
use serde_json::json;

use super::args::{BackupArgs, BackupPassphrase, Cli, People, RestoreArgs};
use super::epoch;
use super::output::Output;
use super::secrets::{pin, source};
use super::session::at_station;

/// Makes a backup; beside a program that works at the station without a record of it.
pub(super) fn make(cli: &Cli, data: &DataDir, args: &BackupArgs, out: Output) -> Result<Exit, StationError> {
    let BackupArgs { file, read_only, passphrase } = args;
    let say = |made: &BackedUp| {
        let recorded = made.record.map_or("Read-only: that is not in the log.".to_owned(), |record| {
            format!("Recorded as {record}.")
        });
        let manifest = &made.manifest;
        out.say(
            format!(
                "{} files and {} records of {} in {}. {recorded} Signing key and personal names are not in it.",
                manifest.files.len(),
                manifest.size,
                manifest.origin,
                file.display()
            ),
            &json!({ "event": "backup", "file": file, "origin": manifest.origin, "made": manifest.made,
                     "records": manifest.size, "files": manifest.files.len(), "record": made.record }),
        );
        Ok(Exit::Done)
    };
    if *read_only {
        return say(&back_up_unrecorded(data, &new_passphrase(passphrase)?, file)?);
    }
    at_station(cli, data, out, |bench| {
        let permit = bench.permit(Action::Backup)?;
        say(&bench.station.back_up(&permit, &new_passphrase(passphrase)?, file)?)
    })
}

/// Makes a station of a backup. Two administrators of the station that was copied decide it.
pub(super) fn restore(
    cli: &Cli,
    data: &DataDir,
    args: &RestoreArgs,
    out: Output,
) -> Result<Exit, StationError> {
    let People { operator: Some(first), approver: Some(second), .. } = &cli.people else {
        return Err(EpochError::OnePerson.into());
    };
    if first == second {
        return Err(EpochError::OnePerson.into());
    }
    // All of them before anything of the backup is on the disk: at a prompt somebody may be gone for an hour.
    let passphrase = given(&args.passphrase, "Passphrase of the backup: ")?;
    let People { pin_file, pin_fd, approver_pin_file, approver_pin_fd, .. } = &cli.people;
    let first_pin = pin(pin_file.as_deref(), *pin_fd, first)?;
    let second_pin = pin(approver_pin_file.as_deref(), *approver_pin_fd, second)?;
    let two =
        [Administrator { user: first, pin: &first_pin }, Administrator { user: second, pin: &second_pin }];
    let unpacked = Unpacked::open(&args.file, &passphrase, data, two)?;
    let (made, size) = (unpacked.manifest().made.clone(), unpacked.manifest().size);
    let restored = unpacked.restore(&args.reason)?;
    if !restored.proven {
        out.note("Nobody could prove who they are: the backup has no account. The new log says so.");
    }
    out.say(
        format!(
            "Restored from a backup of {made} with {size} records, recorded as {}. What was recorded since then is not in it: QA finds those devices \
             by the witness, and by the anchor in each. The station that was copied must not work any more.",
            restored.record
        ),
        &json!({ "event": "restored", "made": made, "records": size, "record": restored.record, "proven": restored.proven }),
    );
    epoch::tell(data, &restored.origin, out)
}

/// The passphrase for a new backup. One that is typed is typed twice: a backup that nobody can open is none.
fn new_passphrase(from: &BackupPassphrase) -> Result<Passphrase, StationError> {
    let first = given(from, "New passphrase of the backup: ")?;
    if from.backup_passphrase_file.is_none() && from.backup_passphrase_fd.is_none() {
        let second = source(None, None, "Once more: ").passphrase()?;
        if !first.is(&second) {
            return Err(StationError::Mismatch);
        }
    }
    Ok(first)
}

fn given(from: &BackupPassphrase, prompt: &str) -> Result<Passphrase, StationError> {
    Ok(source(from.backup_passphrase_file.as_deref(), from.backup_passphrase_fd, prompt).passphrase()?)
}
