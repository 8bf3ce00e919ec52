//! How a product makes its registration ID of what the device reports.

use crate::identity::{IdentifierError, Identity, Mac, MacRule, SerialNumber};
use crate::registration::{IdRule, RegistrationId};

/// The recipe of a product profile, for example `sn-{serial}-mac-{mac}`, with the spelling of the MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    parts: Vec<Part>,
    spelling: MacSpelling,
    mac_rule: MacRule,
    id_rule: IdRule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Mac,
    Serial,
}

/// What stands between the bytes of a MAC address inside a registration ID. The digits are always lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MacSpelling {
    /// `a1-b2-c3-d4-e5-f6`
    #[default]
    Dashes,
    /// `a1:b2:c3:d4:e5:f6`, which needs [`IdRule::Punctuation`].
    Colons,
    /// `a1b2.c3d4.e5f6`, likewise.
    Dots,
    /// `a1b2c3d4e5f6`
    Nothing,
}

impl MacSpelling {
    fn spell(self, mac: Mac) -> String {
        match self {
            Self::Dashes => mac.spelled("-"),
            Self::Colons => mac.spelled(":"),
            Self::Dots => {
                let digits = mac.spelled("");
                format!("{}.{}.{}", &digits[..4], &digits[4..8], &digits[8..])
            }
            Self::Nothing => mac.spelled(""),
        }
    }
}

/// A recipe that cannot make a registration ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// Something in braces that is neither `{mac}` nor `{serial}`, or a brace without its partner.
    #[error("at character {position}: only {{mac}} and {{serial}} may stand in braces")]
    Placeholder {
        /// Where, counted from 1.
        position: usize,
    },
    /// No placeholder: every device would have the same ID.
    #[error("it names neither {{mac}} nor {{serial}}, so every device would have the same registration ID")]
    Constant,
    /// Its text, or the spelling of the MAC, makes every ID illegal: what is wrong with the shortest of them.
    #[error("no device can have an ID of it: {0}")]
    Illegal(#[source] IdentifierError),
}

/// Why a device has no registration ID under this recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRegistrationId {
    /// The recipe names `{mac}` or `{serial}`, the device did not report it.
    #[error("the device reports no {0}, and the recipe needs it")]
    Missing(&'static str),
    /// What it reports is not usable.
    #[error(transparent)]
    Refused(#[from] IdentifierError),
}

impl Recipe {
    /// Reads a recipe. Text outside of the braces stands in every ID as it is.
    pub fn new(
        text: &str,
        spelling: MacSpelling,
        mac_rule: MacRule,
        id_rule: IdRule,
    ) -> Result<Self, RecipeError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let at = || RecipeError::Placeholder {
                position: text[..text.len() - rest.len() + open].chars().count() + 1,
            };
            let (name, after) =
                rest[open..].strip_prefix('{').and_then(|r| r.split_once('}')).ok_or_else(at)?;
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            parts.push(match name {
                "mac" => Part::Mac,
                "serial" => Part::Serial,
                _ => return Err(at()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(RecipeError::Constant);
        }
        let recipe = Self { parts, spelling, mac_rule, id_rule };
        // Better one profile refused at the start than every device of a shift.
        let shortest =
            Identity { mac: Some(Mac::new([0; 6])), serial: Some("1".parse().expect("a serial number")) };
        match recipe.spell(&shortest) {
            Err(NoRegistrationId::Refused(error)) => Err(RecipeError::Illegal(error)),
            _ => Ok(recipe),
        }
    }

    /// The one place where a registration ID is made of an identity.
    ///
    /// The serial number is lower-cased here and nowhere else; whatever is then still outside of the canonical form
    /// is refused.
    pub fn registration_id(&self, identity: &Identity) -> Result<RegistrationId, NoRegistrationId> {
        // A MAC is checked even when the recipe does not use it: a board with an empty address memory is not sound.
        if let Some(mac) = identity.mac {
            mac.check(self.mac_rule)?;
        }
        self.spell(identity)
    }

    fn spell(&self, identity: &Identity) -> Result<RegistrationId, NoRegistrationId> {
        let mut id = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => id.push_str(text),
                Part::Mac => {
                    let mac = identity.mac.ok_or(NoRegistrationId::Missing("MAC address"))?;
                    id.push_str(&self.spelling.spell(mac));
                }
                Part::Serial => {
                    let serial: &SerialNumber =
                        identity.serial.as_ref().ok_or(NoRegistrationId::Missing("serial number"))?;
                    id.push_str(&serial.as_str().to_ascii_lowercase());
                }
            }
        }
        Ok(RegistrationId::new(&id, self.id_rule)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: MacRule =
        MacRule { allow_placeholder: false, allow_multicast: true, allow_locally_administered: false };

    fn published() -> Identity {
        Identity { mac: "A1:B2:C3:D4:E5:F6".parse().ok(), serial: "007-888-ABC".parse().ok() }
    }

    #[test]
    fn published_example() {
        let recipe =
            Recipe::new("sn-{serial}-mac-{mac}", MacSpelling::Dashes, ALLOW, IdRule::Dashes).unwrap();
        let id = recipe.registration_id(&published()).unwrap();
        assert_eq!(id.as_str(), "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");
    }

    #[test]
    fn spellings() {
        let id = |spelling| {
            let recipe = Recipe::new("{mac}", spelling, ALLOW, IdRule::Punctuation).unwrap();
            recipe.registration_id(&published()).unwrap()
        };
        for (spelling, expected) in [
            (MacSpelling::Nothing, "a1b2c3d4e5f6"),
            (MacSpelling::Dashes, "a1-b2-c3-d4-e5-f6"),
            (MacSpelling::Colons, "a1:b2:c3:d4:e5:f6"),
            (MacSpelling::Dots, "a1b2.c3d4.e5f6"),
        ] {
            assert_eq!(id(spelling).as_str(), expected);
        }
    }

    #[test]
    fn a_recipe_that_makes_only_illegal_ids_is_refused_when_it_is_read() {
        let (seven, eight) = ("{mac}".repeat(7), "{mac}".repeat(8));
        let new = |text, spelling, rule| {
            Recipe::new(text, spelling, MacRule::default(), rule).map(|_| ()).map_err(|e| e.to_string())
        };
        for (text, spelling, rule, wrong) in [
            ("{mac}", MacSpelling::Colons, IdRule::Dashes, "character 3 is ':', which cannot stand there"),
            ("{mac}", MacSpelling::Dots, IdRule::Dashes, "character 5 is '.', which cannot stand there"),
            (
                "SN-{serial}",
                MacSpelling::Dashes,
                IdRule::Dashes,
                "character 1 is 'S', which cannot stand there",
            ),
            (
                "sn_{serial}",
                MacSpelling::Dashes,
                IdRule::Dashes,
                "character 3 is '_', which cannot stand there",
            ),
            (
                "{serial}-",
                MacSpelling::Dashes,
                IdRule::Dashes,
                "character 2 is '-', which cannot stand there",
            ),
            (&eight, MacSpelling::Dashes, IdRule::Dashes, "it has 136 characters, at most 128 are allowed"),
        ] {
            let told = format!("no device can have an ID of it: registration ID: {wrong}");
            assert_eq!(new(text, spelling, rule), Err(told), "{text}");
        }
        assert!(new("sn_{serial}", MacSpelling::Dashes, IdRule::Punctuation).is_ok());
        assert!(new(&seven, MacSpelling::Dashes, IdRule::Dashes).is_ok());
    }

    #[test]
    fn recipe_errors_name_the_place() {
        let new = |text| Recipe::new(text, MacSpelling::Dashes, MacRule::default(), IdRule::Dashes);
        assert_eq!(new("sn-{imei}"), Err(RecipeError::Placeholder { position: 4 }));
        assert_eq!(new("{mac}-{serial"), Err(RecipeError::Placeholder { position: 7 }));
        assert_eq!(new("a}"), Err(RecipeError::Placeholder { position: 2 }));
        assert_eq!(new("thermostat"), Err(RecipeError::Constant));
    }

    #[test]
    fn what_the_recipe_needs_must_be_there_and_sound() {
        let recipe =
            Recipe::new("sn-{serial}", MacSpelling::Dashes, MacRule::default(), IdRule::Dashes).unwrap();
        let nobody = Identity { mac: None, serial: None };
        assert_eq!(recipe.registration_id(&nobody), Err(NoRegistrationId::Missing("serial number")));
        let empty_memory = Identity { mac: Some(Mac::new([0xff; 6])), ..published() };
        assert!(recipe.registration_id(&empty_memory).is_err());
        let spaced = Identity { serial: "a_b".parse().ok(), mac: None };
        assert!(recipe.registration_id(&spaced).is_err());
    }
}
