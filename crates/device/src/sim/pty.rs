//! A pseudo-terminal that a station takes for a serial port.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, inotify};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

use crate::hotplug::{Interrupt, Waited, forget, wait_for};

/// How long what was sent may wait for its reader when the device is switched off in good order.
const DRAIN: Duration = Duration::from_millis(200);

/// Both ends, and the link by which the station finds its end.
pub(super) struct Pty {
    device: OwnedFd,
    /// Held open, so that the terminal keeps its raw mode and reading does not fail while no station is there.
    station: OwnedFd,
    name: PathBuf,
    link: PathBuf,
    /// Tells of closed ends; `None` when the system has no inotify instance left.
    closed: Option<Arc<OwnedFd>>,
    /// By which it tells of this one.
    watched: Option<i32>,
}

impl Pty {
    /// Makes a pair and links `link` to the station's end. What stood there before is replaced. `closed` is the inotify instance that
    /// is to tell of closed ends, the same for every pair of a slot: the kernel takes some 15 ms to close one.
    pub(super) fn open(link: &Path, closed: Option<Arc<OwnedFd>>) -> io::Result<Self> {
        let device = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&device)?;
        rustix::pty::unlockpt(&device)?;
        let name = rustix::pty::ptsname(&device, Vec::new())?;
        let name = PathBuf::from(OsString::from_vec(name.into_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let station = rustix::fs::open(&name, flags, Mode::empty())?;
        // Raw before anybody writes: until then the line discipline echoes and waits for line ends.
        let mut settings = rustix::termios::tcgetattr(&station)?;
        settings.make_raw();
        rustix::termios::tcsetattr(&station, OptionalActions::Now, &settings)?;
        rustix::fs::fcntl_setfl(&device, OFlags::NONBLOCK)?;

        let mut watched = None;
        if let Some(closed) = &closed {
            // What it still had to say of the pair before must not take this one from the station that has it.
            forget(closed)?;
            let flags = inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::CLOSE_NOWRITE;
            watched = Some(inotify::add_watch(closed, &name, flags)?);
        }

        let beside = link.with_extension("new");
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        symlink(&name, &beside)?;
        fs::rename(&beside, link)?;
        Ok(Self { device, station, name, link: link.to_owned(), closed, watched })
    }

    /// The terminal itself, for example `/dev/pts/7`.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// Readable when the station has sent something.
    pub(super) fn device(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }

    /// Readable when a station has closed its end: see [`Pty::forget_station`].
    pub(super) fn closed(&self) -> Option<BorrowedFd<'_>> {
        self.closed.as_ref().map(|closed| closed.as_fd())
    }

    /// A station that was killed leaves its TIOCEXCL behind, because our descriptor keeps the terminal alive: the next
    /// one could not open it. A real port forgets it with the last close.
    pub(super) fn forget_station(&self) -> io::Result<()> {
        if let Some(closed) = &self.closed
            && forget(closed)?
        {
            rustix::termios::ioctl_tiocnxcl(&self.station)?;
        }
        Ok(())
    }

    /// Takes what the station has sent; 0 when there is nothing.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.device, buffer) {
            Err(Errno::AGAIN) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Gives the station as much as fits; 0 when it does not read.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(&self.device, bytes) {
            Err(Errno::AGAIN) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Waits a moment until the station has read everything: what is pending at a hang-up is lost, and there is no event
    /// for "read".
    pub(super) fn drain(&self, interrupt: &Interrupt) -> io::Result<()> {
        let deadline = Instant::now() + DRAIN;
        while rustix::io::ioctl_fionread(&self.station)? > 0 && Instant::now() < deadline {
            let soon = Instant::now() + Duration::from_millis(1);
            if wait_for(interrupt.as_fd(), PollFlags::IN, soon, interrupt)? == Waited::Interrupted {
                break;
            }
        }
        Ok(())
    }
}

impl Drop for Pty {
    /// Ends the watch, and removes the link, if it is still this terminal's.
    fn drop(&mut self) {
        if let (Some(closed), Some(watched)) = (&self.closed, self.watched) {
            // A terminal that is gone took its watch along.
            let _ = inotify::remove_watch(closed, watched);
        }
        if fs::read_link(&self.link).is_ok_and(|target| target == self.name) {
            // Whoever removed it in between did what was wanted.
            let _ = fs::remove_file(&self.link);
        }
    }
}
