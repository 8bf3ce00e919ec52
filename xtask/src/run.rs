//! Running other programs: where, with which environment, and what is seen of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ lies in the repository")
}

/// The target directory that this program was built into; everything else is built into the same.
pub(crate) fn target() -> Result<PathBuf> {
    let exe = std::env::current_exe().context("where this program lies")?;
    let profile = exe.ancestors().find(|folder| folder.ends_with("debug"));
    let target = profile.and_then(Path::parent).context("this program lies in <target>/debug")?;
    Ok(target.to_owned())
}

/// A binary of the workspace, as `cargo build` leaves it.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("debug").join(name))
}

/// `program` in the repository, with the target directory of this program.
///
/// `cargo run` describes xtask itself in `CARGO_PKG_*` and `CARGO_MANIFEST_*`. Build scripts watch these: handed
/// on, they would make a `cargo build` from the shell and one from here rebuild each other's crates for ever.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(root()).env("CARGO_TARGET_DIR", target()?);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    Ok(command)
}

/// `command` with `line` split at its spaces: for command lines without any quoting.
pub(crate) fn line(line: &str) -> Result<Command> {
    let mut words = line.split_whitespace();
    let mut command = command(words.next().context("an empty command line")?)?;
    command.args(words);
    Ok(command)
}

/// What a finished command left.
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// How long it ran.
    pub(crate) took: Duration,
    /// Everything that it printed.
    pub(crate) output: String,
    /// Where that is kept.
    pub(crate) log: PathBuf,
}

/// Runs `command` to its end, its output into a log file of the target directory, and stops it after `limit`.
///
/// A file, not a pipe: something that a killed command left running cannot keep this program waiting.
pub(crate) fn logged(name: &str, command: &Command, limit: Duration) -> Result<Finished> {
    let folder = target()?.join("xtask-logs");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let log = folder.join(format!("{}.log", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
    let file = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
    let mut timed = within(limit, command);
    timed.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let start = Instant::now();
    let status = timed.status().with_context(|| format!("starting {command:?}"))?;
    let took = start.elapsed();
    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    Ok(Finished { status, took, output, log })
}

/// Runs `command` to its end and hands back what it printed on standard output; an error if it failed.
pub(crate) fn captured(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something else than UTF-8"))
}

/// Runs a piece of the set-up or build that is silent unless it fails.
pub(crate) fn quietly(what: &str, command: &Command, limit: Duration) -> Result<()> {
    println!("  {what} …");
    let done = logged(what, command, limit)?;
    if !done.status.success() {
        bail!(
            "{what} failed ({}):\n{}\nwhole output: {}",
            ended(&done),
            tail(&done.output),
            done.log.display()
        );
    }
    Ok(())
}

/// Whether `true` was seen within `limit`; looks four times a second.
pub(crate) fn wait_until(limit: Duration, mut look: impl FnMut() -> Result<bool>) -> Result<bool> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if look()? {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(250));
    }
    Ok(false)
}

/// How a command ended, in words.
pub(crate) fn ended(done: &Finished) -> String {
    // What timeout(1) returns when the time ran out.
    match done.status.code() {
        Some(124 | 137) => format!("stopped after {} s", done.took.as_secs()),
        _ => done.status.to_string(),
    }
}

/// The end of a long output: enough to see the failure.
pub(crate) fn tail(output: &str) -> &str {
    const LINES: usize = 300;
    match output.rmatch_indices('\n').nth(LINES) {
        Some((at, _)) => &output[at + 1..],
        None => output,
    }
}

/// `command` under timeout(1), in the foreground so that Ctrl-C still reaches it.
fn within(limit: Duration, command: &Command) -> Command {
    let mut timed = Command::new("timeout");
    timed.args(["--foreground", "--kill-after=10", &limit.as_secs().to_string()]);
    timed.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    timed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_stopped_and_said_so() {
        let done = logged("test hang", &line("sleep 60").unwrap(), Duration::from_secs(1)).unwrap();
        assert!(!done.status.success());
        assert!(ended(&done).starts_with("stopped after"), "{}", ended(&done));
    }

    #[test]
    fn both_outputs_and_the_status_are_kept() {
        let mut both = command("sh").unwrap();
        both.args(["-c", "echo out; echo err >&2; exit 3"]);
        let done = logged("test both", &both, Duration::from_secs(10)).unwrap();
        assert_eq!((done.status.code(), done.output.as_str()), (Some(3), "out\nerr\n"));
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let long: String = (0..1000).map(|n| format!("{n}\n")).collect();
        assert!(tail(&long).starts_with("700\n"), "{}", &tail(&long)[..20]);
        assert_eq!(tail("short\n"), "short\n");
    }
}
