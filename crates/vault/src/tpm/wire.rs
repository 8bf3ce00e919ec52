//! How a TPM spells numbers and buffers: big-endian, without padding (TPM 2.0 Library part 1, "Data Marshaling"; part 2,
//! `TPM2B_` types: a length of 16 bits in front).

/// Writes into memory that the caller owns and wipes. Every part of a command is bounded, so a command always fits.
pub(super) struct Out<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Out<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// What `inside` writes, with its length in 16 bits before it: `TPM2B_`.
    pub(super) fn sized(&mut self, inside: impl FnOnce(&mut Self)) {
        let start = self.at;
        self.u16(0);
        inside(self);
        let length = u16::try_from(self.at - start - 2).expect("a command has 4096 bytes at most");
        self.bytes[start..][..2].copy_from_slice(&length.to_be_bytes());
    }

    /// The same with 32 bits: the size of an authorization area.
    pub(super) fn sized_long(&mut self, inside: impl FnOnce(&mut Self)) {
        let start = self.at;
        self.u32(0);
        inside(self);
        let length = u32::try_from(self.at - start - 4).expect("a command has 4096 bytes at most");
        self.bytes[start..][..4].copy_from_slice(&length.to_be_bytes());
    }

    /// Writes `value` at a place that was written before.
    pub(super) fn patch(&mut self, at: usize, value: u32) {
        self.bytes[at..][..4].copy_from_slice(&value.to_be_bytes());
    }

    pub(super) const fn length(&self) -> usize {
        self.at
    }
}

/// The bytes end before the structure does, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads what a TPM wrote. Nothing is believed: every length is checked against what is there.
#[derive(Clone, Copy)]
pub(super) struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// The content of a `TPM2B_`.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u16()?;
        self.bytes(length.into())
    }

    /// A `TPM2B_` with its length.
    pub(super) fn whole_sized(&mut self) -> Result<&'a [u8], Malformed> {
        let before = self.0;
        let length = self.sized()?.len() + 2;
        Ok(&before[..length])
    }

    /// Nothing follows.
    pub(super) const fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = [0xee; 32];
        let mut out = Out::new(&mut bytes);
        out.u8(1);
        out.u16(0x0203);
        out.u32(0x0405_0607);
        out.sized(|out| out.bytes(b"abc"));
        out.sized_long(|out| out.sized(|_| ()));
        out.patch(3, 0x0a0b_0c0d);
        let length = out.length();
        assert_eq!(bytes[..length], *b"\x01\x02\x03\x0a\x0b\x0c\x0d\x00\x03abc\x00\x00\x00\x02\x00\x00");
        let mut read = In::new(&bytes[..length]);
        assert_eq!((read.u8(), read.u16(), read.u32()), (Ok(1), Ok(0x0203), Ok(0x0a0b_0c0d)));
        assert_eq!(read.whole_sized(), Ok(&b"\x00\x03abc"[..]));
        assert_eq!((read.u32(), read.sized(), read.end()), (Ok(2), Ok(&b""[..]), Ok(())));
    }

    #[test]
    fn length_that_is_not_there_is_refused() {
        for bytes in [&b""[..], b"\x00", b"\x00\x01", b"\xff\xffabc"] {
            assert_eq!(In::new(bytes).sized(), Err(Malformed));
            assert_eq!(In::new(bytes).whole_sized(), Err(Malformed));
        }
        assert_eq!(In::new(b"x").end(), Err(Malformed));
    }
}
