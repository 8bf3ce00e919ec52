//! What is installed: the `.deb` on a clean Debian 12, and the `.rpm`, which has the same files, by its own tool into a folder.
//!
//! `cargo xtask package --debug` makes both first. The clean Debian is made by debootstrap, once, and kept in the target
//! directory, as are the packages that ours depends on; each run begins with a copy of it. Mirror and proxy are those of this machine's apt.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use keystation_tests::bench::Killed;
use keystation_tests::binaries::program;

use super::window::screen::Screen;

/// The Debian whose libraries the window is built against.
const RELEASE: &str = "bookworm";

/// Where `cargo xtask package` puts things.
fn folder() -> PathBuf {
    program("keystation").parent().unwrap().with_file_name("package")
}

fn package(kind: &str) -> PathBuf {
    let found = fs::read_dir(folder().join("debug")).expect("`cargo xtask package --debug` made it");
    let mut found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == kind));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// `command` as root.
fn root(command: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    let mut words = command.split(' ');
    let mut root = if id.stdout == b"0\n" {
        Command::new(words.next().unwrap())
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "--preserve-env=DISPLAY,LC_ALL,DEBIAN_FRONTEND"]);
        sudo
    };
    root.args(words).stdin(Stdio::null());
    root
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    told(&output)
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The machine's own mirror of the release.
fn mirror() -> String {
    let format = "$(RELEASE) $(COMPONENT) $(REPO_URI)";
    let targets =
        done(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]));
    let wanted = format!("{RELEASE} main ");
    let mirror = targets.lines().find_map(|line| line.strip_prefix(&wanted));
    mirror.unwrap_or_else(|| panic!("apt of this machine knows no {RELEASE}:\n{targets}")).to_owned()
}

/// A Debian as debootstrap leaves it: a copy, which goes with this value.
struct Clean(PathBuf);

impl Clean {
    fn new() -> Self {
        let base = folder().join(format!("{RELEASE}-minbase"));
        if !base.exists() {
            let part = folder().join("debootstrap.part");
            done(root("rm -rf").arg(&part));
            done(root(&format!("debootstrap --variant=minbase {RELEASE}")).arg(&part).arg(mirror()));
            done(root("mv").args([&part, &base]));
        }
        let copy = folder().join("installed");
        done(root("rm -rf").arg(&copy));
        done(root("cp -a --reflink=auto").args([&base, &copy]));
        let clean = Self(copy);
        // The way to the mirror is the machine's.
        let acquire = done(Command::new("apt-config").arg("dump"));
        let acquire: Vec<_> = acquire.lines().filter(|line| line.starts_with("Acquire::")).collect();
        clean.write("etc/apt/apt.conf.d/90machine", &acquire.join("\n"));
        // No daemon of a dependency is started.
        clean.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
        done(root("chmod 755").arg(clean.0.join("usr/sbin/policy-rc.d")));
        done(root("cp /etc/resolv.conf").arg(clean.0.join("etc/resolv.conf")));
        clean
    }

    /// A file of it.
    fn write(&self, path: &str, text: &str) {
        let here = folder().join("file.part");
        fs::write(&here, text).unwrap();
        done(root("mv").args([&here, &self.0.join(path)]));
    }

    /// `script` in it, by `user`. What is mounted for it goes with it: it has a list of mounts of its own.
    fn script(&self, user: &str, script: &str) -> Command {
        let mut command = root("unshare --mount --propagation private sh -c");
        command.arg("mount --bind /dev \"$1/dev\" && mount -t proc proc \"$1/proc\" && mount --bind /sys \"$1/sys\" && exec chroot \"$1\" runuser -u \"$2\" -- sh -ec \"$3\"");
        command
            .arg("sh")
            .arg(&self.0)
            .args([user, &format!("HOME=$(getent passwd {user} | cut -d: -f6); export HOME; {script}")]);
        command.env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn run(&self, user: &str, script: &str) -> String {
        done(&mut self.script(user, script))
    }

    fn exists(&self, path: &str) -> bool {
        root("test -e").arg(self.0.join(path)).status().unwrap().success()
    }
}

impl Drop for Clean {
    fn drop(&mut self) {
        // A folder that is left is removed by the next run.
        drop(root("rm -rf --one-file-system").arg(&self.0).status());
    }
}

/// So many different colours are in the window, its frame apart: a page has some dozens, a window that is not painted has one.
fn colours(screen: &Screen, file: &Path) -> usize {
    done(screen.put(Command::new("import").args(["-window", "root", "-crop", "1200x700+40+50"]).arg(file)));
    let counted = done(Command::new("identify").args(["-format", "%k"]).arg(file));
    counted.trim().parse().unwrap_or_else(|_| panic!("not a number of colours: {counted}"))
}

/// Starts a window on a display of its own, waits until it has painted its page, and closes it.
fn shows_its_page(window: &mut Command) {
    let screen = Screen::open_to_all();
    let log = folder().join("window.log");
    let out = fs::File::create(&log).unwrap();
    window.stdout(out.try_clone().unwrap()).stderr(out);
    let mut window = Killed(screen.put(window).spawn().unwrap());
    let picture = folder().join("window.png");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !(screen.shows("Keystation") && colours(&screen, &picture) > 20) {
        let ended = window.0.try_wait().unwrap();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(ended.is_none() && Instant::now() < deadline, "no window: {ended:?}: {}", said());
        thread::sleep(Duration::from_millis(250));
    }
    screen.press("alt+F4");
    let deadline = Instant::now() + Duration::from_secs(30);
    while window.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the window does not close");
        thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn the_package_installs_on_a_clean_debian_works_there_and_leaves_the_data_when_it_goes() {
    let began = Instant::now();
    let lap = |what: &str| println!("{:>5.0} s  {what}", began.elapsed().as_secs_f64());
    let clean = Clean::new();
    lap("a clean Debian");
    done(root("cp").arg(package("deb")).arg(clean.0.join("tmp/keystation.deb")));
    let archives = folder().join("archives");
    fs::create_dir_all(&archives).unwrap();
    done(root("cp -a").arg(format!("{}/.", archives.display())).arg(clean.0.join("var/cache/apt/archives")));
    let apt = "apt-get --quiet --yes --no-install-recommends -o APT::Keep-Downloaded-Packages=true -o Dpkg::Options::=--force-unsafe-io";
    clean.run("root", &format!("apt-get --quiet update; {apt} install /tmp/keystation.deb"));
    done(
        root("sh -c")
            .arg("cp -n \"$1\"/*.deb \"$2\" || true")
            .arg("sh")
            .arg(clean.0.join("var/cache/apt/archives"))
            .arg(&archives),
    );
    lap("installed, with what it depends on");

    // The headless program, by an ordinary user.
    clean.run("root", "useradd --create-home op");
    let said =
        clean.run("op", "keystation init --origin keylog.example.com/plant7/stn03; keystation selftest");
    assert!(said.contains("ok   derivation") && !said.contains("FAIL"), "{said}");
    for file in [
        "usr/share/man/man1/keystation.1.gz",
        "usr/share/man/man1/keystation-key-import.1.gz",
        "usr/share/man/man1/keystation-desktop.1.gz",
        "usr/lib/udev/rules.d/60-keystation.rules",
        "usr/lib/systemd/system/keystation.service",
        "usr/share/applications/Keystation.desktop",
        "usr/share/icons/hicolor/scalable/apps/keystation-desktop.svg",
        "usr/share/doc/keystation/copyright",
    ] {
        assert!(clean.exists(file), "{file}");
    }
    lap("self test passed");

    // The window, on a display of this machine. Its page that says why there is no station has as many colours as one of a station:
    // whether there is one the log says, which has a record of its opening and of its end then.
    let opened = || {
        let records = clean.run("op", "keystation --json audit show");
        ["log.open", "log.close"].map(|event| records.matches(&format!("\"ev\":\"{event}\"")).count())
    };
    let [opens, closes] = opened();
    shows_its_page(&mut clean.script("op", "exec keystation-desktop"));
    assert_eq!(
        opened(),
        [opens + 1, closes + 1],
        "the window has opened the station, and closed it in order"
    );
    lap("the window shows its page");

    // It goes, and says what stays.
    clean.run("root", "mkdir -m 700 /var/lib/keystation; echo x > /var/lib/keystation/station.toml");
    for verb in ["remove", "purge"] {
        let said = clean.run("root", &format!("{apt} {verb} keystation"));
        assert!(said.contains("the data of stations are left as they are"), "{verb}: {said}");
        assert!(
            said.contains("/var/lib/keystation") && said.contains(".local/share/keystation"),
            "{verb}: {said}"
        );
        assert!(!clean.exists("usr/bin/keystation") && !clean.exists("usr/bin/keystation-desktop"), "{verb}");
        for kept in ["var/lib/keystation/station.toml", "home/op/.local/share/keystation/audit.db"] {
            assert!(clean.exists(kept), "{verb}: {kept}");
        }
    }
    lap("removed and purged");
}

#[test]
fn both_packages_have_the_same_files() {
    let listed = done(Command::new("dpkg-deb").arg("--contents").arg(package("deb")));
    let files = listed.lines().filter(|line| line.starts_with('-'));
    let deb: BTreeSet<_> =
        files.map(|line| format!("/{}", line.split_whitespace().last().unwrap())).collect();
    let listed = done(Command::new("rpm").args(["--query", "--list", "--package"]).arg(package("rpm")));
    let rpm: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
    assert!(deb.contains("/usr/bin/keystation") && deb.contains("/usr/bin/keystation-desktop"), "{deb:?}");
    assert_eq!(deb.difference(&rpm).collect::<Vec<_>>(), Vec::<&String>::new());
    // No program that makes devices which are none, or a window that somebody else drives.
    assert!(!deb.iter().any(|file| file.contains("sim") || file.contains("driven")), "{deb:?}");
    let scripts = done(Command::new("rpm").args(["--query", "--scripts", "--package"]).arg(package("rpm")));
    assert!(scripts.contains("the data of stations are left as they are"), "{scripts}");
}

/// By the tool of the systems that it is for, into a folder; with the libraries of this machine, which are those that it was built with.
#[test]
fn the_rpm_installs_and_its_programs_and_its_unit_work() {
    let place = folder().join("rpm-root");
    let rpm = |verb: &str| {
        let mut rpm = root(&format!("rpm {verb} --root"));
        rpm.arg(&place);
        rpm
    };
    done(root("rm -rf --one-file-system").arg(&place));
    done(root("mkdir").arg(&place));
    done(&mut rpm("--initdb"));
    // What it needs is here under the names of another distribution; its scripts are asked for in the test above.
    done(rpm("--install --nodeps --noscripts --nosignature").arg(package("rpm")));
    let verified = done(rpm("--verify --nodeps --noscripts").arg("keystation"));
    assert_eq!(verified.lines().filter(|line| line.contains('/')).collect::<Vec<_>>(), Vec::<&str>::new());

    let home = tempfile::tempdir().unwrap();
    let installed = |name: &str| {
        let mut command = Command::new(place.join("usr/bin").join(name));
        command.env("HOME", home.path()).env_remove("XDG_DATA_HOME").stdin(Stdio::null());
        command
    };
    done(installed("keystation").args(["init", "--origin", "keylog.example.com/plant7/stn03"]));
    let said = done(installed("keystation").arg("selftest"));
    assert!(said.contains("ok   derivation") && !said.contains("FAIL"), "{said}");
    shows_its_page(&mut installed("keystation-desktop"));

    // systemd says what it does not understand of a unit, and goes on. What the unit stands on comes from this machine.
    let units = place.join("usr/lib/systemd/system");
    done(
        root("sh -c")
            .arg("cp /usr/lib/systemd/system/*.target /usr/lib/systemd/system/*.slice \"$1\"")
            .arg("sh")
            .arg(&units),
    );
    let analyze = |verb: &str| {
        let mut analyze = Command::new("systemd-analyze");
        analyze.arg(format!("--root={}", place.display())).args(verb.split(' ')).arg("keystation.service");
        analyze
    };
    assert_eq!(done(&mut analyze("verify --man=no --recursive-errors=yes")), "");
    // 1.0 of 10, and not much more (docs/install.md).
    done(&mut analyze("security --offline=true --threshold=15"));

    done(rpm("--erase --nodeps --noscripts").arg("keystation"));
    for gone in
        ["usr/bin/keystation", "usr/bin/keystation-desktop", "usr/lib/systemd/system/keystation.service"]
    {
        assert!(!place.join(gone).exists(), "{gone}");
    }
    done(root("rm -rf --one-file-system").arg(&place));
}
