//! Passphrases, PINs and badges: by prompt, file or file descriptor.

use std::path::Path;

use keystation::StationError;
use keystation::people::{PersonError, Pin};
use keystation_vault::{SecretSource, SecretText};

use super::args::NewPin;

/// Where a secret comes from: a file, a descriptor, or a person behind `prompt`.
pub(super) fn source(file: Option<&Path>, descriptor: Option<i32>, prompt: &str) -> SecretSource {
    match (file, descriptor) {
        (Some(file), _) => SecretSource::File(file.to_owned()),
        (None, Some(number)) => SecretSource::Descriptor(number),
        (None, None) => SecretSource::Prompt(prompt.to_owned()),
    }
}

/// The PIN of `user`.
pub(super) fn pin(file: Option<&Path>, descriptor: Option<i32>, user: &str) -> Result<Pin, StationError> {
    pin_from(&source(file, descriptor, &format!("PIN of {user}: ")))
}

/// A PIN that `user` gets. One that is typed is typed twice.
pub(super) fn new_pin(from: &NewPin, user: &str) -> Result<Pin, StationError> {
    let asked = format!("New PIN of {user}: ");
    let source = source(from.new_pin_file.as_deref(), from.new_pin_fd, &asked);
    typed_twice(&source)
}

/// A PIN that `user` gets, out of a file or typed twice.
pub(super) fn pin_of_admin(file: Option<&Path>, user: &str) -> Result<Pin, StationError> {
    let pin = typed_twice(&source(file, None, &format!("PIN of {user}: ")))?;
    pin.judge(user).map_err(PersonError::Pin)?;
    Ok(pin)
}

fn typed_twice(source: &SecretSource) -> Result<Pin, StationError> {
    let pin = pin_from(source)?;
    if matches!(source, SecretSource::Prompt(_)) {
        let again = pin_from(&SecretSource::Prompt("Once more: ".to_owned()))?;
        if !pin.is(&again) {
            return Err(StationError::PinsDiffer);
        }
    }
    Ok(pin)
}

fn pin_from(source: &SecretSource) -> Result<Pin, StationError> {
    Ok(Pin::new(source.text()?.expose()).map_err(PersonError::Pin)?)
}

/// What a badge says, from the first line of a file.
pub(super) fn badge(file: Option<&Path>) -> Result<Option<SecretText>, StationError> {
    let read = |file: &Path| SecretSource::File(file.to_owned()).text();
    Ok(file.map(read).transpose()?)
}
