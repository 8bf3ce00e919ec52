//! A code scanner that is a serial port of its own: one code, read as one line. A scanner that types like a keyboard would
//! type into whatever has the focus, so it is none for secrets.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::link::Port as _;
use crate::ports::{self, PortError};

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
    let mut port = ports::open_at(port, baud)?;
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

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::thread;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A scanner on a pseudo-terminal, which scans `codes` as soon as somebody reads.
    fn scanned(codes: &[&[u8]]) -> Result<Vec<u8>, ScanError> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let reading = path.clone();
        let limit = Duration::from_secs(if codes.is_empty() { 0 } else { 20 });
        let reader = thread::spawn(move || read_line(&reading, 9600, limit).map(|line| line.to_vec()));
        // Opening throws away what was scanned before: the port is open once it is locked against others.
        while !reader.is_finished() && !matches!(ports::open(&path), Err(PortError::Busy { .. })) {
            thread::yield_now();
        }
        let mut master = File::from(master);
        for code in codes {
            master.write_all(code).unwrap();
        }
        reader.join().unwrap()
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
