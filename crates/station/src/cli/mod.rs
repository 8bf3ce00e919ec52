//! From the command line to the flows, and from their results to exit codes.

mod anchor;
mod args;
mod audit;
mod ceremony;
mod clock;
mod compare;
mod export;
mod key;
mod key_args;
mod output;
mod person;
mod qa;
mod reports;
mod search;
mod selftest;
mod signing;
mod witness;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use keystation::check::{Finding, Verdict};
use keystation::config::{Profile, StationConfig};
use keystation::{
    Custodies, DataDir, Exit, Remark, Station, StationError, Work, check, harden_process, paths,
};
use keystation_audit::Reader;
use keystation_core::failure::{Code, Failure, Safety};
use keystation_device::ports::{self, PortInfo};
use keystation_vault::SecretSource;
use serde_json::{Value, json};

use args::{AnchorVerb, AuditVerb, Cli, ClockVerb, PassphraseFrom, PersonVerb, ReportVerb, Verb};
use output::{Output, causes, printable};

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    // Before anything that could hold a secret.
    let hardened = harden_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    let out = Output { json: cli.json };
    let injecting = matches!(cli.verb, Verb::Inject { .. });
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

/// A command line that is none, or a question about the program. Programs read their JSON line also here.
fn not_understood(error: &clap::Error) -> ExitCode {
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
        Verb::Init { origin } => init(&data, origin, cli.operator.as_deref(), out),
        Verb::Key(verb) => key::run(cli, &data, verb, out),
        Verb::Ports => list_ports(out),
        Verb::Inject { port, profile, job, inspect, passphrase } => {
            let profile = Profile::read(&data.profile(profile))?;
            let work = Work { port: port.clone(), profile, job: job.clone() };
            at_station(cli, &data, out, |station| {
                let exit = inject(station, &work, passphrase, out)?;
                if *inspect {
                    selftest::pause("injected", out)?;
                    station.lock()?;
                    selftest::pause("locked", out)?;
                }
                Ok(exit)
            })
        }
        Verb::Check { port, profile, passphrase } => {
            let profile = Profile::read(&data.profile(profile))?;
            let report = check_port(&data, port, &profile, passphrase)?;
            Ok(checked(&report, out))
        }
        Verb::Person(PersonVerb::Set { id, name_file }) => person::set(&data, id, name_file.as_deref(), out),
        Verb::Person(PersonVerb::List) => person::list(&data, out),
        Verb::Person(PersonVerb::Forget { id }) => person::forget(&data, id, out),
        Verb::Clock(ClockVerb::Accept { approver, reason }) => at_station(cli, &data, out, |station| {
            clock::accept(station, cli.operator.as_deref(), approver, reason, out)
        }),
        Verb::Audit(AuditVerb::Show { last, id }) => audit::show(&data, *last, id.as_deref(), out),
        Verb::Audit(AuditVerb::Search { words, limit, before }) => {
            search::search(&data, words, *limit, *before, out)
        }
        Verb::Audit(AuditVerb::Figures { from, to, job }) => {
            search::figures(&data, from.as_deref(), to.as_deref(), job.as_deref(), out)
        }
        Verb::Audit(AuditVerb::History { id }) => qa::history(&data, id, out),
        Verb::Audit(AuditVerb::Review { status: true, .. }) => qa::review_status(&data, out),
        Verb::Audit(AuditVerb::Review { remark, to, status: false }) => {
            // Before the station is opened, which puts a record into the log.
            let (reviewer, remark) = (cli.operator.as_deref().unwrap_or_default(), Remark::new(remark)?);
            keystation::config::plain_id(reviewer).map_err(StationError::Reviewer)?;
            at_station(cli, &data, out, |station| qa::review(station, reviewer, *to, &remark, out))
        }
        Verb::Audit(AuditVerb::List { words, format, out: file }) => {
            reports::list(&data, words, *format, file, out)
        }
        Verb::Audit(AuditVerb::Anchor(AnchorVerb::Accept { input })) => {
            at_station(cli, &data, out, |station| anchor::accept(station, input, out))
        }
        Verb::Audit(AuditVerb::Anchor(verb)) => anchor::look(&data, verb, out),
        Verb::Audit(AuditVerb::Compare { a, b, vkey }) => compare::run(&data, [a, b], vkey.as_deref(), out),
        Verb::Audit(AuditVerb::Sheet { job, out: file }) => reports::sheet(&data, job, file, out),
        Verb::Audit(AuditVerb::Report { verify: Some(ReportVerb::Verify { file, vkey }), .. }) => {
            reports::verify(file, vkey, out)
        }
        Verb::Audit(AuditVerb::Report { verify: None, job, out: file }) => {
            let job = job.as_deref().expect("clap asks for it");
            let file = file.as_deref().expect("clap asks for it");
            at_station(cli, &data, out, |station| reports::report(station, job, file, out))
        }
        Verb::Audit(AuditVerb::Export { out: path, job, id, from, to, read_only }) => {
            let part = export::part(job.as_deref(), id.as_deref(), from.as_deref(), to.as_deref())?;
            if *read_only {
                return export::unrecorded(&data, &part, path, out);
            }
            at_station(cli, &data, out, |station| export::recorded(station, &part, path, out))
        }
        Verb::Audit(AuditVerb::Proof { id, out: file }) => export::proof(&data, id, file, out),
        Verb::Audit(AuditVerb::NewEpoch { approver, reason }) => {
            audit::new_epoch(&data, cli.operator.as_deref(), approver, reason, out)
        }
        Verb::Audit(AuditVerb::Verify) => audit::verify(&data, out),
        Verb::Audit(AuditVerb::Rebuild) => audit::rebuild(&data, out),
        Verb::Witness(verb) => witness::run(verb, out),
        Verb::Selftest { inspect: false, passphrase } => selftest::run(&data, passphrase, out),
        Verb::Selftest { inspect: true, passphrase } => selftest::inspect(&data, passphrase, out),
    }
}

fn init(data: &DataDir, name: &str, operator: Option<&str>, out: Output) -> Result<Exit, StationError> {
    let origin = Station::init(data, name, operator.unwrap_or("bench"))?;
    out.say(
        format!("Station {origin} made in {}. Next: keystation key import.", data.path().display()),
        &json!({ "event": "init", "origin": origin.as_str(), "data": data.path() }),
    );
    Ok(Exit::Done)
}

/// Opens the station, shows what was left unfinished, works at it, and closes it whatever came of the work.
fn at_station(
    cli: &Cli,
    data: &DataDir,
    out: Output,
    work: impl FnOnce(&Station) -> Result<Exit, StationError>,
) -> Result<Exit, StationError> {
    let station = Station::open(data, "keystation")?;
    if let Some(operator) = &cli.operator {
        station.set_operator(operator);
    }
    let overview = station.overview()?;
    for notice in &overview.notices {
        out.notice(notice);
    }
    for (id, record) in overview.open_intents {
        out.note(format!("Unfinished since record {record}: {id}. Do not ship it: plug it in again."));
    }
    let exit = work(&station);
    if let Err(error) = station.close() {
        // What was done is done, and was said: only the record that this program ended is missing.
        out.note(format!("The log was not closed in order. {}", sentence_of(&error)));
    }
    exit
}

/// Reads the device on `port` with the key of its profile, which is opened for that alone.
fn check_port(
    data: &DataDir,
    port: &Path,
    profile: &Profile,
    secrets: &PassphraseFrom,
) -> Result<check::Report, StationError> {
    let custodies = Custodies::of(data, &StationConfig::read(&data.settings())?)?;
    let (info, kind) = Custodies::active(&Reader::open(&paths(data))?, &profile.group_key)?;
    let vault = custodies.get(kind)?.open(&key::ask(secrets, kind)?)?;
    let report = check::check(data, port, profile, &Custodies::key_in(&vault, &info)?);
    vault.lock();
    report
}

fn list_ports(out: Output) -> Result<Exit, StationError> {
    let ports = ports::list().map_err(StationError::Ports)?;
    if ports.is_empty() {
        out.note("There is no serial port. Check the cable; drivers and rights are shown by `dmesg`.");
    }
    for port in ports {
        let usb = port.usb.as_ref();
        let names = usb.map_or(String::new(), |usb| {
            [usb.vendor_name.as_deref(), usb.product_name.as_deref()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        });
        out.say(
            ports_line(&port, &names),
            &json!({ "event": "port", "path": port.path, "label": port.label(),
                     "usb_path": usb.and_then(|usb| usb.path.clone()),
                     "vendor": usb.map(|usb| usb.vendor), "product": usb.map(|usb| usb.product),
                     "serial": usb.and_then(|usb| usb.serial.clone()) }),
        );
    }
    Ok(Exit::Done)
}

/// A port that is no USB one has its path for a label.
fn ports_line(port: &PortInfo, names: &str) -> String {
    let (path, label) = (port.path.display().to_string(), port.label());
    let label = if label == path { "" } else { &label };
    format!("{path:<16} {label} {names}").trim_end().to_owned()
}

fn inject(
    station: &Station,
    work: &Work,
    passphrase: &PassphraseFrom,
    out: Output,
) -> Result<Exit, StationError> {
    key::open_for(station, &work.profile.group_key, passphrase)?;
    let result = station
        .open_port(work)
        .and_then(|mut port| station.inject(work, &mut port, &mut |step| out.step(step)));
    match &result {
        Ok(pass) => out.pass(pass),
        Err(failure) => out.fail(failure),
    }
    Ok(result.as_ref().map_or_else(exit_of, |_| Exit::Done))
}

/// A device that failed, a rule that forbids it, or a station that cannot work.
const fn exit_of(failure: &Failure) -> Exit {
    match failure.code {
        Code::AlreadyKeyed
        | Code::ForeignKey
        | Code::AlreadyRecorded
        | Code::Twin
        | Code::OtherKey
        | Code::Unsecured
        | Code::ClockDoubted
        | Code::KeyInactive
        | Code::VaultLocked => Exit::Refused,
        Code::VaultFailed | Code::SpaceLow | Code::LogFailed => Exit::Broken,
        _ => Exit::Failed,
    }
}

fn checked(report: &check::Report, out: Output) -> Exit {
    for point in &report.points {
        let (mark, holds) = match point.verdict {
            Verdict::Holds => ("ok  ", Some(true)),
            Verdict::NotCompared => ("--  ", None),
            Verdict::Fails => ("FAIL", Some(false)),
        };
        let remedy = point.remedy();
        let mut sentence = format!("  {mark} {}", printable(&point.sentence));
        let mut object = json!({ "event": "point", "name": point.name, "holds": holds, "sentence": point.sentence,
                                 "remedy": remedy });
        for (number, step) in (1..).zip(remedy) {
            sentence.push_str(&format!("\n       {number}. {step}"));
        }
        if let Some(Finding { code, .. }) = point.finding {
            sentence.push_str(&format!("\n       [{code}]"));
            object["code"] = code.into();
        }
        out.say(sentence, &object);
    }
    let id = report.id.as_ref().map(|id| id.as_str());
    let verdict = if report.holds() { "PASS" } else { "FAIL" };
    out.say(
        format!("{verdict}  {}", id.unwrap_or("the device has no registration ID")),
        &json!({ "event": "check", "holds": report.holds(), "id": id }),
    );
    if report.holds() { Exit::Done } else { Exit::Failed }
}

/// An error and its causes, for people.
fn sentence_of(error: &StationError) -> String {
    match causes(error) {
        cause if cause.is_empty() => format!("{error}."),
        cause => format!("{error}. ({cause})"),
    }
}

/// What kept the station from working. In front of a device, whether that is safe comes first of all.
fn report(out: Output, error: &StationError, injecting: bool) {
    let mut sentence = sentence_of(error);
    let safety = injecting.then_some(Safety::Untouched);
    if let Some(safety) = safety {
        sentence.push_str(&format!(" {}", safety.sentence()));
    }
    for (number, step) in (1..).zip(error.remedy()) {
        sentence.push_str(&format!("\n  {number}. {step}"));
    }
    out.note(sentence);
    if out.json {
        let object: Value = json!({ "event": "error", "code": error.code(), "sentence": error.to_string(),
                                    "safety": safety.map(Safety::as_str), "cause": causes(error),
                                    "remedy": error.remedy() });
        out.say("", &object);
    }
}

fn source(file: Option<&Path>, descriptor: Option<i32>, prompt: &str) -> SecretSource {
    match (file, descriptor) {
        (Some(file), _) => SecretSource::File(file.to_owned()),
        (None, Some(number)) => SecretSource::Descriptor(number),
        (None, None) => SecretSource::Prompt(prompt.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_its_own_label_is_printed_once() {
        let plain = PortInfo { path: "/dev/ttyS0".into(), usb: None };
        assert_eq!(ports_line(&plain, ""), "/dev/ttyS0");
    }
}
