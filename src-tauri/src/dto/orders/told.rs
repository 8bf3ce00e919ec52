//! What the station says of work orders, as the page is told it.

use keystation::log;
use keystation::orders::{self, OrderSheet, OrderStanding};

use super::{NewOrder, OrderLine, OrderPage, OrderState};
use crate::custody;
use crate::problem::{Problem, sentence};

impl From<log::OrderState> for OrderState {
    fn from(state: log::OrderState) -> Self {
        match state {
            log::OrderState::Waiting => Self::Waiting,
            log::OrderState::Open => Self::Open,
            log::OrderState::Closed => Self::Closed,
        }
    }
}

impl From<OrderStanding> for OrderLine {
    fn from(OrderStanding { order, tally }: OrderStanding) -> Self {
        let terms = order.terms;
        Self {
            id: order.id.to_string(),
            state: order.state.into(),
            quantity: terms.quantity,
            begun: order.begun,
            passed: tally.passed,
            failed: tally.failed,
            open: tally.open,
            scrapped: tally.scrapped,
            profile: terms.profile,
            from: terms.from,
            until: terms.until,
            key: terms.key.to_string(),
            check_value: terms.check_value.to_string(),
            signer: terms.signer,
            by: order.by,
        }
    }
}

impl From<OrderSheet> for OrderPage {
    fn from(sheet: OrderSheet) -> Self {
        Self {
            order: sheet.standing.into(),
            customer: sheet.customer,
            ouis: sheet.expected.ouis,
            form: sheet.expected.form,
            range: sheet.expected.range.map(|(first, last)| [first, last]),
            listed: sheet.expected.listed,
            missing: sheet.missing.devices,
            missing_count: sheet.missing.count,
            never_seen: sheet.never_seen,
            never_seen_count: sheet.never_seen_count,
            short: sheet.missing.short,
            problem: sheet.altered.map(|altered| keystation::StationError::from(altered).into()),
        }
    }
}

impl NewOrder {
    /// As the station makes the text of it, with the devices of the list in `file`.
    pub(crate) fn with_list(self, file: std::path::PathBuf) -> Result<orders::NewOrder, Problem> {
        Ok(orders::NewOrder {
            id: order_id(self.id.as_str())?,
            customer: self.customer.into(),
            profile: self.profile.into(),
            quantity: self.quantity,
            from: self.from.into(),
            until: self.until.into(),
            key: custody::parsed_label(self.key.as_str())?,
            check_value: custody::parsed_check_value(self.check_value.as_str())?,
            list: Some(file),
            range: None,
            ouis: Vec::new(),
            serial: None,
        })
    }
}

/// What was typed or scanned as the ID of a work order.
pub(crate) fn order_id(text: &str) -> Result<orders::OrderId, Problem> {
    text.parse().map_err(|error| {
        let what = format!("This is no ID of a work order: {}", sentence(&error));
        Problem::new("order-id", &what, &["Use 1 to 32 letters, digits, `.`, `_` and `-`."])
    })
}
