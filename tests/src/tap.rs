//! A wire that can be watched and held: between a station and a device, over two pseudo-terminals.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the station.
    Out,
    /// From the device.
    Back,
}

/// Everything that passed, in order: bytes that went the same way stand together.
pub type Passed = Vec<(Way, Vec<u8>)>;

/// A wire with a hold after a number of bytes.
pub struct Tap {
    port: PathBuf,
    held: Receiver<()>,
    end: OwnedFd,
    thread: Option<JoinHandle<io::Result<Passed>>>,
    /// Keeps the terminal raw while no station has it open.
    _station: OwnedFd,
}

impl Tap {
    /// A wire to the device on the port `device`. After `hold` bytes, both ways together, nothing more passes until
    /// the wire is cut with [`Tap::cut`].
    pub fn new(device: &Path, hold: usize) -> io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let port = PathBuf::from(OsString::from_vec(rustix::pty::ptsname(&master, Vec::new())?.into_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let station = rustix::fs::open(&port, flags, Mode::empty())?;
        let far = rustix::fs::open(device, flags, Mode::empty())?;
        for terminal in [&station, &far] {
            let mut settings = rustix::termios::tcgetattr(terminal)?;
            settings.make_raw();
            rustix::termios::tcsetattr(terminal, OptionalActions::Now, &settings)?;
        }
        let end = eventfd(0, EventfdFlags::CLOEXEC)?;
        let ended = end.try_clone()?;
        let (tell, held) = mpsc::channel();
        let wire = Wire { near: master.into(), far: far.into(), passed: Vec::new(), left: hold };
        let thread = thread::spawn(move || wire.run(&ended, &tell));
        Ok(Self { port, held, end, thread: Some(thread), _station: station })
    }

    /// Where the station finds the device.
    #[must_use]
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Returns when the wire holds.
    ///
    /// # Panics
    /// If the wire broke before.
    pub fn until_held(&self) {
        self.held.recv().expect("the wire holds before it ends");
    }

    /// Ends the wire and tells what passed.
    pub fn cut(mut self) -> io::Result<Passed> {
        rustix::io::write(&self.end, &1u64.to_ne_bytes())?;
        let thread = self.thread.take().expect("taken here only");
        thread.join().expect("the wire does not panic")
    }
}

struct Wire {
    near: File,
    far: File,
    passed: Passed,
    left: usize,
}

impl Wire {
    fn run(mut self, end: &OwnedFd, held: &Sender<()>) -> io::Result<Passed> {
        while self.left > 0 {
            let mut fds = [
                PollFd::new(&self.near, PollFlags::IN),
                PollFd::new(&self.far, PollFlags::IN),
                PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN),
            ];
            rustix::event::poll(&mut fds, None)?;
            let [near, far, ended] = fds.map(|fd| !fd.revents().is_empty());
            if ended {
                return Ok(self.passed);
            }
            // The device first: what it said before the station's next word came before it.
            if far {
                self.pass(Way::Back)?;
            } else if near {
                self.pass(Way::Out)?;
            }
        }
        held.send(()).map_err(io::Error::other)?;
        rustix::event::poll(&mut [PollFd::new(end, PollFlags::IN)], None)?;
        Ok(self.passed)
    }

    fn pass(&mut self, way: Way) -> io::Result<()> {
        let (from, to) = match way {
            Way::Out => (&mut self.near, &mut self.far),
            Way::Back => (&mut self.far, &mut self.near),
        };
        let mut buffer = [0; 64];
        let most = self.left.min(buffer.len());
        let read = from.read(&mut buffer[..most])?;
        to.write_all(&buffer[..read])?;
        self.left -= read;
        match self.passed.last_mut() {
            Some((last, bytes)) if *last == way => bytes.extend_from_slice(&buffer[..read]),
            _ => self.passed.push((way, buffer[..read].to_vec())),
        }
        Ok(())
    }
}
