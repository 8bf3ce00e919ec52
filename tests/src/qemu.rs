//! The device agent as the firmware of an emulated board, on a pseudo-terminal, with a power switch.
//!
//! QEMU maps the board's memory from a file and shares it, so every byte that the firmware stores is in the file at
//! once: SIGKILL is a power cut between two bytes.

pub mod storage;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use storage::{SIZE, Set};

/// Bytes of the board's memory, all of it in a sparse file.
const MEMORY: u64 = 16 << 20;
/// Where `firmware/qemu/board.h` puts its configuration page, and the fields of that.
const CONFIG: u64 = 4096;
const CONFIG_MAGIC: &[u8; 4] = b"KSD1";
const CONFIG_STACK_USED: u64 = CONFIG + 12;
/// For a start of QEMU: it takes a tenth of a second alone.
const START_LIMIT: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// Which firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// The agent.
    Agent,
    /// The agent on a store that writes in place: the control, which must lose sets.
    Naive,
}

impl Image {
    /// The image, made anew if its sources changed.
    fn path(self) -> PathBuf {
        static MADE: Once = Once::new();
        let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("firmware");
        MADE.call_once(|| {
            let made =
                Command::new("make").arg("qemu-image").current_dir(&firmware).output().expect("make starts");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        });
        firmware.join("build/qemu").join(match self {
            Self::Agent => "agent.elf",
            Self::Naive => "agent-naive.elf",
        })
    }
}

/// What is written into a board before its first start.
#[derive(Debug, Clone, Copy)]
pub struct Fab<'a> {
    /// MAC address.
    pub mac: [u8; 6],
    /// Serial number, 1 to 64 characters.
    pub serial: &'a str,
    /// Turns of a loop for each byte that is erased or programmed: how slow its flash is.
    pub program_delay: u32,
}

/// One board. It keeps its memory while it is off.
pub struct Board {
    image: Image,
    memory: PathBuf,
    port: PathBuf,
    running: Option<Running>,
}

struct Running {
    qemu: Power,
    /// The station's end of the line. Without one that is open QEMU would see a hang-up before the station comes.
    _line: OwnedFd,
}

/// The power switch of a running board, for another thread.
#[derive(Clone)]
pub struct Power(Arc<Mutex<Child>>);

impl Power {
    /// Takes the power away. It is off when this returns; again is harmless.
    pub fn cut(&self) {
        let mut qemu = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        qemu.kill().expect("it is our child");
        qemu.wait().expect("it is our child");
    }
}

impl Board {
    /// A new board with empty storage, off. Its memory and its port get `name` in `dir`.
    #[must_use]
    pub fn new(dir: &Path, name: &str, image: Image, fab: &Fab<'_>) -> Self {
        let memory = dir.join(format!("{name}.mem"));
        let mut file = File::create(&memory).expect("the directory is ours");
        file.write_all(&[0xFF; SIZE]).expect("the disk has room");
        file.seek(SeekFrom::Start(CONFIG)).expect("it is a file");
        let mut config = CONFIG_MAGIC.to_vec();
        config.extend(0u32.to_le_bytes()); // starts
        config.extend(fab.program_delay.to_le_bytes());
        config.extend(0u32.to_le_bytes()); // stack used
        config.extend(fab.mac);
        config.extend([0, 0]);
        config.extend(fab.serial.as_bytes());
        file.write_all(&config).expect("the disk has room");
        file.set_len(MEMORY).expect("it is sparse");
        Self { image, memory, port: dir.join(name), running: None }
    }

    /// The port, the same after each start, as with a udev rule.
    #[must_use]
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Switches it on and waits until it says that it is ready.
    pub fn start(&mut self) {
        self.cut();
        let (board_end, line) = line(&self.port);
        let qemu = Command::new("qemu-system-arm")
            .args(["-M", "mps2-an385", "-display", "none", "-monitor", "none", "-nodefaults"])
            .arg("-object")
            .arg(format!("memory-backend-file,id=nv,size=16M,mem-path={},share=on", self.memory.display()))
            .args(["-machine", "memory-backend=nv"])
            .args(["-chardev", "stdio,id=s0,signal=off", "-serial", "chardev:s0", "-kernel"])
            .arg(self.image.path())
            .stdin(board_end.try_clone().expect("a descriptor is free"))
            .stdout(board_end)
            // It warns that the board's network interface has no peer, each time.
            .stderr(Stdio::null())
            .spawn()
            .expect("qemu-system-arm starts: `cargo xtask test` installs it");
        let running = Running { qemu: Power(Arc::new(Mutex::new(qemu))), _line: line };
        let mut fds = [PollFd::new(&running._line, PollFlags::IN)];
        poll(&mut fds, Some(&START_LIMIT)).expect("poll works");
        assert!(fds[0].revents().contains(PollFlags::IN), "the board does not start");
        let mut ready = [0; 1];
        rustix::io::read(&running._line, &mut ready).expect("a byte is there");
        assert_eq!(ready, *b"\n", "the first byte says that the device is ready");
        self.running = Some(running);
    }

    /// Its power switch.
    #[must_use]
    pub fn power(&self) -> Power {
        self.running.as_ref().expect("the board is on").qemu.clone()
    }

    /// Switches it off without notice.
    pub fn cut(&mut self) {
        if let Some(running) = self.running.take() {
            running.qemu.cut();
        }
    }

    /// What its memory holds now, on or off.
    #[must_use]
    pub fn storage(&self) -> [u8; SIZE] {
        let mut storage = [0; SIZE];
        self.read(0, &mut storage);
        storage
    }

    /// The set in its active slot.
    #[must_use]
    pub fn held(&self) -> Option<Set> {
        storage::active_set(&self.storage())
    }

    /// Bytes of stack that the firmware needed at most, over all its starts.
    #[must_use]
    pub fn stack_used(&self) -> u32 {
        let mut bytes = [0; 4];
        self.read(CONFIG_STACK_USED, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn read(&self, at: u64, to: &mut [u8]) {
        let file = File::open(&self.memory).expect("new() made it");
        std::os::unix::fs::FileExt::read_exact_at(&file, to, at).expect("it is 16 MiB long");
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.cut();
    }
}

/// A pseudo-terminal: the board's end, and the station's end, which `port` points to.
///
/// QEMU's own `-chardev pty` looks once a second whether somebody came, and drops what the board sends until then.
fn line(port: &Path) -> (OwnedFd, OwnedFd) {
    let board =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("Linux has them");
    grantpt(&board).expect("it is ours");
    unlockpt(&board).expect("it is ours");
    let name = ptsname(&board, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let station = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).expect("it is ours");
    let mut raw = tcgetattr(&station).expect("it is a terminal");
    raw.make_raw();
    tcsetattr(&station, OptionalActions::Now, &raw).expect("it is a terminal");
    // Put in the place of the last one in one step: nobody looks while there is none.
    let new = port.with_extension("new");
    symlink(Path::new(&*name.to_string_lossy()), &new).expect("the directory is ours");
    fs::rename(&new, port).expect("the directory is ours");
    (board, station)
}
