//! `keystation look` and `keystation rekey`: repair.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use keystation::config::Profile;
use keystation::people::Action;
use keystation::repair::{Effect, LeftOpen, Look, NotAsked};
use keystation::{Exit, StationError, Work};
use keystation_core::failure::Failure;
use keystation_core::flow::DeviceState;
use keystation_device::place::Place;
use serde_json::json;

use super::args::{LookArgs, RekeyArgs};
use super::device::exit_of;
use super::key;
use super::output::{Output, pass_object, printable};
use super::session::Bench;

pub(super) fn look(bench: &Bench<'_>, args: &LookArgs) -> Result<Exit, StationError> {
    let profile = Profile::read(&bench.station.data().profile(&args.profile))?;
    let work = Work { place: Place::Path(args.port.clone()), profile, job: String::new() };
    let mut seen = looked(bench, &work)?;
    // Whoever can open the custody has the device asked.
    if let Ok(Look { left: Some(LeftOpen::NotAsked(NotAsked::Locked(label))), .. }) = &seen
        && (args.passphrase.is_given() || io::stdin().is_terminal())
    {
        let label = label.clone();
        bench.out.note("A write was left open on the device. It is asked what came of that.");
        key::open_for(bench, &label, &args.passphrase)?;
        seen = looked(bench, &work)?;
    }
    Ok(match seen {
        Ok(look) => {
            seen_now(&look, bench.out);
            Exit::Done
        }
        Err(failure) => failed(&failure, bench.out),
    })
}

fn looked(bench: &Bench<'_>, work: &Work) -> Result<Result<Look, Failure>, StationError> {
    let permit = bench.permit(Action::Look)?;
    // It may be in the middle of its restart.
    let _in_work = bench.station.busy();
    let port = bench.station.open_port(&permit, work);
    Ok(port.and_then(|mut port| bench.station.look_at(&permit, work, &mut port)))
}

pub(super) fn rekey(bench: &Bench<'_>, args: &RekeyArgs, port: &Path) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    bench.may_ask(Action::Rekey)?;
    let reason = station
        .rekey_reason(args.reason.as_deref().unwrap_or_default(), args.note.as_deref().unwrap_or_default())?;
    let profile = args.profile.as_ref().expect("clap asks for it");
    let profile = Profile::read(&station.data().profile(profile))?;
    let work = Work { place: Place::Path(port.to_owned()), profile, job: String::new() };
    let permit = bench.permit(Action::Look)?;
    let seen =
        station.open_port(&permit, &work).and_then(|mut port| station.look_at(&permit, &work, &mut port));
    let look = match seen {
        Ok(look) => look,
        Err(failure) => return Ok(failed(&failure, out)),
    };
    seen_now(&look, out);
    let asked = station.ask_rekey(&look.id, &work.profile, reason, args.same_key)?;
    let permit = bench.approved(&asked.request())?;
    key::open_for(bench, &work.profile.group_key, &args.passphrase)?;
    // A signal in the meantime waits until the result is said, too.
    let in_work = station.busy();
    let done = station
        .open_port(&permit, &work)
        .and_then(|mut port| station.rekey(&permit, &asked, &work, &mut port, &mut |step| out.step(step)));
    let exit = match &done {
        Ok(rekeyed) => {
            let mut object = pass_object(&rekeyed.pass);
            object["effect"] = rekeyed.effect.map(Effect::as_str).into();
            object["follows"] = rekeyed.follows.into();
            let meaning = match rekeyed.effect {
                Some(effect) => effect.sentence(),
                None => {
                    "Nothing was overwritten: a write of before was found complete, and is settled now. To re-key it, ask again."
                }
            };
            object["meaning"] = meaning.into();
            let follows =
                rekeyed.follows.map_or(String::new(), |record| format!(", follows record {record}"));
            let pass = &rekeyed.pass;
            out.say(format!("PASS  {}  (record {}{follows})\n  {meaning}", pass.id, pass.record), &object);
            if rekeyed.effect.is_some() { Exit::Done } else { Exit::Failed }
        }
        Err(failure) => failed(failure, out),
    };
    drop(in_work);
    Ok(exit)
}

fn failed(failure: &Failure, out: Output) -> Exit {
    out.fail(failure);
    exit_of(failure)
}

/// What a look found, for people and programs.
fn seen_now(look: &Look, out: Output) {
    let Look { identity, firmware, state, generation, id, set, life, parent, holding, left, record } = look;
    let state = match state {
        DeviceState::Empty => "empty",
        DeviceState::Keyed => "keyed",
        DeviceState::Locked => "locked",
    };
    let (mac, serial) = (identity.mac, identity.serial.as_ref());
    let mut lines = vec![format!(
        "{id}  {state}, generation {generation}, firmware {}",
        if firmware.is_empty() { "unnamed" } else { firmware }
    )];
    if let Some(set) = set {
        lines.push(format!("  It holds a set for {} in scope {} at {}.", set.id, set.scope, set.endpoint));
    }
    lines.extend(left.as_ref().map(|left| format!("  {}", left.sentence())));
    lines.push(format!("  {}", holding.sentence()));
    let keyed = life.as_ref().and_then(|life| life.keyed.as_ref());
    if let (Some(keyed), Some(parent)) = (keyed, parent) {
        let today = parent.state.map_or("not in this station", |state| state.as_str());
        lines.push(format!(
            "  Record {}: keyed under {} ({}), slot {}, which is {today} now.",
            keyed.record, parent.label, parent.check_value, parent.slot
        ));
    }
    if let Some(life) = life {
        let records: Vec<_> = life.events.iter().map(|event| event.seq.to_string()).collect();
        lines.push(format!("  Records of it: {}.", records.join(", ")));
    }
    let object = json!({
        "event": "look", "id": id.as_str(), "mac": mac.map(|mac| mac.to_string()),
        "serial": serial.map(ToString::to_string), "firmware": firmware, "state": state, "generation": generation,
        "set": set.as_ref().map(|set| json!({ "id": set.id.as_str(), "scope": set.scope.as_str(),
            "endpoint": set.endpoint.to_string(), "fingerprint": set.fingerprint })),
        "holding": holding.as_str(), "meaning": holding.sentence(), "record": record,
        "left": left.as_ref().map(LeftOpen::as_str),
        "keyed": keyed.map(|keyed| json!({ "record": keyed.record, "intent": keyed.intent, "job": keyed.job,
            "fingerprint": keyed.fingerprint, "scope": keyed.scope })),
        "parent": parent.as_ref().map(|parent| json!({ "key": parent.label, "check_value": parent.check_value,
            "slot": parent.slot, "state": parent.state.map(|state| state.as_str()) })),
        "records": life.as_ref().map(|life| life.events.iter().map(|event| event.seq).collect::<Vec<_>>()),
    });
    out.say(lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n"), &object);
}
