use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_tests::memory_scan::Needles;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::{Bench, Subject, random};

/// What is typed shows on no screen and stays in no memory.
pub(crate) fn prompt_does_not_echo() {
    let typed = format!("never-{}", Base64::encode_string(&random::<18>()));
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
    let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
    let slave = fs::File::options().read(true).write(true).open(name).expect("it is ours");
    let mut process = Command::new("setsid")
        .args(["--ctty", "--wait"])
        .arg(std::env::current_exe().expect("the system knows the running executable"))
        .arg("ask")
        .stdin(Stdio::from(slave))
        .stdout(Stdio::piped())
        .spawn()
        .expect("setsid (util-linux) is there");
    let mut said = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    let mut said = || said.next().expect("it says something").expect("it writes text");
    let mut master = fs::File::from(master);
    let (mut shown, mut buffer) = (String::new(), [0; 256]);
    while !shown.ends_with("Passphrase: ") {
        let read = master.read(&mut buffer).expect("it prompts");
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    // The prompt is shown before the echo is off: wait for that, as a person's fingers do.
    while tcgetattr(&master).expect("a terminal").local_modes.contains(LocalModes::ECHO) {
        std::thread::yield_now();
    }
    writeln!(master, "{typed}").expect("it reads");
    assert_eq!(said(), format!("{} bytes", typed.len()));

    let mut needles = Needles::new();
    needles.text("what was typed", &typed);
    let scan = needles.scan(process.id()).expect("it can be read");
    assert!(scan.bytes > 1 << 20 && scan.hits.is_empty(), "{:#?}", scan.hits);

    writeln!(master).expect("it reads");
    assert!(process.wait().expect("it ends").success());
    // The terminal ends with EIO when the last program has closed it.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(!shown.contains("never"), "{shown}");
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
