//! The database: how it is made, opened and recognised.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::files::FileError;
use crate::finding::Finding;
use crate::projection;
use crate::reader::ReadError;

const SCHEMA: &str = include_str!("schema.sql");
/// Structure 1, which found records by `device_record`.
const SCHEMA_1: &str = include_str!("schema-1.sql");
/// Structure 2, which knew nothing of people and group keys.
const SCHEMA_2: &str = include_str!("schema-2.sql");
/// Structure 3, which had no index of the records of people and group keys, and knew nothing of work orders.
const SCHEMA_3: &str = include_str!("schema-3.sql");

/// Structure 4, whose index did not have the records of work orders.
const SCHEMA_4: &str = include_str!("schema-4.sql");

/// Structure 5, which knew of no scrap but that of work orders.
const SCHEMA_5: &str = include_str!("schema-5.sql");

/// Structure 6, which asked nothing of batches of repair.
const SCHEMA_6: &str = include_str!("schema-6.sql");

/// `KSLG`: the file is a log of this program (<https://sqlite.org/pragma.html#pragma_application_id>).
const APPLICATION_ID: i64 = 0x4b53_4c47;

/// Counts the structures that the database had. A program refuses one that is newer than itself; an older one it
/// [upgrades](upgrade).
pub(crate) const USER_VERSION: i64 = 7;

/// How long a statement waits for another connection.
const BUSY: Duration = Duration::from_secs(5);

/// What a database is not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotThis {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("application_id is {0:#x}")]
    NotALog(i64),
    #[error("it has structure {0}, this program reads {USER_VERSION}: {way_out}", way_out = way_out(*.0))]
    Version(i64),
    #[error(transparent)]
    Structure(#[from] Finding),
}

const fn way_out(found: i64) -> &'static str {
    if found > USER_VERSION {
        "use the program that wrote it, or a newer one"
    } else {
        "an older one gets the new structure when the station opens it for writing: do that on a copy if it is evidence"
    }
}

/// Makes a database where there is none.
pub(crate) fn create(path: &Path) -> Result<Connection, rusqlite::Error> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    write_settings(&conn)?;
    conn.execute_batch(&format!(
        "BEGIN;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {USER_VERSION};
         {SCHEMA}
         COMMIT;"
    ))?;
    Ok(conn)
}

/// Opens the database of a log for writing. Until [`accept`] it and its WAL stay as they are, even when the connection
/// is closed: what is refused is evidence.
pub(crate) fn open(path: &Path) -> Result<Connection, NotThis> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    match recognise(&conn) {
        Err(NotThis::Version(1)) => check_against(&conn, SCHEMA_1)?,
        Err(NotThis::Version(2)) => check_against(&conn, SCHEMA_2)?,
        Err(NotThis::Version(3)) => check_against(&conn, SCHEMA_3)?,
        Err(NotThis::Version(4)) => check_against(&conn, SCHEMA_4)?,
        Err(NotThis::Version(5)) => check_against(&conn, SCHEMA_5)?,
        Err(NotThis::Version(6)) => check_against(&conn, SCHEMA_6)?,
        recognised => {
            recognised?;
            check_structure(&conn)?;
        }
    }
    write_settings(&conn)?;
    Ok(conn)
}

/// Gives a database that was [opened](open) the structure of this program, where it has an older one: the derived tables
/// are made anew, the records stay byte for byte what they are.
pub(crate) fn upgrade(conn: &mut Connection) -> Result<(), ReadError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == USER_VERSION {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    transaction.execute_batch(match version {
        1 => "DROP TABLE device_record; DROP TABLE open_intent; DROP TABLE tally;",
        2 => "DROP TABLE sighting; DROP TABLE outcome; DROP TABLE open_intent; DROP TABLE tally;",
        3 => {
            "DROP TABLE sighting; DROP TABLE outcome; DROP TABLE open_intent; DROP TABLE tally; DROP TABLE checked;
             DROP TABLE account; DROP TABLE group_key; DROP TABLE component;"
        }
        4 | 5 => {
            "DROP INDEX log_said;
             DROP TABLE sighting; DROP TABLE outcome; DROP TABLE open_intent; DROP TABLE tally; DROP TABLE checked;
             DROP TABLE account; DROP TABLE group_key; DROP TABLE component; DROP TABLE work_order; DROP TABLE scrap;"
        }
        _ => {
            "DROP INDEX log_said;
             DROP TABLE sighting; DROP TABLE outcome; DROP TABLE open_intent; DROP TABLE tally; DROP TABLE checked;
             DROP TABLE account; DROP TABLE group_key; DROP TABLE component; DROP TABLE work_order; DROP TABLE scrap;
             DROP TABLE retired; DROP TABLE cleanup;"
        }
    })?;
    let derived = SCHEMA.find("-- Derived from log").expect("the derived tables stand last in the schema");
    transaction.execute_batch(&SCHEMA[derived..])?;
    projection::rebuild(&transaction)?;
    transaction.pragma_update(None, "user_version", USER_VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// The database is the one that it should be. What a killed writer left in the WAL goes into it, and the WAL is cut to
/// nothing: so no checkpoint that was signed for records that were then not committed stays behind in it. Busy readers
/// only put that off: then it is `false`.
pub(crate) fn accept(conn: &Connection) -> Result<bool, rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// The same, waiting for no reader.
pub(crate) fn accept_unless_busy(conn: &Connection) -> Result<bool, rusqlite::Error> {
    conn.busy_timeout(Duration::ZERO)?;
    let accepted = accept(conn);
    conn.busy_timeout(BUSY)?;
    accepted
}

/// Opens the database of a log for reading, while another program may be writing it.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, NotThis> {
    let reading = |conn: Connection| {
        conn.pragma_update(None, "query_only", true)?;
        recognise(&conn)?;
        Ok(conn)
    };
    let opened = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(NotThis::from).and_then(reading);
    match opened {
        // A reader needs the shared memory beside the database. Who may write nothing there cannot make it, and does without
        // where nobody writes: then there is no write-ahead log, or an empty one.
        Err(NotThis::Sqlite(e)) if may_not_write(&e) && is_at_rest(path) => {
            let uri = format!("file:{}?immutable=1", escaped(path));
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            reading(connect(Path::new(&uri), flags)?)
        }
        opened => opened,
    }
}

fn may_not_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen))
}

fn is_at_rest(path: &Path) -> bool {
    let length = |path: &Path| std::fs::metadata(path).map(|found| found.len());
    length(path).is_ok() && length(&write_ahead_log(path)).unwrap_or(0) == 0
}

/// A path as a URI has it (<https://sqlite.org/uri.html>): every byte that is not plain as `%` and two digits.
fn escaped(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    let spell = |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().map(spell).collect()
}

/// From here on a commit does not wait for the disk: the records are flushed in the tail meanwhile ([`crate::tail`]), and the
/// transactions at each rest. NORMAL (1) keeps the database whole at every moment, and flushes what a later commit overwrites.
/// The WAL may become 16 MiB before it goes into the database: each time that takes two flushes and all pages that changed.
pub(crate) fn lean_on_tail(conn: &Connection) -> Result<(), rusqlite::Error> {
    [("synchronous", 1), ("wal_autocheckpoint", 4000)]
        .into_iter()
        .try_for_each(|(name, value)| set(conn, name, value))
}

/// The write-ahead log of a database, which is there while a connection is open.
pub(crate) fn write_ahead_log(db: &Path) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// What was committed is on the disk.
pub(crate) fn sync(db: &Path) -> Result<(), FileError> {
    let wal = write_ahead_log(db);
    File::options()
        .write(true)
        .open(&wal)
        .and_then(|wal| wal.sync_data())
        .map_err(FileError::new("sync", &wal))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    // No URI: a path is a path. No mutex: a connection stays with one thread.
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Plans that do not look at the values: else SQLite plans some statements anew for each value, which takes longer than
    // to run them (<https://sqlite.org/queryplanner-ng.html#qpstab>).
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(32);
    for (name, value) in [("trusted_schema", 0), ("cell_size_check", 1), ("mmap_size", 0)] {
        set(&conn, name, value)?;
    }
    Ok(conn)
}

/// `synchronous = FULL` (2): in WAL mode it flushes each commit; NORMAL loses the last ones with the power.
fn write_settings(conn: &Connection) -> Result<(), rusqlite::Error> {
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(refused("journal_mode"));
    }
    [("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1), ("recursive_triggers", 1)]
        .into_iter()
        .try_for_each(|(name, value)| set(conn, name, value))
}

/// Sets a pragma and looks whether it holds: SQLite says nothing when it does not know one.
fn set(conn: &Connection, name: &str, value: i64) -> Result<(), rusqlite::Error> {
    conn.pragma_update(None, name, value)?;
    let held: Option<i64> = match conn.pragma_query_value(None, name, |row| row.get(0)) {
        Ok(held) => Some(held),
        // Compiled without memory mapping, which is as good as a size of 0.
        Err(rusqlite::Error::QueryReturnedNoRows) if name == "mmap_size" => Some(0),
        Err(e) => return Err(e),
    };
    if held == Some(value) { Ok(()) } else { Err(refused(name)) }
}

fn refused(pragma: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
    rusqlite::Error::SqliteFailure(code, Some(format!("SQLite does not hold `PRAGMA {pragma}`")))
}

fn recognise(conn: &Connection) -> Result<(), NotThis> {
    let value = |name| conn.pragma_query_value(None, name, |row| row.get(0));
    match value("application_id")? {
        APPLICATION_ID => {}
        other => return Err(NotThis::NotALog(other)),
    }
    match value("user_version")? {
        USER_VERSION => Ok(()),
        other => Err(NotThis::Version(other)),
    }
}

/// Compares tables, triggers and indexes with those that [`create`] makes: a trigger that is gone or came in would
/// change what a later statement does.
pub(crate) fn check_structure(conn: &Connection) -> Result<(), NotThis> {
    check_against(conn, SCHEMA)
}

fn check_against(conn: &Connection, schema: &str) -> Result<(), NotThis> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(schema)?;
    let (expected, found) = (structure(&fresh)?, structure(conn)?);
    if expected == found {
        return Ok(());
    }
    let differs = |(name, sql): &&(String, Option<String>), other: &[(String, Option<String>)]| {
        !other.iter().any(|(n, s)| n == name && s == sql)
    };
    let name = expected
        .iter()
        .find(|row| differs(row, &found))
        .or(found.iter().find(|row| differs(row, &expected)))
        .map_or_else(String::new, |(name, _)| name.clone());
    Err(Finding::Structure { name }.into())
}

fn structure(conn: &Connection) -> Result<Vec<(String, Option<String>)>, rusqlite::Error> {
    conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(conn: &Connection, name: &str) -> i64 {
        conn.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    #[test]
    fn writing_connection_holds_what_durability_rests_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        for conn in [create(&path).unwrap(), open(&path).unwrap()] {
            let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
            let pragmas = [
                ("synchronous", 2),
                ("foreign_keys", 1),
                ("secure_delete", 1),
                ("recursive_triggers", 1),
                ("trusted_schema", 0),
                ("cell_size_check", 1),
            ];
            for (name, value) in pragmas {
                assert_eq!(held(&conn, name), value, "{name}");
            }
            assert!(conn.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
        }
    }

    #[test]
    fn reading_connection_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        drop(create(&path).unwrap());
        let conn = open_read_only(&path).unwrap();
        assert!(conn.execute("INSERT INTO tally VALUES ('', '', 0, 0)", []).is_err());
        assert_eq!((held(&conn, "query_only"), held(&conn, "trusted_schema")), (1, 0));
        // Opened read-only, too: a statement that takes the one bolt away finds the other.
        conn.pragma_update(None, "query_only", false).unwrap();
        assert!(conn.execute("INSERT INTO tally VALUES ('', '', 0, 0)", []).is_err());
        assert!(open_read_only(&directory.path().join("none.db")).is_err());
        assert!(!directory.path().join("none.db").exists());
    }

    #[test]
    fn pragma_that_sqlite_does_not_know_is_an_error() {
        let conn = Connection::open_in_memory().unwrap();
        assert!(set(&conn, "synchronouse", 2).is_err());
        assert!(write_settings(&conn).is_err(), "a database in memory has no write-ahead log");
    }

    /// SQLite's WAL-reset corruption was mended in 3.51.3 (<https://sqlite.org/wal.html#walresetbug>).
    #[test]
    fn sqlite_is_new_enough() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
