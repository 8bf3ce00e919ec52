//! A packet: eight bytes of header and a CBOR map.

use minicbor::encode::write::{Cursor, EndOfSlice};
use zeroize::Zeroizing;

/// Bytes of a header.
pub const HEADER: usize = 8;
/// Bytes of a packet at most, header included.
pub const LIMIT: usize = 512;

/// Writes the body of a packet.
pub type Encoder<'a> = minicbor::Encoder<Cursor<&'a mut [u8]>>;
/// The body does not fit in a packet.
pub type Overflow = minicbor::encode::Error<EndOfSlice>;

/// What a packet is, in the low three bits of its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Asks, and changes nothing.
    Read = 0,
    /// Answers a read.
    ReadResponse = 1,
    /// Asks for a change.
    Write = 2,
    /// Answers a write.
    WriteResponse = 3,
}

impl Operation {
    /// The operation of the answer to this one; an answer has none.
    #[must_use]
    pub const fn response(self) -> Option<Self> {
        match self {
            Self::Read => Some(Self::ReadResponse),
            Self::Write => Some(Self::WriteResponse),
            Self::ReadResponse | Self::WriteResponse => None,
        }
    }
}

/// The header but for the length, which is the packet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Request or response, read or write.
    pub operation: Operation,
    /// Command group.
    pub group: u16,
    /// Chosen by the station, repeated by the device.
    pub sequence: u8,
    /// Command of the group.
    pub command: u8,
}

/// Version 1 in bits 3 and 4: SMP version 2, whose errors name their group.
const VERSION: u8 = 1 << 3;

impl Header {
    /// The eight bytes before a body of `body` bytes.
    #[must_use]
    pub fn format(self, body: u16) -> [u8; HEADER] {
        let [length_high, length_low] = body.to_be_bytes();
        let [group_high, group_low] = self.group.to_be_bytes();
        let first = VERSION | self.operation as u8;
        [first, 0, length_high, length_low, group_high, group_low, self.sequence, self.command]
    }

    /// Header and body of a packet as [`crate::smp::Decoder`] delivers it; `None` when it is of another SMP version
    /// or operation. Flags are passed over.
    #[must_use]
    pub fn split(packet: &[u8]) -> Option<(Self, &[u8])> {
        let (&[first, _, _, _, group_high, group_low, sequence, command], body) =
            packet.split_first_chunk::<HEADER>()?;
        let operation = match first {
            0x08 => Operation::Read,
            0x09 => Operation::ReadResponse,
            0x0a => Operation::Write,
            0x0b => Operation::WriteResponse,
            _ => return None,
        };
        let group = u16::from_be_bytes([group_high, group_low]);
        Some((Self { operation, group, sequence, command }, body))
    }
}

/// A packet to send. It lives in one heap cell of full size, so that a key in it is never left behind by a buffer
/// that grew, and is wiped when dropped.
pub struct Packet {
    bytes: Box<Zeroizing<[u8; LIMIT]>>,
    length: usize,
}

impl Packet {
    /// The packet whose body `write` encodes.
    pub fn build(
        header: Header,
        write: impl FnOnce(&mut Encoder<'_>) -> Result<(), Overflow>,
    ) -> Result<Self, Overflow> {
        let mut bytes = Box::new(Zeroizing::new([0; LIMIT]));
        let mut encoder = Encoder::new(Cursor::new(&mut bytes[HEADER..]));
        write(&mut encoder)?;
        let body = encoder.writer().position();
        let length = u16::try_from(body).expect("a body is shorter than 512 bytes");
        bytes[..HEADER].copy_from_slice(&header.format(length));
        Ok(Self { bytes, length: HEADER + body })
    }

    /// Header and body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
