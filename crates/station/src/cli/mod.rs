//! From the command line to the flows, and from their results to exit codes.

mod after;
mod anchor;
mod args;
mod audit;
mod backup;
mod batch;
mod ceremony;
mod clock;
mod compare;
mod device;
mod diagnose;
mod epoch;
mod export;
mod key;
mod life;
mod order;
mod output;
mod person;
mod qa;
mod repair;
mod reports;
mod run;
mod search;
mod secrets;
mod selftest;
mod session;
mod shift;
#[cfg(test)]
mod tests;
mod training;
mod trouble;
mod witness;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ContextValue;
use keystation::config::Profile;
use keystation::{DataDir, Exit, Station, StationError, Work, harden_process};
use keystation_core::failure::Safety;
use keystation_device::place::Place;
use serde_json::json;

use args::{Admins, Cli, ClockVerb, Verb};
use output::{Output, printable};
use session::at_station;
use trouble::report;

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    // Before anything that could hold a secret.
    let hardened = harden_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(plain(error)),
    };
    let out = Output { json: cli.json };
    let injecting = matches!(cli.verb, Verb::Inject { .. } | Verb::Rekey(_));
    if let Some(filter) = &cli.trace {
        let started = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .try_init();
        if let Err(error) = started {
            out.note(format!("no diagnostics: {error}"));
        }
    }
    let result = hardened.map_err(StationError::Unprotected).and_then(|()| run(&cli, out));
    let exit = result.unwrap_or_else(|error| {
        report(out, &error, injecting);
        error.exit()
    });
    ExitCode::from(exit as u8)
}

/// The same error, in which nothing of what was typed acts on a terminal or makes a line of its own: a label or an ID may be a stranger's.
fn plain(mut error: clap::Error) -> clap::Error {
    let said: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in said {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(printable(&text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| printable(text)).collect())
            }
            // Tips repeat it with a style around.
            ContextValue::StyledStrs(tips) if tips.iter().any(|tip| acts(&tip.to_string())) => {
                ContextValue::None
            }
            _ => continue,
        };
        error.insert(kind, value);
    }
    error
}

fn acts(text: &str) -> bool {
    printable(text) != text
}

/// A command line that is none, or a question about the program. Programs read their JSON line also here.
fn not_understood(error: clap::Error) -> ExitCode {
    let out = Output { json: std::env::args_os().any(|argument| argument == "--json") };
    if out.json && error.use_stderr() {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        out.say(
            "",
            &json!({ "event": "error", "code": "usage", "sentence": printable(first),
                             "safety": Safety::Untouched.as_str() }),
        );
    }
    if error.print().is_err() {
        tracing::warn!("the terminal is gone");
    }
    if error.use_stderr() { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS }
}

fn run(cli: &Cli, out: Output) -> Result<Exit, StationError> {
    let data = match &cli.data {
        Some(path) => DataDir::new(path.clone()),
        None => DataDir::platform().ok_or(StationError::NoDataDir)?,
    };
    match &cli.verb {
        Verb::Init { origin, admins } => init(cli, &data, origin, admins, out),
        Verb::Key(verb) => key::run(cli, &data, verb, out),
        Verb::Ports => device::list_ports(out),
        Verb::Inject { port, profile, job, label, inspect, passphrase } => {
            let profile = Profile::read(&data.profile(profile))?;
            let job = job.as_ref().map_or_else(String::new, ToString::to_string);
            let work = Work { place: Place::Path(port.clone()), profile, job };
            at_station(cli, &data, out, |bench| {
                device::inject(bench, &work, label.as_ref(), *inspect, passphrase)
            })
        }
        Verb::Run { training: true, .. } => training::run(cli, &data, out),
        Verb::Run { training: false, slots, passphrase } => {
            at_station(cli, &data, out, |bench| run::run(bench, slots.as_ref(), passphrase))
        }
        Verb::Check { port, profile, passphrase } => {
            let profile = Profile::read(&data.profile(profile))?;
            device::check(cli, &data, port, &profile, passphrase, out)
        }
        Verb::Look(args) => at_station(cli, &data, out, |bench| repair::look(bench, args)),
        Verb::Rekey(args) => at_station(cli, &data, out, |bench| {
            after::with_hooks(bench, |bench| match &args.port {
                Some(port) => repair::rekey(bench, args, port),
                None => batch::rekey(bench, args),
            })
        }),
        Verb::Batch(verb) => batch::run(cli, &data, verb, out),
        Verb::Order(verb) => order::run(cli, &data, verb, out),
        Verb::Device(verb) => at_station(cli, &data, out, |bench| {
            after::with_hooks(bench, |bench| life::run(bench, &data, verb))
        }),
        Verb::Cleanup(verb) => at_station(cli, &data, out, |bench| life::cleanup(bench, verb)),
        Verb::After => after::status(&data, out),
        Verb::Label(verb) => after::label(cli, &data, verb, out),
        Verb::Outbox(verb) => after::outbox(cli, &data, verb, out),
        Verb::Person(verb) => at_station(cli, &data, out, |bench| person::run(bench, verb)),
        Verb::Clock(ClockVerb::Accept { reason }) => {
            at_station(cli, &data, out, |bench| clock::accept(bench, reason))
        }
        Verb::Audit(verb) => audit::run(cli, &data, verb, out),
        Verb::Backup(args) => backup::make(cli, &data, args, out),
        Verb::Restore(args) => backup::restore(cli, &data, args, out),
        Verb::Diagnose { file } => diagnose::run(&data, file, out),
        Verb::Witness(verb) => witness::run(verb, out),
        Verb::Selftest { inspect: false, passphrase } => selftest::run(cli, &data, passphrase, out),
        Verb::Selftest { inspect: true, passphrase } => {
            at_station(cli, &data, out, |bench| selftest::inspect(bench, passphrase))
        }
    }
}

/// Makes a station, and its first two administrators where they are named. Their PINs are asked for before anything is made.
fn init(cli: &Cli, data: &DataDir, name: &str, admins: &Admins, out: Output) -> Result<Exit, StationError> {
    let two = if admins.admins.is_empty() { None } else { Some(person::two(admins)?) };
    let origin = Station::init(data, name)?;
    let next = if two.is_some() { "keystation key import" } else { "keystation person begin, or the window" };
    out.say(
        format!("Station {origin} made in {}. Next: {next}.", data.path().display()),
        &json!({ "event": "init", "origin": origin.as_str(), "data": data.path() }),
    );
    match two {
        Some(two) => at_station(cli, data, out, |bench| person::begin(bench, two)),
        None => Ok(Exit::Done),
    }
}
