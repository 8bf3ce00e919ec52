//! Devices that lie never get PASS, and their records never say more than what was seen.

use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;

/// Lies, with the code that names them.
const LIES: &[(&str, &str)] = &[
    ("lie=ok-stores-nothing", "not-kept"),
    ("lie=ram-only", "not-kept"),
    ("lie=replay-proof", "not-proven"),
    ("lie=echo-nonce", "not-proven"),
    ("lie=unprefixed-proof", "not-proven"),
    ("lie=zero-key", "not-proven"),
    ("lie=other-identity-after-write", "swapped"),
    ("lie=no-restart", "not-restarted"),
    ("lie=claims-empty", "not-kept"),
    ("storage-fail", "storage-failed"),
];

#[test]
fn no_lie_gets_pass() {
    let bench = Bench::quick();
    for (number, (lie, code)) in LIES.iter().enumerate() {
        // A board of its own for each: what may hold a key keeps its MAC address and its serial number together.
        let (serial, mac) = (lie.replace('=', "-"), format!("a4:cf:12:00:00:{number:02x}"));
        let sim = Sim::start(&bench.file(lie), 1, &["--serial", &serial, "--mac", &mac, "--fault", lie]);
        let run = bench.inject(&sim.port(0));
        assert_eq!(run.exit, Some(1), "{lie}: {run:?}");
        assert!(run.event("pass").is_none(), "{lie}");
        let fail = run.event("fail").unwrap();
        assert_eq!(fail["code"], *code, "{lie}: {run:?}");
        let record = bench.records().into_iter().find(|r| r["seq"] == fail["record"]).unwrap();
        assert_eq!((&record["ev"], &record["code"]), (&"inject.result".into(), &(*code).into()), "{lie}");
        assert_ne!(record["holds"], "new", "{lie}: nobody saw that it holds the key");
        assert_eq!(record["vmode"], "", "{lie}: nothing was verified");
    }
    assert!(bench.records().iter().all(|r| r["ev"] != "inject.result" || r["rc"] != "ok"));
    bench.assert_log_intact();
}

/// The control: the same devices without the lie pass, so it is the lie that was caught.
#[test]
fn the_same_device_passes_when_it_is_honest() {
    let bench = Bench::quick();
    let mut sim = Sim::start(&bench.file("sim"), 1, &["--fault", "lie=ok-stores-nothing"]);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(1));
    assert_eq!(sim.command("fault 0")["event"], "done");
    let run = bench.inject(&sim.port(0));
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(sim.state(0)["generation"], 1);
}
