//! `[token]` and `[tpm]` of `station.toml`: custodies beside the sealed file. Without its section a custody does not exist.

use keystation_vault::{KeyType, TokenSettings, TpmPlace};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenSection {
    module: String,
    label: String,
    key_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TpmSection {
    device: Option<String>,
    swtpm: Option<String>,
}

/// Which token. Whether path and label can be those of one is the vault's to say.
pub(super) fn token(section: &TokenSection) -> Result<TokenSettings, String> {
    let key_type = section.key_type.as_deref().map_or(Ok(KeyType::Auto), str::parse);
    let settings = TokenSettings {
        module: section.module.clone().into(),
        label: section.label.clone(),
        key_type: key_type.map_err(|e| e.to_string())?,
    };
    settings.check().map_err(|e| e.to_string())?;
    Ok(settings)
}

/// Where the TPM is: one of the two.
pub(super) fn tpm(section: &TpmSection) -> Result<TpmPlace, String> {
    match (&section.device, &section.swtpm) {
        (Some(device), None) => TpmPlace::device(device).map_err(|e| e.to_string()),
        (None, Some(socket)) => TpmPlace::emulator(socket).map_err(|e| e.to_string()),
        _ => Err("it names either a `device` or the socket of a `swtpm`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_module_and_a_label() {
        let read = |text: &str| token(&toml::from_str(text).map_err(|e| e.message().to_owned())?);
        let base = "module = \"/usr/lib/softhsm/libsofthsm2.so\"\nlabel = \"factory\"\n";
        assert_eq!(read(base).unwrap().key_type, KeyType::Auto);
        assert_eq!(read(&format!("{base}key_type = \"sha256-hmac\"")).unwrap().key_type, KeyType::Sha256Hmac);
        for (text, expected) in [
            (format!("{base}key_type = \"aes\""), "a key type is"),
            (format!("{base}pin = \"1\""), "unknown field `pin`"),
            (base.replace("/usr", "usr"), "absolute path"),
            (base.replace("factory", ""), "a token's label has"),
            ("module = \"/x\"".to_owned(), "missing field `label`"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_tpm_is_in_one_place() {
        let read = |text: &str| tpm(&toml::from_str(text).map_err(|e| e.message().to_owned())?);
        assert_eq!(read("device = \"/dev/tpmrm0\"").unwrap().path().to_str(), Some("/dev/tpmrm0"));
        assert!(read("swtpm = \"/run/swtpm.sock\"").is_ok());
        for (text, expected) in [
            ("", "either a `device`"),
            ("device = \"/dev/tpmrm0\"\nswtpm = \"/run/s\"", "either a `device`"),
            ("device = \"/dev/tpm0\"", "resource manager"),
            ("swtpm = \"127.0.0.1:2321\"", "absolute path"),
            ("socket = \"/run/s\"", "unknown field `socket`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
