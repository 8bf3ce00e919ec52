//! `[tpm]` and `[token]` of `station.toml`: where group keys can be kept beside the vault file. A custody without a section is not there.

use std::path::PathBuf;

use keystation_vault::{KeyType, NoKeyType, TokenSettings, TpmPlace};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinSection {
    pub(super) counter: toml::Spanned<String>,
}

/// Whether wrong PINs are counted in the TPM, of which there is a section or is not.
pub(super) fn counts(section: &PinSection, tpm: bool) -> Result<bool, &'static str> {
    match section.counter.get_ref().as_str() {
        "none" => Ok(false),
        "tpm" if tpm => Ok(true),
        "tpm" => Err("there is no [tpm] section, which says where the TPM is"),
        _ => Err("it is `none` or `tpm`"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenSection {
    module: PathBuf,
    label: String,
    key_type: Option<String>,
}

/// A PKCS#11 token. Whether there is such a module and such a token shows when it is unlocked.
pub(super) fn token(section: &TokenSection) -> Result<TokenSettings, String> {
    let key_type = match &section.key_type {
        None => KeyType::Auto,
        Some(word) => word.parse().map_err(|refused: NoKeyType| refused.to_string())?,
    };
    let settings = TokenSettings { module: section.module.clone(), label: section.label.clone(), key_type };
    settings.check().map_err(|refused| refused.to_string())?;
    Ok(settings)
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

    fn read_token(text: &str) -> Result<TokenSettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned()).and_then(|section| token(&section))
    }

    #[test]
    fn token_has_a_module_and_a_label() {
        let settings = |key_type| TokenSettings {
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            label: "factory".to_owned(),
            key_type,
        };
        let text = "module = \"/usr/lib/softhsm/libsofthsm2.so\"\nlabel = \"factory\"\n";
        assert_eq!(read_token(text), Ok(settings(KeyType::Auto)));
        for key_type in [KeyType::Auto, KeyType::Generic, KeyType::Sha256Hmac] {
            let named = format!("{text}key_type = \"{}\"", key_type.as_str());
            assert_eq!(read_token(&named), Ok(settings(key_type)));
        }
        for (text, expected) in [
            ("label = \"factory\"", "missing field `module`"),
            ("module = \"/m.so\"", "missing field `label`"),
            ("module = \"\"\nlabel = \"factory\"", "absolute path"),
            ("module = \"libsofthsm2.so\"\nlabel = \"factory\"", "absolute path"),
            ("module = \"/m.so\"\nlabel = \"\"", "1 to 32 printable"),
            (
                "module = \"/m.so\"\nlabel = \"factory\"\nkey_type = \"hmac\"",
                "`auto`, `generic` or `sha256-hmac`",
            ),
            (
                "module = \"/m.so\"\nlabel = \"factory\"\nkey_type = \"\"",
                "`auto`, `generic` or `sha256-hmac`",
            ),
            ("module = \"/m.so\"\nlabel = \"factory\"\npin = \"x\"", "unknown field `pin`"),
        ] {
            let refused = read_token(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
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
