//! A work order as people look at it: what it asks for, where its devices are, what keeps it from being closed.

use keystation_audit::{OrderState, OrderTally, Unaccounted, WorkOrder};

use super::devices::{Devices, Named};
use super::{OrderError, OrderId, scrap};
use crate::error::StationError;
use crate::station::Station;

/// A work order and where its devices are.
#[derive(Debug, Clone)]
pub struct OrderStanding {
    /// What the log says.
    pub order: WorkOrder,
    /// Its devices.
    pub tally: OrderTally,
}

/// Which devices a work order is for. Where nothing is said, every device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// First three bytes of the MAC addresses: `a4:cf:12`.
    pub ouis: Vec<String>,
    /// The form of the serial numbers, as the order writes it.
    pub form: Option<String>,
    /// The first and the last serial number.
    pub range: Option<(String, String)>,
    /// How many the order lists one by one.
    pub listed: Option<u64>,
}

/// All that is known of a work order.
#[derive(Debug)]
pub struct OrderSheet {
    /// Counts and state.
    pub standing: OrderStanding,
    /// For whom, as its text says; none where the text is not what was created.
    pub customer: Option<String>,
    /// Which devices.
    pub expected: Expected,
    /// Devices that are not accounted for. Nothing is asked of an order that is closed.
    pub missing: Unaccounted,
    /// Devices of its list that nobody saw, the first ten: by serial number, or by MAC address.
    pub never_seen: Vec<String>,
    /// How many.
    pub never_seen_count: usize,
    /// Why nothing is made under it: its text is not what was created.
    pub altered: Option<OrderError>,
}

impl Devices {
    /// Which devices these are, for people.
    pub(super) fn expected(&self) -> Expected {
        let oui = |bytes: &[u8; 3]| bytes.map(|byte| format!("{byte:02x}")).join(":");
        let (range, listed) = match &self.named {
            Named::Nowhere => (None, None),
            Named::List(list) => (None, Some(list.entries().len() as u64)),
            Named::Range(range) => (Some(range.ends()), None),
        };
        Expected {
            ouis: self.ouis.iter().map(oui).collect(),
            form: self.form.as_ref().map(|form| form.0.clone()),
            range,
            listed,
        }
    }
}

impl Station {
    /// Every work order with its devices, by ID.
    pub fn order_standings(&self) -> Result<Vec<OrderStanding>, StationError> {
        let reader = self.look()?;
        let orders = reader.work_orders()?;
        let standing = |order: WorkOrder| Ok(OrderStanding { tally: reader.order_tally(&order)?, order });
        orders.into_iter().map(standing).collect()
    }

    /// The order that is open, with its devices; and why nothing can be made under it, where its text is not what was created or
    /// cannot be read.
    pub fn open_standing(&self) -> Result<Option<(OrderStanding, Option<StationError>)>, StationError> {
        let reader = self.look()?;
        let Some(order) = reader.open_order()? else { return Ok(None) };
        let tally = reader.order_tally(&order)?;
        let altered = self.order_text(&order).err();
        Ok(Some((OrderStanding { order, tally }, altered)))
    }

    /// All that is known of a work order.
    pub fn order_sheet(&self, id: &OrderId) -> Result<OrderSheet, StationError> {
        let order = self.work_order(id)?;
        let reader = self.look()?;
        let tally = reader.order_tally(&order)?;
        let closed = order.state == OrderState::Closed;
        let missing = if closed { Unaccounted::default() } else { reader.unaccounted(&order)? };
        let (text, altered) = match self.order_text(&order) {
            Ok(text) => (Some(text), None),
            Err(StationError::Order(error)) => (None, Some(error)),
            Err(error) => return Err(error),
        };
        let never_seen = if closed || text.is_none() { Vec::new() } else { self.never_seen(&order)? };
        Ok(OrderSheet {
            standing: OrderStanding { order, tally },
            customer: text.as_ref().map(|text| text.customer.clone()),
            expected: text.map(|text| text.devices.expected()).unwrap_or_default(),
            missing,
            never_seen: never_seen.iter().take(10).map(scrap::named).collect(),
            never_seen_count: never_seen.len(),
            altered,
        })
    }
}
