//! `keystation device …` and `keystation cleanup …`.

use keystation::config::Profile;
use keystation::lives::{Act, CleanupFiles, Listed, NewBoard, TakeOut, TakenOut};
use keystation::people::Action;
use keystation::{DataDir, Exit, StationError};
use keystation_core::registration::RegistrationId;
use serde_json::json;

use super::args::{CleanupVerb, DeviceVerb, Why};
use super::output::Output;
use super::session::Bench;

pub(super) fn run(bench: &Bench<'_>, data: &DataDir, verb: &DeviceVerb) -> Result<Exit, StationError> {
    let (Why { device, reason, note }, act) = match verb {
        DeviceVerb::Scrap(why) => (why, Act::Scrap),
        DeviceVerb::Revoke(why) => (why, Act::Revoke),
        DeviceVerb::Restore(why) => (why, Act::Restore),
        DeviceVerb::Replace { why, profile, mac, destroyed } => {
            bench.may_ask(Action::ReplaceDevice)?;
            let profile = Profile::read(&data.profile(profile))?;
            let board = NewBoard { profile, mac: *mac, destroyed: destroyed.clone() };
            (why, Act::Replace(Box::new(board)))
        }
    };
    let take_out = TakeOut { device: device.join(" "), act, reason: reason.clone(), note: note.clone() };
    // Whoever may not ask learns nothing of which devices there are; and nobody approves what cannot be.
    bench.may_ask(take_out.act.action())?;
    let approval = bench.approval(&bench.station.take_out_request(&take_out)?)?;
    let TakenOut { record, id, identity, successor, blocked, stays } =
        bench.station.take_out(&take_out, approval)?;
    let named = id.as_ref().map_or(take_out.device.as_str(), RegistrationId::as_str);
    let (word, sentence) = match &take_out.act {
        Act::Scrap => ("scrapped", format!("{named} is scrap. Next: keystation cleanup list.")),
        Act::Revoke => (
            "revoked",
            format!(
                "{named} is revoked: it can register until somebody does what keystation cleanup list says."
            ),
        ),
        Act::Replace(_) => match &successor {
            Some(same) if id.as_ref() == Some(same) => (
                "replaced",
                format!(
                    "{named}: another board may be keyed. It gets the same key: no leak is healed by it."
                ),
            ),
            _ => {
                let new = successor.as_ref().map_or("", RegistrationId::as_str);
                (
                    "replaced",
                    format!(
                        "{new} takes the place of {named} and may be keyed. Next: keystation cleanup list."
                    ),
                )
            }
        },
        Act::Restore => match &stays {
            None => ("restored", format!("{named} is no scrap.")),
            Some(stays) => {
                ("restored", format!("{named} is no scrap by that record, and stays out: {stays}."))
            }
        },
    };
    let mac = identity.mac.map(|mac| mac.to_string());
    let serial = identity.serial.as_ref().map(|serial| serial.as_str());
    bench.out.say(
        format!("Record {record}: {sentence}"),
        &json!({ "event": "device", "state": word, "record": record, "id": id.as_ref().map(RegistrationId::as_str),
                 "mac": mac, "serial": serial, "successor": successor.as_ref().map(RegistrationId::as_str),
                 "blocked": blocked, "stays": stays.map(|stays| stays.record) }),
    );
    if let Some(list) = blocked {
        bench.out.note(format!(
            "Record {list} has it on a list for the cloud. Where that was run it is blocked there: its individual enrollment has to be deleted."
        ));
    }
    Ok(Exit::Done)
}

pub(super) fn cleanup(bench: &Bench<'_>, verb: &CleanupVerb) -> Result<Exit, StationError> {
    match verb {
        CleanupVerb::List { csv, commands, all } => {
            let permit = bench.permit(Action::ListCleanup)?;
            let files = CleanupFiles { csv, commands: commands.as_deref() };
            told(
                "cleanup-list",
                "to clean up",
                &bench.station.list_cleanup(&permit, *all, files)?,
                bench.out,
            );
        }
        CleanupVerb::Done { list } => {
            bench.may_ask(Action::CleanedUp)?;
            let approval = bench.approval(&bench.station.cleaned_up_request(list)?)?;
            told("cleanup-done", "cleaned up", &bench.station.cleaned_up(list, approval)?, bench.out);
        }
    }
    Ok(Exit::Done)
}

fn told(event: &str, what: &str, listed: &Listed, out: Output) {
    let Listed { devices, to, sha256, record, put_back } = listed;
    let put_back: Vec<_> = put_back.iter().map(RegistrationId::as_str).collect();
    out.say(
        format!("Record {record}: {devices} identities {what}, of the log up to record {to}; list {sha256}."),
        &json!({ "event": event, "devices": devices, "to": to, "sha256": sha256, "record": record,
                 "put_back": put_back }),
    );
    if !put_back.is_empty() {
        out.note(format!(
            "Put back since the list was made: {}. They are blocked in the cloud all the same: their individual enrollments have to be deleted.",
            put_back.join(", ")
        ));
    }
}
