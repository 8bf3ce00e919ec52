//! `[tpm]` of `station.toml`: where group keys can be kept beside the vault file. A custody without a section is not there.

use keystation_vault::TpmPlace;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TpmSection {
    device: Option<String>,
    swtpm: Option<String>,
}

/// The TPM of this PC, or the socket of an emulator.
pub(super) fn tpm(section: &TpmSection) -> Result<TpmPlace, String> {
    match (&section.device, &section.swtpm) {
        (Some(device), None) => TpmPlace::device(device).map_err(|refused| refused.to_string()),
        (None, Some(socket)) => TpmPlace::emulator(socket).map_err(|refused| refused.to_string()),
        _ => Err("it has one of `device` and `swtpm`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TpmPlace, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned()).and_then(|section| tpm(&section))
    }

    #[test]
    fn tpm_is_a_device_or_an_emulator() {
        assert_eq!(read("device = \"/dev/tpmrm0\""), Ok(TpmPlace::Device("/dev/tpmrm0".into())));
        assert_eq!(read("swtpm = \"/run/swtpm/sock\""), Ok(TpmPlace::Emulator("/run/swtpm/sock".into())));
    }

    #[test]
    fn what_is_mistyped_is_named() {
        for (text, expected) in [
            ("", "one of `device` and `swtpm`"),
            ("device = \"/dev/tpmrm0\"\nswtpm = \"/x\"", "one of `device` and `swtpm`"),
            ("device = \"/dev/tpm0\"", "/dev/tpmrm and a number"),
            ("device = 0", "invalid type"),
            ("swtpm = \"sock\"", "absolute path"),
            ("swtpm = \"localhost:2321\"", "absolute path"),
            ("devise = \"/dev/tpmrm0\"", "unknown field `devise`"),
            ("device = \"/dev/tpmrm0\"\npin = \"x\"", "unknown field `pin`"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
