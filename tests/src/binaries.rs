//! Where the programs under test are: beside the test's own executable, or beside this program, built by `cargo xtask test`.

use std::path::PathBuf;

/// The program `name` of this build.
///
/// # Panics
/// If it was not built: running another one that lies around would test the wrong thing.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the system knows the running executable");
    // target/debug/deps/whole-…  →  target/debug/name; a program of this package is there itself.
    let folder = own.parent().expect("an executable is in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is not built: run `cargo xtask test`, or cargo build --workspace",
        program.display()
    );
    program
}
