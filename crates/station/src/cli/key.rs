//! `keystation key …`: what comes into the custodies, what may be used, and what is destroyed.

use std::io;

use keystation::group_keys::{Announced, KeyPermit, NotDone, TransferFile};
use keystation::people::{Action, Permit, Request};
use keystation::{Custodies, CustodyKind, DataDir, Exit, Station, StationError, paths};
use keystation_audit::{Dying, KeyStanding, Reader};
use keystation_core::key::{CheckValue, GroupKeyInfo, KeyLabel};
use keystation_vault::{DerivedKeyAnswer, ImportError, NewKey, Passphrase, SecretSource, TransferError};
use serde_json::json;

use super::args::{ChangeArgs, Cli, ImportArgs, KeyVerb, PassphraseFrom};
use super::ceremony;
use super::output::Output;
use super::secrets::source;
use super::session::{Bench, at_station};

pub(super) fn run(cli: &Cli, data: &DataDir, verb: &KeyVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        KeyVerb::Devices { label, count } => devices(data, label, *count, out),
        KeyVerb::List => list(data, out),
        verb => at_station(cli, data, out, |bench| act(bench, verb)),
    }
}

fn act(bench: &Bench<'_>, verb: &KeyVerb) -> Result<Exit, StationError> {
    match verb {
        KeyVerb::Import(args) => import(bench, args),
        KeyVerb::Ceremony(args) => ceremony::run(bench, args),
        KeyVerb::Activate { change, check_value } => activate(bench, change, *check_value),
        KeyVerb::Suspend { change: ChangeArgs { label, reason } } => {
            let permit = bench.permit(Action::SuspendKey)?;
            bench.station.suspend_key(&permit, label, reason)?;
            changed(bench, label)
        }
        KeyVerb::Destroy { change, secrets } => destroy(bench, change, secrets),
        KeyVerb::Recipient { secrets } => recipient(bench, secrets),
        KeyVerb::Devices { .. } | KeyVerb::List => unreachable!("they need no session"),
    }
}

fn import(bench: &Bench<'_>, args: &ImportArgs) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    let action = if args.transfer.is_some() { Action::TakeTransfer } else { Action::ImportKey };
    bench.may_ask(action)?;
    let custody = station.custody_for(action, args.custody)?;
    let ImportArgs { label, group, scope, slot, check_value, .. } = args;
    let key = NewKey { label: label.clone(), group: group.clone(), scope: scope.clone(), slot: *slot };
    let announced = Announced { key, custody, check_value: *check_value };
    let permit = agreed(bench, Station::import_request(action, &announced))?;
    let secret = secret_for_import(station, custody, &args.secrets)?;
    let mut answer =
        if args.not_a_device_key { DerivedKeyAnswer::GroupKey } else { DerivedKeyAnswer::NotAsked };
    if let Some(file) = &args.transfer {
        let own;
        let passphrase = match custody {
            CustodyKind::SealedFile => &secret,
            _ => {
                own = ask(&args.secrets, CustodyKind::SealedFile)?;
                &own
            }
        };
        let transfer = |answer| TransferFile { file, passphrase, answer };
        let mut taken = station.take_transfer(permit, &announced, transfer(answer), &secret);
        if let Some(permit) = open_question(&mut taken) {
            answer = ask_whether_derived(out);
            taken = station.take_transfer(permit, &announced, transfer(answer), &secret);
        }
        return Ok(imported(&taken?, custody, out));
    }
    let source = source(args.key_file.as_deref(), args.key_fd, "Group key (Base64): ");
    let key = source.text()?;
    let mut result = station.import_key(permit, &announced, &secret, &key, answer);
    let person = matches!(source, SecretSource::Prompt(_));
    if person && let Some(permit) = open_question(&mut result) {
        answer = ask_whether_derived(out);
        result = station.import_key(permit, &announced, &secret, &key, answer);
    }
    Ok(imported(&result?, custody, out))
}

/// Says that a key was imported.
pub(super) fn imported(info: &GroupKeyInfo, custody: CustodyKind, out: Output) -> Exit {
    let (label, check, bytes) = (&info.label, info.check_value, info.length);
    out.say(
        format!(
            "Imported {label} into {}: check value {check}, {bytes} bytes. Next: keystation key activate.",
            custody.as_str()
        ),
        &json!({ "event": "import", "label": label.as_str(), "check_value": check.to_string(),
                 "bytes": bytes, "custody": custody.as_str() }),
    );
    if !info.scope.looks_usual() {
        out.note(format!(
            "The ID scope {} does not look like 0ne and eight hexadecimal digits. Check it.",
            info.scope
        ));
    }
    Exit::Done
}

/// The permission under which the question of [`ask_whether_derived`] is open; none if something else came of it.
fn open_question<T>(result: &mut Result<T, Box<NotDone>>) -> Option<KeyPermit> {
    match result {
        Err(not_done) => match not_done.error {
            StationError::Import(ImportError::MayBeDerivedKey)
            | StationError::Transfer(TransferError::Import(ImportError::MayBeDerivedKey)) => {
                not_done.again.take()
            }
            _ => None,
        },
        Ok(_) => None,
    }
}

/// A key of 32 bytes is what a derived device key looks like. Only a plain yes makes it a group key.
fn ask_whether_derived(out: Output) -> DerivedKeyAnswer {
    out.note("This key has 32 bytes, as the derived key of one device has. Is it the key of an enrollment group? (yes/no)");
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(_) if line.trim() == "yes" => DerivedKeyAnswer::GroupKey,
        _ => DerivedKeyAnswer::DeviceKey,
    }
}

/// What another custodian approves, here and now.
fn agreed(bench: &Bench<'_>, request: Request) -> Result<KeyPermit, StationError> {
    let approval = bench.approval(&request)?;
    bench.station.permit_key(request, approval)
}

fn activate(
    bench: &Bench<'_>,
    ChangeArgs { label, reason }: &ChangeArgs,
    check_value: CheckValue,
) -> Result<Exit, StationError> {
    let station = &bench.station;
    bench.may_ask(Action::ActivateKey)?;
    let request = station.change_request(Action::ActivateKey, label, reason)?;
    let permit = agreed(bench, request)?;
    station.activate_key(permit, label, reason, check_value)?;
    changed(bench, label)
}

fn destroy(
    bench: &Bench<'_>,
    ChangeArgs { label, reason }: &ChangeArgs,
    secrets: &PassphraseFrom,
) -> Result<Exit, StationError> {
    let station = &bench.station;
    bench.may_ask(Action::DestroyKey)?;
    let request = station.change_request(Action::DestroyKey, label, reason)?;
    let permit = agreed(bench, request)?;
    let secret = ask(secrets, station.custody_of(label)?)?;
    station.destroy_key(permit, label, reason, &secret)?;
    changed(bench, label)
}

fn recipient(bench: &Bench<'_>, secrets: &PassphraseFrom) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    let permit = bench.permit(Action::Recipient)?;
    let recipient = match station.recipient(&permit)? {
        Some(recipient) => recipient,
        None => {
            let passphrase = secret_for_import(station, CustodyKind::SealedFile, secrets)?;
            station.make_recipient(&permit, &passphrase)?
        }
    };
    out.say(&recipient, &json!({ "event": "recipient", "recipient": recipient }));
    Ok(Exit::Done)
}

/// The devices of a key, and then how many they are: which of them are out of use stands beside each, for they die with it too.
fn devices(data: &DataDir, label: &KeyLabel, count: bool, out: Output) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    if reader.known_key(label)?.is_none() {
        return Err(StationError::NoKey(label.clone()));
    }
    if !count {
        listed(&reader, label, out)?;
    }
    let dying = reader.dying(label)?;
    let Dying { devices, scrapped, revoked, replaced } = dying;
    let in_use = dying.in_use();
    out.say(
        format!(
            "{label}: {devices} devices die with it, {in_use} of them in use ({scrapped} scrapped, {revoked} revoked, {replaced} replaced)."
        ),
        &json!({ "event": "dying", "label": label.as_str(), "devices": devices, "in_use": in_use,
                 "scrapped": scrapped, "revoked": revoked, "replaced": replaced }),
    );
    Ok(Exit::Done)
}

fn listed(reader: &Reader, label: &KeyLabel, out: Output) -> Result<(), StationError> {
    const PAGE: u32 = 1000;
    let mut after = None;
    loop {
        let page = reader.devices_under(label, after, PAGE)?;
        for (id, record) in &page {
            let out_of_use = reader.hangs_on(id)?.and_then(|(_, out)| out).map(|how| how.as_str());
            out.say(
                format!("{record:>9}  {id}  {}", out_of_use.unwrap_or_default()).trim_end(),
                &json!({ "event": "device", "id": id.as_str(), "record": record, "retired": out_of_use }),
            );
        }
        match page.last() {
            Some((_, last)) if page.len() == PAGE as usize => after = Some(*last),
            _ => return Ok(()),
        }
    }
}

fn list(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let keys = Reader::open(&paths(data))?.group_keys()?;
    if keys.is_empty() {
        out.note("There is no group key yet: keystation key import.");
    }
    keys.iter().for_each(|key| shown(key, out));
    Ok(Exit::Done)
}

/// Says what became of a key.
fn changed(bench: &Bench<'_>, label: &KeyLabel) -> Result<Exit, StationError> {
    shown(&bench.station.standing(label)?, bench.out);
    Ok(Exit::Done)
}

fn shown(key: &KeyStanding, out: Output) {
    let KeyStanding { info, custody, how, state, by, approver, devices, .. } = key;
    let people = [by.as_str(), approver].iter().filter(|id| !id.is_empty()).copied().collect::<Vec<_>>();
    out.say(
        format!(
            "{:<16} {}  {:<9} {:<9} group {}, scope {}, {} bytes, {custody}, imported by {}; devices: {devices}",
            info.label,
            info.check_value,
            state.as_str(),
            info.slot,
            info.group,
            info.scope,
            info.length,
            people.join(" and "),
        ),
        &json!({ "event": "key", "label": info.label.as_str(), "check_value": info.check_value.to_string(),
                 "slot": info.slot.as_str(), "group": info.group.as_str(), "scope": info.scope.as_str(),
                 "bytes": info.length, "custody": custody, "state": state.as_str(), "how": how,
                 "by": by, "approver": approver, "devices": devices }),
    );
}

/// Opens the custody of the key `label`, and asks for its secret alone.
pub(super) fn open_for(
    bench: &Bench<'_>,
    label: &KeyLabel,
    secrets: &PassphraseFrom,
) -> Result<(), StationError> {
    let permit = bench.permit(Action::Unlock)?;
    bench.station.done_or_told(&permit, label.as_str(), opened_for(bench, &permit, label, secrets))
}

fn opened_for(
    bench: &Bench<'_>,
    permit: &Permit,
    label: &KeyLabel,
    secrets: &PassphraseFrom,
) -> Result<(), StationError> {
    match Custodies::active(&bench.station.reader()?, label) {
        Ok((_, kind)) => bench.station.open_custody(permit, kind, &ask(secrets, kind)?),
        // A log that was begun anew learns of the keys that are there; they are not active yet.
        Err(StationError::NoKey(_)) => {
            let kind = bench.station.custody_of(label)?;
            bench.station.open_custody(permit, kind, &ask(secrets, kind)?)?;
            Custodies::active(&bench.station.reader()?, label).map(drop)
        }
        Err(error) => Err(error),
    }
}

/// The secret of the custody in which the key `label` is.
pub(super) fn secret_of(
    reader: &Reader,
    label: &KeyLabel,
    secrets: &PassphraseFrom,
) -> Result<Passphrase, StationError> {
    ask(secrets, Custodies::active(reader, label)?.1)
}

/// The secret of a custody.
pub(super) fn ask(from: &PassphraseFrom, kind: CustodyKind) -> Result<Passphrase, StationError> {
    let (file, fd, prompt) = match kind {
        CustodyKind::SealedFile => (&from.passphrase_file, from.passphrase_fd, "Passphrase of the vault: "),
        CustodyKind::Pkcs11 => (&from.token_pin_file, from.token_pin_fd, "PIN of the token: "),
        CustodyKind::Tpm => (&from.tpm_auth_file, from.tpm_auth_fd, "Authorisation of the TPM's keys: "),
    };
    Ok(source(file.as_deref(), fd, prompt).passphrase()?)
}

/// The same for a key that comes in: the passphrase of a vault that is made with it is asked for twice, for one that is typed
/// wrong once would lock its owner out.
pub(super) fn secret_for_import(
    station: &Station,
    kind: CustodyKind,
    from: &PassphraseFrom,
) -> Result<Passphrase, StationError> {
    let given = from.passphrase_file.is_some() || from.passphrase_fd.is_some();
    if kind != CustodyKind::SealedFile || given || station.data().vault().exists() {
        return ask(from, kind);
    }
    let first = source(None, None, "New passphrase of the vault: ").passphrase()?;
    let second = source(None, None, "Once more: ").passphrase()?;
    if first.is(&second) { Ok(first) } else { Err(StationError::Mismatch) }
}
