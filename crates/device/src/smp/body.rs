//! The body of a packet as it is read: a CBOR map with text keys, each key once, nothing after it.

use minicbor::Decoder;
use minicbor::data::Type;

/// Bytes that are no body, or a body without a field that it must have.
///
/// The text names fields of the protocol, never what the other side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not CBOR, or CBOR that ends early.
    #[error("the body is not CBOR")]
    NotCbor,
    /// CBOR, but not one map of definite length with text keys.
    #[error("the body is not one CBOR map with text keys")]
    NotAMap,
    /// The same key twice.
    #[error("the body has a key twice")]
    KeyTwice,
    /// A field that must be there is not.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// A field of another type or size than the protocol says.
    #[error("field `{0}` has a wrong type or size")]
    Wrong(&'static str),
}

impl From<minicbor::decode::Error> for BodyError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::NotCbor
    }
}

/// The fields of a body, borrowed from the packet: reading copies nothing.
#[derive(Clone)]
pub struct Body<'a> {
    fields: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Body<'a> {
    /// Reads a body whole. Keys that nobody asks for are passed over, but must be well formed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BodyError> {
        let mut decoder = Decoder::new(bytes);
        if decoder.datatype()? != Type::Map {
            return Err(BodyError::NotAMap);
        }
        let count = decoder.map()?.ok_or(BodyError::NotAMap)?;
        let mut fields = Vec::new();
        for _ in 0..count {
            if decoder.datatype()? != Type::String {
                return Err(BodyError::NotAMap);
            }
            let key = decoder.str()?;
            let start = decoder.position();
            pass_over(&mut decoder)?;
            // At most 500 bytes, so at most 250 keys: looking through them all is quick enough.
            if fields.iter().any(|&(other, _)| other == key) {
                return Err(BodyError::KeyTwice);
            }
            fields.push((key, &bytes[start..decoder.position()]));
        }
        if decoder.position() == bytes.len() { Ok(Self { fields }) } else { Err(BodyError::NotAMap) }
    }

    fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&mut Decoder<'a>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<Option<T>, BodyError> {
        let Some((_, value)) = self.fields.iter().find(|(name, _)| *name == key) else {
            return Ok(None);
        };
        read(&mut Decoder::new(value)).map(Some).map_err(|_| BodyError::Wrong(key))
    }

    /// An unsigned integer.
    pub fn uint(&self, key: &'static str) -> Result<Option<u64>, BodyError> {
        self.read(key, Decoder::u64)
    }

    /// A Boolean.
    pub fn flag(&self, key: &'static str) -> Result<Option<bool>, BodyError> {
        self.read(key, Decoder::bool)
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>, BodyError> {
        self.read(key, Decoder::str)
    }

    /// A byte string of exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, key: &'static str) -> Result<Option<&'a [u8; N]>, BodyError> {
        let Some(bytes) = self.read(key, Decoder::bytes)? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|_| BodyError::Wrong(key))
    }

    /// A map inside the map.
    pub fn map(&self, key: &'static str) -> Result<Option<Self>, BodyError> {
        let Some((_, value)) = self.fields.iter().find(|(name, _)| *name == key) else {
            return Ok(None);
        };
        Self::parse(value).map(Some).map_err(|_| BodyError::Wrong(key))
    }
}

/// Moves over one value. Unlike [`Decoder::skip`] it refuses indefinite lengths, which SMP bodies do not have.
fn pass_over(decoder: &mut Decoder<'_>) -> Result<(), BodyError> {
    let mut values: u64 = 1;
    while values > 0 {
        values -= 1;
        match decoder.datatype()? {
            Type::Array => {
                values = values.saturating_add(decoder.array()?.ok_or(BodyError::NotAMap)?);
            }
            Type::Map => {
                let pairs = decoder.map()?.ok_or(BodyError::NotAMap)?;
                values = values.saturating_add(pairs.saturating_mul(2));
            }
            Type::Tag => {
                decoder.tag()?;
                values = values.saturating_add(1);
            }
            Type::ArrayIndef | Type::MapIndef | Type::BytesIndef | Type::StringIndef => {
                return Err(BodyError::NotAMap);
            }
            Type::Break | Type::Unknown(_) => return Err(BodyError::NotCbor),
            _ => decoder.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_map_with_text_keys_and_nothing_else() {
        for bytes in [&b"\xa0"[..], b"\xa1\x61a\x01", b"\xa1\x61a\x82\xa1\x01\x02\xc1\x03"] {
            assert!(Body::parse(bytes).is_ok(), "{bytes:02x?}");
        }
        let not_a_map: [&[u8]; 5] =
            [b"\x80", b"\xbf\xff", b"\xa1\x61a\x01\x00", b"\xa1\x01\x02", b"\xa1\x61a\x9f\xff"];
        for bytes in not_a_map {
            assert_eq!(Body::parse(bytes).err(), Some(BodyError::NotAMap), "{bytes:02x?}");
        }
        let not_cbor: [&[u8]; 6] = [
            b"",
            b"\xa1",
            b"\xa1\x61a",
            b"\xa1\x61a\xff",
            b"\xa1\x61a\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xa1\x61\xff\x01",
        ];
        for bytes in not_cbor {
            assert_eq!(Body::parse(bytes).err(), Some(BodyError::NotCbor), "{bytes:02x?}");
        }
        assert_eq!(Body::parse(b"\xa2\x61a\x01\x61a\x01").err(), Some(BodyError::KeyTwice));
    }

    #[test]
    fn field_of_a_wrong_type_is_named() {
        let body = Body::parse(b"\xa2\x61a\x01\x61b\x42\x01\x02").unwrap();
        assert_eq!(body.uint("a"), Ok(Some(1)));
        assert_eq!(body.text("a"), Err(BodyError::Wrong("a")));
        assert_eq!(body.bytes::<2>("b"), Ok(Some(&[1, 2])));
        assert_eq!(body.bytes::<3>("b"), Err(BodyError::Wrong("b")));
        assert_eq!(body.flag("c"), Ok(None));
    }
}
