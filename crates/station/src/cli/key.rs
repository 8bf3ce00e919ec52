//! `keystation key …`: group keys.

use keystation::people::{Action, Request};
use keystation::{Exit, StationError};
use keystation_vault::{DerivedKeyAnswer, ImportError, NewKey, SealedFile, SecretSource};
use serde_json::json;

use super::args::PassphraseFrom;
use super::output::Output;
use super::secrets;
use super::session::Bench;

const PROMPT: &str = "Passphrase of the vault: ";

pub(super) fn import(
    bench: &Bench<'_>,
    new: NewKey,
    source: &SecretSource,
    mut answer: DerivedKeyAnswer,
    passphrase: &PassphraseFrom,
) -> Result<Exit, StationError> {
    let Bench { station, out, .. } = bench;
    let request = Request {
        action: Action::ImportKey,
        subject: format!("{} sealed-file", new.label),
        reason: String::new(),
    };
    let permit = bench.approved(&request)?;
    let first = !station.data().vault().exists();
    let read = if first { secrets::new_passphrase } else { secrets::passphrase };
    let passphrase = read(passphrase, PROMPT)?;
    let key = source.text()?;
    // The import is finished, and recorded, also when the program is told to go.
    let _in_work = station.busy();
    let mut result = station.import(&permit, &passphrase, new.clone(), &key, answer);
    let person = matches!(source, SecretSource::Prompt(_));
    if person && matches!(result, Err(StationError::Import(ImportError::MayBeDerivedKey))) {
        answer = ask_whether_derived(*out);
        result = station.import(&permit, &passphrase, new, &key, answer);
    }
    let info = result?;
    out.say(
        format!("Imported {}: check value {}, {} bytes.", info.label, info.check_value, info.length),
        &json!({ "event": "import", "label": info.label.as_str(), "check_value": info.check_value.to_string(),
                 "bytes": info.length }),
    );
    if !info.scope.looks_usual() {
        out.note(format!(
            "The ID scope {} does not look like 0ne and eight hexadecimal digits. Check it.",
            info.scope
        ));
    }
    Ok(Exit::Done)
}

/// A key of 32 bytes is what a derived device key looks like. Only a plain yes makes it a group key.
fn ask_whether_derived(out: Output) -> DerivedKeyAnswer {
    out.note("This key has 32 bytes, as the derived key of one device has. Is it the key of an enrollment group? (yes/no)");
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(_) if line.trim() == "yes" => DerivedKeyAnswer::GroupKey,
        _ => DerivedKeyAnswer::DeviceKey,
    }
}

pub(super) fn list(bench: &Bench<'_>, passphrase: &PassphraseFrom) -> Result<Exit, StationError> {
    let file = bench.station.data().vault();
    let permit = bench.permit(Action::Keys)?;
    if !file.exists() {
        return Err(StationError::NoVault(file));
    }
    bench.station.honour(&permit, Action::Keys)?;
    let vault = SealedFile::at(file).unlock(&secrets::passphrase(passphrase, PROMPT)?)?;
    for key in vault.keys() {
        bench.out.say(
            format!(
                "{:<16} {}  {:<9} group {}, scope {}, {} bytes, sealed file",
                key.label, key.check_value, key.slot, key.group, key.scope, key.length
            ),
            &json!({ "event": "key", "label": key.label.as_str(), "check_value": key.check_value.to_string(),
                     "slot": key.slot.as_str(), "group": key.group.as_str(), "scope": key.scope.as_str(),
                     "bytes": key.length, "custody": "sealed-file" }),
        );
    }
    vault.lock();
    Ok(Exit::Done)
}
