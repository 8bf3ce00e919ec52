//! What records say of people, group keys and components: as many as a plant has, whatever the number of its devices.

use std::collections::BTreeMap;

use keystation_core::record::Carried;
use rusqlite::Connection;

use crate::account::Account;
use crate::component::Component;
use crate::group_key::KeyRow;
use crate::projection::Step;

/// What the tables `account`, `group_key` and `component` should hold, told by the records that go by.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// By ID, ascending.
    accounts: BTreeMap<String, Account>,
    /// By label, ascending.
    keys: BTreeMap<String, KeyRow>,
    components: Vec<Component>,
}

impl Said {
    pub(crate) fn add(&mut self, step: &Step<'_>) {
        match step {
            Step::Account(step) => follow(&mut self.accounts, step.user(), |before| step.follow(before)),
            Step::Key(step) => follow(&mut self.keys, step.label().as_str(), |before| step.follow(before)),
            Step::Component(component) => self.components.push(component.clone()),
            Step::Sighting(_) | Step::Outcome(_) | Step::Checked { .. } => {}
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
fn agree<'e, T: PartialEq + 'e>(
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
