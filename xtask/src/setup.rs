//! Installs what is missing, and says what and why.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run;

/// How far a command goes, and so what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Everything compiles and runs; no window, no browser, no emulator.
    Fast,
    /// The window too, in front of a person or in a virtual display.
    Window,
    /// Everything.
    Full,
}

/// A Debian package that something here needs.
struct Package {
    name: &'static str,
    needed_from: Reach,
    why: &'static str,
}

const fn package(name: &'static str, needed_from: Reach, why: &'static str) -> Package {
    Package { name, needed_from, why }
}

/// Everything outside of the registries of Rust and npm. Names are those of Debian 12.
const PACKAGES: &[Package] = &[
    package("build-essential", Reach::Fast, "C compiler with sanitizers, and make: SQLite, the device agent"),
    package("pkg-config", Reach::Fast, "finds the libraries of the window"),
    package("libwebkit2gtk-4.1-dev", Reach::Fast, "the window is a WebKitGTK view"),
    package("librsvg2-dev", Reach::Fast, "icons of the window"),
    package("python3", Reach::Fast, "turns the vectors of the device protocol into C for the agent's tests"),
    package("python3-cryptography", Reach::Fast, "Ed25519 for the verifier that auditors are given"),
    package("golang-go", Reach::Fast, "compiles the verifier that shares no code with the station"),
    package(
        "golang-golang-x-mod-dev",
        Reach::Fast,
        "its Merkle tree and keys: those of Go's checksum database",
    ),
    package("openssl", Reach::Fast, "an independent opinion on every derived key in the tests"),
    package("gdb", Reach::Fast, "gcore: what a core file of the vault would hold"),
    package("poppler-utils", Reach::Fast, "the tests render the job sheet and read the report's text"),
    package(
        "zbar-tools",
        Reach::Fast,
        "the tests scan the checkpoint from the rendered job sheet, and labels",
    ),
    package("dmtx-utils", Reach::Fast, "dmtxread: the tests scan labels with a Data Matrix"),
    package("strace", Reach::Fast, "makes single system calls fail: the head of the log on a bad disk"),
    package("faketime", Reach::Fast, "sets the clock of the station under test back"),
    package("dbus-daemon", Reach::Fast, "a bus of their own for the tests of sleep and screen lock"),
    package("swtpm", Reach::Fast, "a TPM 2.0 in a process of its own, for each test of the TPM custody"),
    package(
        "tpm2-tools",
        Reach::Fast,
        "the tests use a key in the TPM without the station, as its owner would",
    ),
    package("age", Reach::Fast, "the tests open the vault file with the ordinary tool"),
    package("softhsm2", Reach::Fast, "the PKCS#11 token of the tests"),
    package("opensc", Reach::Fast, "pkcs11-tool: what another program sees of the keys in that token"),
    package("xvfb", Reach::Window, "a display where there is none"),
    package("xdotool", Reach::Window, "types the passphrase into the native dialog"),
    package("imagemagick", Reach::Window, "takes the picture of the display"),
    package("openbox", Reach::Window, "a window manager: dialogs get the keyboard"),
    package("fonts-dejavu-core", Reach::Window, "letters for the native dialog"),
    package("webkit2gtk-driver", Reach::Full, "WebDriver for the real window"),
    package("chromium", Reach::Full, "every state of the screen, with axe"),
    package("debootstrap", Reach::Full, "a clean Debian, into which the tests install the package"),
    package("rpm", Reach::Full, "the tests install the other package, into a folder"),
    package("systemd", Reach::Full, "checks the unit of the line; nothing is started by it"),
    package("qemu-system-arm", Reach::Full, "runs the device agent as firmware of a Cortex-M3"),
    package("gcc-arm-none-eabi", Reach::Full, "compiles that firmware"),
];

/// The oldest Node.js that Vite and Svelte run on: major, minor.
const NODE: (u32, u32) = (20, 19);

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Installs what commands of `reach` need and this machine does not have.
pub(crate) fn setup(reach: Reach) -> Result<()> {
    println!("Set-up");
    rust_components()?;
    node()?;
    debian_packages(reach)?;
    npm_packages()?;
    println!("  everything is there");
    Ok(())
}

fn rust_components() -> Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if succeeds(Command::new("cargo").args([tool, "--version"])) {
            continue;
        }
        if !succeeds(Command::new("rustup").arg("--version")) {
            bail!("`cargo {tool}` is missing and there is no rustup to get it with: install {component}");
        }
        println!("  missing: {component} (cargo {tool})");
        let mut add = run::command("rustup")?;
        run::quietly("rustup component add", add.args(["component", "add", component]), DOWNLOAD_LIMIT)?;
    }
    Ok(())
}

fn node() -> Result<()> {
    let (major, minor) = NODE;
    let advice = format!(
        "install Node.js {major}.{minor} or newer with npm, for instance from https://nodejs.org (Debian 12 has 18)"
    );
    let version = run::captured(Command::new("node").arg("--version"))
        .with_context(|| format!("Node.js is missing: {advice}"))?;
    if node_version(&version).is_none_or(|found| found < NODE) {
        bail!("Node.js is {}: {advice}", version.trim());
    }
    if !succeeds(Command::new("npm").arg("--version")) {
        bail!("npm is missing: {advice}");
    }
    Ok(())
}

/// `v20.20.2` is (20, 20).
fn node_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn debian_packages(reach: Reach) -> Result<()> {
    let needed = PACKAGES.iter().filter(|package| package.needed_from <= reach);
    let names: Vec<_> = needed.clone().map(|package| package.name).collect();
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Package} ${db:Status-Status}\\n"]).args(&names);
    // It returns 1 when one of the names is unknown, and lists the others all the same.
    let Ok(listed) = query.output() else {
        println!("  no dpkg-query here: where a step fails for want of a tool, look for the likes of");
        needed.for_each(|package| println!("    {:<22} {}", package.name, package.why));
        return Ok(());
    };
    let listed = String::from_utf8_lossy(&listed.stdout);
    let installed = installed(&listed);
    let missing: Vec<_> = needed.filter(|package| !installed.contains(package.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("  missing from Debian:");
    for package in &missing {
        println!("    {:<22} {}", package.name, package.why);
    }
    let names: Vec<_> = missing.iter().map(|package| package.name).collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", names.join(" "));
    run::quietly("apt-get update", &apt(&["update"], &by_hand)?, DOWNLOAD_LIMIT)?;
    let mut install = apt(&["install", "--yes", "--no-install-recommends"], &by_hand)?;
    run::quietly("apt-get install", install.args(&names), DOWNLOAD_LIMIT)
}

/// The names in the output of dpkg-query whose status is `installed`.
fn installed(listed: &str) -> BTreeSet<&str> {
    listed.lines().filter_map(|line| line.strip_suffix(" installed")).collect()
}

/// apt-get as root: directly, or through sudo.
fn apt(args: &[&str], by_hand: &str) -> Result<Command> {
    let root = run::captured(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = run::command(if root { "env" } else { "sudo" })?;
    if !root {
        // A password is asked for here, where the person can see it, and not under a log file.
        let allowed = Command::new("sudo").arg("--validate").status();
        if !allowed.is_ok_and(|status| status.success()) {
            bail!(
                "packages are missing, and this is neither root nor allowed to sudo. As root:\n  {by_hand}"
            );
        }
        command.arg("env");
    }
    // Another apt may run, as it does after the first start of a machine: wait for it.
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]).args(args);
    Ok(command)
}

/// Installs the packages of `ui/` when its lock file is newer than what npm last installed.
fn npm_packages() -> Result<()> {
    let ui = run::root().join("ui");
    if npm_is_current(&ui)? {
        return Ok(());
    }
    println!("  missing: packages of ui/package-lock.json");
    let mut install = run::command("npm")?;
    install.args(["ci", "--no-audit", "--no-fund"]).current_dir(&ui);
    run::quietly("npm ci", &install, DOWNLOAD_LIMIT)
}

fn npm_is_current(ui: &Path) -> Result<bool> {
    let lock = ui.join("package-lock.json");
    let wanted =
        fs::metadata(&lock).and_then(|m| m.modified()).with_context(|| lock.display().to_string())?;
    // npm writes this file last, so a broken-off installation does not count.
    let done = fs::metadata(ui.join("node_modules/.package-lock.json")).and_then(|m| m.modified());
    Ok(done.is_ok_and(|done| done >= wanted))
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_package_that_dpkg_calls_installed_is_there() {
        let listed = "xvfb installed\nage config-files\nchromium not-installed\nopenbox half-installed\n";
        assert_eq!(installed(listed), BTreeSet::from(["xvfb"]));
    }

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(node_version("v20.20.2\n"), Some((20, 20)));
        assert!(node_version("v8.100.0").is_some_and(|found| found < NODE), "numbers, not letters");
        assert_eq!(node_version("20.20.2"), None);
        assert_eq!(node_version(""), None);
    }

    #[test]
    fn a_newer_lock_file_asks_for_a_new_installation() {
        let ui = std::env::temp_dir().join(format!("xtask-npm-{}", std::process::id()));
        let (lock, done) = (ui.join("package-lock.json"), ui.join("node_modules/.package-lock.json"));
        fs::create_dir_all(ui.join("node_modules")).unwrap();
        fs::write(&lock, "{}").unwrap();
        assert!(!npm_is_current(&ui).unwrap(), "never installed");
        fs::write(&done, "{}").unwrap();
        assert!(npm_is_current(&ui).unwrap(), "installed after the lock file was written");
        let later = fs::metadata(&done).unwrap().modified().unwrap() + Duration::from_secs(1);
        fs::File::open(&lock).unwrap().set_modified(later).unwrap();
        assert!(!npm_is_current(&ui).unwrap(), "the lock file changed");
        fs::remove_dir_all(&ui).unwrap();
    }

    #[test]
    fn every_package_is_listed_once() {
        let names: BTreeSet<_> = PACKAGES.iter().map(|package| package.name).collect();
        assert_eq!(names.len(), PACKAGES.len());
    }
}
