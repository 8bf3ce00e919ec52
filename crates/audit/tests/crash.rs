//! A writer that is killed, and one whose disk is full: what it acknowledged is there.
//!
//! This program starts itself again as the writer, so it has its own `main` instead of the test harness.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it is a test, which clippy knows by the harness only"
)]

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use keystation_audit::{
    AppendError, IntentRefusal, Journal, Origin, Paths, Reader, Record, SystemClock, Verdict,
};
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::order::OrderId;
use keystation_core::record::{
    Actor, Entry, Event, Holds, Intent, Mode, OrderChange, OrderEvent, OrderTerms, Outcome, Seq,
};
use keystation_core::registration::{IdRule, RegistrationId};

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("killed_writer_lost_nothing_that_it_acknowledged", killed_writer_lost_nothing_that_it_acknowledged),
    ("writer_that_acknowledges_too_early_is_caught", writer_that_acknowledges_too_early_is_caught),
    ("quota_holds_over_kills", quota_holds_over_kills),
    ("full_disk_stops_the_log_cleanly", full_disk_stops_the_log_cleanly),
];

/// Callers that append at the same time.
const SLOTS: usize = 4;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [word, manner, directory] = &arguments[..]
        && word == "writer"
    {
        return write_until_killed(Path::new(directory), manner);
    }
    let wanted = |name: &str| {
        let mut filters = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        filters.peek().is_none() || filters.any(|filter| name.contains(filter.as_str()))
    };
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
        if arguments.iter().any(|argument| argument == "--list") {
            println!("{name}: test");
        } else {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

// --- the writer ---------------------------------------------------------------------------------------------------

/// Appends from all slots and prints the number of each record once it is acknowledged. A hasty writer prints it before.
fn write_until_killed(directory: &Path, manner: &str) -> ExitCode {
    say("opening");
    let journal = Journal::open(&Paths::in_dir(directory), SystemClock::new().unwrap()).unwrap();
    if manner == "ordered" {
        return begin_until_full(&journal);
    }
    let hasty = manner == "hasty";
    if hasty {
        for seq in Reader::open(&Paths::in_dir(directory)).unwrap().size().unwrap().. {
            say(&seq.to_string());
            append(&journal, Event::Unlock { custody: "sealed-file" }).unwrap();
        }
    }
    let slots: Vec<_> = (0..SLOTS)
        .map(|slot| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                let rid = RegistrationId::new(&format!("sn-{slot}"), IdRule::Dashes).unwrap();
                let fault = loop {
                    if let Err(fault) = inject(&journal, &rid) {
                        break fault;
                    }
                };
                say(&format!("refused {fault}"));
            })
        })
        .collect();
    for slot in slots {
        slot.join().unwrap();
    }
    ExitCode::from(7)
}

/// Begins one new device after the other under the open work order, from all slots, until it is full.
fn begin_until_full(journal: &Journal) -> ExitCode {
    std::thread::scope(|scope| {
        for slot in 0..SLOTS {
            scope.spawn(move || {
                // New devices in each run: the process is another one.
                for number in 0.. {
                    let name = format!("sn-{}-{slot}-{number}", std::process::id());
                    let rid = RegistrationId::new(&name, IdRule::Dashes).unwrap();
                    let serial = Some(name.parse().unwrap());
                    let intent = Intent { identity: Identity { mac: None, serial }, ..intent(&rid) };
                    match append(journal, Event::Intent(intent)) {
                        Ok(seq) => say(&seq.to_string()),
                        Err(AppendError::NotBegun(IntentRefusal::Full { .. })) => return say("full"),
                        Err(other) => return say(&format!("refused {other}")),
                    }
                }
            });
        }
    });
    ExitCode::SUCCESS
}

fn inject(journal: &Journal, rid: &RegistrationId) -> Result<(), keystation_audit::AppendError> {
    let standing = journal.standing(rid)?;
    let follows = Intent { prior: standing.follows(), attempt: standing.attempts + 1, ..intent(rid) };
    let intent = append(journal, Event::Intent(follows))?;
    say(&intent.to_string());
    let outcome = Outcome { intent, id: rid.clone(), failure: None, holds: Holds::New };
    let result = append(journal, Event::Result(outcome))?;
    say(&result.to_string());
    Ok(())
}

fn append(journal: &Journal, event: Event) -> Result<Seq, keystation_audit::AppendError> {
    let actor =
        Actor { session: "5c1e0b7d".to_owned(), operator: "op-0117".to_owned(), role: "operator".to_owned() };
    journal.append(&Entry { actor, event })
}

/// One line in one write, so that a kill cuts none.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn intent(rid: &RegistrationId) -> Intent {
    Intent {
        id: rid.clone(),
        identity: Identity { mac: None, serial: Some(rid.as_str().parse().unwrap()) },
        firmware: "2.4.1".to_owned(),
        key: GroupKeyInfo {
            label: "gk-2026a".parse().unwrap(),
            group: "contoso-line-7".parse().unwrap(),
            scope: "0ne00EMU001".parse().unwrap(),
            slot: KeySlot::Primary,
            check_value: "9B5BDBEC8B".parse().unwrap(),
            length: 64,
        },
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: DeviceKey::filled_by(|bytes| {
            bytes[..rid.as_str().len()].copy_from_slice(rid.as_str().as_bytes())
        })
        .fingerprint(),
        profile: "example 1".to_owned(),
        job: "WO-44192".to_owned(),
        port: "usb-1-1.4/0403:6001/FT9X2".to_owned(),
        mode: Mode::New,
        prior: None,
        attempt: 1,
    }
}

// --- the tests ----------------------------------------------------------------------------------------------------

fn begin(directory: &Path) -> Paths {
    let paths = Paths::in_dir(directory);
    let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
    let clock = SystemClock::new().unwrap();
    Journal::create(&paths, &origin, &Actor::default(), clock).unwrap().close().unwrap();
    paths
}

/// Starts a writer, kills it (SIGKILL) once `lines` lines were read, and gives back all that it printed.
fn run_and_kill(directory: &Path, manner: &str, lines: usize) -> Vec<String> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["writer", manner])
        .arg(directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut printed: Vec<_> = output.by_ref().take(lines).map(Result::unwrap).collect();
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What was acknowledged between the last line that was read and the kill counts too.
    printed.extend(output.map(Result::unwrap));
    printed
}

fn numbers(printed: &[String]) -> Vec<Seq> {
    printed.iter().filter_map(|line| line.parse().ok()).collect()
}

fn verified(paths: &Paths) -> u64 {
    match Reader::open(paths).unwrap().verify().unwrap() {
        Verdict::Intact { checkpoint, .. } => checkpoint.size,
        Verdict::Damaged { findings, .. } => panic!("{findings:#?}"),
    }
}

/// Records that the log has, and those that head and tail cover. Their signatures are the start's business.
fn covered(paths: &Paths) -> (u64, u64) {
    let size = Reader::open(paths).unwrap().size().unwrap();
    let head = std::fs::read_to_string(&paths.head).unwrap();
    // An entry is a line of its own, then a checkpoint: origin, records, root.
    let tail = String::from_utf8(std::fs::read(paths.head.with_extension("tail")).unwrap()).unwrap();
    let lines: Vec<_> = tail.lines().collect();
    let entries = lines.windows(3).filter(|lines| lines[0].trim_matches('\0').starts_with("tail/v1 "));
    let signed =
        entries.map(|lines| lines[2]).chain(head.lines().nth(1)).map(|size| size.parse::<u64>().unwrap());
    (size, signed.max().unwrap())
}

fn killed_writer_lost_nothing_that_it_acknowledged() {
    const KILLS: usize = 1000;
    let directory = tempfile::tempdir().unwrap();
    let paths = begin(directory.path());
    let (mut acknowledged, mut between) = (0, 0);
    for kill in 0..KILLS {
        // From the first moment of opening to some way into the work.
        let printed = run_and_kill(directory.path(), "patient", 1 + kill % 17);
        let numbers = numbers(&printed);
        let (size, signed) = covered(&paths);
        assert!(
            numbers.iter().all(|seq| *seq < size.min(signed)),
            "kill {kill}: {size} records, {signed} signed for, acknowledged {numbers:?}"
        );
        between += u32::from(signed != size);
        acknowledged += numbers.len();
        drop(Journal::open(&paths, SystemClock::new().unwrap()).unwrap());
        assert_eq!(covered(&paths), (size.max(signed), size.max(signed)));
        if kill % 50 == 0 {
            assert_eq!(verified(&paths), size.max(signed));
        }
        let head = std::fs::read_to_string(&paths.head).unwrap();
        assert_eq!(head.lines().nth(1).unwrap(), size.max(signed).to_string());
    }
    let size = verified(&paths);
    assert!(acknowledged > KILLS && acknowledged < usize::try_from(size).unwrap());
    // Otherwise no kill came between a commit and its entry in the tail, and the test would not be what it says.
    assert!(between > 0);
    assert_open_intents_are_those_without_a_result(&paths);
}

fn assert_open_intents_are_those_without_a_result(paths: &Paths) {
    let reader = Reader::open(paths).unwrap();
    let mut open = std::collections::BTreeMap::new();
    let visit = |record: &Record<'_>| {
        let rid = record.text("rid").unwrap_or_default().into_owned();
        match record.event() {
            "inject.intent" => drop(open.insert(record.seq(), rid)),
            // All results of this test are passes, which close what is older too.
            "inject.result" => {
                let reference = record.integer("ref").unwrap().cast_unsigned();
                open.retain(|seq, other| *seq > reference || *other != rid);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    };
    reader.records(.., None, visit).unwrap();
    let listed: Vec<_> =
        reader.open_intents().unwrap().into_iter().map(|open| (open.seq, open.rid)).collect();
    assert_eq!(listed, open.into_iter().collect::<Vec<_>>());
}

/// The control: were acknowledged records lost, the test above would see it.
fn writer_that_acknowledges_too_early_is_caught() {
    let directory = tempfile::tempdir().unwrap();
    let paths = begin(directory.path());
    let lost = |kill: usize| {
        let printed = run_and_kill(directory.path(), "hasty", 2 + kill);
        let size = Reader::open(&paths).unwrap().size().unwrap();
        numbers(&printed).iter().any(|seq| *seq >= size)
    };
    assert!((0..50).any(lost));
}

/// A writer that is killed while it takes the last places: never is a place given twice, and none is lost.
fn quota_holds_over_kills() {
    const QUANTITY: u64 = 100;
    let directory = tempfile::tempdir().unwrap();
    let paths = begin(directory.path());
    let order: OrderId = "WO-44192".parse().unwrap();
    let journal = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
    let key = intent(&RegistrationId::new("sn-0", IdRule::Dashes).unwrap()).key;
    let terms = OrderTerms {
        digest: [0; 32],
        quantity: QUANTITY,
        key: key.label,
        check_value: key.check_value,
        profile: "example.toml".to_owned(),
        from: "2000-01-01".to_owned(),
        until: "2999-12-31".to_owned(),
        signer: String::new(),
    };
    for change in [OrderChange::Created(Box::new(terms)), OrderChange::Opened] {
        append(&journal, Event::Order(OrderEvent { order: order.clone(), change })).unwrap();
    }
    journal.close().unwrap();
    let (mut kills, mut full) = (0, 0);
    while full < 20 {
        let printed = run_and_kill(directory.path(), "ordered", 1 + kills % 7);
        kills += 1;
        assert!(!printed.iter().any(|line| line.starts_with("refused")), "{printed:?}");
        full += usize::from(printed.iter().any(|line| line == "full"));
        drop(Journal::open(&paths, SystemClock::new().unwrap()).unwrap());
        let begun = Reader::open(&paths).unwrap().work_order(&order).unwrap().unwrap().begun;
        let intents = Reader::open(&paths).unwrap().open_intents().unwrap().len() as u64;
        assert!(begun == intents && begun <= QUANTITY, "kill {kills}: {begun} begun, {intents} intents");
    }
    let begun = Reader::open(&paths).unwrap().work_order(&order).unwrap().unwrap().begun;
    assert_eq!(begun, QUANTITY, "no place was lost in {kills} kills");
    verified(&paths);
}

/// No file may grow beyond a limit; the write that would make it fails as on a full disk.
fn full_disk_stops_the_log_cleanly() {
    let program = Arc::new(std::env::current_exe().unwrap());
    for kibibytes in [72, 100, 150, 333, 777] {
        let directory = tempfile::tempdir().unwrap();
        let paths = begin(directory.path());
        let output = Command::new("bash")
            // Without the trap the limit would kill the writer instead of failing its write.
            .args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\""])
            .arg(kibibytes.to_string())
            .arg(&*program)
            .args(["writer", "patient"])
            .arg(directory.path())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(7), "{kibibytes} KiB");
        let printed: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(printed.iter().filter(|line| line.starts_with("refused")).count(), SLOTS);
        let numbers = numbers(&printed);
        // What the database could not take may be in the tail.
        let (stored, signed) = covered(&paths);
        let size = stored.max(signed);
        assert!(numbers.iter().all(|seq| *seq < size), "{kibibytes} KiB: {size} records, {numbers:?}");
        // There is room again.
        let journal = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
        assert_eq!(append(&journal, Event::Lock).unwrap(), size);
        journal.close().unwrap();
        assert_eq!(verified(&paths), size + 1);
    }
}
