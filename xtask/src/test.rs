//! `cargo xtask test`: every check of the repository, cheapest first, until the first that fails.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run;
use crate::setup::{self, Reach};
use crate::tally::Tally;

/// Which steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection<'a> {
    /// All.
    All,
    /// Those without windows and emulators.
    Fast,
    /// The one with this name.
    Only(&'a str),
}

/// One or more commands that belong together.
struct Step {
    name: &'static str,
    /// What it takes to run.
    reach: Reach,
    /// Whether it has to report single tests. One that reports none has failed: nothing was checked.
    tests: bool,
    /// Each in the repository, or in `ui/` where it is npm.
    lines: &'static [&'static str],
}

/// Longer than any step takes on two busy cores, its compilation included.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// The binaries that the whole-station tests start: they look for them beside themselves.
const PROGRAMS: &str = "cargo build --locked --package keystation --package keystation-device --bins";

/// The headless binary with the optimisations of what ships, for the scan of its memory.
const OPTIMISED: &str = "cargo build --locked --profile scan --package keystation --bins";

/// The PKCS#11 module that fails on request, for the station with a token.
const FAULTY_TOKEN: &str = "cargo build --locked --package keystation-vault --example p11fault";

const STEPS: &[Step] = &[
    Step {
        name: "format",
        reach: Reach::Fast,
        tests: false,
        lines: &["cargo fmt --all --check -- --color never"],
    },
    Step {
        name: "lints",
        reach: Reach::Fast,
        tests: false,
        lines: &["cargo clippy --locked --workspace --all-targets --all-features --quiet -- --deny warnings"],
    },
    Step {
        name: "unit",
        reach: Reach::Fast,
        tests: true,
        lines: &["cargo test --locked --workspace --exclude keystation-tests --no-fail-fast --quiet"],
    },
    Step { name: "agent", reach: Reach::Fast, tests: true, lines: &["make --directory firmware host-test"] },
    Step {
        name: "station",
        reach: Reach::Fast,
        tests: true,
        lines: &[
            PROGRAMS,
            OPTIMISED,
            FAULTY_TOKEN,
            "cargo test --locked --package keystation-tests -- --skip qemu:: --skip window:: --skip record:: --skip month:: --skip package::",
        ],
    },
    Step {
        name: "verifiers",
        reach: Reach::Fast,
        tests: true,
        lines: &[
            // Debian has the packages of Go in a GOPATH. A cached result would not see that a vector changed.
            "env GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode go vet ./tests/verify-go",
            "env GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode go test -count=1 -v ./tests/verify-go",
            // Debian's own interpreter: another one does not see python3-cryptography.
            "/usr/bin/python3 -B tests/verify-python/test_keylog_verify.py",
            "/usr/bin/python3 -B tests/attacks/attack.py",
        ],
    },
    Step { name: "screen", reach: Reach::Fast, tests: true, lines: &["npm run check", "npm test"] },
    Step { name: "browser", reach: Reach::Full, tests: true, lines: &["npm run test:browser"] },
    Step {
        name: "firmware",
        reach: Reach::Full,
        tests: true,
        lines: &[
            "make --directory firmware qemu-image",
            PROGRAMS,
            "cargo test --locked --package keystation-tests --test whole qemu::",
        ],
    },
    Step {
        name: "record",
        reach: Reach::Full,
        tests: true,
        lines: &[
            PROGRAMS,
            "cargo test --locked --package keystation-tests --test whole record:: -- --nocapture --test-threads 1",
        ],
    },
    Step {
        name: "month",
        reach: Reach::Full,
        tests: true,
        lines: &[
            PROGRAMS,
            "cargo test --locked --package keystation-tests --test whole month:: -- --nocapture --test-threads 1",
        ],
    },
    Step {
        name: "window",
        reach: Reach::Full,
        tests: true,
        lines: &[
            PROGRAMS,
            // `cargo build` would make a window that loads the development server, and to the same path: so this
            // comes right before its tests.
            "ui/node_modules/.bin/tauri build --debug --no-bundle --features automation",
            "cargo test --locked --package keystation-tests --test whole window::",
        ],
    },
    Step {
        name: "package",
        reach: Reach::Full,
        tests: true,
        lines: &[
            // Of the programs that are there already.
            "cargo xtask package --debug",
            "cargo test --locked --package keystation-tests --test whole package:: -- --nocapture --test-threads 1",
        ],
    },
];

/// Runs the steps of `selection`; the last line is `N passed, N failed`.
pub(crate) fn test(selection: Selection<'_>) -> Result<()> {
    let steps = chosen(STEPS, selection)?;
    setup::setup(steps.iter().map(|step| step.reach).max().unwrap_or(Reach::Fast))?;
    println!("Tests");
    let start = Instant::now();
    let mut total = Tally::default();
    let failed = steps.iter().find(|step| {
        print!("  {:<9} ", step.name);
        std::io::stdout().flush().ok();
        match step.run() {
            Ok((tally, took)) => {
                println!("{}", verdict(step, tally, took));
                total += tally;
                false
            }
            Err((tally, report)) => {
                println!("FAILED\n\n{report}\n");
                total += tally;
                true
            }
        }
    });
    println!("{}", summary(total, failed.is_some(), start.elapsed()));
    match failed {
        None => Ok(()),
        Some(step) => bail!("{} failed; again alone: cargo xtask test --only {}", step.name, step.name),
    }
}

fn chosen<'s>(steps: &'s [Step], selection: Selection<'_>) -> Result<Vec<&'s Step>> {
    let chosen: Vec<_> = steps
        .iter()
        .filter(|step| match selection {
            Selection::All => true,
            Selection::Fast => step.reach == Reach::Fast,
            Selection::Only(name) => step.name == name,
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        bail!("no such step; there are {}", names.join(", "));
    }
    Ok(chosen)
}

impl Step {
    /// What was counted and how long it took, or what was counted until it failed and what to show of that.
    fn run(&self) -> Result<(Tally, Duration), (Tally, String)> {
        let mut tally = Tally::default();
        let mut took = Duration::ZERO;
        for (at, line) in self.lines.iter().enumerate() {
            let done = command(line)
                .and_then(|command| run::logged(&format!("{}-{at}", self.name), &command, LIMIT))
                .map_err(|error| (tally.or_one_failed(), format!("{error:#}")))?;
            took += done.took;
            tally += Tally::read(&done.output);
            if !done.status.success() {
                let (end, output, log) =
                    (run::ended(&done), run::tail(done.output.trim_end()), done.log.display());
                let report = format!("{output}\n$ {line}\n{end}; whole output: {log}");
                return Err((tally.or_one_failed(), report));
            }
        }
        if self.tests && !tally.ran() {
            return Err((tally.or_one_failed(), format!("no test ran in {:?}", self.lines)));
        }
        if tally.failed > 0 {
            return Err((tally, "a runner reports failed tests and still ends well".to_owned()));
        }
        Ok((tally, took))
    }
}

impl Tally {
    /// A check that fails without naming a test counts as one.
    fn or_one_failed(self) -> Self {
        Self { failed: self.failed.max(1), ..self }
    }
}

/// A command line of a step: npm runs in `ui/`.
fn command(line: &str) -> Result<Command> {
    let mut command = run::line(line)?;
    if line.starts_with("npm ") {
        command.current_dir(run::root().join("ui"));
    }
    // Colours would hide the counts.
    command.env("NO_COLOR", "1").env("CARGO_TERM_COLOR", "never");
    Ok(command)
}

fn verdict(step: &Step, tally: Tally, took: Duration) -> String {
    let took = format!("ok {:>7.1} s", took.as_secs_f64());
    match (step.tests, tally.skipped) {
        (false, _) => took,
        (true, 0) => format!("{took}  {:>4} tests", tally.passed),
        (true, skipped) => format!("{took}  {:>4} tests, {skipped} skipped", tally.passed),
    }
}

fn summary(total: Tally, failed: bool, took: Duration) -> String {
    let Tally { passed, failed: count, skipped } = if failed { total.or_one_failed() } else { total };
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("\nin {:.0} s\n{passed} passed, {count} failed{skipped}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(tests: bool, lines: &'static [&'static str]) -> Step {
        Step { name: "xtask-self-test", reach: Reach::Fast, tests, lines }
    }

    #[test]
    fn fast_leaves_out_windows_and_emulators() {
        let names = |selection| chosen(STEPS, selection).unwrap().iter().map(|s| s.name).collect::<Vec<_>>();
        assert_eq!(
            names(Selection::Fast),
            ["format", "lints", "unit", "agent", "station", "verifiers", "screen"]
        );
        assert_eq!(names(Selection::All).len(), STEPS.len());
        assert_eq!(names(Selection::Only("unit")), ["unit"]);
        assert!(chosen(STEPS, Selection::Only("units")).is_err());
    }

    #[test]
    fn a_step_that_ran_no_test_has_failed() {
        let (tally, report) = step(true, &["true"]).run().unwrap_err();
        assert_eq!((tally.failed, report.as_str()), (1, "no test ran in [\"true\"]"));
        assert!(step(false, &["true"]).run().is_ok());
    }

    #[test]
    fn a_failing_command_ends_its_step_and_shows_its_output() {
        let (tally, report) =
            step(true, &["echo 2 passed, 0 failed", "ls /no/such", "echo 9 passed"]).run().unwrap_err();
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert!(report.contains("/no/such") && report.contains("$ ls /no/such"), "{report}");
    }

    #[test]
    fn a_runner_that_reports_failures_and_ends_well_is_not_believed() {
        let (tally, _) = step(true, &["echo 2 passed, 1 failed"]).run().unwrap_err();
        assert_eq!((tally.passed, tally.failed), (2, 1));
    }

    #[test]
    fn the_last_line_is_the_count_alone() {
        let total = Tally { passed: 7, ..Tally::default() };
        assert!(summary(total, false, Duration::ZERO).ends_with("\n7 passed, 0 failed"));
        assert!(summary(total, true, Duration::ZERO).ends_with("\n7 passed, 1 failed"));
    }
}
