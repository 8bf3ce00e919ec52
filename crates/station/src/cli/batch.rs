//! Batches of repair: `keystation rekey` for many devices, and `keystation batch`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal as _};
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use keystation::config::{Profile, Purpose, StationConfig};
use keystation::line::{Line, LineEvent, SlotEvent};
use keystation::people::Action;
use keystation::repair::{
    self, Batch, BatchDevices, BatchWork, Campaign, Progress, Reconciliation, batches, reconcile,
};
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::Reader;
use serde_json::{Value, json};

use super::after::with_hooks;
use super::args::{BatchVerb, Cli, RekeyArgs};
use super::key;
use super::output::Output;
use super::run::{VERSION, line_of, object, table::Table};
use super::session::{Bench, at_station};

/// Why the line of a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Every device is done.
    Complete,
    /// Every slot has stopped.
    Stopped,
    /// Somebody said so.
    Asked,
    /// Somebody said so, and in a slot something failed that did not say which device it is: the sums do not know it.
    AskedAfterFail,
}

/// Re-keys the devices of a batch until all are done; opens it where it is not open yet.
pub(super) fn rekey(bench: &Bench<'_>, args: &RekeyArgs) -> Result<Exit, StationError> {
    let (station, out) = (&bench.station, bench.out);
    // Before anything is said of slots and batches.
    bench.may_ask(if args.batch.is_some() { Action::ContinueRekey } else { Action::Rekey })?;
    let configured = &station.config().slots;
    let numbers: Vec<u32> = match &args.slots {
        Some(slots) => slots.0.clone(),
        None => default_slots(station.config()),
    };
    let missing = numbers.iter().find(|number| configured.iter().all(|slot| slot.number != **number));
    if let Some(number) = missing.or(numbers.is_empty().then_some(&1)) {
        return Err(StationError::NoSlot(*number));
    }
    let work = match &args.batch {
        Some(id) => station.work_on(id)?,
        None => station.work_on(&asked_for(bench, args)?.id)?,
    };
    batch_line(work.batch(), out);
    key::open_for(bench, &work.profile().group_key, &args.passphrase)?;
    let end = if work.is_complete() { End::Complete } else { worked(bench, &numbers, &work)? };
    progress_line(&work, out);
    if end != End::Complete {
        out.note(how_to_go_on(work.batch()));
        return Ok(match end {
            End::Stopped => Exit::Broken,
            // Whoever ends it for the day has done what they came for, unless somebody has to look at a device.
            End::Asked if work.progress().counts.failed == 0 => Exit::Done,
            _ => Exit::Failed,
        });
    }
    let permit = bench.permit(Action::CloseRekey)?;
    let (_, reconciled) = station.close_batch(&permit, &work.batch().id)?;
    told(&reconciled, args.to.csv.as_deref(), args.to.pdf.as_deref(), out)?;
    Ok(Exit::Done)
}

/// Where nobody names slots: those that the settings keep for repair, and all of a station that keeps none.
fn default_slots(config: &StationConfig) -> Vec<u32> {
    let kept: Vec<u32> = config.slots_for(Purpose::Repair).map(|slot| slot.number).collect();
    if kept.is_empty() { config.slots.iter().map(|slot| slot.number).collect() } else { kept }
}

/// The batch that is asked for: the one that is open already, or a new one that another person approves.
fn asked_for(bench: &Bench<'_>, args: &RekeyArgs) -> Result<Batch, StationError> {
    let (station, out) = (&bench.station, bench.out);
    let reason = station
        .rekey_reason(args.reason.as_deref().unwrap_or_default(), args.note.as_deref().unwrap_or_default())?;
    let profile = args.profile.as_ref().expect("clap asks for it");
    let profile = Profile::read(&station.data().profile(profile))?;
    let devices = match (&args.list, args.count, &args.from_key) {
        (Some(file), _, _) => {
            let unread = |cause| StationError::Unreadable { path: file.clone(), cause };
            BatchDevices::List { bytes: std::fs::read(file).map_err(unread)?, file: file.clone() }
        }
        (None, Some(count), _) => BatchDevices::Count(count),
        (None, None, from) => BatchDevices::Under(from.clone().expect("clap asks for one")),
    };
    let asked = station.ask_batch(&devices, &profile, reason, args.same_key)?;
    if let Some(batch) = station.same_batch(&asked)? {
        out.note(format!("Going on with {}, which {} approved.", batch.id, batch.approver));
        return Ok(batch);
    }
    out.note(format!(
        "{} devices. A supervisor approves them once, for as long as the batch is open.",
        asked.devices()
    ));
    let permit = bench.approved(&asked.request())?;
    station.open_batch(&permit, &asked)
}

fn how_to_go_on(batch: &Batch) -> String {
    let id = &batch.id;
    format!(
        "The batch is open. Go on: keystation rekey --batch {id}. End it as it is: keystation batch close {id}."
    )
}

/// The slots at work, until all devices are done or somebody ends it.
fn worked(bench: &Bench<'_>, numbers: &[u32], work: &Arc<BatchWork>) -> Result<End, StationError> {
    let out = bench.out;
    let (ends, ended) = mpsc::channel();
    let report = Arc::new(Mutex::new(Report {
        out,
        table: (!out.json && io::stdout().is_terminal()).then(|| Table::new(numbers)),
        work: Arc::clone(work),
        running: numbers.len(),
        over: false,
        nameless: BTreeSet::new(),
        ends: ends.clone(),
    }));
    let telling = Arc::clone(&report);
    bench.when_ended(move || {
        let mut report = lock(&telling);
        if !std::mem::replace(&mut report.over, true) {
            progress_line(&report.work, report.out);
            report.out.note(how_to_go_on(report.work.batch()));
        }
    });
    let telling = Arc::clone(&report);
    let line =
        Line::rekey(&bench.station, numbers, Arc::clone(work), move |event| lock(&telling).tell(&event))?;
    listen(Arc::clone(work), ends, out)?;
    let end = ended.recv().unwrap_or(End::Stopped);
    // After the devices that are in work; what they come to is told.
    drop(line);
    let mut report = lock(&report);
    report.over = true;
    Ok(match end {
        // The last one may have been done while somebody ended it.
        _ if work.is_complete() => End::Complete,
        End::Asked if !report.nameless.is_empty() => End::AskedAfterFail,
        end => end,
    })
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the slots tell, and how far the batch is, in the form that was asked for.
struct Report {
    out: Output,
    /// On a terminal.
    table: Option<Table>,
    work: Arc<BatchWork>,
    /// Slots that have not stopped.
    running: usize,
    /// Nothing is said after the end.
    over: bool,
    /// Slots whose last result was the FAIL of a device that has no name.
    nameless: BTreeSet<u32>,
    ends: Sender<End>,
}

impl Report {
    fn tell(&mut self, event: &LineEvent) {
        if self.over {
            return;
        }
        match event {
            LineEvent::Slot(slot, SlotEvent::Pass { .. }) => _ = self.nameless.remove(slot),
            LineEvent::Slot(slot, SlotEvent::Fail { failure, .. }) if failure.id.is_none() => {
                self.nameless.insert(*slot);
            }
            _ => {}
        }
        let result = matches!(event, LineEvent::Slot(_, SlotEvent::Pass { .. } | SlotEvent::Fail { .. }));
        if self.out.json {
            if let Some(object) = object::of(event) {
                self.out.say("", &object);
            }
        } else if let Some(table) = &mut self.table {
            table.take(event);
            table.foot(progress_text(&self.work.progress()));
            self.out.line(table.redrawn());
        } else if let Some(line) = line_of(event) {
            self.out.line(line);
        }
        if result && self.table.is_none() {
            progress_line(&self.work, self.out);
        }
        if matches!(event, LineEvent::Slot(_, SlotEvent::Broken { .. })) {
            self.running -= 1;
        }
        let end = if result && self.work.is_complete() {
            End::Complete
        } else if self.running == 0 {
            End::Stopped
        } else {
            return;
        };
        // Whoever waits for it may be gone with the program.
        let _ = self.ends.send(end);
    }
}

fn progress_text(progress: &Progress) -> String {
    let counts = progress.counts;
    let left = progress.left.map_or_else(String::new, |left| {
        let seconds = left.as_secs();
        format!(", about {}:{:02} left", seconds / 60, seconds % 60)
    });
    let paused = if progress.paused { ", paused" } else { "" };
    let out = if progress.out > 0 { format!(", {} out", progress.out) } else { String::new() };
    format!(
        "{} of {} done, {} failed, {} to come{out}, {} unexpected{left}{paused}",
        counts.done, counts.asked, counts.failed, counts.missing, counts.unexpected
    )
}

fn progress_line(work: &BatchWork, out: Output) {
    let progress = work.progress();
    let counts = progress.counts;
    out.say(
        progress_text(&progress),
        &json!({ "v": VERSION, "event": "progress", "batch": work.batch().id.as_str(), "asked": counts.asked,
                 "done": counts.done, "failed": counts.failed, "missing": counts.missing,
                 "unexpected": counts.unexpected, "out": progress.out, "left_s": progress.left.map(|left| left.as_secs()),
                 "paused": progress.paused }),
    );
}

/// Takes lines of standard input on a thread of its own: `p` rests, `g` goes on, `q` ends, and the batch stays open.
fn listen(work: Arc<BatchWork>, ends: Sender<End>, out: Output) -> Result<(), StationError> {
    if !out.json && io::stdin().is_terminal() {
        out.note("p and Enter: pause. g and Enter: go on. q and Enter: end for now.");
    }
    let listening = move || {
        for line in io::stdin().lock().lines() {
            // A closed standard input says no more.
            let Ok(line) = line else { return };
            match line.trim() {
                "p" => work.pause(),
                "g" => work.go_on(),
                "q" => {
                    // Whoever waits for it may be gone with the program.
                    let _ = ends.send(End::Asked);
                    return;
                }
                _ => continue,
            }
            progress_line(&work, out);
        }
    };
    thread::Builder::new().name("input".to_owned()).spawn(listening).map_err(StationError::Thread)?;
    Ok(())
}

/// `keystation batch …`.
pub(super) fn run(cli: &Cli, data: &DataDir, verb: &BatchVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        BatchVerb::List => {
            let known = batches(&Reader::open(&paths(data))?)?;
            if known.is_empty() {
                out.note("There is no batch yet: keystation rekey --list.");
            }
            known.iter().for_each(|batch| batch_line(batch, out));
            Ok(Exit::Done)
        }
        BatchVerb::Show { id, to } => {
            let reader = Reader::open(&paths(data))?;
            let batch = repair::batch(&reader, id)?;
            batch_line(&batch, out);
            told(&reconcile(&reader, data, &batch)?, to.csv.as_deref(), to.pdf.as_deref(), out)?;
            Ok(Exit::Done)
        }
        BatchVerb::Close { id, to } => at_station(cli, data, out, |bench| {
            with_hooks(bench, |bench| {
                let permit = bench.permit(Action::CloseRekey)?;
                let (_, reconciled) = bench.station.close_batch(&permit, id)?;
                told(&reconciled, to.csv.as_deref(), to.pdf.as_deref(), out)?;
                Ok(if reconciled.is_complete() { Exit::Done } else { Exit::Failed })
            })
        }),
    }
}

fn batch_line(batch: &Batch, out: Output) {
    let Batch { id, opened, by, approver, reason, devices, key, check_value, from, list, profile, .. } =
        batch;
    let state = if batch.closed.is_some() { "closed" } else { "open" };
    let moved = from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let mut object = json!({
        "event": "batch", "batch": id.as_str(), "state": state, "record": opened, "by": by, "approver": approver,
        "reason": reason.code().as_str(), "note": reason.note(), "devices": devices, "key": key.as_str(),
        "check_value": check_value.to_string(), "profile": profile,
        "from": from.as_ref().map(|from| from.as_str()),
        "sha256": list.map(|list| list.sha256.map(|byte| format!("{byte:02x}")).concat()),
    });
    if let Some(ended) = batch.closed {
        object["closed"] = ended.record.into();
    }
    out.say(
        format!("{id:<8} {state:<6} {devices} devices{moved} to {key} ({check_value}), {reason}; by {by}, approved by {approver}"),
        &object,
    );
}

/// Says what came of a batch, and writes it where that was asked for.
fn told(
    reconciled: &Reconciliation,
    csv: Option<&Path>,
    pdf: Option<&Path>,
    out: Output,
) -> Result<(), StationError> {
    let Reconciliation { batch, counts, days, effects, settled_since, standing, campaign, .. } = reconciled;
    if let Some(path) = csv {
        repair::csv(reconciled, path)?;
    }
    if let Some(path) = pdf {
        repair::pdf(reconciled, path)?;
    }
    let mut lines = vec![format!(
        "{}: {} asked = {} done + {} failed + {} missing; {} unexpected",
        batch.id, counts.asked, counts.done, counts.failed, counts.missing, counts.unexpected
    )];
    if *settled_since > 0 {
        lines.push(format!("  {settled_since} of them were settled after its end, by which they had failed"));
    }
    if reconciled.out > 0 {
        lines.push(format!("  {} of those that are not done are out: nobody waits for them", reconciled.out));
    }
    lines.extend(effects.iter().map(|(effect, devices)| format!("  {devices} × {effect}")));
    lines.extend(standing.iter().map(|(at, devices)| format!("  {devices} now {}", at.as_str())));
    let mut moved = 0;
    let by_day: Vec<Value> = days
        .iter()
        .map(|(day, devices)| {
            moved += devices;
            // Rounded down, so that 100 means all.
            let percent = (moved * 100).checked_div(counts.asked).unwrap_or(0);
            lines.push(format!("  {day}  {devices} done, {percent} % by then"));
            json!({ "day": day, "done": devices, "percent": percent })
        })
        .collect();
    out.say(
        lines.join("\n"),
        &json!({ "event": "reconciliation", "batch": batch.id.as_str(), "asked": counts.asked,
                 "done": counts.done, "failed": counts.failed, "missing": counts.missing,
                 "unexpected": counts.unexpected, "out": reconciled.out, "effects": effects, "days": by_day,
                 "settled_since": settled_since,
                 "standing": standing.iter().map(|(at, devices)| (at.as_str(), devices)).collect::<BTreeMap<_, _>>(),
                 "closed": batch.closed.map(|ended| ended.record), "csv": csv, "pdf": pdf }),
    );
    if let Some(campaign) = campaign {
        let Campaign { from, old, new } = campaign;
        out.say(
            format!("  {}", repair::campaign_lines(campaign, batch.key.as_str()).join("\n  ")),
            &json!({ "event": "campaign", "batch": batch.id.as_str(), "from": from.as_str(),
                     "to": batch.key.as_str(), "old": old.in_use(), "new": new.in_use(), "out": campaign.out(),
                     "left": old.in_use() }),
        );
    }
    Ok(())
}
