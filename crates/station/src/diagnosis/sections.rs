//! What a diagnostic bundle says, part by part.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keystation_audit::{Reader, Stamp};
use keystation_device::place::Place;
use keystation_device::ports;

use super::Section;
use super::words::{is_known, is_port};
use crate::config::StationConfig;
use crate::custodies::Custodies;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::program;
use crate::selftest;
use crate::station::paths;

/// Records that are shown of the end of the log.
const RECORDS: u32 = 60;
/// Failures that are shown, and records at the end of the log among which they are looked for.
const FAILURES: usize = 40;
const LOOKED_AT: u32 = 5000;

/// The files of a station's directory that have a name of the program's.
const FILES: [&str; 30] = [
    "after",
    "audit.db",
    "audit.db-shm",
    "audit.db-wal",
    "audit.lock",
    "backup.part",
    "ballast",
    "epoch.plan",
    "epochs",
    "exports",
    "head.note",
    "head.tail",
    "keys",
    "labels",
    "log.vkey",
    "names.db",
    "orders",
    "people.json",
    "pepper.key",
    "profiles",
    "rekeys",
    "slots.json",
    "station.key",
    "station.toml",
    "training",
    "transfer",
    "transfer-key.age",
    "tries.json",
    "vault.age",
    "witness.vkeys",
];

/// All of them.
pub(super) fn all(data: &DataDir, now: &Stamp) -> Vec<Section> {
    let sections: [(&'static str, String); 8] = [
        ("program", program(now)),
        ("settings", settings(data)),
        ("files", files(data)),
        ("ports", ports()),
        ("selftest", tests(data)),
        ("log", log(data, now).unwrap_or_else(|error| format!("does not open: {}\n", error.code()))),
        ("failures", records(data, LOOKED_AT, FAILURES, |rc| !matches!(rc, "" | "ok"))),
        ("records", records(data, RECORDS, RECORDS as usize, |_| true)),
    ];
    sections.map(|(name, text)| Section { name, text }).into()
}

fn program(now: &Stamp) -> String {
    let build = program::build().map_or_else(|_| "unknown".to_owned(), |build| in_fours(&build[..16]));
    // The name of a kernel may have a date or a machine's name in it.
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel: Vec<_> = kernel.split('.').take(2).filter(|part| is_number(part)).collect();
    format!(
        "keystation diagnosis v1, made {}\nkeystation {}, build {build}\nSQLite {}\n{} {}, kernel {}\nup {} s\n",
        now.time().unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
        keystation_audit::sqlite_version(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        kernel.join("."),
        grouped(now.mono_ms / 1000),
    )
}

/// Numbers and kinds; no name, path or comment of whoever wrote the file.
fn settings(data: &DataDir) -> String {
    let config = match StationConfig::read(&data.settings()) {
        Ok(config) => config,
        Err(crate::config::ConfigError::Wrong { line, .. }) => {
            return format!("line {} cannot be used\n", grouped(line as u64));
        }
        Err(crate::config::ConfigError::Exposed(_)) => {
            return "a file that they name is open to others\n".to_owned();
        }
        Err(crate::config::ConfigError::Unreadable { source, .. }) => {
            return format!("cannot be read: {}\n", cause(&source));
        }
    };
    let kind = |place: &Place| match place {
        Place::Path(_) => "device file",
        Place::Usb { .. } => "place on the USB tree",
    };
    let mut text = String::new();
    for slot in &config.slots {
        let _ = writeln!(text, "slot {}: {}", grouped(slot.number.into()), kind(&slot.place));
    }
    let counted = [
        ("witnesses", config.witnesses.len() as u64),
        ("customers", config.orders.customers.len() as u64),
        ("review days", config.review.days.into()),
        ("idle minutes", config.session.idle_minutes.into()),
        ("session hours", config.session.hours.into()),
        ("anchor warns after hours", config.anchor.warn_hours),
        ("anchor warns after records", config.anchor.warn_records),
        ("anchor blocks after hours", config.anchor.block_hours),
        ("anchor blocks after records", config.anchor.block_records),
        ("space warns below MiB", config.space.warn >> 20),
        ("space refuses below MiB", config.space.refuse >> 20),
    ];
    for (name, number) in counted {
        let _ = writeln!(text, "{name}: {}", grouped(number));
    }
    let switched = [
        ("scanner", config.scanner.is_some()),
        ("token", config.token.is_some()),
        ("TPM", config.tpm.is_some()),
        ("PIN counter in the TPM", config.pin_counter),
        ("orders required", config.orders.required),
        ("orders signed only", config.orders.signed_only),
        ("training", crate::training::is_name(&config.origin)),
    ];
    for (name, on) in switched {
        let _ = writeln!(text, "{name}: {}", if on { "yes" } else { "no" });
    }
    let custodies = Custodies::of(data, &config)
        .and_then(|custodies| custodies.with_keys(&Reader::open(&paths(data))?))
        .map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "));
    let _ =
        writeln!(text, "custodies with keys: {}", custodies.unwrap_or_else(|error| error.code().to_owned()));
    text
}

/// In a word of the program.
fn cause(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "not there",
        std::io::ErrorKind::PermissionDenied => "not permitted",
        _ => "another reason",
    }
}

/// Size and rights of what has a name of the program's; the rest is counted.
fn files(data: &DataDir) -> String {
    let mut text = String::new();
    for name in FILES {
        let Ok(found) = fs::symlink_metadata(data.path().join(name)) else { continue };
        let (kind, mode) = (found.file_type(), found.permissions().mode() & 0o7777);
        let what = match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => format!("{} entries", grouped(entries(&data.path().join(name)))),
            (_, true) => "a link".to_owned(),
            _ => format!("{} bytes", grouped(found.len())),
        };
        let _ = writeln!(text, "{mode:04o} {name}: {what}");
    }
    let others = fs::read_dir(data.path())
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry.as_ref().is_ok_and(|entry| !FILES.iter().any(|name| entry.file_name() == *name))
        })
        .count();
    let others = grouped(others as u64);
    let free = rustix::fs::statvfs(data.path())
        .map_or_else(|_| "unknown".to_owned(), |disk| grouped((disk.f_bavail * disk.f_frsize) >> 20));
    let _ = writeln!(text, "others, whose names are left out: {others}\nfree MiB: {free}");
    text
}

fn entries(folder: &Path) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

/// Names that the kernel gives, and the numbers of vendor and product: texts come from the devices.
fn ports() -> String {
    let ports = match ports::list() {
        Ok(ports) => ports,
        Err(_) => return "cannot be listed\n".to_owned(),
    };
    let mut text = format!("{} ports\n", grouped(ports.len() as u64));
    for port in ports {
        let name = port.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = if is_port(name) { name } else { "another name" };
        let _ = match &port.usb {
            Some(usb) => writeln!(text, "{name} USB {:04x}:{:04x}", usb.vendor, usb.product),
            None => writeln!(text, "{name}"),
        };
    }
    text
}

fn tests(data: &DataDir) -> String {
    let told =
        |(name, said): selftest::Check| format!("{} {name}\n", if said.is_ok() { "ok  " } else { "FAIL" });
    selftest::checks(data).into_iter().map(told).collect()
}

fn log(data: &DataDir, now: &Stamp) -> Result<String, StationError> {
    let reader = Reader::open(&paths(data))?;
    let agrees = reader.snapshot().map(|moment| moment.checkpoint().origin.to_string());
    let epoch = agrees.as_ref().ok().and_then(|origin| origin.rsplit('/').next()).unwrap_or_default();
    let counts = reader.counts()?;
    let last = reader.recent(1)?.pop();
    let behind = match last.as_ref().map(keystation_audit::StoredRecord::parse).transpose()? {
        Some(last) => now.utc_ms - last.utc_ms(),
        None => 0,
    };
    Ok(format!(
        "epoch: {}\nrecords: {}\nonly in the tail: {}\nagrees with its checkpoint and its head: {}\nopen intents: {}\n\
         passed: {}\nfailed: {}\nrefused: {}\nthe clock is ahead of the last record by {}{} s\n",
        if epoch.len() < 6 { epoch } else { "" },
        grouped(reader.size()?),
        reader.only_in_tail().map_or_else(|_| "unknown".to_owned(), grouped),
        if agrees.is_ok() { "yes" } else { "NO" },
        grouped(reader.open_intents()?.len() as u64),
        grouped(counts.passed),
        grouped(counts.failed),
        grouped(counts.refused),
        if behind < 0 { "-" } else { "" },
        grouped(behind.unsigned_abs() / 1000),
    ))
}

/// The last of the records at the end of the log that `wanted` takes by their outcome: number, time, event, outcome, and why in the
/// words of the program. Of whom and of what they speak is left out.
fn records(data: &DataDir, looked_at: u32, most: usize, wanted: impl Fn(&str) -> bool) -> String {
    let read = Reader::open(&paths(data)).and_then(|reader| reader.recent(looked_at));
    let stored = match read {
        Ok(stored) => stored,
        Err(error) => return format!("cannot be read: {}\n", StationError::from(error).code()),
    };
    let mut lines = Vec::new();
    for record in stored.iter().rev() {
        let Ok(record) = record.parse() else {
            lines.push("not a record\n".to_owned());
            continue;
        };
        if lines.len() == most {
            break;
        }
        if !wanted(record.rc()) {
            continue;
        }
        let why = ["code", "why", "holds", "action"].into_iter().filter_map(|name| record.text(name));
        let why: Vec<_> = why.filter(|word| is_known(word)).collect();
        let (event, rc) = (word(record.event()), word(record.rc()));
        let (seq, time) = (grouped(record.seq()), record.time());
        lines.push(format!("{seq} {time} {event} {rc} {}\n", why.join(" ")).replace("  ", " "));
    }
    lines.reverse();
    lines.concat()
}

/// A word of the program, as events and codes are; anything else is not repeated.
fn word(text: &str) -> &str {
    if text.is_empty() || is_known(text) { text } else { "?" }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `12_345_678`: no number of the bundle has as many digits in a row as a PIN.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn in_fours(text: &str) -> String {
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1_000"), (12_345_678, "12_345_678")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(in_fours("0a1b2c3d4e5f6789"), "0a1b-2c3d-4e5f-6789");
    }

    #[test]
    fn a_directory_without_a_station_is_told_as_one() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::new(directory.path().to_owned());
        let now = crate::station::clock().map(|clock| keystation_audit::Clock::now(&clock)).unwrap();
        let sections = all(&data, &now);
        let of = |name| sections.iter().find(|section| section.name == name).unwrap().text.clone();
        assert_eq!(of("log"), "does not open: station-missing\n");
        assert_eq!(of("settings"), "cannot be read: not there\n");
        assert!(of("selftest").contains("ok   derivation\nFAIL log\n"), "{}", of("selftest"));
    }
}
