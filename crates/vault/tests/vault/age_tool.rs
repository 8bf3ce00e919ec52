//! The ordinary `age`, as Debian packages it, over a pseudo-terminal: it takes passphrases nowhere else.

use std::fs;
use std::path::Path;

use crate::support::{Bench, EXAMPLE, OTHER, PASSPHRASE, answering, repository};

pub(crate) fn age(arguments: &[&str], directory: &Path, passphrase: &str) -> bool {
    answering("age", arguments, directory, passphrase)
        .expect("age (apt-get install age) asks for a passphrase")
        .0
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
