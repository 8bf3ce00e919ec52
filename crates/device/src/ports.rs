//! Serial ports: which there are, and one that is open.

mod open;

use std::io;
use std::path::{Path, PathBuf};

use serialport::{SerialPortType, UsbPortInfo};

pub use open::{Close, SerialPort, open, open_and_close_by, open_at, open_in};

/// A serial port of this computer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortInfo {
    /// Path to open it by, for example `/dev/ttyUSB0`.
    pub path: PathBuf,
    /// What the USB adapter or device says of itself; `None` for a built-in port and a pseudo-terminal.
    pub usb: Option<UsbInfo>,
}

/// What is known of a USB serial port. Texts come from the device: printable ASCII of at most 64 characters, every
/// other character replaced by `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsbInfo {
    /// Where it is plugged in: bus, then the port of each hub, for example `1-1.4`. The same as long as the cable stays.
    pub path: Option<String>,
    /// Vendor ID.
    pub vendor: u16,
    /// Product ID.
    pub product: u16,
    /// Serial number. Of the adapter, not of the device behind it, and often missing or not unique.
    pub serial: Option<String>,
    /// Interface number: tells the ports of one adapter apart.
    pub interface: Option<u8>,
    /// Name of the vendor.
    pub vendor_name: Option<String>,
    /// Name of the product.
    pub product_name: Option<String>,
}

/// A port that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another program has it open, or another slot of this one.
    #[error("{path} is in use by another program: close that one and try again")]
    Busy {
        /// The port.
        path: PathBuf,
    },
    /// There is no such port, or what it leads to was unplugged.
    #[error("{path} is not there: check the cable")]
    Gone {
        /// The port.
        path: PathBuf,
    },
    /// The driver does not open it: a device that was there before may still be being closed.
    #[error("{path} does not open: its driver still holds it")]
    Held {
        /// The port.
        path: PathBuf,
    },
    /// An adapter with several ports.
    #[error("{place} has several ports: `interface` in the settings says which one")]
    Several {
        /// The place.
        place: PathBuf,
    },
    /// It belongs to others.
    #[error("{path} may not be opened by this user: add the user to group dialout and sign in again")]
    Denied {
        /// The port.
        path: PathBuf,
    },
    /// It is something else than a serial port, or does not take the settings.
    #[error("{path} cannot be used as a serial port")]
    Unusable {
        /// The port.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system's list of ports cannot be read.
    #[error("the serial ports of this computer cannot be listed")]
    List(#[source] io::Error),
}

impl PortInfo {
    /// Where and what, for records: `usb-1-1.4/0403:6001/FT9X2`, with `/if1` where the adapter has several ports; the
    /// path for everything that is not on USB.
    #[must_use]
    pub fn label(&self) -> String {
        let Some(usb) = &self.usb else { return self.path.display().to_string() };
        let mut label = format!("usb-{}/", usb.path.as_deref().unwrap_or("?"));
        label.push_str(&format!("{:04x}:{:04x}/", usb.vendor, usb.product));
        label.push_str(usb.serial.as_deref().unwrap_or("-"));
        if let Some(interface) = usb.interface.filter(|&interface| interface != 0) {
            label.push_str(&format!("/if{interface}"));
        }
        label
    }

    /// What is known of the port at `path`, links followed. A path that no list names is a port without USB.
    pub fn of(path: &Path) -> Result<Self, PortError> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        // No list names a pseudo-terminal, and making one takes longer than all else that a device needs of the processor.
        if real.starts_with("/dev/pts") {
            return Ok(Self { path: path.to_owned(), usb: None });
        }
        let usb = list()?.into_iter().find(|port| port.path == real).and_then(|port| port.usb);
        Ok(Self { path: path.to_owned(), usb })
    }
}

/// The ports that the system knows, by path. Pseudo-terminals are never among them.
pub fn list() -> Result<Vec<PortInfo>, PortError> {
    // Where this is missing (a container without sysfs), `serialport` panics instead of finding nothing.
    if !Path::new("/sys/class/tty").is_dir() {
        return Ok(Vec::new());
    }
    let ports = serialport::available_ports().map_err(|e| PortError::List(e.into()))?;
    let mut ports: Vec<_> = ports
        .into_iter()
        .map(|port| PortInfo {
            path: port.port_name.into(),
            usb: match port.port_type {
                SerialPortType::UsbPort(usb) => Some(usb.into()),
                _ => None,
            },
        })
        .collect();
    ports.sort();
    Ok(ports)
}

impl From<UsbPortInfo> for UsbInfo {
    fn from(usb: UsbPortInfo) -> Self {
        Self {
            path: usb.location.map(|location| location.to_string()),
            vendor: usb.vid,
            product: usb.pid,
            serial: usb.serial_number.as_deref().map(printable),
            interface: usb.interface,
            vendor_name: usb.manufacturer.as_deref().map(printable),
            product_name: usb.product.as_deref().map(printable),
        }
    }
}

/// Text of a USB descriptor is whatever somebody programmed: it goes into records and onto screens.
fn printable(text: &str) -> String {
    text.chars().take(64).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usb(serial: Option<&str>, interface: Option<u8>) -> PortInfo {
        let usb = UsbPortInfo {
            vid: 0x0403,
            pid: 0x6001,
            serial_number: serial.map(str::to_owned),
            manufacturer: None,
            product: None,
            location: Some(serialport::Location::new("1".to_owned(), vec![1, 4])),
            interface,
        };
        PortInfo { path: "/dev/ttyUSB0".into(), usb: Some(usb.into()) }
    }

    #[test]
    fn label_names_place_and_adapter() {
        assert_eq!(usb(Some("FT9X2"), Some(0)).label(), "usb-1-1.4/0403:6001/FT9X2");
        assert_eq!(usb(None, Some(1)).label(), "usb-1-1.4/0403:6001/-/if1");
        assert_eq!(usb(Some("a\u{1b}[2J\u{202e}"), None).label(), "usb-1-1.4/0403:6001/a_[2J_");
        assert_eq!(PortInfo { path: "/dev/ttyS0".into(), usb: None }.label(), "/dev/ttyS0");
    }
}
