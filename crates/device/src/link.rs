//! One request and its answer over a line that may lose, add and damage bytes.

use std::io;
use std::time::{Duration, Instant};

use keystation_core::flow::{DeviceError, Refusal};
use zeroize::Zeroizing;

use crate::protocol::{self, Command, code};
use crate::smp::body::BodyError;
use crate::smp::packet::{Encoder, Overflow};
use crate::smp::{Body, Decoder, Header, Packet, frame};

/// A line to a device, of which bytes can be waited for.
pub trait Port {
    /// Waits for bytes and takes what is there. [`io::ErrorKind::TimedOut`] when none came within `limit`; never 0.
    fn receive(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize>;
    /// Sends the first of `bytes`, at least one. [`io::ErrorKind::TimedOut`] when none could be sent within `limit`.
    fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<usize>;
}

impl<P: Port + ?Sized> Port for &mut P {
    fn receive(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        (**self).receive(buffer, limit)
    }

    fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<usize> {
        (**self).send(bytes, limit)
    }
}

/// How long the station waits. The default is what the protocol says (section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between a request and its repetition.
    pub repeat: Duration,
    /// For the answer to one request, all repetitions together.
    pub answer: Duration,
    /// For the start of a device after a reset.
    pub start: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            repeat: Duration::from_millis(500),
            answer: Duration::from_secs(5),
            start: Duration::from_secs(5),
        }
    }
}

/// Bytes that went over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From the station to the device.
    pub sent: u64,
    /// From the device to the station, noise included.
    pub received: u64,
}

impl Traffic {
    /// Both ways together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.sent + self.received
    }
}

/// Bytes that one step may receive, noise included.
pub const STEP_LIMIT: usize = 64 * 1024;
/// Bytes of one write: what every USB bridge takes at once.
const CHUNK: usize = 64;

/// A port and the state of the conversation on it.
pub(crate) struct Link<P> {
    port: P,
    pub(crate) timing: Timing,
    pub(crate) traffic: Traffic,
    sequence: u8,
    decoder: Decoder,
    /// Bytes that were read in one go with the answer before them. A token may be among them.
    inbox: Zeroizing<[u8; 256]>,
    unread: std::ops::Range<usize>,
    /// Whether the line that is being received holds nothing yet.
    line_is_empty: bool,
    /// Bytes that the running step may still receive.
    budget: usize,
}

/// The body of an answer.
pub(crate) struct Answer {
    bytes: Zeroizing<Vec<u8>>,
    command: Command,
}

/// What [`Link::listen`] stops at.
enum Heard {
    Answer(Answer),
    /// A line feed on a line of its own: the device has started and can receive.
    Ready,
    /// Nothing of the kind until the deadline.
    Nothing,
}

impl<P: Port> Link<P> {
    pub(crate) fn new(port: P, timing: Timing) -> Self {
        Self {
            port,
            timing,
            traffic: Traffic::default(),
            sequence: 0,
            decoder: Decoder::default(),
            inbox: Zeroizing::new([0; _]),
            unread: 0..0,
            line_is_empty: false,
            budget: STEP_LIMIT,
        }
    }

    pub(crate) fn port(&self) -> &P {
        &self.port
    }

    pub(crate) fn into_port(self) -> P {
        self.port
    }

    /// Sends a request, and again when no answer comes, until the answer or the limit.
    pub(crate) fn request(
        &mut self,
        command: Command,
        write: impl FnOnce(&mut Encoder<'_>) -> Result<(), Overflow>,
    ) -> Result<Answer, DeviceError> {
        self.request_within(self.timing.answer, command, write)
    }

    pub(crate) fn request_within(
        &mut self,
        limit: Duration,
        command: Command,
        write: impl FnOnce(&mut Encoder<'_>) -> Result<(), Overflow>,
    ) -> Result<Answer, DeviceError> {
        let deadline = Instant::now() + limit;
        self.budget = STEP_LIMIT;
        self.sequence = self.sequence.wrapping_add(1);
        let header = Header {
            operation: command.operation,
            group: command.group,
            sequence: self.sequence,
            command: command.number,
        };
        // Both hold the key of a stage, until the end of this call.
        let packet = Packet::build(header, write).expect("the longest request, a stage, has 290 bytes");
        let wire = frame::encode(packet.bytes());
        // Traces name the command and count: never bytes, because no line of a trace may depend on knowing which
        // ones are secret.
        tracing::trace!(
            command = command.name,
            sequence = self.sequence,
            packet = packet.bytes().len(),
            wire = wire.len(),
            "request"
        );
        let silent = DeviceError::Silent { limit_ms: limit.as_millis().try_into().unwrap_or(u64::MAX) };
        loop {
            if !self.send(&wire, deadline)? {
                return Err(silent);
            }
            let again = (Instant::now() + self.timing.repeat).min(deadline);
            if let Heard::Answer(answer) = self.listen(again, Some((command, header)))? {
                return Ok(answer);
            }
            if again == deadline {
                return Err(silent);
            }
            tracing::trace!(command = command.name, sequence = self.sequence, "no answer yet: request again");
        }
    }

    /// Waits for a started device's ready byte, a line feed on an empty line. A boot banner's line ends are none.
    pub(crate) fn until_ready(&mut self, limit: Duration) -> Result<bool, DeviceError> {
        self.budget = STEP_LIMIT;
        Ok(matches!(self.listen(Instant::now() + limit, None)?, Heard::Ready))
    }

    /// Says whether all was sent in time.
    fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<bool, DeviceError> {
        for chunk in bytes.chunks(CHUNK) {
            let mut rest = chunk;
            while !rest.is_empty() {
                match self.port.send(rest, deadline.saturating_duration_since(Instant::now())) {
                    Ok(count) => {
                        self.traffic.sent += count as u64;
                        rest = &rest[count..];
                    }
                    Err(e) if wait_again(&e) => {
                        if Instant::now() >= deadline {
                            return Ok(false);
                        }
                    }
                    Err(e) => return Err(DeviceError::Unplugged(Some(e))),
                }
            }
        }
        Ok(true)
    }

    /// Reads until the answer to `wanted`, or, without one, until the ready byte.
    fn listen(&mut self, deadline: Instant, wanted: Option<(Command, Header)>) -> Result<Heard, DeviceError> {
        loop {
            while let Some(at) = self.unread.next() {
                if let Some(heard) = self.take(self.inbox[at], wanted) {
                    return Ok(heard);
                }
            }
            match self.port.receive(&mut *self.inbox, deadline.saturating_duration_since(Instant::now())) {
                Ok(count) => {
                    self.traffic.received += count as u64;
                    self.unread = 0..count;
                    self.budget = self.budget.checked_sub(count).ok_or_else(|| {
                        DeviceError::Garbled(format!("more than {STEP_LIMIT} bytes and no answer among them"))
                    })?;
                }
                Err(e) if wait_again(&e) => {}
                Err(e) => return Err(DeviceError::Unplugged(Some(e))),
            }
            // Asked after every read: a device that never stops talking does not stop the clock.
            if self.unread.is_empty() && Instant::now() >= deadline {
                return Ok(Heard::Nothing);
            }
        }
    }

    fn take(&mut self, byte: u8, wanted: Option<(Command, Header)>) -> Option<Heard> {
        let line_was_empty = self.line_is_empty;
        self.line_is_empty = match byte {
            b'\n' => true,
            b'\r' => line_was_empty,
            _ => false,
        };
        let packet = self.decoder.push(byte);
        let Some((command, request)) = wanted else {
            return (byte == b'\n' && line_was_empty).then_some(Heard::Ready);
        };
        let (header, body) = Header::split(packet?)?;
        let expected = request.operation.response().map(|operation| Header { operation, ..request });
        if Some(header) != expected {
            tracing::trace!(bytes = body.len(), "packet that answers another request, passed over");
            return None;
        }
        tracing::trace!(command = command.name, sequence = header.sequence, body = body.len(), "answer");
        Some(Heard::Answer(Answer { bytes: Zeroizing::new(body.to_vec()), command }))
    }
}

/// Nothing came or nothing could go, and the line is still there.
fn wait_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Answer {
    /// The fields, unless the device refuses.
    pub(crate) fn body(&self) -> Result<Body<'_>, DeviceError> {
        let body = Body::parse(&self.bytes).map_err(garbled)?;
        if let Some(error) = body.map("err").map_err(garbled)? {
            let group = need("group", error.uint("group")).map_err(garbled)?;
            let rc = need("rc", error.uint("rc")).map_err(garbled)?;
            return Err(DeviceError::Refused(refusal(group, rc)));
        }
        match body.uint("rc").map_err(garbled)? {
            // Old servers say 0 for "done".
            None | Some(0) => Ok(body),
            Some(protocol::RC_NOT_SUPPORTED) => {
                Err(DeviceError::Unsupported(format!("the command `{}`", self.command.name)))
            }
            Some(rc) => Err(DeviceError::Refused(other(rc))),
        }
    }
}

fn refusal(group: u64, rc: u64) -> Refusal {
    if group != u64::from(protocol::GROUP) {
        return other(rc);
    }
    match rc {
        code::WRONG_DEVICE => Refusal::WrongDevice,
        code::KEYED => Refusal::AlreadyKeyed,
        code::LOCKED => Refusal::Locked,
        code::STORAGE => Refusal::Storage,
        code::NOT_STAGED => Refusal::NotStaged,
        code::EMPTY => Refusal::Empty,
        _ => other(rc),
    }
}

fn other(rc: u64) -> Refusal {
    Refusal::Other(rc.try_into().unwrap_or(u16::MAX))
}

/// A field that must be there.
pub(crate) fn need<T>(key: &'static str, field: Result<Option<T>, BodyError>) -> Result<T, BodyError> {
    field?.ok_or(BodyError::Missing(key))
}

pub(crate) fn garbled(error: BodyError) -> DeviceError {
    DeviceError::Garbled(error.to_string())
}
