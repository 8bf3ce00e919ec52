//! What comes after a PASS, in the programs as they ship.

mod endpoint;
mod outbox;
mod printer;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use keystation_tests::bench::{Bench, LABEL, PUBLISHED_CHECK_VALUE, finished};
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::sim::Sim;
use keystation_tests::verifiers::Verifiers;
use serde_json::Value;

fn set(bench: &Bench, sections: &str) {
    let mut file = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    write!(file, "\n{sections}").unwrap();
}

fn label(printer: &str) -> String {
    format!(
        "[[printer]]\nname = \"bench\"\n{printer}\n[[label]]\nprofile = \"test.toml\"\nprinter = \"bench\"\ntemplate = \"example.zpl\"\nsymbol = \"qr\"\nmodule_dots = 4\n"
    )
}

fn of(records: &[Value], event: &str) -> Vec<Value> {
    records.iter().filter(|record| record["ev"] == event).cloned().collect()
}

/// One device by hand: its label is in the file when the program has ended, and a reprint is a record with a copy.
#[test]
fn inject_prints_a_label_and_records_it() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let file = bench.file("labels.zpl");
    set(&bench, &label(&format!("file = {file:?}")));
    let run = bench.inject(&sim.port(0));
    assert_eq!(run.exit, Some(0), "{run:?}");
    let id = run.event("pass").unwrap()["id"].as_str().unwrap().to_owned();
    let serial = run.event("pass").unwrap()["serial"].as_str().unwrap().to_owned();
    let printed = fs::read_to_string(&file).unwrap();
    assert!(printed.contains(&format!("SN {serial} ^FS")) && printed.contains("^GFA,"), "{printed}");

    let run = bench.run(&["label", "reprint", &id, "--reason", "torn"]);
    assert_eq!(
        (run.exit, &run.event("reprint").unwrap()["printed"]),
        (Some(0), &Value::Bool(true)),
        "{run:?}"
    );
    assert!(fs::read_to_string(&file).unwrap().contains(&format!("SN {serial} COPY^FS")));
    let run = bench.run(&["label", "status"]);
    assert_eq!(run.event("printer").unwrap()["waiting"], Value::Array(vec![]), "{run:?}");

    let records = bench.records();
    let [result] = &of(&records, "inject.result")[..] else { panic!("{records:?}") };
    let [asked] = &of(&records, "label.reprint")[..] else { panic!("{records:?}") };
    assert_eq!(
        (&asked["op"], &asked["reason"], &asked["ref"]),
        (&"sup-1".into(), &"torn".into(), &result["seq"])
    );
    let printed = of(&records, "label.print");
    assert_eq!(
        printed.iter().map(|record| &record["ref"]).collect::<Vec<_>>(),
        [&result["seq"], &asked["seq"]]
    );
    assert!(printed.iter().all(|record| record["rid"] == id.as_str() && record["op"] == ""));

    // Who may not, and for a device that is none: refused, and a record. Without a reason nothing is asked for.
    let mut command = bench.keystation();
    bench.signed(command.args(["label", "reprint", &id, "--reason", "torn"]), "op-0117", None);
    assert_eq!(finished(&mut command).exit, Some(3));
    assert_ne!(bench.run(&["label", "reprint", "sn-none", "--reason", "torn"]).exit, Some(0));
    assert_ne!(bench.run(&["label", "reprint", &id, "--reason", ""]).exit, Some(0));
    let refused = of(&bench.records(), "policy.refuse");
    let refused: Vec<_> =
        refused.iter().map(|record| [&record["action"], &record["why"], &record["code"]]).collect();
    assert_eq!(refused, [["reprint", "role", ""], ["reprint", "state", "no-device"]]);
    assert_eq!(fs::read_to_string(&file).unwrap().matches("^XZ").count(), 2);
    bench.assert_log_intact();
}

/// What is done to a device, and the end of an order, without a line: the hook is called by the verb that does it, and has its record.
#[test]
fn acts_on_devices_and_orders_call_their_hooks() {
    let bench = Bench::quick();
    let (hook, out) = (bench.file("hook"), bench.file("told"));
    fs::write(&hook, format!("#!/bin/sh\ncat >> {}\n", out.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let on = r#"["pass", "fail", "scrap", "revoke", "replace", "restore", "job-closed", "batch-closed"]"#;
    set(&bench, &format!("[[hook]]\non = {on}\nprogram = {hook:?}\nseconds = 60\n"));
    let sim = Sim::start(&bench.file("sim"), 1, &["--serial", "SN-1", "--mac", "a4:cf:12:00:00:01"]);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let id = "sn-sn-1-mac-a4-cf-12-00-00-01";
    for words in [
        "device scrap ID --reason broken",
        "device restore ID --reason mistake",
        "device revoke ID --reason stolen",
        "device replace ID --reason board-failed --profile test.toml --mac a4:cf:12:00:00:02",
    ] {
        let run = bench.run(&words.replace("ID", id).split(' ').collect::<Vec<_>>());
        assert_eq!(run.exit, Some(0), "{words}: {run:?}");
    }
    let create = "order create --id WO-1 --customer Contoso --profile test.toml --quantity 5 --from 2026-01-01 --until 2099-12-31 --key KEY --check-value VALUE";
    let create = create.replace("KEY", LABEL).replace("VALUE", PUBLISHED_CHECK_VALUE);
    for words in [&create, "order open WO-1", "order close WO-1 --reason cancelled"] {
        let run = bench.run(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(run.exit, Some(0), "{words}: {run:?}");
    }
    let told: Vec<Value> =
        fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = told.iter().map(|told| told["event"].as_str().unwrap()).collect();
    assert_eq!(seen, ["pass", "scrap", "restore", "revoke", "replace", "job-closed"]);
    let records = bench.records();
    for told in &told {
        let record = &told["record"];
        assert_eq!(*record, records[usize::try_from(record["seq"].as_u64().unwrap()).unwrap()]);
    }
    assert_eq!(told[4]["record"]["new_mac"], "a4cf12000002");

    // Others may write to it now: the act is done, no hook is called, and the program says why.
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o775)).unwrap();
    let run = bench.run(&["device", "revoke", "sn-sn-1-mac-a4-cf-12-00-00-02", "--reason", "stolen"]);
    assert_eq!((run.exit, run.stderr.contains("may be written to")), (Some(0), true), "{run:?}");
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), told.len());
    // Where a device would be made it is refused.
    let refused = bench.inject(&sim.port(0));
    assert_eq!((refused.exit, &refused.event("error").unwrap()["code"]), (Some(2), &"settings".into()));
    bench.assert_log_intact();
}

/// The printer is off, a hook hangs, nobody is at the endpoint: every slot passes its device all the same, and the line ends in order.
#[test]
fn nothing_that_comes_after_a_pass_holds_a_slot_up() {
    const SLOTS: usize = 8;
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), SLOTS, &[]);
    slots_on(&bench, (0..SLOTS).map(|device| sim.port(device)));
    let nobody = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let hook = bench.file("hook");
    fs::write(&hook, "#!/bin/sh\nsleep 600\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    set(
        &bench,
        &format!(
            "{}[[hook]]\non = [\"pass\"]\nprogram = {hook:?}\nseconds = 300\n[outbox]\nurl = \"http://{}/\"\nseconds = 5\n",
            label(&format!("address = \"{}\"", nobody())),
            nobody(),
        ),
    );
    let mut line = RunningLine::start(&bench, "op-0117");
    for _ in 0..SLOTS {
        line.until(|event| event["event"] == "pass");
    }
    let (sum, _, errors) = line.end();
    assert_eq!((&sum["passed"], &sum["failed"]), (&SLOTS.into(), &0.into()), "{errors}");
    let status = bench.run(&["label", "status"]);
    assert_eq!(status.event("printer").unwrap()["waiting"].as_array().unwrap().len(), SLOTS, "{status:?}");
    let after = bench.run(&["after"]);
    let [printer, hooks, outbox] = ["printer", "hooks", "outbox"].map(|what| after.event(what).unwrap());
    assert_eq!(printer, status.event("printer").unwrap());
    let calls = hooks["failed"].as_u64().unwrap() + hooks["last_drop"]["number"].as_u64().unwrap();
    assert_eq!((calls, &hooks["last_drop"]["of"]), (SLOTS as u64, &"hook".into()), "{hooks}");
    assert_eq!((&outbox["next"], &outbox["waiting"]), (&0.into(), &outbox["records"]), "{outbox}");
    let records = bench.records();
    assert!(of(&records, "label.print").is_empty());
    // One call was under way, the others are dropped: all of them are told.
    let dropped: u64 = of(&records, "hook.drop").iter().map(|record| record["count"].as_u64().unwrap()).sum();
    assert_eq!(dropped + of(&records, "hook.fail").len() as u64, SLOTS as u64);
    assert_eq!(records.last().unwrap()["ev"], "log.close", "nothing is written behind the end");
    bench.assert_log_intact();

    // Whoever knows nothing of these records accepts the log all the same.
    let bundle = bench.file("bundle");
    let exported = bench.run(&["audit", "export", "--read-only", "--out", bundle.to_str().unwrap()]);
    assert_eq!(exported.exit, Some(0), "{exported:?}");
    Verifiers::built(&bench.file("")).accept("bundle", &bundle, &bench.data().join("log.vkey"), &[]);
}
