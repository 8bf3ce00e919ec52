//! Reading a log while another program may be writing it.

use std::ops::ControlFlow;
use std::ops::{Bound, RangeBounds};

use keystation_core::flow::Standing;
use keystation_core::key::Fingerprint;
use keystation_core::record::{Purpose, Seq};
use keystation_core::registration::RegistrationId;
use keystation_core::role::{Role, Roles};
use rusqlite::{Connection, Row, Transaction};

use crate::figures::{self, Figures};
use crate::files::{self, FileError, Paths};
use crate::finding::Finding;
use crate::head::Head;
use crate::note::{KeyError, VerifierKey};
use crate::record::{Record, RecordError};
use crate::said;
use crate::schema::{self, NotThis};
use crate::search::{self, Attempt, Field, Page, Query};
use crate::standing;
use crate::state;
use crate::verify::{self, Progress, Verdict};

/// A read-only connection of its own. Cheap to open; stays with one thread.
pub struct Reader {
    pub(crate) conn: Connection,
    pub(crate) paths: Paths,
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no database.
    #[error("there is no audit log at {}", .0.display())]
    NoLog(std::path::PathBuf),
    /// The database is gone, and something shows that there was one.
    #[error("{} is gone, but {} is there: records may be lost", missing.display(), present.display())]
    Gone {
        /// What is gone.
        missing: std::path::PathBuf,
        /// What shows that it was there.
        present: std::path::PathBuf,
    },
    /// It is not the database of a log that this program knows.
    #[error("{} is not an audit log that this program can read: {why}", path.display())]
    NotALog {
        /// The file.
        path: std::path::PathBuf,
        /// What it is.
        why: String,
    },
    /// SQLite failed.
    #[error("the audit database cannot be read")]
    Database(#[from] rusqlite::Error),
    /// A record is none.
    #[error("record {seq} is not a record: {why}")]
    NotARecord {
        /// Which.
        seq: Seq,
        /// Why not.
        why: RecordError,
    },
    /// A device has too many records for one file.
    #[error("the proof of {0} would be longer than 16 MiB")]
    ProofTooLong(RegistrationId),
    /// The log is not what its head and its checkpoint were signed for.
    #[error("the audit log was changed or damaged. {0}")]
    Damaged(Finding),
    /// A file beside the database failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The verifier key is missing or none.
    #[error("{} holds no verifier key: {why}", path.display())]
    Key {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: KeyError,
    },
}

/// A record taken out of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Where it stands.
    pub seq: Seq,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// An intent whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Its record.
    pub seq: Seq,
    /// The registration ID of the device that has to be seen again.
    pub rid: String,
}

/// Records of a log, by what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Outcomes of intents: the device proved that it holds the key.
    pub passed: u64,
    /// Outcomes of intents: it did not.
    pub failed: u64,
    /// Devices that were seen and not written to.
    pub refused: u64,
}

impl StoredRecord {
    /// Reads it.
    pub fn parse(&self) -> Result<Record<'_>, ReadError> {
        read(self.seq, &self.body)
    }
}

fn read(seq: Seq, body: &[u8]) -> Result<Record<'_>, ReadError> {
    Record::parse(body).map_err(|why| ReadError::NotARecord { seq, why })
}

impl Reader {
    /// Opens the database read-only. Reads nothing of the records yet.
    pub fn open(paths: &Paths) -> Result<Self, ReadError> {
        if !paths.db.exists() {
            let trace = [&paths.key, &paths.head].into_iter().find(|file| file.exists());
            return Err(match trace {
                Some(present) => ReadError::Gone { missing: paths.db.clone(), present: present.clone() },
                None => ReadError::NoLog(paths.db.clone()),
            });
        }
        let conn = schema::open_read_only(&paths.db).map_err(|e| match e {
            NotThis::Sqlite(e) => ReadError::Database(e),
            other => ReadError::NotALog { path: paths.db.clone(), why: other.to_string() },
        })?;
        Ok(Self { conn, paths: paths.clone() })
    }

    /// One moment of a log that grows; none where the caller holds one, as of a [`snapshot`](Self::snapshot).
    pub(crate) fn moment(&self) -> Result<Option<Transaction<'_>>, rusqlite::Error> {
        self.conn.is_autocommit().then(|| self.conn.unchecked_transaction()).transpose()
    }

    /// Records in the log now.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(state::size(&self.conn)?)
    }

    /// Acknowledged records that are not in the database and lie in the tail of the head: a power cut took them, and the next
    /// start of the station puts them back. No reader sees them before. Where a station is at work there are none, except that
    /// its tail may be ahead of a reader for the moment in which a transaction is committed: none of these was acknowledged yet.
    pub fn only_in_tail(&self) -> Result<u64, ReadError> {
        // The head first: whatever it has by now, the database has a moment later.
        let head = Head::read(&self.paths, &self.verifier_key()?)??;
        Ok(head.size().saturating_sub(self.size()?))
    }

    /// Shows the records of `range` to `visit`, in the order of their numbers, until it breaks off; only those that name
    /// `id`, if there is one. One at a time: a log of any size needs no more memory than a small one.
    pub fn records(
        &self,
        range: impl RangeBounds<Seq>,
        id: Option<&RegistrationId>,
        mut visit: impl FnMut(&Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let (first, last) = limits(&range);
        let sql = match id {
            None => "SELECT seq, body FROM log WHERE seq BETWEEN ?1 AND ?2 AND ?3 IS NULL ORDER BY seq",
            Some(_) => {
                "SELECT seq, body FROM log WHERE seq BETWEEN ?1 AND ?2 AND seq IN (
                     SELECT seq FROM sighting WHERE rid = ?3
                     UNION ALL
                     SELECT outcome.seq FROM sighting CROSS JOIN outcome ON outcome.intent = sighting.seq
                     WHERE sighting.rid = ?3
                     UNION ALL
                     SELECT seq FROM checked WHERE rid = ?3
                     UNION ALL
                     SELECT seq FROM retired INDEXED BY retired_rid WHERE rid = ?3 AND rid <> ''
                     UNION ALL
                     SELECT restored FROM retired INDEXED BY retired_rid WHERE rid = ?3 AND rid <> '' AND restored IS NOT NULL
                     UNION ALL
                     SELECT seq FROM retired INDEXED BY retired_new WHERE new_rid = ?3 AND new_rid <> '' AND new_rid <> rid)
                 ORDER BY seq"
            }
        };
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query((first, last, id.map(RegistrationId::as_str)))?;
        while let Some(row) = rows.next()? {
            let seq = seq(row, 0)?;
            let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if visit(&read(seq, body)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The last `count` records, oldest first.
    pub fn recent(&self, count: u32) -> Result<Vec<StoredRecord>, ReadError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT seq, body FROM (SELECT seq, body FROM log ORDER BY seq DESC LIMIT ?1) ORDER BY seq",
        )?;
        let stored = |row: &Row<'_>| Ok(StoredRecord { seq: seq(row, 0)?, body: row.get(1)? });
        let records = statement.query_map([count], stored)?.collect::<Result<_, _>>()?;
        Ok(records)
    }

    /// The record with which a session began: its person signed in, or took over. Reads the records of people and keys, newest
    /// first; devices do not count. `None`: this log has no such session.
    pub fn session_began(&self, session: &str) -> Result<Option<Seq>, ReadError> {
        let mut statement = self.conn.prepare_cached(said::NEWEST_FIRST)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = seq(row, 0)?;
            let record = read(seq, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            let why = record.text("why").unwrap_or_default();
            let begins = [Purpose::SignIn, Purpose::HandOver].iter().any(|purpose| purpose.as_str() == why);
            if record.event() == "auth.ok" && begins && record.session() == session {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Whether `user` has or ever had `role`, in this log or when it took the account over. Reads the records of people and keys, newest
    /// first; devices do not count.
    pub fn ever_had(&self, user: &str, role: Role) -> Result<bool, ReadError> {
        let mut statement = self.conn.prepare_cached(said::NEWEST_FIRST)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = seq(row, 0)?;
            let record = read(seq, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            let gives = matches!(record.event(), "user.add" | "user.roles" | "carry.account");
            if gives && record.text("user").is_some_and(|of| of == user) {
                let roles = record.text("roles").and_then(|roles| roles.parse::<Roles>().ok());
                let why = RecordError::Field("roles");
                if roles.ok_or(ReadError::NotARecord { seq, why })?.has(role) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The intents whose outcome is not known, oldest first. See `docs/audit-format.md` for when an intent is open.
    pub fn open_intents(&self) -> Result<Vec<Unsettled>, ReadError> {
        let mut statement = self.conn.prepare_cached("SELECT seq, rid FROM open_intent ORDER BY seq")?;
        let unsettled = |row: &Row<'_>| Ok(Unsettled { seq: seq(row, 0)?, rid: row.get(1)? });
        let open = statement.query_map([], unsettled)?.collect::<Result<_, _>>()?;
        Ok(open)
    }

    /// What the log knows of a registration ID.
    pub fn standing(&self, id: &RegistrationId) -> Result<Standing, ReadError> {
        standing::standing(&self.conn, id)
    }

    /// The fingerprint of the key that a device was last known to hold.
    pub fn written_key(&self, id: &RegistrationId) -> Result<Option<Fingerprint>, ReadError> {
        Ok(self.standing(id)?.proved)
    }

    /// The work order or batch under which a device was keyed last, and the intent of that; `None`: it was not.
    pub fn keyed_under(&self, id: &RegistrationId) -> Result<Option<(String, Seq)>, ReadError> {
        let Some(keyed) = self.standing(id)?.keyed else { return Ok(None) };
        let intent = standing::intent_of(&self.conn, keyed)?;
        let job = standing::with_record(&self.conn, intent, |record| {
            Ok(record.text("job").unwrap_or_default().into_owned())
        })?;
        Ok(Some((job, intent)))
    }

    /// How many records of an event there are, and the newest one. Takes the same time in a log of any size.
    pub fn newest(&self, event: &str) -> Result<(u64, Option<Seq>), ReadError> {
        let sql = "SELECT coalesce(sum(records), 0), max(last) FROM tally WHERE ev = ?1";
        let row = |row: &Row<'_>| Ok((seq(row, 0)?, row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned)));
        Ok(self.conn.prepare_cached(sql)?.query_row([event], row)?)
    }

    /// Devices that were on a port, newest first by their time: at most `limit` of those that fit `query`, from the one
    /// after the record `before` on. Takes the same time at any page of a log of any size, as long as one field is
    /// searched by, with or without a period.
    pub fn search(&self, query: &Query, before: Option<Seq>, limit: u32) -> Result<Page, ReadError> {
        search::search(&self.conn, query, before, limit)
    }

    /// Shows everything that [`search`](Self::search) finds to `visit`, newest first, each with its own record, until
    /// `visit` fails. A page at a time: a log of any size needs no more memory than a small one. Whoever wants one
    /// moment of a log that grows holds a [`snapshot`](Self::snapshot) meanwhile.
    pub fn attempts<E: From<ReadError>>(
        &self,
        query: &Query,
        visit: impl FnMut(&Attempt, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        search::each(&self.conn, query, visit)
    }

    /// The first field in which some record has the value `word`.
    pub fn resolve(&self, word: &str) -> Result<Option<Field>, ReadError> {
        search::resolve(&self.conn, word)
    }

    /// What came of the attempts from `from` on and before `until` (UTC, milliseconds since 1970), of one work order or
    /// of all. Reads each attempt of the period.
    pub fn figures(&self, from: i64, until: i64, job: Option<&str>) -> Result<Figures, ReadError> {
        figures::figures(&self.conn, from, until, job)
    }

    /// Outcomes and refusals over the whole log.
    pub fn counts(&self) -> Result<Counts, ReadError> {
        let mut counts = Counts::default();
        for (event, rc, records) in self.tally()? {
            match (event.as_str(), rc.as_str()) {
                ("inject.result" | "inject.resolve", "ok") => counts.passed += records,
                ("inject.result" | "inject.resolve", _) => counts.failed += records,
                ("inject.refuse", _) => counts.refused += records,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// Event, outcome, and how many records have them.
    fn tally(&self) -> Result<Vec<(String, String, u64)>, ReadError> {
        let mut statement = self.conn.prepare_cached("SELECT ev, rc, records FROM tally")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, seq(row, 2)?)))?;
        let tally = rows.collect::<Result<_, _>>()?;
        Ok(tally)
    }

    /// Checks every record, every hash, both checkpoints and the derived tables, with the key in the file beside the
    /// database. Whoever has the key from elsewhere should use [`Reader::verify_with`]: the file could have been
    /// exchanged together with everything else.
    pub fn verify(&self) -> Result<Verdict, ReadError> {
        self.verify_with(&self.verifier_key()?)
    }

    /// The same with a key that the caller trusts.
    pub fn verify_with(&self, key: &VerifierKey) -> Result<Verdict, ReadError> {
        let verdict = self.verify_while(key, &mut |_| ControlFlow::Continue(()))?;
        Ok(verdict.expect("nobody broke it off"))
    }

    /// The same, told at its begin and from time to time how far it is; `None` when `watch` broke it off.
    pub fn verify_while(
        &self,
        key: &VerifierKey,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Verdict>, ReadError> {
        // The head first: a writer may go on meanwhile, and a log that is ahead of its head is as it should be.
        let head = Head::read(&self.paths, key)?;
        Ok(verify::verify(&self.conn, key, head, watch))
    }

    /// The key in the file beside the database.
    pub fn verifier_key(&self) -> Result<VerifierKey, ReadError> {
        let path = &self.paths.vkey;
        let text = files::read(path)?.unwrap_or_default();
        text.trim_end().parse().map_err(|why| ReadError::Key { path: path.clone(), why })
    }
}

fn seq(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// First and last number, as SQLite counts them.
fn limits(range: &impl RangeBounds<Seq>) -> (i64, i64) {
    let number = |seq: Seq| i64::try_from(seq).unwrap_or(i64::MAX);
    let first = match range.start_bound() {
        Bound::Included(seq) => number(*seq),
        Bound::Excluded(seq) => number(seq.saturating_add(1)),
        Bound::Unbounded => 0,
    };
    let last = match range.end_bound() {
        Bound::Included(seq) => number(*seq),
        Bound::Excluded(seq) => number(*seq) - 1,
        Bound::Unbounded => i64::MAX,
    };
    (first, last)
}
