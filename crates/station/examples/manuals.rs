//! Writes what a package has beside the programs and is made from their command lines: `manuals DIR` makes a manual page of each
//! verb in `DIR/man`, and completions of the shells in `DIR/completions`. Run by `cargo xtask package`.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the command lines alone, without the programs that act on them"
)]

#[path = "../src/cli/args/mod.rs"]
mod args;
#[path = "../../../src-tauri/src/arguments.rs"]
mod window;

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: manuals DIR")?;
    let (man, completions) = (Path::new(&directory).join("man"), Path::new(&directory).join("completions"));
    for directory in [&man, &completions] {
        fs::create_dir_all(directory)?;
    }
    for command in [args::Cli::command(), window::Arguments::command()] {
        clap_mangen::generate_to(command, &man)?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut args::Cli::command(), "keystation", &completions)?;
        clap_complete::generate_to(
            shell,
            &mut window::Arguments::command(),
            "keystation-desktop",
            &completions,
        )?;
    }
    Ok(())
}
