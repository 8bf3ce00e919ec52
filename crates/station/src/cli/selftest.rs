//! `keystation selftest`: known answers, custody, disk, clock.

use std::io::{self, BufRead};

use keystation::config::StationConfig;
use keystation::people::{Action, Permit};
use keystation::{Custodies, CustodyKind, DataDir, Exit, StationError, paths, selftest};
use keystation_audit::{KeyState, KnownKey, Reader};
use keystation_core::flow::Vault;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_vault::MemoryKind;
use serde_json::json;

use super::args::{Cli, PassphraseFrom};
use super::key;
use super::output::{Output, causes};
use super::session::{Bench, at_station};

/// Runs every check, also after one has failed.
pub(super) fn run(
    cli: &Cli,
    data: &DataDir,
    passphrase: &PassphraseFrom,
    out: Output,
) -> Result<Exit, StationError> {
    let mut checks = selftest::checks(data);
    let mut wrong = false;
    let custodies = Custodies::of(data, &StationConfig::read(&data.settings())?)?;
    let kinds = custodies.with_keys(&Reader::open(&paths(data))?)?;
    if kinds.is_empty() {
        out.note("There is no group key yet: custody is not checked.");
    } else if cli.people.operator.is_none() {
        out.note("Nobody signs in (`--operator`): custody is not checked.");
    } else {
        at_station(cli, data, out, |bench| {
            let permit = bench.permit(Action::Unlock)?;
            for kind in kinds {
                let opened = custody(bench, &permit, kind, passphrase);
                wrong |= opened.as_ref().is_err_and(|error| error.exit() == Exit::Refused);
                checks.push(("custody", opened.map_err(Into::into)));
            }
            lock(bench)
        })?;
    }
    let mut exit = Exit::Done;
    for (name, result) in checks {
        let holds = result.is_ok();
        let sentence = result.unwrap_or_else(|e| match causes(e.as_ref()) {
            cause if cause.is_empty() => e.to_string(),
            cause => format!("{e} ({cause})"),
        });
        out.say(
            format!("{} {name:<10} {sentence}", if holds { "ok  " } else { "FAIL" }),
            &json!({ "event": "selftest", "name": name, "holds": holds, "sentence": sentence }),
        );
        // A wrong passphrase says nothing of the station.
        exit = match (holds, name) {
            (true, _) => exit,
            (false, "custody") if wrong && exit == Exit::Done => Exit::Refused,
            _ => Exit::Broken,
        };
    }
    Ok(exit)
}

/// Opens a custody as for an injection, with the records of one.
fn custody(
    bench: &Bench<'_>,
    permit: &Permit,
    kind: CustodyKind,
    secrets: &PassphraseFrom,
) -> Result<String, StationError> {
    let station = &bench.station;
    station.open_custody(permit, kind, &key::ask(secrets, kind)?)?;
    let (count, memory) = station.held_in(kind).ok_or(StationError::Locked)?;
    let memory = match memory {
        Some(MemoryKind::Secret) => "in memory that even root cannot read",
        Some(MemoryKind::Locked) => "in locked memory, which root can read",
        None => "not in this program",
    };
    Ok(format!("{}: group keys that open and make their check values: {count}; {memory}", kind.as_str()))
}

fn lock(bench: &Bench<'_>) -> Result<Exit, StationError> {
    bench.station.lock(&bench.permit(Action::Lock)?)?;
    Ok(Exit::Done)
}

/// Stops at each stage of a key's life until Enter, so that whoever doubts it can scan this program's memory.
pub(super) fn inspect(bench: &Bench<'_>, secrets: &PassphraseFrom) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    let permit = bench.permit(Action::Unlock)?;
    for kind in station.closed_custodies()? {
        station.open_custody(&permit, kind, &key::ask(secrets, kind)?)?;
    }
    pause("unlocked", out)?;
    let id = RegistrationId::new("keystation-inspection", IdRule::Dashes).expect("it is canonical");
    // As for a device: a key that is not active derives nothing.
    let active = |key: &KnownKey| key.state == KeyState::Active;
    for label in station.reader()?.known_keys()?.into_iter().filter(active).map(|key| key.info.label) {
        let key = station.usable_key(&label)?;
        let derived = key.derive(&id).map_err(|e| StationError::Custody(e.to_string()))?;
        // The fingerprint shows that the key was really made, and is no secret.
        let fingerprint = derived.fingerprint().to_string();
        out.say(
            format!("{label}: derived {id}, fingerprint {fingerprint}"),
            &json!({ "event": "derived", "label": label.as_str(), "id": id.as_str(), "fingerprint": fingerprint }),
        );
    }
    pause("derived", out)?;
    lock(bench)?;
    pause("locked", out)?;
    Ok(Exit::Done)
}

/// Says where it is and waits for Enter.
pub(super) fn pause(stage: &str, out: Output) -> Result<(), StationError> {
    out.say(format!("{stage}; Enter goes on"), &json!({ "event": "inspect", "stage": stage }));
    io::stdin().lock().read_line(&mut String::new()).map_err(StationError::Input)?;
    Ok(())
}
