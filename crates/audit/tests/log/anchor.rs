//! Checkpoints that a witness cosigned: what secures a log, and what shows that there are two of it.

use std::path::Path;

use keystation_audit::{
    AnchorRefusal, AppendError, Finding, Journal, OpenError, Paths, Reader, Refusal, Signer, Witness,
    WitnessKey,
};
use keystation_core::record::{Event, Seq};

use crate::support::{actor, attacker, begin, copy, entry, findings, intact, open, work};
use crate::vectors::{bytes, text, vectors};

/// Seconds since 1970 at which [`Steady`](crate::support::Steady) begins.
pub(crate) const NOW: u64 = 1_795_313_643;

/// A witness that watches the log of `paths`.
pub(crate) fn witness(directory: &Path, paths: &Paths) -> (Witness, WitnessKey) {
    let key = Witness::create(directory, "witness.example.com/qa").unwrap();
    let witness = Witness::open(directory).unwrap();
    witness.add_log(&Reader::open(paths).unwrap().verifier_key().unwrap()).unwrap();
    (witness, key)
}

pub(crate) fn request(paths: &Paths, old: u64) -> String {
    let reader = Reader::open(paths).unwrap();
    reader.snapshot().unwrap().witness_request(old).unwrap().unwrap().to_text()
}

fn accept(journal: &Journal, note: &str, key: &WitnessKey) -> Result<Seq, AnchorRefusal> {
    journal.anchor(&actor(), note, std::slice::from_ref(key)).map_err(|e| match e {
        AppendError::NotAnchored(refusal) => refusal,
        other => panic!("{other}"),
    })
}

fn secured(paths: &Paths, key: &WitnessKey) -> Option<(u64, u64)> {
    let secured = Reader::open(paths).unwrap().secured(std::slice::from_ref(key)).unwrap();
    secured.map(|secured| (secured.checkpoint.size, secured.time))
}

#[test]
fn what_a_witness_cosigned_is_kept_recorded_and_outlives_what_is_appended() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(&directory.path().join("."));
    let (witness, key) = witness(&directory.path().join("w"), &paths);
    work(&journal, 10);
    assert_eq!(secured(&paths, &key), None);
    let first = witness.sign(&request(&paths, 0), NOW).unwrap();
    let seq = accept(&journal, &first, &key).unwrap();
    assert_eq!((seq, secured(&paths, &key)), (21, Some((21, NOW))));
    let mut shown = String::new();
    Reader::open(&paths)
        .unwrap()
        .records(seq..=seq, None, |record| {
            shown = format!("{} {:?} {:?}", record.event(), record.integer("size"), record.text("witness"));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(shown, "cp.anchor Some(21) Some(\"witness.example.com/qa\")");

    work_on(&journal, 30);
    let second = witness.sign(&request(&paths, 21), NOW + 1).unwrap();
    accept(&journal, &second, &key).unwrap();
    work_on(&journal, 3);
    // The same file once more changes nothing but adds a record that says so.
    accept(&journal, &second, &key).unwrap();
    assert_eq!(secured(&paths, &key), Some((52, NOW + 1)));
    journal.close().unwrap();
    assert_eq!(intact(&paths), 57);
    open(&paths).unwrap().close().unwrap();
    let kept: i64 = attacker(&paths)
        .query_row("SELECT count(*) FROM checkpoint WHERE cosig IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 2);
}

fn work_on(journal: &Journal, records: u32) {
    for _ in 0..records {
        journal.append(&entry(Event::Lock)).unwrap();
    }
}

#[test]
fn what_no_witness_of_this_station_signed_secures_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (mine, key) = witness(&directory.path().join("w"), &paths);
    let (other, _) = witness(&directory.path().join("o"), &paths);
    work(&journal, 2);
    let plain = request(&paths, 0);
    let note = plain.split_once("\n\n").unwrap().1;
    assert_eq!(accept(&journal, note, &key), Err(AnchorRefusal::NotCosigned));
    let foreign = other.sign(&plain, NOW).unwrap();
    assert_eq!(
        accept(&journal, &foreign, &key),
        Err(AnchorRefusal::NotCosigned),
        "another key of the same name"
    );
    let good = mine.sign(&plain, NOW).unwrap();
    let bent = format!("{}{}\n", good, good.lines().last().unwrap().replace("AAAA", "AAAB"));
    assert!(matches!(
        accept(&journal, &bent, &key),
        Err(AnchorRefusal::Cosignature(_) | AnchorRefusal::Foreign(_))
    ));

    // A log of another station, and one of this name with another key.
    for (origin, seed) in [("keylog.example.com/plant7/stn04/1", 1), ("keylog.example.com/plant7/stn03/1", 2)]
    {
        let text =
            note.split_once("\n\n").unwrap().0.replacen("keylog.example.com/plant7/stn03/1", origin, 1)
                + "\n";
        let signed = Signer::from_seed(origin, &[seed; 32]).sign(&text);
        assert!(matches!(accept(&journal, &signed, &key), Err(AnchorRefusal::Foreign(_))), "{origin}");
    }
    let before = Reader::open(&paths).unwrap().size().unwrap();
    assert_eq!((before, secured(&paths, &key)), (5, None), "none of them left a trace");
}

#[test]
fn an_old_cosignature_and_one_from_the_future_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let state = directory.path().join("w");
    let (witness, key) = witness(&state, &paths);
    work(&journal, 2);
    let first = witness.sign(&request(&paths, 0), NOW - 100).unwrap();
    accept(&journal, &first, &key).unwrap();
    drop(witness);
    copy(&state, &directory.path().join("old"));
    let witness = Witness::open(&state).unwrap();
    let second = witness.sign(&request(&paths, 5), NOW).unwrap();
    accept(&journal, &second, &key).unwrap();
    assert!(matches!(accept(&journal, &first, &key), Err(AnchorRefusal::Stale { known: 6, .. })));
    let late = witness.sign(&request(&paths, 6), NOW + 3600).unwrap();
    assert!(matches!(accept(&journal, &late, &key), Err(AnchorRefusal::AheadOfTime(_))));

    // The witness is brought back from yesterday's copy: it sees where the station's request begins.
    let set_back = Witness::open(&directory.path().join("old")).unwrap();
    assert!(matches!(set_back.sign(&request(&paths, 6), NOW), Err(Refusal::Conflict { old: 6, known: 5 })));
    // And what it signed before tells it.
    assert!(matches!(
        set_back.sign(&format!("old 5\n\n{second}"), NOW),
        Err(Refusal::RolledBack { cosigned: 6, known: 5 })
    ));
}

#[test]
fn a_copy_of_the_station_and_a_log_that_was_brought_back_are_found_out_and_put_down() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let (paths, journal) = begin(&here);
    work(&journal, 2);
    journal.close().unwrap();
    let there = directory.path().join("there");
    copy(&here, &there);
    let clone_paths = Paths::in_dir(&there);
    let (witness, key) = witness(&directory.path().join("w"), &paths);

    let clone = open(&clone_paths).unwrap();
    work_on(&clone, 3);
    let theirs = witness.sign(&request(&clone_paths, 0), NOW).unwrap();
    accept(&clone, &theirs, &key).unwrap();
    // This one has fewer records than its key has signed for.
    let journal = open(&paths).unwrap();
    assert_eq!(accept(&journal, &theirs, &key), Err(AnchorRefusal::Ahead { size: 8, log: 5 }));
    // And, as soon as it has as many, others.
    work_on(&journal, 4);
    assert_eq!(accept(&journal, &theirs, &key), Err(AnchorRefusal::Forked { size: 8 }));
    assert!(matches!(witness.sign(&request(&paths, 8), NOW), Err(Refusal::Proof { .. })));
    journal.close().unwrap();
    let mut why = Vec::new();
    Reader::open(&paths)
        .unwrap()
        .records(.., None, |record| {
            if record.event() == "integrity.fail" {
                why.push(record.text("why").unwrap().into_owned());
                assert!(theirs.starts_with(&*record.text("note").unwrap()));
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(why, ["checkpoint-ahead", "checkpoint-forked"]);
}

/// Whoever has the signing key can write another past, with a database and a head that agree, but not under the cosignature.
#[test]
fn another_past_signed_by_the_stations_own_key_is_seen_under_the_cosignature() {
    let file = vectors("audit-log.json");
    let signer = || Signer::from_seed(text(&file, "origin"), &bytes(text(&file, "seed")).try_into().unwrap());
    let make = |directory: &Path, records: u32| {
        std::fs::create_dir(directory).unwrap();
        let paths = Paths::in_dir(directory);
        let clock = crate::support::Steady::new();
        let journal = Journal::create_signed_by(&paths, signer(), &actor(), clock).unwrap();
        work_on(&journal, records);
        (paths, journal)
    };
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = make(&directory.path().join("true"), 5);
    let (witness, key) = witness(&directory.path().join("w"), &paths);
    let cosigned = witness.sign(&request(&paths, 0), NOW).unwrap();
    accept(&journal, &cosigned, &key).unwrap();
    journal.close().unwrap();
    let (false_paths, false_journal) = make(&directory.path().join("false"), 4);
    work(&false_journal, 3);
    false_journal.close().unwrap();
    // The attacker leaves the row of the witness, so that the screen still says "secured".
    let (note, cosig) = cosigned.split_at(cosigned.find("\u{2014} witness").unwrap());
    attacker(&false_paths)
        .execute("INSERT INTO checkpoint (size, note, cosig) VALUES (6, ?1, ?2)", (note, cosig))
        .unwrap();
    assert!(matches!(open(&false_paths), Err(OpenError::Integrity(Finding::CosignedRoot { size: 6 }))));
    assert_eq!(findings(&false_paths), [Finding::CosignedRoot { size: 6 }]);
    assert_eq!(findings(&paths), []);
}
