//! ZPL to a file: a printer's device file takes it when it can, any other file gets it behind what is there.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Trouble;
use super::tcp::{SILENCE, SLICE};
use crate::after::follow::Stop;

/// A device file that is being opened. A driver may take as long as it likes for that, whatever it was asked: so it has a thread of its
/// own, which is left behind if the program ends first.
#[derive(Default)]
pub(super) struct Opening(Option<Receiver<io::Result<File>>>);

/// Writes a label; `begin` is called ahead of the first byte.
pub(super) fn write(
    path: &Path,
    label: &[u8],
    stop: &Stop,
    opening: &mut Opening,
    begin: &mut dyn FnMut() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let asked = path.to_owned();
    let mut file = opening.opened(move || open(&asked), stop)?;
    let kind = file.metadata().map_err(|_| Trouble::Away)?.file_type();
    begin()?;
    if kind.is_char_device() || kind.is_fifo() {
        return send(&mut file, label, stop);
    }
    file.write_all(label).and_then(|()| file.sync_all()).map_err(|error| {
        tracing::warn!(%error, "a label is not written");
        Trouble::Disk
    })
}

fn open(path: &Path) -> io::Result<File> {
    // A printer that is switched off has no device file, and a plain file in its place would swallow every label.
    let may_make = !path.starts_with("/dev");
    OpenOptions::new()
        .append(true)
        .create(may_make)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
}

impl Opening {
    /// The file that `open` gives, or that an earlier call asked for and gave up waiting for.
    fn opened(
        &mut self,
        open: impl FnOnce() -> io::Result<File> + Send + 'static,
        stop: &Stop,
    ) -> Result<File, Trouble> {
        let coming = match self.0.take() {
            Some(coming) => coming,
            None => {
                let (tell, coming) = mpsc::sync_channel(1);
                // Nobody waits for it any more: then the file is closed.
                let opening = move || drop(tell.send(open()));
                thread::Builder::new()
                    .name("label-open".to_owned())
                    .spawn(opening)
                    .map_err(|_| Trouble::Away)?;
                coming
            }
        };
        let began = Instant::now();
        loop {
            let trouble = match coming.recv_timeout(SLICE) {
                Ok(opened) => return opened.map_err(|_| Trouble::Away),
                Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Away),
                Err(RecvTimeoutError::Timeout) if stop.over() => Trouble::Ending,
                Err(RecvTimeoutError::Timeout) if began.elapsed() > SILENCE => Trouble::Silent,
                Err(RecvTimeoutError::Timeout) => continue,
            };
            self.0 = Some(coming);
            return Err(trouble);
        }
    }
}

/// To a device that takes a part at a time.
fn send(file: &mut File, mut label: &[u8], stop: &Stop) -> Result<(), Trouble> {
    let mut moved = Instant::now();
    while !label.is_empty() {
        match file.write(label) {
            Ok(taken @ 1..) => {
                label = &label[taken..];
                moved = Instant::now();
                continue;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(0) | Err(_) => return Err(Trouble::Cut),
        }
        if stop.over() {
            return Err(Trouble::Ending);
        }
        if moved.elapsed() > SILENCE {
            return Err(Trouble::Silent);
        }
        wait(file, SLICE)?;
    }
    Ok(())
}

/// Until the device takes more, or the time is over.
fn wait(file: &File, time: Duration) -> Result<(), Trouble> {
    let time = Timespec::try_from(time).map_err(|_| Trouble::Cut)?;
    match poll(&mut [PollFd::new(file, PollFlags::OUT)], Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(_) => Err(Trouble::Cut),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;

    use super::*;

    /// A named pipe that nobody reads hangs whoever opens it, as a driver may: the program ends all the same, and what was opened late is
    /// used.
    #[test]
    fn a_device_that_hangs_at_open_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("lp0");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let mut opening = Opening::default();
        let hangs = || {
            let pipe = pipe.clone();
            move || OpenOptions::new().append(true).open(pipe)
        };
        let ended = opening.opened(hangs(), &Stop::long_ago()).unwrap_err();
        assert_eq!(ended, Trouble::Ending);
        let reader = File::open(&pipe).unwrap();
        let never = || -> io::Result<File> { panic!("it is being opened already") };
        let file = opening.opened(never, &Stop::default()).unwrap();
        assert!(file.metadata().unwrap().file_type().is_fifo());
        drop(reader);
    }
}
