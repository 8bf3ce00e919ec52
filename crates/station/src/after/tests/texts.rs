//! What a device says of itself, on its labels: five hundred texts that mean something to a printer or to whoever opens a page.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use keystation_core::identity::SerialNumber;

use super::printer::{Mood, Printer, label};
use super::{Place, device_that_says, id, records};

/// Those that can be a serial number and a firmware version: at most 32 characters that are seen.
fn texts() -> Vec<String> {
    let vectors = include_str!("../../../../../tests/vectors/hostile.json");
    let texts: Vec<(String, String, usize)> = serde_json::from_str(vectors).unwrap();
    let mut there = BTreeSet::new();
    let texts = texts.into_iter().map(|(_, text, _)| text.chars().take(32).collect::<String>());
    let plain = |text: &String| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let texts: Vec<_> = texts
        .filter(|text| plain(text) && text.parse::<SerialNumber>().is_ok() && there.insert(text.clone()))
        .collect();
    assert!(texts.len() > 100, "{}", texts.len());
    texts
}

/// The commands of a label, without what is in its fields.
fn commands(zpl: &str) -> Vec<String> {
    let command = |part: &str| match part.starts_with("FD") {
        true => "FD".to_owned(),
        // The code is another one for each device.
        false => part.chars().take_while(|sign| *sign != '\n').take(20).collect(),
    };
    zpl.split(['^', '~']).map(command).collect()
}

/// A PDF without its streams: what is compressed can have any three bytes one after the other.
fn dictionaries(pdf: &[u8]) -> Vec<u8> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|found| found == what);
    let (mut kept, mut left) = (Vec::new(), pdf);
    while let Some(at) = find(left, b"stream\n").or_else(|| find(left, b"stream\r\n")) {
        kept.extend(&left[..at]);
        let end = find(&left[at..], b"endstream").expect("a stream ends");
        left = &left[at + end + b"endstream".len()..];
    }
    kept.extend(left);
    assert!(find(&kept, b"/Type").is_some() && kept.len() < pdf.len(), "a PDF has both");
    kept
}

#[test]
fn what_a_device_says_is_text_on_its_labels() {
    let printer = Printer::new(&[Mood::Good]);
    let folder = tempfile::tempdir().unwrap();
    let paper = label("files", "example", "qr")
        .replace("example.zpl", "example.toml")
        .replace("module_dots = 4\n", "");
    let place = Place::with(&format!(
        "{}[[printer]]\nname = \"files\"\npdf_folder = \"{}\"\n{paper}",
        printer.section(),
        folder.path().display(),
    ));
    let station = place.work();
    let texts = texts();
    for (number, text) in (0..).zip(&texts) {
        device_that_says(&station, number, "example/1", None, [text, text]);
    }
    assert!(station.after_done(Duration::from_secs(120)));
    let labels = printer.next(texts.len());
    station.close().unwrap();
    assert_eq!(records(&place, "label.print").len(), 2 * texts.len());
    assert!(records(&place, "label.fail").is_empty());

    for (label, text) in labels.iter().zip(&texts) {
        assert_eq!(commands(label), commands(&labels[0]), "{text}");
        let said: String =
            text.chars().map(|sign| if ['^', '~', '\\'].contains(&sign) { '?' } else { sign }).collect();
        assert!(label.contains(&format!("^FDSN {said} ^FS")), "{text}: {label}");
        assert!(label.bytes().all(|byte| byte == b'\n' || byte == b' ' || byte.is_ascii_graphic()), "{text}");
    }
    let pages: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|page| page.unwrap().path()).collect();
    assert_eq!(pages.len(), texts.len());
    for page in &pages {
        let bytes = dictionaries(&fs::read(page).unwrap());
        for verb in [&b"/JavaScript"[..], b"/JS", b"/URI", b"/Launch", b"/OpenAction", b"/EmbeddedFile"] {
            // A whole name: the six letters before that of a font can begin with any two.
            let ends = |at: usize| !bytes.get(at + verb.len()).is_some_and(u8::is_ascii_alphanumeric);
            let acts = bytes.windows(verb.len()).enumerate().any(|(at, found)| found == verb && ends(at));
            assert!(!acts, "{}: {}", page.display(), String::from_utf8_lossy(verb));
        }
    }
    // What stands on them, of every eighth: for each is a program of its own.
    for (number, text) in (0..).zip(&texts).step_by(8) {
        let name = format!("{}-", id(number));
        let of = |page: &&std::path::PathBuf| page.file_name().unwrap().to_str().unwrap().starts_with(&name);
        let page = pages.iter().find(of).unwrap();
        let read = Command::new("pdftotext").args(["-raw"]).arg(page).arg("-").output();
        let read = String::from_utf8(read.expect("poppler-utils is installed").stdout).unwrap();
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        // What is longer than the label goes on beside it.
        assert!(squeezed(&read).contains(&squeezed(&text[..text.len().min(12)])), "{text}: {read}");
    }
}
