//! A short shift: the station opens its log, keys one device, closes. What it was told, and what must be so afterwards.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use keystation_audit::{
    AppendError, Clock, Journal, Origin, Paths, Reader, Rules, SpaceRules, SystemClock, Verdict,
};
use keystation_core::failure::{Code, Safety};
use keystation_core::flow::{self, Log, LogError, Order, Receipt, Retirement, Standing};
use keystation_core::identity::{Identity, MacRule};
use keystation_core::key::{CheckValue, Endpoint, GroupKeyInfo, KeySlot};
use keystation_core::proof::Nonce;
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::record::{Actor, Entry, Event};
use keystation_core::registration::{IdRule, RegistrationId};

use crate::board::{Board, OpenVault};

/// In memory, where there is such a place: thousands of flushes need no disk.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// So little that a small disk has it.
pub(crate) const RULES: SpaceRules = SpaceRules { warn: 0, refuse: 0, ballast: 256 * 1024 };

pub(crate) fn rules(space: SpaceRules) -> Rules {
    Rules { space, ..Rules::default() }
}

/// What came of a shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The log was opened.
    pub(crate) opened: bool,
    /// Records that the log acknowledged, and their events.
    pub(crate) acknowledged: Vec<(u64, String)>,
    /// A byte of a write reached the device.
    pub(crate) touched: bool,
    /// The record of the PASS, or what the operator was told. `None`: it never came so far.
    pub(crate) verdict: Option<Result<u64, (String, String)>>,
}

impl Told {
    pub(crate) fn passed(&self) -> bool {
        matches!(self.verdict, Some(Ok(_)))
    }

    /// The code that the operator was told.
    pub(crate) fn code(&self) -> &str {
        match &self.verdict {
            Some(Err((code, _))) => code,
            _ => "",
        }
    }
}

/// One line each, as a program of its own tells it.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "opened {}", self.opened)?;
        writeln!(f, "touched {}", self.touched)?;
        self.acknowledged.iter().try_for_each(|(seq, event)| writeln!(f, "record {seq} {event}"))?;
        match &self.verdict {
            Some(Ok(record)) => writeln!(f, "pass {record}"),
            Some(Err((code, safety))) => writeln!(f, "fail {code} {safety}"),
            None => Ok(()),
        }
    }
}

impl Told {
    pub(crate) fn read(text: &str) -> Self {
        let mut told = Self { opened: false, acknowledged: Vec::new(), touched: false, verdict: None };
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["opened", opened] => told.opened = opened == "true",
                ["touched", touched] => told.touched = touched == "true",
                ["record", seq, event] => told.acknowledged.push((seq.parse().unwrap(), event.to_owned())),
                ["pass", record] => told.verdict = Some(Ok(record.parse().unwrap())),
                ["fail", code, safety] => told.verdict = Some(Err((code.to_owned(), safety.to_owned()))),
                _ => panic!("{line:?} in {text}"),
            }
        }
        told
    }
}

/// The journal, and what it acknowledged.
struct Heard<'j> {
    journal: &'j Journal,
    records: RefCell<Vec<(u64, String)>>,
    failed: RefCell<bool>,
}

impl Heard<'_> {
    fn take(&self, event: &Event) -> Result<Receipt, AppendError> {
        let result = self.journal.receipt(&Entry { actor: actor(), event: event.clone() });
        let stopped = *self.failed.borrow();
        match &result {
            Ok(Receipt { seq, .. }) => {
                assert!(!stopped, "a log that failed takes no record until the next start");
                self.records.borrow_mut().push((*seq, event.name().to_owned()));
            }
            Err(AppendError::Failed(_)) => {
                assert!(!stopped);
                *self.failed.borrow_mut() = true;
            }
            Err(AppendError::Stopped(_)) => assert!(stopped, "it stops when it failed"),
            Err(AppendError::SpaceLow(_)) => assert!(!stopped && matches!(event, Event::Intent(_))),
            Err(other) => panic!("{}: {other}", event.name()),
        }
        result
    }
}

impl Log for Heard<'_> {
    fn append(&self, entry: &Entry) -> Result<Receipt, LogError> {
        Ok(self.take(&entry.event)?)
    }

    fn retired(&self, id: &RegistrationId, identity: &Identity) -> Result<Option<Retirement>, LogError> {
        Ok(self.journal.retired(id, identity)?)
    }

    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError> {
        let known = self.journal.standing(id);
        assert!(!matches!(known, Err(AppendError::Closed)), "the thread of the log ended by itself");
        Ok(known?)
    }
}

fn actor() -> Actor {
    Actor { session: "5c1e0b7d".to_owned(), operator: "op-0117".to_owned(), role: "operator".to_owned() }
}

/// The first log.
pub(crate) fn begin(paths: &Paths) {
    std::fs::create_dir_all(paths.head.parent().unwrap()).unwrap();
    let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
    let journal = Journal::create(paths, &origin, &Actor::default(), SystemClock::new().unwrap()).unwrap();
    journal.close().unwrap();
    Journal::open_under(paths, &rules(RULES), SystemClock::new().unwrap()).unwrap().close().unwrap();
}

pub(crate) fn open_event() -> Event {
    Event::Open {
        version: "keystation 0".to_owned(),
        sqlite: "3".to_owned(),
        os: "linux".to_owned(),
        config: "00".repeat(32),
        build: "11".repeat(32),
        open_intents: 0,
    }
}

/// Runs it. `midway` is called before each step of the flow and before the log is closed.
pub(crate) fn work(
    paths: &Paths,
    space: SpaceRules,
    board: &mut Board,
    clock: impl Clock,
    midway: &mut dyn FnMut(usize),
) -> Told {
    let mut told = Told { opened: false, acknowledged: Vec::new(), touched: false, verdict: None };
    let Ok(journal) = Journal::open_under(paths, &rules(space), clock) else {
        return told;
    };
    told.opened = true;
    let log = Heard { journal: &journal, records: RefCell::default(), failed: RefCell::default() };
    // What fails is held against the log afterwards, all of it.
    drop(log.take(&open_event()));
    let mut step = 0;
    told.verdict = Some(inject(&log, board, &mut |_| {
        midway(step);
        step += 1;
    }));
    midway(step);
    drop(log.take(&Event::Close));
    let failed = *log.failed.borrow();
    told.touched = board.touched;
    told.acknowledged = log.records.take();
    assert_eq!(journal.notices().is_err(), failed);
    let closed = journal.close();
    assert!(!failed || matches!(closed, Err(AppendError::Stopped(_) | AppendError::Failed(_))));
    told
}

fn inject(
    log: &Heard<'_>,
    board: &mut Board,
    watch: &mut dyn FnMut(flow::Step),
) -> Result<u64, (String, String)> {
    let recipe = Recipe::new("sn-{serial}", MacSpelling::Dashes, MacRule::default(), IdRule::Dashes).unwrap();
    let key = GroupKeyInfo {
        label: "gk-2026a".parse().unwrap(),
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
        check_value: CheckValue::from_hmac(&[0x7c; 32]),
        length: 64,
    };
    let order = Order {
        recipe: &recipe,
        key: &key,
        endpoint: &Endpoint::default(),
        profile: "thermostat/3",
        profile_sha256: [0; 32],
        job: "WO-44192",
        port: "usb-1-1.4",
        actor: &actor(),
        nonces: [Nonce([1; 32]), Nonce([2; 32])],
        acknowledged: false,
        overwrite: None,
        admission: &keystation_core::flow::AnyDevice,
    };
    flow::inject(&order, &OpenVault, board, log, watch)
        .map(|pass| pass.record)
        .map_err(|failure| (failure.code.as_str().to_owned(), failure.safety.as_str().to_owned()))
}

/// What must be so after a shift, whatever failed in it, once the disk works again.
pub(crate) fn hold(paths: &Paths, told: &Told, case: &str) {
    let journal = Journal::open_under(paths, &rules(RULES), SystemClock::new().unwrap());
    journal.unwrap_or_else(|e| panic!("{case}: {e}: {told:?}")).close().unwrap();
    let reader = Reader::open(paths).unwrap();
    match reader.verify().unwrap() {
        Verdict::Intact { .. } => {}
        Verdict::Damaged { findings, .. } => panic!("{case}: {findings:?}"),
    }
    let mut records = Vec::new();
    let visit = |record: &keystation_audit::Record<'_>| {
        records.push((record.event().to_owned(), record.rc().to_owned()));
        std::ops::ControlFlow::Continue(())
    };
    reader.records(.., None, visit).unwrap();
    let at = |seq: u64| usize::try_from(seq).ok().and_then(|seq| records.get(seq));
    for (seq, event) in &told.acknowledged {
        assert_eq!(at(*seq).map(|(event, _)| event), Some(event), "{case}: record {seq} is lost");
    }
    let has = |event: &str| records.iter().any(|(found, _)| found == event);
    assert!(!told.touched || has("inject.intent"), "{case}: written without an intent");
    match &told.verdict {
        Some(Ok(record)) => {
            let result = ("inject.result".to_owned(), "ok".to_owned());
            assert_eq!(at(*record), Some(&result), "{case}: PASS without a record");
            assert!(told.touched);
        }
        // An honest device fails for the log's sake only. Nobody is told that it is untouched when it is not.
        Some(Err((code, safety))) => {
            let (log, space) = (Code::LogFailed.as_str(), Code::SpaceLow.as_str());
            let expected = if told.touched { Safety::Unrecorded } else { Safety::Untouched };
            assert_eq!(safety, expected.as_str(), "{case}: {told:?}");
            assert!(code == log || code == space && !told.touched, "{case}: {told:?}");
        }
        None => assert!(!told.opened && !told.touched, "{case}"),
    }
}

/// The same device, plugged in again at a station whose disk works, gets its PASS, whatever happened before. Where the
/// result was on the disk and only its acknowledgement failed, it has it already.
pub(crate) fn heal(paths: &Paths, board: &mut Board, before: &Told, case: &str) {
    if before.passed() {
        return;
    }
    let told = work(paths, RULES, board, SystemClock::new().unwrap(), &mut |_| ());
    let recorded = || {
        let id = RegistrationId::new("sn-sn-0007", IdRule::Dashes).unwrap();
        let known = Reader::open(paths).unwrap().standing(&id).unwrap();
        known.open.is_none() && known.keyed.is_some()
    };
    let already = before.touched && told.code() == Code::AlreadyKeyed.as_str();
    assert!((told.passed() || already) && recorded(), "{case}: {before:?}, then {told:?}");
}
