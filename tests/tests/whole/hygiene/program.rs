use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::Bench;
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;

/// A program that was taken back to an older version touches nothing of what the newer one wrote.
#[test]
fn a_log_of_a_newer_program_is_refused_and_left_alone() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let database = bench.data().join("audit.db");
    // `user_version` of the database, big-endian (SQLite, "Database File Format", 1.3).
    let file = fs::OpenOptions::new().read(true).write(true).open(&database).unwrap();
    let mut version = [0; 4];
    file.read_exact_at(&mut version, 60).unwrap();
    let own = u32::from_be_bytes(version);
    file.write_all_at(&(own + 1).to_be_bytes(), 60).unwrap();
    let before = fs::read(&database).unwrap();
    let newer = format!("structure {}", own + 1);
    let known = [format!("this program knows structure {own}"), format!("this program reads {own}")];
    let out = bench.file("out").display().to_string();
    for run in [
        bench.inject(&sim.port(0)),
        bench.import("gk-second", &bench.file("group-key")),
        bench.run(&["audit", "show"]),
        bench.run(&["audit", "verify"]),
        bench.run(&["audit", "export", "--out", &out]),
        bench.run(&["audit", "rebuild"]),
    ] {
        assert_eq!(run.exit, Some(4), "{run:?}");
        let error = run.event("error").unwrap();
        let sentence = error["sentence"].as_str().unwrap();
        assert!(sentence.contains(&newer) && known.iter().any(|known| sentence.contains(known)), "{error}");
        assert!(sentence.contains("use the program that wrote it, or a newer one"), "{error}");
    }
    assert_eq!(fs::read(&database).unwrap(), before);
    assert_eq!(sim.state(0)["generation"], 0);

    file.write_all_at(&version, 60).unwrap();
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0), "the control");
}

/// The start record says which program wrote: two of the same version need not be the same.
#[test]
fn the_start_record_says_which_program_it_was() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let copy = bench.file("other-keystation");
    fs::copy(program("keystation"), &copy).unwrap();
    fs::OpenOptions::new().append(true).open(&copy).unwrap().write_all(b"another build").unwrap();
    let mut other = bench.with_program(&copy);
    bench.signed(other.args(["audit", "export", "--out"]).arg(bench.file("bundle")), "qa-007", None);
    assert!(other.output().unwrap().status.success());

    let sum = |file: &Path| {
        let said = Command::new("sha256sum").arg(file).output().unwrap();
        String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let records = bench.records();
    let starts: Vec<_> = records.iter().filter(|record| record["ev"] == "log.open").collect();
    let (before, last) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    assert_eq!(before["build"], sum(&program("keystation")).as_str());
    assert_eq!(last["build"], sum(&copy).as_str());
    assert_ne!(last["build"], before["build"]);
    for start in [before, last] {
        let version = Command::new(program("keystation")).arg("--version").output().unwrap();
        assert_eq!(start["version"], String::from_utf8(version.stdout).unwrap().trim());
        assert_eq!(start["config"], sum(&bench.data().join("station.toml")).as_str());
        assert!(start["os"].as_str().unwrap().starts_with("linux "), "{start}");
        assert!(start["sqlite"].as_str().unwrap().starts_with("3."), "{start}");
    }
}
