//! The serial scanner of a line, on a thread of its own.

use std::time::Duration;

use keystation_device::hotplug::{Waited, Watch};
use keystation_device::scanner::Scanner;

use super::Shared;
use super::event::{LineEvent, ScannerFault};
use crate::config::ScannerConfig;

/// Until a scanner that cannot be opened is tried again, unless it is plugged in anew before.
const AGAIN: Duration = Duration::from_secs(5);
/// Waits end by events; this only bounds a single system call.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes codes until the line stops. A scanner that is missing is waited for.
pub(super) fn scan(line: &Shared, config: &ScannerConfig) {
    let watch = match Watch::new(config.place.clone()) {
        Ok(watch) => watch,
        Err(error) => return (line.tell)(LineEvent::Scanner(Some(error.into()))),
    };
    while !line.stopping() {
        match watch.until_present(FOREVER, &line.interrupt) {
            Ok(Waited::Happened) => {}
            Ok(_) => continue,
            Err(error) => return (line.tell)(LineEvent::Scanner(Some(error.into()))),
        }
        let ended =
            Scanner::open(&config.place, config.baud).map_err(ScannerFault::from).and_then(|mut scanner| {
                (line.tell)(LineEvent::Scanner(None));
                // What is no text has a character in it that no label has. Whether it was taken is told.
                let each = |code: &[u8]| drop(line.scanned(&String::from_utf8_lossy(code)));
                Ok(scanner.codes(&line.interrupt, each)?)
            });
        if let Err(fault) = ended {
            (line.tell)(LineEvent::Scanner(Some(fault)));
            // Whatever comes of the wait, it is tried again.
            if let Err(error) = watch.until_absent(AGAIN, &line.interrupt) {
                return (line.tell)(LineEvent::Scanner(Some(error.into())));
            }
        }
    }
}
