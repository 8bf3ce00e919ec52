//! Bundles and proof files, held against the vectors that another hand made, and against the document.

use std::collections::BTreeMap;

use keystation_audit::{
    Checkpoint, Frontier, Hash, Journal, Paths, ReadError, Reader, Selection, Snapshot, WitnessKey, leaf_hash,
};
use keystation_core::failure::Code;
use keystation_core::record::{Event, Holds};
use serde_json::Value;

use crate::anchor::{NOW, request, witness};
use crate::example::{RID, written};
use crate::support::{actor, attacker, begin, closed, copy, entry, follow, id, intent, outcome, work};
use crate::vectors::{bytes, text, vectors};

type Files = BTreeMap<String, Vec<u8>>;

/// Every file of a bundle, by path; no path is told twice.
fn files(
    make: impl FnOnce(&mut dyn FnMut(&str, &[u8]) -> Result<(), ReadError>) -> Result<u64, ReadError>,
) -> (Files, u64) {
    let mut files = Files::new();
    let count = make(&mut |path, bytes| {
        assert_eq!(files.insert(path.to_owned(), bytes.to_owned()), None, "{path} twice");
        Ok(())
    });
    (files, count.unwrap())
}

fn whole(snapshot: &Snapshot<'_>, witnesses: &[WitnessKey]) -> Files {
    let (files, count) = files(|write| snapshot.bundle(witnesses, write));
    assert_eq!(count, snapshot.checkpoint().size);
    files
}

fn selected(snapshot: &Snapshot<'_>, selection: &Selection) -> (Files, u64) {
    files(|write| snapshot.bundle_of(selection, &[], write))
}

/// The files of a bundle of the vectors, but for the README, which is for people.
fn expected(file: &Value, kind: &str) -> Files {
    let files = file[kind].as_object().unwrap().iter().filter(|(path, _)| *path != "README");
    let bytes = |path: &str, value: &str| if path.starts_with("tile/") { bytes(value) } else { value.into() };
    files.map(|(path, value)| (path.clone(), bytes(path, value.as_str().unwrap()))).collect()
}

#[test]
fn bundle_selection_and_proof_of_the_example_are_those_of_the_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, _journal, _) = written(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let file = vectors("audit-bundle.json");
    assert_eq!(whole(&snapshot, &[]), expected(&file, "whole"));
    for selection in [
        Selection::Device(id(RID)),
        Selection::Job("WO-44192".to_owned()),
        Selection::Period { from: 1_795_313_649_500, until: 1_795_313_649_501 },
    ] {
        assert_eq!(selected(&snapshot, &selection), (expected(&file, "selection"), 2), "{selection:?}");
    }
    assert_eq!(snapshot.proof_file(&id(RID)).unwrap().unwrap(), text(&file, "proof"));
    assert_eq!(snapshot.proof_file(&id("sn-0")).unwrap(), None);
}

#[test]
fn what_is_not_in_the_log_is_not_selected() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, _journal, _) = written(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let (begin, end) = (1_795_313_643_123, 1_795_313_652_000);
    let period = |from, until| selected(&snapshot, &Selection::Period { from, until }).1;
    assert_eq!(period(begin, end + 1), 5);
    assert_eq!(period(begin + 1, end), 3, "neither the genesis nor the end");
    assert_eq!(period(end + 1, i64::MAX), 0);
    assert_eq!(period(i64::MIN, i64::MAX), 5);
    let (files, count) = selected(&snapshot, &Selection::Job("WO-1".to_owned()));
    assert_eq!(count, 0);
    assert_eq!(
        files.keys().filter(|path| path.starts_with("records/")).collect::<Vec<_>>(),
        ["records/0.json"]
    );
}

/// What a verifier has to do with a whole bundle, as the document says it, without this program's tiles.
fn check_whole(files: &Files) -> Checkpoint {
    let key = text_of(files, "log.vkey").trim_end().parse().unwrap();
    let now = Checkpoint::open(text_of(files, "checkpoint"), &key).unwrap();
    let mut level: Vec<Hash> = Vec::new();
    let mut called_for = 3;
    for (index, width) in widths(now.size) {
        let mut rest = &files[&name("entries", index, width)][..];
        for _ in 0..width {
            let (length, tail) = rest.split_at(2);
            let (body, tail) = tail.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])));
            level.push(leaf_hash(body));
            rest = tail;
        }
        assert!(rest.is_empty());
        called_for += 1;
    }
    let mut tree = Frontier::default();
    level.iter().for_each(|leaf| tree.add(*leaf));
    assert_eq!((tree.size(), tree.root()), (now.size, now.root));
    for number in 0.. {
        for (index, width) in widths(level.len() as u64) {
            let first = usize::try_from(index * 256).unwrap();
            let hashes = level[first..first + usize::try_from(width).unwrap()].as_flattened();
            assert_eq!(
                files[&name(&number.to_string(), index, width)],
                hashes,
                "level {number}, tile {index}"
            );
            called_for += 1;
        }
        level = level.chunks_exact(256).map(root).collect();
        if level.is_empty() {
            break;
        }
    }
    called_for += files.keys().filter(|path| path.starts_with("checkpoints/")).count();
    assert_eq!(files.len(), called_for, "nothing that is not called for");
    now
}

fn root(hashes: &[Hash]) -> Hash {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.add(*hash));
    tree.root()
}

fn text_of<'f>(files: &'f Files, path: &str) -> &'f str {
    str::from_utf8(&files[path]).unwrap()
}

/// Number and width of each tile over `hashes` hashes.
fn widths(hashes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..hashes.div_ceil(256)).map(move |index| (index, (hashes - 256 * index).min(256)))
}

/// For numbers below 1000.
fn name(level: &str, index: u64, width: u64) -> String {
    assert!(index < 1000);
    let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
    format!("tile/{level}/{index:03}{partial}")
}

/// Appends records of one event until there are `size`, many at a time.
fn grow(journal: &Journal, from: u64, size: u64, event: &Event) {
    std::thread::scope(|scope| {
        for slot in 0..32 {
            scope.spawn(move || {
                for _ in (from..size).filter(|number| number % 32 == slot) {
                    journal.append(&entry(event.clone())).unwrap();
                }
            });
        }
    });
}

#[test]
fn bundles_of_every_shape_of_a_tree_are_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let mut size = 1;
    for next in [1, 2, 3, 255, 256, 257, 511, 512, 513, 1023] {
        grow(&journal, size, next, &Event::Unlock { custody: "sealed-file" });
        size = next;
        let reader = Reader::open(&paths).unwrap();
        let snapshot = reader.snapshot().unwrap();
        assert_eq!(check_whole(&whole(&snapshot, &[])).size, size);
    }
}

/// Over 65536 records the tiles have a third level.
#[test]
fn a_bundle_of_three_levels_of_tiles_is_whole_and_its_parts_lead_to_the_root() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let device = |rid: &str| {
        let seq = journal.append(&entry(follow(&journal, intent(rid)))).unwrap();
        journal.append(&entry(Event::Result(outcome(rid, seq, Holds::New)))).unwrap();
    };
    device("sn-first");
    grow(&journal, 3, 65_000, &Event::Unlock { custody: "sealed-file" });
    device("sn-middle");
    grow(&journal, 65_002, 66_000, &Event::Unlock { custody: "sealed-file" });
    device("sn-last");
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let files = whole(&snapshot, &[]);
    assert_eq!(check_whole(&files).size, 66_002);
    assert_eq!(files["tile/2/000.p/1"].len(), 32);

    for (rid, records, full) in [
        ("sn-first", ["records/1.json", "records/2.json"], vec!["tile/0/000", "tile/1/000"]),
        (
            "sn-middle",
            ["records/65000.json", "records/65001.json"],
            vec!["tile/0/000", "tile/0/253", "tile/1/000"],
        ),
        ("sn-last", ["records/66000.json", "records/66001.json"], vec!["tile/0/000", "tile/1/000"]),
    ] {
        let (part, count) = selected(&snapshot, &Selection::Device(id(rid)));
        assert_eq!(count, 2);
        let mut paths = vec!["checkpoint", "log.vkey", "witness.vkeys", "records/0.json"];
        paths.extend(records);
        paths.extend(full);
        paths.extend(["tile/0/257.p/210", "tile/1/001.p/1", "tile/2/000.p/1"]);
        paths.sort_unstable();
        assert_eq!(part.keys().collect::<Vec<_>>(), paths, "{rid}");
        for (path, bytes) in part.iter().filter(|(path, _)| path.starts_with("tile/")) {
            assert_eq!(bytes, &files[path], "a tile is the same in both");
        }
        assert!(snapshot.proof_file(&id(rid)).unwrap().is_some());
    }
}

#[test]
fn a_bundle_is_of_one_moment_while_the_log_grows() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 10);
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let before = whole(&snapshot, &[]);
    let mut grown = false;
    let (meanwhile, _) = files(|write| {
        snapshot.bundle(&[], |path, bytes| {
            if !std::mem::replace(&mut grown, true) {
                work(&journal, 1);
            }
            write(path, bytes)
        })
    });
    assert_eq!(meanwhile, before);
    drop(snapshot);
    let after = whole(&reader.snapshot().unwrap(), &[]);
    let (old, new) = (check_whole(&before), check_whole(&after));
    assert_eq!((old.size, new.size), (21, 23));
    let entries = |files: &Files, width| files[&name("entries", 0, width)].clone();
    assert!(entries(&after, 23).starts_with(&entries(&before, 21)));
}

#[test]
fn what_witnesses_signed_is_in_the_bundle() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(&directory.path().join("."));
    let (witness, key) = witness(&directory.path().join("w"), &paths);
    let keys = std::slice::from_ref(&key);
    work(&journal, 2);
    let cosigned = witness.sign(&request(&paths, 0), NOW).unwrap();
    journal.anchor(&actor(), &cosigned, keys).unwrap();
    let reader = Reader::open(&paths).unwrap();
    let files = whole(&reader.snapshot().unwrap(), keys);
    assert_eq!(text_of(&files, "checkpoints/5"), cosigned);
    assert_eq!(text_of(&files, "witness.vkeys"), format!("{key}\n"));
    assert_eq!(check_whole(&files).size, 6);
    assert_eq!(key.cosigned_at(text_of(&files, "checkpoint")), Ok(None));

    // A station that was killed between the cosignature and the record of it: the newest checkpoint has the line.
    let newest = witness.sign(&request(&paths, 5), NOW + 1).unwrap();
    let line = newest.lines().last().unwrap();
    attacker(&paths).execute("UPDATE checkpoint SET cosig = ?1 || char(10) WHERE size = 6", [line]).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let files = whole(&snapshot, keys);
    assert_eq!(text_of(&files, "checkpoint"), newest);
    assert_eq!(files.keys().filter(|path| path.starts_with("checkpoints/")).count(), 1);
    assert!(snapshot.proof_file(&id("sn-0000")).unwrap().unwrap().ends_with(&newest));
    let (part, _) = selected(&snapshot, &Selection::Device(id("sn-0000")));
    assert_eq!(text_of(&part, "checkpoint"), newest);
    assert!(!part.keys().any(|path| path.starts_with("checkpoints/")), "only the whole bundle can show them");
}

/// Rows that somebody wrote into the database: a verifier would refuse all of the bundle for each.
#[test]
fn checkpoints_that_no_witness_signed_are_not_handed_over() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(&directory.path().join("."));
    let (witness, key) = witness(&directory.path().join("w"), &paths);
    work(&journal, 2);
    let early = journal.checkpoint().unwrap();
    let cosigned = witness.sign(&request(&paths, 0), NOW).unwrap();
    journal.anchor(&actor(), &cosigned, std::slice::from_ref(&key)).unwrap();
    let reader = Reader::open(&paths).unwrap();
    let made = |paths: &Paths| {
        let reader = Reader::open(paths).unwrap();
        let snapshot = reader.snapshot()?;
        snapshot.bundle(std::slice::from_ref(&key), |_, _| Ok::<_, ReadError>(()))
    };
    assert_eq!(made(&paths).unwrap(), 6);
    let line = cosigned.lines().last().unwrap();
    let other = reader.snapshot().unwrap().note().to_owned();
    for (size, note, cosig) in [
        (3, early.as_str(), line),
        (3, "none\n\n", line),
        (5, early.as_str(), &line.replace("AAAA", "AAAB")),
        (6, other.as_str(), line),
        (6, other.as_str(), "no line"),
    ] {
        let changed = tempfile::tempdir().unwrap();
        copy(directory.path(), changed.path());
        let paths = Paths::in_dir(changed.path());
        let sql = "INSERT OR REPLACE INTO checkpoint (size, note, cosig) VALUES (?1, ?2, ?3 || char(10))";
        attacker(&paths).execute(sql, (size, note, cosig)).unwrap();
        let made = made(&paths);
        assert!(matches!(made, Err(ReadError::Damaged(_))), "{size} {note} {cosig}: {made:?}");
    }
}

#[test]
fn a_proof_that_a_verifier_would_find_too_long_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let refused = |port: usize| Event::Refuse {
        code: Code::AlreadyKeyed,
        port: "p".repeat(port),
        identity: None,
        id: Some(id("sn-1")),
        job: String::new(),
    };
    let made = || Reader::open(&paths).unwrap().snapshot().unwrap().proof_file(&id("sn-1"));
    let mut length = 0;
    // Records almost as long as they may be, so that not so many are needed.
    grow(&journal, 0, 2000, &refused(3600));
    let end = loop {
        grow(&journal, 0, 500, &refused(3600));
        match made() {
            Ok(file) => length = file.unwrap().len(),
            Err(end) => break end,
        }
    };
    assert!(matches!(end, ReadError::ProofTooLong(device) if device == id("sn-1")));
    assert!((13 << 20..=16 << 20).contains(&length), "{length}");
}

/// What was done to the database, and which of whole bundle, selection and proof of the device of record 7 it makes fail.
#[test]
fn a_log_that_was_changed_is_not_handed_over() {
    let directory = tempfile::tempdir().unwrap();
    let good = directory.path();
    closed(good, 300);
    for (change, fails) in [
        (
            "UPDATE log SET body = CAST(replace(body, 'op-0117', 'op-0118') AS BLOB) WHERE seq = 7",
            [true, true, true],
        ),
        (
            "UPDATE log SET body = CAST(replace(body, 'op-0117', 'op-0118') AS BLOB) WHERE seq = 9",
            [true, false, false],
        ),
        ("UPDATE log SET leaf = zeroblob(32) WHERE seq = 7", [false, true, false]),
        ("UPDATE log SET leaf = zeroblob(32) WHERE seq = 20", [false, true, false]),
        ("UPDATE log SET leaf = zeroblob(32) WHERE seq = 520", [false, true, false]),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 8", [false, true, true]),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND idx = 0", [false, false, true]),
        ("UPDATE sighting SET rid = 'sn-0003' WHERE seq = 9", [false, false, true]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        copy(good, directory.path());
        let paths = Paths::in_dir(directory.path());
        let triggers = "DROP TRIGGER log_no_update; DROP TRIGGER node_no_update;";
        attacker(&paths).execute_batch(&format!("{triggers} {change}")).unwrap();
        let reader = Reader::open(&paths).unwrap();
        let snapshot = reader.snapshot().unwrap();
        let device = id("sn-0003");
        let failed = |result: Result<u64, ReadError>| matches!(result, Err(ReadError::Damaged(_)));
        let ignore = |_: &str, _: &[u8]| Ok(());
        let came = [
            failed(snapshot.bundle(&[], ignore)),
            failed(snapshot.bundle_of(&Selection::Device(device.clone()), &[], ignore)),
            failed(snapshot.proof_file(&device).map(|_| 0)),
        ];
        assert_eq!(came, fails, "{change}");
    }
}
