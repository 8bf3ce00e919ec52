//! The diagnostic bundle of a station in which secrets and names lie about everywhere holds none of them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use base64ct::{Base64, Base64Url, Encoding};
use keystation_tests::bench::{
    Bench, PUBLISHED_DEVICE_KEY, PUBLISHED_GROUP_KEY, finished, pin_file, random_hex,
};
use keystation_tests::sim::Sim;

/// Something that must not be found, where it was put, and in which words.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    /// A new one for this place, of letters and digits as a key has them.
    fn plant(&mut self, place: &'static str) -> String {
        let canary =
            Base64::encode_string(random_hex(15).as_bytes()).replace(['+', '/', '='], "x")[..24].to_owned();
        self.0.push((place, canary.clone()));
        canary
    }

    /// Words of lower case, as a passphrase has them; each of them is looked for.
    fn plant_words(&mut self, place: &'static str) -> String {
        let word = || -> String {
            let letter = |digit: char| char::from(b'g' + u8::try_from(digit.to_digit(16).unwrap()).unwrap());
            random_hex(4).chars().map(letter).collect()
        };
        let words = [word(), word(), word()];
        self.0.extend(words.iter().map(|word| (place, word.clone())));
        words.join(" ")
    }

    fn found_in(&self, text: &str) -> Vec<&'static str> {
        let lower = text.to_lowercase();
        let found = |(_, canary): &&(&'static str, String)| lower.contains(&canary.to_lowercase());
        self.0.iter().filter(found).map(|(place, _)| *place).collect()
    }
}

fn append(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    writeln!(file, "{text}").unwrap();
}

#[test]
fn no_canary_of_a_station_is_in_its_diagnostic_bundle() {
    let bench = Bench::quick();
    let data = bench.data();
    let mut canaries = Canaries(Vec::new());
    append(
        &data.join("station.toml"),
        &format!("# SharedAccessKey={}", canaries.plant("a comment in the settings")),
    );
    let profile = data.join(format!("profiles/{}.toml", canaries.plant("the name of a profile")));
    fs::copy(data.join("profiles/test.toml"), &profile).unwrap();
    append(&profile, &format!("# {}", canaries.plant("a comment in a profile")));
    let slot = canaries.plant("the name of a port");
    append(
        &data.join("station.toml"),
        &format!("[[slot]]\nport = \"/dev/{slot}\"\nprofile = {:?}", profile.file_name().unwrap()),
    );
    bench.private("name", &canaries.plant("the name of a person"));
    let mut name = bench.keystation();
    name.args(["person", "set", "op-0117", "--name-file"]).arg(bench.file("name"));
    let named = finished(bench.signed(&mut name, "admin-1", None));
    assert_eq!(named.exit, Some(0), "{named:?}");
    append(&data.join("hook.log"), &canaries.plant("the log of a hook"));
    append(&data.join("labels/example.zpl"), &format!("^FX {}", canaries.plant_words("a label")));
    append(&data.join("crash.txt"), &format!("panicked: {}", canaries.plant_words("what a crash left")));
    append(&data.join("after/outbox"), &canaries.plant_words("how far the outbox is"));
    let out = canaries.plant_words("the folder of the outbox").replace(' ', "-");
    append(&data.join("station.toml"), &format!("[outbox]\nfolder = \"/srv/{out}\""));
    fs::create_dir(data.join(canaries.plant("the name of a folder"))).unwrap();
    fs::write(data.join(canaries.plant("the name of a file")), canaries.plant("a file")).unwrap();
    let serial = canaries.plant("the serial number of a device");
    let firmware = canaries.plant("the firmware text of a device");
    let environment = canaries.plant("the environment");
    for (place, secret) in [
        ("the group key", PUBLISHED_GROUP_KEY.to_owned()),
        ("a device key", PUBLISHED_DEVICE_KEY.to_owned()),
        ("the passphrase", bench.passphrase().to_owned()),
        ("a PIN", fs::read_to_string(bench.file(&pin_file("op-0117"))).unwrap()),
        ("the pepper", fs::read_to_string(data.join("pepper.key")).unwrap().trim().to_owned()),
        ("the name of the station", "plant7".to_owned()),
        ("an operator ID", "op-0117".to_owned()),
        ("a registration ID", "007-888".to_owned()),
    ] {
        canaries.0.push((place, secret));
    }
    let signing = fs::read_to_string(data.join("station.key")).unwrap();
    canaries.0.push(("the signing key", signing.trim().splitn(5, '+').nth(4).unwrap().to_owned()));

    // Devices that are good, and that fail, so that they are in the log.
    let good = Sim::published(&bench.file("good"));
    assert_eq!(bench.inject(&good.port(0)).exit, Some(0));
    let options = [
        "--serial",
        &serial,
        "--mac",
        "a1:b2:c3:d4:e5:f7",
        "--firmware",
        &firmware,
        "--fault",
        "lie=ram-only",
    ];
    let failing = Sim::start(&bench.file("failing"), 1, &options);
    let failed = bench.inject(&failing.port(0));
    assert_eq!(failed.exit, Some(1), "{failed:?}");
    let note = canaries.plant_words("a note on a device");
    let scrapped = bench.run(&[
        "device",
        "scrap",
        "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6",
        "--reason",
        "other",
        "--note",
        &note,
    ]);
    assert_eq!(scrapped.exit, Some(0), "{scrapped:?}");
    let recorded = bench
        .records()
        .iter()
        .any(|record| record["sn"] == serial.as_str() && record["fw"] == firmware.as_str());
    assert!(recorded, "the device is in the log");

    let file = bench.file("bundle.txt");
    let made = finished(bench.keystation().arg("diagnose").arg(&file).env("KEYSTATION_CANARY", environment));
    assert_eq!(made.exit, Some(0), "{made:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(canaries.found_in(&text), Vec::<&str>::new(), "{text}");
    // It says what it is for.
    for part in
        ["== program\n", "slot 1: device file", "ok   derivation", "inject.result", "not-kept", "audit.db"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A station that is found at fault by the search is one that this test would miss nothing of.
    assert_eq!(canaries.found_in(&format!("{text}{serial}")), ["the serial number of a device"]);

    // Where the log does not open it is made all the same.
    fs::remove_file(data.join("station.key")).unwrap();
    fs::write(data.join("audit.db"), "no database").unwrap();
    let made = finished(bench.keystation().arg("diagnose").arg(bench.file("second.txt")));
    assert_eq!(made.exit, Some(0), "{made:?}");
    assert!(fs::read_to_string(bench.file("second.txt")).unwrap().contains("== log\ndoes not open: "));
}

/// A secret that one of the station's files has, and that stands in the bundle in another spelling: the verb saves nothing.
#[test]
fn a_bundle_in_which_something_is_found_is_not_saved() {
    const WORD: &str = "port-unavailable";
    let bench = Bench::quick();
    assert_eq!(bench.inject(Path::new("/dev/null")).exit, Some(1));
    let diagnose = |name: &str| {
        let file = bench.file(name);
        (finished(bench.keystation().arg("diagnose").arg(&file)), file)
    };
    let (made, file) = diagnose("clean.txt");
    assert_eq!(made.exit, Some(0), "{made:?}");
    assert!(fs::read_to_string(file).unwrap().contains(WORD));

    // A word of this program is no secret: only here, where a key of the station is spelled so.
    let hex: String = Base64Url::decode_vec(WORD).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let card = bench.data().join("keys/planted.card");
    fs::create_dir_all(card.parent().unwrap()).unwrap();
    fs::write(&card, &hex).unwrap();
    let before = fs::read_dir(bench.file("")).unwrap().count();
    let (made, file) = diagnose("found.txt");
    assert_eq!(made.exit, Some(1), "{made:?}");
    let told = format!("{made:?}");
    assert!(told.contains("diagnosis-not-clean") && told.contains("a secret of this station"), "{told}");
    assert!(!told.contains(&hex) && !told.contains(WORD), "{told}");
    assert!(!file.exists(), "nothing is saved");
    assert_eq!(fs::read_dir(bench.file("")).unwrap().count(), before, "nor is a part of it left");

    fs::remove_file(card).unwrap();
    assert_eq!(diagnose("found.txt").0.exit, Some(0));
}
