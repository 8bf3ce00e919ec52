//! What comes after a PASS, in the programs as they ship.

mod endpoint;
mod outbox;
mod printer;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use keystation_tests::bench::{Bench, finished};
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
