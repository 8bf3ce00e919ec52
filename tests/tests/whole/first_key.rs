//! One device, end to end, through the headless binary.

use std::process::Command;

use keystation_tests::bench::{Bench, PUBLISHED_DEVICE_KEY, PUBLISHED_GROUP_KEY, PUBLISHED_ID};
use keystation_tests::sim::Sim;

#[test]
fn the_published_example_gets_its_published_key() {
    let bench = Bench::new();
    let sim = Sim::published(&bench.file("sim"));
    let run = bench.inject(&sim.port(0));
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(run.event("pass").unwrap()["id"], PUBLISHED_ID);
    let steps: Vec<_> = run.events.iter().filter_map(|event| event["step"].as_str()).collect();
    assert_eq!(steps, ["read", "derive", "write", "restart", "prove", "record"]);

    let state = sim.state(0);
    assert_eq!(state["registration_id"], PUBLISHED_ID);
    assert_eq!(state["device_key"], PUBLISHED_DEVICE_KEY);
    assert_eq!(openssl(), PUBLISHED_DEVICE_KEY);

    let events: Vec<_> = bench.records().iter().map(|r| r["ev"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        events[events.len() - 8..],
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

    let check = bench.check(&sim.port(0));
    assert_eq!(check.exit, Some(0), "{check:?}");
    assert_eq!(sim.state(0), state, "a check writes nothing to the device");
    bench.assert_log_intact();
}

/// The same derivation by a program that we did not write. The key is in its arguments: it is a published example.
fn openssl() -> String {
    let script = format!(
        "key=$(printf %s '{PUBLISHED_GROUP_KEY}' | base64 -d | od -An -tx1 -v | tr -d ' \\n'); \
         printf %s '{PUBLISHED_ID}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_keyed_device_is_refused_and_left_alone() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let state = sim.state(0);
    let again = bench.inject(&sim.port(0));
    assert_eq!(again.exit, Some(3), "{again:?}");
    let fail = again.event("fail").unwrap();
    assert_eq!((&fail["code"], &fail["safety"]), (&"already-keyed".into(), &"untouched".into()));
    assert_eq!(sim.state(0), state);
    assert_eq!(bench.records().iter().filter(|r| r["ev"] == "inject.refuse").count(), 1);
}

#[test]
fn an_erased_board_or_a_copy_of_a_keyed_device_is_refused() {
    let bench = Bench::quick();
    let first = Sim::published(&bench.file("first"));
    assert_eq!(bench.inject(&first.port(0)).exit, Some(0));
    let copy = Sim::published(&bench.file("copy"));
    let run = bench.inject(&copy.port(0));
    assert_eq!(run.event("fail").unwrap()["code"], "already-recorded", "{run:?}");
    assert_eq!(copy.state(0)["generation"], 0);
}

#[test]
fn bad_input_is_refused_before_anything_happens() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let records = bench.records().len();

    let unknown = bench.run(&["inject", "--port", "x", "--profile", "none.toml"]);
    assert_eq!(unknown.exit, Some(2), "{unknown:?}");

    let profile = bench.data().join("profiles/test.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("baud =", "bauds =")).unwrap();
    let mistyped = bench.inject(&sim.port(0));
    assert_eq!(mistyped.exit, Some(2), "{mistyped:?}");
    assert!(mistyped.stderr.contains("test.toml:") && mistyped.stderr.contains("`bauds`"), "{mistyped:?}");
    std::fs::write(&profile, text).unwrap();
    assert_eq!(bench.records().len(), records, "neither reached the log");

    bench.private("passphrase", "not the passphrase");
    let wrong = bench.inject(&sim.port(0));
    assert_eq!(wrong.exit, Some(3), "{wrong:?}");
    let failures = || bench.records().iter().filter(|r| r["ev"] == "auth.fail").count();
    assert_eq!(failures(), 1, "a wrong passphrase is recorded");
    assert_eq!(sim.state(0)["generation"], 0);

    bench.private("second-key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v");
    let wrong = bench.import("gk-second", &bench.file("second-key"));
    assert_eq!(wrong.exit, Some(3), "{wrong:?}");
    assert_eq!(failures(), 2, "also one that an import is tried with");
}

#[test]
fn a_second_station_on_the_same_data_is_kept_out() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 1, &["--fault", "silent=info"]);
    let mut first = keystation_tests::bench::Killed(
        bench.inject_command(&sim.port(0)).stdout(std::process::Stdio::piped()).spawn().unwrap(),
    );
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(first.0.stdout.as_mut().unwrap()), &mut line)
        .unwrap();
    assert!(line.contains("read"), "it holds the log now: {line}");
    let second = bench.inject(&sim.port(0));
    assert_eq!(second.exit, Some(4), "{second:?}");
    assert_eq!(second.event("error").unwrap()["code"], "station-in-use");
}
