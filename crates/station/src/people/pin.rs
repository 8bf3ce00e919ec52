//! A PIN: six to twelve digits that authenticate a person whom a badge or an ID names.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::pepper::Pepper;
use crate::error::StationError;
use crate::random;

/// Six to twelve ASCII digits. Wiped when dropped.
///
/// It cannot be printed, cloned, compared with `==` or serialised. It lives in one heap cell.
pub struct Pin {
    digits: Box<Zeroizing<[u8; Self::LONGEST]>>,
    length: usize,
}

/// A text that is no PIN, or one that anybody would try. The text itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinRefused {
    /// Too short or too long.
    #[error("a PIN has {} to {} digits", Pin::SHORTEST, Pin::LONGEST)]
    Length,
    /// Something else than a digit.
    #[error("character {position} is no digit")]
    Digit {
        /// Where, counted from 1.
        position: usize,
    },
    /// One digit, or a few of them over and over.
    #[error("it repeats itself")]
    Repeated,
    /// Digits that only count up or down.
    #[error("its digits only count up or down")]
    Run,
    /// It is among those that are tried first.
    #[error("it is one of the PINs that are tried first")]
    Common,
    /// The digits of the person's ID are in it.
    #[error("the digits of the ID are in it")]
    OfTheId,
    /// It is the PIN that it should replace.
    #[error("it is the PIN that it should replace")]
    Same,
}

/// Those of the PINs that people choose most which no other rule refuses; keyboard patterns for the most part.
const COMMON: [&str; 20] = [
    "112233",
    "123321",
    "159753",
    "753951",
    "159357",
    "789456",
    "456123",
    "147258",
    "258147",
    "147852",
    "741852",
    "123654",
    "321654",
    "102030",
    "142536",
    "100200",
    "112211",
    "121314",
    "11223344",
    "147258369",
];

impl Pin {
    /// Digits at least.
    pub const SHORTEST: usize = 6;
    /// Digits at most.
    pub const LONGEST: usize = 12;

    /// Takes the digits as they stand. Whether they may be chosen is another question, [`Pin::judge`].
    pub fn new(text: &str) -> Result<Self, PinRefused> {
        if let Some(index) = text.chars().position(|c| !c.is_ascii_digit()) {
            return Err(PinRefused::Digit { position: index + 1 });
        }
        if !(Self::SHORTEST..=Self::LONGEST).contains(&text.len()) {
            return Err(PinRefused::Length);
        }
        let mut digits = Box::new(Zeroizing::new([0; Self::LONGEST]));
        digits[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { digits, length: text.len() })
    }

    /// Whether `user` may choose it. Dates are not refused: nobody can tell them from other digits.
    pub fn judge(&self, user: &str) -> Result<(), PinRefused> {
        let digits = self.expose();
        let repeats = |period: usize| digits.iter().zip(&digits[period..]).all(|(a, b)| a == b);
        let step = |by: u8| digits.windows(2).all(|pair| (pair[0] - b'0' + by) % 10 == pair[1] - b'0');
        if (1..=digits.len() / 2).any(|period| digits.len().is_multiple_of(period) && repeats(period)) {
            Err(PinRefused::Repeated)
        } else if step(1) || step(9) {
            Err(PinRefused::Run)
        } else if COMMON.iter().any(|common| common.as_bytes() == digits) {
            Err(PinRefused::Common)
        } else if numbers(user).any(|number| digits.windows(number.len()).any(|part| part == number)) {
            Err(PinRefused::OfTheId)
        } else {
            Ok(())
        }
    }

    /// Whether both are the same digits, as when a person entered it twice.
    #[must_use]
    pub fn is(&self, again: &Self) -> bool {
        self.expose().ct_eq(again.expose()).into()
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

/// The numbers of three and more digits in an ID: with fewer no PIN would be left.
fn numbers(user: &str) -> impl Iterator<Item = &[u8]> {
    user.as_bytes().split(|byte| !byte.is_ascii_digit()).filter(|number| number.len() >= 3)
}

/// What one guess costs: argon2id (RFC 9106) over so many KiB, so many times, in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinCost {
    kib: u32,
    passes: u32,
}

impl PinCost {
    /// What every station uses: 64 MiB, three passes, some 0.4 s. Fixed, so that a file cannot ask for less.
    pub const STATION: Self = Self { kib: 64 * 1024, passes: 3 };
    /// For tests, which sign in by the thousand.
    pub const TEST: Self = Self { kib: 8, passes: 1 };
}

impl fmt::Display for PinCost {
    /// As a PHC string has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$argon2id$v=19$m={},t={},p=1$", self.kib, self.passes)
    }
}

/// The hash of a PIN as it is kept: a PHC string, `$argon2id$v=19$m=65536,t=3,p=1$<salt>$<hash>` with 16 and 32 bytes in
/// Base64 without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PinHash {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl PinHash {
    /// Of a PIN that was chosen.
    pub(super) fn of(pin: &Pin, pepper: &Pepper, cost: PinCost) -> Result<Self, StationError> {
        let salt = random::bytes()?;
        Ok(Self { salt, hash: work(pin, pepper, &salt, cost) })
    }

    /// Of a PIN that nobody has: what an ID without an account is held against, so that it costs the same.
    pub(super) fn of_nobody() -> Result<Self, StationError> {
        Ok(Self { salt: random::bytes()?, hash: random::bytes()? })
    }

    /// Whether it is the hash of `pin`.
    pub(super) fn fits(&self, pin: &Pin, pepper: &Pepper, cost: PinCost) -> bool {
        work(pin, pepper, &self.salt, cost).ct_eq(&self.hash).into()
    }

    pub(super) fn to_text(&self, cost: PinCost) -> String {
        let [salt, hash] = [&self.salt[..], &self.hash[..]].map(Base64Unpadded::encode_string);
        format!("{cost}{salt}${hash}")
    }

    /// `None`: it is no such string, or one of another cost.
    pub(super) fn from_text(text: &str, cost: PinCost) -> Option<Self> {
        let (salt, hash) = text.strip_prefix(&cost.to_string())?.split_once('$')?;
        let (mut read, expected) = (Self { salt: [0; 16], hash: [0; 32] }, (16, 32));
        let salt = Base64Unpadded::decode(salt, &mut read.salt).ok()?.len();
        let hash = Base64Unpadded::decode(hash, &mut read.hash).ok()?.len();
        ((salt, hash) == expected).then_some(read)
    }
}

/// Argon2id over HMAC-SHA256(pepper, `pin` ‖ 00 ‖ digits).
fn work(pin: &Pin, pepper: &Pepper, salt: &[u8; 16], cost: PinCost) -> [u8; 32] {
    let params = Params::new(cost.kib, cost.passes, 1, Some(32)).expect("both costs are possible");
    // The crate leaves the blocks as they are.
    let mut blocks = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let peppered = pepper.tag("pin", pin.expose());
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(&*peppered, salt, &mut hash, blocks.as_mut_slice())
        .expect("all lengths are fixed");
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! lacks {
        ($type:ty: $($ability:path),+) => {$({
            trait Ambiguous<A> { fn ambiguous() {} }
            impl<T: ?Sized> Ambiguous<()> for T {}
            #[allow(dead_code)]
            struct Has;
            impl<T: ?Sized + $ability> Ambiguous<Has> for T {}
            let () = <$type as Ambiguous<_>>::ambiguous();
        })+};
    }

    /// A compiler error is the test: a type that had one of these traits would make `ambiguous` ambiguous.
    #[test]
    fn pin_and_badge_lack_what_would_leak_them() {
        lacks!(Pin: fmt::Debug, fmt::Display, Clone, Copy, PartialEq, serde::Serialize, AsRef<[u8]>, AsRef<str>);
        lacks!(Pepper: fmt::Debug, fmt::Display, Clone, Copy, PartialEq, serde::Serialize, AsRef<[u8]>);
        lacks!(keystation_vault::SecretText: fmt::Debug, fmt::Display, Clone, Copy, PartialEq, serde::Serialize);
    }

    #[test]
    fn a_pin_is_six_to_twelve_digits() {
        for text in ["493027", "493027184656"] {
            assert!(Pin::new(text).is_ok());
        }
        for (text, refused) in [
            ("", PinRefused::Length),
            ("49302", PinRefused::Length),
            ("4930271846561", PinRefused::Length),
            ("49302a", PinRefused::Digit { position: 6 }),
            ("493 27", PinRefused::Digit { position: 4 }),
            ("493027\n", PinRefused::Digit { position: 7 }),
            ("٤٩٣٠٢٧", PinRefused::Digit { position: 1 }),
        ] {
            assert_eq!(Pin::new(text).err(), Some(refused), "{text:?}");
        }
    }

    #[test]
    fn what_anybody_would_try_first_is_not_chosen() {
        let judged = |pin: &str, user: &str| Pin::new(pin).unwrap().judge(user);
        for (pin, user, refused) in [
            ("777777", "op", PinRefused::Repeated),
            ("121212", "op", PinRefused::Repeated),
            ("493493", "op", PinRefused::Repeated),
            ("49324932", "op", PinRefused::Repeated),
            ("123456", "op", PinRefused::Run),
            ("567890", "op", PinRefused::Run),
            ("987654321", "op", PinRefused::Run),
            ("321098", "op", PinRefused::Run),
            ("159753", "op", PinRefused::Common),
            ("490117", "op-0117", PinRefused::OfTheId),
            ("493117", "op-117", PinRefused::OfTheId),
            ("493027184656", "x493027y", PinRefused::OfTheId),
        ] {
            assert_eq!(judged(pin, user), Err(refused), "{pin}");
        }
        for (pin, user) in
            [("493027", "op-0117"), ("241299", "op"), ("121213", "op"), ("491730", "op-17"), ("123457", "op")]
        {
            assert_eq!(judged(pin, user), Ok(()), "{pin}");
        }
        for common in COMMON {
            assert_eq!(judged(common, "op"), Err(PinRefused::Common), "no other rule has {common}");
        }
    }

    #[test]
    fn a_hash_fits_its_pin_under_its_pepper_and_cost_only() {
        let pin = |text| Pin::new(text).unwrap();
        let [pepper, other] = [Pepper::from_bytes([7; 32]), Pepper::from_bytes([8; 32])];
        let hash = PinHash::of(&pin("493027"), &pepper, PinCost::TEST).unwrap();
        assert!(hash.fits(&pin("493027"), &pepper, PinCost::TEST));
        assert!(!hash.fits(&pin("493028"), &pepper, PinCost::TEST));
        assert!(!hash.fits(&pin("4930270"), &pepper, PinCost::TEST));
        assert!(!hash.fits(&pin("493027"), &other, PinCost::TEST));
        let text = hash.to_text(PinCost::TEST);
        assert_eq!(PinHash::from_text(&text, PinCost::TEST), Some(hash));
        assert_eq!(PinHash::from_text(&text, PinCost::STATION), None, "a file cannot ask for less");
        for damaged in
            [&text[1..], &text[..text.len() - 1], &format!("{text}A"), &text.replace("v=19", "v=16")]
        {
            assert_eq!(PinHash::from_text(damaged, PinCost::TEST), None, "{damaged}");
        }
    }

    /// The worked example of docs/people.md.
    #[test]
    fn the_example_of_the_documents_holds() {
        let pepper = Pepper::from_bytes(std::array::from_fn(|i| i as u8));
        let hash = PinHash {
            salt: *b"keystation-salt!",
            hash: work(&Pin::new("493027").unwrap(), &pepper, b"keystation-salt!", PinCost::STATION),
        };
        let kept =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/people.md")).unwrap();
        let text = hash.to_text(PinCost::STATION);
        assert!(kept.contains(&text), "{text}");
        let badge: String = pepper.tag("badge", b"0004711893").iter().map(|b| format!("{b:02x}")).collect();
        assert!(kept.contains(&badge), "{badge}");
    }
}
