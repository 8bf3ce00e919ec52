//! The name of a log.

use std::fmt;

use keystation_core::identity::{IdentifierError, Reason};

/// The origin of a log, `keylog.<domain>/<plant>/<station>/<epoch>`, for example
/// `keylog.example.com/plant7/stn03/1`.
///
/// It names the log in every record, is the first line of every checkpoint and the name of the signing key, so it
/// holds what C2SP allows in all three: ASCII, no space, no `+`; at most 128 characters. A station whose log had to
/// be begun again gets the next epoch, never the same origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// The station's name in the origin of a training.
const TRAINING: &str = "training";

impl Origin {
    /// Characters at most.
    pub const LIMIT: usize = 128;

    /// The only way to an origin. Domain, plant and station are of `a-z 0-9 - .`, alphanumeric at both ends; the epoch
    /// counts from 1.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let fail = |reason| IdentifierError { what: "log origin", reason };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '/');
        if text.is_empty() {
            return Err(fail(Reason::Empty));
        }
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
            return Err(fail(Reason::Character { position: index + 1, character }));
        }
        if text.len() > Self::LIMIT {
            return Err(fail(Reason::TooLong { length: text.len(), limit: Self::LIMIT }));
        }
        let shape = Reason::NotADevice("not of the form keylog.<domain>/<plant>/<station>/<epoch>");
        let [host, plant, station, epoch] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(fail(shape));
        };
        let word = |part: &str| {
            let ends = [part.chars().next(), part.chars().next_back()];
            ends.iter().all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
        };
        let domain = host.strip_prefix("keylog.").is_some_and(|domain| domain.split('.').all(word));
        let counts = !epoch.starts_with('0') && epoch.parse::<u32>().is_ok();
        if !(domain && word(plant) && word(station) && counts) {
            return Err(fail(shape));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether the station is called `training`: a name that no station in production has, so that nobody takes the log of a
    /// training for one of devices that exist.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.0.rsplit('/').nth(1) == Some(TRAINING)
    }

    /// The number of the epoch, from 1.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        let epoch = self.0.rsplit('/').next().and_then(|epoch| epoch.parse().ok());
        epoch.expect("the only way to an origin saw to it")
    }

    /// The characters, all ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_has_four_parts_and_an_epoch() {
        for text in
            ["keylog.example.com/plant7/stn03/1", "keylog.acme/p/s/4294967295", "keylog.a-b.co.uk/p.1/s-2/10"]
        {
            assert_eq!(Origin::new(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "keylog.example.com/plant7/stn03",
            "keylog.example.com/plant7/stn03/0",
            "keylog.example.com/plant7/stn03/01",
            "keylog.example.com/plant7/stn03/1/2",
            "keylog.example.com/plant7//1",
            "keylog.example.com/plant7/-s/1",
            "keylog./plant7/stn03/1",
            "keylog.a..b/plant7/stn03/1",
            "example.com/plant7/stn03/1",
            "keylog.example.com/plant7/stn03/4294967296",
            &format!("keylog.{}/p/s/1", "a".repeat(120)),
        ] {
            assert!(Origin::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_station_that_is_called_training_is_one() {
        let is = |text| Origin::new(text).unwrap().is_training();
        assert!(is("keylog.example.com/plant7/training/1") && is("keylog.acme/p/training/12"));
        for text in ["keylog.training/training/stn03/1", "keylog.a/p/training-2/1", "keylog.a/p/1/1"] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn origin_refuses_what_a_note_cannot_carry() {
        for (text, position, character) in [
            ("keylog.example.com/plant 7/stn03/1", 25, ' '),
            ("keylog.example.com/plant7+a/s/1", 26, '+'),
            ("keylog.example.com/Plant7/s/1", 20, 'P'),
            ("keylog.example.com/p/s/1\n", 25, '\n'),
            ("keylog.ex\u{e4}mple.com/p/s/1", 10, '\u{e4}'),
        ] {
            assert_eq!(Origin::new(text).unwrap_err().reason, Reason::Character { position, character });
        }
    }
}
