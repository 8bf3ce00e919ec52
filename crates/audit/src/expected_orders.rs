//! What the tables of work orders should hold, told by the records that go by. Remembers the devices of orders that are not closed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::Seq;
use rusqlite::Connection;

use crate::expected_retired::ExpectedRetired;
use crate::projection::{Holds, Mode, Outcome, Sighting};
use crate::said;
use crate::work_order::{Change, OrderState, OrderStep, Scrap, WorkOrder};

#[derive(Debug, Default)]
pub(crate) struct ExpectedOrders {
    hasher: RandomState,
    /// As many as a plant has, in the order of their first records.
    orders: Vec<WorkOrder>,
    /// Where in `orders` each is, by ID.
    places: BTreeMap<String, usize>,
    /// Devices of orders that are not closed: order, registration ID, and whether it passed. Hashes under a random key stand for
    /// the texts.
    devices: HashMap<(usize, u64), bool>,
    /// Their intents that nobody proved yet.
    intents: HashMap<Seq, (usize, u64)>,
    /// Scrap of orders that are not closed.
    scrap: HashSet<(usize, u64)>,
    /// A sum over all of the scrap.
    scrapped: u64,
}

impl ExpectedOrders {
    pub(crate) fn add_sighting(&mut self, sighting: &Sighting<'_>) {
        let Some(&place) = self.places.get(&*sighting.job) else { return };
        if sighting.mode == Mode::Refused || self.orders[place].state == OrderState::Closed {
            return;
        }
        let device = (place, self.hasher.hash_one(&*sighting.rid));
        if let Entry::Vacant(new) = self.devices.entry(device) {
            new.insert(false);
            self.orders[place].begun += 1;
        }
        self.intents.insert(sighting.seq, device);
    }

    pub(crate) fn add_outcome(&mut self, outcome: &Outcome<'_>) {
        if outcome.holds != Holds::New {
            return;
        }
        let Some(device) = self.intents.remove(&outcome.intent) else { return };
        if self.devices.insert(device, true) == Some(false) {
            self.orders[device.0].passed += 1;
        }
    }

    pub(crate) fn add(&mut self, step: &OrderStep, retired: &mut ExpectedRetired) {
        let Some(&place) = self.places.get(step.order.as_str()) else {
            if let Some(new) = step.follow(None) {
                self.places.insert(step.order.to_string(), self.orders.len());
                self.orders.push(new);
            }
            return;
        };
        let before = &self.orders[place];
        if before.state == OrderState::Closed {
            return;
        }
        let Some(mut after) = step.follow(Some(before)) else { return };
        match &step.change {
            Change::Opened => {
                for other in self.orders.iter_mut().filter(|other| other.state == OrderState::Open) {
                    (other.state, other.changed) = (OrderState::Waiting, step.seq);
                }
            }
            Change::Scrapped(scrap) => {
                if self.scrap.insert((place, self.hasher.hash_one(scrap))) {
                    after.scrapped += 1;
                    let row = self.scrap_row(step.order.as_str(), scrap, step.seq);
                    self.scrapped = self.scrapped.wrapping_add(row);
                    retired.add_out(&scrap.out(step.seq));
                }
            }
            Change::Closed => {
                self.devices.retain(|(order, _), _| *order != place);
                self.intents.retain(|_, (order, _)| *order != place);
                self.scrap.retain(|(order, _)| *order != place);
            }
            Change::Created { .. } | Change::Raised(_) => {}
        }
        self.orders[place] = after;
    }

    fn scrap_row(&self, job: &str, Scrap { rid, mac, sn }: &Scrap, seq: Seq) -> u64 {
        self.hasher.hash_one((job, rid, mac, sn, seq))
    }

    /// The orders, by ID.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &WorkOrder> {
        self.places.values().map(|place| &self.orders[*place])
    }

    /// Of each table whether it holds what the records of work orders alone say. The devices of an order that is not closed are counted in the table of those that were
    /// seen; those of one that is closed give nobody anything.
    pub(crate) fn agree_with(&self, conn: &Connection) -> Result<[(&'static str, bool); 2], rusqlite::Error> {
        let stored = WorkOrder::all(conn);
        let mut counted = true;
        for order in stored.iter().flatten().filter(|order| order.state != OrderState::Closed) {
            counted &= (order.begun, order.passed) == order.made(conn)?;
        }
        let alone = |order| WorkOrder { begun: 0, passed: 0, ..order };
        let stored = stored.map(|orders| orders.into_iter().map(alone).collect());
        let orders = counted && said::agree(self.orders(), stored)?;
        Ok([("work_order", orders), ("scrap", self.scrap_agrees(conn)?)])
    }

    pub(crate) fn scrap_agrees(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut sum = 0u64;
        let mut statement = conn.prepare("SELECT job, rid, mac, sn, seq FROM scrap")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let scrap = Scrap { rid: row.get(1)?, mac: row.get(2)?, sn: row.get(3)? };
            let seq = row.get::<_, i64>(4)?.cast_unsigned();
            sum = sum.wrapping_add(self.scrap_row(row.get_ref(0)?.as_str()?, &scrap, seq));
        }
        Ok(sum == self.scrapped)
    }
}
