use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use keystation_tests::bench::{Bench, Killed};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;

use super::{Running, signal};

/// `nobody` and `nogroup` of Debian.
const NOBODY: &str = "65534";

/// The same command as a user without any right: root may do what no debugger of the station's user may.
pub(super) fn as_nobody(command: &Command) -> Command {
    let mut dropped = Command::new("setpriv");
    dropped.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]);
    dropped.arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        dropped.current_dir(directory);
    }
    dropped
}

/// As the user of the station, who is never root here.
fn as_user(command: &Command) -> Command {
    if rustix::process::geteuid().is_root() {
        return as_nobody(command);
    }
    let mut same = Command::new(command.get_program());
    same.args(command.get_args());
    same
}

/// `inject --inspect` of a user, which has keyed its device and waits with an open vault. A core could be as big as it likes.
fn injected(bench: &Bench, sim: &Sim) -> Running {
    // The user can read neither the folder that the program was built in nor what root has made.
    let copy = bench.file("keystation");
    fs::copy(program("keystation"), &copy).unwrap();
    let mut command = bench.with_program(&copy);
    command.arg("inject").arg("--port").arg(sim.port(0)).args(["--profile", "test.toml", "--inspect"]);
    bench.signed(bench.with_passphrase(&mut command), "op-0117", None);
    if rustix::process::geteuid().is_root() {
        let own = format!("{NOBODY}:{NOBODY}");
        let given = Command::new("chown").args(["-R", &own]).arg(bench.file("")).status().unwrap();
        assert!(given.success());
        let terminal = sim.port(0).canonicalize().unwrap();
        fs::set_permissions(&terminal, fs::Permissions::from_mode(0o666)).unwrap();
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    let mut running = Running::start(as_user(&shell).current_dir(bench.file("")));
    running.until("stage", "injected");
    running
}

fn status(process: u32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

/// Whether the process has a handler for a signal (proc(5)).
fn caught(process: u32, number: i32) -> bool {
    let mask = u64::from_str_radix(&status(process, "SigCgt"), 16).unwrap();
    mask >> (number - 1) & 1 == 1
}

/// Attaches as a debugger of the station's user.
fn attached(process: u32) -> Output {
    let mut debugger = Command::new("gdb");
    debugger.args(["-nx", "-batch", "-p", &process.to_string(), "-ex", "info registers rip pc"]);
    as_user(&debugger).current_dir("/").output().unwrap()
}

fn reads_maps(process: u32) -> bool {
    as_user(Command::new("cat").arg(format!("/proc/{process}/maps"))).output().unwrap().status.success()
}

#[test]
fn an_open_vault_is_closed_to_debuggers_of_its_own_user() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let running = injected(&bench, &sim);
    assert_ne!(status(running.id(), "Uid").split_whitespace().next(), Some("0"));
    let locked: u32 = status(running.id(), "VmLck").trim_end_matches(" kB").parse().unwrap();
    assert!(locked > 0, "no page is locked");

    let output = attached(running.id());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ptrace: Operation not permitted"), "{output:?}");
    assert!(!reads_maps(running.id()));

    // The control: another program of the same user, which is not closed.
    let open = Killed(as_user(Command::new("sleep").arg("1000")).spawn().unwrap());
    while !fs::read_to_string(format!("/proc/{}/comm", open.0.id())).unwrap().contains("sleep") {
        std::thread::yield_now();
    }
    assert!(reads_maps(open.0.id()));
    let only_children = Path::new("/proc/sys/kernel/yama/ptrace_scope");
    if fs::read_to_string(only_children).is_ok_and(|scope| scope.trim() != "0") {
        println!("this system lets nobody attach to what is not their child");
        return;
    }
    let output = attached(open.0.id());
    assert!(String::from_utf8_lossy(&output.stdout).contains("rip"), "{output:?}");
}

#[test]
fn a_crash_with_an_open_vault_leaves_no_core() {
    for (name, number) in [("ABRT", 6), ("SEGV", 11), ("QUIT", 3)] {
        let bench = Bench::quick();
        let sim = Sim::published(&bench.file("sim"));
        let mut running = injected(&bench, &sim);
        let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
        signal(name, running.id());
        if name == "SEGV" {
            // Rust has a handler that looks for overflows of the stack. One that is none it lets come again.
            while caught(running.id(), number) {
                std::thread::yield_now();
            }
            signal(name, running.id());
        }
        let ended = running.program.0.wait().unwrap();
        assert_eq!((ended.signal(), ended.core_dumped()), (Some(number), false), "{name}");
        let cores = fs::read_dir(bench.file(""))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("core"));
        assert_eq!(cores.count(), 0, "{name}");
        bench.assert_log_intact();
    }
}
