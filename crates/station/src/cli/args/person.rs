//! `keystation person …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystation_core::role::Roles;

#[derive(Debug, Subcommand)]
pub(crate) enum PersonVerb {
    /// Make the first two administrators of a station that has nobody yet
    Begin {
        #[command(flatten)]
        admins: Admins,
    },
    /// Make an account, by two administrators. Its PIN holds once: the person then chooses another
    Add {
        #[command(flatten)]
        who: Whose,
        /// What the person is: operator, repair, supervisor, custodian, qa, administrator; joined by `+`
        #[arg(long, value_name = "ROLES")]
        roles: Roles,
        #[command(flatten)]
        pin: NewPin,
        /// Read what the person's badge says from the first line of this file
        #[arg(long, value_name = "FILE")]
        badge_file: Option<PathBuf>,
    },
    /// Change what a person is, by two administrators
    Roles {
        #[command(flatten)]
        who: Whose,
        /// What the person is from now on, joined by `+`
        #[arg(long, value_name = "ROLES")]
        roles: Roles,
    },
    /// Nobody signs in with this account until it is enabled, by two administrators
    Disable {
        #[command(flatten)]
        who: Whose,
        #[command(flatten)]
        reason: Why,
    },
    /// The same person is back, by two administrators
    Enable {
        #[command(flatten)]
        who: Whose,
        #[command(flatten)]
        reason: Why,
    },
    /// Give a one-time PIN to somebody who forgot theirs or was locked out, by two other administrators
    ResetPin {
        #[command(flatten)]
        who: Whose,
        #[command(flatten)]
        pin: NewPin,
    },
    /// Replace a badge, or take it away, by two administrators
    Badge {
        #[command(flatten)]
        who: Whose,
        /// Read what the badge says from the first line of this file [default: no badge]
        #[arg(long, value_name = "FILE")]
        badge_file: Option<PathBuf>,
    },
    /// Choose another PIN of one's own, as `--operator`
    ChangePin {
        #[command(flatten)]
        pin: NewPin,
    },
    /// Give an ID a name. It is asked for: arguments can be seen by everybody at this machine
    Set {
        #[command(flatten)]
        who: Whose,
        /// Read the name from the first line of this file
        #[arg(long, value_name = "FILE")]
        name_file: Option<PathBuf>,
    },
    /// Accounts with their roles and states, and names, which are in a table that can be erased and never in the log
    List,
    /// Take the name of an ID away. Its records stay as they are: they hold the ID only
    Forget {
        #[command(flatten)]
        who: Whose,
    },
}

/// Whose account or name it is.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// User ID
    #[arg(value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// The first two administrators; without PIN files the PINs are asked for.
#[derive(Debug, Args)]
pub(crate) struct Admins {
    /// User ID of an administrator; twice, for two people
    #[arg(long = "admin", value_name = "ID", value_parser = keystation::config::plain_id)]
    pub(crate) admins: Vec<String>,
    /// Read the PIN of the administrator named at the same place from the first line of this file
    #[arg(long = "admin-pin-file", value_name = "FILE")]
    pub(crate) pin_files: Vec<PathBuf>,
}

/// Where a new PIN comes from; without an option it is asked for, twice.
#[derive(Debug, Args)]
pub(crate) struct NewPin {
    /// Read the new PIN from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "new_pin_fd")]
    pub(crate) new_pin_file: Option<PathBuf>,
    /// Read the new PIN from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) new_pin_fd: Option<i32>,
}
