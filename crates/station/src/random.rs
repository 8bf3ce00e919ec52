//! The operating system's random numbers, as the values that `core` takes.

use keystation_core::proof::Nonce;

use crate::error::StationError;

/// Two nonces that were never used before.
pub(crate) fn nonces() -> Result<[Nonce; 2], StationError> {
    Ok([Nonce(bytes()?), Nonce(bytes()?)])
}

/// The name of a session: 16 random hexadecimal digits.
pub(crate) fn session() -> Result<String, StationError> {
    Ok(bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], StationError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StationError::Random)?;
    Ok(bytes)
}
