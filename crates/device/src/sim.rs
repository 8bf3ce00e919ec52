//! Simulated devices: the device's side of the protocol on pseudo-terminals, as slow as a real line, and able to fail
//! and to lie in every way that a real one might.
//!
//! They ship with the station: `keystation-sim` puts them where a station can find them, for trials, demonstrations and
//! tests. [`SimDevice`] is a second implementation of `docs/device-protocol.md`; with the station's driver it shares the
//! framing and the numbers of the commands, nothing else.
//!
//! # Fault script
//!
//! ```text
#![doc = include_str!("sim/script.txt")]
//! ```

mod bench;
mod device;
mod digest;
mod line;
mod pty;
mod script;
mod slot;
mod state;

pub use bench::{Bench, Event, Settings, SimError, What};
pub use device::{Reply, SimDevice};
pub use script::{Faults, GRAMMAR, Lie, NotAFault, Script};

/// Who a simulated device says it is. Nothing of it is checked: a bench must also see devices that report nonsense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// MAC address.
    pub mac: Option<[u8; 6]>,
    /// Serial number, at most 200 bytes.
    pub serial: Option<String>,
    /// Firmware version, at most 100 bytes.
    pub firmware: String,
}

impl Default for Persona {
    /// An address of the block that RFC 7042 sets aside for documentation.
    fn default() -> Self {
        Self {
            mac: Some([0x00, 0x00, 0x5e, 0x00, 0x53, 0x01]),
            serial: Some("ks-sim-0001".to_owned()),
            firmware: "sim-1.0".to_owned(),
        }
    }
}

impl Persona {
    /// The device `number` places further: the MAC address counts up, the serial number too where it ends in digits;
    /// any other one is given a number at its end.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let mac = self.mac.map(|mac| {
            let [a, b, c, d, e, f] = mac;
            let value = u64::from_be_bytes([0, 0, a, b, c, d, e, f]).wrapping_add(number as u64);
            let [_, _, mac @ ..] = value.to_be_bytes();
            mac
        });
        let serial = self.serial.as_ref().map(|serial| {
            let digits = serial.len() - serial.bytes().rev().take_while(u8::is_ascii_digit).count();
            let (stem, count) = serial.split_at(digits);
            match count.parse::<u64>() {
                _ if number == 0 => serial.clone(),
                Ok(value) => {
                    format!("{stem}{:0width$}", value.wrapping_add(number as u64), width = count.len())
                }
                Err(_) => format!("{serial}-{number}"),
            }
        });
        Self { mac, serial, firmware: self.firmware.clone() }
    }

    /// How many of the two identifiers it has.
    fn identifiers(&self) -> u64 {
        u64::from(self.mac.is_some()) + u64::from(self.serial.is_some())
    }

    fn mac_text(&self) -> Option<String> {
        self.mac.map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_count_up() {
        let base = Persona {
            mac: Some([0xa1, 0xb2, 0xc3, 0xd4, 0xff, 0xff]),
            serial: Some("SN-099".to_owned()),
            firmware: String::new(),
        };
        assert_eq!(base.numbered(0), base);
        assert_eq!(base.numbered(1).mac_text().unwrap(), "a1:b2:c3:d5:00:00");
        assert_eq!(base.numbered(2).serial.unwrap(), "SN-101");
        let published = Persona { serial: Some("007-888-abc".to_owned()), ..base };
        assert_eq!(published.numbered(3).serial.unwrap(), "007-888-abc-3");
    }
}
