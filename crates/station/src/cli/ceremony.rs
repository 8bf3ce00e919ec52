//! `keystation key ceremony`: the steps of a ceremony at one terminal, or out of files.

use std::io;
use std::time::Duration;

use keystation::ceremony::{CeremonyError, CeremonyOrder};
use keystation::people::{Action, Person, SignInError};
use keystation::{CustodyKind, Exit, Station, StationError};
use keystation_device::scanner;
use keystation_vault::{NewKey, Part, SecretSource, SecretText, SourceError};
use serde_json::json;

use super::args::CeremonyArgs;
use super::key::{imported, secret_for_import};
use super::output::Output;
use super::secrets::pin;
use super::session::Bench;

/// For a custodian to fetch the code and hold it before the scanner.
const SCAN: Duration = Duration::from_secs(120);

pub(super) fn run(bench: &Bench<'_>, args: &CeremonyArgs) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    let permit = bench.permit(Action::Ceremony)?;
    let custody = station.custody_for(Action::Ceremony, args.custody)?;
    let key = NewKey {
        label: args.label.clone(),
        group: args.group.clone(),
        scope: args.scope.clone(),
        slot: args.slot,
    };
    let order = CeremonyOrder {
        bytes: args.bytes,
        parts: args.parts,
        ..CeremonyOrder::new(key, custody, args.check_value)
    };
    let ceremony = station.ceremony_begin(&permit, order)?;
    out.say(
        format!("Ceremony {} for {}: {} components.", ceremony.id, args.label, args.parts),
        &json!({ "event": "ceremony", "id": ceremony.id, "label": args.label.as_str(), "parts": args.parts }),
    );
    let made = (1..=args.parts)
        .filter_map(Part::new)
        .try_for_each(|part| component(station, args, part, out))
        .and_then(|()| finish(station, custody, args, out));
    if made.is_err() {
        // Unless the failure has ended it already: whatever is left of it goes now, and has its record.
        match station.ceremony_abort(&permit) {
            Err(CeremonyError::None) | Ok(()) => {}
            Err(error) => out.note(format!("The ceremony was ended without a record: {error}.")),
        }
    }
    made
}

/// One custodian: signs in, gives the component, types its check value.
fn component(station: &Station, args: &CeremonyArgs, part: Part, out: Output) -> Result<(), StationError> {
    let number = part.number();
    let index = usize::from(number) - 1;
    let user = match args.custodian.get(index) {
        Some(user) => user.clone(),
        None => line(out, &format!("Component {number}. Your ID:"))?,
    };
    let pin_file = args.custodian_pin_file.get(index);
    again(pin_file.is_none(), out, || {
        let pin = pin(pin_file.map(|file| &**file), None, &user)?;
        station.ceremony_sign_in(part, Person::Id(&user), &pin)
    })?;
    let source = component_source(args, index, number);
    let by_hand = matches!(source, Source::Secret(SecretSource::Prompt(_)) | Source::Scanner);
    let entry = station.ceremony_enter(part)?;
    again(by_hand, out, || {
        let text = read(&source, args, out)?;
        station.ceremony_component(part, &text).map(drop)
    })?;
    drop(entry);
    let typed = match args.component_check.get(index) {
        Some(typed) => typed.clone(),
        None => line(out, &format!("Check value of component {number}, from your paper:"))?,
    };
    station.ceremony_confirm(part, &typed)?;
    out.say(
        format!("Component {number} of {user} is taken."),
        &json!({ "event": "component", "part": number, "user": user }),
    );
    Ok(())
}

fn finish(
    station: &Station,
    custody: CustodyKind,
    args: &CeremonyArgs,
    out: Output,
) -> Result<Exit, StationError> {
    let typed = match &args.confirm_check_value {
        Some(typed) => typed.clone(),
        None => line(out, "Check value of the key, from its paper:")?,
    };
    let given = args.secrets.passphrase_file.is_some() || args.secrets.passphrase_fd.is_some();
    let info = again(!given, out, || {
        let secret = secret_for_import(station, custody, &args.secrets)?;
        station.ceremony_finish(&typed, &secret)
    })?;
    Ok(imported(&info, custody, out))
}

/// Takes a step again after a slip of the hand, where a hand takes it.
fn again<T>(
    by_hand: bool,
    out: Output,
    mut step: impl FnMut() -> Result<T, CeremonyError>,
) -> Result<T, StationError> {
    loop {
        match step() {
            Err(
                error @ (CeremonyError::SignIn(SignInError::Wrong { .. } | SignInError::Unknown)
                | CeremonyError::Refused { .. }),
            ) if by_hand => out.note(format!("{error}. Again, please.")),
            Err(CeremonyError::Station(error)) if by_hand && error.code() == "passphrase-wrong" => {
                out.note(format!("{error}. Again, please."));
            }
            result => return Ok(result?),
        }
    }
}

/// Where a component comes from.
enum Source {
    Secret(SecretSource),
    Scanner,
}

fn component_source(args: &CeremonyArgs, index: usize, number: u8) -> Source {
    match (args.component_file.get(index), args.component_fd.get(index)) {
        (Some(file), _) => Source::Secret(SecretSource::File(file.clone())),
        (None, Some(fd)) => Source::Secret(SecretSource::Descriptor(*fd)),
        (None, None) if args.component_scanner.is_some() => Source::Scanner,
        (None, None) => Source::Secret(SecretSource::Prompt(format!("Component {number} (Base64): "))),
    }
}

fn read(source: &Source, args: &CeremonyArgs, out: Output) -> Result<SecretText, StationError> {
    match (source, &args.component_scanner) {
        (Source::Secret(source), _) => Ok(source.text()?),
        (Source::Scanner, scanner) => {
            out.note("Scan the component.");
            let port = scanner.as_deref().expect("it is a scanner because one was named");
            let line = scanner::read_line(port, args.scanner_baud, SCAN)?;
            Ok(SecretText::from_line(line).map_err(SourceError::from)?)
        }
    }
}

/// A line that is no secret.
fn line(out: Output, question: &str) -> Result<String, StationError> {
    out.note(question);
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(StationError::Input)?;
    Ok(line.trim().to_owned())
}
