use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use keystation_core::failure::Code;
use keystation_core::record::{AfterEvent, Event};

use super::placement::faults;
use super::printer::{Mood, Printer, label};
use super::{Place, append, device, id, numbers, records};
use crate::after::label_status;

const LONG: Duration = Duration::from_secs(120);

/// The graphic of a label as an image.
fn image(zpl: &str, file: &Path) {
    let graphic = zpl.split("^GFA,").nth(1).unwrap().split("^FS").next().unwrap();
    let parts: Vec<_> = graphic.split(',').collect();
    let (bytes, row): (usize, usize) = (parts[0].parse().unwrap(), parts[2].parse().unwrap());
    let data: Vec<u8> =
        (0..bytes).map(|at| u8::from_str_radix(&parts[3][2 * at..2 * at + 2], 16).unwrap()).collect();
    let mut image = format!("P4\n{} {}\n", row * 8, bytes / row).into_bytes();
    image.extend(data);
    fs::write(file, image).unwrap();
}

/// What a reader makes of an image.
fn read(symbol: &str, file: &Path) -> String {
    let output = match symbol {
        "qr" => Command::new("zbarimg")
            .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
            .arg(file)
            .output(),
        _ => Command::new("dmtxread").args(["-N1", "-m10000"]).arg(file).output(),
    };
    String::from_utf8(output.expect("zbar-tools and dmtx-utils are installed").stdout)
        .unwrap()
        .trim()
        .to_owned()
}

fn page(pdf: &Path) -> PathBuf {
    let image = pdf.with_extension("");
    let done =
        Command::new("pdftoppm").args(["-r", "300", "-gray", "-singlefile"]).arg(pdf).arg(&image).status();
    assert!(done.expect("poppler-utils is installed").success());
    image.with_extension("pgm")
}

/// Done-point 4: a hundred devices, each with a label in ZPL and one in PDF, half of them with a QR code, half with a Data Matrix.
#[test]
fn the_labels_of_a_hundred_devices_decode_to_their_ids() {
    let printer = Printer::new(&[Mood::Good]);
    let folder = tempfile::tempdir().unwrap();
    let paper = |profile: &str, symbol: &str| {
        label("files", profile, symbol)
            .replace("example.zpl", "example.toml")
            .replace("module_dots = 4\n", "")
    };
    let place = Place::with(&format!(
        "{}{}[[printer]]\nname = \"files\"\npdf_folder = \"{}\"\n{}{}",
        printer.section(),
        label("bench", "other", "data-matrix"),
        folder.path().display(),
        paper("example", "qr"),
        paper("other", "data-matrix"),
    ));
    let station = place.work();
    let kinds = [("example/1", "qr"), ("other/1", "data-matrix")];
    let results: Vec<_> =
        (0..100).map(|number| device(&station, number, kinds[number as usize % 2].0, None).1).collect();
    assert!(station.after_done(LONG));
    let zpl = printer.next(100);
    station.close().unwrap();
    for number in 0..100 {
        let (symbol, expected) = (kinds[number as usize % 2].1, id(number));
        let file = folder.path().join(format!("{number}.pbm"));
        assert_eq!(faults(&zpl[number as usize]), Vec::<String>::new(), "ZPL of {number}");
        image(&zpl[number as usize], &file);
        assert_eq!(read(symbol, &file), expected.as_str(), "ZPL of {number}");
        let pdf = folder.path().join(format!("{expected}-{}.pdf", results[number as usize]));
        assert_eq!(read(symbol, &page(&pdf)), expected.as_str(), "PDF of {number}");
    }
    let printed = records(&place, "label.print");
    assert_eq!(printed.len(), 200);
    for name in ["bench", "files"] {
        let of: Vec<_> = printed.iter().filter(|record| record["printer"] == name).cloned().collect();
        assert_eq!(numbers(&of, "ref"), results, "{name} prints in order, each once");
        assert!(of.iter().all(|record| record["copy"] == 0));
    }
}

/// What does not pass gets none, nor does a product that has none.
#[test]
fn only_what_passed_has_a_label() {
    let printer = Printer::new(&[Mood::Good]);
    let place = Place::with(&printer.section());
    let station = place.work();
    device(&station, 1, "example/1", Some(Code::Silent));
    device(&station, 2, "other/1", None);
    let (_, passed) = device(&station, 3, "example/1", None);
    assert!(station.after_done(LONG));
    assert!(printer.next(1)[0].contains("SN A00003"));
    station.close().unwrap();
    assert!(!printer.has_more());
    assert_eq!(numbers(&records(&place, "label.print"), "ref"), [passed]);
}

/// Every way in which a printer can be bad, one behind the other. No label is lost, none overtakes, and nothing waits for it.
#[test]
fn a_bad_printer_loses_no_label() {
    let moods = [
        Mood::NoPaper,
        Mood::HalfWay,
        Mood::Good,
        Mood::Stranger,
        Mood::Mute,
        Mood::Slow,
        Mood::HalfWay,
        Mood::HalfWay,
        Mood::Slow,
    ];
    let printer = Printer::new(&moods);
    let place = Place::with(&printer.section());
    let station = place.work();
    let results: Vec<_> = (0..8).map(|number| device(&station, number, "example/1", None).1).collect();
    assert!(station.after_done(LONG));
    let labels = printer.next(8);
    station.close().unwrap();
    assert!(!printer.has_more());
    for (number, label) in labels.iter().enumerate() {
        assert!(label.contains(&format!("SN A{number:05}")), "{number}: {label}");
    }
    let printed = records(&place, "label.print");
    assert_eq!(numbers(&printed, "ref"), results);
    // One whose first try may have come out says so; one that was never begun does not.
    assert_eq!(numbers(&printed, "copy"), [1, 1, 1, 0, 0, 0, 0, 0]);
    assert!(labels[0].contains("COPY") && !labels[3].contains("COPY"));
}

/// Devices pass while the printer is off; it comes on again, also behind an end of the program.
#[test]
fn a_printer_that_is_off_gets_its_labels_when_it_is_on_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let section = format!(
        "[[printer]]\nname = \"bench\"\naddress = \"{address}\"\n{}",
        label("bench", "example", "qr")
    );
    let place = Place::with(&section);
    let station = place.work();
    let mut results: Vec<_> = (0..3).map(|number| device(&station, number, "example/1", None).1).collect();
    assert!(!station.after_done(Duration::ZERO));
    station.close().unwrap();
    assert!(records(&place, "label.print").is_empty());
    let [status] = &label_status(&place.data).unwrap()[..] else { panic!("one printer") };
    let waiting: Vec<_> = status.waiting.iter().map(|label| (label.asked, label.id.clone())).collect();
    assert_eq!(waiting, (0..3).map(|n| (results[n as usize], id(n).as_str().to_owned())).collect::<Vec<_>>());

    let station = place.work();
    results.push(device(&station, 3, "example/1", None).1);
    let printer = Printer::on(TcpListener::bind(address).unwrap(), &[Mood::Good]);
    assert!(station.after_done(LONG));
    assert_eq!(printer.next(4).len(), 4);
    station.close().unwrap();
    assert_eq!(numbers(&records(&place, "label.print"), "ref"), results);
    assert!(label_status(&place.data).unwrap()[0].waiting.is_empty());
}

/// Killed between the printing and its record: the label comes again and is marked. Killed behind the record: it does not, though the
/// position knows nothing of it. Without its position the log says all there is to say.
#[test]
fn a_kill_loses_no_label_and_doubles_none_unmarked() {
    let printer = Printer::new(&[Mood::Mute]);
    let place = Place::with(&printer.section());
    let station = place.work();
    let (_, first) = device(&station, 1, "example/1", None);
    let (_, second) = device(&station, 2, "example/1", None);
    // Begun, and nobody knows what became of it.
    let position = place.data.after().join("label-bench");
    while !fs::read_to_string(&position).unwrap().ends_with(&format!("\n{first}\n\n")) {
        std::thread::yield_now();
    }
    station.close().unwrap();
    let left = fs::read(&position).unwrap();
    printer.becomes(Mood::Good);
    let station = place.work();
    assert!(station.after_done(LONG));
    station.close().unwrap();
    let labels = printer.next(2);
    assert!(labels[0].contains("SN A00001 COPY") && labels[1].contains("SN A00002 ^FS"), "{labels:?}");

    for position_of_before in [Some(left), None] {
        match position_of_before {
            Some(left) => fs::write(&position, left).unwrap(),
            None => fs::remove_file(&position).unwrap(),
        }
        let station = place.work();
        assert!(station.after_done(LONG));
        station.close().unwrap();
        assert!(!printer.has_more());
    }
    let printed = records(&place, "label.print");
    assert_eq!((numbers(&printed, "ref"), numbers(&printed, "copy")), (vec![first, second], vec![1, 0]));
    assert_eq!(records(&place, "label.begin").len(), 1);
}

/// A printer that is set up later does not print the past, one that was taken out does not print what came meanwhile.
#[test]
fn a_printer_begins_when_it_is_set_up() {
    let printer = Printer::new(&[Mood::Good]);
    let place = Place::new();
    let run = |number| {
        let station = place.work();
        device(&station, number, "example/1", None);
        assert!(station.after_done(LONG));
        station.close().unwrap();
    };
    run(1);
    place.set(&printer.section());
    run(2);
    place.set("");
    run(3);
    place.set(&printer.section());
    run(4);
    let labels = printer.next(2);
    assert!(labels[0].contains("SN A00002") && labels[1].contains("SN A00004"), "{labels:?}");
    assert!(!printer.has_more());
    assert_eq!((records(&place, "label.begin").len(), records(&place, "label.end").len()), (2, 1));
}

/// A reprint is a record, comes in its turn, and is a copy.
#[test]
fn a_reprint_is_marked_as_a_copy() {
    let printer = Printer::new(&[Mood::Good]);
    let place = Place::with(&printer.section());
    let station = place.work();
    let (_, result) = device(&station, 1, "example/1", None);
    let asked = AfterEvent::LabelAsked { id: id(1), result, reason: "torn".to_owned() };
    let asked = append(&station, Event::After(asked));
    assert!(station.after_done(LONG));
    let labels = printer.next(2);
    assert!(labels[0].contains("SN A00001 ^FS") && labels[1].contains("SN A00001 COPY^FS"));
    station.close().unwrap();
    assert_eq!(numbers(&records(&place, "label.print"), "ref"), [result, asked]);
}

/// A file takes ZPL behind what is there; a device file that is missing is no reason to make a plain one.
#[test]
fn zpl_goes_to_a_file_and_never_to_one_that_is_made_in_dev() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("labels.zpl");
    let place = Place::with(&format!(
        "[[printer]]\nname = \"file\"\nfile = \"{}\"\n{}[[printer]]\nname = \"off\"\nfile = \"/dev/keystation-no-printer\"\n{}",
        file.display(),
        label("file", "example", "qr"),
        label("off", "example", "qr"),
    ));
    let station = place.work();
    let results: Vec<_> = (0..2).map(|number| device(&station, number, "example/1", None).1).collect();
    while records(&place, "label.print").len() < 2 {
        std::thread::yield_now();
    }
    station.close().unwrap();
    assert_eq!(fs::read_to_string(file).unwrap().matches("^XZ").count(), 2);
    assert!(!Path::new("/dev/keystation-no-printer").exists());
    assert_eq!(numbers(&records(&place, "label.print"), "ref"), results);
    let status = label_status(&place.data).unwrap();
    assert_eq!((status[0].waiting.len(), status[1].waiting.len()), (0, 2));
}
