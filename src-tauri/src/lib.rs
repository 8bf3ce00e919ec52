//! The window of the station: what an operator looks at. It can do nothing that the headless binary cannot do.

mod alarm;
mod audit_room;
mod bindings;
mod board;
mod bounded;
mod ceremony;
mod commands;
mod custody;
mod desk;
mod door;
mod dto;
pub mod environment;
mod inspection;
mod labels;
mod machine;
mod navigation;
mod order_book;
mod problem;
mod shell;
mod typed;
mod verbs;

use std::path::PathBuf;

use clap::Parser;
use keystation::DataDir;

use crate::desk::Desk;
use crate::problem::Problem;

/// Wipes what is freed: libraries that hold a secret for a moment do not all do it themselves.
#[global_allocator]
static ALLOCATOR: keystation::WipingAllocator = keystation::WipingAllocator;

/// The window of the key-injection station
#[derive(Parser)]
#[command(name = "keystation-desktop", version)]
struct Arguments {
    /// The station's directory [default: the platform's data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only looks: the log, read-only, beside a running station or without one. No vault, no devices
    #[arg(long)]
    qa: bool,
    /// Trains: simulated devices, an example key and a log of its own, made anew at each start; nothing of the station is opened
    #[arg(long, conflicts_with = "qa")]
    training: bool,
    /// Writes diagnostics to standard error, for example `debug`; they hold no secret at any level
    #[arg(long, value_name = "FILTER")]
    trace: Option<String>,
}

/// The whole program: reads the command line, opens the station and the window, returns when that was closed.
pub fn run() {
    let arguments = Arguments::parse();
    if let Some(filter) = &arguments.trace {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    shell::run(open(arguments));
}

/// The station, or why there is none: the window tells both.
fn open(Arguments { data, qa, training, .. }: Arguments) -> Result<Desk, Problem> {
    keystation::harden_process().map_err(keystation::StationError::Unprotected)?;
    let data =
        data.map(DataDir::new).or_else(DataDir::platform).ok_or(keystation::StationError::NoDataDir)?;
    let desk = match (qa, training) {
        (true, _) => Desk::audit(&data),
        (_, true) => Desk::training(&data),
        _ => Desk::line(&data),
    };
    Ok(desk?)
}
