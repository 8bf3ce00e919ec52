//! Passphrases and PINs: by prompt, file or file descriptor.

use std::path::Path;

use keystation::StationError;
use keystation::people::{PersonError, Pin};
use keystation_vault::SecretSource;

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
    let text = source(file, descriptor, &format!("PIN of {user}: ")).text()?;
    Ok(Pin::new(text.expose()).map_err(PersonError::Pin)?)
}
