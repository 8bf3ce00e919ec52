//! Waiting for a port to come or to go, without asking again and again.
//!
//! The directory of the path is watched with inotify. Device nodes and the links of simulated devices both appear in
//! a directory, so one way serves both, and it needs no udev: whose events come over a netlink socket, and this program
//! makes no sockets but those of files. For a place on the USB tree the directory is `/dev`, and which device file is there
//! the kernel says in `/sys/class/tty`, where the entry stands before the device file appears. Where the system has no inotify
//! instance left (128 for each user is the usual limit), the place is looked at five times a second instead.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, inotify};
use rustix::io::Errno;

use crate::place::{Found, Place, Tree};

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// What was waited for happened, or had happened before.
    Happened,
    /// The limit ran out.
    TimedOut,
    /// [`Interrupt::raise`] was called.
    Interrupted,
}

/// Ends the waits of another thread. Clones are one and the same; once raised it stays so until it is cleared.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<OwnedFd>);

impl Interrupt {
    /// A new one, not raised.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Ends every wait that was given this interrupt, the running ones and those to come.
    pub fn raise(&self) -> io::Result<()> {
        match rustix::io::write(&*self.0, &1u64.to_ne_bytes()) {
            // The counter is full: raised more than enough.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes it as new. Says whether it had been raised.
    pub fn clear(&self) -> io::Result<bool> {
        match rustix::io::read(&*self.0, &mut [0u8; 8]) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How long a port may exist without being ours to open: udev sets the group of a new node a moment after the kernel
/// has made it.
const SETTLE: Duration = Duration::from_secs(1);

/// Between two looks at a path that cannot be watched.
const LOOK: Duration = Duration::from_millis(200);

/// A place under watch. Kept for a slot's lifetime: the kernel takes some 15 ms to close an inotify instance.
#[derive(Debug)]
pub struct Watch {
    place: Place,
    tree: Tree,
    changes: Option<OwnedFd>,
}

/// Waits until `path` exists and may be read and written, as [`Watch::until_present`].
pub fn until_present(path: &Path, limit: Duration, interrupt: &Interrupt) -> io::Result<Waited> {
    Watch::new(Place::Path(path.to_owned()))?.until_present(limit, interrupt)
}

/// Waits until `path` is gone, a link to nothing included.
pub fn until_absent(path: &Path, limit: Duration, interrupt: &Interrupt) -> io::Result<Waited> {
    Watch::new(Place::Path(path.to_owned()))?.until_absent(limit, interrupt)
}

impl Watch {
    /// Begins to watch a place.
    pub fn new(place: Place) -> io::Result<Self> {
        Self::in_tree(place, Tree::default())
    }

    fn in_tree(place: Place, tree: Tree) -> io::Result<Self> {
        Ok(Self { place, tree, changes: notifier()? })
    }

    /// The place.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Waits until the port is there and may be read and written. One that still may not after one second, while udev could
    /// have set its group, counts as there: opening it says why not.
    pub fn until_present(&self, limit: Duration, interrupt: &Interrupt) -> io::Result<Waited> {
        let mut seen = None;
        self.wait(limit, interrupt, |found| {
            match found {
                Found::Nothing => {
                    seen = None;
                    return Err(None);
                }
                Found::Port(path) => {
                    if rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok() {
                        return Ok(());
                    }
                }
                // The last of them may just have gone; if not, opening says what is wrong.
                Found::Several => {}
            }
            let settled = *seen.get_or_insert_with(|| Instant::now() + SETTLE);
            if Instant::now() >= settled { Ok(()) } else { Err(Some(settled)) }
        })
    }

    /// Waits until nothing is there.
    pub fn until_absent(&self, limit: Duration, interrupt: &Interrupt) -> io::Result<Waited> {
        self.wait(limit, interrupt, |found| if *found == Found::Nothing { Ok(()) } else { Err(None) })
    }

    /// Asks `reached` now and after each change in the directories of the port and of what it links to. An error of
    /// `reached` may name the moment at which it wants to be asked again.
    fn wait(
        &self,
        limit: Duration,
        interrupt: &Interrupt,
        mut reached: impl FnMut(&Found) -> Result<(), Option<Instant>>,
    ) -> io::Result<Waited> {
        let deadline = Instant::now() + limit;
        loop {
            // Watched first and asked afterwards: a change in between is an event, not a change missed.
            if let Some(changes) = &self.changes {
                forget(changes)?;
                add_directories(changes, &self.place.node_of(&self.tree))?;
            }
            let again = match reached(&self.place.find_in(&self.tree)?) {
                Ok(()) => return Ok(Waited::Happened),
                Err(again) => again.map_or(deadline, |again| again.min(deadline)),
            };
            let waited = match &self.changes {
                Some(changes) => wait_for(changes.as_fd(), PollFlags::IN, again, interrupt)?,
                None => {
                    let look = again.min(Instant::now() + LOOK);
                    wait_for(interrupt.as_fd(), PollFlags::IN, look, interrupt)?
                }
            };
            match waited {
                Waited::TimedOut if Instant::now() >= deadline => return Ok(Waited::TimedOut),
                Waited::Interrupted => return Ok(Waited::Interrupted),
                Waited::TimedOut | Waited::Happened => {}
            }
        }
    }
}

/// A new inotify instance, unless there is none left.
pub(crate) fn notifier() -> io::Result<Option<OwnedFd>> {
    match inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK) {
        Ok(notifier) => Ok(Some(notifier)),
        Err(Errno::MFILE) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Takes all events that are waiting: which they are does not matter. Says whether there were any.
pub(crate) fn forget(notifier: &OwnedFd) -> io::Result<bool> {
    let mut any = false;
    loop {
        match rustix::io::read(notifier, &mut [0u8; 4096]) {
            Ok(_) => any = true,
            Err(Errno::AGAIN) => return Ok(any),
            Err(e) => return Err(e.into()),
        }
    }
}

fn add_directories(changes: &OwnedFd, path: &Path) -> io::Result<()> {
    let flags = inotify::WatchFlags::CREATE
        | inotify::WatchFlags::DELETE
        | inotify::WatchFlags::MOVE
        | inotify::WatchFlags::ATTRIB
        | inotify::WatchFlags::DELETE_SELF
        | inotify::WatchFlags::MOVE_SELF
        | inotify::WatchFlags::ONLYDIR;
    let target = std::fs::read_link(path).ok().map(|target| path.parent().unwrap_or(path).join(target));
    for path in [Some(path.to_owned()), target].into_iter().flatten() {
        let mut directory = parent(&path);
        // The directory itself may not exist yet: then the first one above it that does.
        while let Err(e) = inotify::add_watch(changes, &directory, flags) {
            match (e, directory.pop()) {
                (Errno::NOENT | Errno::NOTDIR, true) => {}
                _ => return Err(e.into()),
            }
        }
    }
    Ok(())
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("/"),
    }
}

/// Waits for `events` on one descriptor. A hang-up always counts as an event.
pub(crate) fn wait_for(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    deadline: Instant,
    interrupt: &Interrupt,
) -> io::Result<Waited> {
    loop {
        let mut fds = [PollFd::from_borrowed_fd(fd, events), PollFd::new(interrupt, PollFlags::IN)];
        poll(&mut fds, deadline)?;
        if !fds[1].revents().is_empty() {
            return Ok(Waited::Interrupted);
        }
        if !fds[0].revents().is_empty() {
            return Ok(Waited::Happened);
        }
        if Instant::now() >= deadline {
            return Ok(Waited::TimedOut);
        }
    }
}

/// `poll` with a deadline; a signal counts as nothing happened.
pub(crate) fn poll(fds: &mut [PollFd<'_>], deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    match rustix::event::poll(fds, Some(&left)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::thread;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn link_that_appears_in_a_directory_that_does_not_exist_yet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench/links/dev0");
        let interrupt = Interrupt::new().unwrap();
        assert_eq!(until_absent(&path, LONG, &interrupt).unwrap(), Waited::Happened);
        assert_eq!(until_present(&path, Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
        let made = path.clone();
        let maker = thread::spawn(move || {
            fs::create_dir_all(made.parent().unwrap()).unwrap();
            symlink("/dev/null", &made).unwrap();
        });
        assert_eq!(until_present(&path, LONG, &interrupt).unwrap(), Waited::Happened);
        maker.join().unwrap();
        let removed = path.clone();
        let remover = thread::spawn(move || fs::remove_file(removed).unwrap());
        assert_eq!(until_absent(&path, LONG, &interrupt).unwrap(), Waited::Happened);
        remover.join().unwrap();
    }

    #[test]
    fn link_that_is_moved_into_place_and_away() {
        let dir = tempfile::tempdir().unwrap();
        let (here, elsewhere) = (dir.path().join("links/dev0"), dir.path().join("dev0.new"));
        fs::create_dir(dir.path().join("links")).unwrap();
        symlink("/dev/null", &elsewhere).unwrap();
        let interrupt = Interrupt::new().unwrap();
        // Often, so that the move also comes while the wait has begun.
        for _ in 0..50 {
            thread::scope(|scope| {
                scope.spawn(|| fs::rename(&elsewhere, &here).unwrap());
                assert_eq!(until_present(&here, LONG, &interrupt).unwrap(), Waited::Happened);
            });
            thread::scope(|scope| {
                scope.spawn(|| fs::rename(&here, &elsewhere).unwrap());
                assert_eq!(until_absent(&here, LONG, &interrupt).unwrap(), Waited::Happened);
            });
        }
    }

    /// A user has 128 inotify instances at most: without one the place is looked at again and again.
    #[test]
    fn a_place_that_cannot_be_watched_is_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("links/dev0");
        let watch = Watch { place: Place::Path(path.clone()), tree: Tree::default(), changes: None };
        let interrupt = Interrupt::new().unwrap();
        assert_eq!(watch.until_absent(LONG, &interrupt).unwrap(), Waited::Happened);
        assert_eq!(watch.until_present(Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
        // More than one look, and nothing came.
        assert_eq!(watch.until_present(3 * LOOK, &interrupt).unwrap(), Waited::TimedOut);
        thread::scope(|scope| {
            let waits = scope.spawn(|| watch.until_present(LONG, &interrupt).unwrap());
            fs::create_dir(path.parent().unwrap()).unwrap();
            symlink("/dev/null", &path).unwrap();
            assert_eq!(waits.join().unwrap(), Waited::Happened);
        });
        thread::scope(|scope| {
            let waits = scope.spawn(|| watch.until_absent(LONG, &interrupt).unwrap());
            fs::remove_file(&path).unwrap();
            assert_eq!(waits.join().unwrap(), Waited::Happened);
        });
        thread::scope(|scope| {
            let waits = scope.spawn(|| watch.until_present(LONG, &interrupt).unwrap());
            interrupt.raise().unwrap();
            assert_eq!(waits.join().unwrap(), Waited::Interrupted);
        });
    }

    #[test]
    fn link_to_nothing_is_absent_until_its_target_comes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pts")).unwrap();
        let (path, target) = (dir.path().join("dev0"), dir.path().join("pts/7"));
        symlink("pts/7", &path).unwrap();
        let interrupt = Interrupt::new().unwrap();
        assert_eq!(until_absent(&path, LONG, &interrupt).unwrap(), Waited::Happened);
        let maker = thread::spawn(move || fs::write(target, "").unwrap());
        assert_eq!(until_present(&path, LONG, &interrupt).unwrap(), Waited::Happened);
        maker.join().unwrap();
    }

    #[test]
    fn a_place_on_usb_is_waited_for_and_one_with_two_ports_is_not_empty() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree { class: dir.path().join("class"), dev: dir.path().join("dev") };
        fs::create_dir_all(&tree.class).unwrap();
        fs::create_dir_all(&tree.dev).unwrap();
        let place = Place::Usb { path: "1-1.4".parse().unwrap(), interface: None };
        let watch = Watch::in_tree(place, tree.clone()).unwrap();
        let interrupt = Interrupt::new().unwrap();
        assert_eq!(watch.until_present(Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
        let plug = |name: &str, interface: u8| {
            // In the kernel's order: the entry in sysfs stands before the device file appears.
            symlink(format!("../usb1/1-1.4/1-1.4:1.{interface}/tty/{name}"), tree.class.join(name)).unwrap();
            fs::write(tree.dev.join(name), "").unwrap();
        };
        thread::scope(|scope| {
            scope.spawn(|| plug("ttyACM3", 0));
            assert_eq!(watch.until_present(LONG, &interrupt).unwrap(), Waited::Happened);
        });
        plug("ttyACM4", 2);
        assert_eq!(
            watch.until_absent(Duration::ZERO, &interrupt).unwrap(),
            Waited::TimedOut,
            "two are no empty place"
        );
        thread::scope(|scope| {
            scope.spawn(|| {
                for name in ["ttyACM3", "ttyACM4"] {
                    fs::remove_file(tree.class.join(name)).unwrap();
                    fs::remove_file(tree.dev.join(name)).unwrap();
                }
            });
            assert_eq!(watch.until_absent(LONG, &interrupt).unwrap(), Waited::Happened);
        });
    }

    #[test]
    fn interrupt_ends_a_wait_and_stays_raised() {
        let interrupt = Interrupt::new().unwrap();
        let raiser = interrupt.clone();
        let thread = thread::spawn(move || raiser.raise().unwrap());
        let path = Path::new("/nowhere/at/all");
        assert_eq!(until_present(path, LONG, &interrupt).unwrap(), Waited::Interrupted);
        assert_eq!(until_present(path, LONG, &interrupt).unwrap(), Waited::Interrupted);
        thread.join().unwrap();
        assert!(interrupt.clear().unwrap());
        assert!(!interrupt.clear().unwrap());
        assert_eq!(until_present(path, Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
    }
}
