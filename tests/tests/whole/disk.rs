//! Too little room on the disk, by the limits in station.toml.

use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;

/// More than any disk has.
const HUGE: u32 = u32::MAX;

fn limits(bench: &Bench, warn: u32, refuse: u32) {
    let settings = bench.data().join("station.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let lines = text.lines().map(|line| match line.split(' ').next() {
        Some("warn_mib") => format!("warn_mib = {warn}\n"),
        Some("refuse_mib") => format!("refuse_mib = {refuse}\n"),
        _ => format!("{line}\n"),
    });
    std::fs::write(&settings, lines.collect::<String>()).unwrap();
}

#[test]
fn a_disk_that_fills_up_warns_then_refuses_before_anything_is_written() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 2, &[]);
    let count = |event: &str| bench.records().iter().filter(|record| record["ev"] == event).count();

    limits(&bench, HUGE, 1);
    let warned = bench.inject(&sim.port(0));
    assert_eq!(warned.exit, Some(0), "{warned:?}");
    assert_eq!(warned.event("notice").unwrap()["code"], "space-warning");

    limits(&bench, HUGE, HUGE);
    for _ in 0..2 {
        let refused = bench.inject(&sim.port(1));
        assert_eq!(refused.exit, Some(4), "{refused:?}");
        let fail = refused.event("fail").unwrap();
        assert_eq!((&fail["code"], &fail["safety"]), (&"space-low".into(), &"untouched".into()));
    }
    assert_eq!(sim.state(1)["generation"], 0);
    assert_eq!((count("space.low"), count("inject.refuse")), (1, 2), "one crossing, over four starts");
    let vault = std::fs::read(bench.data().join("vault.age")).unwrap();
    let import = bench.import("gk-other", &bench.file("group-key"));
    assert_eq!((import.exit, &import.event("error").unwrap()["code"]), (Some(4), &"space-low".into()));
    assert_eq!(std::fs::read(bench.data().join("vault.age")).unwrap(), vault);

    limits(&bench, 2, 1);
    let again = bench.inject(&sim.port(1));
    assert_eq!((again.exit, again.event("notice")), (Some(0), None), "{again:?}");
    assert_eq!((count("space.low"), count("space.ok")), (1, 1));
    bench.assert_log_intact();
}
