//! `keystation run`: the line without a window. Nobody acknowledges a FAIL here: it is over when the device is unplugged.

mod health;
pub(super) mod object;
pub(super) mod table;

use std::io::{self, BufRead, IsTerminal as _};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use keystation::config::{Profile, Purpose};
use keystation::line::{Account, Line, LineEvent, Logged, SlotEvent, SlotState};
use keystation::people::Action;
use keystation::{Archive, Exit, Station, StationError};
use keystation_core::record::Seq;
use serde_json::json;

use super::after::warns_of_outbox;
use super::args::{PassphraseFrom, SlotList};
use super::key;
use super::output::{Output, causes, failed, printable};
use super::session::Bench;
use table::Table;

/// Version of the objects of `--json` (docs/line.md, section 6).
pub(super) const VERSION: u32 = 1;
/// After a code an empty line that comes within this time is of the scanner.
const SUFFIX: Duration = Duration::from_millis(100);

/// Runs the slots until a signal ends the program, or every slot has stopped.
pub(super) fn run(
    bench: &Bench<'_>,
    slots: Option<&SlotList>,
    passphrase: &PassphraseFrom,
) -> Result<Exit, StationError> {
    let Bench { station, out, .. } = bench;
    bench.may_ask(Action::Inject)?;
    let configured = &station.config().slots;
    let numbers = match slots {
        Some(SlotList(numbers)) => numbers.clone(),
        None => station.config().slots_for(Purpose::Line).map(|slot| slot.number).collect(),
    };
    if numbers.is_empty() {
        return Err(StationError::NoSlot(1));
    }
    for slot in configured.iter().filter(|slot| numbers.contains(&slot.number)) {
        let label = Profile::read(&slot.profile)?.group_key;
        // Two products of one custody open it once.
        if !station.has_key(&label) {
            key::open_for(bench, &label, passphrase)?;
        }
    }
    warns_of_outbox(station.data(), *out)?;
    let (stopped, all_stopped) = mpsc::channel();
    let report = Arc::new(Mutex::new(Report {
        out: *out,
        table: (!out.json && io::stdout().is_terminal()).then(|| Table::new(&numbers)),
        account: Account::default(),
        running: numbers.len(),
        line: Weak::new(),
        ended: false,
        stopped,
    }));
    let from = station.reader()?.size()?;
    let (telling, log) = (Arc::clone(&report), station.archive());
    bench.when_ended(move || lock(&telling).sum_up(&log, from));
    let telling = Arc::clone(&report);
    let line = Arc::new(Line::start(station, &numbers, move |event| lock(&telling).tell(&event))?);
    lock(&report).line = Arc::downgrade(&line);
    listen(station.clone(), Arc::clone(&line), *out)?;
    // The sender lives as long as the report does, which this function holds.
    if all_stopped.recv().is_err() {
        return Ok(Exit::Broken);
    }
    lock(&report).sum_up(&station.archive(), from);
    Ok(Exit::Broken)
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the line tells, in the form that was asked for.
struct Report {
    out: Output,
    /// On a terminal.
    table: Option<Table>,
    account: Account,
    /// Slots that have not stopped.
    running: usize,
    /// For what the slots counted.
    line: Weak<Line>,
    /// Nothing is said after the sum.
    ended: bool,
    stopped: Sender<()>,
}

impl Report {
    fn tell(&mut self, event: &LineEvent) {
        if self.ended {
            return;
        }
        if let LineEvent::Slot(_, told) = event {
            self.account.count(told);
        }
        if self.out.json {
            if let Some(object) = object::of(event) {
                self.out.say("", &object);
            }
        } else if let Some(table) = &mut self.table {
            table.take(event);
            self.out.line(table.redrawn());
        } else if let Some(line) = line_of(event) {
            self.out.line(line);
        }
        if matches!(event, LineEvent::Slot(_, SlotEvent::Broken { .. })) {
            self.running -= 1;
            if self.running == 0 {
                // Whoever waits for it may be gone with the program.
                let _ = self.stopped.send(());
            }
        }
    }

    /// What was done, by the slots and by the log.
    fn sum_up(&mut self, archive: &Archive, from: Seq) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let account = self.account;
        let slots = self.line.upgrade().map(|line| {
            line.keep_contacts();
            line.slots()
        });
        let slots = slots.unwrap_or_default();
        let logged = match archive.reader().and_then(|reader| Logged::since(&reader, from)) {
            Ok(logged) => logged,
            Err(error) => {
                self.out.note(format!("The log could not be counted: {error}."));
                return;
            }
        };
        let Account { passed, failed, retries, unrecorded } = account;
        let agrees = account.agrees(&logged);
        let verdict = if agrees {
            "The log says the same."
        } else {
            "The log does not say the same: call the administrator."
        };
        self.out.say(
            format!(
                "{}{} devices: {passed} PASS, {failed} FAIL, {retries} retries. {verdict}",
                health::table(&slots),
                account.devices()
            ),
            &json!({ "v": VERSION, "event": "summary", "devices": account.devices(), "passed": passed,
                     "failed": failed, "retries": retries, "unrecorded": unrecorded,
                     "log": { "passed": logged.passed, "failed": logged.failed, "refused": logged.refused,
                              "not_written": logged.not_written },
                     "agrees": agrees, "slots": health::objects(&slots) }),
        );
    }
}

/// One line for a result, and for what a person has to see. Steps are for the table.
pub(super) fn line_of(event: &LineEvent) -> Option<String> {
    let (number, event) = match event {
        LineEvent::Slot(number, event) => (number, event),
        LineEvent::Scan(Ok(_)) | LineEvent::Labels(_) | LineEvent::Scanner(None) => return None,
        LineEvent::Scan(Err(why)) => return Some(format!("scan     {why}")),
        LineEvent::Scanner(Some(why)) => return Some(format!("scanner  {}", printable(&why.to_string()))),
    };
    let said = match event {
        SlotEvent::Waiting | SlotEvent::Step(_) | SlotEvent::Gone => return None,
        SlotEvent::Locked => "waits: nobody may inject, or the vault is locked".to_owned(),
        SlotEvent::Retry { failure, .. } => format!("again {}", failed(failure)),
        SlotEvent::Pass { pass, took } => {
            format!("PASS  {}  {} ms  (record {})", pass.id, took.as_millis(), pass.record)
        }
        // What is underneath may not be the device's: a token that was taken out, a disk that is full.
        SlotEvent::Fail { failure, .. } => {
            let said = format!("FAIL  {}  [{}]  {}", failed(failure), failure.code, causes(failure));
            said.trim_end().to_owned()
        }
        SlotEvent::Out(reason) => format!("OUT   {reason} {}", reason.remedy().join(" ")),
        SlotEvent::Back => "was put back".to_owned(),
        SlotEvent::Broken { cause, safety } => {
            let safety = safety.map_or("", |safety| safety.sentence());
            format!("STOP  {} {safety}", printable(&cause.to_string()))
        }
    };
    Some(format!("slot {number:<3} {said}"))
}

/// Takes lines of standard input on a thread of its own: a scanner that types, and Enter.
fn listen(station: Station, line: Arc<Line>, out: Output) -> Result<(), StationError> {
    let listening = move || {
        let mut scanned: Option<Instant> = None;
        for bytes in io::stdin().lock().split(b'\n') {
            // A closed or unreadable standard input is one that says no more. One that says something else than text goes on: that
            // is no label, and the next one may be.
            let Ok(bytes) = bytes else { return };
            let text = String::from_utf8_lossy(&bytes);
            let text = text.strip_suffix('\r').unwrap_or(&text);
            if !text.is_empty() {
                // What it was, or why it was not taken, the line tells.
                drop(line.scanned(text));
                scanned = Some(Instant::now());
            } else if scanned.is_some_and(|scanned| scanned.elapsed() < SUFFIX) {
                // A terminal makes two ends of a line of carriage return and line feed: the second is the scanner's, not a person's.
            } else if let Err(error) = put_all_back(&station, &line) {
                out.note(super::trouble::sentence_of(&error));
            }
        }
    };
    thread::Builder::new().name("input".to_owned()).spawn(listening).map_err(StationError::Thread)?;
    Ok(())
}

/// Enter puts every slot back that is out, where the person who is signed in may. Where none is out nobody is asked.
fn put_all_back(station: &Station, line: &Line) -> Result<(), StationError> {
    let out: Vec<_> =
        line.slots().into_iter().filter(|slot| matches!(slot.state, SlotState::Out(_))).collect();
    if out.is_empty() {
        return Ok(());
    }
    let permit = station.permit(Action::PutBack)?;
    for slot in out {
        line.put_back(&permit, slot.number)?;
    }
    Ok(())
}
