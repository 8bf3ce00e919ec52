//! A code scanner that is a serial port of its own: a code is a line. A scanner that types like a keyboard would
//! type into whatever has the focus, so it is none for secrets.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use zeroize::Zeroizing;

use crate::hotplug::{Interrupt, Waited, wait_for};
use crate::link::Port as _;
use crate::place::Place;
use crate::ports::{self, PortError, SerialPort};

/// Bytes of a code at most: what the greatest QR code holds in letters.
const LIMIT: usize = 4296;

/// Nothing was scanned that can be used. What was scanned is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The port cannot be opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// No code came in time, or the scanner was unplugged.
    #[error("nothing was scanned")]
    Nothing(#[source] io::Error),
    /// More than one code, or none that ends.
    #[error("more than one code was scanned")]
    TooMuch,
}

/// Opens `port` at `baud`, waits up to `limit` for a code that ends with a carriage return or a line feed, and closes it.
/// What was scanned before is thrown away.
pub fn read_line(port: &Path, baud: u32, limit: Duration) -> Result<Zeroizing<Vec<u8>>, ScanError> {
    read(&mut ports::open_at(port, baud)?, limit)
}

fn read(port: &mut SerialPort, limit: Duration) -> Result<Zeroizing<Vec<u8>>, ScanError> {
    let ends = Instant::now() + limit;
    // One buffer that never moves: what grows leaves copies.
    let mut bytes = Zeroizing::new(vec![0; LIMIT]);
    let mut length = 0;
    loop {
        let left = ends.saturating_duration_since(Instant::now());
        if length == LIMIT {
            return Err(ScanError::TooMuch);
        }
        length += port.receive(&mut bytes[length..], left).map_err(ScanError::Nothing)?;
        let Some(end) = bytes[..length].iter().position(|byte| is_end(*byte)) else { continue };
        return if bytes[end..length].iter().all(|byte| is_end(*byte)) {
            bytes.truncate(end);
            Ok(bytes)
        } else {
            Err(ScanError::TooMuch)
        };
    }
}

/// A scanner that reads one code after the other, until it is unplugged.
pub struct Scanner {
    port: SerialPort,
    /// What came and has no end yet.
    line: Vec<u8>,
    /// The rest of a line that is too long is not the begin of another code.
    overlong: bool,
}

/// Bytes of a code that [`Scanner::codes`] hands on; one that has more is no label, and is handed on cut off here.
pub const CODE_LIMIT: usize = 4096;

impl Scanner {
    /// Opens the scanner at `place`. What was scanned before is thrown away.
    pub fn open(place: &Place, baud: u32) -> Result<Self, PortError> {
        Ok(Self { port: ports::open_in(place, baud)?, line: Vec::new(), overlong: false })
    }

    /// Hands each code on, without the carriage return or line feed that ends it, until `interrupt` is raised (`Ok`) or the
    /// scanner is unplugged.
    pub fn codes(&mut self, interrupt: &Interrupt, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = [0; 256];
        loop {
            let day = Instant::now() + Duration::from_secs(24 * 60 * 60);
            match wait_for(self.port.as_fd(), PollFlags::IN, day, interrupt)? {
                Waited::Interrupted => return Ok(()),
                Waited::TimedOut => continue,
                Waited::Happened => {}
            }
            let count = self.port.receive(&mut buffer, Duration::ZERO)?;
            for &byte in &buffer[..count] {
                self.take(byte, &mut each);
            }
        }
    }

    fn take(&mut self, byte: u8, each: &mut impl FnMut(&[u8])) {
        if !is_end(byte) {
            if self.line.len() < CODE_LIMIT {
                self.line.push(byte);
            } else if !std::mem::replace(&mut self.overlong, true) {
                each(&self.line);
            }
            return;
        }
        if !std::mem::take(&mut self.overlong) && !self.line.is_empty() {
            each(&self.line);
        }
        self.line.clear();
    }
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::path::PathBuf;
    use std::thread;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    fn terminal() -> (OwnedFd, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        (master, path)
    }

    #[test]
    fn one_code_after_the_other_until_it_is_unplugged() {
        let (master, path) = terminal();
        let mut scanner = Scanner::open(&Place::Path(path), 9600).unwrap();
        let interrupt = Interrupt::new().unwrap();
        let mut master = File::from(master);
        let long = [b'x'; CODE_LIMIT + 100];
        // More than the terminal holds, so somebody has to read meanwhile.
        let writer = thread::spawn(move || {
            for part in [&b"SN-0001\r\nSN-"[..], b"0002\r", &long, b"\rslot:3\n"] {
                master.write_all(part).unwrap();
            }
            master
        });
        let mut codes = Vec::new();
        let raiser = interrupt.clone();
        let ended = scanner.codes(&interrupt, |code| {
            codes.push(code.to_vec());
            if code == b"slot:3" {
                raiser.raise().unwrap();
            }
        });
        ended.unwrap();
        assert_eq!(codes, [&b"SN-0001"[..], b"SN-0002", &long[..CODE_LIMIT], b"slot:3"]);
        drop(writer.join().unwrap());
        interrupt.clear().unwrap();
        assert!(scanner.codes(&interrupt, |_| ()).is_err(), "it is unplugged");
    }

    /// A scanner on a pseudo-terminal, which scans `codes` once its port is open.
    fn scanned(codes: &[&[u8]]) -> Result<Vec<u8>, ScanError> {
        let (master, path) = terminal();
        let mut port = ports::open_at(&path, 9600)?;
        let limit = Duration::from_secs(if codes.is_empty() { 0 } else { 20 });
        let mut master = File::from(master);
        for code in codes {
            master.write_all(code).unwrap();
        }
        read(&mut port, limit).map(|line| line.to_vec())
    }

    #[test]
    fn one_code_is_read_whatever_ends_it() {
        for code in [&b"f/B7kZM+w==\r"[..], b"f/B7kZM+w==\n", b"f/B7kZM+w==\r\n"] {
            assert_eq!(scanned(&[code]).unwrap(), b"f/B7kZM+w==");
        }
        assert_eq!(scanned(&[b"f/B7", b"kZM+", b"w==\r"]).unwrap(), b"f/B7kZM+w==", "in pieces");
    }

    #[test]
    fn two_codes_and_none_are_no_code() {
        assert!(matches!(scanned(&[b"one\rtwo\r"]), Err(ScanError::TooMuch)));
        assert!(matches!(scanned(&[&[b'a'; LIMIT]]), Err(ScanError::TooMuch)));
        assert!(matches!(scanned(&[]), Err(ScanError::Nothing(_))));
    }
}
