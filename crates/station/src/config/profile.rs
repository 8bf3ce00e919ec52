//! Product profiles: how a registration ID is made, and which group key a product gets.

use std::path::{Path, PathBuf};

use keystation_core::identity::MacRule;
use keystation_core::key::{Endpoint, KeyLabel};
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::registration::IdRule;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::slot::baud;
use super::source::Source;
use super::{ConfigError, plain_id};
use crate::line::LabelMatch;

/// A product profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The file that it was read from.
    pub path: PathBuf,
    /// SHA-256 of that file, as it was read.
    pub sha256: [u8; 32],
    /// Name and revision, `thermostat/1`.
    pub title: String,
    /// How the registration ID is made.
    pub recipe: Recipe,
    /// Label of the group key.
    pub group_key: KeyLabel,
    /// DPS endpoint.
    pub endpoint: Endpoint,
    /// Speed of the line.
    pub baud: u32,
    /// What the scanned label is held against.
    pub label: LabelMatch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    version: toml::Spanned<u32>,
    name: toml::Spanned<String>,
    revision: u32,
    identity: IdentitySection,
    credentials: CredentialsSection,
    device: DeviceSection,
    label: LabelSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentitySection {
    registration_id: toml::Spanned<String>,
    mac_spelling: Spelling,
    allow_punctuation: bool,
    allow_placeholder_mac: bool,
    allow_multicast_mac: bool,
    allow_locally_administered_mac: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Spelling {
    Dashes,
    Colons,
    Dots,
    Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsSection {
    group_key: toml::Spanned<String>,
    endpoint: toml::Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceSection {
    // There is one driver today; the key is there so that a profile says what it relies on.
    #[serde(rename = "driver")]
    _driver: Driver,
    baud: toml::Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelSection {
    #[serde(rename = "match")]
    matching: Matching,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Matching {
    None,
    Serial,
    Mac,
    RegistrationId,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Driver {
    Smp,
}

impl Profile {
    /// Reads a product profile.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let source = Source::read(file)?;
        let ProfileFile { version, name, revision, identity, credentials, device, label } = source.parse()?;
        source.version(&version)?;
        let name = source.checked("name", name.span(), plain_id(name.get_ref()))?;
        let spelling = match identity.mac_spelling {
            Spelling::Dashes => MacSpelling::Dashes,
            Spelling::Colons => MacSpelling::Colons,
            Spelling::Dots => MacSpelling::Dots,
            Spelling::Nothing => MacSpelling::Nothing,
        };
        let mac_rule = MacRule {
            allow_placeholder: identity.allow_placeholder_mac,
            allow_multicast: identity.allow_multicast_mac,
            allow_locally_administered: identity.allow_locally_administered_mac,
        };
        let id_rule = if identity.allow_punctuation { IdRule::Punctuation } else { IdRule::Dashes };
        let recipe = &identity.registration_id;
        let recipe = source.checked(
            "registration_id",
            recipe.span(),
            Recipe::new(recipe.get_ref(), spelling, mac_rule, id_rule),
        )?;
        let key = &credentials.group_key;
        let group_key = source.checked("group_key", key.span(), key.get_ref().parse::<KeyLabel>())?;
        let endpoint = &credentials.endpoint;
        let endpoint = source.checked("endpoint", endpoint.span(), endpoint.get_ref().parse::<Endpoint>())?;
        let baud = baud(&source, &device.baud)?;
        let matching = match label.matching {
            Matching::None => LabelMatch::None,
            Matching::Serial => LabelMatch::Serial,
            Matching::Mac => LabelMatch::Mac,
            Matching::RegistrationId => LabelMatch::RegistrationId,
        };
        Ok(Self {
            path: file.to_owned(),
            sha256: Sha256::digest(&source.text).into(),
            title: format!("{name}/{revision}"),
            recipe,
            group_key,
            endpoint,
            baud,
            label: matching,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = include_str!("../../defaults/example.toml");

    fn profile(text: &str) -> Result<Profile, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("example.toml");
        std::fs::write(&file, text).unwrap();
        Profile::read(&file).map_err(|e| e.to_string())
    }

    #[test]
    fn what_init_writes_is_read() {
        assert_eq!(profile(PROFILE).unwrap().title, "example/1");
    }

    #[test]
    fn a_profile_that_cannot_work_is_refused_at_its_line() {
        for (from, to, expected) in [
            ("sn-{serial}-mac-{mac}", "thermostat", "`registration_id`: it names neither"),
            ("\"dashes\"\n", "\"dash\"\n", "unknown variant `dash`"),
            ("\"smp\"", "\"swd\"", "unknown variant `swd`"),
            ("115200", "11", "`baud`: 1200"),
            ("\"gk-2026a\"", "\"GK\"", "`group_key`: key label: character 1 is 'G'"),
            ("allow_multicast_mac = false\n", "", "missing field `allow_multicast_mac`"),
            ("match = \"none\"\n", "", "missing field `match`"),
            ("\"none\"", "\"batch\"", "unknown variant `batch`"),
        ] {
            let error = profile(&PROFILE.replace(from, to)).unwrap_err();
            assert!(error.contains("example.toml:") && error.contains(expected), "{error}");
        }
    }
}
