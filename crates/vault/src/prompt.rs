//! Asking a person for a secret at the terminal.
//!
//! Not `rpassword`: up to 7.5 it raises SIGINT before it restores the terminal (its issue 109 and pull request 134),
//! so that Ctrl-C leaves the shell without echo; and its text grows from copy to copy.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::secret::SecretText;

const INTERRUPT: u8 = 0x03; // Ctrl-C
const END: u8 = 0x04; // Ctrl-D
const BACKSPACE: u8 = 0x08;
const CLEAR: u8 = 0x15; // Ctrl-U
const DELETE: u8 = 0x7f;

/// Shows `prompt` at the controlling terminal and reads a line without echo. One byte more than a secret may have is
/// kept, so that a longer one is refused.
///
/// Backspace takes a character back, Ctrl-U all of them, Ctrl-C interrupts the program as ever. Other keys that are
/// no characters go into the line, where they are refused: what a person believes to have typed is not guessed.
pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut terminal = Quiet::new(File::options().read(true).write(true).open("/dev/tty")?)?;
    terminal.file.write_all(prompt.as_bytes())?;
    let line = terminal.line();
    drop(terminal);
    if line.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        kill_process(getpid(), Signal::INT)?; // returns where the program has a handler of its own
    }
    line
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Quiet {
    file: File,
    modes: Termios,
}

impl Quiet {
    fn new(file: File) -> io::Result<Self> {
        let modes = tcgetattr(&file)?;
        let mut quiet = modes.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        // What was typed before the question was asked is no answer.
        tcsetattr(&file, OptionalActions::Flush, &quiet)?;
        Ok(Self { file, modes })
    }

    fn line(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        // As long as it can get from the beginning: what grows leaves copies.
        let mut line = Zeroizing::new(Vec::with_capacity(SecretText::LIMIT + 1));
        let mut byte = Zeroizing::new([0]);
        loop {
            if self.file.read(&mut *byte)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match byte[0] {
                b'\r' | b'\n' => return Ok(line),
                INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
                END if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                BACKSPACE | DELETE => while line.pop().is_some_and(|last| last & 0xc0 == 0x80) {},
                CLEAR => line.clear(),
                typed if line.len() <= SecretText::LIMIT => line.push(typed),
                _ => {}
            }
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs neither; there is nobody to tell.
        let _ = tcsetattr(&self.file, OptionalActions::Now, &self.modes);
        let _ = self.file.write_all(b"\n");
    }
}
