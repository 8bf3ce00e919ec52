//! A display of our own: the real window, a keyboard for it and a camera.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run;

/// How long a window may take to appear, on a busy machine.
const WINDOW_LIMIT: Duration = Duration::from_secs(60);

/// A virtual display with a window manager; both end with this value.
pub(crate) struct Screen {
    name: String,
    _manager: Running,
    _server: Running,
}

/// A child that is ended when it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Screen {
    /// Starts a display of 1280 × 800 pixels. The server chooses a free number itself, so two never collide.
    pub(crate) fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .context("starting Xvfb")?;
        let mut number = String::new();
        let stdout = server.0.stdout.as_mut().context("Xvfb has a standard output")?;
        BufReader::new(stdout).read_line(&mut number).context("reading the display number of Xvfb")?;
        if number.trim().is_empty() {
            bail!("Xvfb did not start a display");
        }
        let name = format!(":{}", number.trim());
        let manager = Command::new("openbox")
            .env("DISPLAY", &name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .context("starting openbox")?;
        Ok(Self { name, _manager: manager, _server: server })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.put(&mut command);
        command
    }

    /// Has `command` open its windows here.
    pub(crate) fn put<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY")
    }

    /// Waits for the window with exactly this title and gives it the keyboard.
    pub(crate) fn focus(&self, title: &str) -> Result<()> {
        let mut activate = self.command("xdotool");
        activate.args([
            "search",
            "--onlyvisible",
            "--name",
            &format!("^{title}$"),
            "windowactivate",
            "--sync",
        ]);
        // Not `search --sync`: it fails for good when any window goes away while it looks.
        let activated = || Ok(activate.output().context("starting xdotool")?.status.success());
        if !run::wait_until(WINDOW_LIMIT, activated)? {
            bail!("no window {title:?} within {} s", WINDOW_LIMIT.as_secs());
        }
        Ok(())
    }

    /// Types the line in `file`, then Enter. From a file: a secret has no place in a command line.
    pub(crate) fn type_line(&self, file: &Path) -> Result<()> {
        // The line feed at the end of the file is not typed.
        run::captured(self.command("xdotool").args(["type", "--file"]).arg(file))?;
        self.press("Return")
    }

    /// The same as fast as fingers are: what comes faster is a badge scanner's.
    pub(crate) fn type_by_hand(&self, file: &Path) -> Result<()> {
        run::captured(self.command("xdotool").args(["type", "--delay", "120", "--file"]).arg(file))?;
        self.press("Return")
    }

    /// Whether a window with exactly this title is there now.
    pub(crate) fn shows(&self, title: &str) -> Result<bool> {
        let mut search = self.command("xdotool");
        search.args(["search", "--onlyvisible", "--name", &format!("^{title}$")]);
        Ok(search.output().context("starting xdotool")?.status.success())
    }

    /// Presses one key or a combination, by its X name.
    pub(crate) fn press(&self, key: &str) -> Result<()> {
        run::captured(self.command("xdotool").args(["key", key]))?;
        Ok(())
    }

    /// How much of the display has exactly this colour, from 0 to 1.
    pub(crate) fn share_of(&self, colour: [u8; 3]) -> Result<f64> {
        let mut import = self.command("import");
        let shot =
            import.args(["-window", "root", "-depth", "8", "rgb:-"]).output().context("starting import")?;
        if !shot.status.success() || shot.stdout.is_empty() {
            bail!("import: {}\n{}", shot.status, String::from_utf8_lossy(&shot.stderr));
        }
        Ok(share(&shot.stdout, colour))
    }

    /// A picture of the whole display.
    pub(crate) fn photograph(&self, file: &Path) -> Result<()> {
        run::captured(self.command("import").args(["-window", "root"]).arg(file))?;
        Ok(())
    }
}

/// The share of `colour` among the pixels of `rgb`, three bytes each.
fn share(rgb: &[u8], colour: [u8; 3]) -> f64 {
    let pixels = rgb.chunks_exact(3);
    let all = pixels.len();
    pixels.filter(|pixel| *pixel == colour).count() as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_one_colour_are_counted() {
        let rgb = [0, 77, 64, 0, 77, 64, 77, 64, 0, 0, 0, 0];
        assert!((share(&rgb, [0, 77, 64]) - 0.5).abs() < f64::EPSILON);
    }
}
