//! Job sheet and report as whoever gets them sees them: rendered, read and scanned by programs that we did not write.
//!
//! The files stay in `target/tmp`, to be looked at.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod signed; // somebody in front of the station

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use keystation::people::Action;
use keystation::report::{self, Judgement};
use keystation::{DataDir, Station, StationError, paths};
use keystation_audit::{Checkpoint, Clock, Journal, Names, Reader, Stamp};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{
    Actor, BatchTerms, Entry, Event, Holds, Intent, Mode, Outcome, Rekey, RepairEvent,
};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::ReasonCode;
use tempfile::TempDir;

const JOB: &str = "WO-44192";
/// The batch of repair, in which the first device is re-keyed.
const BATCH: &str = "RK-1";

/// Seven seconds go by between two records.
struct Steady(AtomicI64);

impl Clock for Steady {
    fn now(&self) -> Stamp {
        let ms = self.0.fetch_add(7_321, Ordering::Relaxed);
        let boot = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().expect("a UUID");
        Stamp { utc_ms: 1_795_313_643_123 + ms, mono_ms: ms.unsigned_abs(), boot }
    }
}

/// What such a re-key says of itself.
fn terms() -> BatchTerms {
    BatchTerms {
        reason: ReasonCode::Returned.into(),
        same_key: true,
        list: None,
        devices: 1,
        key: group_key(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        profile: "second.toml".to_owned(),
        profile_sha256: [0; 32],
        from: None,
        approver: "op-0200".to_owned(),
        before: None,
    }
}

fn group_key() -> GroupKeyInfo {
    GroupKeyInfo {
        label: "gk-2026a".parse().unwrap(),
        group: "contoso-line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
        check_value: "9B5BDBEC8B".parse().unwrap(),
        length: 64,
    }
}

/// A station whose log has `devices` devices of one work order: of ten, seven pass, one is timed out, one is not kept
/// and passes the second time, one is refused. Every fourth serial number is as long as it may be.
struct Made {
    directory: TempDir,
    data: DataDir,
    journal: Journal,
}

impl Made {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::new(directory.path().join("data"));
        let origin = Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        // The log begins anew by the clock of the test: to one that began today that clock would go back.
        let paths = paths(&data);
        for part in [&paths.db, &paths.head, &paths.head.with_extension("tail"), &paths.key, &paths.vkey] {
            fs::remove_file(part).unwrap();
        }
        let journal = Journal::create(&paths, &origin, &Actor::default(), Steady(AtomicI64::new(0))).unwrap();
        Self { directory, data, journal }
    }

    fn with(devices: u32) -> Self {
        let this = Self::new();
        (0..devices).for_each(|number| this.device(number));
        this
    }

    fn append(&self, number: u32, event: Event) -> u64 {
        let operator = if number.is_multiple_of(3) { "op-0118" } else { "op-0117" };
        let actor = Actor { session: "s".into(), operator: operator.into(), role: "operator".into() };
        self.journal.append(&Entry { actor, event }).unwrap()
    }

    fn device(&self, number: u32) {
        let long = if number % 4 == 3 { "#".repeat(56) } else { String::new() };
        let serial = format!("SN-{number:05}{long}");
        let id = RegistrationId::new(&format!("sn-{number:05}"), IdRule::Dashes).unwrap();
        let identity = Identity {
            mac: Some(format!("a4cf12{number:06x}").parse().unwrap()),
            serial: Some(serial.parse().unwrap()),
        };
        let port = "usb-1-1.4".to_owned();
        if number % 10 == 9 {
            let (code, job) = (Code::AlreadyKeyed, JOB.to_owned());
            let refuse = Event::Refuse { code, port, identity: Some(identity), id: Some(id), job };
            self.append(number, refuse);
            return;
        }
        let attempt = |failure: Option<Code>, holds| {
            self.attempt(number, (id.clone(), identity.clone()), Mode::New, failure, holds);
        };
        match number % 10 {
            7 => attempt(Some(Code::Silent), Holds::Unknown),
            8 => {
                attempt(Some(Code::NotKept), Holds::Old);
                attempt(None, Holds::New);
            }
            _ => attempt(None, Holds::New),
        }
    }

    fn attempt(
        &self,
        number: u32,
        (id, identity): (RegistrationId, Identity),
        mode: Mode,
        failure: Option<Code>,
        holds: Holds,
    ) {
        let standing = self.journal.standing(&id).unwrap();
        let intent = Event::Intent(Intent {
            id: id.clone(),
            identity,
            firmware: "2.4.1".to_owned(),
            key: group_key(),
            endpoint: "global.azure-devices-provisioning.net".to_owned(),
            fingerprint: DeviceKey::filled_by(|key| key[..4].copy_from_slice(&number.to_be_bytes()))
                .fingerprint(),
            profile: "example 1".to_owned(),
            job: if mode == Mode::New { JOB } else { BATCH }.to_owned(),
            port: "usb-1-1.4".to_owned(),
            mode,
            prior: standing.follows(),
            attempt: standing.attempts + 1,
        });
        let intent = self.append(number, intent);
        let outcome = Outcome { intent, id: id.clone(), failure, holds };
        self.append(number, Event::Result(outcome));
    }

    fn reader(&self) -> Reader {
        Reader::open(&paths(&self.data)).unwrap()
    }

    fn station(self) -> (TempDir, Station) {
        self.journal.close().unwrap();
        let station = signed::open(&self.data);
        signed::sign_in(&station, "qa-007", "qa");
        (self.directory, station)
    }
}

/// A fresh place for a file that somebody may want to look at.
fn place(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for old in [path.clone(), path.with_extension("pdf.note")] {
        let _ = fs::remove_file(old);
    }
    path
}

fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}; cargo xtask setup installs it"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text, page by page, columns beside one another.
fn text(pdf: &Path) -> Vec<String> {
    let output = Command::new("pdftotext").arg("-layout").arg(pdf).arg("-").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().split_terminator('\u{c}').map(str::to_owned).collect()
}

/// What the QR code on a page says, once the page was printed in grey at 150 dots per inch and scanned.
fn scanned(pdf: &Path) -> String {
    let picture = pdf.with_extension("");
    let drawn = Command::new("pdftoppm")
        .args(["-r", "150", "-gray", "-png", "-singlefile"])
        .arg(pdf)
        .arg(&picture)
        .status()
        .unwrap();
    assert!(drawn.success());
    // Without the option it looks for a system bus to tell what it read, and complains where there is none.
    let options = ["--nodbus", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"];
    run("zbarimg", &options, &picture.with_extension("png"))
}

#[test]
fn a_scanned_job_sheet_is_an_anchor_of_the_log() {
    let made = Made::with(20);
    let reader = made.reader();
    let file = place("job-sheet.pdf");
    let records = report::job_sheet(&reader, JOB, &file).unwrap();

    let moment = reader.snapshot().unwrap();
    let scanned = scanned(&file);
    assert_eq!(scanned, moment.note());
    let checkpoint = Checkpoint::open(&scanned, made.journal.verifier_key()).unwrap();
    assert_eq!((&checkpoint, checkpoint.size), (moment.checkpoint(), records));

    let pages = text(&file);
    let [page] = &pages[..] else { panic!("one page: {pages:?}") };
    for part in [
        JOB,
        "keylog.example.com/plant7/stn03/1",
        "gk-2026a, check value 9B5BD-BEC8B",
        "18 written to, 16 of them keyed and proven, 2 not",
        "22 = 16 passed + 4 failed + 0 open + 2 refused",
        &checkpoint.short_root(),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }

    drop(moment);
    let again = place("job-sheet-again.pdf");
    report::job_sheet(&reader, JOB, &again).unwrap();
    assert_eq!(fs::read(&again).unwrap(), fs::read(&file).unwrap(), "the same log gives the same bytes");
    assert!(matches!(report::job_sheet(&reader, JOB, &again), Err(StationError::Out(_))), "never replaced");
    let nothing = report::job_sheet(&reader, "WO-1", &place("nothing.pdf"));
    assert!(matches!(nothing, Err(StationError::NoJob(_))) && !place("nothing.pdf").exists());
}

#[test]
fn a_report_names_every_exception_and_its_figures_add_up() {
    let made = Made::with(150);
    let first = (
        RegistrationId::new("sn-00000", IdRule::Dashes).unwrap(),
        Identity { mac: Some("a4cf12000000".parse().unwrap()), serial: Some("SN-00000".parse().unwrap()) },
    );
    made.append(
        0,
        Event::Repair(RepairEvent::Opened { batch: BATCH.parse().unwrap(), terms: Box::new(terms()) }),
    );
    let rekey = Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "op-0200"));
    made.attempt(0, first, rekey, None, Holds::New);
    Names::open(&made.data.names()).unwrap().set("op-0118", "Józef Ćwikła").unwrap();
    let (_directory, station) = made.station();
    let file = place("report.pdf");
    let done = station.report(&station.permit(Action::Report).unwrap(), JOB, &file).unwrap();
    let key = station.reader().unwrap().verifier_key().unwrap();
    let judged = report::judge(&file, &key).unwrap();
    assert!(matches!(judged, Judgement::Genuine(said) if said.records == done.records), "made {done:?}");

    let pages = text(&file);
    assert!(pages.len() >= 3, "{}", pages.len());
    let all = pages.concat();
    for part in [
        "165 = 120 passed + 30 failed + 0 open + 15 refused",
        "135 written to, 120 of them keyed and proven, 15 not",
        "88.8 % of the devices; 77.7 % at their first attempt",
        "op-0118, Józef Ćwikła: 55 = 40 passed + 10 failed + 0 open + 5 refused",
        "15 of them: nobody knows what they hold",
        "challenge, 120 attempts",
        "none, 30 attempts",
        "Exceptions: 45",
    ] {
        assert!(all.contains(part), "{part}: {}", pages[0]);
    }
    // A re-key is one of its batch, and each is an exception.
    let of_batch = place("batch.pdf");
    station.report(&station.permit(Action::Report).unwrap(), BATCH, &of_batch).unwrap();
    let rekeyed = text(&of_batch).concat();
    for part in
        ["1 = 1 passed + 0 failed + 0 open + 0 refused", "Exceptions: 1", "re-keyed", "returned", "op-0200"]
    {
        assert!(rekeyed.contains(part), "{part}: {rekeyed}");
    }
    for number in (0..150).filter(|number| number % 10 >= 7) {
        assert!(all.contains(&format!("SN-{number:05}")), "{number} is an exception");
    }
    assert!(!all.contains("SN-00012"), "a pass is none");
    // A serial number of 64 characters takes lines, and loses none of them.
    let letters = all.matches('#').count();
    assert_eq!(letters, 56 * (0..150).filter(|n| n % 10 >= 7 && n % 4 == 3).count());
    for (number, page) in (1..).zip(&pages) {
        assert!(page.contains(&format!("page {number} of {}", pages.len())), "{page}");
    }
    assert!(Checkpoint::open(&scanned(&file), &key).is_ok());
    station.close().unwrap();
}

#[test]
fn a_report_without_exceptions_says_so() {
    let made = Made::with(5);
    let (_directory, station) = made.station();
    let file = place("report-clean.pdf");
    station.report(&station.permit(Action::Report).unwrap(), JOB, &file).unwrap();
    let all = text(&file).concat();
    assert!(all.contains("100.0 % of the devices; 100.0 % at their first attempt"), "{all}");
    assert!(all.contains("Exceptions: 0") && all.contains("Every attempt passed"), "{all}");
    station.close().unwrap();
}
