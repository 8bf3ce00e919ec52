//! What records say of people, group keys, components, work orders, batches of repair and devices that were taken out: as many as a
//! plant has, whatever the number of its devices.

use std::collections::BTreeMap;

use keystation_core::record::{Carried, Seq};
use rusqlite::Connection;

use crate::account::Account;
use crate::branches::Branches;
use crate::carry::Beginning;
use crate::component::Component;
use crate::expected_batches::OpenedBatches;
use crate::expected_orders::ExpectedOrders;
use crate::expected_retired::ExpectedRetired;
use crate::finding::Finding;
use crate::group_key::KeyRow;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::projection::Step;
use crate::record::Record;
use crate::state;
use crate::tree::{Frontier, Hash, leaf_hash};

/// The records that the index `log_said` has.
macro_rules! indexed {
    ($columns:literal) => {
        indexed!($columns, "")
    };
    ($columns:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM log INDEXED BY log_said
              WHERE substr(body, instr(body, x'226576223a22') + 6, 3) IN (x'757365', x'617574', x'676b2e', x'636172', x'6f7264', x'646576', x'636c65')
                 OR substr(body, instr(body, x'226576223a22') + 6, 7) IN (x'72656b65792e6f', x'72656b65792e63')
              ORDER BY seq",
            $order
        )
    };
}

/// Their numbers and bytes, newest first.
pub(crate) const NEWEST_FIRST: &str = indexed!("seq, body", " DESC");

/// Their numbers.
pub(crate) const INDEXED: &str = indexed!("seq");

/// The numbers of those that say of a scrap that it is none, and changed nothing.
pub(crate) const RESTORES: &str = concat!(
    "SELECT seq FROM (",
    indexed!("seq, body"),
    ") AS said
      WHERE substr(body, instr(body, x'226576223a22') + 6, 15) = x'6465766963652e726573746f726522'
        AND NOT EXISTS (SELECT 1 FROM retired WHERE restored = said.seq)"
);

/// Whether a record of this event is one of them.
pub(crate) fn is_indexed(event: &str) -> bool {
    let begins = ["use", "aut", "gk.", "car", "ord", "dev", "cle", "rekey.o", "rekey.c"];
    begins.iter().any(|begin| event.starts_with(begin))
}

/// Holds the tables that say who may do what against their records, in time that grows with people and keys and not with devices:
/// as a start of the station does; and these to the root that was signed. [`crate::verify`] looks at every record, and at the index too.
pub(crate) fn check(conn: &Connection, key: &VerifierKey, frontier: &Frontier) -> Result<(), OpenError> {
    let mut branches = Branches::new(conn, frontier);
    let mut beginning = state::with_first(conn, Beginning::of)?;
    let (mut said, mut orders, mut retired) =
        (Said::default(), ExpectedOrders::default(), ExpectedRetired::default());
    let mut batches = OpenedBatches::default();
    let mut tally: BTreeMap<(String, String), (u64, Seq)> = BTreeMap::new();
    let mut statement = conn.prepare(indexed!("seq, body, leaf"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let leaf = leaf_hash(body);
        if leaf != row.get::<_, Hash>(2)? {
            return Err(Finding::Changed { seq }.into());
        }
        // Whoever rewrites a record can rewrite its leaf, too, but not the root that is made of it.
        branches.check(seq, leaf)??;
        let not_a_record = |why| Finding::NotARecord { seq, why };
        let record = Record::parse(body).map_err(not_a_record)?;
        state::check_place(&record, seq, key)?;
        beginning.check(&record)?;
        match Step::of(&record).map_err(not_a_record)? {
            Some(Step::Order(step)) => orders.add(&step, &mut retired),
            Some(Step::Device(step)) => retired.add(&step),
            Some(Step::Cleanup(step)) => retired.add_list(&step),
            Some(Step::Batch(step)) => batches.add(&step),
            step => step.iter().for_each(|step| said.add(step)),
        }
        let count = tally.entry((record.event().to_owned(), record.rc().to_owned())).or_default();
        *count = (count.0 + 1, seq);
    }
    let differs = |table| OpenError::Derived(Finding::Derived { table });
    if let Some((table, _)) = said.agrees(conn)?.into_iter().find(|(_, agrees)| !agrees) {
        return Err(differs(table));
    }
    let orders = orders.agree_with(conn)?;
    if let Some((table, _)) = orders.into_iter().chain(retired.agree_with(conn)?).find(|(_, agrees)| !agrees)
    {
        return Err(differs(table));
    }
    if !batches.agree_with(conn)? {
        return Err(differs("batch"));
    }
    let mut statement = conn.prepare("SELECT ev, rc, records, last FROM tally")?;
    let number = |row: &rusqlite::Row<'_>, column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let stored = statement
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (number(row, 2)?, number(row, 3)?))))?
        .filter(|row| !matches!(row, Ok(((event, _), _)) if !is_indexed(String::as_str(event))))
        .collect::<Result<BTreeMap<(String, String), _>, _>>()?;
    if stored == tally { Ok(()) } else { Err(differs("tally")) }
}

/// What the tables `account`, `group_key` and `component` should hold, told by the records that go by.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// By ID, ascending.
    accounts: BTreeMap<String, Account>,
    /// By label, ascending.
    keys: BTreeMap<String, KeyRow>,
    components: Vec<Component>,
    /// For a new epoch: the orders, of which scrap counts while they are not closed, and what is out.
    orders: ExpectedOrders,
    out: Option<ExpectedRetired>,
}

impl Said {
    /// One that a new epoch takes over.
    pub(crate) fn to_carry() -> Self {
        Self { out: Some(ExpectedRetired::keeping()), ..Self::default() }
    }

    pub(crate) fn add(&mut self, step: &Step<'_>) {
        match step {
            Step::Account(step) => follow(&mut self.accounts, step.user(), |before| step.follow(before)),
            Step::Key(step) => follow(&mut self.keys, step.label().as_str(), |before| step.follow(before)),
            Step::Component(component) => self.components.push(component.clone()),
            Step::Order(step) => {
                if let Some(out) = &mut self.out {
                    self.orders.add(step, out);
                }
            }
            Step::Device(step) => {
                if let Some(out) = &mut self.out {
                    out.add(step);
                }
            }
            Step::Cleanup(step) => {
                if let Some(out) = &mut self.out {
                    out.add_list(step);
                }
            }
            Step::Sighting(_) | Step::Outcome(_) | Step::Checked { .. } | Step::Batch(_) => {}
        }
    }

    /// By ID.
    pub(crate) fn accounts(self) -> Vec<Account> {
        self.accounts.into_values().collect()
    }

    /// What the next epoch takes over, in the order of its records.
    pub(crate) fn carried(&self) -> impl Iterator<Item = Carried> {
        let accounts = self.accounts.values().map(Account::carry);
        accounts
            .chain(self.components.iter().map(Component::carry))
            .chain(self.out.iter().flat_map(ExpectedRetired::carried))
            .chain(self.keys.values().map(KeyRow::carry))
    }

    /// Of each table whether it holds it.
    pub(crate) fn agrees(&self, conn: &Connection) -> Result<[(&'static str, bool); 3], rusqlite::Error> {
        Ok([
            ("account", agree(self.accounts.values(), Account::all(conn))?),
            ("group_key", agree(self.keys.values(), KeyRow::all(conn))?),
            ("component", agree(self.components.iter(), Component::all(conn))?),
        ])
    }
}

/// Changes one entry of a table that is held in memory.
fn follow<T>(table: &mut BTreeMap<String, T>, name: &str, step: impl FnOnce(Option<&T>) -> Option<T>) {
    if let Some(after) = step(table.get(name)) {
        table.insert(name.to_owned(), after);
    }
}

/// Whether the stored rows are the expected ones. Rows that no program wrote are not.
pub(crate) fn agree<'e, T: PartialEq + 'e>(
    expected: impl Iterator<Item = &'e T>,
    stored: Result<Vec<T>, rusqlite::Error>,
) -> Result<bool, rusqlite::Error> {
    match stored {
        Ok(stored) => Ok(expected.eq(&stored)),
        Err(rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::IntegralValueOutOfRange(..)) => {
            Ok(false)
        }
        Err(e) => Err(e),
    }
}
