//! Which devices a work order is for.

use std::collections::HashMap;

use keystation_core::failure::Code;
use keystation_core::identity::{Identity, Mac, SerialNumber};

/// The devices of a work order. The default allows every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    pub(super) ouis: Vec<[u8; 3]>,
    pub(super) form: Option<SerialForm>,
    pub(super) named: Named,
}

/// The devices that are named one by one, if they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Named {
    #[default]
    Nowhere,
    List(DeviceList),
    Range(SerialRange),
}

/// Why a device is not one of a work order. What it says of itself is printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOfOrder {
    /// It has no MAC address, or that of another maker.
    #[error("its MAC address {} begins with no OUI of the work order", .0.map_or("(none)".to_owned(), |mac| mac.to_string()))]
    Maker(Option<Mac>),
    /// It has no serial number, or one of another form.
    #[error("its serial number {} has not the form {form}", .serial.as_ref().map_or("(none)", |serial| serial.as_str()))]
    Form {
        /// What it has.
        serial: Option<SerialNumber>,
        /// What the order asks for.
        form: String,
    },
    /// No entry names it.
    #[error("the work order does not list it")]
    NotListed,
    /// An entry names it by one, and says something else of the other.
    #[error("the work order lists {} with {}", said(.device), said(.listed))]
    Otherwise {
        /// The device.
        device: Identity,
        /// The entry.
        listed: Identity,
    },
    /// Two entries name it, one by its serial number and one by its MAC address: it would be two devices of the order.
    #[error("the work order lists {} and {} as two devices", said(.serial), said(.mac))]
    Twice {
        /// The entry of its serial number.
        serial: Identity,
        /// The entry of its MAC address.
        mac: Identity,
    },
    /// Its serial number is outside of the range.
    #[error("its serial number is not from {first} to {last}")]
    Range {
        /// The first.
        first: String,
        /// The last.
        last: String,
    },
}

/// A device in a few words.
fn said(device: &Identity) -> String {
    let serial = device.serial.as_ref().map(|serial| format!("serial number {serial}"));
    let mac = device.mac.map(|mac| format!("MAC address {mac}"));
    serial.into_iter().chain(mac).collect::<Vec<_>>().join(" and ")
}

impl NotOfOrder {
    /// For the operator.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Maker(_) => Code::WrongMaker,
            Self::Form { .. } => Code::WrongSerial,
            Self::NotListed | Self::Otherwise { .. } | Self::Twice { .. } | Self::Range { .. } => {
                Code::Unlisted
            }
        }
    }
}

impl Devices {
    /// Whether the device is one of the order, as far as it can be told by what it says of itself.
    pub fn admit(&self, device: &Identity) -> Result<(), NotOfOrder> {
        let maker = |mac: Mac| self.ouis.iter().any(|oui| mac.bytes().starts_with(oui));
        if !self.ouis.is_empty() && !device.mac.is_some_and(maker) {
            return Err(NotOfOrder::Maker(device.mac));
        }
        if let Some(form) = &self.form
            && !device.serial.as_ref().is_some_and(|serial| form.fits(serial.as_str()))
        {
            return Err(NotOfOrder::Form { serial: device.serial.clone(), form: form.0.clone() });
        }
        match &self.named {
            Named::Nowhere => Ok(()),
            Named::List(list) => list.admit(device),
            Named::Range(range) => range.admit(device),
        }
    }

    /// How many devices are named, if they are.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match &self.named {
            Named::Nowhere => None,
            Named::List(list) => Some(list.entries.len() as u64),
            Named::Range(range) => Some(range.last - range.first + 1),
        }
    }

    /// The devices of the list, if there is one.
    #[must_use]
    pub fn list(&self) -> &[Identity] {
        match &self.named {
            Named::List(list) => &list.entries,
            Named::Nowhere | Named::Range(_) => &[],
        }
    }
}

/// Devices one by one: no serial number and no MAC address stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeviceList {
    entries: Vec<Identity>,
    serials: HashMap<SerialNumber, usize>,
    macs: HashMap<Mac, usize>,
}

/// An entry that names what another one names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twice {
    /// `serial` or `mac`.
    pub(super) part: &'static str,
    /// What stands twice, in words.
    pub(super) what: String,
    /// The entry that has it already, from 0.
    pub(super) index: usize,
}

impl DeviceList {
    /// Devices at most.
    pub(super) const LIMIT: usize = 100_000;

    pub(super) fn add(&mut self, device: Identity) -> Result<(), Twice> {
        let new = self.entries.len();
        let twice = |part, what, index| Twice { part, what, index };
        if let Some(serial) = &device.serial
            && let Some(index) = self.serials.insert(serial.clone(), new)
        {
            return Err(twice("serial", format!("serial number {serial}"), index));
        }
        if let Some(mac) = device.mac
            && let Some(index) = self.macs.insert(mac, new)
        {
            return Err(twice("mac", format!("MAC address {mac}"), index));
        }
        self.entries.push(device);
        Ok(())
    }

    pub(super) fn entries(&self) -> &[Identity] {
        &self.entries
    }

    fn admit(&self, device: &Identity) -> Result<(), NotOfOrder> {
        let entry = |index: &usize| &self.entries[*index];
        let by_serial = device.serial.as_ref().and_then(|serial| self.serials.get(serial)).map(entry);
        let by_mac = device.mac.as_ref().and_then(|mac| self.macs.get(mac)).map(entry);
        let other = |listed: &&Identity| {
            listed.serial.is_some() && listed.serial != device.serial
                || listed.mac.is_some() && listed.mac != device.mac
        };
        if let Some(listed) = by_serial.into_iter().chain(by_mac).find(other) {
            return Err(NotOfOrder::Otherwise { device: device.clone(), listed: listed.clone() });
        }
        match (by_serial, by_mac) {
            (None, None) => Err(NotOfOrder::NotListed),
            (Some(serial), Some(mac)) if serial != mac => {
                Err(NotOfOrder::Twice { serial: serial.clone(), mac: mac.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// The form of a serial number: `#` is a digit, `@` a letter `A-Z`, `?` any character, every other one itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SerialForm(pub(super) String);

impl SerialForm {
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        if (1..=SerialNumber::LIMIT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            Ok(Self(text.to_owned()))
        } else {
            Err("the form of a serial number has 1 to 64 printable ASCII characters without a space")
        }
    }

    fn fits(&self, serial: &str) -> bool {
        let fits = |(form, byte): (u8, u8)| match form {
            b'#' => byte.is_ascii_digit(),
            b'@' => byte.is_ascii_uppercase(),
            b'?' => true,
            form => form == byte,
        };
        self.0.len() == serial.len() && self.0.bytes().zip(serial.bytes()).all(fits)
    }
}

/// Serial numbers that differ in a counter of fixed width at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SerialRange {
    prefix: String,
    /// Digits of the counter.
    width: usize,
    first: u64,
    last: u64,
}

impl SerialRange {
    pub(super) fn new(first: &SerialNumber, last: &SerialNumber) -> Result<Self, &'static str> {
        let (first, last) = (first.as_str(), last.as_str());
        let counter = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).take(18).count();
        let width = counter(first).min(counter(last));
        if width == 0 || first.len() != last.len() {
            return Err("the two are of the same length and end with a counter");
        }
        let (prefix, begin) = first.split_at(first.len() - width);
        let (other, end) = last.split_at(last.len() - width);
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| "a counter has 1 to 18 digits");
        let range = Self { prefix: prefix.to_owned(), width, first: number(begin)?, last: number(end)? };
        if prefix != other {
            Err("the two differ before their counter")
        } else if range.first > range.last {
            Err("`last` is below `first`")
        } else {
            Ok(range)
        }
    }

    fn admit(&self, device: &Identity) -> Result<(), NotOfOrder> {
        let counter = device.serial.as_ref().and_then(|serial| serial.as_str().strip_prefix(&self.prefix));
        let plain = |digits: &&str| digits.len() == self.width && digits.bytes().all(|b| b.is_ascii_digit());
        let number = counter.filter(plain).and_then(|digits| digits.parse::<u64>().ok());
        if number.is_some_and(|number| (self.first..=self.last).contains(&number)) {
            return Ok(());
        }
        let (first, last) = self.ends();
        Err(NotOfOrder::Range { first, last })
    }

    /// The first and the last serial number.
    pub(super) fn ends(&self) -> (String, String) {
        let spelled = |number| format!("{}{number:0width$}", self.prefix, width = self.width);
        (spelled(self.first), spelled(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(serial: &str, mac: &str) -> Identity {
        let serial = (!serial.is_empty()).then(|| serial.parse().unwrap());
        Identity { mac: (!mac.is_empty()).then(|| mac.parse().unwrap()), serial }
    }

    #[test]
    fn a_range_counts_in_fixed_width() {
        let range = |first: &str, last: &str| {
            SerialRange::new(&first.parse().unwrap(), &last.parse().unwrap())
                .map(|range| Devices { named: Named::Range(range), ..Devices::default() })
        };
        let devices = range("SN099", "SN101").unwrap();
        assert_eq!(devices.count(), Some(3));
        for (serial, fits) in [
            ("SN099", true),
            ("SN100", true),
            ("SN101", true),
            ("SN098", false),
            ("SN102", false),
            ("SN99", false),
            ("SN0100", false),
            ("sn100", false),
            ("SN1O0", false),
            ("SN+99", false),
            ("", false),
        ] {
            assert_eq!(devices.admit(&device(serial, "")).is_ok(), fits, "{serial}");
        }
        let told = devices.admit(&device("SN102", "")).unwrap_err().to_string();
        assert_eq!(told, "its serial number is not from SN099 to SN101");
        for (first, last) in [("SN2", "SN1"), ("SN1", "SN10"), ("SN1", "TN2"), ("SNA", "SNB")] {
            assert!(range(first, last).is_err(), "{first} {last}");
        }
        // As wide as a counter can be, and what is before it belongs to the prefix.
        let wide = range("1000000000000000000001", "1000000000000000000009").unwrap();
        assert_eq!(wide.count(), Some(9));
    }

    #[test]
    fn a_form_has_digits_letters_and_anything() {
        let form = SerialForm::new("S@-##?").unwrap();
        for (serial, fits) in
            [("SX-12z", true), ("SX-12#", true), ("Sx-12z", false), ("SX-1z2", false), ("SX-12", false)]
        {
            assert_eq!(form.fits(serial), fits, "{serial}");
        }
        for bad in ["", "a b", "é", &"#".repeat(65)] {
            assert!(SerialForm::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_listed_device_is_what_its_entry_says() {
        let mut list = DeviceList::default();
        let (a, b, c) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02", "a4:cf:12:00:00:03");
        for (serial, mac) in [("SN-1", a), ("SN-2", ""), ("", b)] {
            list.add(device(serial, mac)).unwrap();
        }
        let devices = Devices { named: Named::List(list.clone()), ..Devices::default() };
        for (serial, mac) in [("SN-1", a), ("SN-2", c), ("SN-2", ""), ("SN-9", b)] {
            assert_eq!(devices.admit(&device(serial, mac)), Ok(()), "{serial} {mac}");
        }
        assert_eq!(devices.admit(&device("SN-9", c)), Err(NotOfOrder::NotListed));
        for (serial, mac) in [("SN-1", b), ("SN-1", ""), ("SN-9", a), ("SN-2", a)] {
            let refused = devices.admit(&device(serial, mac)).unwrap_err();
            assert!(matches!(refused, NotOfOrder::Otherwise { .. }), "{refused:?}");
            assert_eq!(refused.code(), Code::Unlisted);
        }
        // Serial number of one entry, MAC address of another: it would be both, and the order one device short.
        let two = devices.admit(&device("SN-2", b)).unwrap_err();
        assert_eq!(two.code(), Code::Unlisted);
        let told = "the work order lists serial number SN-2 and MAC address a4:cf:12:00:00:02 as two devices";
        assert_eq!(two.to_string(), told);
        let twice = list.clone().add(device("SN-2", "")).unwrap_err();
        assert_eq!((twice.part, twice.what.as_str(), twice.index), ("serial", "serial number SN-2", 1));
        let twice = list.add(device("SN-8", b)).unwrap_err();
        assert_eq!((twice.part, twice.index), ("mac", 2));
    }

    #[test]
    fn maker_and_form_are_asked_first() {
        let devices = Devices {
            ouis: vec![[0xa4, 0xcf, 0x12]],
            form: Some(SerialForm::new("SN#").unwrap()),
            named: Named::Nowhere,
        };
        let code = |serial, mac| devices.admit(&device(serial, mac)).map_err(|refused| refused.code());
        assert_eq!(code("SN1", "a4:cf:12:00:00:01"), Ok(()));
        assert_eq!(code("SN1", "a4:cf:13:00:00:01"), Err(Code::WrongMaker));
        assert_eq!(code("SN1", ""), Err(Code::WrongMaker));
        assert_eq!(code("SNX", "a4:cf:12:00:00:01"), Err(Code::WrongSerial));
        assert_eq!(code("", "a4:cf:12:00:00:01"), Err(Code::WrongSerial));
    }
}
