use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_tests::memory_scan::Needles;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::{Bench, Subject, random};

/// A process that asks for a secret at a terminal of its own.
struct Asking {
    process: Child,
    said: BufReader<ChildStdout>,
    keyboard: File,
    /// Kept open, so that the terminal outlives the process and shows how it was left.
    slave: File,
    shown: String,
}

impl Asking {
    fn new() -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let slave = File::options().read(true).write(true).open(name).expect("it is ours");
        let mut process = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(std::env::current_exe().expect("the system knows the running executable"))
            .arg("ask")
            .stdin(Stdio::from(slave.try_clone().expect("it is open")))
            .stdout(Stdio::piped())
            .spawn()
            .expect("setsid (util-linux) is there");
        let said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut asking = Self { process, said, keyboard: File::from(master), slave, shown: String::new() };
        while !asking.shown.ends_with("Passphrase: ") {
            asking.look();
        }
        assert!(!asking.modes().contains(LocalModes::ECHO), "the echo is off before the question is asked");
        asking
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.slave).expect("a terminal").local_modes
    }

    fn look(&mut self) {
        let mut buffer = [0; 256];
        let read = self.keyboard.read(&mut buffer).expect("it shows something");
        self.shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }

    fn enter(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it writes text");
        line.trim_end().to_owned()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is typed shows on no screen and stays in no memory.
pub(crate) fn typed_secret_is_neither_shown_nor_kept() {
    let typed = format!("never-{}", Base64::encode_string(&random::<18>()));
    let mut asking = Asking::new();
    asking.enter(&format!("{typed}\r"));
    assert_eq!(asking.line(), format!("{} bytes", typed.len()));

    let mut needles = Needles::new();
    needles.text("what was typed", &typed);
    let scan = needles.scan(asking.process.id()).expect("it can be read");
    assert!(scan.bytes > 1 << 20 && scan.hits.is_empty(), "{:#?}", scan.hits);

    assert!(
        asking.modes().contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG),
        "it is as it was"
    );
    asking.enter("gone\r");
    assert!(asking.process.wait().expect("it ends").success());
    while !asking.shown.contains("gone") {
        asking.look();
    }
    assert!(!asking.shown.contains("never"), "{}", asking.shown);
}

pub(crate) fn typed_secret_can_be_corrected_and_what_is_no_character_is_refused() {
    for (keys, said) in [
        ("abc\u{e4}\u{7f}\u{8}d\r", "3 bytes"),
        ("\u{7f}wrong\u{15}right\n", "5 bytes"),
        ("\u{4}", "no secret was entered"),
        (
            "a\u{1b}[D\r",
            "the secret is refused: character 2 is a control character; one line of text is expected",
        ),
        (&format!("{}\r", "a".repeat(1024)), "1024 bytes"),
        (&format!("{}\r", "a".repeat(3000)), "the secret is refused: it is longer than 1024 bytes"),
    ] {
        let mut asking = Asking::new();
        asking.enter(keys);
        assert_eq!(asking.line(), said, "{keys:?}");
    }
}

pub(crate) fn interrupted_prompt_leaves_the_terminal_as_it_was() {
    let mut asking = Asking::new();
    asking.enter("half a sec\u{3}");
    assert_eq!(asking.process.wait().expect("it ends").signal(), Some(2), "as Ctrl-C ends every program");
    assert!(asking.modes().contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
}

pub(crate) fn descriptor_from_the_parent_is_read() {
    let bench = Bench::new();
    let file = bench.private("handed", "a secret of 25 characters\n");
    let own = std::env::current_exe().expect("the system knows the running executable");
    for (script, number) in [("exec \"$0\" take 3 3<\"$1\"", 3), ("exec \"$0\" take 0 <\"$1\"", 0)] {
        let subject =
            Subject::command(Command::new("sh").args(["-c", script]).arg(&own).arg(&file), bench.path());
        assert_eq!(subject.line(), "25 bytes", "{number}");
    }
}
