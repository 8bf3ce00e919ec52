use std::fs;
use std::process::Command;

use crate::support::{Bench, Subject};

pub(crate) fn hardened_process_is_closed_to_its_own_user() {
    let directory = tempfile::tempdir().expect("there is a temporary directory");
    let own = std::env::current_exe().expect("the system knows the running executable");
    for (how, expected) in [("open", "read"), ("hardened", "refused")] {
        // Root reads everything by CAP_SYS_PTRACE: without it, root is a user like any other.
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]).arg(&own).args(["peek", how]);
        let mut plain = Command::new(&own);
        plain.args(["peek", how]);
        let root = rustix::process::geteuid().is_root();
        let subject = Subject::command(if root { &mut command } else { &mut plain }, directory.path());
        assert_eq!(subject.line(), expected, "{how}");
    }
}

/// A key that could be swapped out is not unlocked.
pub(crate) fn without_locked_memory_nothing_is_unlocked() {
    let bench = Bench::with_key();
    let own = std::env::current_exe().expect("the system knows the running executable");
    for (limit, expected) in [("64", "unlocked"), ("0", "memory")] {
        // Root locks what it likes by CAP_IPC_LOCK: without it, root is a user like any other.
        let drop = if rustix::process::geteuid().is_root() {
            "setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock"
        } else {
            ""
        };
        let script = format!("ulimit -l {limit}; exec {drop} \"$0\" unlock \"$1\"");
        let subject = Subject::command(
            Command::new("sh").args(["-c", &script]).arg(&own).arg(bench.path()),
            bench.path(),
        );
        assert_eq!(subject.line(), expected, "{limit} KiB");
    }
}

pub(crate) fn hardened_process_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt as _;
    let directory = tempfile::tempdir().expect("there is a temporary directory");
    let mut subject = Subject::start(&["wait", "hardened"], directory.path());
    subject.after("waiting");
    let limits = fs::read_to_string(format!("/proc/{}/limits", subject.process.id())).expect("it runs");
    let core =
        limits.lines().find(|line| line.starts_with("Max core file size")).expect("there is such a limit");
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"], "soft and hard");
    subject.go_on();
    let status = subject.process.wait().expect("it ends");
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
}
