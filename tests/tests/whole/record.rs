//! Logs of stations, accepted by two verifiers that share no code with them: from three devices to a million records.
//!
//! `cargo xtask test --only record`; the million takes some minutes, and 2 GB.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keystation_audit::{Journal, Paths, Reader, Record, Witness};
use keystation_core::record::Actor;
use keystation_tests::bench::{Bench, PUBLISHED_ID, Run, finished};
use keystation_tests::binaries::program;
use keystation_tests::production::{Weeks, job, produce, rid};
use keystation_tests::sim::Sim;
use keystation_tests::verifiers::Verifiers;
use tempfile::TempDir;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A station without a vault, for logs that are written past the program.
struct Plain {
    directory: TempDir,
}

impl Plain {
    fn new(directory: TempDir) -> Self {
        let plain = Self { directory };
        let made = plain.run(&["init", "--origin", "keylog.example.com/plant7/stn03"]);
        assert_eq!(made.exit, Some(0), "{made:?}");
        plain
    }

    fn data(&self) -> PathBuf {
        self.file("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// With an address space of 256 MiB, half of what a million records have: nothing grows with the log.
    fn run(&self, verb: &[&str]) -> Run {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 262144; exec \"$@\"", "sh"]).arg(program("keystation"));
        finished(command.arg("--data").arg(self.data()).arg("--json").args(verb))
    }

    fn journal(&self, begin: u64) -> Journal {
        Journal::open(&Paths::in_dir(&self.data()), Weeks::after(begin)).unwrap()
    }

    /// Exports and returns the directory.
    fn export(&self, name: &str, more: &[&str]) -> PathBuf {
        let out = self.file(name);
        let made = self.run(&[&["audit", "export", "--read-only", "--out", text(&out)], more].concat());
        assert_eq!(made.exit, Some(0), "{made:?}");
        out
    }

    /// The day of a record.
    fn day(&self, seq: u64) -> String {
        let mut day = String::new();
        let reader = Reader::open(&Paths::in_dir(&self.data())).unwrap();
        let take = |record: &Record<'_>| {
            record.time()[..10].clone_into(&mut day);
            ControlFlow::Break(())
        };
        reader.records(seq..=seq, None, take).unwrap();
        day
    }

    fn vkey(&self) -> PathBuf {
        self.data().join("log.vkey")
    }
}

#[test]
fn what_a_station_hands_over_is_accepted() {
    let bench = Bench::quick();
    let verifiers = Verifiers::built(&bench.file(""));
    let published = Sim::published(&bench.file("published"));
    let inject = |port: &Path, job: &str| finished(&mut bench.inject_under(port, job)).exit;
    assert_eq!(inject(&published.port(0), "WO-1"), Some(0));
    assert_eq!(inject(&published.port(0), "WO-1"), Some(3));
    let mut silent = Sim::start(
        &bench.file("silent"),
        1,
        &["--serial", "SN-2", "--mac", "a4:cf:12:00:00:02", "--fault", "silent=commit"],
    );
    assert_eq!(inject(&silent.port(0), "WO-2"), Some(1));
    let vkey = bench.data().join("log.vkey");
    let export = |name: &str, options: &[&str]| {
        let out = bench.file(name);
        let made = bench.run(&[&["audit", "export", "--out", text(&out)], options].concat());
        assert_eq!(made.exit, Some(0), "{made:?}");
        out
    };
    let before = export("before", &[]);
    silent.command("fault 0 ");
    assert_eq!(inject(&silent.port(0), "WO-2"), Some(0));
    let after = export("after", &[]);
    for bundle in
        [&before, &after, &export("job", &["--job", "WO-2"]), &export("device", &["--id", PUBLISHED_ID])]
    {
        verifiers.accept("bundle", bundle, &vkey, &[]);
    }
    let today = bench.records()[0]["t"].as_str().unwrap()[..10].to_owned();
    verifiers.accept("bundle", &export("days", &["--from", &today]), &vkey, &[]);
    let proof = bench.file("device.tlog-proof");
    let made = bench.run(&["audit", "proof", "--id", PUBLISHED_ID, "--out", text(&proof)]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    verifiers.accept("proof", &proof, &vkey, &[]);

    // The log has grown out of what was handed over before, and not the other way round.
    verifiers.accept("bundle", &after, &vkey, &[&before.join("checkpoint")]);
    verifiers.refuse("bundle", &before, &vkey, &[&after.join("checkpoint")]);
    let stranger = Bench::stranger();
    for (kind, what) in [("bundle", &after), ("proof", &proof)] {
        verifiers.refuse(kind, what, &stranger.data().join("log.vkey"), &[]);
    }
    let entries = fs::read_dir(after.join("tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&entries).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&entries, bytes).unwrap();
    verifiers.refuse("bundle", &after, &vkey, &[]);
}

#[test]
fn bundles_that_are_taken_while_the_line_runs_are_each_of_one_moment() {
    let plain = Plain::new(tempfile::tempdir().unwrap());
    let verifiers = Verifiers::built(&plain.file(""));
    let journal = plain.journal(0);
    let runs = AtomicBool::new(true);
    let bundles: Vec<_> = thread::scope(|scope| {
        scope.spawn(|| {
            let mut size = 1;
            while runs.load(Ordering::Relaxed) {
                produce(&journal, size, size + 600, 32);
                size += 600;
            }
        });
        let bundles = (0..6).map(|number| plain.export(&format!("bundle-{number}"), &[])).collect();
        runs.store(false, Ordering::Relaxed);
        bundles
    });
    let mut seen: Vec<PathBuf> = Vec::new();
    for bundle in bundles {
        let notes: Vec<&Path> = seen.iter().map(PathBuf::as_path).collect();
        verifiers.accept("bundle", &bundle, &plain.vkey(), &notes);
        seen.push(bundle.join("checkpoint"));
    }
    let sizes: std::collections::BTreeSet<_> = seen.iter().map(|note| fs::read(note).unwrap()).collect();
    assert!(sizes.len() > 1, "the line ran meanwhile");
}

/// What the attacks make of logs of their own they make of a station's, too.
#[test]
fn what_attackers_make_of_stations_logs_is_refused() {
    let directory = roomy();
    let made = Command::new(env!("CARGO_BIN_EXE_keystation-bundles")).arg(directory.path()).status();
    assert!(made.unwrap().success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks/attack.py");
    let attacked =
        Command::new("/usr/bin/python3").arg("-B").arg(script).arg("--from").arg(directory.path()).output();
    let attacked = attacked.unwrap();
    let said = String::from_utf8_lossy(&attacked.stdout);
    let last = said.lines().last().unwrap_or_default();
    println!("  {last}");
    assert!(attacked.status.success() && last.ends_with(", 0 failed"), "{said}{attacked:?}");
}

const MILLION: u64 = 1_000_000;

#[test]
fn a_million_records_are_accepted() {
    let plain = Plain::new(roomy());
    let verifiers = Verifiers::built(&plain.file(""));
    let journal = plain.journal(0);
    let mut clock = Instant::now();
    let mut took = |what: &str| {
        println!("  {what}: {:.1} s", std::mem::replace(&mut clock, Instant::now()).elapsed().as_secs_f64())
    };
    // A witness on the way, so that the bundle has an earlier checkpoint.
    let half = MILLION / 2;
    produce(&journal, 1, half, 64);
    let noted = anchored(&plain, &journal);
    produce(&journal, half + 1, MILLION, 64);
    journal.close().unwrap();
    took("appended");

    let bundle = plain.export("bundle", &[]);
    took("exported");
    verifiers.accept("bundle", &bundle, &plain.vkey(), &[&noted]);
    took("accepted by both");
    let verified = plain.run(&["audit", "verify"]);
    let verdict = verified.event("verify").unwrap();
    assert_eq!((verified.exit, &verdict["records"]), (Some(0), &MILLION.into()), "{verified:?}");
    took("verified by the station");

    let device = rid(half + 77);
    verifiers.accept("bundle", &plain.export("job", &["--job", &job(half + 77)]), &plain.vkey(), &[]);
    verifiers.accept("bundle", &plain.export("device", &["--id", &device]), &plain.vkey(), &[]);
    let day = plain.day(half);
    verifiers.accept("bundle", &plain.export("day", &["--from", &day, "--to", &day]), &plain.vkey(), &[]);
    let proof = plain.file("device.tlog-proof");
    let made = plain.run(&["audit", "proof", "--id", &device, "--out", text(&proof)]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    verifiers.accept("proof", &proof, &plain.vkey(), &[]);
    took("parts and proof");
}

/// In memory where there is room: what is tested is the path of the records, and that they are durable is tested elsewhere.
fn roomy() -> TempDir {
    let shared = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(shared).map_or(0, |disk| disk.f_bavail * disk.f_frsize);
    let mut builder = tempfile::Builder::new();
    builder.prefix("keystation-test-");
    if free > 4 << 30 { builder.tempdir_in(shared).unwrap() } else { builder.tempdir().unwrap() }
}

/// Has a witness cosign the log as it is now; its settings name that witness. Returns the cosigned checkpoint.
fn anchored(plain: &Plain, journal: &Journal) -> PathBuf {
    let key = Witness::create(&plain.file("witness"), "witness.example.com/qa").unwrap();
    let witness = Witness::open(&plain.file("witness")).unwrap();
    witness.add_log(journal.verifier_key()).unwrap();
    let reader = Reader::open(&Paths::in_dir(&plain.data())).unwrap();
    let request = reader.snapshot().unwrap().witness_request(0).unwrap().unwrap();
    // The clock of the log is weeks ahead of this one.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let cosigned = witness.sign(&request.to_text(), now).unwrap();
    journal.anchor(&Actor::default(), &cosigned, std::slice::from_ref(&key)).unwrap();
    let settings = plain.data().join("station.toml");
    let before = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{before}\n[[witness]]\nvkey = \"{key}\"\n")).unwrap();
    let note = plain.file("cosigned");
    fs::write(&note, cosigned).unwrap();
    note
}
