//! Components of a group key, each brought by another person: `docs/ceremony.md`, sections 1 and 2.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::str::FromStr;

use keystation_core::identity::{IdentifierError, Reason};
use sha2::{Digest, Sha256};

use crate::group_key::{GroupKey, KeyRefused, TEXT_LIMIT, decode, decoded_length};
use crate::midstate::BLOCK;
use crate::os::{Locked, bleach};
use crate::secret::SecretText;

/// Which component it is: 1, 2 or 3, as the custodian's paper says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part(u8);

impl Part {
    /// The number on the paper, from 1; `None` where no ceremony has so many.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= *PARTS.end() { Some(Self(number)) } else { None }
    }

    /// The number on the paper, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// How many components a key can have.
pub const PARTS: RangeInclusive<u8> = 2..=3;
/// How many bytes a key can have that comes in components.
pub const COMPONENT_BYTES: RangeInclusive<u8> = 32..=64;

/// One component of a group key: in locked memory, wiped when it is dropped. Nothing outside of this crate can read it.
pub struct Component {
    /// The component in a block, zeros behind it.
    memory: Locked<u8>,
    length: usize,
    part: Part,
    check: ComponentCheck,
}

/// The first 3 bytes of SHA-256("keystation/gkc/v1" ‖ 00 ‖ number ‖ component), shown as six upper-case hexadecimal digits.
/// Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentCheck([u8; 3]);

impl fmt::Display for ComponentCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl FromStr for ComponentCheck {
    type Err = IdentifierError;

    /// Six hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| IdentifierError { what: "component check value", reason };
        let digits = 2 * size_of::<Self>();
        let mut bytes = [0; 3];
        for (index, character) in text.chars().enumerate() {
            let digit = character.to_digit(16).filter(|_| index < digits);
            let digit = digit.ok_or(fail(Reason::Character { position: index + 1, character }))?;
            bytes[index / 2] = bytes[index / 2] << 4 | digit as u8;
        }
        match text.len() {
            length if length < digits => Err(fail(Reason::TooShort { length })),
            _ => Ok(Self(bytes)),
        }
    }
}

/// A text that is no component. It says where and what kind, never which characters.
#[derive(Debug, thiserror::Error)]
pub enum ComponentRefused {
    /// Not the spelling, or weak.
    #[error(transparent)]
    Text(#[from] KeyRefused),
    /// As long as another key, or half of one.
    #[error("it has {found} bytes, each component of this key has {expected}")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes of the key.
        expected: u8,
    },
    /// The kernel gives no memory that is never swapped.
    #[error("no locked memory for it")]
    Memory(#[source] io::Error),
}

/// Components that make no key. None of them is at fault alone.
#[derive(Debug, thiserror::Error)]
pub enum NoKeyOfThem {
    /// Two are the same: their XOR is zero.
    #[error("components {} and {} are the same", .0.number(), .1.number())]
    Equal(Part, Part),
    /// Their XOR is weak.
    #[error("together they make a key that is refused: {0}")]
    Weak(KeyRefused),
    /// The kernel gives no memory that is never swapped.
    #[error("no locked memory for the key")]
    Memory(#[source] io::Error),
}

impl Component {
    /// The component that a text is, of a key of `bytes` bytes ([`COMPONENT_BYTES`]).
    pub fn judged(text: &SecretText, part: Part, bytes: u8) -> Result<Self, ComponentRefused> {
        let judged = Self::judge(text.expose(), part, bytes);
        bleach();
        judged
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn judge(text: &str, part: Part, bytes: u8) -> Result<Self, ComponentRefused> {
        let length = decoded_length(text)?;
        if length != usize::from(bytes) {
            return Err(ComponentRefused::Length { found: length, expected: bytes });
        }
        let mut memory = Locked::new(BLOCK + TEXT_LIMIT).map_err(ComponentRefused::Memory)?;
        decode(text, &mut memory)?;
        let check = Self::check_of(&memory[..length], part);
        Ok(Self { memory, length, part, check })
    }

    /// Which one it is.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Its check value.
    #[must_use]
    pub const fn check(&self) -> ComponentCheck {
        self.check
    }

    /// The check value that its text has under each number that a paper can have, in their order. Whoever gives it in the place of
    /// another has given it all the same.
    #[must_use]
    pub fn checks(&self) -> Vec<(Part, ComponentCheck)> {
        let numbers = (1..=*PARTS.end()).map(Part);
        let checks = numbers.map(|part| (part, Self::check_of(self.bytes(), part))).collect();
        bleach();
        checks
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn check_of(bytes: &[u8], part: Part) -> ComponentCheck {
        let digest = Sha256::new()
            .chain_update(b"keystation/gkc/v1\0")
            .chain_update([part.number()])
            .chain_update(bytes)
            .finalize();
        ComponentCheck([digest[0], digest[1], digest[2]])
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    /// In a time that does not depend on where they differ.
    fn is(&self, other: &Self) -> bool {
        self.length == other.length
            && self.bytes().iter().zip(other.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
    }
}

impl GroupKey {
    /// The XOR of all components of a key, which are as many as [`PARTS`] allows, of one length, in any order.
    ///
    /// # Panics
    /// If they are not: a ceremony hands over what it was begun for.
    pub fn of_components(components: &[&Component]) -> Result<Self, NoKeyOfThem> {
        let count = u8::try_from(components.len()).unwrap_or(u8::MAX);
        assert!(PARTS.contains(&count), "a ceremony has two or three components");
        let key = Self::combined(components);
        bleach();
        key
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn combined(components: &[&Component]) -> Result<Self, NoKeyOfThem> {
        let length = components[0].length;
        let mut memory = Locked::new(BLOCK + TEXT_LIMIT).map_err(NoKeyOfThem::Memory)?;
        for (index, component) in components.iter().enumerate() {
            assert_eq!(component.length, length, "each has the length that the ceremony was begun for");
            if let Some(other) = components[..index].iter().find(|other| other.is(component)) {
                return Err(NoKeyOfThem::Equal(other.part, component.part));
            }
            memory.iter_mut().zip(component.bytes()).for_each(|(key, byte)| *key ^= byte);
        }
        Self::in_memory(memory, length).map_err(NoKeyOfThem::Weak)
    }
}
