//! `keystation run` on a terminal of its own: what it draws there, line by line, and that nothing in it acts but what the table itself
//! sends.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use keystation_tests::bench::{Bench, Killed};
use keystation_tests::binaries::program;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

use super::hostile::{acts, assert_text};

/// Longer than anything takes, on a busy computer too.
const LONG: Duration = Duration::from_secs(120);
/// Columns of a line of the table.
const WIDTH: usize = 79;

/// What a line of the table shows of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) results: u64,
    pub(super) shows: String,
}

/// The program, and what stands on its terminal.
pub(super) struct Terminal {
    process: Killed,
    input: ChildStdin,
    lines: Receiver<String>,
    errors: ChildStderr,
    pub(super) rows: BTreeMap<usize, Row>,
    pub(super) scan: String,
    /// Lines that are none of the table.
    pub(super) said: Vec<String>,
}

impl Terminal {
    pub(super) fn start(bench: &Bench, operator: &str) -> Self {
        let near =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&near).unwrap();
        rustix::pty::unlockpt(&near).unwrap();
        let name = OsString::from_vec(rustix::pty::ptsname(&near, Vec::new()).unwrap().into_bytes());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let far = rustix::fs::open(PathBuf::from(name), flags, Mode::empty()).unwrap();
        // As the program sent it, and nothing of what a terminal makes of it.
        let mut settings = rustix::termios::tcgetattr(&far).unwrap();
        settings.make_raw();
        rustix::termios::tcsetattr(&far, OptionalActions::Now, &settings).unwrap();
        let mut command = Command::new(program("keystation"));
        command.arg("--data").arg(bench.data()).arg("run");
        bench.signed(bench.with_passphrase(&mut command), operator, None);
        command.stdin(Stdio::piped()).stdout(far).stderr(Stdio::piped());
        let mut process = Killed(command.spawn().unwrap());
        // It has an end of the terminal too, and with it the reader would never end.
        drop(command);
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            // The read that follows the last one fails: nobody has the far end open.
            for line in BufReader::new(File::from(near)).split(b'\n').map_while(Result::ok) {
                if tell.send(String::from_utf8(line).expect("it draws text")).is_err() {
                    return;
                }
            }
        });
        let input = process.0.stdin.take().unwrap();
        let errors = process.0.stderr.take().unwrap();
        let (rows, said) = (BTreeMap::new(), Vec::new());
        Self { process, input, lines, errors, rows, scan: String::new(), said }
    }

    /// Types bytes as they are.
    pub(super) fn types(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).unwrap();
    }

    /// Reads one more line of what it draws.
    pub(super) fn read(&mut self) {
        let line =
            self.lines.recv_timeout(LONG).unwrap_or_else(|_| panic!("it draws no more: {:?}", self.rows));
        self.take(&line);
    }

    fn take(&mut self, line: &str) {
        let Some(drawn) = line.strip_suffix("\u{1b}[K") else {
            assert!(!line.contains(acts), "{line:?}");
            return self.said.push(line.to_owned());
        };
        let drawn = match drawn.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('A')) {
            Some((count, rest)) if count.parse::<u32>().is_ok() => {
                assert!(rest.starts_with("slot "), "up to the first line, and only from there: {line:?}");
                rest
            }
            _ => drawn,
        };
        assert!(!drawn.contains(acts), "{line:?}");
        assert!(drawn.chars().count() <= WIDTH, "it would wrap: {line:?}");
        if let Some(scan) = drawn.strip_prefix("scan:") {
            scan.strip_prefix(' ').unwrap_or(scan).clone_into(&mut self.scan);
        } else if !drawn.starts_with("slot ") {
            let mut words = drawn.split_whitespace();
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect(drawn);
            let [slot, passed, failed, _] = [number(), number(), number(), number()];
            let of_all = words.next().expect(drawn);
            assert!(of_all == "-" || words.next() == Some("%"), "the yield: {drawn:?}");
            let shows = words.collect::<Vec<_>>().join(" ");
            self.rows.insert(usize::try_from(slot).unwrap() - 1, Row { results: passed + failed, shows });
        }
    }

    /// Ends it as a person does, and gives the last that it said.
    pub(super) fn end(mut self) -> String {
        let killed = Command::new("kill").arg(self.process.0.id().to_string()).status().unwrap();
        assert!(killed.success());
        while let Ok(line) = self.lines.recv_timeout(LONG) {
            self.take(&line);
        }
        let mut errors = Vec::new();
        self.errors.read_to_end(&mut errors).unwrap();
        assert_text(&errors, "standard error");
        self.said.pop().expect("it sums up")
    }
}
