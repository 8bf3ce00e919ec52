//! Five hundred texts that mean something to a terminal, a browser, a spreadsheet, a shell or a database, everywhere where somebody
//! else says what the text is. Each is refused with a reason, or it is text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use keystation::line::Scan;
use keystation::orders::{OrderId, OrderText};
use keystation::people::{Person, Pin, PinCost};
use keystation::{DataDir, PersonName, Remark, Station};
use keystation_audit::{Journal, Names, Paths, SystemClock};
use keystation_core::identity::{Mac, SerialNumber};
use keystation_core::record::{Actor, Entry, Event};
use keystation_device::sim::Persona;
use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE};
use keystation_tests::binaries::program;
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::{orders, people};
use serde_json::Value;

use super::hands::Hands;
use super::script::{Device, Kind, Visit};
use super::terminal::{Row, Terminal};

const SLOTS: usize = 8;
const ORDER: &str = "WO-500";

/// The texts of `tests/vectors/hostile.json`.
pub(super) fn texts() -> Vec<String> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let made = Command::new("python3").arg("-B").arg(vectors.join("make_hostile.py")).arg("--check").status();
    assert!(made.unwrap().success(), "make_hostile.py makes another hostile.json");
    let read = fs::read(vectors.join("hostile.json")).unwrap();
    let texts: Vec<(String, String, usize)> = serde_json::from_slice(&read).unwrap();
    assert_eq!(texts.len(), 500);
    texts.into_iter().map(|(_, text, times)| text.repeat(times)).collect()
}

/// At most so many bytes: what a device has room to say.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    let fits = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= bytes).last();
    text[..fits.unwrap_or(0)].to_owned()
}

/// What moves a cursor, turns the direction of a line or is not seen.
pub(super) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What a program printed has lines, and nothing else that acts.
pub(super) fn assert_text(printed: &[u8], of: &str) {
    let printed = String::from_utf8(printed.to_vec()).unwrap();
    for line in printed.split('\n') {
        assert!(!line.contains(acts), "{of}: {line:?}");
    }
}

/// An error says what is wrong, and does not repeat what would act.
fn assert_refusal(error: &dyn std::error::Error, text: &str) {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(said, ": {error}").unwrap();
        cause = error.source();
    }
    assert!(!said.trim().is_empty() && !said.contains(acts), "{:?}: {said:?}", cut(text, 80));
    assert!(said.len() < 1000, "{} bytes about {:?}", said.len(), cut(text, 80));
}

/// Runs a verb for people and one for programs, looks at both, and gives what programs get.
pub(super) fn said(bench: &Bench, verb: &[&str]) -> Vec<Value> {
    let mut people = Command::new(program("keystation"));
    people.arg("--data").arg(bench.data()).args(verb);
    if let Some((operator, approver)) = people::who(verb) {
        bench.signed(&mut people, operator, approver);
    }
    let shown = people.output().unwrap();
    assert!(shown.status.success(), "{verb:?}: {shown:?}");
    assert_text(&shown.stdout, &format!("{verb:?}"));
    assert_text(&shown.stderr, &format!("{verb:?}"));
    let run = bench.run(verb);
    assert_eq!(run.exit, Some(0), "{run:?}");
    run.events
}

/// Every file below `folder` has a name that no program takes for anything else.
fn assert_plain_names(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let plain =
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !name.starts_with('-');
        assert!(plain, "{}", entry.path().display());
        if entry.file_type().unwrap().is_dir() {
            assert_plain_names(&entry.path());
        }
    }
}

/// The rows of a table as Python reads it. No cell is one that a spreadsheet would calculate.
pub(super) fn table(csv: &Path) -> Vec<BTreeMap<String, String>> {
    let script = "import csv, json, sys\n\
                  print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))))";
    let read = Command::new("python3").args(["-c", script]).arg(csv).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    let rows: Vec<BTreeMap<String, String>> = serde_json::from_slice(&read.stdout).unwrap();
    for cell in rows.iter().flat_map(BTreeMap::values) {
        let calculates = [
            '=', '+', '-', '@', '\t', '\r', '\n', '\0', '|', '%', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}',
            '\u{ff20}',
        ];
        assert!(!cell.trim_start().starts_with(calculates), "{cell:?}");
        assert!(!cell.contains(acts), "{cell:?}");
    }
    rows
}

/// A list that Python reads as it is in JSON.
fn assert_list(bench: &Bench) {
    let [csv, lines] = ["csv", "jsonl"].map(|format| {
        let file = bench.file(&format!("list.{format}"));
        let run = bench.run(&["audit", "list", "--format", format, "--out", file.to_str().unwrap()]);
        assert_eq!(run.exit, Some(0), "{run:?}");
        file
    });
    let rows = table(&csv);
    let objects = fs::read_to_string(lines).unwrap();
    assert_eq!(rows.len(), objects.lines().count());
    let mut quoted = 0;
    for (row, object) in rows.iter().zip(objects.lines()) {
        let object: Value = serde_json::from_str(object).unwrap();
        for column in ["serial", "firmware"] {
            let (cell, said) = (row[column].as_str(), object[column].as_str().unwrap_or_default());
            let bare = cell.strip_prefix('\'').unwrap_or(cell);
            assert_eq!(bare, said, "one apostrophe is all that is added");
            quoted += usize::from(bare != cell);
        }
    }
    assert!(quoted > 20, "{quoted} cells had something to quote");
}

/// A page that says what it says and does nothing.
pub(super) fn assert_page(pdf: &Path) -> String {
    let bytes = fs::read(pdf).unwrap();
    for verb in [&b"/JavaScript"[..], b"/JS", b"/URI", b"/Launch", b"/OpenAction", b"/EmbeddedFile"] {
        // A whole name: the six letters before that of a font can begin with any two.
        let ends = |at: usize| !bytes.get(at + verb.len()).is_some_and(u8::is_ascii_alphanumeric);
        let acts = bytes.windows(verb.len()).enumerate().any(|(at, found)| found == verb && ends(at));
        assert!(!acts, "{}", String::from_utf8_lossy(verb));
    }
    let read = Command::new("pdftotext").arg("-layout").arg(pdf).arg("-").output().unwrap();
    assert!(read.status.success(), "{read:?}");
    let text = String::from_utf8(read.stdout).unwrap().replace('\u{c}', "\n");
    assert_text(text.as_bytes(), "page");
    text
}

/// Devices that say it: as their serial number (`part` 2) or as their firmware version (`part` 4).
fn visits(bench: &Bench, part: u8) -> Vec<Visit> {
    let visit = |(number, text): (usize, String)| {
        let [_, _, a, b] = u32::try_from(number).unwrap().to_be_bytes();
        let (serial, firmware) = match part {
            2 => (cut(&text, 200), "2.4.1".to_owned()),
            _ => (format!("FW-{number}"), cut(&text, 32)),
        };
        let persona = Persona { mac: Some([0x00, 0x1b, 0xc5, part, a, b]), serial: Some(serial), firmware };
        let state = bench.file("sim").join("states").join(format!("text-{part}-{number}.json"));
        Visit::new(Device { persona, state }, Kind::Good)
    };
    texts().into_iter().enumerate().map(visit).collect()
}

/// All texts as serial numbers and as scans, on the table of a terminal. Says how many devices had a result.
fn on_a_terminal(bench: &Bench, hands: &Hands) -> u64 {
    let visits = visits(bench, 2);
    let mut left = visits.iter();
    let mut scans = texts().into_iter().enumerate();
    let mut terminal = Terminal::start(bench, "sup-1");
    let mut before = [0; SLOTS];
    let mut busy = [false; SLOTS];
    let mut put_back = false;
    let mut expected: Option<String> = None;
    loop {
        terminal.read();
        if expected.as_ref().is_none_or(|label| terminal.scan == *label) {
            // What a scanner sends whole is heard whole, whatever came before it.
            expected = scans.next().map(|(number, text)| {
                terminal.types(text.as_bytes());
                terminal.types(format!("\nSN-{number}\n").as_bytes());
                format!("label SN-{number}")
            });
        }
        let rows: Vec<_> = terminal.rows.iter().map(|(slot, row)| (*slot, row.clone())).collect();
        for (slot, Row { results, shows }) in &rows {
            if shows.starts_with("OUT") && !put_back {
                terminal.types(b"\n");
            }
            if busy[*slot] && *results > before[*slot] {
                busy[*slot] = false;
                hands.sim.unplug(*slot);
            } else if !busy[*slot]
                && shows == "ready"
                && let Some(visit) = left.next()
            {
                (before[*slot], busy[*slot]) = (*results, true);
                hands.lay(*slot, visit);
                hands.plug(*slot);
            }
        }
        put_back = rows.iter().any(|(_, row)| row.shows.starts_with("OUT"));
        if left.len() == 0 && expected.is_none() && !busy.contains(&true) {
            break;
        }
    }
    let results = terminal.rows.values().map(|row| row.results).sum();
    let sum = terminal.end();
    assert!(sum.ends_with("The log says the same."), "{sum}");
    results
}

/// All texts as firmware versions, in the objects of a line. Says how many passed and failed.
fn in_objects(bench: &Bench, hands: &Hands) -> (usize, usize) {
    let visits = visits(bench, 4);
    let count = visits.len();
    let mut left = visits.iter();
    let (mut passed, mut failed) = (0, 0);
    let mut in_slot: Vec<Option<&Visit>> = vec![None; SLOTS];
    let mut line = RunningLine::start(bench, "sup-1");
    // A scanner that sends what is no text is still heard afterwards.
    line.types_bytes(b"\xff\xfe\x9b\n");
    line.types("SN-LAST");
    while passed + failed < count {
        let event = line.until(|_| true);
        let Some(slot) = event["slot"].as_u64().map(|number| usize::try_from(number).unwrap() - 1) else {
            continue;
        };
        match event["event"].as_str().unwrap() {
            // Five devices in a row that say what no device says: the slot is taken out.
            "out" => line.types(""),
            "waiting" if in_slot[slot].is_none() => {
                in_slot[slot] = left.next();
                if let Some(visit) = in_slot[slot] {
                    hands.lay(slot, visit);
                    hands.plug(slot);
                }
            }
            name @ ("pass" | "fail") => {
                let Device { persona, .. } = &in_slot[slot].take().unwrap().device;
                assert_eq!(event["code"].as_str().unwrap_or("garbled"), "garbled", "{persona:?}: {event}");
                passed += usize::from(name == "pass");
                failed += usize::from(name == "fail");
                hands.sim.unplug(slot);
            }
            _ => {}
        }
    }
    assert!(line.told.iter().any(|event| event["label"] == "SN-LAST"));
    line.end();
    (passed, failed)
}

#[test]
fn what_a_device_or_a_scanner_says_is_text_wherever_it_is_shown() {
    let bench = Bench::quick();
    let hands = Hands::new(&bench.file("sim"), SLOTS);
    slots_on(&bench, (0..SLOTS).map(|slot| hands.sim.port(slot).to_owned()));
    orders::open_for(&bench.data(), ORDER, 1000);
    assert_eq!(on_a_terminal(&bench, &hands), 500);
    let (passed, failed) = in_objects(&bench, &hands);
    println!("as firmware version: {passed} PASS, {failed} FAIL");
    assert!(passed > 100 && failed > 100, "texts of both kinds");

    let records = said(&bench, &["audit", "show"]);
    for (field, text) in [
        ("sn", "</bdi><script>alert(1)</script>"),
        ("sn", "=1+9"),
        ("fw", "<script>alert(1)</script>"),
        ("fw", "=1+9"),
    ] {
        let found = records.iter().any(|record| record[field] == text);
        assert!(found, "no {field} is {text}");
    }
    said(&bench, &["audit", "search", "outcome:ok"]);
    said(&bench, &["audit", "report", "shift"]);
    said(&bench, &["order", "list"]);
    said(&bench, &["order", "show", ORDER]);
    assert_list(&bench);
    // Whoever worked has a name that is a text, too.
    for (number, name) in
        ["<script>alert(1)</script>", "=1+9", "\u{202e}eman", "';DROP TABLE log;--"].iter().enumerate()
    {
        Names::open(&bench.data().join("names.db")).unwrap().set("sup-1", name).unwrap();
        let [report, sheet] = ["report", "sheet"].map(|page| bench.file(&format!("{page}-{number}.pdf")));
        for (page, file) in [("report", &report), ("sheet", &sheet)] {
            let run = bench.run(&["audit", page, "--job", ORDER, "--out", file.to_str().unwrap()]);
            assert_eq!(run.exit, Some(0), "{run:?}");
            assert!(assert_page(file).contains(ORDER));
        }
        let file = bench.file(&format!("shift-{number}.pdf"));
        let run = bench.run(&["audit", "report", "shift", "--pdf", file.to_str().unwrap()]);
        assert_eq!(run.exit, Some(0), "{run:?}");
        assert!(assert_page(&file).contains(ORDER));
    }
    let bundle = bench.file("bundle");
    let run = bench.run(&["audit", "export", "--out", bundle.to_str().unwrap()]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_plain_names(&bundle);
    assert_plain_names(&bench.data());
    bench.assert_log_intact();
}

#[test]
fn what_a_person_types_is_refused_or_text() {
    let bench = Bench::quick();
    let mut taken = [0; 5];
    let mut remarks = Vec::new();
    let mut names = Vec::new();
    for text in texts() {
        let mut judge = |place: usize, judged: Result<(), Box<dyn std::error::Error>>| match judged {
            Ok(()) => taken[place] += 1,
            Err(error) => assert_refusal(&*error, &text),
        };
        judge(
            0,
            text.parse::<OrderId>()
                .map(|id| assert!(!id.as_str().contains(['/', '<', '\''])))
                .map_err(Into::into),
        );
        judge(
            1,
            Scan::new(&text).map(|scan| assert!(!format!("{scan:?}").contains(acts))).map_err(Into::into),
        );
        judge(
            2,
            text.parse::<SerialNumber>()
                .map(|serial| assert!(!serial.as_str().contains(acts)))
                .map_err(Into::into),
        );
        assert_refusal(&text.parse::<Mac>().unwrap_err(), &text);
        let quoted = Value::from(text.as_str()).to_string().replace('\u{7f}', "\\u007F");
        let order =
            orders::text("WO-1", 1, PUBLISHED_CHECK_VALUE, "").replace("\"Contoso Thermostats\"", &quoted);
        let read = OrderText::read(&order, Path::new("order.toml"), &[]);
        judge(3, read.map(|order| assert!(!order.customer.contains(acts))).map_err(Into::into));
        let list =
            orders::text("WO-1", 1, PUBLISHED_CHECK_VALUE, &format!("list = [{{ serial = {quoted} }}]\n"));
        judge(4, OrderText::read(&list, Path::new("order.toml"), &[]).map(drop).map_err(Into::into));
        match PersonName::new(&text) {
            Ok(name) => names.push(name),
            Err(error) => assert_refusal(&error, &text),
        }
        match Remark::new(&text) {
            Ok(_) => remarks.push(text.trim().to_owned()),
            Err(error) => assert_refusal(&error, &text),
        }
    }
    println!(
        "taken: {taken:?} as order, label, serial, customer, device of a list; {} names, {} remarks",
        names.len(),
        remarks.len()
    );
    assert!(taken[1..].iter().all(|count| *count > 20), "texts of both kinds: {taken:?}");

    // Who signs in: nobody is called so.
    let data = DataDir::new(bench.data());
    let station = Station::open_under(&data, "test", SystemClock::new().unwrap(), PinCost::TEST).unwrap();
    for text in texts() {
        let pin = Pin::new("671425").unwrap();
        assert_refusal(&station.sign_in(Person::Id(&text), &pin).unwrap_err(), &text);
    }
    station.close().unwrap();
    // The remarks of reviews, and the names of eight people.
    let journal = Journal::open(&Paths::in_dir(&bench.data()), SystemClock::new().unwrap()).unwrap();
    for remark in &remarks {
        let actor =
            Actor { session: "0000000000000000".into(), operator: "qa-007".into(), role: "qa".into() };
        let event = Event::ReviewSigned { from: 0, to: 1, root: "5a".repeat(32), remark: remark.clone() };
        journal.append(&Entry { actor, event }).unwrap();
    }
    journal.close().unwrap();
    let records = said(&bench, &["audit", "show"]);
    let kept: Vec<_> = records
        .iter()
        .filter(|record| record["ev"] == "review.signed")
        .map(|r| r["remark"].as_str().unwrap())
        .collect();
    assert_eq!(kept, remarks, "the record has them as they were given");
    said(&bench, &["audit", "review", "--status"]);
    for name in names {
        Names::open(&data.names()).unwrap().set("op-0117", name.as_str()).unwrap();
        assert_eq!(
            Names::open(&data.names()).unwrap().name("op-0117").unwrap().as_deref(),
            Some(name.as_str())
        );
    }
    assert_plain_names(&bench.data());
    bench.assert_log_intact();
}

/// What is no ID, no label and nobody's is refused before anything is opened, and said without acting on the terminal.
#[test]
fn what_stands_in_an_argument_acts_on_no_terminal() {
    let bench = Bench::in_place(tempfile::tempdir().unwrap());
    let mut refused = 0;
    for text in texts().iter().filter(|text| !text.contains('\0') && text.len() < 100_000) {
        for option in ["--job", "--label", "--port"] {
            let mut command = Command::new(program("keystation"));
            command.arg("--data").arg(bench.data()).args(["inject", "--profile", "test.toml"]);
            let run = command.arg(format!("{option}={text}")).output().unwrap();
            // One argument is missing in any case.
            assert_eq!(run.status.code(), Some(2), "{run:?}");
            assert_text(&run.stdout, option);
            assert_text(&run.stderr, option);
            let lines = String::from_utf8_lossy(&run.stderr).lines().count();
            assert!(lines < 12, "a text makes no lines: {run:?}");
            refused += usize::from(String::from_utf8_lossy(&run.stderr).contains("invalid value"));
        }
    }
    assert!(refused > 300, "{refused}");
}
