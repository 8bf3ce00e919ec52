//! Names: the one thing that can be erased, and is gone when it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keystation_audit::{Names, NamesError};

use crate::support::{begin, work};

/// The files below `directory` that hold these bytes.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| fs::read(path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_name_that_is_forgotten_is_in_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let (_paths, journal) = begin(directory.path());
    let path = directory.path().join("names.db");
    let names = Names::open(&path).unwrap();
    // Enough for pages that are split and merged, which leaves copies behind in pages that live on.
    let name = |number: u32| format!("Person {number:04} {}", "Überlänge ".repeat((number % 17) as usize));
    for number in 0..120 {
        names.set(&format!("op-{number:04}"), &name(number)).unwrap();
    }
    assert_eq!(holding(directory.path(), "Person 0042"), ["names.db"], "the search finds what is there");
    work(&journal, 5);
    for number in (0..120).filter(|number| number % 3 != 0) {
        assert!(names.forget(&format!("op-{number:04}")).unwrap());
        assert_eq!(holding(directory.path(), &format!("Person {number:04}")), Vec::<String>::new());
    }
    names.set("op-0042", "Another").unwrap();
    assert_eq!(holding(directory.path(), "Person 0042"), Vec::<String>::new(), "a name that was replaced");
    assert!(!names.forget("op-0001").unwrap(), "it has none any more");
    assert_eq!(names.all().unwrap().len(), 40);
    assert_eq!(names.name("op-0042").unwrap().as_deref(), Some("Another"));
    assert_eq!(names.name("op-0003").unwrap(), Some(name(3)));
    assert_eq!(names.name("op-0001").unwrap(), None);
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(!files.iter().any(|f| f.to_str().unwrap().starts_with("names.db-")), "{files:?}");
}

#[test]
fn names_are_kept_for_their_owner_and_looked_at_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("names.db");
    assert!(Names::open_read_only(&path).unwrap().is_none());
    assert!(!path.exists(), "looking makes nothing");
    Names::open(&path).unwrap().set("op-0117", "Ada Lovelace").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let reader = Names::open_read_only(&path).unwrap().unwrap();
    assert_eq!(reader.all().unwrap(), [("op-0117".to_owned(), "Ada Lovelace".to_owned())]);
    assert!(matches!(reader.set("op-0117", "Somebody else"), Err(NamesError::Database(_))));
    assert_eq!(Names::open(&path).unwrap().name("op-0117").unwrap().as_deref(), Some("Ada Lovelace"));
}

#[test]
fn another_database_is_refused_and_left_alone() {
    let (directory, paths) = crate::support::pristine();
    let before = fs::read(&paths.db).unwrap();
    assert!(Names::open(&paths.db).is_err());
    assert!(Names::open_read_only(&paths.db).is_err());
    assert_eq!(fs::read(&paths.db).unwrap(), before);

    let foreign = directory.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(Names::open(&foreign), Err(NamesError::NotNames(_))));
    assert!(matches!(Names::open_read_only(&foreign), Err(NamesError::NotNames(_))));

    // A program that was killed before it made the table.
    let path = directory.path().join("names.db");
    fs::write(&path, "").unwrap();
    assert!(Names::open_read_only(&path).unwrap().is_none());
    drop(Names::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert!(matches!(Names::open(&path), Err(NamesError::NotNames(_))));
}
