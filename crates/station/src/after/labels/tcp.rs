//! ZPL over TCP, usually to port 9100. The protocol has no receipt: what was written may lie in a buffer of a printer that is switched
//! off the next moment. So a label counts when the printer says something behind it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{PrinterAnswer, Trouble};
use crate::after::follow::Stop;

/// Between two looks at whether the program ends.
pub(super) const SLICE: Duration = Duration::from_millis(250);
/// A printer that takes and says nothing for so long is given up, for this time.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(3);
/// Bytes of an answer at most; one has 82.
const ANSWER: usize = 256;
/// Host status return: three texts, each from STX to ETX.
const STATUS: &[u8] = b"~HS";
const STX: u8 = 2;
const ETX: u8 = 3;

/// Hands a label over; `begin` is called ahead of its first byte.
pub(super) fn send(
    address: SocketAddr,
    answer: PrinterAnswer,
    label: &[u8],
    stop: &Stop,
    begin: &mut dyn FnMut() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let stream = TcpStream::connect_timeout(&address, CONNECT).map_err(|_| Trouble::Away)?;
    let set = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_read_timeout(Some(SLICE)))
        .and_then(|()| stream.set_write_timeout(Some(SLICE)));
    set.map_err(|_| Trouble::Away)?;
    let mut line = Wire { stream, stop };
    match answer {
        PrinterAnswer::Status => {
            line.write(STATUS)?;
            if !ready(&line.status()?)? {
                return Err(Trouble::NotReady);
            }
            begin()?;
            line.write(label)?;
            line.write(STATUS)?;
            // Behind the label: whatever it says now, it has read what came before the question.
            ready(&line.status()?).map(drop)
        }
        PrinterAnswer::Close => {
            begin()?;
            line.write(label)?;
            line.stream.shutdown(Shutdown::Write).map_err(|_| Trouble::Cut)?;
            line.until_closed()
        }
    }
}

struct Wire<'a> {
    stream: TcpStream,
    stop: &'a Stop,
}

impl Wire<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Trouble> {
        let mut moved = Instant::now();
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(Trouble::Cut),
                Ok(taken) => {
                    bytes = &bytes[taken..];
                    moved = Instant::now();
                }
                Err(error) => self.waited(&error, moved)?,
            }
        }
        Ok(())
    }

    /// The next three texts that the printer says.
    fn status(&mut self) -> Result<Vec<u8>, Trouble> {
        let (mut said, mut buffer) = (Vec::new(), [0; ANSWER]);
        let mut moved = Instant::now();
        while said.iter().filter(|byte| **byte == ETX).count() < 3 {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Trouble::Cut),
                Ok(got) => {
                    said.extend(&buffer[..got]);
                    moved = Instant::now();
                }
                Err(error) => self.waited(&error, moved)?,
            }
            if said.len() > ANSWER {
                return Err(Trouble::Garbled);
            }
        }
        Ok(said)
    }

    /// Until the printer closes in order: one that goes with bytes unread resets the connection.
    fn until_closed(&mut self) -> Result<(), Trouble> {
        let mut buffer = [0; ANSWER];
        let began = Instant::now();
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(()),
                // What it says meanwhile is nobody's business, and puts nothing off.
                Ok(_) if began.elapsed() > SILENCE => return Err(Trouble::Silent),
                Ok(_) => {}
                Err(error) => self.waited(&error, began)?,
            }
        }
    }

    /// Whether an error only says that nothing came, and there is time left.
    fn waited(&self, error: &std::io::Error, since: Instant) -> Result<(), Trouble> {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted if self.stop.over() => {
                Err(Trouble::Ending)
            }
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                if since.elapsed() > SILENCE { Err(Trouble::Silent) } else { Ok(()) }
            }
            _ => Err(Trouble::Cut),
        }
    }
}

/// Whether a printer that says this prints: it has paper and ribbon, is closed, and not paused.
fn ready(said: &[u8]) -> Result<bool, Trouble> {
    let texts: Vec<Vec<&[u8]>> = said
        .split(|byte| *byte == ETX)
        .filter_map(|text| text.iter().position(|byte| *byte == STX).map(|at| &text[at + 1..]))
        .map(|text| text.split(|byte| *byte == b',').collect())
        .collect();
    let flag = |text: usize, field: usize| match texts.get(text).and_then(|fields| fields.get(field)) {
        Some(&[b'0']) => Ok(true),
        Some(&[b'1']) => Ok(false),
        _ => Err(Trouble::Garbled),
    };
    // Paper out, pause; head up, ribbon out.
    Ok(flag(0, 1)? & flag(0, 2)? & flag(1, 2)? & flag(1, 3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the programming guide prints it.
    const SAID: &str = "\x02030,0,0,0248,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";

    #[test]
    fn a_printer_says_whether_it_prints() {
        assert_eq!(ready(SAID.as_bytes()), Ok(true));
        for (from, to) in [
            ("030,0,0", "030,1,0"),
            ("030,0,0", "030,0,1"),
            ("000,0,0,0,0,2", "000,0,1,0,0,2"),
            ("000,0,0,0,0,2", "000,0,0,1,0,2"),
        ] {
            let changed = SAID.replacen(from, to, 1);
            assert_ne!(changed, SAID);
            assert_eq!(ready(changed.as_bytes()), Ok(false), "{to}");
        }
        for wrong in [
            "",
            "\x02\x03\x02\x03\x02\x03",
            "HTTP/1.1 400\x03\x03\x03",
            "\x02030,2,0\x03\x02000,0,0,0\x03\x021\x03",
        ] {
            assert_eq!(ready(wrong.as_bytes()), Err(Trouble::Garbled), "{wrong:?}");
        }
    }
}
