//! `cargo xtask demo`: a station, simulated devices and the window, with the group key that Microsoft publishes.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run;
use crate::screen::{Running, Screen};
use crate::setup::{self, Reach};

/// The device of the published example. What it has to end up with stands in `tests/vectors/dps-derive.json`.
const SERIAL: &str = "007-888-abc";
const MAC: &str = "a1:b2:c3:d4:e5:f6";
const ID: &str = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";

/// Of its group key: docs/ceremony.md, section 7.
const CHECK_VALUE: &str = "9B5BD-BEC8B";

const PROFILE: &str = include_str!("demo-profile.toml");

/// A debug build of the window, from nothing, on two busy cores.
const BUILD_LIMIT: Duration = Duration::from_secs(45 * 60);

/// Who works in the demo, and as what.
const PEOPLE: [(&str, &str); 6] = [
    ("admin-1", ADMINISTRATOR),
    ("admin-2", ADMINISTRATOR),
    ("custodian-1", "custodian"),
    ("custodian-2", "custodian"),
    (OPERATOR, "operator"),
    ("qa-1", "qa"),
];
const ADMINISTRATOR: &str = "administrator";
const OPERATOR: &str = "op-17";

/// How long the virtual operator waits for the window.
const PASS_LIMIT: Duration = Duration::from_secs(60);

/// The ground of a card that shows PASS, and the least share of the display that it takes.
const PASS_GREEN: [u8; 3] = [0x00, 0x4d, 0x40];
const PASS_SHARE: f64 = 0.1;

/// The ground of every other card, in the light theme, and how much of it there is once the page stands.
const CARD: [u8; 3] = [0xf3, 0xf5, 0xf6];
const CARD_SHARE: f64 = 0.3;

/// Shows the whole path; `headless` keeps the window off a display that is there.
pub(crate) fn demo(headless: bool) -> Result<()> {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|d| !d.is_empty()));
    let visible = display && !headless;
    setup::setup(if visible { Reach::Fast } else { Reach::Window })?;
    build()?;
    let bench = Bench::set_up()?;
    bench.key_the_published_device()?;
    if visible {
        bench.show_window()?
    } else {
        bench.photograph_window()?
    }
    println!("\nAfter all that, the log:");
    bench.keystation(&["audit", "show"])?;
    bench.keystation(&["audit", "verify"])?;
    println!("\nEverything lies in {} and can be deleted.", bench.folder.display());
    Ok(())
}

fn build() -> Result<()> {
    println!("Build");
    let programs = run::line("cargo build --package keystation --package keystation-device --bins")?;
    run::quietly("station and simulated device", &programs, BUILD_LIMIT)?;
    let window = run::line("ui/node_modules/.bin/tauri build --debug --no-bundle")?;
    run::quietly("window (the first time takes minutes)", &window, BUILD_LIMIT)
}

/// A station of its own, with two simulated devices plugged in.
struct Bench {
    folder: PathBuf,
    _devices: Running,
}

impl Bench {
    fn set_up() -> Result<Self> {
        let made = run::captured(Command::new("mktemp").args([
            "--directory",
            "--tmpdir",
            "keystation-demo-XXXXXX",
        ]))?;
        let folder = PathBuf::from(made.trim_end());
        println!("\nA station in {}", folder.display());
        private_file(&folder.join("passphrase"), &random_passphrase()?)?;
        private_file(&folder.join("group-key"), &published("group_key_b64")?)?;
        let devices = start_devices(&folder)?;
        let bench = Self { folder, _devices: devices };

        bench.make_people()?;
        fs::write(bench.folder.join("station/profiles/published-example.toml"), PROFILE)?;
        println!("\nThe group key, by one custodian, approved by another:");
        bench.by_two(
            "custodian-1",
            "custodian-2",
            &[
                "key",
                "import",
                "--label",
                "example-published",
                "--group",
                "mylegacydevices",
                "--scope",
                "0ne00000000",
                "--slot",
                "primary",
                "--check-value",
                CHECK_VALUE,
                "--key-file",
                &bench.path("group-key"),
                "--passphrase-file",
                &bench.path("passphrase"),
            ],
        )?;
        let activate =
            ["key", "activate", "example-published", "--reason", "first use", "--check-value", CHECK_VALUE];
        bench.by_two("custodian-1", "custodian-2", &activate)?;
        Ok(bench)
    }

    /// The station with its people. Two administrators make the accounts; each PIN holds once, until the person chooses another.
    fn make_people(&self) -> Result<()> {
        for (person, _) in PEOPLE {
            private_file(&self.folder.join(pin_file(person)), &random_pin()?)?;
        }
        let pins = ["admin-1", "admin-2"].map(|admin| self.path(&pin_file(admin)));
        self.keystation(&[
            "init",
            "--origin",
            "keylog.example.com/demo/station-1",
            "--admin",
            "admin-1",
            "--admin-pin-file",
            &pins[0],
            "--admin",
            "admin-2",
            "--admin-pin-file",
            &pins[1],
        ])?;
        for (person, role) in PEOPLE.iter().filter(|(_, role)| *role != ADMINISTRATOR) {
            let once = self.folder.join("once");
            private_file(&once, &random_pin()?)?;
            let once_file = self.path("once");
            let add = ["person", "add", person, "--roles", role, "--new-pin-file", &once_file];
            self.by_two("admin-1", "admin-2", &add)?;
            let own = self.path(&pin_file(person));
            self.keystation(&[
                "--operator",
                person,
                "--pin-file",
                &once_file,
                "person",
                "change-pin",
                "--new-pin-file",
                &own,
            ])?;
            fs::remove_file(once)?;
        }
        Ok(())
    }

    /// A verb of somebody who signs in for it.
    fn by(&self, person: &str, args: &[&str]) -> Result<()> {
        let pin = self.path(&pin_file(person));
        self.keystation(&[&["--operator", person, "--pin-file", &pin], args].concat())
    }

    /// A verb of somebody, which another person approves.
    fn by_two(&self, person: &str, approver: &str, args: &[&str]) -> Result<()> {
        let pin = self.path(&pin_file(approver));
        self.by(person, &[&["--approver", approver, "--approver-pin-file", &pin], args].concat())
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs the headless binary as a person would, the command line shown.
    fn keystation(&self, args: &[&str]) -> Result<()> {
        println!("\n$ keystation --data {} {}", self.path("station"), args.join(" "));
        let mut command = run::command(run::binary("keystation")?)?;
        let status = command.arg("--data").arg(self.folder.join("station")).args(args).status()?;
        if !status.success() {
            bail!("keystation {}: {status}", args.first().unwrap_or(&""));
        }
        Ok(())
    }

    fn key_the_published_device(&self) -> Result<()> {
        println!("\nA device is plugged in: serial number {SERIAL}, MAC {MAC}.");
        self.by(
            OPERATOR,
            &[
                "inject",
                "--port",
                &self.path("ports/dev0"),
                "--profile",
                "published-example.toml",
                "--passphrase-file",
                &self.path("passphrase"),
            ],
        )?;
        self.by(
            "qa-1",
            &[
                "check",
                "--port",
                &self.path("ports/dev0"),
                "--profile",
                "published-example.toml",
                "--passphrase-file",
                &self.path("passphrase"),
            ],
        )?;

        let (id, key) = self.held_by("dev0")?;
        let expected = published("device_key_b64")?;
        println!("\nThe device holds     {key} for {id}");
        println!("Microsoft publishes  {expected} for {ID}");
        if id != ID || key != expected {
            bail!("these are not the same");
        }
        println!("The same.");
        Ok(())
    }

    /// Registration ID and key in a simulated device's storage.
    fn held_by(&self, device: &str) -> Result<(String, String)> {
        let file = self.folder.join("devices").join(format!("{device}.json"));
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let state: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        let field =
            |name: &str| state[name].as_str().map(str::to_owned).with_context(|| format!("{name} in {text}"));
        Ok((field("registration_id")?, field("device_key")?))
    }

    /// The window's command line; its one slot is where the second device is plugged in.
    fn window(&self) -> Result<Command> {
        let settings = self.folder.join("station/station.toml");
        let mut file = OpenOptions::new()
            .append(true)
            .open(&settings)
            .with_context(|| settings.display().to_string())?;
        writeln!(
            file,
            "\n[[slot]]\nport = {:?}\nprofile = \"published-example.toml\"",
            self.path("ports/dev1")
        )?;
        let mut command = run::command(run::binary("keystation-desktop")?)?;
        command.arg("--data").arg(self.folder.join("station"));
        Ok(command)
    }

    fn show_window(&self) -> Result<()> {
        let pin = fs::read_to_string(self.folder.join(pin_file(OPERATOR)))?;
        println!("\nThe window opens. Sign in as {OPERATOR} with the PIN {}.", pin.trim());
        println!("It asks for the passphrase of the vault: it is in {}", self.path("passphrase"));
        println!("A second device is plugged in already. Close the window to end the demo.");
        let status = self.window()?.status()?;
        if !status.success() {
            bail!("the window ended with {status}");
        }
        Ok(())
    }

    /// How often somebody signed in up to now, as the log has it.
    fn sign_ins(&self) -> Result<usize> {
        let mut show = run::command(run::binary("keystation")?)?;
        let records =
            run::captured(show.arg("--data").arg(self.folder.join("station")).args(["audit", "show"]))?;
        Ok(records.matches("auth.ok").count())
    }

    fn photograph_window(&self) -> Result<()> {
        println!("\nThe same in the real window, on a virtual display, with a second device:");
        let screen = Screen::start()?;
        let messages = fs::File::create(self.folder.join("window.log"))?;
        let mut window = self.window()?;
        let window = screen.put(&mut window).stderr(messages).spawn().context("starting the window")?;
        let mut window = Running(window);
        screen.focus("Keystation")?;
        private_file(&self.folder.join("operator"), OPERATOR)?;
        let before = self.sign_ins()?;
        let picture = self.folder.join("window.png");
        // Letters that come before the page stands are lost, and what is left of them is somebody else's ID.
        if !run::wait_until(PASS_LIMIT, || Ok(screen.share_of(CARD)? > CARD_SHARE))? {
            screen.photograph(&picture)?;
            bail!("no page in the window within {} s: {}", PASS_LIMIT.as_secs(), picture.display());
        }
        screen.type_by_hand(&self.folder.join("operator"))?;
        screen.type_by_hand(&self.folder.join(pin_file(OPERATOR)))?;
        let signed_in = run::wait_until(PASS_LIMIT, || Ok(self.sign_ins()? > before))?;
        if !signed_in {
            screen.photograph(&picture)?;
            bail!("nobody is signed in within {} s: {}", PASS_LIMIT.as_secs(), picture.display());
        }
        let asked = run::wait_until(PASS_LIMIT, || {
            let asked = screen.shows("Unlock the vault")?;
            if !asked {
                screen.press("Return")?;
            }
            Ok(asked)
        })?;
        if !asked {
            screen.photograph(&picture)?;
            bail!("no window asks for the passphrase: {}", picture.display());
        }
        screen.focus("Unlock the vault")?;
        screen.type_line(&self.folder.join("passphrase"))?;
        let seen = run::wait_until(PASS_LIMIT, || Ok(screen.share_of(PASS_GREEN)? > PASS_SHARE))?;
        screen.photograph(&picture)?;
        if !seen {
            bail!("no PASS in the window within {} s: {}", PASS_LIMIT.as_secs(), picture.display());
        }
        screen.focus("Keystation")?;
        screen.press("alt+F4")?;
        if !run::wait_until(PASS_LIMIT, || Ok(window.0.try_wait()?.is_some()))? {
            bail!("the window did not close: {}", self.path("window.log"));
        }
        println!("PASS is shown; the picture: {}", picture.display());
        Ok(())
    }
}

/// `keystation-sim` with the published device and one more; returns when both can be opened.
fn start_devices(folder: &Path) -> Result<Running> {
    let (ports, devices) = (folder.join("ports"), folder.join("devices"));
    for made in [&ports, &devices] {
        DirBuilder::new().mode(0o700).create(made)?;
    }
    let mut command = run::command(run::binary("keystation-sim")?)?;
    command.args(["--json", "--count", "2", "--serial", SERIAL, "--mac", MAC]);
    command.arg("--link").arg(&ports).arg("--state").arg(&devices);
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting keystation-sim")?;
    let mut running = Running(child);
    let stdout = running.0.stdout.as_mut().context("keystation-sim has a standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    for _ in 0..2 {
        let line = lines.next().context("keystation-sim ended")??;
        if !line.contains("\"ready\"") {
            bail!("keystation-sim: {line}");
        }
    }
    Ok(running)
}

/// A field of the published example, the first derivation vector.
fn published(field: &str) -> Result<String> {
    let file = run::root().join("tests/vectors/dps-derive.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let first = &vectors["vectors"][0];
    if first["registration_id"] != ID {
        bail!("the first vector of {} is not {ID}", file.display());
    }
    first[field].as_str().map(str::to_owned).with_context(|| format!("{field} in {}", file.display()))
}

/// 128 random bits in hex: a passphrase that nobody has to remember.
fn random_passphrase() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes everything");
        hex
    }))
}

/// Eight random digits. One in a million is refused as too simple, and the demo says so.
fn random_pin() -> Result<String> {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect())
}

fn pin_file(person: &str) -> String {
    format!("pin-{person}")
}

fn private_file(path: &Path, line: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    writeln!(file.with_context(|| path.display().to_string())?, "{line}")?;
    Ok(())
}
