//! `[orders]` and `[[customer]]` of `station.toml`: what is asked of work orders, and who signs them.

use keystation_audit::VerifierKey;
use serde::Deserialize;

use super::{ConfigError, Source};

/// What is asked of work orders.
#[derive(Debug, Clone, Default)]
pub struct OrderRule {
    /// Whether nothing is made without an open work order.
    pub required: bool,
    /// Whether an order without a customer's signature is refused.
    pub signed_only: bool,
    /// The keys of the customers.
    pub customers: Vec<VerifierKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrdersSection {
    required: bool,
    signed_only: Option<toml::Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerSection {
    vkey: toml::Spanned<String>,
}

/// Customers sign their orders, unless the settings say that some do not.
pub(super) fn rule(
    source: &Source<'_>,
    orders: Option<OrdersSection>,
    sections: Vec<CustomerSection>,
) -> Result<OrderRule, ConfigError> {
    let mut customers: Vec<VerifierKey> = Vec::new();
    for CustomerSection { vkey } in sections {
        let key: VerifierKey = source.checked("vkey", vkey.span(), vkey.get_ref().parse())?;
        let twice = customers.contains(&key);
        let once = if twice { Err("there is a customer with this key already") } else { Ok(()) };
        source.checked("vkey", vkey.span(), once)?;
        customers.push(key);
    }
    let required = orders.as_ref().is_some_and(|orders| orders.required);
    let signed_only = match orders.and_then(|orders| orders.signed_only) {
        None => !customers.is_empty(),
        Some(said) => {
            let possible = !said.get_ref() || !customers.is_empty();
            let possible = if possible { Ok(*said.get_ref()) } else { Err("there is no [[customer]]") };
            source.checked("signed_only", said.span(), possible)?
        }
    };
    Ok(OrderRule { required, signed_only, customers })
}
