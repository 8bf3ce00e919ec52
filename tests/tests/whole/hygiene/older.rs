use std::fs;
use std::os::unix::fs::FileExt;

use keystation_tests::bench::Bench;
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
