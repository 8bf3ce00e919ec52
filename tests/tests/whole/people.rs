//! People at the command line: the first two, those whom they make, and what each of them may not.

use std::process::Command;

use keystation_tests::bench::{Bench, LABEL, Run, finished, pin_file};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

fn code(run: &Run) -> &Value {
    &run.event("error").unwrap_or_else(|| panic!("it went through: {run:?}"))["code"]
}

fn refused(run: &Run) -> (Option<i32>, &Value) {
    (run.exit, code(run))
}

/// A station from nothing, by the commands of the README.
#[test]
fn two_administrators_make_the_others_and_each_chooses_a_pin() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::in_place(directory);
    let verb = |arguments: &[&str]| finished(bench.keystation().args(arguments));
    let pin = |name: &str, digits: &str| {
        bench.private(&pin_file(name), digits);
        bench.file(&pin_file(name)).display().to_string()
    };
    let (ada, bob) = (pin("ad-1", "640217"), pin("ad-2", "953081"));
    let init =
        |more: &[&str]| verb(&[&["init", "--origin", "keylog.example.com/plant7/stn03"], more].concat());
    // Nothing is made for people who cannot be.
    let (same, simple) = (pin("same", "640217"), pin("simple", "123456"));
    for (more, why) in [
        (vec!["--admin", "ad-1"], "one-person"),
        (
            vec!["--admin", "ad-1", "--admin", "ad-1", "--admin-pin-file", &ada, "--admin-pin-file", &same],
            "one-person",
        ),
        (vec!["--admin", "ad-1", "--admin", "ad-2", "--admin-pin-file", &ada], "pin-files"),
        (
            vec!["--admin", "ad-1", "--admin", "ad-2", "--admin-pin-file", &ada, "--admin-pin-file", &simple],
            "pin-refused",
        ),
    ] {
        assert_eq!(code(&init(&more)), why);
        assert!(!bench.data().exists(), "{why}");
    }
    let made =
        init(&["--admin", "ad-1", "--admin", "ad-2", "--admin-pin-file", &ada, "--admin-pin-file", &bob]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    assert_eq!(made.event("begin").unwrap()["administrators"], json!(["ad-1", "ad-2"]));
    let both = [
        "person",
        "begin",
        "--admin",
        "ad-3",
        "--admin",
        "ad-4",
        "--admin-pin-file",
        &ada,
        "--admin-pin-file",
        &bob,
    ];
    assert_eq!(refused(&verb(&both)), (Some(3), &json!("not-new")), "there are two already");

    // By two, and the PIN holds once.
    let once = pin("once", "493027");
    let add = ["person", "add", "op-17", "--roles", "operator", "--new-pin-file", &once];
    let by = |operator: &str, approver: &str, arguments: &[&str]| {
        let mut command = bench.keystation();
        finished(bench.signed(command.args(arguments), operator, Some(approver)))
    };
    for (operator, approver, why) in
        [("ad-1", "ad-1", "approval-same-person"), ("ad-2", "ad-2", "approval-same-person")]
    {
        assert_eq!(refused(&by(operator, approver, &add)), (Some(3), &json!(why)));
    }
    let alone = finished(bench.signed(bench.keystation().args(add), "ad-1", None));
    assert_eq!(refused(&alone), (Some(3), &json!("approval-missing")));
    assert_eq!(by("ad-1", "ad-2", &add).exit, Some(0));
    assert_eq!(refused(&by("ad-1", "ad-2", &add)), (Some(2), &json!("person-exists")), "an ID is given once");

    bench.private(&pin_file("op-17"), "493027");
    let as_operator =
        |arguments: &[&str]| finished(bench.signed(bench.keystation().args(arguments), "op-17", None));
    assert_eq!(code(&as_operator(&["audit", "rebuild"])), "pin-change", "the PIN holds once");
    let own = pin("own", "718204");
    assert_eq!(as_operator(&["person", "change-pin", "--new-pin-file", &own]).exit, Some(0));
    assert_eq!(
        refused(&as_operator(&["audit", "rebuild"])),
        (Some(3), &json!("pin-wrong")),
        "the old one is none"
    );
    bench.private(&pin_file("op-17"), "718204");
    assert_eq!(refused(&as_operator(&["audit", "rebuild"])), (Some(3), &json!("role")));

    // Roles, badge, PIN, and the end of it.
    let badge = pin("badge", "0004711893");
    for change in [
        vec!["person", "roles", "op-17", "--roles", "operator+repair"],
        vec!["person", "badge", "op-17", "--badge-file", &badge],
        vec!["person", "reset-pin", "op-17", "--new-pin-file", &once],
        vec!["person", "disable", "op-17", "--reason", "left"],
    ] {
        let run = by("ad-2", "ad-1", &change);
        assert_eq!(run.exit, Some(0), "{run:?}");
    }
    bench.private(&pin_file("op-17"), "493027");
    assert_eq!(refused(&as_operator(&["audit", "rebuild"])), (Some(3), &json!("account-disabled")));
    let listed = finished(bench.signed(bench.keystation().args(["person", "list"]), "ad-1", None));
    let person = listed.events.iter().find(|person| person["operator"] == "op-17").unwrap();
    let seen = ["roles", "active", "must_change_pin", "badge"].map(|field| person[field].clone());
    assert_eq!(seen, [json!(["operator", "repair"]), json!(false), json!(true), json!(true)]);
    assert_eq!(by("ad-2", "ad-1", &["person", "enable", "op-17", "--reason", "back"]).exit, Some(0));
    let unsaid = by("ad-1", "ad-2", &["person", "disable", "op-17", "--reason", " "]);
    assert_eq!(refused(&unsaid), (Some(2), &json!("reason")));
    let last = by("ad-1", "ad-2", &["person", "disable", "ad-2", "--reason", "left"]);
    assert_eq!(refused(&last), (Some(3), &json!("last-administrators")));
    bench.assert_log_intact();
}

/// Whoever may not is told so, leaves a record, and no trace on a device.
#[test]
fn what_somebody_may_not_is_refused_and_recorded() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let port = sim.port(0).display().to_string();
    let refusals =
        |why: &str| bench.records().iter().filter(|r| r["ev"] == "policy.refuse" && r["why"] == why).count();
    let file = bench.file("out").display().to_string();
    let inject = ["inject", "--port", &port, "--profile", "test.toml"];
    let check = ["check", "--port", &port, "--profile", "test.toml"];
    let mut expected = 0;
    for (operator, verb) in [
        ("qa-007", &inject[..]),
        ("admin-1", &inject),
        // A custodian may open the vault, and keys no device.
        ("cus-1", &inject),
        ("op-0117", &check),
        ("admin-1", &["audit", "review"]),
        ("cus-1", &["audit", "export", "--out", &file]),
        ("admin-1", &["audit", "report", "--job", "WO-1", "--out", &file]),
        ("op-0117", &["key", "recipient"]),
        ("sup-1", &["audit", "rebuild"]),
        ("rep-1", &["person", "forget", "op-0117"]),
    ] {
        let run = bench.run(&[&["--operator", operator], verb].concat());
        expected += 1;
        assert_eq!(refused(&run), (Some(3), &json!("role")), "{operator} {verb:?}");
        assert_eq!(refusals("role"), expected, "{operator} {verb:?}");
    }
    let nobody = finished(bench.keystation().args(inject));
    assert_eq!(refused(&nobody), (Some(3), &json!("no-session")));
    assert!(
        nobody.stderr.contains("`--operator`") && nobody.stderr.contains("Nothing was written"),
        "{nobody:?}"
    );
    assert_eq!(refusals("no-session"), 1);
    bench.private(&pin_file("op-0117"), "394086");
    let wrong = bench.inject(&sim.port(0));
    assert_eq!(refused(&wrong), (Some(3), &json!("pin-wrong")));
    let record = bench.records().into_iter().rfind(|record| record["ev"] == "auth.refuse").unwrap();
    assert_eq!(
        [&record["user"], &record["why"], &record["tries"]],
        [&json!("op-0117"), &json!("pin"), &json!(1)]
    );
    assert!(!wrong.stderr.contains("394086") && !format!("{:?}", bench.records()).contains("394086"));
    assert_eq!(sim.state(0)["generation"], 0);
}

/// Who tries passphrases at the self-test leaves what who tries them at an injection leaves.
#[test]
fn the_selftest_opens_the_vault_with_a_record() {
    let bench = Bench::quick();
    let count = |event: &str| bench.records().iter().filter(|record| record["ev"] == event).count();
    let selftest = |more: &[&str]| {
        let mut command = bench.keystation();
        bench.with_passphrase(command.arg("selftest").args(more));
        finished(bench.signed(&mut command, "op-0117", None))
    };
    assert_eq!(selftest(&[]).exit, Some(0));
    assert_eq!(["auth.unlock", "auth.lock", "auth.fail"].map(count), [1, 1, 0]);
    bench.private("passphrase", "not the passphrase");
    assert_eq!(selftest(&[]).exit, Some(3));
    assert_eq!(["auth.unlock", "auth.lock", "auth.fail"].map(count), [1, 1, 1]);
    assert_eq!(selftest(&["--inspect"]).exit, Some(3));
    assert_eq!(["auth.unlock", "auth.lock", "auth.fail"].map(count), [1, 1, 2]);

    // A key that is suspended is not even derived with.
    bench.private("passphrase", bench.passphrase());
    let derived = |run: &Run| run.events.iter().filter(|event| event["event"] == "derived").count();
    let inspected = selftest(&["--inspect"]);
    assert_eq!((inspected.exit, derived(&inspected)), (Some(0), 1), "{inspected:?}");
    let suspended = bench.run(&["key", "suspend", LABEL, "--reason", "a paper was lost"]);
    assert_eq!(suspended.exit, Some(0), "{suspended:?}");
    let inspected = selftest(&["--inspect"]);
    assert_eq!((inspected.exit, derived(&inspected)), (Some(0), 0), "{inspected:?}");
    bench.assert_log_intact();
}

/// Where the log does not open nobody signs in. What can be read of it still says whose PIN counts; a log that nobody proved
/// anything to says so.
#[test]
fn a_new_log_is_begun_by_two_who_prove_it_where_the_old_one_can_be_read() {
    let bench = Bench::quick();
    std::fs::write(bench.data().join("head.note"), "no head\n").unwrap();
    let by = |operator: &str, approver: &str| {
        bench.run(&[
            "--operator",
            operator,
            "audit",
            "new-epoch",
            "--approver",
            approver,
            "--reason",
            "torn head",
        ])
    };
    for (operator, approver, why) in [
        ("admin-1", "admin-1", "epoch"),
        ("admin-1", "sup-1", "pin-wrong"),
        ("qa-007", "admin-1", "pin-wrong"),
        ("admin-1", "nobody", "pin-wrong"),
    ] {
        bench.private(&pin_file("nobody"), "394086");
        assert_eq!(refused(&by(operator, approver)), (Some(3), &json!(why)), "{operator} {approver}");
    }
    let own = std::fs::read_to_string(bench.file(&pin_file("admin-2"))).unwrap();
    bench.private(&pin_file("admin-2"), "394086");
    for (operator, approver) in [("admin-1", "admin-2"), ("admin-2", "admin-1")] {
        assert_eq!(refused(&by(operator, approver)), (Some(3), &json!("pin-wrong")));
    }
    bench.private(&pin_file("admin-2"), &own);
    assert!(!bench.data().join("epochs").exists(), "nothing was begun");
    let begun = by("admin-1", "admin-2");
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    let said = |run: &Run| run.event("follows").unwrap()["unproven"].clone();
    let genesis = |field: &str| bench.records()[0][field].clone();
    assert_eq!(["op", "op2", "role"].map(genesis), ["admin-1", "admin-2", "administrator"]);
    assert_eq!(said(&bench.run(&["audit", "verify"])), false);

    // Nothing to read: whoever is named has proved nothing.
    std::fs::write(bench.data().join("audit.db"), "no database").unwrap();
    let begun = by("somebody", "else");
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    assert!(begun.stderr.contains("nobody proved"), "{begun:?}");
    assert_eq!(["op", "op2", "role"].map(genesis), ["somebody", "else", "unproven"]);
    assert_eq!(said(&bench.run(&["audit", "verify"])), true);
}

/// A session is one call: signed in, done, signed out.
#[test]
fn each_record_says_who_in_which_session() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let before = bench.records().len();
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let records = &bench.records()[before..];
    let events: Vec<_> = records.iter().map(|record| record["ev"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "log.open",
            "auth.ok",
            "auth.unlock",
            "inject.intent",
            "inject.result",
            "auth.logout",
            "auth.lock",
            "log.close"
        ]
    );
    let session = &records[1]["ses"];
    for record in &records[1..7] {
        let who = [&record["op"], &record["role"], &record["ses"]];
        assert_eq!(who, [&json!("op-0117"), &json!("operator"), session], "{record}");
    }
    for record in [&records[0], &records[7]] {
        assert_eq!([&record["op"], &record["role"]], [&json!(""), &json!("station")]);
        assert_ne!(&record["ses"], session);
    }
    let checked = bench.check(&sim.port(0));
    assert_eq!(checked.exit, Some(0), "{checked:?}");
    let record = bench.records().into_iter().rfind(|record| record["ev"] == "check.result").unwrap();
    assert_eq!(
        [&record["op"], &record["rc"], &record["code"], &record["sn"]],
        [&json!("qa-007"), &json!("ok"), &json!(""), &json!("007-888-abc")]
    );
}

#[test]
fn settings_that_name_an_operator_are_refused_with_what_to_do() {
    let bench = Bench::quick();
    let file = bench.data().join("station.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("version = 1\n", "version = 1\noperator = \"op-0117\"\n")).unwrap();
    let run = bench.run(&["audit", "export", "--out", "x"]);
    assert_eq!(refused(&run), (Some(2), &json!("settings")));
    assert!(run.stderr.contains("people sign in now, so nobody is named here: remove this line"), "{run:?}");
}

/// Secrets do not come by arguments: what is none of the options is not taken for one.
#[test]
fn a_pin_is_no_argument() {
    let help = Command::new(program("keystation")).args(["inject", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("--pin-file <FILE>") && help.contains("--approver-pin-fd <N>"), "{help}");
    assert!(!help.contains("--pin <") && !help.contains("--approver-pin <"), "{help}");
}
