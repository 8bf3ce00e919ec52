//! `keystation inject`, `check` and `ports`: devices.

use std::path::Path;
use std::time::Duration;

use keystation::check::{self, Finding, Report, Verdict};
use keystation::config::Profile;
use keystation::line::Label;
use keystation::people::Action;
use keystation::{DataDir, Exit, Meant, StationError, Work, paths};
use keystation_audit::{OpenError, Reader};
use keystation_core::failure::{Code, Failure};
use keystation_device::ports::{self, PortInfo};
use serde_json::json;

use super::args::{Cli, PassphraseFrom};
use super::key;
use super::output::{Output, printable};
use super::selftest::pause;
use super::session::{Bench, at_station};

/// What labels and hooks of one device may take until the program ends.
const AFTER: Duration = Duration::from_secs(15);

pub(super) fn inject(
    bench: &Bench<'_>,
    work: &Work,
    label: Option<&Label>,
    inspect: bool,
    passphrase: &PassphraseFrom,
) -> Result<Exit, StationError> {
    let Bench { station, out, .. } = bench;
    // A custodian may open the custody, and is not asked for its secret by what they may not do.
    bench.may_ask(Action::Inject)?;
    key::open_for(bench, &work.profile.group_key, passphrase)?;
    // Without a name it is the order that is open, as on the line.
    let job = if work.job.is_empty() { station.open_job()? } else { work.job.clone() };
    let work = &Work { job, ..work.clone() };
    station.begin_after_one()?;
    // A signal in the meantime waits until the result is said, too.
    let in_work = station.busy();
    let result = station.may_inject().and_then(|permit| {
        let mut port = station.open_port(&permit, work)?;
        station
            .inject(&permit, work, Meant { label, ..Meant::default() }, &mut port, &mut |step| out.step(step))
    });
    match &result {
        Ok(pass) => out.pass(pass),
        Err(failure) => out.fail(failure),
    }
    drop(in_work);
    if !station.after_done(AFTER) {
        out.note("Not all labels and hooks are done. Labels are printed when the station works again: keystation label status.");
    }
    if inspect {
        pause("injected", *out)?;
        station.lock(&bench.permit(Action::Lock)?)?;
        pause("locked", *out)?;
    }
    Ok(result.as_ref().map_or_else(exit_of, |_| Exit::Done))
}

/// A device that failed, a rule that forbids it, or a station that cannot work.
pub(super) const fn exit_of(failure: &Failure) -> Exit {
    match failure.code {
        Code::AlreadyKeyed
        | Code::ForeignKey
        | Code::AlreadyRecorded
        | Code::Twin
        | Code::OtherKey
        | Code::NotPermitted
        | Code::KeyInactive
        | Code::Unsecured
        | Code::ClockDoubted
        | Code::NoLabel
        | Code::WrongLabel
        | Code::Unlisted
        | Code::WrongMaker
        | Code::WrongSerial
        | Code::OtherBoard
        | Code::Scrapped
        | Code::Revoked
        | Code::Replaced
        | Code::NoOrder
        | Code::OrderFull
        | Code::SameKey
        | Code::NeverKeyed
        | Code::NotOfBatch
        | Code::AlreadyRekeyed
        | Code::BatchFull
        | Code::BatchClosed
        | Code::BatchTerms
        | Code::UnknownKey
        | Code::VaultLocked => Exit::Refused,
        Code::VaultFailed | Code::Collision | Code::SpaceLow | Code::LogFailed => Exit::Broken,
        _ => Exit::Failed,
    }
}

/// Looks at a finished device, as somebody who may; where the log does not open nobody can sign in, and what the device says of
/// the log is wanted the more.
pub(super) fn check(
    cli: &Cli,
    data: &DataDir,
    port: &Path,
    profile: &Profile,
    passphrase: &PassphraseFrom,
    out: Output,
) -> Result<Exit, StationError> {
    let checked = at_station(cli, data, out, |bench| {
        let permit = bench.permit(Action::Check)?;
        let label = &profile.group_key;
        let secret = key::secret_of(&bench.station.reader()?, label, passphrase);
        let secret = bench.station.done_or_told(&permit, label.as_str(), secret)?;
        Ok(tell(&bench.station.check(&permit, port, profile, &secret)?, out))
    });
    match checked {
        Err(StationError::Log(error)) if !matches!(error, OpenError::InUse(_)) => {
            out.note(format!("Nobody can sign in, and there is no record of this check: {error}."));
            let secret = key::secret_of(&Reader::open(&paths(data))?, &profile.group_key, passphrase)?;
            Ok(tell(&check::check_unrecorded(data, port, profile, &secret)?, out))
        }
        checked => checked,
    }
}

fn tell(report: &Report, out: Output) -> Exit {
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

pub(super) fn list_ports(out: Output) -> Result<Exit, StationError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_its_own_label_is_printed_once() {
        let plain = PortInfo { path: "/dev/ttyS0".into(), usb: None };
        assert_eq!(ports_line(&plain, ""), "/dev/ttyS0");
    }
}
