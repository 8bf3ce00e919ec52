//! The window of the station: what an operator looks at. It can do nothing that the headless binary cannot do.

mod alarm;
mod arguments;
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
mod going;
mod inspection;
mod labels;
mod machine;
mod navigation;
mod order_book;
mod problem;
mod repair_room;
mod shell;
mod typed;
mod verbs;

use clap::Parser;
use keystation::DataDir;

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::problem::Problem;

/// Wipes what is freed: libraries that hold a secret for a moment do not all do it themselves.
#[global_allocator]
static ALLOCATOR: keystation::WipingAllocator = keystation::WipingAllocator;

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
