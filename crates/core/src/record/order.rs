//! What is recorded of work orders.

use super::Value;
use super::fields::{hex, identified};
use crate::identity::Identity;
use crate::key::{CheckValue, KeyLabel};
use crate::order::OrderId;
use crate::registration::RegistrationId;

/// What happened to a work order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// Which. An ID is given once.
    pub order: OrderId,
    /// What.
    pub change: OrderChange,
}

/// What can happen to a work order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderChange {
    /// `order.create`: the station knows it. No device is made under it before it is opened.
    Created(Box<OrderTerms>),
    /// `order.open`: devices are made under it from now on. The one that was open waits.
    Opened,
    /// `order.quota`: so many devices may be begun from now on.
    Raised {
        /// More than before.
        quantity: u64,
        /// Why.
        reason: String,
        /// The second person.
        approver: String,
    },
    /// `order.scrap`: a device of the order is thrown away.
    Scrapped {
        /// Its registration ID, if it was begun.
        id: Option<RegistrationId>,
        /// What it is known by: at least one of the two.
        identity: Identity,
        /// Why.
        reason: String,
    },
    /// `order.close`: every device is accounted for.
    Closed {
        /// Devices that were begun.
        begun: u64,
        /// Of these, devices that proved their key.
        passed: u64,
        /// Devices that are scrap.
        scrapped: u64,
        /// Why fewer than ordered, or empty.
        reason: String,
    },
}

/// What a work order says: what the station holds every intent against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerms {
    /// SHA-256 of the order's text.
    pub digest: [u8; 32],
    /// So many devices may be begun.
    pub quantity: u64,
    /// The group key of its devices.
    pub key: KeyLabel,
    /// That key's check value.
    pub check_value: CheckValue,
    /// File name of the product profile.
    pub profile: String,
    /// The first day, UTC: `YYYY-MM-DD`.
    pub from: String,
    /// The last day, UTC.
    pub until: String,
    /// Name of the customer's key that signed the text, or empty.
    pub signer: String,
}

impl OrderEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self.change {
            OrderChange::Created(_) => "order.create",
            OrderChange::Opened => "order.open",
            OrderChange::Raised { .. } => "order.quota",
            OrderChange::Scrapped { .. } => "order.scrap",
            OrderChange::Closed { .. } => "order.close",
        }
    }

    pub(super) fn approver(&self) -> &str {
        match &self.change {
            OrderChange::Raised { approver, .. } => approver,
            _ => "",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![("job", self.order.as_str().into())];
        match &self.change {
            OrderChange::Opened => {}
            OrderChange::Created(terms) => fields.extend([
                ("sha256", hex(&terms.digest).into()),
                ("qty", terms.quantity.into()),
                ("gk", terms.key.as_str().into()),
                ("gkcv", terms.check_value.digits().into()),
                ("profile", terms.profile.as_str().into()),
                ("from", terms.from.as_str().into()),
                ("until", terms.until.as_str().into()),
                ("signer", terms.signer.as_str().into()),
            ]),
            OrderChange::Raised { quantity, reason, .. } => {
                fields.extend([("qty", (*quantity).into()), ("reason", reason.as_str().into())]);
            }
            OrderChange::Scrapped { id, identity, reason } => {
                fields.extend([
                    ("rid", id.as_ref().map_or("", RegistrationId::as_str).into()),
                    ("reason", reason.as_str().into()),
                ]);
                fields.extend(identified(Some(identity)));
            }
            OrderChange::Closed { begun, passed, scrapped, reason } => fields.extend([
                ("begun", (*begun).into()),
                ("passed", (*passed).into()),
                ("scrapped", (*scrapped).into()),
                ("reason", reason.as_str().into()),
            ]),
        }
        fields
    }
}
