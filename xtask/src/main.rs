//! `cargo xtask …`: what a person does with this repository.
//!
//! It is the first thing built on a machine with nothing but Rust and Node.js, so it needs no system library; it
//! installs what the rest needs and says so.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people and CI: it talks")]

mod bench;
mod demo;
mod package;
mod run;
mod screen;
mod setup;
mod tally;
mod test;

use std::process::ExitCode;

use setup::Reach;

const USAGE: &str = "\
cargo xtask demo [--headless]       see it work: a station, simulated devices, the window
cargo xtask test [--fast]           run every check; --fast leaves out windows, emulators, the million records and the month
cargo xtask test --only STEP        run one step of it; a wrong name lists them
cargo xtask bench [--only ROW] [--json FILE] [--records N]
                                    measure beside peers; the default, 10 million records, takes a while and 10 GB
cargo xtask package [--debug] [--out DIR]
                                    make the .deb and the .rpm; --debug packs the programs of the tests
cargo xtask setup                   install what the other commands need, and nothing else";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["demo"] => demo::demo(false),
        ["demo", "--headless"] => demo::demo(true),
        ["test"] => test::test(test::Selection::All),
        ["test", "--fast"] => test::test(test::Selection::Fast),
        ["test", "--only", step] => test::test(test::Selection::Only(step)),
        ["bench", ref options @ ..] => match bench::Options::parse(options) {
            Some(options) => bench::bench(&options),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
        ["package", ref options @ ..] => match package::Options::parse(options) {
            Some(options) => package::make(&options),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
        ["setup"] => setup::setup(Reach::Full),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
