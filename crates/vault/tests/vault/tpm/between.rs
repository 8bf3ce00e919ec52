use std::io::{self, Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use keystation_vault::{Tpm, TpmPlace};
use tempfile::TempDir;

use super::Bench;

/// `TPM_CC` of the commands that a station gives.
pub(crate) const CREATE_PRIMARY: u32 = 0x131;
pub(crate) const CREATE: u32 = 0x153;
pub(crate) const LOAD: u32 = 0x157;
pub(crate) const HMAC: u32 = 0x155;
pub(crate) const FLUSH: u32 = 0x165;
pub(crate) const CAPABILITY: u32 = 0x17a;

/// What becomes of a command on its way to the TPM.
pub(crate) enum Fate {
    /// The TPM gets it, and its answer comes back.
    Passes,
    /// Its answer comes back as this makes it.
    Becomes(Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + Send>),
    /// The TPM does not get it; this is the answer.
    Answered(Vec<u8>),
    /// There is no answer as long as the station waits for one.
    Vanishes,
    /// The connection ends; the TPM had not got it.
    BreaksOff,
    /// The connection ends when the TPM has done it.
    BreaksOffAfter,
}

/// An answer that is a return code and nothing else.
pub(crate) fn code(code: u32) -> Vec<u8> {
    [&[0x80, 0x01, 0, 0, 0, 10][..], &code.to_be_bytes()].concat()
}

/// Somebody between a station and its TPM, who decides about each command by its `TPM_CC`.
pub(crate) struct Between {
    directory: TempDir,
}

impl Between {
    pub(crate) fn new(bench: &Bench, mut decide: impl FnMut(u32) -> Fate + Send + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("sock")).unwrap();
        let tpm = bench.emulator.socket();
        // It ends with the test's process; a connection that breaks off is none of its business.
        thread::spawn(move || {
            for station in listener.incoming() {
                let _ = carry(station.unwrap(), &tpm, &mut decide);
            }
        });
        Self { directory }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("sock")
    }

    /// The bench's cards, and its TPM through this.
    pub(crate) fn tpm(&self, bench: &Bench) -> Tpm {
        let place = TpmPlace::emulator(self.socket().to_str().unwrap()).unwrap();
        Tpm::new(place, bench.cards.path().join("keys"))
    }
}

fn carry(mut station: UnixStream, tpm: &Path, decide: &mut impl FnMut(u32) -> Fate) -> io::Result<()> {
    let mut tpm = UnixStream::connect(tpm)?;
    loop {
        let command = message(&mut station)?;
        let mut ask = || {
            tpm.write_all(&command)?;
            message(&mut tpm)
        };
        let answer = match decide(u32::from_be_bytes(command[6..10].try_into().unwrap())) {
            Fate::Passes => ask()?,
            Fate::Becomes(other) => other(ask()?),
            Fate::Answered(answer) => answer,
            Fate::Vanishes => continue,
            Fate::BreaksOff => return Ok(()),
            Fate::BreaksOffAfter => return ask().map(|_| ()),
        };
        station.write_all(&answer)?;
        // An answer shorter than it says is the end: the station would wait for the rest.
        if answer.get(2..6) != Some(&u32::try_from(answer.len()).unwrap().to_be_bytes()[..]) {
            return Ok(());
        }
    }
}

fn message(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 10];
    from.read_exact(&mut message)?;
    let size = u32::from_be_bytes(message[2..6].try_into().unwrap()) as usize;
    message.resize(size.max(10), 0);
    from.read_exact(&mut message[10..])?;
    Ok(message)
}
