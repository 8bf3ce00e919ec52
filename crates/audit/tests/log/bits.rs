//! One bit at a time. The samples are the same in every run.

use std::fs;
use std::path::Path;

use keystation_audit::{Paths, Reader, Verdict};

use crate::support::{begin, closed, copy, open, work};

/// Splitmix64 (Steele, Lea, Flood 2014): the same samples everywhere, without a dependency.
struct Samples(u64);

impl Samples {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }
}

/// Everything that is in the log, as far as it can be read.
fn content(paths: &Paths) -> Option<Vec<String>> {
    let conn =
        rusqlite::Connection::open_with_flags(&paths.db, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let mut all = Vec::new();
    for sql in [
        "SELECT seq, hex(body), hex(leaf) FROM log ORDER BY seq",
        "SELECT level, idx, hex(hash) FROM node ORDER BY level, idx",
        "SELECT size, note, coalesce(cosig, '') || coalesce(anchors, '') FROM checkpoint ORDER BY size",
        "SELECT seq, t || '/' || mono, concat_ws('/', rid, mac, sn, job, op, gk, port, mode, code, rc, live) FROM sighting",
        "SELECT intent, seq, concat_ws('/', holds, rc, code, vmode, mono, later) FROM outcome",
        "SELECT rid, seq, '' FROM open_intent",
        "SELECT ev, rc, records || '/' || last FROM tally",
        "SELECT rid, seq, '' FROM checked",
        "SELECT user, seq, concat_ws('/', roles, active, cred, once, tries, try_boot, try_mono) FROM account",
        "SELECT gk, gkcv, concat_ws('/', grp, scope, slot, bytes, custody, how, state, op, op2, imported, changed) FROM group_key",
        "SELECT seq, cer, concat_ws('/', gk, gkcv, grp, scope, slot, part, user) FROM component",
        "SELECT name, sql, '' FROM sqlite_schema ORDER BY name",
    ] {
        let mut statement = conn.prepare(sql).ok()?;
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            all.push(format!(
                "{:?} {:?} {:?}",
                row.get_ref(0).ok()?,
                row.get_ref(1).ok()?,
                row.get_ref(2).ok()?
            ));
        }
    }
    Some(all)
}

/// Whether opening or verifying finds that something is wrong.
fn found(paths: &Paths) -> bool {
    let intact = Reader::open(paths).and_then(|reader| reader.verify());
    !matches!(intact, Ok(Verdict::Intact { .. })) || open(paths).is_err()
}

fn flip(path: &Path, byte: usize, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
}

/// Where `needle` begins in `hay`; it must be there.
fn place(hay: &[u8], needle: &[u8]) -> usize {
    hay.windows(needle.len()).position(|window| window == needle).unwrap()
}

#[test]
fn every_flip_in_a_record_a_hash_or_a_checkpoint_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 15);
    let conn = crate::support::attacker(&paths);
    let blobs = |sql| -> Vec<Vec<u8>> {
        let mut statement = conn.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    // A record may be longer than a page holds; its first kilobyte is in one piece.
    let kinds = [
        blobs("SELECT substr(body, 1, 1000) FROM log"),
        blobs("SELECT leaf FROM log"),
        blobs("SELECT hash FROM node"),
        blobs("SELECT CAST(note AS BLOB) FROM checkpoint"),
    ];
    drop(conn);
    let database = fs::read(&paths.db).unwrap();
    let mut samples = Samples(1);
    for (kind, blobs) in kinds.iter().enumerate() {
        for _ in 0..60 {
            let blob = &blobs[samples.below(blobs.len())];
            let byte = place(&database, blob) + samples.below(blob.len());
            let bit = samples.below(8);
            flip(&paths.db, byte, bit);
            assert!(found(&paths), "kind {kind}, byte {byte}, bit {bit}");
            fs::write(&paths.db, &database).unwrap();
        }
    }
    assert!(!found(&paths));
}

/// Anywhere in the file: a flip is found, or nothing that anybody reads has changed.
#[test]
fn every_flip_in_the_database_is_found_or_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 15);
    let before = content(&paths).unwrap();
    let database = fs::read(&paths.db).unwrap();
    let mut samples = Samples(2);
    let mut seen = 0;
    for _ in 0..2000 {
        let (byte, bit) = (samples.below(database.len()), samples.below(8));
        flip(&paths.db, byte, bit);
        let changed = content(&paths).as_ref() != Some(&before);
        let found = found(&paths);
        assert!(found || !changed, "byte {byte}, bit {bit}");
        seen += u32::from(found);
        for file in [paths.db.with_extension("db-wal"), paths.db.with_extension("db-shm")] {
            drop(fs::remove_file(file));
        }
        fs::write(&paths.db, &database).unwrap();
    }
    // A fifth of the file is used by what is looked at, for many a table has nothing here; if hardly a flip were found, the test would be looking elsewhere.
    assert!(seen > 320, "{seen}");
}

/// A station that was killed after `devices`: all that it wrote is in the write-ahead log.
struct Killed {
    directory: tempfile::TempDir,
    before: Vec<String>,
}

impl Killed {
    fn after(devices: u32) -> Self {
        let living = tempfile::tempdir().unwrap();
        let (_, journal) = begin(living.path());
        work(&journal, devices);
        let directory = tempfile::tempdir().unwrap();
        copy(living.path(), directory.path());
        let reference = tempfile::tempdir().unwrap();
        copy(directory.path(), reference.path());
        let before = content(&Paths::in_dir(reference.path())).unwrap();
        Self { directory, before }
    }

    fn log_length(&self) -> usize {
        fs::read(self.directory.path().join("audit.db-wal")).unwrap().len()
    }

    /// Whether what `spoil` does to the write-ahead log of a copy is of any consequence. It must then be found, or the next
    /// start puts back out of the tail what it hid, byte for byte.
    fn spoiled(&self, what: &str, spoil: impl FnOnce(&Path)) -> bool {
        let directory = tempfile::tempdir().unwrap();
        copy(self.directory.path(), directory.path());
        let paths = Paths::in_dir(directory.path());
        spoil(&paths.db.with_extension("db-wal"));
        // The index of the write-ahead log lives in memory; after a kill and a start it is made anew.
        drop(fs::remove_file(paths.db.with_extension("db-shm")));
        let changed = content(&paths).as_ref() != Some(&self.before);
        let found = found(&paths);
        assert!(found || content(&paths).as_ref() == Some(&self.before), "{what}");
        found || changed
    }
}

/// SQLite passes over a write-ahead log from the first frame whose checksum is wrong, and says nothing.
#[test]
fn every_flip_in_the_write_ahead_log_is_found_or_made_good() {
    let killed = Killed::after(15);
    let length = killed.log_length();
    let mut samples = Samples(3);
    let flips = (0..500).map(|_| (samples.below(length), samples.below(8)));
    let seen = flips
        .filter(|(byte, bit)| {
            killed.spoiled(&format!("byte {byte}, bit {bit}"), |log| flip(log, *byte, *bit))
        })
        .count();
    assert!(seen > 250, "{seen}");
}

/// Nor does it say anything when the end is missing.
#[test]
fn every_cut_of_the_write_ahead_log_is_found_or_made_good() {
    let killed = Killed::after(15);
    let length = killed.log_length();
    let mut samples = Samples(4);
    let seen = (0..100)
        .map(|_| samples.below(length))
        .filter(|rest| {
            killed.spoiled(&format!("{rest} bytes of {length}"), |log| {
                fs::File::options().write(true).open(log).unwrap().set_len(*rest as u64).unwrap();
            })
        })
        .count();
    // All but the cuts behind the last commit, of which there is none in a log that ends with one.
    assert_eq!(seen, 100);
}

#[test]
fn every_missing_write_ahead_log_is_found_or_made_good() {
    for devices in 1..=20 {
        let killed = Killed::after(devices);
        assert!(killed.spoiled(&format!("{devices} devices"), |log| fs::remove_file(log).unwrap()));
    }
}

/// The same rows in another order: all there for whoever reads the table, and lost for whoever looks one up.
#[test]
fn derived_rows_out_of_order_are_found() {
    let (_directory, paths) = crate::support::pristine();
    let conn = crate::support::attacker(&paths);
    let find = "SELECT rootpage FROM sqlite_schema WHERE name = 'outcome'";
    let root = conn.query_row(find, [], |row| row.get::<_, u16>(0)).unwrap();
    let page_size = conn.pragma_query_value(None, "page_size", |row| row.get::<_, u16>(0)).unwrap();
    drop(conn);
    let mut database = fs::read(&paths.db).unwrap();
    let (root, page_size) = (usize::from(root), usize::from(page_size));
    let page = &mut database[(root - 1) * page_size..root * page_size];
    // https://sqlite.org/fileformat2.html#b_tree_pages: a leaf of an index, its cell pointers from byte 8 on.
    assert_eq!(page[0], 0x0a);
    let (first, second) = page[8..12].split_at_mut(2);
    first.swap_with_slice(second);
    fs::write(&paths.db, database).unwrap();
    let derived = keystation_audit::Finding::Derived { table: "outcome" };
    assert!(crate::support::findings(&paths).contains(&derived));
}

/// The head is named, whatever became of its bytes: also where they are no text any more.
#[test]
fn every_changed_byte_of_the_head_is_a_finding() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 5);
    let head = fs::read(&paths.head).unwrap();
    for byte in 0..head.len() {
        for bit in [0, 7] {
            flip(&paths.head, byte, bit);
            let verdict = Reader::open(&paths).unwrap().verify().unwrap();
            assert!(matches!(verdict, Verdict::Damaged { .. }), "byte {byte}, bit {bit}: {verdict:?}");
            assert!(
                matches!(open(&paths), Err(keystation_audit::OpenError::Integrity(_))),
                "byte {byte}, bit {bit}"
            );
            fs::write(&paths.head, &head).unwrap();
        }
    }
}
