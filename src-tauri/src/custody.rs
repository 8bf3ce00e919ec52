//! What takes the secret of a custody: unlocking, importing, destroying, the key for transfers. It is asked for until it
//! fits.

mod held;

use std::sync::Arc;

use keystation::group_keys::{Announced, KeyPermit, TransferFile};
use keystation::log::KeyStanding;
use keystation::people::Action;
use keystation::{DerivedKeyAnswer, GroupKey, ImportError, Passphrase, Station, StationError, TransferError};
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::registration::RegistrationId;
use tauri::async_runtime::spawn_blocking;
use tauri::{Runtime, WebviewWindow};

use crate::desk::LineDesk;
use crate::dto::{
    Approved, Custody, ImportOutcome, Imported, KeyCard, KeyDevice, KeyDevices, NewKey, UnlockOutcome,
};
use crate::problem::{Problem, sentence};
use crate::typed::{Question, Turn};
use held::Held;

/// Devices that are told at once.
pub(crate) const DEVICES: u32 = 200;

/// Asks for the secret of `custody` until it fits and `work` is done; none if the person gave up. The passphrase of a vault
/// that is still to be made is asked for twice: one that was mistyped could never be entered again.
pub(crate) async fn opened<R: Runtime, T: Send + 'static>(
    turn: &Turn<'_>,
    window: &WebviewWindow<R>,
    custody: Asked,
    work: impl Fn(&Passphrase) -> Result<T, Problem> + Send + Sync + 'static,
) -> Result<Option<T>, Problem> {
    let work = Arc::new(work);
    let mut question = match custody {
        Asked::Opening(custody) => Question::opening(custody),
        Asked::NewVault => Question::new_vault(),
    };
    loop {
        let Some(secret) = typed(turn, window, &question).await? else { return Ok(None) };
        if custody == Asked::NewVault {
            if !secret.is_long_enough() {
                question.complain(&format!("It needs {} characters at least.", Passphrase::SHORTEST));
                continue;
            }
            let Some(again) = typed(turn, window, &Question::vault_again()).await? else { return Ok(None) };
            if !secret.is(&again) {
                question.complain("The two were not the same.");
                continue;
            }
        }
        let work = Arc::clone(&work);
        // A second of scrypt, or as long as the token takes.
        match spawn_blocking(move || work(&secret)).await? {
            Err(problem) if problem.code == "passphrase-wrong" => {
                question.complain(&format!("{} Enter it again; mind the keyboard layout.", problem.sentence));
            }
            result => return result.map(Some),
        }
    }
}

/// What a secret is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To open what is there.
    Opening(Custody),
    /// To make the vault.
    NewVault,
}

impl Asked {
    /// For a key that comes into `custody`.
    pub(crate) fn for_new_key(desk: &LineDesk, custody: Custody) -> Self {
        match custody {
            Custody::SealedFile if !desk.station.data().vault().exists() => Self::NewVault,
            custody => Self::Opening(custody),
        }
    }
}

async fn typed<R: Runtime>(
    turn: &Turn<'_>,
    window: &WebviewWindow<R>,
    question: &Question,
) -> Result<Option<Passphrase>, Problem> {
    let secret = turn.ask(window, question).await?;
    Ok(secret.map(|secret| Passphrase::new(secret).expect("what the dialog gives is not empty")))
}

/// Opens every custody that holds keys, each with its own secret. Nothing is opened for somebody who has left meanwhile.
pub(crate) async fn unlock<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    let permit = Arc::new(desk.at_station(|station| station.permit(Action::Unlock)).await?);
    let turn = desk.dialogs.turn()?;
    let closed = desk.at_station(Station::closed_custodies).await?;
    if closed.is_empty() && !desk.station.is_unlocked() {
        let (station, permit) = (desk.station.clone(), Arc::clone(&permit));
        let nothing = move || {
            let missing = StationError::NoVault(station.data().vault());
            station.done_or_told(&permit, "", Err(missing))
        };
        return Ok(spawn_blocking(nothing).await??);
    }
    for kind in closed {
        let (station, permit) = (desk.station.clone(), Arc::clone(&permit));
        let open = move |secret: &Passphrase| Ok(station.open_custody(&permit, kind, secret)?);
        if opened(&turn, window, Asked::Opening(kind.into()), open).await?.is_none() {
            return Ok(UnlockOutcome::Cancelled);
        }
    }
    Ok(UnlockOutcome::Unlocked)
}

/// Takes in a key that somebody types, under the approval of another custodian.
pub(crate) async fn import<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    key: NewKey,
    check_value: String,
    approval: Approved,
) -> Result<Imported, Problem> {
    desk.at_station(|station| station.may_ask(Action::ImportKey)).await?;
    let announced = announced(&key, &check_value)?;
    let request = Station::import_request(Action::ImportKey, &announced);
    // Before the approval is used up: whoever cannot be asked now can be in a moment.
    let turn = desk.dialogs.turn()?;
    let permit = desk.at_station(move |station| station.permit_key(request, approval.into())).await?;
    let (label, held) = (announced.key.label.clone(), Held::new(permit));
    let Some(text) = turn.ask(window, &Question::group_key(&key)).await? else {
        return held.given_up(desk, label).await;
    };
    let mut answer = DerivedKeyAnswer::NotAsked;
    if matches!(GroupKey::judged(&text, answer), Err(ImportError::MayBeDerivedKey)) {
        let agreed = turn.agrees(window, &Question::group_not_device(&key)).await?;
        answer = if agreed { DerivedKeyAnswer::GroupKey } else { DerivedKeyAnswer::DeviceKey };
    }
    // No custody is opened for what is no group key.
    let (station, looked) = (desk.station.clone(), held.clone());
    let text = spawn_blocking(move || {
        looked.look(|permit| station.expect_key(permit, &text, answer))?;
        Ok::<_, StationError>(text)
    })
    .await??;
    let (station, spent) = (desk.station.clone(), held.clone());
    let import = move |secret: &Passphrase| {
        let taken = spent.spend(|permit| station.import_key(permit, &announced, secret, &text, answer))?;
        Ok(taken.check_value.to_string())
    };
    let asked = Asked::for_new_key(desk, key.custody);
    match opened(&turn, window, asked, import).await? {
        Some(check_value) => Ok(imported(check_value)),
        None => held.given_up(desk, label).await,
    }
}

/// Takes in the key of a transfer file, under the approval of another custodian.
pub(crate) async fn transfer<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    key: NewKey,
    check_value: String,
    approval: Approved,
) -> Result<Imported, Problem> {
    desk.at_station(|station| station.may_ask(Action::TakeTransfer)).await?;
    let announced = announced(&key, &check_value)?;
    let request = Station::import_request(Action::TakeTransfer, &announced);
    // Before the approval is used up: whoever cannot be asked now can be in a moment.
    let turn = desk.dialogs.turn()?;
    let permit = desk.at_station(move |station| station.permit_key(request, approval.into())).await?;
    let (label, held) = (announced.key.label.clone(), Held::new(permit));
    let file = desk.station.data().transfer(&announced.key.label);
    let mut own = None;
    if key.custody != Custody::SealedFile {
        let Some(secret) = typed(&turn, window, &Question::opening(key.custody)).await? else {
            return held.given_up(desk, label).await;
        };
        own = Some(secret);
    }
    let (station, spent) = (desk.station.clone(), held.clone());
    let take = Arc::new(move |passphrase: &Passphrase, answer| {
        let transfer = TransferFile { file: &file, passphrase, answer };
        let secret = own.as_ref().unwrap_or(passphrase);
        match spent.spend(|permit| station.take_transfer(permit, &announced, transfer, secret)) {
            Ok(taken) => Ok(Taken::Imported(taken.check_value.to_string())),
            Err(StationError::Transfer(TransferError::Import(ImportError::MayBeDerivedKey)))
                if answer == DerivedKeyAnswer::NotAsked =>
            {
                Ok(Taken::MayBeDerivedKey)
            }
            Err(error) => Err(error.into()),
        }
    });
    let asked = Asked::Opening(Custody::SealedFile);
    let mut answer = DerivedKeyAnswer::NotAsked;
    loop {
        let take = Arc::clone(&take);
        let taken = opened(&turn, window, asked, move |passphrase| take(passphrase, answer)).await?;
        match taken {
            None => return held.given_up(desk, label).await,
            Some(Taken::Imported(check_value)) => return Ok(imported(check_value)),
            // No passphrase is kept while a person thinks: whoever says yes types it again.
            Some(Taken::MayBeDerivedKey) => {
                let agreed = turn.agrees(window, &Question::group_not_device(&key)).await?;
                answer = if agreed { DerivedKeyAnswer::GroupKey } else { DerivedKeyAnswer::DeviceKey };
                if !agreed {
                    return Err(StationError::from(ImportError::DerivedKey).into());
                }
            }
        }
    }
}

/// What came of a transfer file.
enum Taken {
    /// The key is here, with this check value.
    Imported(String),
    /// It is as long as the key of a device: a person has to say what it is.
    MayBeDerivedKey,
}

/// What a page says of a key that is to come in.
fn announced(key: &NewKey, check_value: &str) -> Result<Announced, Problem> {
    let check_value = parsed_check_value(check_value)?;
    Ok(Announced { key: key.parsed()?, custody: key.custody.into(), check_value })
}

/// Destroys a key, under the approval of another custodian.
pub(crate) async fn destroy<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    label: String,
    reason: String,
    approval: Approved,
) -> Result<(), Problem> {
    desk.at_station(|station| station.may_ask(Action::DestroyKey)).await?;
    let label = parsed_label(&label)?;
    let turn = desk.dialogs.turn()?;
    let (asked, why) = (label.clone(), reason.clone());
    let (permit, kind) = desk
        .at_station(move |station| {
            let permit = approved(station, Action::DestroyKey, &asked, &why, approval)?;
            // Its approval says that the station knows the key.
            Ok::<_, Problem>((permit, station.custody_of(&asked)?))
        })
        .await?;
    let (held, named) = (Held::new(permit), label.clone());
    let (station, spent) = (desk.station.clone(), held.clone());
    let destroy = move |secret: &Passphrase| {
        spent.spend(|permit| station.destroy_key(permit, &label, &reason, secret))?;
        Ok::<_, Problem>(())
    };
    if opened(&turn, window, Asked::Opening(kind.into()), destroy).await?.is_some() {
        return Ok(());
    }
    held.given_up(desk, named).await?;
    Err(Problem::new(
        "cancelled",
        "The group key was not destroyed: nobody opened its custody.",
        &["Ask for it again, with another approval."],
    ))
}

/// The station's public key for transfers; it is made when it is asked for first.
pub(crate) async fn recipient<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
) -> Result<String, Problem> {
    let (permit, recipient) = desk
        .at_station(|station| {
            let permit = station.permit(Action::Recipient)?;
            let recipient = station.recipient(&permit)?;
            Ok::<_, Problem>((permit, recipient))
        })
        .await?;
    if let Some(recipient) = recipient {
        return Ok(recipient);
    }
    let station = desk.station.clone();
    let turn = desk.dialogs.turn()?;
    let make = move |secret: &Passphrase| Ok(station.make_recipient(&permit, secret)?);
    let asked = Asked::for_new_key(desk, Custody::SealedFile);
    opened(&turn, window, asked, make).await?.ok_or_else(|| {
        Problem::new("cancelled", "The key for transfers was not made.", &["Ask for it again."])
    })
}

/// Group keys, those that were destroyed too.
pub(crate) fn keys(station: &Station) -> Result<Vec<KeyCard>, Problem> {
    station.permit(Action::Keys)?;
    let card = |standing: KeyStanding| {
        let time = station.time_of(standing.imported)?;
        KeyCard::of(standing, time)
    };
    station.group_keys()?.into_iter().map(card).collect()
}

/// Which devices die with a key: some of them, from the record after `after` on.
pub(crate) fn devices(station: &Station, label: &str, after: Option<u64>) -> Result<KeyDevices, Problem> {
    station.permit(Action::Keys)?;
    let devices = station.devices_under(&parsed_label(label)?, after, DEVICES)?;
    Ok(page_of(devices))
}

/// At most [`DEVICES`] of them: there are more if they are so many.
pub(crate) fn page_of(devices: Vec<(RegistrationId, u64)>) -> KeyDevices {
    let next = devices.last().filter(|_| devices.len() == DEVICES as usize).map(|(_, record)| *record);
    let told = |(id, record): (RegistrationId, u64)| KeyDevice { id: id.to_string(), record };
    KeyDevices { devices: devices.into_iter().map(told).collect(), next }
}

/// From now on devices get keys from it.
pub(crate) fn activate(
    station: &Station,
    label: &str,
    reason: &str,
    check_value: &str,
    approval: Approved,
) -> Result<(), Problem> {
    station.may_ask(Action::ActivateKey)?;
    let (label, check_value) = (parsed_label(label)?, parsed_check_value(check_value)?);
    let permit = approved(station, Action::ActivateKey, &label, reason, approval)?;
    let activated = station.activate_key(permit, &label, reason, check_value).map_err(StationError::from);
    Ok(activated.map(drop)?)
}

/// The emergency stop of one key.
pub(crate) fn suspend(station: &Station, label: &str, reason: &str) -> Result<(), Problem> {
    let permit = station.permit(Action::SuspendKey)?;
    Ok(station.suspend_key(&permit, &parsed_label(label)?, reason).map(drop)?)
}

/// What was typed from the paper of a key's owner.
pub(crate) fn parsed_check_value(check_value: &str) -> Result<CheckValue, Problem> {
    check_value.trim().parse().map_err(|error| {
        let what = format!("This is no check value: {}", sentence(&error));
        Problem::new("check-value", &what, &["Read it from the paper again."])
    })
}

pub(crate) fn parsed_label(label: &str) -> Result<KeyLabel, Problem> {
    label.parse().map_err(|error| {
        let what = format!("This is no label: {}", sentence(&error));
        Problem::new("key-name", &what, &["Choose the key from the list."])
    })
}

const fn imported(check_value: String) -> Imported {
    Imported { outcome: ImportOutcome::Imported, check_value }
}

/// The permission for a change that another custodian approved.
pub(crate) fn approved(
    station: &Station,
    action: Action,
    label: &KeyLabel,
    reason: &str,
    approval: Approved,
) -> Result<KeyPermit, Problem> {
    // Whoever may not ask is not told which keys there are, nor is who asks without an approval.
    if !approval.is_given() {
        return Err(station.permit(action).expect_err("it takes another person").into());
    }
    let request = station.change_request(action, label, reason)?;
    Ok(station.permit_key(request, approval.into())?)
}
