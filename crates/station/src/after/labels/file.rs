//! ZPL to a file: a printer's device file takes it when it can, any other file gets it behind what is there.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Trouble;
use super::tcp::{SILENCE, SLICE};
use crate::after::follow::Stop;

/// Writes a label; `begin` is called ahead of the first byte.
pub(super) fn write(
    path: &Path,
    label: &[u8],
    stop: &Stop,
    begin: &mut dyn FnMut() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    // A printer that is switched off has no device file, and a plain file in its place would swallow every label.
    let may_make = !path.starts_with("/dev");
    let opened = OpenOptions::new()
        .append(true)
        .create(may_make)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    let mut file = opened.map_err(|_| Trouble::Away)?;
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
