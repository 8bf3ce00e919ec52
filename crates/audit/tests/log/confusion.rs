//! Two stations with logs of the same size: no part of the one passes for a part of the other.

use std::fs;
use std::path::{Path, PathBuf};

use keystation_audit::{Finding, Journal, OpenError, Origin, Paths, Reader, Verdict};
use tempfile::TempDir;

use crate::support::{Steady, actor, copy, intact, open, work, write_private};

fn station(directory: &Path, name: &str) -> Paths {
    fs::create_dir(directory).unwrap();
    let paths = Paths::in_dir(directory);
    let journal = Journal::create(&paths, &Origin::new(name).unwrap(), &actor(), Steady::new()).unwrap();
    work(&journal, 4);
    journal.close().unwrap();
    paths
}

/// Two stations of a plant, or, with the same name, a station and one that was set up anew under it.
fn two(second: &str) -> (TempDir, Paths, Paths) {
    let directory = tempfile::tempdir().unwrap();
    let one = station(&directory.path().join("one"), "keylog.example.com/plant7/stn03/1");
    let other = station(&directory.path().join("other"), second);
    (directory, one, other)
}

const SECONDS: [&str; 2] = ["keylog.example.com/plant7/stn04/1", "keylog.example.com/plant7/stn03/1"];

/// A copy of a log to exchange parts of.
fn fresh(directory: &Path, paths: &Paths) -> Paths {
    let copied = directory.join("copy");
    if copied.exists() {
        fs::remove_dir_all(&copied).unwrap();
    }
    copy(paths.db.parent().unwrap(), &copied);
    Paths::in_dir(&copied)
}

/// The parts that are exchanged, all but one or one alone; all of them together are the other station.
fn parts(paths: &Paths) -> [PathBuf; 3] {
    [paths.db.clone(), paths.head.clone(), paths.key.clone()]
}

#[test]
fn a_log_with_parts_of_another_does_not_open() {
    for second in SECONDS {
        let (directory, one, other) = two(second);
        for exchanged in 1..7_u8 {
            let one = fresh(directory.path(), &one);
            for (bit, (to, from)) in parts(&one).into_iter().zip(parts(&other)).enumerate() {
                if exchanged >> bit & 1 == 1 {
                    fs::copy(from, to).unwrap();
                }
            }
            let refused = open(&one).map(drop).unwrap_err();
            assert!(matches!(refused, OpenError::Integrity(_)), "{second} {exchanged:03b}: {refused}");
        }
    }
}

#[test]
fn a_log_with_parts_of_another_is_not_verified() {
    for second in SECONDS {
        let (directory, one, other) = two(second);
        for exchanged in 1..7_u8 {
            let one = fresh(directory.path(), &one);
            let of_one = [&one.db, &one.head, &one.vkey];
            let of_other = [&other.db, &other.head, &other.vkey];
            for (bit, (to, from)) in of_one.into_iter().zip(of_other).enumerate() {
                if exchanged >> bit & 1 == 1 {
                    fs::copy(from, to).unwrap();
                }
            }
            let verdict = Reader::open(&one).unwrap().verify().unwrap();
            let Verdict::Damaged { findings, .. } = verdict else {
                panic!("{second} {exchanged:03b} is taken")
            };
            assert!(!findings.is_empty(), "{second} {exchanged:03b}");
        }
    }
}

/// Database, head and keys of the other one are a whole log: only whoever knows the key sees whose.
#[test]
fn a_whole_log_of_another_station_is_seen_by_whoever_has_the_key() {
    for second in SECONDS {
        let (_directory, one, other) = two(second);
        let key = Reader::open(&one).unwrap().verifier_key().unwrap();
        for (to, from) in [(&one.db, &other.db), (&one.head, &other.head), (&one.vkey, &other.vkey)] {
            fs::copy(from, to).unwrap();
        }
        write_private(&one.key, &fs::read_to_string(&other.key).unwrap());
        assert_eq!(intact(&one), 9);
        let verdict = Reader::open(&one).unwrap().verify_with(&key).unwrap();
        let Verdict::Damaged { findings, .. } = verdict else { panic!("{second} is taken") };
        let known =
            |finding: &Finding| matches!(finding, Finding::Head(_) | Finding::Key | Finding::Foreign { .. });
        assert!(findings.iter().any(known), "{findings:#?}");
    }
}
