//! Who is behind an operator ID: a small table beside the log, and the one thing at a station that can be erased.
//!
//! The log holds IDs only and can never forget. A name is kept here, in a file of its own, so that it can be taken
//! away when its owner asks for that, and the log stays whole.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

/// `KSNM` (<https://sqlite.org/pragma.html#pragma_application_id>).
const APPLICATION_ID: i64 = 0x4b53_4e4d;
const USER_VERSION: i64 = 1;

/// The table of names.
pub struct Names {
    conn: Connection,
}

/// Names that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The file is another one, or of a newer program.
    #[error("{} is not a table of names that this program knows", .0.display())]
    NotNames(PathBuf),
    /// The file cannot be made.
    #[error("{} cannot be made", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// SQLite failed.
    #[error("the table of names cannot be used")]
    Database(#[from] rusqlite::Error),
}

impl Names {
    /// Opens the table, or makes an empty one that only its owner can read.
    pub fn open(path: &Path) -> Result<Self, NamesError> {
        if !path.exists() {
            let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
            made.map_err(|cause| NamesError::File { path: path.to_owned(), cause })?;
        }
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match marks(&conn)? {
            (0, 0) if is_blank(&conn)? => {
                // Before the first name is written, and never on a file that belongs to others.
                leave_no_trace(&conn)?;
                conn.execute_batch(&format!(
                    "BEGIN IMMEDIATE;
                     PRAGMA application_id = {APPLICATION_ID};
                     PRAGMA user_version = {USER_VERSION};
                     CREATE TABLE IF NOT EXISTS person (operator TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
                     COMMIT;"
                ))?;
            }
            known => expect_ours(known, path)?,
        }
        leave_no_trace(&conn)?;
        Ok(Self { conn })
    }

    /// Opens the table for reading; `None` where there is none.
    pub fn open_read_only(path: &Path) -> Result<Option<Self>, NamesError> {
        if !path.exists() {
            return Ok(None);
        }
        // Read-write for SQLite's sake, which has to undo what a killed program left half-done.
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
        let found = marks(&conn)?;
        if found == (0, 0) && is_blank(&conn)? {
            // Killed before there was a table.
            return Ok(None);
        }
        expect_ours(found, path)?;
        leave_no_trace(&conn)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(Some(Self { conn }))
    }

    /// Gives an operator ID a name, in the place of the one that it had. What it had is gone from the file afterwards.
    pub fn set(&self, operator: &str, name: &str) -> Result<(), NamesError> {
        self.conn.execute(
            "INSERT INTO person (operator, name) VALUES (?1, ?2)
             ON CONFLICT (operator) DO UPDATE SET name = excluded.name",
            (operator, name),
        )?;
        self.tidy()
    }

    /// Takes the name of an operator ID away; returns whether there was one. It is gone from the file afterwards, also
    /// where an earlier change was cut short.
    pub fn forget(&self, operator: &str) -> Result<bool, NamesError> {
        let gone = self.conn.execute("DELETE FROM person WHERE operator = ?1", [operator])?;
        self.tidy()?;
        Ok(gone > 0)
    }

    /// The name of an operator ID.
    pub fn name(&self, operator: &str) -> Result<Option<String>, NamesError> {
        let name = self
            .conn
            .prepare_cached("SELECT name FROM person WHERE operator = ?1")?
            .query_row([operator], |row| row.get(0))
            .optional()?;
        Ok(name)
    }

    /// Operator IDs and their names, by ID.
    pub fn all(&self) -> Result<Vec<(String, String)>, NamesError> {
        let mut statement =
            self.conn.prepare_cached("SELECT operator, name FROM person ORDER BY operator")?;
        let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(all)
    }

    /// Writes the file anew. `secure_delete` overwrites what is deleted, and not what was moved within a page.
    fn tidy(&self) -> Result<(), NamesError> {
        self.conn.execute_batch("VACUUM")?;
        Ok(())
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.pragma_update(None, "trusted_schema", 0)?;
    Ok(conn)
}

/// A write-ahead log would keep a name after it is gone from the database; a rollback journal goes with its transaction.
/// Temporary tables stay in memory, where VACUUM would put a copy into a folder of the system.
fn leave_no_trace(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.pragma_update(None, "secure_delete", 1)?;
    conn.pragma_update(None, "temp_store", 2)?;
    conn.pragma_update(None, "synchronous", 3)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
        return Err(rusqlite::Error::SqliteFailure(code, Some("the table of names keeps a log".to_owned())));
    }
    Ok(())
}

fn marks(conn: &Connection) -> Result<(i64, i64), rusqlite::Error> {
    let value = |name| conn.pragma_query_value(None, name, |row| row.get(0));
    Ok((value("application_id")?, value("user_version")?))
}

/// Whether there is nothing in the file yet.
fn is_blank(conn: &Connection) -> Result<bool, rusqlite::Error> {
    conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn expect_ours(found: (i64, i64), path: &Path) -> Result<(), NamesError> {
    if found == (APPLICATION_ID, USER_VERSION) { Ok(()) } else { Err(NamesError::NotNames(path.to_owned())) }
}
