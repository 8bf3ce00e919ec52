//! `keystation label …` and `keystation outbox …`.

use clap::Subcommand;
use keystation_core::registration::{IdRule, RegistrationId};

#[derive(Debug, Subcommand)]
pub(crate) enum LabelVerb {
    /// Print the label of a device that passed once more, marked as a copy; the next one in the queue of its printers
    Reprint {
        /// Registration ID
        #[arg(value_name = "ID", value_parser = registration_id)]
        id: RegistrationId,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Printers, and the labels that wait for each
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxVerb {
    /// Which record is delivered next, and how many wait
    Status,
    /// Deliver what waits now, without a line; exit 1 if something is left
    Run {
        /// Seconds after which a record that is not taken is left
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        patience: u64,
    },
}

fn registration_id(text: &str) -> Result<RegistrationId, String> {
    RegistrationId::new(text, IdRule::Punctuation).map_err(|error| error.to_string())
}
