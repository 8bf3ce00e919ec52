//! Simulated devices on pseudo-terminals: see `keystation_device::sim`.

use std::fs;
use std::io::{self, BufRead, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use clap::Parser;
use keystation_core::identity::Mac;
use keystation_device::sim::{Bench, Event, GRAMMAR, Persona, Script, Settings, What};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Simulated devices on pseudo-terminals, as slow as a real line, each keeping its credential set in a file.
///
/// One line is printed for each device that is ready, unplugged or out of order. SIGTERM and SIGINT end it in good order.
#[derive(Parser)]
#[command(version, after_help = after_help())]
struct Arguments {
    /// How many devices.
    #[arg(long, default_value = "1")]
    count: NonZeroUsize,
    /// Directory of the links to the ports: dev0, dev1, …
    #[arg(long, value_name = "DIR")]
    link: PathBuf,
    /// Directory of the memories: dev0.json, dev1.json, … They hold device keys in the clear, on purpose.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Speed of the lines; 0 for as fast as the computer.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// What goes wrong: a fault script, or @FILE.
    #[arg(long, value_name = "SCRIPT", default_value = "")]
    fault: String,
    /// MAC address of device 0, or `none`; the others count up.
    #[arg(long)]
    mac: Option<String>,
    /// Serial number of device 0, or `none`; the others count up.
    #[arg(long)]
    serial: Option<String>,
    /// Firmware version that the devices report.
    #[arg(long)]
    firmware: Option<String>,
    /// One JSON object a line: {"event": "ready" | "unplugged" | "failed" | "done" | "error", …}
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Commands on standard input, one a line; each is answered by `done`, after the lines of what it caused, or by an error:
  unplug N          pull the cable of device N: its port and its memory are gone
  plug N            put it back
  fault N SCRIPT    another fault script for device N; an empty one for none
  quit              end
The end of standard input ends nothing.

Fault scripts:
{GRAMMAR}"
    )
}

/// What wakes the main thread.
enum Input {
    Line(String),
    Signal,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printer = Arc::new(Printer { json: arguments.json });
    match run(arguments, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing is left to do when even standard error is closed.
            let _ = writeln!(io::stderr(), "keystation-sim: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments, printer: &Arc<Printer>) -> Result<(), String> {
    // Before the first device: a signal must not leave links behind.
    let (inputs, received) = mpsc::channel();
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|e| format!("cannot wait for signals: {e}"))?;
    let signalled = inputs.clone();
    thread::spawn(move || signals.forever().try_for_each(|_| signalled.send(Input::Signal)));

    let settings = settings(arguments)?;
    let events = Arc::clone(printer);
    let bench = Bench::start(&settings, move |event| events.event(&event)).map_err(chain)?;
    thread::spawn(move || read_commands(&inputs));
    for input in received {
        match input {
            Input::Signal => break,
            Input::Line(line) if line.trim() == "quit" => break,
            Input::Line(line) => match obey(&bench, line.trim()) {
                Ok(()) => printer.done(line.trim()),
                Err(message) => printer.error(&message),
            },
        }
    }
    drop(bench);
    Ok(())
}

fn settings(arguments: Arguments) -> Result<Settings, String> {
    let mut persona = Persona::default();
    if let Some(mac) = arguments.mac {
        persona.mac = match mac.as_str() {
            "none" => None,
            text => Some(text.parse::<Mac>().map_err(chain)?.bytes()),
        };
    }
    if let Some(serial) = arguments.serial {
        persona.serial = Some(serial).filter(|serial| serial != "none");
    }
    if let Some(firmware) = arguments.firmware {
        persona.firmware = firmware;
    }
    let script = match arguments.fault.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?,
        None => arguments.fault,
    };
    Ok(Settings {
        count: arguments.count.get(),
        persona,
        links: arguments.link,
        states: arguments.state,
        baud: NonZeroU32::new(arguments.baud),
        script: script.parse::<Script>().map_err(chain)?,
    })
}

fn read_commands(inputs: &Sender<Input>) {
    for line in io::stdin().lock().lines() {
        // A closed or unreadable standard input is one that says no more.
        let Ok(line) = line else { return };
        if inputs.send(Input::Line(line)).is_err() {
            return;
        }
    }
}

fn obey(bench: &Bench, line: &str) -> Result<(), String> {
    let mut words = line.splitn(3, ' ');
    let (command, number, rest) = (words.next(), words.next(), words.next());
    let unknown = || format!("`{line}` is not a command: unplug N, plug N, fault N SCRIPT, quit");
    let device: usize = number.and_then(|number| number.parse().ok()).ok_or_else(unknown)?;
    if device >= bench.count() {
        return Err(format!("there is no device {device}"));
    }
    let done = match (command, rest) {
        (Some("unplug"), None) => bench.unplug(device),
        (Some("plug"), None) => bench.plug(device),
        (Some("fault"), script) => {
            let script: Script = script.unwrap_or_default().parse().map_err(chain)?;
            bench.set_faults(device, script.faults(device))
        }
        _ => return Err(unknown()),
    };
    if done { Ok(()) } else { Err(format!("device {device} is out of order")) }
}

/// An error with the reasons underneath it, in one line.
fn chain(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

struct Printer {
    json: bool,
}

impl Printer {
    fn event(&self, event: &Event) {
        let (device, path) = (event.device, event.path.display().to_string());
        let (object, text) = match &event.what {
            What::Ready(pty) => {
                let pty = pty.display().to_string();
                (
                    json!({"event": "ready", "device": device, "path": path, "pty": pty}),
                    format!("device {device} ready at {path} ({pty})"),
                )
            }
            What::Unplugged => (
                json!({"event": "unplugged", "device": device, "path": path}),
                format!("device {device} unplugged"),
            ),
            What::Failed(why) => (
                json!({"event": "failed", "device": device, "path": path, "message": why}),
                format!("device {device} is out of order: {why}"),
            ),
        };
        self.print(&object, &text);
    }

    fn done(&self, command: &str) {
        self.print(&json!({"event": "done", "command": command}), &format!("done: {command}"));
    }

    fn error(&self, message: &str) {
        self.print(&json!({"event": "error", "message": message}), message);
    }

    fn print(&self, object: &serde_json::Value, text: &str) {
        let mut out = io::stdout().lock();
        // Whoever started this and reads no more still has its devices.
        let _ = if self.json { writeln!(out, "{object}") } else { writeln!(out, "{text}") };
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_device_at_all_is_refused() {
        let count = |count| {
            Arguments::try_parse_from(["keystation-sim", "--link", "l", "--state", "s", "--count", count])
        };
        assert!(count("1").is_ok());
        assert!(count("0").is_err(), "it would sit there and say nothing");
    }
}
