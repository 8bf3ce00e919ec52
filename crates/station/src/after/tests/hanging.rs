//! Printers that take a connection and then do nothing, and those whose only answer is that they close it.

use std::time::Duration;

use super::printer::{Mood, Printer, label};
use super::{Place, device, numbers, records};

/// Four times as long as a printer may be silent.
const LONG: Duration = Duration::from_secs(120);

/// The section of a printer of this name, with the label of `example.toml`.
fn section(name: &str, printer: &Printer, answer: &str) -> String {
    let address = printer.address;
    format!(
        "[[printer]]\nname = \"{name}\"\naddress = \"{address}\"\nanswer = \"{answer}\"\n{}",
        label(name, "example", "qr")
    )
}

/// The serial numbers of labels, and which are marked as copies.
fn told(labels: &[String]) -> Vec<(usize, bool)> {
    let number = |label: &String| {
        let (_, rest) = label.split_once("^FDSN A").expect("a label has a serial number");
        (rest[..5].parse().unwrap(), rest.starts_with(&format!("{} COPY", &rest[..5])))
    };
    labels.iter().map(number).collect()
}

/// `answer = "close"`: a label counts when the printer has read all of it and closes in order. One that goes in the middle has it
/// again, marked.
#[test]
fn a_printer_that_closes_has_its_labels() {
    let printer = Printer::new(&[Mood::Good, Mood::HalfWay, Mood::HalfWay, Mood::Slow, Mood::Good]);
    let place = Place::with(&section("closing", &printer, "close"));
    let station = place.work();
    let results: Vec<_> = (0..4).map(|number| device(&station, number, "example/1", None).1).collect();
    assert!(station.after_done(LONG));
    let labels = printer.next(4);
    station.close().unwrap();
    assert!(!printer.has_more());
    assert_eq!(told(&labels), [(0, false), (1, true), (2, false), (3, false)]);
    let printed = records(&place, "label.print");
    assert_eq!(numbers(&printed, "ref"), results);
    assert_eq!(numbers(&printed, "copy"), [0, 1, 0, 0]);
}

/// Beside a good one hang four others. The good one has all its labels while they do, and so has whoever keys devices; when they come
/// to themselves they have theirs, in order, and none twice that does not say so.
#[test]
fn a_printer_that_hangs_holds_nobody_up_and_loses_no_label() {
    let hanging = [
        ("deaf", Mood::Deaf, "status"),
        ("stuck", Mood::Stuck, "status"),
        ("deaf-close", Mood::Deaf, "close"),
        ("keeps", Mood::Keeps, "close"),
    ];
    let good = Printer::new(&[Mood::Good]);
    let printers = hanging.map(|(_, mood, _)| Printer::new(&[mood]));
    let mut sections = section("good", &good, "status");
    for ((name, _, answer), printer) in hanging.iter().zip(&printers) {
        sections += &section(name, printer, answer);
    }
    let place = Place::with(&sections);
    let station = place.work();
    let results: Vec<_> = (0..3).map(|number| device(&station, number, "example/1", None).1).collect();
    assert_eq!(told(&good.next(3)), [(0, false), (1, false), (2, false)]);
    // The one that keeps its connection has printed, and nobody knows it.
    let kept = printers[3].next(1);
    let [deaf, stuck, deaf_close, keeps] = &printers;
    assert!(![deaf, stuck, deaf_close, keeps].iter().any(|printer| printer.has_more()));

    for printer in &printers {
        printer.becomes(Mood::Good);
    }
    assert!(station.after_done(LONG));
    let after = printers.each_ref().map(|printer| told(&printer.next(3)));
    station.close().unwrap();
    assert!(!printers.iter().any(Printer::has_more));
    // Nothing of its label was sent to the first one: it had not said that it is ready.
    assert_eq!(after[0], [(0, false), (1, false), (2, false)]);
    for (labels, (name, ..)) in after[1..].iter().zip(&hanging[1..]) {
        assert_eq!(*labels, [(0, true), (1, false), (2, false)], "{name}");
    }
    assert_eq!(told(&kept), [(0, false)]);
    let printed = records(&place, "label.print");
    for (name, copies) in [("good", 0), ("deaf", 0), ("stuck", 1), ("deaf-close", 1), ("keeps", 1)] {
        let of: Vec<_> = printed.iter().filter(|record| record["printer"] == name).cloned().collect();
        assert_eq!(numbers(&of, "ref"), results, "{name}");
        assert_eq!(numbers(&of, "copy"), [copies, 0, 0], "{name}");
    }
}
