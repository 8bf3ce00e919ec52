//! Canaries of many shapes, in every file that a station has: none of them, and no part of them, is in its bundle.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use keystation_core::failure::Code;
use keystation_core::record::{Actor, AfterEvent, Entry, Event};

use super::*;
use crate::people::PinCost;
use crate::station::Station;

/// Words that no list of the program has, digits of a PIN, and bytes of a key.
const WORDS: &str = "walrus gravel trumpet quilted";
const PIN: &str = "493027";
const KEY: [u8; 32] = *b"\x8f\x02\xd1\x77\x3a\xe9\x5c\x10\xb4\x6e\xf8\x21\x9d\x43\xca\x05\x7b\xe6\x38\x90\x1f\xad\x52\xc7\x64\x0b\xf3\x89\x2e\xd5\x71\x4c";

fn hex() -> String {
    crate::station::hex(&KEY)
}

/// Text that must not be found, in shapes that a person or a program gives it.
fn texts() -> Vec<String> {
    let (base64, url) = (Base64::encode_string(&KEY), Base64UrlUnpadded::encode_string(&KEY));
    let in_lines = |text: &str, length| {
        let lines = text.as_bytes().chunks(length).map(|line| String::from_utf8_lossy(line).into_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    vec![
        WORDS.to_owned(),
        WORDS.replace(' ', ""),
        WORDS.replace(' ', "-"),
        WORDS.replace(' ', "\n"),
        PIN.to_owned(),
        format!("{}\n{}", &PIN[..3], &PIN[3..]),
        base64.clone(),
        url,
        hex(),
        hex().to_uppercase(),
        in_lines(&base64, 4),
        in_lines(&base64, 20),
        in_lines(&hex(), 8),
        format!("/srv/{}/{PIN}/{base64}.txt", WORDS.replace(' ', "_")),
        format!("cannot open `/srv/{}`: {PIN} is wrong ({})", WORDS.replace(' ', "/"), hex()),
    ]
}

/// The same as bytes, also of other encodings.
fn bytes() -> Vec<Vec<u8>> {
    let all = texts().join("\n");
    let wide = |of: fn(u16) -> [u8; 2]| all.encode_utf16().flat_map(of).collect();
    vec![all.clone().into_bytes(), wide(u16::to_le_bytes), wide(u16::to_be_bytes), KEY.to_vec()]
}

/// What of the canaries is in a text, also spelled over lines.
fn found(text: &str) -> Vec<String> {
    let bare: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '\0').collect::<String>().to_lowercase();
    let mut parts: Vec<String> = WORDS.split(' ').map(str::to_owned).collect();
    parts.push(PIN.to_owned());
    for spelled in [Base64::encode_string(&KEY), Base64UrlUnpadded::encode_string(&KEY), hex()] {
        let windows = spelled.as_bytes().windows(6).map(|part| String::from_utf8_lossy(part).to_lowercase());
        // Six digits alone may be a number.
        parts.extend(windows.filter(|part| part.chars().any(|c| !c.is_ascii_digit())));
    }
    parts.into_iter().filter(|part| bare.contains(part.as_str())).collect()
}

fn plant(file: &Path) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut opened = OpenOptions::new().create(true).append(true).open(file).unwrap();
    for bytes in bytes() {
        opened.write_all(&bytes).unwrap();
        opened.write_all(b"\n").unwrap();
    }
}

/// A station whose log has canaries in every text that somebody types or a device says.
fn station(data: &DataDir) {
    Station::init(data, "keylog.example.com/plant7/stn03").unwrap();
    let clock = clock().unwrap();
    let station = Station::open_under(data, "test", clock, PinCost::TEST).unwrap();
    for text in texts() {
        let text: String = text.replace('\n', " ").chars().take(100).collect();
        let actor = Actor { operator: text.clone(), role: text.clone(), ..Actor::default() };
        let own = || text.clone();
        for event in [
            Event::Refuse { code: Code::Locked, port: own(), identity: None, id: None, job: own() },
            Event::After(AfterEvent::LabelsBegun { printer: own() }),
            Event::After(AfterEvent::OutboxSkipped { of: own(), first: 1, count: 1, why: "damaged" }),
            Event::After(AfterEvent::HookFailed {
                on: "pass",
                record: 1,
                program: own(),
                why: "exit",
                number: 493_027,
            }),
            // A field of words in which there is none.
            Event::UnlockFailed { why: Box::leak(own().into_boxed_str()) },
        ] {
            station.journal().append(&Entry { actor: actor.clone(), event }).unwrap();
        }
    }
    station.close().unwrap();
}

#[test]
fn nothing_is_saved_where_something_was_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bundle.txt");
    let known = scan::Known::of(&DataDir::new(directory.path().to_owned()));
    let section = |text: &str| [Section { name: "log", text: format!("clean\n{text}\n") }];
    let error = save(&section("PIN 493027"), &known, &file).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("diagnosis-not-clean", crate::Exit::Failed));
    let told = error.to_string();
    assert!(told.contains("`log`, line 2, character 5") && !told.contains("493027"), "{told}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(save(&section("clean"), &known, &file).unwrap(), 4);
}

#[test]
fn no_canary_of_any_shape_in_any_file_is_in_the_bundle() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    station(&data);
    let name = WORDS.replace(' ', "-");
    for file in [
        // What programs of the factory and of the system leave.
        "hook.out".to_owned(),
        "core.493027".to_owned(),
        format!("crash-{name}.txt"),
        // What the station has, each with a file that is named for it.
        format!("after/label-{name}"),
        "after/outbox".to_owned(),
        format!("labels/{name}.zpl"),
        format!("profiles/{name}.toml"),
        format!("orders/{PIN}.toml"),
        format!("rekeys/{name}.csv"),
        format!("exports/{}.tlog-proof", hex()),
        format!("transfer/{name}.age"),
        format!("keys/{name}.card"),
        format!("training/{name}/station.toml"),
        format!("epochs/1/{name}"),
        "epochs/1/head.note".to_owned(),
        "people.json".to_owned(),
        "tries.json".to_owned(),
        "slots.json".to_owned(),
        "pepper.key".to_owned(),
        "names.db".to_owned(),
        "vault.age".to_owned(),
        "transfer-key.age".to_owned(),
        "witness.vkeys".to_owned(),
        format!("report-{PIN}.pdf"),
    ] {
        plant(&data.path().join(file));
    }
    let settings = data.settings();
    let kept = fs::read_to_string(&settings).unwrap();
    let sections = format!(
        "# {}\n[[printer]]\nname = \"walrus-gravel\"\npdf_folder = \"/srv/{name}/{PIN}\"\n[[hook]]\non = [\"pass\"]\nprogram = \"/srv/{name}\"\nseconds = 1\n\
         [outbox]\nfolder = \"/srv/{name}/{}\"\n",
        texts().join("\n# "),
        hex(),
    );
    fs::write(&settings, format!("{kept}\n{sections}")).unwrap();
    let told = |name: &str| {
        let file = directory.path().join(name);
        diagnose(&data, &file).unwrap();
        fs::read_to_string(&file).unwrap()
    };
    let whole = told("whole.txt");
    assert_eq!(found(&whole), Vec::<String>::new(), "{whole}");
    for part in ["derivation\n", "inject.refuse", "hook.fail", "others, whose names"] {
        assert!(whole.contains(part), "{part}: {whole}");
    }

    // Where nothing of it can be read, errors are what is told: settings that are none, a log that is none.
    fs::write(&settings, format!("{kept}\n{WORDS} = {PIN}\n")).unwrap();
    fs::remove_file(data.path().join("head.note")).unwrap();
    plant(&data.path().join("head.note"));
    let broken = told("broken.txt");
    assert_eq!(found(&broken), Vec::<String>::new(), "{broken}");
    assert!(broken.contains("cannot be used"), "{broken}");
    fs::write(data.path().join("audit.db"), bytes().concat()).unwrap();
    fs::remove_file(&settings).unwrap();
    plant(&settings);
    let nothing = told("nothing.txt");
    assert_eq!(found(&nothing), Vec::<String>::new(), "{nothing}");
}

/// And if some section copied one all the same: it is found, or masked.
#[test]
fn a_canary_that_a_section_copied_does_not_get_out() {
    let directory = tempfile::tempdir().unwrap();
    let known = scan::Known::of(&DataDir::new(directory.path().to_owned()));
    // Three digits are a number like any other.
    let texts = texts().into_iter().filter(|text| text.replace('\n', "") != PIN || text == PIN);
    for (at, bytes) in texts.map(String::into_bytes).chain(bytes().into_iter().take(3)).enumerate() {
        let text = format!("records: {}\n", String::from_utf8_lossy(&bytes));
        assert_ne!(found(&text), Vec::<String>::new(), "this test would see it: {text}");
        let file = directory.path().join(at.to_string());
        if save(&[Section { name: "log", text }], &known, &file).is_ok() {
            let told = fs::read_to_string(&file).unwrap();
            assert_eq!(found(&told), Vec::<String>::new(), "{told}");
        }
    }
}

/// What the program says of itself is let out: a mask in its own sentences would be a word that is missing in the list.
#[test]
fn nothing_of_a_bundle_of_a_good_station_is_masked() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let file = directory.path().join("bundle.txt");
    diagnose(&data, &file).unwrap();
    let told = fs::read_to_string(&file).unwrap();
    assert!(!told.contains('?'), "{told}");
    assert!(told.contains("log.genesis"), "{told}");
}

/// More files than a PIN has digits: their number is one like any other.
#[test]
fn a_folder_of_many_files_is_counted_in_groups() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().to_owned());
    fs::create_dir(data.exports()).unwrap();
    for number in 0..1200 {
        fs::write(data.exports().join(number.to_string()), "").unwrap();
    }
    let sections = sections::all(&data, &clock().unwrap().now());
    let files = &sections.iter().find(|section| section.name == "files").unwrap().text;
    assert!(files.contains("exports: 1_200 entries\n"), "{files}");
}
