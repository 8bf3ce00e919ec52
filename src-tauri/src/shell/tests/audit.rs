//! The audit room on a real station: its log is `tests/vectors/audit-v1.db`, which an older program wrote and signed with
//! the example key of RFC 8032, and which the station takes over.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use keystation::people::Action;
use keystation::{DataDir, Station};
use serde_json::{Value, json};
use tauri::ipc::Channel;
use tempfile::TempDir;

use super::staff::{Staffed, State};
use super::{app, call, commands, window};
use crate::audit_room::AuditRoom;
use crate::desk::Desk;
use crate::problem::Problem;

/// Published, in RFC 8032, section 7.1, test 1.
const EXAMPLE_KEY: &str =
    "PRIVATE+KEY+keylog.example.com/plant7/stn03/1+f80565cd+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
/// Records that the older program wrote.
const OLDER: u64 = 43;
/// Commands that a window can answer that only looks.
pub(super) const READS: &[&str] = &[
    "overview",
    "recent",
    "search",
    "device",
    "verify",
    "cancel_verify",
    "figures",
    "denials",
    "review",
    "people",
    "keys",
    "key_devices",
];

/// A station with the older log, which nobody has opened yet.
fn untouched() -> (TempDir, DataDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    fs::copy(kept.join("audit-v1.db"), path.join("audit.db")).unwrap();
    fs::copy(kept.join("audit-v1.note"), path.join("head.note")).unwrap();
    fs::write(path.join("station.key"), EXAMPLE_KEY).unwrap();
    fs::set_permissions(path.join("station.key"), fs::Permissions::from_mode(0o600)).unwrap();
    // The attempts of this log are from 22 November 2026, so a review is due on any later day but the next.
    let settings = "version = 1\norigin = \"keylog.example.com/plant7/stn03\"\n[review]\ndays = 1\n";
    fs::write(path.join("station.toml"), settings).unwrap();
    let data = DataDir::new(path.to_owned());
    (directory, data)
}

/// A station that was opened and closed.
pub(super) fn closed() -> (TempDir, DataDir) {
    let (directory, data) = untouched();
    Station::open(&data, "test").unwrap().close().unwrap();
    (directory, data)
}

/// A station that was killed: its last records are in the write-ahead log only.
fn killed() -> (TempDir, DataDir) {
    let (running, data) = untouched();
    let station = Station::open(&data, "test").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(running.path().join(".")).arg(directory.path()).status();
    assert!(copied.unwrap().success());
    station.close().unwrap();
    let data = DataDir::new(directory.path().to_owned());
    assert!(fs::metadata(directory.path().join("audit.db-wal")).unwrap().len() > 0);
    (directory, data)
}

/// The answer of a window on this desk.
fn ask(desk: Result<Desk, Problem>, command: &str, arguments: Value) -> Result<Value, Value> {
    let app = app(desk);
    call(&window(&app, "main"), command, arguments)
}

/// The answer of a window that only looks.
pub(super) fn look(data: &DataDir, command: &str, arguments: Value) -> Result<Value, Value> {
    ask(Ok(Desk::audit(data).unwrap()), command, arguments)
}

/// Size, time of the last change and hash of each file, but for the memory in which SQLite's readers mark where they are. By a program of its own: to close a descriptor of the database
/// in this process would take the locks of SQLite from it.
fn fingerprint(directory: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, String)> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.is_file() && !path.ends_with("audit.db-shm"))
        .map(|path| {
            let sum = Command::new("sha256sum").arg(&path).output().unwrap();
            assert!(sum.status.success(), "{sum:?}");
            let meta = fs::metadata(&path).unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap();
            (path, (meta.len(), meta.modified().unwrap(), sum))
        })
        .collect()
}

/// Exchanges `from` for `to`, as long, in the database.
fn spoil(data: &DataDir, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let file = data.path().join("audit.db");
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.windows(from.len()).position(|part| part == from.as_bytes()).expect("it is there");
    bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_window_that_looks_changes_nothing_beside_a_running_station() {
    let (directory, data) = untouched();
    // The station holds its lock and its database all the while.
    let station = Station::open(&data, "test").unwrap();
    // It writes its head when it comes to rest, and the tail is empty then.
    while fs::read(directory.path().join("head.tail")).unwrap().iter().any(|byte| *byte != 0) {
        std::thread::yield_now();
    }
    let before = fingerprint(directory.path());
    let app = app(Ok(Desk::audit(&data).unwrap()));
    let window = window(&app, "main");
    for (command, arguments) in commands() {
        drop(call(&window, command, arguments));
    }
    // What is written meanwhile is seen, with a connection that was there before.
    assert_eq!(fingerprint(directory.path()), before);
    let seen = |command: &str| call(&window, command, json!({ "count": 1 })).unwrap();
    let records = seen("overview")["records"].as_u64().unwrap();
    assert_eq!(records, OLDER + 1);
    station.permit(Action::SignReview).unwrap_err();
    assert_eq!(seen("recent")[0]["event"], "policy.refuse");
    assert_eq!(seen("overview")["records"], records + 1);
    drop(app);
    station.close().unwrap();
}

#[test]
fn a_window_that_looks_changes_nothing_without_a_station_either() {
    for (directory, data) in [closed(), killed()] {
        let before = fingerprint(directory.path());
        for (command, arguments) in commands() {
            drop(look(&data, command, arguments));
        }
        let after = fingerprint(directory.path());
        for (file, as_it_was) in &before {
            assert_eq!(after.get(file), Some(as_it_was), "{}", file.display());
        }
        // SQLite makes this one to read, and nothing is in it.
        for (file, (size, ..)) in after.iter().filter(|(file, _)| !before.contains_key(*file)) {
            assert!(file.ends_with("audit.db-wal") && *size == 0, "{}: {size} bytes", file.display());
        }
        // A station that comes afterwards finds its log.
        Station::open(&data, "test").unwrap().close().unwrap();
    }
}

#[test]
fn the_overview_says_which_rooms_there_are_for_nobody() {
    let (_directory, data) = closed();
    let looking = look(&data, "overview", json!({})).unwrap();
    assert_eq!(
        (&looking["rooms"], &looking["readOnly"], &looking["damage"], &looking["reviewDue"]),
        (&json!(["audit", "keys", "people"]), &json!(true), &Value::Null, &json!(true))
    );
    let desk = Desk::line(&data).unwrap();
    let working = ask(Ok(desk), "overview", json!({})).unwrap();
    assert_eq!(
        (&working["rooms"], &working["readOnly"], &working["damage"], &working["operator"]),
        (&json!(["line"]), &json!(false), &Value::Null, &json!(""))
    );
}

#[test]
fn attempts_are_found_a_page_at_a_time() {
    let (_directory, data) = closed();
    let page = look(&data, "search", json!({ "text": "op:op-0117", "before": null, "limit": 3 })).unwrap();
    let rows = page["rows"].as_array().unwrap();
    let seqs: Vec<_> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!((seqs.as_slice(), &page["more"]), ([42, 41, 39].as_slice(), &json!(true)));
    assert_eq!(
        rows[0],
        json!({ "seq": 42, "time": 1_795_313_643_543_i64, "id": "sn-0001", "mac": "a1b2c3d4e5f6",
                "serial": "007-888-abc", "job": "", "operator": "op-0117", "key": "", "port": "usb-1",
                "mode": "refused", "outcome": "refused", "code": "already-keyed",
                "sentence": "The device already holds a key.", "holds": "untouched", "verified": "none",
                "cycleMs": null, "outcomeRecord": null })
    );
    let open = &rows[2];
    let told = ["outcome", "code", "holds", "verified", "cycleMs", "outcomeRecord"].map(|name| &open[name]);
    assert_eq!(
        told.map(Value::to_string),
        ["\"unplugged\"", "\"unplugged\"", "\"unknown\"", "\"none\"", "10", "40"]
    );

    let next = json!({ "text": "op:op-0117", "before": 39, "limit": 500 });
    let rest = look(&data, "search", next).unwrap();
    assert_eq!((rest["rows"].as_array().unwrap().len(), &rest["more"]), (19, &json!(false)));
    assert_eq!(rest["rows"][18]["verified"], "challenge");
    let wrong = look(&data, "search", json!({ "text": "colour:red", "before": null, "limit": 3 }));
    assert_eq!(wrong.unwrap_err()["code"], "query");
}

#[test]
fn a_device_tells_its_life() {
    let (_directory, data) = closed();
    let life = look(&data, "device", json!({ "id": "sn-0001" })).unwrap();
    let told =
        ["standing", "key", "checkValue", "fingerprint", "keyedRecord", "securedTo"].map(|name| &life[name]);
    assert_eq!(
        told,
        [
            &json!("keyed"),
            &json!("gk-2026a"),
            &json!("9B5BD-BEC8B"),
            &json!("51b7d2b8f7972a93a5c8ae38"),
            &json!(4),
            &Value::Null
        ]
    );
    let events = life["events"].as_array().unwrap();
    let told: Vec<_> =
        events.iter().map(|event| (&event["seq"], &event["event"], &event["refersTo"])).collect();
    assert_eq!(
        told,
        [
            (&json!(3), &json!("inject.intent"), &Value::Null),
            (&json!(4), &json!("inject.result"), &json!(3)),
            (&json!(42), &json!("inject.refuse"), &Value::Null),
        ]
    );
    for (number, standing) in [(3, "not-keyed"), (4, "open")] {
        let life = look(&data, "device", json!({ "id": format!("sn-{number:04}") })).unwrap();
        assert_eq!((&life["standing"], &life["keyedRecord"]), (&json!(standing), &Value::Null));
    }

    for (id, code) in UNKNOWN {
        assert_eq!(look(&data, "device", json!({ "id": id })).unwrap_err()["code"], code, "{id}");
    }
}

/// What is no device, and what is said of it.
pub(super) const UNKNOWN: [(&str, &str); 3] =
    [("sn-of-nobody", "no-device"), ("../../etc/passwd", "registration-id"), ("", "registration-id")];

#[test]
fn figures_add_up_over_a_period_and_a_work_order() {
    let (_directory, data) = closed();
    let ask = |until: i64, job: Value| {
        look(&data, "figures", json!({ "from": 0, "until": until, "job": job })).unwrap()
    };
    let all = ask(1_900_000_000_000, Value::Null);
    let day = json!({ "name": "2026-11-22", "passed": 12, "failed": 8, "refused": 2, "open": 0 });
    assert_eq!(all["days"], json!([day]));
    let slot = json!({ "tally": { "name": "usb-1-1.4/0403:6001/FT9X2", "passed": 12, "failed": 8, "refused": 0, "open": 0 },
                       "medianMs": 10 });
    assert_eq!(all["slots"][1], slot);
    let causes: Vec<_> =
        all["causes"].as_array().unwrap().iter().map(|cause| (&cause["code"], &cause["count"])).collect();
    assert_eq!(causes.len(), 4);
    assert!(causes.contains(&(&json!("unplugged"), &json!(4))));
    assert_eq!(ask(1_900_000_000_000, json!("WO-44192"))["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(ask(1, Value::Null)["days"], json!([]));
}

#[test]
fn a_review_is_signed_where_the_log_is_written() {
    let (directory, data) = closed();
    let staffed = Staffed::over(directory, &data);
    staffed.bring("qa-1", State::Open);
    let review = || staffed.call("review", json!({})).unwrap();
    let before = review();
    let attempts = json!({ "name": "", "passed": 12, "failed": 8, "refused": 2, "open": 0 });
    assert_eq!(
        (&before["last"], &before["due"], &before["from"], &before["attempts"]),
        (&Value::Null, &json!(true), &json!(0), &attempts)
    );
    let sign = |reviewer: &str, remark: &str| {
        staffed.call("sign_review", json!({ "reviewer": reviewer, "to": before["to"], "remark": remark }))
    };
    let size = staffed.size();
    assert_eq!(sign("qa-2", "").unwrap_err()["code"], "reviewer", "nobody signs for another");
    let told = &staffed.since(size, "policy.refuse")[0];
    assert_eq!(["action", "code", "op"].map(|field| &told[field]), ["sign-review", "reviewer", "qa-1"]);
    // The line works on while the page is read: what came since is in no signature.
    staffed.bring("op-1", State::Open);
    assert_eq!(sign("op-1", "").unwrap_err()["code"], "role");
    staffed.bring("qa-1", State::Open);
    let signed = sign("qa-1", "two boards to repair").unwrap();
    assert_eq!(
        (&signed["from"], &signed["to"], &signed["reviewer"], &signed["remark"]),
        (&json!(0), &before["to"], &json!("qa-1"), &json!("two boards to repair"))
    );
    let (after, next) = (review(), json!(before["to"].as_u64().unwrap() + 1));
    assert_eq!((&after["last"], &after["due"], &after["from"]), (&signed, &json!(false), &next));
    assert_eq!(staffed.call("overview", json!({})).unwrap()["reviewDue"], false);
}

#[test]
fn the_log_is_verified_once_at_a_time_and_can_be_broken_off() {
    let (_directory, data) = closed();
    let Desk::Audit(room) = Desk::audit(&data).unwrap() else { panic!("it only looks") };
    let room = Arc::new(room);
    let verify = |room: &AuditRoom, told: Channel<_>| {
        tauri::async_runtime::block_on(room.verify(told))
            .map(|verdict| serde_json::to_value(verdict).unwrap())
    };
    let quiet = || Channel::new(|_| Ok(()));
    let intact = verify(&room, quiet()).unwrap();
    assert_eq!(
        (&intact["state"], &intact["records"], &intact["head"], &intact["secured"]),
        (&json!("intact"), &json!(OLDER + 2), &json!(OLDER + 2), &Value::Null)
    );
    assert_eq!(intact["root"].as_str().unwrap().len(), "AAAAA-AAAAA".len());

    // Asked for again, then broken off, while it says for the first time how far it is.
    let again = Arc::clone(&room);
    let told = Channel::new(move |_| {
        let second = std::thread::scope(|scope| {
            scope.spawn(|| tauri::async_runtime::block_on(again.verify(quiet()))).join().unwrap()
        });
        assert_eq!(second.unwrap_err().code, "verify-running");
        again.cancel_verify();
        Ok(())
    });
    assert_eq!(verify(&room, told).unwrap(), json!({ "state": "cancelled", "done": 0 }));
    assert_eq!(verify(&room, quiet()).unwrap()["state"], "intact", "what was broken off is over");
    // A page that went away wants no verdict.
    let gone = Channel::new(|_| Err(tauri::Error::WindowNotFound));
    assert_eq!(verify(&room, gone).unwrap()["state"], "cancelled");
}

#[test]
fn a_damaged_log_is_shown_to_qa_and_to_nobody_else() {
    let verify = |data: &DataDir| look(data, "verify", json!({ "channel": "__CHANNEL__:4" })).unwrap();

    // A record that somebody changed long ago: not at first sight, and found.
    let (_directory, data) = closed();
    spoil(&data, "\"holds\":\"old\"", "\"holds\":\"new\"");
    assert_eq!(look(&data, "overview", json!({})).unwrap()["damage"], Value::Null);
    let verdict = verify(&data);
    assert_eq!(verdict["state"], "damaged");
    let finding = &verdict["findings"][0];
    assert!(finding["sentence"].as_str().unwrap().contains("was changed"), "{verdict}");
    assert_eq!(finding["record"].as_u64().unwrap() % 2, 0, "an outcome of this log: {verdict}");
    assert!((1..=3).contains(&finding["remedy"].as_array().unwrap().len()));

    // What the station will not start with.
    for (name, spoil) in [
        ("head", (|data: &DataDir| fs::remove_file(data.path().join("head.note")).unwrap()) as fn(&DataDir)),
        ("last record", |data| spoil(data, "\"ev\":\"log.close\"", "\"ev\":\"log.clown\"")),
        ("header", |data| spoil(data, "SQLite format 3", "SQLite format 4")),
    ] {
        let (_directory, data) = closed();
        spoil(&data);
        let refused = ask(Desk::line(&data).map_err(Problem::from), "overview", json!({})).unwrap_err();
        assert_eq!(refused["code"], "log-not-opened", "{name}");
        let overview = look(&data, "overview", json!({})).unwrap();
        assert_eq!(overview["station"], "keylog.example.com/plant7/stn03", "{name}");
        assert_eq!(overview["damage"]["code"], "log-unreadable", "{name}");
        let verdict = verify(&data);
        assert_eq!(verdict["state"], "damaged", "{name}");
        assert_ne!(verdict["findings"], json!([]), "{name}");
    }

    // One that an older program wrote and no station has taken over is not damaged: it is said what it is.
    let (_directory, data) = untouched();
    let overview = look(&data, "overview", json!({})).unwrap();
    assert!(
        overview["damage"]["sentence"].as_str().unwrap().contains("when the station opens it"),
        "{overview}"
    );
}
