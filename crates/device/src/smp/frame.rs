//! Frames: a packet on a serial console, between log lines and boot banners.
//!
//! Length (2 bytes, big-endian, packet and CRC) ‖ packet ‖ CRC-16/XMODEM are cut into pieces of 93 bytes; each piece
//! is one frame of a marker, Base64 and a line feed.

use base64ct::{Base64, Encoding};
use crc::{CRC_16_XMODEM, Crc};
use zeroize::Zeroizing;

use super::packet;

/// Begins the first frame of a packet.
pub const FIRST: [u8; 2] = [0x06, 0x09];
/// Begins every further frame of a packet.
pub const FURTHER: [u8; 2] = [0x04, 0x14];
/// Bytes of a frame at most, markers and line feed included.
pub const LIMIT: usize = 127;

/// Bytes of a piece.
const PIECE: usize = 93;
/// Characters of Base64 that a frame has room for: exactly those of a whole piece.
const TEXT: usize = LIMIT - 3;
const LENGTH: usize = 2;
const CRC: usize = 2;
const XMODEM: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// The bytes on the wire of a packet of at most 512 bytes. The buffer is as long as it has to be from the start:
/// growing would leave a copy of the key in freed memory.
#[must_use]
pub fn encode(packet: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut raw = Zeroizing::new([0; LENGTH + packet::LIMIT + CRC]);
    let length = u16::try_from(packet.len() + CRC).expect("a packet is at most 512 bytes long");
    let end = LENGTH + packet.len();
    raw[..LENGTH].copy_from_slice(&length.to_be_bytes());
    raw[LENGTH..end].copy_from_slice(packet);
    raw[end..end + CRC].copy_from_slice(&XMODEM.checksum(packet).to_be_bytes());

    let pieces = raw[..end + CRC].chunks(PIECE);
    let total = pieces.clone().map(|piece| piece.len().div_ceil(3) * 4 + 3).sum();
    let mut wire = Zeroizing::new(vec![0; total]);
    let mut at = 0;
    for (index, piece) in pieces.enumerate() {
        wire[at..at + 2].copy_from_slice(if index == 0 { &FIRST } else { &FURTHER });
        at += 2;
        at += Base64::encode(piece, &mut wire[at..]).expect("there is room for every piece").len();
        wire[at] = b'\n';
        at += 1;
    }
    wire
}

/// Takes the bytes of a line one by one and delivers the packets in them. Whatever is no frame is passed over.
///
/// It holds 640 bytes and never more, whatever comes.
pub struct Decoder {
    state: State,
    /// Base64 of the frame that is being read, and room for a carriage return.
    text: Zeroizing<[u8; TEXT + 1]>,
    text_length: usize,
    /// The pieces so far: packet and CRC, without the length.
    collected: Zeroizing<[u8; packet::LIMIT + CRC]>,
    collected_length: usize,
    /// What the length of the first frame announced; `None` when nothing was begun.
    announced: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames. The byte is the one before: a marker has two.
    Between(u8),
    /// Inside a frame; with the byte before, because a marker may begin inside a frame that was cut short.
    Inside(Kind, u8),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    First,
    Further,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            state: State::Between(0),
            text: Zeroizing::new([0; _]),
            text_length: 0,
            collected: Zeroizing::new([0; _]),
            collected_length: 0,
            announced: None,
        }
    }
}

impl Decoder {
    /// Takes one byte. The packet that it completes is lent until the next one: at least a header, at most 512
    /// bytes, its CRC and its length right.
    pub fn push(&mut self, byte: u8) -> Option<&[u8]> {
        let before = match self.state {
            State::Between(before) | State::Inside(_, before) => before,
        };
        // Neither byte of a marker is a character of Base64: inside a frame it can only be the next frame's.
        match [before, byte] {
            FIRST => return self.begin(Kind::First),
            FURTHER => return self.begin(Kind::Further),
            _ => {}
        }
        match self.state {
            State::Between(_) => self.state = State::Between(byte),
            State::Inside(kind, _) if byte == b'\n' => {
                self.state = State::Between(byte);
                let complete = self.frame(kind);
                self.text_length = 0;
                if let Some(length) = complete {
                    return Some(&self.collected[..length]);
                }
            }
            State::Inside(kind, _) => {
                self.state = State::Inside(kind, byte);
                if let Some(cell) = self.text.get_mut(self.text_length) {
                    *cell = byte;
                    self.text_length += 1;
                } else {
                    self.state = State::Between(byte);
                    self.announced = None;
                }
            }
        }
        None
    }

    fn begin(&mut self, kind: Kind) -> Option<&[u8]> {
        self.state = State::Inside(kind, 0);
        self.text_length = 0;
        if kind == Kind::First {
            self.announced = None;
        }
        None
    }

    /// A frame has ended: the length of the packet in `collected` if it is the last of a sound one.
    fn frame(&mut self, kind: Kind) -> Option<usize> {
        let began = self.announced.take();
        let text = &self.text[..self.text_length];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut piece = Zeroizing::new([0; PIECE]);
        let piece = Base64::decode(text, piece.as_mut_slice()).ok()?;
        let (announced, piece) = match kind {
            Kind::First => {
                self.collected_length = 0;
                let (length, piece) = piece.split_first_chunk::<LENGTH>()?;
                (usize::from(u16::from_be_bytes(*length)), piece)
            }
            Kind::Further => (began?, piece),
        };
        let end = self.collected_length + piece.len();
        if end > announced {
            return None;
        }
        // Also refuses an announced length that no packet has, before it is waited for.
        let room = self.collected.get_mut(..announced)?;
        room[self.collected_length..end].copy_from_slice(piece);
        self.collected_length = end;
        if end < announced {
            self.announced = Some(announced);
            return None;
        }
        let (packet, crc) = room.split_last_chunk::<CRC>()?;
        let header = packet.get(..packet::HEADER)?;
        let body = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let sound =
            XMODEM.checksum(packet) == u16::from_be_bytes(*crc) && packet.len() == packet::HEADER + body;
        sound.then_some(packet.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_has_the_published_check_value() {
        assert_eq!(XMODEM.checksum(b"123456789"), 0x31c3);
    }
}
