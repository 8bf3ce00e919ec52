//! The work order that is open: what a slot asks for each device.

use std::sync::Arc;

use keystation_audit::WorkOrder;
use keystation_core::flow::{Admission, NotAdmitted};
use keystation_core::identity::Identity;
use keystation_core::order::OrderId;
use keystation_core::registration::RegistrationId;

use super::text::OrderText;

/// The order that is open, as the log was when it was asked. It is asked for each device, and takes the same time however many
/// were made.
#[derive(Debug, Clone)]
pub struct OpenOrder {
    /// Which.
    pub id: OrderId,
    /// For whom, for people.
    pub customer: String,
    /// File name of the product profile.
    pub profile: String,
    /// So many devices may be begun.
    pub quantity: u64,
    /// Devices that were begun.
    pub begun: u64,
    /// Of these, devices that proved their key.
    pub passed: u64,
    /// Devices that were put down as scrap.
    pub scrapped: u64,
    text: Arc<OrderText>,
}

impl OpenOrder {
    pub(super) fn new(order: WorkOrder, text: Arc<OrderText>) -> Self {
        let WorkOrder { id, terms, begun, passed, scrapped, .. } = order;
        Self {
            id,
            customer: text.customer.clone(),
            profile: terms.profile,
            quantity: terms.quantity,
            begun,
            passed,
            scrapped,
            text,
        }
    }
}

impl Admission for OpenOrder {
    fn admit(&self, identity: &Identity, _: &RegistrationId) -> Result<(), NotAdmitted> {
        self.text
            .devices
            .admit(identity)
            .map_err(|refused| NotAdmitted { code: refused.code(), cause: Some(refused.into()) })
    }
}
