//! Work orders through the headless binary, with simulated devices.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use keystation_audit::{Journal, Paths, Reader, Signer, SystemClock};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::DeviceKey;
use keystation_core::record::{Actor, Entry, Event, Intent, Mode};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE, PUBLISHED_DEVICE_KEY, Run, finished};
use keystation_tests::orders::{DAYS, text};
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

const ORDER: &str = "WO-7";

/// Writes an order and has the supervisor take it in.
fn create(bench: &Bench, text: &str) -> Run {
    let file = bench.file("order");
    fs::write(&file, text).unwrap();
    bench.run(&["order", "create", "--file", file.to_str().unwrap()])
}

fn created(bench: &Bench, quantity: u64, devices: &str) {
    let made = create(bench, &text(ORDER, quantity, PUBLISHED_CHECK_VALUE, devices));
    assert_eq!(made.exit, Some(0), "{made:?}");
    let opened = bench.run(&["order", "open", ORDER]);
    assert_eq!(
        (opened.exit, &opened.event("order").unwrap()["state"]),
        (Some(0), &"open".into()),
        "{opened:?}"
    );
}

fn inject(bench: &Bench, port: &Path) -> Run {
    finished(bench.inject_command(port).args(["--job", ORDER]))
}

/// The code of the error or of the failed device.
fn code(run: &Run) -> &str {
    let said = run.event("fail").or_else(|| run.event("error")).unwrap_or_else(|| panic!("{run:?}"));
    said["code"].as_str().unwrap()
}

fn sim(bench: &Bench, serial: &str, mac: &str) -> Sim {
    Sim::start(
        &bench.file(&format!("sim-{serial}-{}", mac.replace(':', ""))),
        1,
        &["--serial", serial, "--mac", mac],
    )
}

fn standing(bench: &Bench) -> Value {
    bench.run(&["order", "show", ORDER]).event("order").unwrap().clone()
}

fn close(bench: &Bench, reason: &str) -> Run {
    bench.run(&["order", "close", ORDER, "--reason", reason])
}

#[test]
fn an_order_is_made_counted_raised_and_closed() {
    let bench = Bench::quick();
    created(&bench, 2, "oui = [\"a4:cf:12\"]\nrange = { first = \"SN-100\", last = \"SN-199\" }\n");
    let first = sim(&bench, "SN-100", "a4:cf:12:00:01:00");
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0));
    for (serial, mac, expected) in [
        ("SN-200", "a4:cf:12:00:02:00", Code::Unlisted),
        ("SN-101", "00:60:2f:00:01:01", Code::WrongMaker),
        ("SN-101", "a4:cf:12:00:01:00", Code::OtherBoard),
        ("SN-100", "a4:cf:12:00:01:99", Code::OtherBoard),
    ] {
        let stray = sim(&bench, serial, mac);
        let refused = inject(&bench, &stray.port(0));
        assert_eq!(
            (refused.exit, code(&refused)),
            (Some(3), expected.as_str()),
            "{serial} {mac}: {refused:?}"
        );
        assert_eq!(stray.state(0)["generation"], 0);
    }
    // It fails, is begun again and again, and takes one place; it ends by falling silent.
    let mut broken = sim(&bench, "SN-101", "a4:cf:12:00:01:01");
    broken.command("fault 0 lie=ok-stores-nothing");
    for _ in 0..2 {
        assert_eq!(inject(&bench, &broken.port(0)).exit, Some(1));
    }
    let third = sim(&bench, "SN-102", "a4:cf:12:00:01:02");
    let full = inject(&bench, &third.port(0));
    assert_eq!((full.exit, code(&full)), (Some(3), Code::OrderFull.as_str()), "{full:?}");
    assert_eq!(third.state(0)["generation"], 0);
    let refusals = bench.records().into_iter().filter(|record| record["code"] == "order-full").count();
    assert_eq!(refusals, 1, "it is a record");

    let shown = bench.run(&["order", "show", ORDER]);
    let missing = shown.event("order-missing").unwrap();
    assert_eq!((&missing["count"], &missing["short"]), (&1.into(), &1.into()), "{shown:?}");
    let open = close(&bench, "");
    assert_eq!((open.exit, code(&open)), (Some(3), "order-unaccounted"), "{open:?}");
    assert!(open.stderr.contains("sn-sn-101-mac-a4-cf-12-00-01-01"), "{open:?}");
    let scrap =
        bench.run(&["order", "scrap", ORDER, "--device", "A4-CF-12-00-01-01", "--reason", "stores nothing"]);
    assert_eq!(scrap.exit, Some(0), "{scrap:?}");
    let again = inject(&bench, &broken.port(0));
    assert_eq!(
        (again.exit, code(&again)),
        (Some(3), Code::Scrapped.as_str()),
        "scrap stays scrap: {again:?}"
    );

    let alone = {
        let mut command = bench.keystation();
        command.args(["order", "quota", ORDER, "--quantity", "3", "--reason", "one was scrap"]);
        finished(bench.signed(&mut command, "sup-1", None))
    };
    assert_eq!(alone.exit, Some(3), "nobody approved: {alone:?}");
    let raised = bench.run(&["order", "quota", ORDER, "--quantity", "3", "--reason", "one was scrap"]);
    assert_eq!(raised.exit, Some(0), "{raised:?}");
    assert_eq!(inject(&bench, &third.port(0)).exit, Some(0));
    let closed = close(&bench, "");
    assert_eq!(closed.exit, Some(0), "{closed:?}");
    let told = standing(&bench);
    let counts = [&told["state"], &told["quantity"], &told["begun"], &told["passed"], &told["scrapped"]];
    assert_eq!(counts.map(Value::clone), [json!("closed"), json!(3), json!(3), json!(2), json!(1)]);
    let after = sim(&bench, "SN-103", "a4:cf:12:00:01:03");
    let late = inject(&bench, &after.port(0));
    assert_eq!((late.exit, code(&late)), (Some(3), Code::NoOrder.as_str()), "{late:?}");
    bench.assert_log_intact();
    let rebuilt = bench.run(&["audit", "rebuild"]);
    assert_eq!((rebuilt.exit, standing(&bench)), (Some(0), told));
    bench.assert_log_intact();
}

/// Whoever names no order makes the device under the one that is open: it takes a place, and is refused where none is left.
#[test]
fn nothing_is_made_past_the_order_that_is_open() {
    let bench = Bench::quick();
    let before = sim(&bench, "SN-100", "a4:cf:12:00:01:00");
    assert_eq!(bench.inject(&before.port(0)).exit, Some(0), "no order is open, and none is asked for");
    created(&bench, 1, "oui = [\"a4:cf:12\"]\n");
    let stray = sim(&bench, "SN-101", "00:60:2f:00:01:01");
    let refused = bench.inject(&stray.port(0));
    assert_eq!((refused.exit, code(&refused)), (Some(3), Code::WrongMaker.as_str()), "{refused:?}");
    let first = sim(&bench, "SN-101", "a4:cf:12:00:01:01");
    let passed = bench.inject(&first.port(0));
    assert_eq!(passed.exit, Some(0), "{passed:?}");
    assert_eq!((&standing(&bench)["begun"], &standing(&bench)["passed"]), (&1.into(), &1.into()));
    let intent = bench.records().into_iter().rfind(|record| record["ev"] == "inject.intent").unwrap();
    assert_eq!(intent["job"], ORDER);
    let second = sim(&bench, "SN-102", "a4:cf:12:00:01:02");
    for run in [bench.inject(&second.port(0)), inject(&bench, &second.port(0))] {
        assert_eq!((run.exit, code(&run)), (Some(3), Code::OrderFull.as_str()), "{run:?}");
    }
    assert_eq!(second.state(0)["generation"], 0);
    assert_eq!(close(&bench, "").exit, Some(0));
    assert_eq!(bench.inject(&second.port(0)).exit, Some(0), "again under none");
    bench.assert_log_intact();
}

/// It holds its set, and nobody saw that: the next plugging-in would tell PASS of it.
#[test]
fn a_device_in_doubt_passes_under_no_other_order_and_never_as_scrap() {
    let bench = Bench::quick();
    created(&bench, 2, "");
    let mut doubtful = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    doubtful.command("fault 0 silent=commit");
    let lost = inject(&bench, &doubtful.port(0));
    assert_eq!((lost.exit, code(&lost)), (Some(1), Code::Silent.as_str()), "{lost:?}");
    doubtful.command("fault 0");
    assert_eq!(doubtful.state(0)["generation"], 1);
    assert_eq!(create(&bench, &text("WO-8", 2, PUBLISHED_CHECK_VALUE, "")).exit, Some(0));
    assert_eq!(bench.run(&["order", "open", "WO-8"]).exit, Some(0));
    let other = finished(bench.inject_command(&doubtful.port(0)).args(["--job", "WO-8"]));
    assert_eq!((other.exit, code(&other)), (Some(3), Code::NoOrder.as_str()), "{other:?}");
    assert_eq!(bench.run(&["order", "open", ORDER]).exit, Some(0));
    let scrap = bench.run(&["order", "scrap", ORDER, "--device", "SN-1", "--reason", "it fell"]);
    assert_eq!(scrap.exit, Some(0), "{scrap:?}");
    let refused = inject(&bench, &doubtful.port(0));
    assert_eq!((refused.exit, code(&refused)), (Some(3), Code::Scrapped.as_str()), "{refused:?}");
    let passed = |record: &Value| {
        record["rc"] == "ok" && record["ev"].as_str().is_some_and(|event| event.starts_with("inject."))
    };
    assert!(!bench.records().iter().any(passed));
    bench.assert_log_intact();
}

#[test]
fn a_list_of_a_spreadsheet_says_which_devices_and_which_were_never_seen() {
    let bench = Bench::quick();
    let list = bench.file("list.csv");
    let [from, until] = DAYS;
    let arguments = |list: &Path| {
        let text = [
            "order",
            "create",
            "--id",
            ORDER,
            "--customer",
            "Müller & Söhne",
            "--profile",
            "test.toml",
            "--from",
            from,
            "--until",
            until,
            "--key",
            "gk-test",
            "--check-value",
            PUBLISHED_CHECK_VALUE,
            "--devices",
        ];
        text.map(str::to_owned).into_iter().chain([list.display().to_string()]).collect::<Vec<_>>()
    };
    let take = || {
        let arguments = arguments(&list);
        bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    fs::write(&list, "serial,mac\nSN-1,a4:cf:12:00:00:01\n=cmd|' /C calc'!A0,\n").unwrap();
    let bad = take();
    assert_eq!((bad.exit, code(&bad)), (Some(2), "order-list"), "{bad:?}");
    assert!(bad.stderr.contains("row 3, column A (serial)"), "{bad:?}");
    assert_eq!(bench.run(&["order", "list"]).events, Vec::<Value>::new());
    assert!(!bench.data().join("orders").exists(), "nothing of it was taken");

    fs::write(&list, "\u{feff}serial;mac\r\nSN-1;A4-CF-12-00-00-01\r\n\"SN-2\";\r\n;a4cf.1200.0003\r\n")
        .unwrap();
    let made = take();
    assert_eq!((made.exit, &made.event("order").unwrap()["quantity"]), (Some(0), &3.into()), "{made:?}");
    assert_eq!(bench.run(&["order", "open", ORDER]).exit, Some(0));
    let first = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0));
    let stray = sim(&bench, "SN-3", "a4:cf:12:00:00:09");
    assert_eq!(code(&inject(&bench, &stray.port(0))), Code::Unlisted.as_str());

    let missing = close(&bench, "the customer takes one");
    assert_eq!((missing.exit, code(&missing)), (Some(3), "order-unaccounted"), "{missing:?}");
    assert!(
        missing.stderr.contains("2 devices of the work order WO-7 were never seen: SN-2, a4:cf:12:00:00:03"),
        "{missing:?}"
    );
    let unknown = bench.run(&["order", "scrap", ORDER, "--device", "SN-3", "--reason", "lost"]);
    assert_eq!((unknown.exit, code(&unknown)), (Some(2), "order-device"), "{unknown:?}");
    let lost = bench.run(&["order", "scrap", ORDER, "--never-seen", "--reason", "never delivered"]);
    assert_eq!((lost.exit, &lost.event("order").unwrap()["scrapped"]), (Some(0), &2.into()), "{lost:?}");
    assert_eq!(close(&bench, "").exit, Some(0));
    bench.assert_log_intact();
}

#[test]
fn an_order_that_somebody_altered_is_not_worked_by() {
    let bench = Bench::quick();
    created(&bench, 1, "");
    let file = bench.data().join("orders/WO-7.toml");
    let kept = fs::read_to_string(&file).unwrap();
    let first = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    for harm in [Some(kept.replace("quantity = 1", "quantity = 9")), Some("x".to_owned()), None] {
        match &harm {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let refused = inject(&bench, &first.port(0));
        assert_eq!(
            (refused.exit, code(&refused)),
            (Some(3), Code::NoOrder.as_str()),
            "{harm:?}: {refused:?}"
        );
        assert_ne!(bench.run(&["order", "open", ORDER]).exit, Some(0));
    }
    assert_eq!(first.state(0)["generation"], 0);
    fs::write(&file, kept).unwrap();
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0));
}

fn settings(bench: &Bench, from: &str, to: &str) {
    let file = bench.data().join("station.toml");
    let before = fs::read_to_string(&file).unwrap();
    assert!(before.contains(from));
    fs::write(&file, before.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_customer_who_signs_is_the_only_one_who_says_what_is_made() {
    let bench = Bench::quick();
    let customer = Signer::from_seed("orders.example.com", &[7; 32]);
    let stranger = Signer::from_seed("orders.example.com", &[8; 32]);
    let plain = text(ORDER, 1, PUBLISHED_CHECK_VALUE, "");
    let nobody = create(&bench, &customer.sign(&plain));
    assert_eq!((nobody.exit, code(&nobody)), (Some(3), "order-unsigned"), "no customer is known: {nobody:?}");
    settings(&bench, "# [[customer]]", &format!("[[customer]]\nvkey = \"{}\"\n#", customer.verifier()));
    for (order, expected) in [
        (plain.clone(), "order-unsigned"),
        (stranger.sign(&plain), "order-unsigned"),
        (customer.sign(&plain).replace("quantity = 1", "quantity = 2"), "order-altered"),
    ] {
        let refused = create(&bench, &order);
        assert_eq!((refused.exit, code(&refused)), (Some(3), expected), "{refused:?}");
    }
    let made = create(&bench, &customer.sign(&plain));
    assert_eq!(
        (made.exit, &made.event("order").unwrap()["signer"]),
        (Some(0), &"orders.example.com".into()),
        "{made:?}"
    );
    assert_eq!(bench.run(&["order", "open", ORDER]).exit, Some(0));
    let first = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    // Who can write the files and not the customer's name can put nothing in its place.
    let file = bench.data().join("orders/WO-7.note");
    let kept = fs::read_to_string(&file).unwrap();
    fs::write(&file, stranger.sign(&plain)).unwrap();
    assert_eq!(code(&inject(&bench, &first.port(0))), Code::NoOrder.as_str());
    fs::write(&file, kept).unwrap();
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0));
}

#[test]
fn who_may_do_what_with_an_order_and_what_a_station_asks_for() {
    let bench = Bench::quick();
    let first = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    settings(&bench, "required = false", "required = true");
    let none = bench.inject(&first.port(0));
    assert_eq!((none.exit, code(&none)), (Some(3), Code::NoOrder.as_str()), "{none:?}");
    let by = |operator: &str, arguments: &[&str]| {
        let mut command = bench.keystation();
        finished(bench.signed(command.args(arguments), operator, None))
    };
    let file = bench.file("order-7").display().to_string();
    fs::write(&file, text(ORDER, 1, PUBLISHED_CHECK_VALUE, "")).unwrap();
    for who in ["op-0117", "cus-1", "qa-007", "admin-1", "rep-1"] {
        let refused = by(who, &["order", "create", "--file", &file]);
        assert_eq!((refused.exit, code(&refused)), (Some(3), "role"), "{who}: {refused:?}");
    }
    let wrong = create(&bench, &text("WO-8", 1, "00000-00000", ""));
    assert_eq!(wrong.exit, Some(0), "the key may come later: {wrong:?}");
    let other_key = bench.run(&["order", "open", "WO-8"]);
    assert_eq!((other_key.exit, code(&other_key)), (Some(3), "order-key"), "{other_key:?}");
    assert_eq!(by("sup-1", &["order", "create", "--file", &file]).exit, Some(0));
    let twice = by("sup-1", &["order", "create", "--file", &file]);
    assert_eq!((twice.exit, code(&twice)), (Some(2), "order-known"), "{twice:?}");
    let waiting = inject(&bench, &first.port(0));
    assert_eq!((waiting.exit, code(&waiting)), (Some(3), Code::NoOrder.as_str()), "{waiting:?}");
    assert_eq!(by("op-0117", &["order", "open", ORDER]).exit, Some(0), "an operator opens what is there");
    for verb in [
        &["order", "close", ORDER, "--reason", "x"][..],
        &["order", "scrap", ORDER, "--device", "SN-1", "--reason", "x"],
    ] {
        let refused = by("op-0117", verb);
        assert_eq!(refused.exit, Some(3), "{refused:?}");
    }
    let typo = create(&bench, &text("WO-9", 1, PUBLISHED_CHECK_VALUE, "seriel = \"SN#\"\n"));
    assert_eq!((typo.exit, code(&typo)), (Some(2), "order-text"), "{typo:?}");
    assert!(typo.stderr.contains("order:14: unknown field `seriel`"), "{typo:?}");
    let another = bench.inject_command(&first.port(0)).args(["--job", "WO-9"]).output().unwrap();
    assert_eq!(code(&Run::of(&another)), Code::NoOrder.as_str());
    let bad = bench.inject_command(&first.port(0)).args(["--job", "../x"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0));
}

/// R13 of a line. No derivation does that: the log is told of another device with this key.
#[test]
fn two_devices_that_would_have_one_key_stop_the_line() {
    let bench = Bench::quick();
    let published = Sim::published(&bench.file("published"));
    let paths = Paths::in_dir(&bench.data());
    let key = DeviceKey::filled_by(|bytes| {
        Base64::decode(PUBLISHED_DEVICE_KEY, bytes).unwrap();
    });
    let group_key =
        Reader::open(&paths).unwrap().known_key(&"gk-test".parse().unwrap()).unwrap().unwrap().info;
    let intent = Intent {
        id: RegistrationId::new("sn-another", IdRule::Dashes).unwrap(),
        identity: Identity { mac: None, serial: Some("another".parse().unwrap()) },
        firmware: "2.4.1".to_owned(),
        key: group_key,
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: key.fingerprint(),
        profile: "test/1".to_owned(),
        job: String::new(),
        port: "usb-1-1".to_owned(),
        mode: Mode::New,
        prior: None,
        attempt: 1,
    };
    let journal = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
    journal.append(&Entry { actor: Actor::default(), event: Event::Intent(intent) }).unwrap();
    journal.close().unwrap();
    let stopped = bench.inject(&published.port(0));
    assert_eq!((stopped.exit, code(&stopped)), (Some(4), Code::Collision.as_str()), "{stopped:?}");
    assert_eq!(published.state(0)["generation"], 0);
    let records = bench.records();
    let refusal = records.iter().position(|record| record["code"] == "collision").expect("it is a record");
    assert_eq!(records[refusal]["ev"], "inject.refuse");
    assert_eq!(records[refusal + 1]["ev"], "auth.lock", "no key is left to derive with");
}

/// The station is killed while it writes the last device of an order: its place stays taken, and it is ended later.
#[test]
fn a_kill_gives_no_place_away() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    let bench = Bench::quick();
    created(&bench, 1, "");
    let first = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    let mut command = bench.inject_command(&first.port(0));
    let mut station = command.args(["--job", ORDER]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(station.stdout.take().unwrap()).lines();
    let mut steps = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    assert!(steps.any(|event| event["step"] == "write"), "the intent is there");
    station.kill().unwrap();
    station.wait().unwrap();
    let second = sim(&bench, "SN-2", "a4:cf:12:00:00:02");
    let full = inject(&bench, &second.port(0));
    assert_eq!((full.exit, code(&full)), (Some(3), Code::OrderFull.as_str()), "{full:?}");
    assert_eq!(inject(&bench, &first.port(0)).exit, Some(0), "it has its place");
    assert_eq!((&standing(&bench)["begun"], &standing(&bench)["passed"]), (&1.into(), &1.into()));
    assert_eq!(close(&bench, "").exit, Some(0));
    bench.assert_log_intact();
}
