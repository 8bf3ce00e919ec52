//! The ordinary `age`, as Debian packages it, over a pseudo-terminal: it takes passphrases nowhere else.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Bench, EXAMPLE, OTHER, PASSPHRASE, repository};

/// Runs `age` with a controlling terminal and answers each prompt with the passphrase. Returns whether it succeeded.
pub(crate) fn age(arguments: &[&str], directory: &Path, passphrase: &str) -> bool {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", "age"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave))
        .spawn()
        .expect("setsid (util-linux) is there");
    let mut master = File::from(master);
    let (mut shown, mut answered) = (String::new(), 0);
    let mut buffer = [0; 1024];
    // The terminal ends with EIO when the last program has closed it.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if shown.ends_with(": ") {
            writeln!(master, "{passphrase}").unwrap();
            answered += 1;
        }
    }
    let succeeded = child.wait().unwrap().success();
    assert!(answered > 0, "age (apt-get install age) asked for no passphrase: {shown}");
    succeeded
}

#[test]
fn age_opens_what_the_station_sealed() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let directory = bench.directory.path();
    assert!(!age(&["-d", "-o", "opened", "station.vault"], directory, "another passphrase"));
    assert!(age(&["-d", "-o", "opened", "station.vault"], directory, PASSPHRASE));
    let opened = fs::read_to_string(directory.join("opened")).unwrap();
    assert!(
        opened.starts_with("{\"format\":\"keystation-vault/v1\"") && opened.contains(EXAMPLE),
        "{opened}"
    );
}

#[test]
fn age_opens_the_worked_example() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(repository("tests/vectors/vault-example.age"), directory.path().join("example.age")).unwrap();
    assert!(age(&["-d", "-o", "opened", "example.age"], directory.path(), PASSPHRASE));
    let specification = fs::read_to_string(repository("docs/vault-format.md")).unwrap();
    assert!(specification.contains(fs::read_to_string(directory.path().join("opened")).unwrap().trim_end()));
}

/// The owner opens the vault by hand and seals it again: the station takes it, and goes on with it.
#[test]
fn station_opens_what_age_sealed() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let directory = bench.directory.path();
    assert!(age(&["-d", "-o", "opened", "station.vault"], directory, PASSPHRASE));
    assert!(age(&["-p", "-o", "sealed", "opened"], directory, PASSPHRASE));
    let sealed = fs::read(directory.join("sealed")).unwrap();
    assert_ne!(sealed, bench.bytes());
    bench.put(&sealed);
    assert_eq!(bench.unlock().unwrap().keys().len(), 1);
    bench.import("gk-b", OTHER).unwrap();
    assert_eq!(bench.unlock().unwrap().keys().len(), 2);
}
