//! One call of a program: what it is given, how long it has, and what is left of it afterwards.
//!
//! The only `unsafe` here closes what the child would inherit, between fork and exec: descriptors that this program opens close by
//! themselves, those of a PKCS#11 module of somebody else's need not.
#![allow(unsafe_code)]

use std::io::Write;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// The whole environment of a hook.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Between two looks at whether the station's program ends.
const SLICE: Duration = Duration::from_millis(250);

/// What became of a program that did not do what it was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// It could not be started.
    Start,
    /// It says so.
    Exit(i32),
    /// A signal ended it that did not come from here.
    Signal(i32),
    /// Its time was over.
    Time,
}

impl Failed {
    pub(super) fn words(self) -> (&'static str, i64) {
        match self {
            Self::Start => ("start", 0),
            Self::Exit(code) => ("exit", code.into()),
            Self::Signal(signal) => ("signal", signal.into()),
            Self::Time => ("time", 0),
        }
    }
}

/// Calls a program with `input` on its standard input. It has an empty environment but for `PATH`, no other descriptor, `/` as its
/// directory, and a process group that is killed when it has ended or its time is over: whatever it started there ends with it.
pub(super) fn call(
    program: &Path,
    limit: Duration,
    input: &[u8],
    over: &dyn Fn() -> bool,
) -> Result<(), Failed> {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only a system call is made, which allocates nothing and takes no lock. Descriptors are marked, not
    // closed: the one by which the standard library tells that exec failed has to live until then.
    unsafe { command.pre_exec(close_on_exec) };
    let mut child = command.spawn().map_err(|error| {
        tracing::warn!(%error, "a hook does not start");
        Failed::Start
    })?;
    let ended = Child::id(&child);
    let group = Pid::from_raw(ended.cast_signed());
    // What fits into a pipe (64 KiB) is written at once, read or not; a program that does not want to know may close it.
    if let Some(mut stdin) = child.stdin.take() {
        drop(stdin.write_all(input));
    }
    let in_time = group.is_some_and(|child| wait(child, limit, over));
    // Before the child is waited for: until then nobody else has its number.
    if let Some(group) = group {
        // That nobody is left in it is no failure.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait().map_err(|_| Failed::Start)?;
    if in_time { judge(status) } else { Err(Failed::Time) }
}

fn close_on_exec() -> std::io::Result<()> {
    // SAFETY: no memory is touched. Descriptor 3 and all above close when the program is executed (Linux 5.11).
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Waits until the child has ended. Says no when its time is over before.
fn wait(child: Pid, limit: Duration, over: &dyn Fn() -> bool) -> bool {
    let Ok(ended) = pidfd_open(child, PidfdFlags::empty()) else { return false };
    let began = Instant::now();
    loop {
        let left = limit.saturating_sub(began.elapsed()).min(SLICE);
        let time = Timespec::try_from(left).expect("a quarter of a second");
        match poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&time)) {
            Ok(1..) => return true,
            Ok(0) | Err(rustix::io::Errno::INTR) if began.elapsed() < limit && !over() => {}
            _ => return false,
        }
    }
}

fn judge(status: ExitStatus) -> Result<(), Failed> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failed::Exit(code)),
        (None, signal) => Err(Failed::Signal(signal.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let file = folder.join("hook");
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn run(text: &str, limit: Duration) -> (Result<(), Failed>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let text = text.replace("OUT", folder.path().join("out").to_str().unwrap());
        let result = call(&script(folder.path(), &text), limit, b"{\"v\":1}\n", &|| false);
        (result, folder)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_has_its_input_and_nothing_of_ours() {
        // A descriptor that does not close by itself, as a foreign library may leave one.
        let left = tempfile::NamedTempFile::new().unwrap();
        rustix::io::fcntl_setfd(left.as_file(), rustix::io::FdFlags::empty()).unwrap();
        let (result, folder) = run("{ cat; env; pwd; ls -l /proc/self/fd; } > OUT", LONG);
        assert_eq!(result, Ok(()));
        let said = fs::read_to_string(folder.path().join("out")).unwrap();
        assert!(said.starts_with("{\"v\":1}\n"), "{said}");
        let own = ["PATH=", "PWD=", "OLDPWD=", "SHLVL=", "_="];
        let environment = said.lines().skip(1).take_while(|line| *line != "/");
        assert!(
            environment.clone().count() > 0
                && environment.clone().all(|line| own.iter().any(|own| line.starts_with(own))),
            "{said}"
        );
        assert!(said.contains(" 0 -> ") && !said.contains(left.path().to_str().unwrap()), "{said}");
    }

    #[test]
    fn how_a_program_ends_is_told() {
        assert_eq!(run("exit 0", LONG).0, Ok(()));
        assert_eq!(run("exit 7", LONG).0, Err(Failed::Exit(7)));
        assert_eq!(run("kill -TERM $$", LONG).0, Err(Failed::Signal(15)));
        assert_eq!(call(Path::new("/nowhere/hook"), LONG, b"", &|| false), Err(Failed::Start));
        assert_eq!(run("exec <&-; exit 0", LONG).0, Ok(()), "it need not read");
    }

    /// What it leaves behind ends with it, in time or not.
    #[test]
    fn a_program_ends_with_its_children() {
        let gone = |pid: &str| {
            // Whoever takes the orphan over may need a moment to bury it: it is dead all the same.
            let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            state.is_err()
                || state.is_ok_and(|state| {
                    state
                        .rsplit(')')
                        .next()
                        .is_some_and(|rest| rest.starts_with(" Z") || rest.starts_with(" X"))
                })
        };
        for (text, limit, expected) in [
            ("sleep 600 & echo $! > OUT; exit 0", LONG, Ok(())),
            ("sleep 600 & echo $! > OUT; wait", Duration::from_secs(1), Err(Failed::Time)),
        ] {
            let (result, folder) = run(text, limit);
            assert_eq!(result, expected, "{text}");
            let child = fs::read_to_string(folder.path().join("out")).unwrap();
            let until = Instant::now() + Duration::from_secs(20);
            while !gone(&child) {
                assert!(Instant::now() < until, "{text}: {child} lives");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_program_is_left_when_the_station_ends() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(call(&script(folder.path(), "sleep 600"), LONG, b"", &|| true), Err(Failed::Time));
    }
}
