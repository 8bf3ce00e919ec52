//! `cargo xtask package`: one `.deb` and one `.rpm` with the window, the headless program, their manuals and what the system needs of
//! them.
//!
//! The bundler of Tauri writes both from one tree of files. It is here anyway, it knows what the window depends on, and
//! what it has to be told is a path: so no other packager is installed, and there are no two lists of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::run;
use crate::setup::{self, Reach};

/// Longer than both programs take to build on two busy cores, optimised.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Which build is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// What ships.
    Release,
    /// The same package of the programs of the tests: for those who look at the package and not at the programs.
    Debug,
}

impl Build {
    const fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

/// What to pack, and where to put it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    build: Build,
    out: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// `None`: not understood.
    pub(crate) fn parse(words: &[&'a str]) -> Option<Self> {
        let (build, rest) = match words {
            ["--debug", rest @ ..] => (Build::Debug, rest),
            rest => (Build::Release, rest),
        };
        match rest {
            [] => Some(Self { build, out: None }),
            ["--out", out] => Some(Self { build, out: Some(out) }),
            _ => None,
        }
    }
}

/// Installs what is missing and makes the packages.
pub(crate) fn make(options: &Options<'_>) -> Result<()> {
    setup::setup(Reach::Fast)?;
    package(options.build, options.out)?;
    Ok(())
}

/// A finished package.
pub(crate) struct Package {
    pub(crate) kind: &'static str,
    pub(crate) bytes: u64,
}

/// What goes where: from the repository into the package.
const FILES: &[(&str, &str)] = &[
    ("packaging/keystation.service", "lib/systemd/system/keystation.service"),
    ("packaging/60-keystation.rules", "lib/udev/rules.d/60-keystation.rules"),
    ("packaging/copyright", "share/doc/keystation/copyright"),
    ("src-tauri/icons/icon.svg", "share/icons/hicolor/scalable/apps/keystation-desktop.svg"),
];

/// Folders of the repository whose Markdown goes into the package, for who sits before the station.
const MANUALS: &str = "docs";

/// Builds both programs and both packages, and tells where they are and how large.
pub(crate) fn package(build: Build, out: Option<&str>) -> Result<Vec<Package>> {
    println!("Package");
    let tree = lay_out(build)?;
    // The tests drive the window by the feature; it makes a second program, which no package takes.
    let window = match build {
        Build::Release => "ui/node_modules/.bin/tauri build --no-bundle",
        Build::Debug => "ui/node_modules/.bin/tauri build --debug --no-bundle --features automation",
    };
    run::quietly("the window", &run::line(window)?, LIMIT)?;
    let files = json!({ "/usr": tree.join("usr") });
    let config = json!({ "bundle": { "linux": { "deb": { "files": files }, "rpm": { "files": files } } } });
    let mut bundle = run::line("ui/node_modules/.bin/tauri bundle --ci --bundles deb,rpm")?;
    bundle.args(if build == Build::Debug { &["--debug"][..] } else { &[] });
    bundle.args(["--config", &config.to_string()]);
    // What was packed before would be found beside what is packed now.
    let bundles = run::target()?.join(build.folder()).join("bundle");
    if bundles.exists() {
        fs::remove_dir_all(&bundles).with_context(|| format!("removing {}", bundles.display()))?;
    }
    run::quietly("the packages", &bundle, LIMIT)?;
    let out = match out {
        Some(out) => PathBuf::from(out),
        None => run::target()?.join("package").join(build.folder()),
    };
    fs::create_dir_all(&out).with_context(|| format!("making {}", out.display()))?;
    ["deb", "rpm"].into_iter().map(|kind| take(&bundles.join(kind), kind, &out)).collect()
}

/// Puts the one package of a kind where it was asked for, under the name of the project.
fn take(bundles: &Path, kind: &'static str, out: &Path) -> Result<Package> {
    let found = fs::read_dir(bundles).with_context(|| format!("no {kind} in {}", bundles.display()))?;
    let mut found: Vec<_> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == kind));
    let [package] = &found[..] else { bail!("not one {kind} in {}: {found:?}", bundles.display()) };
    let name = package.file_name().context("a package has a name")?.to_string_lossy().to_lowercase();
    let path = out.join(name);
    let bytes = fs::copy(package, &path).with_context(|| format!("writing {}", path.display()))?;
    println!("  {}: {:.1} MB", path.display(), bytes as f64 / 1e6);
    Ok(Package { kind, bytes })
}

/// The tree of files beside the window, as it will be under `/usr`.
fn lay_out(build: Build) -> Result<PathBuf> {
    let target = run::target()?;
    let parts = target.join("package").join(format!("{}-parts", build.folder()));
    let tree = parts.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| format!("removing {}", tree.display()))?;
    }
    let usr = tree.join("usr");
    let mut programs = run::line("cargo build --locked --package keystation --bins")?;
    programs.args(if build == Build::Release { &["--release"][..] } else { &[] });
    run::quietly("the headless program", &programs, LIMIT)?;
    // Symbols are half of it, and nobody who installs a package reads them.
    let headless = usr.join("bin/keystation");
    fs::create_dir_all(usr.join("bin"))?;
    let mut strip = run::command("strip")?;
    strip.arg("-o").args([&headless, &target.join(build.folder()).join("keystation")]);
    run::quietly("strip", &strip, LIMIT)?;

    let made = parts.join("manuals");
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    let mut manuals = run::line("cargo run --locked --quiet --package keystation --example manuals --")?;
    run::quietly("manual pages", manuals.arg(&made), LIMIT)?;
    for page in files_of(&made.join("man"))? {
        put(&page, &usr.join("share/man/man1"), true)?;
    }
    for (file, folder) in [
        ("keystation.bash", "share/bash-completion/completions"),
        ("keystation-desktop.bash", "share/bash-completion/completions"),
        ("_keystation", "share/zsh/vendor-completions"),
        ("_keystation-desktop", "share/zsh/vendor-completions"),
        ("keystation.fish", "share/fish/vendor_completions.d"),
        ("keystation-desktop.fish", "share/fish/vendor_completions.d"),
    ] {
        put(&made.join("completions").join(file), &usr.join(folder), false)?;
    }
    for (from, to) in FILES {
        copy(&run::root().join(from), &usr.join(to))?;
    }
    put(&run::root().join("CHANGELOG.md"), &usr.join("share/doc/keystation"), true)?;
    for page in files_of(&run::root().join(MANUALS))?
        .iter()
        .filter(|page| page.extension().is_some_and(|kind| kind == "md"))
    {
        put(page, &usr.join("share/doc/keystation"), true)?;
    }
    Ok(tree)
}

/// The files of a folder, in order.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

/// Copies `file` into `folder`; squeezed without name and time, so that the same text gives the same bytes.
fn put(file: &Path, folder: &Path, squeezed: bool) -> Result<()> {
    let to = folder.join(file.file_name().context("a file has a name")?);
    copy(file, &to)?;
    if squeezed {
        let mut gzip = run::command("gzip")?;
        let done = gzip.args(["-9", "-n"]).arg(&to).status().context("starting gzip")?;
        if !done.success() {
            bail!("gzip {}: {done}", to.display());
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
    fs::copy(from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_understood_or_refused() {
        let (release, debug) = (Build::Release, Build::Debug);
        for (words, understood) in [
            (&[][..], Some((release, None))),
            (&["--debug"], Some((debug, None))),
            (&["--out", "x"], Some((release, Some("x")))),
            (&["--debug", "--out", "x"], Some((debug, Some("x")))),
            (&["--out"], None),
            (&["--release"], None),
            (&["--out", "x", "--debug"], None),
        ] {
            let expected = understood.map(|(build, out)| Options { build, out });
            assert_eq!(Options::parse(words), expected, "{words:?}");
        }
    }

    #[test]
    fn what_goes_into_a_package_is_there_and_is_no_link_to_nowhere() {
        for (from, to) in FILES {
            assert!(run::root().join(from).is_file(), "{from}");
            assert!(!to.starts_with('/') && !to.contains(".."), "{to}");
        }
    }
}
