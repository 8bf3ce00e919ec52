//! Work orders (docs/work-order.md): what is made, for whom, how many, under which key, which devices.
//!
//! The text of an order lies in `orders/`; the log has its hash, its state and what was begun under it. Whether a device takes a
//! place is decided by the log in the transaction of its intent.

mod devices;
pub(crate) mod error;
mod keep;
pub(crate) mod list;
mod open;
mod scrap;
mod sheet;
mod text;
mod write;

use std::path::Path;
use std::sync::Arc;

use keystation_audit::{AppendError, OrderRefusal, WorkOrder};
use keystation_core::record::{Event, OrderChange, OrderEvent, Seq};

use crate::config::Profile;
use crate::error::StationError;
use crate::group_keys::reason_of;
use crate::people::{Action, ApprovalId, Permit, Request};
use crate::repair::PREFIX;
use crate::station::Station;

pub use devices::{Devices, NotOfOrder};
pub use error::OrderError;
pub(crate) use keep::Shelf;
pub use keystation_core::order::OrderId;
pub use list::ListError;
pub use open::OpenOrder;
pub use scrap::ScrapDevice;
pub use sheet::{Expected, OrderSheet, OrderStanding};
pub use text::OrderText;
pub use write::NewOrder;

/// The text of a work order, as it is in a file.
pub fn read_order(file: &Path) -> Result<String, StationError> {
    keep::read(file).map_err(|cause| StationError::Unreadable { path: file.to_owned(), cause })
}

impl StationError {
    /// The log knows no work order of this ID.
    #[must_use]
    pub fn unknown_order(id: &OrderId) -> Self {
        AppendError::Order(OrderRefusal::Unknown(id.clone())).into()
    }
}

impl Station {
    /// Takes a work order in: `bytes` is its text, or the note with its customer's signature; `file` is where it came from. Permit:
    /// [`Action::CreateOrder`].
    pub fn create_order(&self, permit: &Permit, bytes: &str, file: &Path) -> Result<OrderText, StationError> {
        self.honour(permit, Action::CreateOrder)?;
        let rule = &self.config().orders;
        let text = OrderText::read(bytes, file, &rule.customers)?;
        if rule.signed_only && text.terms.signer.is_empty() {
            return Err(OrderError::Unsigned.into());
        }
        if text.id.as_str().starts_with(PREFIX) {
            return Err(OrderError::Reserved(text.id).into());
        }
        let mut kept = self.shelf().lock();
        // Before its file is written: the one of the order of that ID stays.
        let reader = self.reader()?;
        if reader.work_order(&text.id)?.is_some() || reader.knows_job(text.id.as_str())? {
            return Err(AppendError::Order(OrderRefusal::Known(text.id)).into());
        }
        keep::write(self.data(), &text, bytes)?;
        self.append_order(permit, &text.id, OrderChange::Created(Box::new(text.terms.clone())))?;
        *kept = Some(Arc::new(text.clone()));
        Ok(text)
    }

    /// Makes devices under the order from now on; one that was open waits. Permit: [`Action::OpenOrder`].
    pub fn begin_order(&self, permit: &Permit, id: &OrderId) -> Result<Seq, StationError> {
        self.honour(permit, Action::OpenOrder)?;
        let order = self.work_order(id)?;
        let text = self.order_text_anew(&order)?;
        let profile = Profile::read(&self.data().profile(Path::new(&text.terms.profile)))?;
        let (order, expected) = (id.clone(), text.terms.key.clone());
        if profile.group_key != expected {
            return Err(OrderError::OtherLabel { order, expected, found: profile.group_key }.into());
        }
        let known = self.reader()?.known_key(&expected)?.ok_or(StationError::NoKey(expected.clone()))?;
        let (label, expected, found) = (expected, text.terms.check_value, known.info.check_value);
        if found != expected {
            return Err(OrderError::OtherKey { order, label, expected, found }.into());
        }
        self.append_order(permit, id, OrderChange::Opened)
    }

    /// What another person has to approve before more devices are allowed.
    pub fn quota_request(id: &OrderId, quantity: u64, reason: &str) -> Result<Request, StationError> {
        let (subject, reason) = (format!("{id} {quantity}"), reason_of(reason)?);
        Ok(Request { action: Action::RaiseQuota, subject, reason })
    }

    /// Allows more devices, by two people.
    pub fn raise_quota(
        &self,
        id: &OrderId,
        quantity: u64,
        reason: &str,
        approval: ApprovalId,
    ) -> Result<Seq, StationError> {
        let request = Self::quota_request(id, quantity, reason)?;
        let permit = self.permit_approved(&request, approval)?;
        let (reason, approver) = (request.reason, permit.approver().to_owned());
        self.append_order(&permit, id, OrderChange::Raised { quantity, reason, approver })
    }

    /// Closes the order for good, if every device is accounted for; `reason` says why fewer than ordered, or is empty. Permit:
    /// [`Action::CloseOrder`].
    pub fn close_order(&self, permit: &Permit, id: &OrderId, reason: &str) -> Result<Seq, StationError> {
        self.honour(permit, Action::CloseOrder)?;
        let reason = if reason.is_empty() { String::new() } else { reason_of(reason)? };
        let order = self.work_order(id)?;
        let reader = self.reader()?;
        let missing = reader.unaccounted(&order)?;
        // The log knows nothing of lists. What it refuses comes first.
        if missing.count == 0 && missing.short > 0 {
            let unseen = self.never_seen(&order)?;
            if !unseen.is_empty() {
                let first = unseen.iter().take(10).map(scrap::named).collect();
                return Err(OrderError::NeverSeen { order: id.clone(), first, count: unseen.len() }.into());
            }
        }
        let WorkOrder { begun, passed, scrapped, .. } = order;
        self.append_order(permit, id, OrderChange::Closed { begun, passed, scrapped, reason })
    }

    /// Every work order, by ID.
    pub fn work_orders(&self) -> Result<Vec<WorkOrder>, StationError> {
        Ok(self.reader()?.work_orders()?)
    }

    /// What the log says of a work order.
    pub fn work_order(&self, id: &OrderId) -> Result<WorkOrder, StationError> {
        self.reader()?.work_order(id)?.ok_or_else(|| StationError::unknown_order(id))
    }

    /// The order that is open now, read from the log at that moment; None: none is open.
    pub fn open_order(&self) -> Result<Option<OpenOrder>, StationError> {
        let Some(order) = self.look()?.open_order()? else { return Ok(None) };
        let text = self.order_text(&order)?;
        Ok(Some(OpenOrder::new(order, text)))
    }

    /// The ID of the order that is open, or nothing: the job of whatever device comes next.
    pub fn open_job(&self) -> Result<String, StationError> {
        Ok(self.look()?.open_order()?.map_or_else(String::new, |order| order.id.to_string()))
    }

    /// The order under which a device is made: `job` names the one that is open, or nothing while none is.
    pub(crate) fn order_for(&self, job: &str) -> Result<Option<OpenOrder>, StationError> {
        if job.is_empty() {
            return match self.look()?.open_order()? {
                // It was opened since the device came.
                Some(open) => Err(OrderError::Past(open.id).into()),
                None if self.config().orders.required => Err(OrderError::Required.into()),
                None => Ok(None),
            };
        }
        match self.open_order()? {
            Some(open) if open.id.as_str() == job => Ok(Some(open)),
            other => {
                let open = other.map(|open| open.id);
                Err(OrderError::NotOpen { asked: job.to_owned(), open }.into())
            }
        }
    }

    fn append_order(&self, permit: &Permit, id: &OrderId, change: OrderChange) -> Result<Seq, StationError> {
        self.append_by(permit, Event::Order(OrderEvent { order: id.clone(), change }))
    }
}
