//! The label of a device: what was scanned, whom it is for, and whether it is that of the device.
//!
//! What a scanner sends is text of a stranger. It is a label or the name of a slot, and never a command.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use keystation_core::failure::Code;
use keystation_core::flow::{Admission, NotAdmitted};
use keystation_core::identity::{Identity, Mac};
use keystation_core::registration::RegistrationId;

/// What the label of a product shows, and the device has to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelMatch {
    /// Nothing is scanned.
    None,
    /// The serial number, as the device reports it.
    Serial,
    /// The MAC address, in any of its spellings.
    Mac,
    /// The registration ID.
    RegistrationId,
}

/// The text of a label: 1 to 128 characters of printable ASCII, a space only inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// The label of a device.
    Label(Label),
    /// `slot:3`: the next label is for the device in that slot.
    Slot(u32),
}

/// A code that is no label. Nothing was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// No character.
    #[error("the code is empty")]
    Empty,
    /// More than a label has.
    #[error("the code has more than 128 characters: it is no label")]
    TooLong,
    /// A line end in the middle.
    #[error("two codes came at once: scan again")]
    Two,
    /// A character that no label has. Control characters are among them: they trigger nothing here.
    #[error("character {0} of the code cannot stand on a label")]
    Character(usize),
    /// A slot that this line does not have.
    #[error("there is no slot {0} in this line")]
    NoSlot(u32),
}

/// What begins the name of a slot.
const SLOT: &str = "slot:";

impl Label {
    /// Characters at most: as many as a registration ID has.
    pub const LIMIT: usize = RegistrationId::LIMIT;

    /// The label in what a scanner sent, with or without the line end behind it.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(LabelError::Empty);
        }
        if let Some((at, character)) =
            text.chars().enumerate().find(|(_, c)| !(c.is_ascii_graphic() || *c == ' '))
        {
            let end = matches!(character, '\r' | '\n');
            return Err(if end { LabelError::Two } else { LabelError::Character(at + 1) });
        }
        if text.len() > Self::LIMIT {
            return Err(LabelError::TooLong);
        }
        if let Some(at) = [0, text.len() - 1].into_iter().find(|&at| text.as_bytes()[at] == b' ') {
            return Err(LabelError::Character(at + 1));
        }
        Ok(Self(text.to_owned()))
    }

    /// Its characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the label of the device.
    fn is_of(&self, rule: LabelMatch, identity: &Identity, id: &RegistrationId) -> Result<(), WrongLabel> {
        let expected = match rule {
            LabelMatch::None => return Ok(()),
            LabelMatch::Serial => identity.serial.as_ref().map(|serial| serial.as_str().to_owned()),
            LabelMatch::RegistrationId => Some(id.as_str().to_owned()),
            LabelMatch::Mac => {
                let device = identity.mac.ok_or(WrongLabel::NotReported)?;
                return match self.0.parse::<Mac>() {
                    Ok(mac) if mac == device => Ok(()),
                    Err(_) if self.is_two_macs() => Err(WrongLabel::Two),
                    _ => Err(WrongLabel::Other),
                };
            }
        };
        let expected = expected.ok_or(WrongLabel::NotReported)?;
        match self.0.strip_prefix(&expected).or_else(|| self.0.strip_suffix(&expected)) {
            Some("") => Ok(()),
            // This label and one more of about its length: two scans that ran together.
            Some(rest) if rest.len().abs_diff(expected.len()) <= 2 => Err(WrongLabel::Two),
            _ => Err(WrongLabel::Other),
        }
    }

    fn is_two_macs(&self) -> bool {
        let (one, two) = self.0.split_at(self.0.len() / 2);
        self.0.len().is_multiple_of(2) && one.parse::<Mac>().is_ok() && two.parse::<Mac>().is_ok()
    }
}

impl Scan {
    /// What was scanned. A text that begins as the name of a slot and is none is no label either.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let label = Label::new(text)?;
        let Some(number) = label.0.strip_prefix(SLOT) else { return Ok(Self::Label(label)) };
        let digits = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        match number.parse() {
            Ok(number) if digits && number > 0 => Ok(Self::Slot(number)),
            _ => Err(LabelError::Character(SLOT.len() + 1)),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a label, seen from the device. The text of the label stays out of records: it is a stranger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum WrongLabel {
    #[error("it names another device")]
    Other,
    #[error("two labels ran together in one scan")]
    Two,
    #[error("the device does not report what the label shows")]
    NotReported,
}

/// The device must be the one whose label was scanned; then `inner` is asked.
#[derive(Debug, Clone, Copy)]
pub struct LabelRule<'a> {
    /// The label, if one was scanned for it.
    pub scanned: Option<&'a Label>,
    /// What it has to match.
    pub matching: LabelMatch,
    /// Who else decides.
    pub inner: &'a dyn Admission,
}

impl Admission for LabelRule<'_> {
    fn admit(&self, identity: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        let refused = |code, cause| Err(NotAdmitted { code, cause });
        if self.matching != LabelMatch::None {
            let Some(label) = self.scanned else { return refused(Code::NoLabel, None) };
            if let Err(wrong) = label.is_of(self.matching, identity, id) {
                return refused(Code::WrongLabel, Some(Box::new(wrong) as Box<dyn Error + Send + Sync>));
            }
        }
        self.inner.admit(identity, id)
    }
}

/// Labels that were scanned and not used yet: at most one for each slot, and one for whichever comes next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scans {
    /// How often they changed. Who is told of them on two threads knows by it what is newer.
    pub turn: u64,
    /// The slot that was named, for the label that follows.
    pub named: Option<u32>,
    /// For the device that comes into this slot.
    pub of_slot: BTreeMap<u32, Label>,
    /// For the device that comes next.
    pub next: Option<Label>,
    /// What the device has that came into this slot last.
    pub taken: BTreeMap<u32, Label>,
}

impl Scans {
    pub(super) fn put(&mut self, scan: Scan) {
        self.turn += 1;
        match scan {
            Scan::Slot(number) => self.named = Some(number),
            // A label that was not used is replaced: the last one scanned is the one in the hand.
            Scan::Label(label) => match self.named.take() {
                Some(number) => drop(self.of_slot.insert(number, label)),
                None => self.next = Some(label),
            },
        }
    }

    /// Takes the label for a slot, both at once: nothing that is scanned meanwhile comes between, and no slot that was named is
    /// forgotten.
    pub(super) fn put_for(&mut self, number: u32, label: Label) {
        self.turn += 1;
        self.of_slot.insert(number, label);
    }

    /// The label for a device that was just plugged in at slot `number`. A label is used once.
    pub(super) fn take(&mut self, number: u32) -> Option<Label> {
        self.turn += 1;
        let label = self.of_slot.remove(&number).or_else(|| self.next.take());
        match &label {
            Some(label) => drop(self.taken.insert(number, label.clone())),
            None => drop(self.taken.remove(&number)),
        }
        label
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::flow::AnyDevice;
    use keystation_core::registration::IdRule;

    use super::*;

    fn device() -> (Identity, RegistrationId) {
        let identity = Identity { mac: "a4:cf:12:00:00:01".parse().ok(), serial: "SN-1212".parse().ok() };
        (identity, RegistrationId::new("sn-1212", IdRule::Dashes).unwrap())
    }

    fn judged(text: &str, matching: LabelMatch) -> Option<(Code, String)> {
        let (identity, id) = device();
        let label = Label::new(text).unwrap();
        let rule = LabelRule { scanned: Some(&label), matching, inner: &AnyDevice };
        let refused = rule.admit(&identity, &id).err()?;
        Some((refused.code, refused.cause.map_or(String::new(), |cause| cause.to_string())))
    }

    #[test]
    fn a_label_is_that_of_the_device_or_the_device_is_refused() {
        for (text, matching) in [
            ("SN-1212", LabelMatch::Serial),
            ("a4:cf:12:00:00:01", LabelMatch::Mac),
            ("A4-CF-12-00-00-01", LabelMatch::Mac),
            ("a4cf12000001", LabelMatch::Mac),
            ("sn-1212", LabelMatch::RegistrationId),
            ("anything", LabelMatch::None),
        ] {
            assert_eq!(judged(text, matching), None, "{text}");
        }
        for (text, matching, cause) in [
            ("SN-1213", LabelMatch::Serial, "another device"),
            ("sn-1212", LabelMatch::Serial, "another device"),
            ("SN-12120", LabelMatch::Serial, "another device"),
            ("SN-1212SN-1212", LabelMatch::Serial, "ran together"),
            ("SN-1211SN-1212", LabelMatch::Serial, "ran together"),
            ("SN-1212 SN-1213", LabelMatch::Serial, "ran together"),
            ("a4cf12000001a4cf12000002", LabelMatch::Mac, "ran together"),
            ("a4cf12000002", LabelMatch::Mac, "another device"),
            ("sn-1212sn-1212", LabelMatch::RegistrationId, "ran together"),
        ] {
            let (code, why) = judged(text, matching).expect(text);
            assert_eq!(code, Code::WrongLabel, "{text}");
            assert!(why.contains(cause), "{text}: {why}");
        }
    }

    #[test]
    fn no_label_is_refused_where_one_is_asked_for_and_the_order_is_asked_last() {
        #[derive(Debug)]
        struct Nobody;
        impl Admission for Nobody {
            fn admit(&self, _: &Identity, _: &RegistrationId) -> Result<(), NotAdmitted> {
                Err(NotAdmitted { code: Code::Unlisted, cause: None })
            }
        }
        let (identity, id) = device();
        let label = Label::new("SN-1212").unwrap();
        for (scanned, matching, code) in [
            (None, LabelMatch::Serial, Code::NoLabel),
            (None, LabelMatch::None, Code::Unlisted),
            (Some(&label), LabelMatch::Serial, Code::Unlisted),
            (Some(&label), LabelMatch::Mac, Code::WrongLabel),
        ] {
            let rule = LabelRule { scanned, matching, inner: &Nobody };
            assert_eq!(rule.admit(&identity, &id).unwrap_err().code, code);
        }
        let nameless = Identity { mac: None, serial: None };
        let rule = LabelRule { scanned: Some(&label), matching: LabelMatch::Serial, inner: &AnyDevice };
        assert_eq!(rule.admit(&nameless, &id).unwrap_err().code, Code::WrongLabel);
    }

    #[test]
    fn what_no_label_has_is_refused_and_triggers_nothing() {
        assert_eq!(Label::new("SN-1\r\n").unwrap().as_str(), "SN-1");
        assert_eq!(Label::new(&"x".repeat(128)).unwrap().as_str().len(), 128);
        for (text, why) in [
            ("", LabelError::Empty),
            ("\r\n", LabelError::Empty),
            ("SN-1\rSN-2", LabelError::Two),
            ("SN-1\r\nSN-2\r\n", LabelError::Two),
            ("\u{1b}[2J", LabelError::Character(1)),
            ("SN\u{2}1", LabelError::Character(3)),
            ("SN\t1", LabelError::Character(3)),
            ("SN-\u{202e}1", LabelError::Character(4)),
            ("SN-é", LabelError::Character(4)),
            (" SN-1", LabelError::Character(1)),
            ("SN-1 ", LabelError::Character(5)),
            (&"x".repeat(129), LabelError::TooLong),
            (&"x".repeat(4096), LabelError::TooLong),
        ] {
            assert_eq!(Label::new(text), Err(why), "{text:?}");
            assert_eq!(Scan::new(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_slot_is_named_by_its_number_alone() {
        assert_eq!(Scan::new("slot:3\r"), Ok(Scan::Slot(3)));
        assert_eq!(Scan::new("slot:64"), Ok(Scan::Slot(64)));
        assert!(matches!(Scan::new("Slot:3"), Ok(Scan::Label(_))), "a label like any other");
        for text in ["slot:", "slot:0", "slot:+3", "slot: 3", "slot:3slot:4", "slot:3SN-1", "slot:100"] {
            assert_eq!(Scan::new(text), Err(LabelError::Character(6)), "{text}");
        }
    }

    #[test]
    fn a_label_is_for_the_slot_that_was_named_or_for_the_next_device_and_is_used_once() {
        let mut scans = Scans::default();
        let scan = |scans: &mut Scans, text: &str| scans.put(Scan::new(text).unwrap());
        let taken = |scans: &mut Scans, slot| scans.take(slot).map(|label| label.to_string());
        scan(&mut scans, "slot:3");
        scan(&mut scans, "A");
        scan(&mut scans, "B");
        assert_eq!(taken(&mut scans, 1).as_deref(), Some("B"), "the next that is plugged in");
        assert_eq!(taken(&mut scans, 2), None);
        assert_eq!(taken(&mut scans, 3).as_deref(), Some("A"));
        assert_eq!(scans.taken[&3].as_str(), "A", "its device has it");
        assert_eq!(taken(&mut scans, 3), None, "used once");
        assert_eq!(scans.taken.keys().collect::<Vec<_>>(), [&1], "the next device has none");
        scan(&mut scans, "C");
        scan(&mut scans, "D");
        assert_eq!(taken(&mut scans, 3).as_deref(), Some("D"), "the last one scanned");
        // Two hands that label their slots at the same time, and a person who named one.
        scan(&mut scans, "slot:4");
        scans.put_for(1, Label::new("E").unwrap());
        scans.put_for(2, Label::new("F").unwrap());
        scan(&mut scans, "G");
        let all = [1, 2, 4].map(|slot| taken(&mut scans, slot).unwrap());
        assert_eq!(all, ["E", "F", "G"]);
    }
}
