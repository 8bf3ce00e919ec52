//! What QA asks: which device, when, by whom, under which key, and what came of it.

use std::collections::BTreeSet;

use keystation_audit::{Field, Journal, Page, Paths, Query, QueryError, ReadError, Reader};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Outcome, Seq};
use tempfile::TempDir;

use crate::support::{begin, entry, follow, intent, outcome};

/// A device of this log: its number tells all that it is searched by.
fn device(number: u32) -> Intent {
    let serial = format!("SN-{number:04}");
    Intent {
        identity: Identity {
            mac: Some(format!("a4cf1200{number:04x}").parse().unwrap()),
            serial: Some(serial.parse().unwrap()),
        },
        job: format!("WO-{}", number % 3),
        port: format!("usb-1-1.{}", number % 4),
        ..intent(&format!("sn-{number:04}"))
    }
}

fn by(operator: &str, event: Event) -> Entry {
    let actor = Actor { session: "5c1e0b7d".into(), operator: operator.into(), role: "operator".into() };
    Entry { actor, event }
}

/// 60 devices by two operators: of ten, seven pass, one is timed out and stays open, one is not kept, one is refused.
fn log() -> (TempDir, Paths, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for number in 0..60 {
        let operator = if number % 2 == 0 { "op-0117" } else { "op-0118" };
        let device = device(number);
        if number % 10 == 9 {
            let (identity, id) = (Some(device.identity.clone()), Some(device.id.clone()));
            let (code, job) = (Code::AlreadyKeyed, String::new());
            let refuse = Event::Refuse { code, port: device.port.clone(), identity, id, job };
            journal.append(&by(operator, refuse)).unwrap();
            continue;
        }
        let rid = device.id.to_string();
        let seq = journal.append(&by(operator, follow(&journal, device))).unwrap();
        let result = match number % 10 {
            7 => Outcome { failure: Some(Code::Silent), ..outcome(&rid, seq, Holds::Unknown) },
            8 => Outcome { failure: Some(Code::NotKept), ..outcome(&rid, seq, Holds::Old) },
            _ => outcome(&rid, seq, Holds::New),
        };
        journal.append(&by(operator, Event::Result(result))).unwrap();
    }
    (directory, paths, journal)
}

fn find(reader: &Reader, text: &str) -> Page {
    reader.search(&Query::parse(text).unwrap(), None, 100).unwrap()
}

fn serials(page: &Page) -> BTreeSet<String> {
    page.rows.iter().map(|row| row.serial.clone()).collect()
}

#[test]
fn a_device_is_found_by_each_of_its_names() {
    let (_directory, paths, _journal) = log();
    let reader = Reader::open(&paths).unwrap();
    for text in [
        "mac:a4:cf:12:00:00:0c",
        "a4:cf:12:00:00:0c",
        "A4-CF-12-00-00-0C",
        "mac:a4cf1200000c",
        "sn:SN-0012",
        "SN-0012",
        "id:SN-0012",
        "sn-0012",
        "  sn:SN-0012   job:WO-0 op:op-0117 key:gk-2026a outcome:ok  ",
    ] {
        let page = find(&reader, text);
        assert_eq!((page.rows.len(), page.more), (1, false), "{text}");
        let row = &page.rows[0];
        assert_eq!(
            (row.serial.as_str(), row.mac.as_str(), row.rid.as_str()),
            ("SN-0012", "a4cf1200000c", "sn-0012")
        );
        assert_eq!(
            (row.job.as_str(), row.operator.as_str(), row.key.as_str()),
            ("WO-0", "op-0117", "gk-2026a")
        );
        assert_eq!((row.port.as_str(), row.mode.as_str(), row.code.as_str()), ("usb-1-1.0", "new", ""));
        let outcome = row.outcome.as_ref().unwrap();
        assert_eq!((outcome.rc.as_str(), outcome.holds.as_str()), ("ok", "new"));
        assert_eq!(
            (outcome.verified.as_str(), outcome.seq, outcome.took_ms),
            ("challenge", row.seq + 1, Some(10))
        );
    }
    for nothing in ["sn:SN-9999", "SN-9999", "sn:SN-0012 job:WO-1", "mac:a4cf12999999", "outcome:swapped"] {
        assert_eq!(find(&reader, nothing), Page { rows: vec![], more: false }, "{nothing}");
    }
}

#[test]
fn what_came_of_it_is_found_and_never_sounds_better_than_it_was() {
    let (_directory, paths, journal) = log();
    let reader = Reader::open(&paths).unwrap();
    let by_outcome = |text: &str| find(&reader, &format!("outcome:{text}"));
    assert_eq!(by_outcome("ok").rows.len(), 42);
    let silent = by_outcome("timeout");
    assert_eq!(serials(&silent), (0..6).map(|ten| format!("SN-00{ten}7")).collect());
    let outcome = silent.rows[0].outcome.as_ref().unwrap();
    assert_eq!(
        (outcome.code.as_str(), outcome.holds.as_str(), outcome.verified.as_str()),
        ("silent", "unknown", "")
    );
    let refused = by_outcome("refused");
    assert_eq!(refused.rows.len(), 6);
    let row = &refused.rows[0];
    assert_eq!(
        (row.mode.as_str(), row.code.as_str(), row.outcome.is_none()),
        ("refused", "already-keyed", true)
    );
    assert_eq!((row.key.as_str(), row.job.as_str()), ("", ""));

    // An intent without outcome is open; what is found out later counts, and the time that passed is no cycle time.
    let seq = journal.append(&entry(follow(&journal, device(77)))).unwrap();
    assert_eq!(by_outcome("open").rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [seq]);
    journal.append(&entry(Event::Resolve(outcome_of(seq)))).unwrap();
    assert!(by_outcome("open").rows.is_empty());
    let found = find(&reader, "sn:SN-0077").rows.remove(0).outcome.unwrap();
    assert_eq!((found.rc.as_str(), found.took_ms), ("ok", None));
}

fn outcome_of(seq: Seq) -> Outcome {
    outcome("sn-0077", seq, Holds::New)
}

#[test]
fn pages_follow_one_another_without_gap_or_repetition() {
    let (_directory, paths, _journal) = log();
    let reader = Reader::open(&paths).unwrap();
    for text in ["", "op:op-0118", "job:WO-2", "outcome:ok", "key:gk-2026a from:2026-11-22 to:2026-11-22"] {
        let query = Query::parse(text).unwrap();
        let all = reader.search(&query, None, 100).unwrap();
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = reader.search(&query, before, 7).unwrap();
            before = page.rows.last().map(|row| row.seq);
            seen.extend(page.rows);
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, all.rows, "{text}");
        assert!(seen.len() > 7 && seen.is_sorted_by(|newer, older| newer.seq > older.seq), "{text}");
    }
}

#[test]
fn every_attempt_comes_once_with_its_own_record_and_a_moment_stays_one() {
    let (_directory, paths, journal) = log();
    let reader = Reader::open(&paths).unwrap();
    // More than one stride of them.
    for number in 100..1_300 {
        journal.append(&entry(follow(&journal, device(number)))).unwrap();
    }
    let moment = reader.snapshot().unwrap();
    let mut seen = Vec::new();
    reader
        .attempts::<ReadError>(&Query::default(), |attempt, record| {
            if seen.is_empty() {
                journal.append(&entry(follow(&journal, device(2_000)))).unwrap();
            }
            assert_eq!(
                (record.seq(), record.text("mac").unwrap()),
                (attempt.seq, attempt.mac.as_str().into())
            );
            seen.push(attempt.seq);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.len(), 1_260);
    assert!(seen.is_sorted_by(|newer, older| newer > older) && seen[0] < moment.checkpoint().size);

    drop(moment);
    let stopped = reader.attempts(&Query::default(), |attempt, _| {
        Err(ReadError::NotARecord { seq: attempt.seq, why: keystation_audit::RecordError::Field("x") })
    });
    assert!(matches!(stopped, Err(ReadError::NotARecord { seq, .. }) if seq > seen[0]), "{stopped:?}");
}

#[test]
fn a_period_holds_both_its_days() {
    let (_directory, paths, _journal) = log();
    let reader = Reader::open(&paths).unwrap();
    for (period, found) in [
        ("from:2026-11-22", 60),
        ("to:2026-11-22", 60),
        ("from:2026-11-22 to:2026-11-22", 60),
        ("from:2026-11-23", 0),
        ("to:2026-11-21", 0),
        ("op:op-0117 from:2026-11-01 to:2026-11-30", 30),
    ] {
        assert_eq!(find(&reader, period).rows.len(), found, "{period}");
    }
}

#[test]
fn a_search_that_cannot_be_understood_says_why() {
    for (text, why) in [
        ("colour:red", QueryError::Field("colour".into())),
        ("mac:", QueryError::Empty("mac".into())),
        // Without a digit it would be the empty address, which devices without one have.
        ("mac:zz", QueryError::Mac("zz".into())),
        ("mac:a4cf12", QueryError::Mac("a4cf12".into())),
        ("outcome:lost", QueryError::Outcome("lost".into())),
        ("job:a job:b", QueryError::Twice("job:b".into())),
        ("one two", QueryError::Twice("two".into())),
        ("from:2026-11-01 from:2026-11-02", QueryError::Twice("from:2026-11-02".into())),
        ("from:yesterday", QueryError::Day("yesterday".into())),
        ("to:2026-02-30", QueryError::Day("2026-02-30".into())),
    ] {
        assert_eq!(Query::parse(text), Err(why), "{text}");
    }
    let query = Query::parse("job:WO-1 SN:7").unwrap_err();
    assert_eq!(query, QueryError::Field("SN".into()));
    let words = Query::parse("sn:a:b 'or'1'='1'").unwrap();
    assert_eq!(words.terms, [(Field::Serial, "a:b".to_owned())]);
    let (_directory, paths, _journal) = log();
    assert!(find(&Reader::open(&paths).unwrap(), "sn:'or'1'='1").rows.is_empty());
}

#[test]
fn figures_add_up() {
    let (_directory, paths, journal) = log();
    let reader = Reader::open(&paths).unwrap();
    journal.append(&entry(follow(&journal, device(77)))).unwrap();
    let figures = reader.figures(i64::MIN, i64::MAX, None).unwrap();
    let [day] = &figures.days[..] else { panic!("{figures:?}") };
    assert_eq!(
        (day.name.as_str(), day.passed, day.failed, day.refused, day.open),
        ("2026-11-22", 42, 12, 6, 1)
    );
    assert_eq!(
        figures.causes,
        [("already-keyed".into(), 6), ("not-kept".into(), 6), ("silent".into(), 6)]
            .map(|(c, n): (String, u64)| (c, n))
    );
    let sum = |tallies: &mut dyn Iterator<Item = &keystation_audit::Tally>| {
        tallies.fold((0, 0, 0, 0), |(p, f, r, o), t| (p + t.passed, f + t.failed, r + t.refused, o + t.open))
    };
    assert_eq!(sum(&mut figures.jobs.iter()), (42, 12, 6, 1));
    assert_eq!(sum(&mut figures.slots.iter().map(|slot| &slot.tally)), (42, 12, 6, 1));
    let names: Vec<_> = figures.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["", "WO-0", "WO-1", "WO-2"], "the refusals were not for a work order");
    assert!(figures.slots.iter().all(|slot| slot.median_ms == Some(10)));

    let one = reader.figures(i64::MIN, i64::MAX, Some("WO-1")).unwrap();
    assert_eq!(one.jobs.len(), 1);
    assert_eq!(sum(&mut one.days.iter()), sum(&mut figures.jobs.iter().filter(|job| job.name == "WO-1")));
    assert_eq!(reader.figures(0, 1, None).unwrap(), keystation_audit::Figures::default());
}
