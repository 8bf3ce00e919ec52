//! One open port.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use rustix::termios::QueueSelector;
use serialport::{ErrorKind, TTYPort};

use super::PortError;
use crate::aside;
use crate::hotplug::{Interrupt, Waited, poll, wait_for};
use crate::link::Port;
use crate::place::{Found, Place, Spot, Tree};

/// The speed of the device protocol.
const BAUD: u32 = 115_200;

/// How long opening a port may take. The driver of a port that is still being closed may hold whoever opens it as long as that
/// takes.
const OPENING: Duration = Duration::from_secs(5);

/// An open serial port that nobody else can open. Dropping it never blocks.
pub struct SerialPort {
    /// `None` only while it is being dropped.
    fd: Option<OwnedFd>,
    path: PathBuf,
    close: Arc<dyn Close>,
}

/// How the descriptor of a port is closed, on a thread of its own. The kernel does it; a test has a driver that takes its time.
pub trait Close: Send + Sync {
    /// Closes it, however long that takes.
    fn close(&self, fd: OwnedFd);
}

struct Kernel;

impl Close for Kernel {
    fn close(&self, fd: OwnedFd) {
        drop(fd);
    }
}

/// Opens a port for the device protocol: 115200 baud, 8N1, no flow control.
pub fn open(path: &Path) -> Result<SerialPort, PortError> {
    open_at(path, BAUD)
}

/// Opens a port at another speed, for a product whose profile says so.
///
/// What was received before is thrown away. DTR and RTS are left as the driver sets them: a pseudo-terminal has none.
pub fn open_at(path: &Path, baud: u32) -> Result<SerialPort, PortError> {
    open_and_close_by(path, baud, Arc::new(Kernel))
}

/// Opens the port that is at `place` now, on a thread of its own. Comes back within five seconds, whatever the driver does.
pub fn open_in(place: &Place, baud: u32) -> Result<SerialPort, PortError> {
    let named = || PathBuf::from(place.to_string());
    let path = match place.find().map_err(PortError::List)? {
        Found::Port(path) => path,
        Found::Nothing => return Err(PortError::Gone { path: named() }),
        Found::Several => return Err(PortError::Several { place: named() }),
    };
    let opened = aside::within(OPENING, {
        let path = path.clone();
        move || open_at(&path, baud)
    });
    opened.map_err(PortError::List)?.unwrap_or(Err(PortError::Held { path }))
}

/// The same with another way to close it.
pub fn open_and_close_by(path: &Path, baud: u32, close: Arc<dyn Close>) -> Result<SerialPort, PortError> {
    // Exclusive by default: TIOCEXCL and a lock. The first does not bind root, the second only who asks for it. A program of root
    // that is refused by the lock takes TIOCEXCL away in passing: serialport gives it up with every descriptor that it closes.
    let settings = serialport::new(path.to_string_lossy(), baud);
    let port = TTYPort::open(&settings).map_err(|e| refused(path, e))?;
    let fd = into_fd(port);
    let unusable = |e: Errno| PortError::Unusable { path: path.to_owned(), source: e.into() };
    // A write to a port whose far end does not read ignores every time limit unless the descriptor does not block.
    rustix::fs::fcntl_setfl(&fd, OFlags::NONBLOCK).map_err(unusable)?;
    rustix::termios::tcflush(&fd, QueueSelector::IFlush).map_err(unusable)?;
    Ok(SerialPort { fd: Some(fd), path: path.to_owned(), close })
}

fn refused(path: &Path, error: serialport::Error) -> PortError {
    let path = path.to_owned();
    match error.kind {
        ErrorKind::NoDevice => PortError::Busy { path },
        ErrorKind::Io(io::ErrorKind::NotFound) => PortError::Gone { path },
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => PortError::Denied { path },
        // The name is still there and the device behind it is not: ENXIO and EIO, which have no kind of their own.
        _ if !path.exists() => PortError::Gone { path },
        _ => PortError::Unusable { path, source: error.into() },
    }
}

/// `serialport` finds, locks and sets the port; reading and writing are done on the descriptor itself, because only
/// `poll` can wait for a hang-up without reading, and because what came before a hang-up must still be read.
#[allow(unsafe_code)]
fn into_fd(port: TTYPort) -> OwnedFd {
    // SAFETY: `into_raw_fd` gives up the descriptor, which is open; nobody else will close it.
    unsafe { OwnedFd::from_raw_fd(port.into_raw_fd()) }
}

impl SerialPort {
    /// The path by which it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which port it is: what its path leads to, if that is still the port that was opened, by its device number.
    pub fn spot(&self) -> io::Result<Spot> {
        let own = rustix::fs::fstat(self)?;
        let spot = Spot::at(&self.path, &Tree::default())?;
        if spot.is_node(own.st_rdev, own.st_ino) {
            Ok(spot)
        } else {
            let other = format!("{} is another port than the one that was opened", self.path.display());
            Err(io::Error::new(io::ErrorKind::NotFound, other))
        }
    }

    /// Waits until the far end is unplugged, and reads nothing.
    pub fn until_gone(&self, limit: Duration, interrupt: &Interrupt) -> io::Result<Waited> {
        wait_for(self.as_fd(), PollFlags::empty(), Instant::now() + limit, interrupt)
    }

    fn ready(&self, events: PollFlags, limit: Duration) -> io::Result<()> {
        let mut fds = [PollFd::new(self, events)];
        poll(&mut fds, Instant::now() + limit)?;
        let ready = fds[0].revents();
        if ready.intersects(events) {
            Ok(())
        } else if ready.is_empty() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
}

impl AsFd for SerialPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("taken by drop only").as_fd()
    }
}

impl Port for SerialPort {
    fn receive(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.ready(PollFlags::IN, limit)?;
        match rustix::io::read(&*self, buffer)? {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            count => Ok(count),
        }
    }

    fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<usize> {
        self.ready(PollFlags::OUT, limit)?;
        Ok(rustix::io::write(&*self, bytes)?)
    }
}

impl Drop for SerialPort {
    /// Closing a USB CDC port whose device does not read takes 31 seconds (the driver's `closing_wait`), so it is left
    /// to a thread of its own. The locks go first: the port can be opened again at once.
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        // A port that is gone refuses both, and has no need of them.
        let _ = rustix::termios::ioctl_tiocnxcl(&fd);
        let _ = rustix::fs::flock(&fd, FlockOperation::NonBlockingUnlock);
        aside::drop_aside(Closing(Some(fd), Arc::clone(&self.close)));
    }
}

/// A descriptor on its way to be closed.
struct Closing(Option<OwnedFd>, Arc<dyn Close>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(fd) = self.0.take() {
            self.1.close(fd);
        }
    }
}

impl std::fmt::Debug for SerialPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SerialPort").field("fd", &self.fd).field("path", &self.path).finish_non_exhaustive()
    }
}
