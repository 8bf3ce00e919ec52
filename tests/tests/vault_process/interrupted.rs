use std::fs;
use std::io::Read as _;
use std::process::Command;
use std::time::Instant;

use crate::support::{Bench, Subject, random, unlock, vault};

/// Every key that was told to be in is in, and the vault opens whenever it was left.
pub(crate) fn killed_import_loses_no_key() {
    let started = Instant::now();
    let bench = Bench::with_key();
    let span = started.elapsed(); // some two imports on this machine, as busy as it is
    let mut held = 1;
    for round in 0..40 {
        let mut subject = bench.start("import-on");
        subject.after("unlocked");
        std::thread::sleep(span * u32::from(u8::from_le_bytes(random())) / 256);
        subject.process.kill().expect("it may have ended by itself");
        let mut told = String::new();
        subject.output.borrow_mut().read_to_string(&mut told).expect("it writes text");
        // Whole lines only; one key more may have come in before it could be told.
        let told = held + told.matches('\n').count();
        held = unlock(bench.path()).keys().len();
        assert!(held == told || held == told + 1, "round {round}: {told} told, {held} held");
    }
    assert!(held > 1, "the kills came before anything happened");
}

pub(crate) fn full_disk_leaves_the_vault_as_it_was() {
    let bench = Bench::with_key();
    let before = fs::read(vault(bench.path()).path()).expect("it is there");
    let own = std::env::current_exe().expect("the system knows the running executable");
    // No file may grow: what a full disk does, for one process.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" import-once \"$1\"";
    let subject =
        Subject::command(Command::new("sh").args(["-c", script]).arg(own).arg(bench.path()), bench.path());
    assert_eq!(subject.line(), "no space");
    drop(subject);
    assert_eq!(fs::read(vault(bench.path()).path()).expect("it is there"), before);
    assert!(!bench.path().join("station.vault.new").exists());
    assert_eq!(unlock(bench.path()).keys().len(), 1);
}
