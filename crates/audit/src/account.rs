//! What the log says of the accounts of people: the table `account`.

use std::str::FromStr;

use keystation_core::record::{Carried, Seq};
use keystation_core::role::Roles;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::standing::with_record;

/// An account, as the records up to now say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The ID of the person.
    pub user: String,
    /// What the person is.
    pub roles: Roles,
    /// Whether the account is enabled.
    pub active: bool,
    /// Number of the credential that counts: an older one was brought back from a copy.
    pub cred: u64,
    /// Whether its PIN has to be changed at the next sign-in.
    pub once: bool,
    /// Wrong PINs since the last right one or the last reset.
    pub tries: u32,
    /// When the last of these was: the start of the machine and the milliseconds since then. No clock that can be set.
    pub last_try: Option<(String, u64)>,
    /// The last record that changed the account; what `auth.…` changes does not count.
    pub seq: Seq,
}

/// What a record does to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountStep {
    user: String,
    seq: Seq,
    change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Added {
        roles: Roles,
        cred: u64,
        once: bool,
    },
    /// As the epoch before left it.
    Carried(Box<Account>),
    Roles(Roles),
    Active(bool),
    Credential {
        cred: u64,
        once: bool,
        reset: bool,
    },
    Proved,
    WrongPin {
        boot: String,
        mono: u64,
    },
}

impl AccountStep {
    /// `None`: the record changes no account.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let roles = || {
            let text = record.text("roles").ok_or(RecordError::Field("roles"))?;
            text.parse::<Roles>().map_err(|_| RecordError::Field("roles"))
        };
        let cred =
            || record.integer("cred").and_then(|n| u64::try_from(n).ok()).ok_or(RecordError::Field("cred"));
        let once = || match record.integer("once") {
            Some(once @ (0 | 1)) => Ok(once == 1),
            _ => Err(RecordError::Field("once")),
        };
        let change = match record.event() {
            "user.add" => Change::Added { roles: roles()?, cred: cred()?, once: once()? },
            "user.roles" => Change::Roles(roles()?),
            "user.disable" => Change::Active(false),
            "user.enable" => Change::Active(true),
            "user.cred" => {
                let reset = record.raw_text("why").ok_or(RecordError::Field("why"))? == "reset";
                Change::Credential { cred: cred()?, once: once()?, reset }
            }
            "auth.ok" => Change::Proved,
            "auth.refuse" if record.raw_text("why") == Some("pin") => {
                Change::WrongPin { boot: record.boot().to_owned(), mono: record.mono() }
            }
            _ => return Ok(None),
        };
        let user = record.text("user").ok_or(RecordError::Field("user"))?.into_owned();
        Ok(Some(Self { user, seq: record.seq(), change }))
    }

    /// The account that a `carry.account` takes over.
    pub(crate) fn carried(record: &Record<'_>) -> Result<Self, RecordError> {
        let text = |key| record.text(key).ok_or(RecordError::Field(key));
        let yes = |key| match record.integer(key) {
            Some(number @ (0 | 1)) => Ok(number == 1),
            _ => Err(RecordError::Field(key)),
        };
        let boot = text("try_boot")?.into_owned();
        let mono: u64 = natural(record, "try_mono")?;
        natural::<u64>(record, "was")?;
        let account = Account {
            user: text("user")?.into_owned(),
            roles: text("roles")?.parse().map_err(|_| RecordError::Field("roles"))?,
            active: yes("active")?,
            cred: natural(record, "cred")?,
            once: yes("once")?,
            tries: natural(record, "tries")?,
            last_try: (!boot.is_empty()).then_some((boot, mono)),
            seq: record.seq(),
        };
        let (user, seq) = (account.user.clone(), account.seq);
        Ok(Self { user, seq, change: Change::Carried(Box::new(account)) })
    }

    /// Whose account.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The account after the record. An ID is given once: to add it again changes nothing, and neither does a record of an
    /// ID that nobody has.
    pub(crate) fn follow(&self, account: Option<&Account>) -> Option<Account> {
        let Some(account) = account else {
            return match &self.change {
                Change::Added { roles, cred, once } => Some(Account {
                    user: self.user.clone(),
                    roles: *roles,
                    active: true,
                    cred: *cred,
                    once: *once,
                    tries: 0,
                    last_try: None,
                    seq: self.seq,
                }),
                Change::Carried(account) => Some((**account).clone()),
                _ => None,
            };
        };
        let before = account.clone();
        Some(match &self.change {
            Change::Added { .. } | Change::Carried(_) => before,
            Change::Roles(roles) => Account { roles: *roles, seq: self.seq, ..before },
            Change::Active(active) => Account { active: *active, seq: self.seq, ..before },
            Change::Credential { cred, once, reset: false } => {
                Account { cred: *cred, once: *once, seq: self.seq, ..before }
            }
            Change::Credential { cred, once, reset: true } => {
                Account { cred: *cred, once: *once, seq: self.seq, tries: 0, last_try: None, ..before }
            }
            Change::Proved => Account { tries: 0, last_try: None, ..before },
            Change::WrongPin { boot, mono } => {
                let tries = account.tries.saturating_add(1);
                Account { tries, last_try: Some((boot.clone(), *mono)), ..before }
            }
        })
    }

    /// Changes the table as [`follow`](Self::follow) says.
    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let before = Account::of(conn, &self.user)?;
        match self.follow(before.as_ref()) {
            Some(after) if before.as_ref() != Some(&after) => after.store(conn),
            _ => Ok(()),
        }
    }
}

const COLUMNS: &str = "user, roles, active, cred, once, tries, try_boot, try_mono, seq";

impl Account {
    /// What the next epoch takes over of it.
    pub(crate) fn carry(&self) -> Carried {
        let Self { user, roles, active, cred, once, tries, last_try, seq } = self.clone();
        Carried::Account { user, roles, active, cred, once, tries, last_try, was: seq }
    }

    pub(crate) fn of(conn: &Connection, user: &str) -> Result<Option<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM account WHERE user = ?1"))?
            .query_row([user], Self::read)
            .optional()
    }

    /// All of them, by ID.
    pub(crate) fn all(conn: &Connection) -> Result<Vec<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM account ORDER BY user"))?
            .query_map([], Self::read)?
            .collect()
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let boot: Option<String> = row.get(6)?;
        let mono: Option<i64> = row.get(7)?;
        Ok(Self {
            user: row.get(0)?,
            roles: parsed(row, 1)?,
            active: row.get(2)?,
            cred: number(row, 3)?,
            once: row.get(4)?,
            tries: row.get(5)?,
            last_try: boot.zip(mono.map(i64::cast_unsigned)),
            seq: number(row, 8)?,
        })
    }

    fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let (boot, mono) = match &self.last_try {
            Some((boot, mono)) => (Some(boot), Some(mono.cast_signed())),
            None => (None, None),
        };
        conn.prepare_cached(&format!(
            "INSERT OR REPLACE INTO account ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        ))?
        .execute((
            &self.user,
            self.roles.to_string(),
            self.active,
            self.cred.cast_signed(),
            self.once,
            self.tries,
            boot,
            mono,
            self.seq.cast_signed(),
        ))?;
        Ok(())
    }
}

impl Reader {
    /// Everybody who ever had an account, by ID.
    pub fn accounts(&self) -> Result<Vec<Account>, ReadError> {
        Ok(Account::all(&self.conn)?)
    }

    /// How far the counter of wrong PINs was when it was put down last; `None`: it does not count, or no more.
    pub fn counter(&self) -> Result<Option<u64>, ReadError> {
        let last: Option<i64> = self
            .conn
            .prepare_cached("SELECT max(last) FROM tally WHERE ev = 'auth.count'")?
            .query_row([], |row| row.get(0))?;
        let Some(seq) = last else { return Ok(None) };
        with_record(&self.conn, seq.cast_unsigned(), |record| match record.raw_text("why") {
            Some("end") => Ok(None),
            _ => natural(record, "counter").map(Some),
        })
    }

    /// The account of `user`, if there ever was one.
    pub fn account(&self, user: &str) -> Result<Option<Account>, ReadError> {
        Ok(Account::of(&self.conn, user)?)
    }
}

/// The field `key` of a record, a number from 0 to the greatest of its kind.
pub(crate) fn natural<T: TryFrom<i64>>(record: &Record<'_>, key: &'static str) -> Result<T, RecordError> {
    record.integer(key).filter(|n| *n >= 0).and_then(|n| T::try_from(n).ok()).ok_or(RecordError::Field(key))
}

/// A number that no record can have below 0.
pub(crate) fn number(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// A text that was checked when its record was read. What else stands in the table was put there past the log.
pub(crate) fn parsed<T>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|e: T::Err| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}
