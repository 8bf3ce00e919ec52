//! Where the programs under test are: beside the test's own executable, or beside this program, built by `cargo xtask test`.

use std::path::{Path, PathBuf};

/// The program `name` of this build.
///
/// # Panics
/// If it was not built: running another one that lies around would test the wrong thing.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    built(&folder().join(name))
}

/// The same program with the optimisations of what ships: cargo profile `scan`.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn optimised_program(name: &str) -> PathBuf {
    // target/debug  →  target/scan
    built(&folder().with_file_name("scan").join(name))
}

/// A library that is an example of a package of this build.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    built(&folder().join("examples").join(name))
}

/// Where the programs of this build are.
fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("the system knows the running executable");
    // target/debug/deps/whole-…  →  target/debug; a program of this package is there itself.
    let folder = own.parent().expect("an executable is in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    folder.to_owned()
}

fn built(program: &Path) -> PathBuf {
    assert!(
        program.is_file(),
        "{} is not built: run `cargo xtask test`, or cargo build --workspace",
        program.display()
    );
    program.to_owned()
}
