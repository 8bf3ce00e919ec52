//! A display of our own, with a keyboard and a camera: nothing of it shows on the display of whoever runs the tests.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use keystation_tests::bench::Killed;

use super::page::wait;

/// A virtual display with a window manager; both end with this value.
pub(crate) struct Screen {
    name: String,
    photographs: PathBuf,
    _manager: Killed,
    _server: Killed,
}

impl Screen {
    /// Starts a display of 1280 × 800 pixels.
    pub(crate) fn start() -> Self {
        Self::of(1280, 800)
    }

    /// The same for programs of other users, too.
    pub(crate) fn open_to_all() -> Self {
        Self::with(1280, 800, &["-ac"])
    }

    /// Starts a display of this many pixels. The server chooses a free number itself, so two never collide.
    pub(crate) fn of(width: u32, height: u32) -> Self {
        Self::with(width, height, &[])
    }

    fn with(width: u32, height: u32, more: &[&str]) -> Self {
        let mut server = Command::new("Xvfb");
        let size = format!("{width}x{height}x24");
        server.args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp"]).args(more);
        server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Killed(server.spawn().expect("Xvfb starts: `cargo xtask test` installs it"));
        let mut number = String::new();
        let stdout = server.0.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb tells its number");
        let name = format!(":{}", number.trim());
        let mut manager = Command::new("openbox");
        manager.env("DISPLAY", &name).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let manager = Killed(manager.spawn().expect("openbox starts: `cargo xtask test` installs it"));
        Self { name, photographs: photographs(), _manager: manager, _server: server }
    }

    /// Has `command` open its windows here.
    pub(crate) fn put<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY")
    }

    /// Waits for the window with exactly this title and gives it the keyboard.
    pub(crate) fn focus(&self, title: &str) {
        // A window that goes while xdotool looks at the others is an error to it: then it looks again.
        wait(|| self.gave_keyboard(title).then_some(()), || format!("no window {title:?}"));
    }

    fn gave_keyboard(&self, title: &str) -> bool {
        let mut command = Command::new("timeout");
        command.args(["10", "xdotool", "search", "--onlyvisible", "--name", &format!("^{title}$")]);
        command.args(["windowactivate", "--sync"]).stdout(Stdio::null()).stderr(Stdio::null());
        self.put(&mut command).status().expect("timeout starts").success()
    }

    /// Whether a window with exactly this title is there now.
    pub(crate) fn shows(&self, title: &str) -> bool {
        let mut search = Command::new("xdotool");
        search.args(["search", "--onlyvisible", "--name", &format!("^{title}$")]).stdout(Stdio::null());
        self.put(&mut search).status().expect("xdotool starts").success()
    }

    /// Types a secret, then presses Enter.
    pub(crate) fn enter(&self, secret: &str) {
        self.type_secret(secret);
        self.press("Return");
    }

    /// Types a secret. Over standard input: it has no place in a command line.
    pub(crate) fn type_secret(&self, secret: &str) {
        let mut command = Command::new("xdotool");
        command.args(["type", "--file", "-"]).stdin(Stdio::piped());
        let mut typing = self.put(&mut command).spawn().expect("xdotool starts");
        let mut input = typing.stdin.take().expect("it is piped");
        input.write_all(secret.as_bytes()).expect("xdotool reads");
        drop(input);
        assert!(typing.wait().expect("it is our child").success());
    }

    /// Presses a key, or keys joined by `+`.
    pub(crate) fn press(&self, key: &str) {
        self.done(Command::new("xdotool").args(["key", key]));
    }

    /// Presses keys, so many milliseconds apart.
    pub(crate) fn press_all(&self, keys: &[&str], apart: u32) {
        self.done(Command::new("xdotool").args(["key", "--delay", &apart.to_string()]).args(keys));
    }

    /// Holds a key down until [`Self::let_go`]: the display repeats it, as it does under a finger.
    pub(crate) fn hold(&self, key: &str) {
        self.done(Command::new("xdotool").args(["keydown", key]));
    }

    /// Lets a key go.
    pub(crate) fn let_go(&self, key: &str) {
        self.done(Command::new("xdotool").args(["keyup", key]));
    }

    /// Clicks so often at a place of the window with exactly this title, as fast as a double click is.
    pub(crate) fn click(&self, title: &str, (x, y): (i64, i64), times: u32) {
        let (x, y, times) = (x.to_string(), y.to_string(), times.to_string());
        let window = ["search", "--onlyvisible", "--name", &format!("^{title}$")].map(str::to_owned);
        let mut command = Command::new("xdotool");
        command.args(window).args(["mousemove", "--window", "%1", &x, &y]);
        self.done(command.args(["click", "--repeat", &times, "--delay", "60", "1"]));
    }

    /// A picture of the whole display, `NAME.png`, in the folder that `KEYSTATION_PHOTOGRAPHS` names.
    pub(crate) fn photograph(&self, name: &str) {
        let file = self.photographs.join(name).with_extension("png");
        self.done(Command::new("import").args(["-window", "root"]).arg(file));
    }

    fn done(&self, command: &mut Command) {
        let output = self.put(command).output().expect("`cargo xtask test` installs it");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Where pictures go: for people who look at them after the tests.
fn photographs() -> PathBuf {
    let folder = env::var_os("KEYSTATION_PHOTOGRAPHS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("photographs"), PathBuf::from);
    fs::create_dir_all(&folder).expect("the folder of the pictures");
    folder
}
