//! A stable name for each thing that can go wrong, with a sentence and what to do.

use std::fmt;

/// A stable name for each thing that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The device went away.
    Unplugged,
    /// It did not answer in time.
    Silent,
    /// It answered something else than the protocol says.
    Garbled,
    /// It speaks a protocol version that this station does not.
    Unsupported,
    /// It answered with an error of its own.
    Refused,
    /// It could not store the set.
    StorageFailed,
    /// It was locked at the end of an earlier production run.
    Locked,
    /// It reports no identity that can be used.
    NoIdentity,
    /// It already holds a credential set, and the log says that it was keyed here.
    AlreadyKeyed,
    /// It holds a credential set, and nothing in the log explains it.
    ForeignKey,
    /// The log says that this registration ID has its key, the device holds none.
    AlreadyRecorded,
    /// Another slot is writing a device that says the same of itself.
    Twin,
    /// A write under another group key was begun on it, and what came of that is not known.
    OtherKey,
    /// It did not prove that it holds the key.
    NotProven,
    /// It held nothing after the restart.
    NotKept,
    /// A write that was begun before never reached it.
    NotWritten,
    /// It did not restart.
    NotRestarted,
    /// Another device answered after the write.
    Swapped,
    /// The port is gone, or another program holds it.
    PortUnavailable,
    /// Nobody is signed in who may give devices their keys.
    NotPermitted,
    /// The vault is locked.
    VaultLocked,
    /// The vault cannot derive.
    VaultFailed,
    /// The group key is not active: imported and not activated yet, suspended, or destroyed.
    KeyInactive,
    /// No witness vouched for the log for too long.
    Unsecured,
    /// There is too little room to be sure that a result can be recorded.
    SpaceLow,
    /// The clock went back, and nobody has accepted the time yet.
    ClockDoubted,
    /// The open work order does not name it, and says which devices it is for.
    Unlisted,
    /// Its MAC address begins with the OUI of another maker than the work order allows.
    WrongMaker,
    /// Its serial number has another pattern than the work order asks for.
    WrongSerial,
    /// The profile asks for the label, and none was scanned.
    NoLabel,
    /// The label that was scanned is that of another device.
    WrongLabel,
    /// The log knows its serial number with another MAC address, or its MAC address with another serial number.
    OtherBoard,
    /// It was put down as scrap.
    Scrapped,
    /// Its identity was revoked.
    Revoked,
    /// Another board took its place.
    Replaced,
    /// What is at the port now is not what was there when the device was begun, or not what the slot is bound to.
    Moved,
    /// No work order is open, and the station makes nothing without one; or the one that is named is not open, is for another day
    /// or for another group key.
    NoOrder,
    /// As many devices were begun under the work order as it is for.
    OrderFull,
    /// Repair would write the key that the device holds, and only another one serves the purpose.
    SameKey,
    /// Repair is to write a key into a device that has none, and of which no record says that it ever had one.
    NeverKeyed,
    /// The batch has a list, and the device is not on it.
    NotOfBatch,
    /// It was re-keyed in this batch before.
    AlreadyRekeyed,
    /// As many devices were begun in the batch as it was approved for.
    BatchFull,
    /// The batch was closed, or was never opened in this log.
    BatchClosed,
    /// It would be written otherwise than the batch was approved: under another key, profile, endpoint or reason.
    BatchTerms,
    /// No record says which key it holds, and only another one serves the purpose.
    UnknownKey,
    /// Two devices would have the same key.
    Collision,
    /// A record could not be made durable.
    LogFailed,
}

impl Code {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Unplugged,
        Self::Silent,
        Self::Garbled,
        Self::Unsupported,
        Self::Refused,
        Self::StorageFailed,
        Self::Locked,
        Self::NoIdentity,
        Self::AlreadyKeyed,
        Self::ForeignKey,
        Self::AlreadyRecorded,
        Self::Twin,
        Self::OtherKey,
        Self::NotProven,
        Self::NotKept,
        Self::NotWritten,
        Self::NotRestarted,
        Self::Swapped,
        Self::PortUnavailable,
        Self::NotPermitted,
        Self::VaultLocked,
        Self::VaultFailed,
        Self::KeyInactive,
        Self::Unsecured,
        Self::SpaceLow,
        Self::ClockDoubted,
        Self::Unlisted,
        Self::WrongMaker,
        Self::WrongSerial,
        Self::NoLabel,
        Self::WrongLabel,
        Self::OtherBoard,
        Self::Scrapped,
        Self::Revoked,
        Self::Replaced,
        Self::Moved,
        Self::NoOrder,
        Self::OrderFull,
        Self::SameKey,
        Self::NeverKeyed,
        Self::NotOfBatch,
        Self::AlreadyRekeyed,
        Self::BatchFull,
        Self::BatchClosed,
        Self::BatchTerms,
        Self::UnknownKey,
        Self::Collision,
        Self::LogFailed,
    ];

    /// The name, as it stands in records, in JSON output and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unplugged => "unplugged",
            Self::Silent => "silent",
            Self::Garbled => "garbled",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::StorageFailed => "storage-failed",
            Self::Locked => "locked",
            Self::NoIdentity => "no-identity",
            Self::AlreadyKeyed => "already-keyed",
            Self::ForeignKey => "foreign-key",
            Self::AlreadyRecorded => "already-recorded",
            Self::Twin => "twin",
            Self::OtherKey => "other-key",
            Self::NotProven => "not-proven",
            Self::NotKept => "not-kept",
            Self::NotWritten => "not-written",
            Self::NotRestarted => "not-restarted",
            Self::Swapped => "swapped",
            Self::PortUnavailable => "port-unavailable",
            Self::NotPermitted => "not-permitted",
            Self::VaultLocked => "vault-locked",
            Self::VaultFailed => "vault-failed",
            Self::KeyInactive => "key-inactive",
            Self::Unsecured => "unsecured",
            Self::SpaceLow => "space-low",
            Self::ClockDoubted => "clock-doubted",
            Self::Unlisted => "unlisted",
            Self::WrongMaker => "wrong-oui",
            Self::WrongSerial => "wrong-serial",
            Self::NoLabel => "no-label",
            Self::WrongLabel => "wrong-label",
            Self::OtherBoard => "other-board",
            Self::Scrapped => "scrapped",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Moved => "moved",
            Self::NoOrder => "no-order",
            Self::OrderFull => "order-full",
            Self::SameKey => "same-key",
            Self::NeverKeyed => "never-keyed",
            Self::NotOfBatch => "not-of-batch",
            Self::AlreadyRekeyed => "already-rekeyed",
            Self::BatchFull => "batch-full",
            Self::BatchClosed => "batch-closed",
            Self::BatchTerms => "batch-terms",
            Self::UnknownKey => "unknown-key",
            Self::Collision => "collision",
            Self::LogFailed => "log-failed",
        }
    }

    /// The code of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The class of the failure in a record's `rc` field.
    #[must_use]
    pub const fn rc(self) -> &'static str {
        match self {
            Self::Unplugged | Self::PortUnavailable => "unplugged",
            Self::Silent => "timeout",
            Self::Garbled | Self::Unsupported => "proto_error",
            Self::Refused | Self::StorageFailed | Self::Locked => "write_fail",
            Self::NotProven | Self::NotKept | Self::NotRestarted => "verify_mismatch",
            Self::Swapped | Self::Moved => "swapped",
            Self::NoIdentity
            | Self::AlreadyKeyed
            | Self::ForeignKey
            | Self::AlreadyRecorded
            | Self::Twin
            | Self::OtherKey
            | Self::KeyInactive
            | Self::NotPermitted
            | Self::Unsecured
            | Self::SpaceLow
            | Self::ClockDoubted
            | Self::Unlisted
            | Self::WrongMaker
            | Self::WrongSerial
            | Self::NoLabel
            | Self::WrongLabel
            | Self::OtherBoard
            | Self::Scrapped
            | Self::Revoked
            | Self::Replaced
            | Self::NoOrder
            | Self::OrderFull
            | Self::SameKey
            | Self::NeverKeyed
            | Self::NotOfBatch
            | Self::AlreadyRekeyed
            | Self::BatchFull
            | Self::BatchClosed
            | Self::BatchTerms
            | Self::UnknownKey
            | Self::Collision => "refused",
            Self::NotWritten | Self::VaultLocked | Self::VaultFailed | Self::LogFailed => "aborted",
        }
    }

    /// What happened, in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unplugged => "The device was unplugged.",
            Self::Silent => "The device does not answer.",
            Self::Garbled => "The device answers, but not as the protocol says.",
            Self::Unsupported => "The device speaks a protocol that this station does not know.",
            Self::Refused => "The device refused the command.",
            Self::StorageFailed => "The device could not store the key.",
            Self::Locked => "The device is locked: its production was finished before.",
            Self::NoIdentity => "The device has no usable MAC address or serial number.",
            Self::AlreadyKeyed => "The device already holds a key.",
            Self::ForeignKey => "The device holds a key that no record here explains.",
            Self::AlreadyRecorded => {
                "This MAC address and serial number were keyed before, but the device holds no key."
            }
            Self::Twin => "Another slot is keying a device with the same MAC address and serial number.",
            Self::OtherKey => "A write under another group key was begun on this device and never settled.",
            Self::NotProven => "The device could not prove that it holds the key.",
            Self::NotKept => "The key was not kept over the restart.",
            Self::NotWritten => "An earlier write was begun and never reached the device.",
            Self::NotRestarted => "The device did not restart.",
            Self::Swapped => "Another device answered after the write.",
            Self::PortUnavailable => "The port cannot be opened.",
            Self::NotPermitted => "Nobody is signed in who may give devices their keys.",
            Self::VaultLocked => "The vault is locked.",
            Self::VaultFailed => "The vault cannot use the group key.",
            Self::KeyInactive => "The group key is not active: no device gets a key from it.",
            Self::Unsecured => "The log was not secured for too long: no new job is begun.",
            Self::SpaceLow => "The disk of the audit log is too full: no new device is begun.",
            Self::ClockDoubted => "The clock of this station went back: no new device is begun.",
            Self::Unlisted => "The device is not one of the work order.",
            Self::WrongMaker => {
                "The MAC address of the device belongs to another maker than the work order allows."
            }
            Self::WrongSerial => {
                "The serial number of the device has another form than the work order asks for."
            }
            Self::NoLabel => "The label of the device was not scanned.",
            Self::WrongLabel => "The label that was scanned is not that of the device.",
            Self::OtherBoard => "The serial number or the MAC address was keyed before, on another board.",
            Self::Scrapped => "The device was put down as scrap.",
            Self::Revoked => "The identity of the device was revoked: it must not get a key again.",
            Self::Replaced => "Another board took the place of this one.",
            Self::Moved => "The port of the slot changed while the device was in it.",
            Self::NoOrder => "No work order is open that the device could be made under.",
            Self::OrderFull => "The work order is complete: as many devices were begun as it is for.",
            Self::SameKey => {
                "The device would get the key that it holds: for this reason that heals nothing."
            }
            Self::NotOfBatch => "The device is not on the list of the batch.",
            Self::NeverKeyed => {
                "The device has no key, and no record says that it had one: a first key is none of repair."
            }
            Self::AlreadyRekeyed => "The device was re-keyed in this batch already.",
            Self::BatchFull => "The batch is complete: as many devices were begun as it was approved for.",
            Self::BatchClosed => "The batch is closed.",
            Self::BatchTerms => {
                "The device would be written otherwise than the batch was approved: its key, its profile or its endpoint is another one."
            }
            Self::UnknownKey => {
                "No record here says which key the device holds: whether it would get another one nobody can say."
            }
            Self::Collision => "Two devices would have the same key.",
            Self::LogFailed => "The audit log cannot be written.",
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(self) -> &'static [&'static str] {
        match self {
            Self::Unplugged => &["Check the cable.", "Plug the device in again."],
            Self::Silent => {
                &["Check that the device is powered.", "Plug it in again.", "Still silent: to repair."]
            }
            Self::Garbled => &["Plug the device in again.", "Again: check its firmware version."],
            Self::Unsupported => &["Check the firmware of the device.", "Check the product profile."],
            Self::Refused | Self::StorageFailed => &["Plug the device in again.", "Again: to repair."],
            Self::Locked | Self::AlreadyKeyed => &["Unplug.", "If it has to be keyed anew: to repair."],
            Self::ForeignKey => &["Keep the device apart.", "Call the supervisor."],
            Self::NoIdentity => &[
                "Unplug.",
                "To repair: the identity was never programmed, or the profile does not allow it.",
            ],
            Self::AlreadyRecorded => {
                &["Keep the device apart.", "Call the supervisor: erased board or copy?"]
            }
            Self::Twin => &["Keep both devices apart.", "Call the supervisor: one of them is a copy."],
            Self::OtherKey => &["Plug it in where that group key is active.", "Not possible: to repair."],
            Self::NotProven | Self::NotKept | Self::NotWritten | Self::NotRestarted => {
                &["Plug the device in again.", "Again: to repair."]
            }
            Self::Swapped => &["Keep all devices on the bench apart.", "Call the supervisor."],
            Self::PortUnavailable => {
                &["Check the cable.", "Close other programs that use the port.", "Plug the device in again."]
            }
            Self::NotPermitted => {
                &["An operator, somebody of repair or a supervisor signs in.", "Plug the device in again."]
            }
            Self::VaultLocked => &["Unlock the vault.", "Plug the device in again."],
            Self::VaultFailed => &["Stop.", "Call the custodian."],
            Self::KeyInactive => &[
                "Check `group_key` in the profile: has production moved to another key?",
                "Suspended: ask the supervisor why.",
                "Two custodians activate it: keystation key activate.",
            ],
            Self::Unsecured => &[
                "Take the log to the witness: keystation audit anchor request.",
                "Then accept its answer.",
                "Plug the device in again.",
            ],
            Self::SpaceLow => {
                &["Keep the device.", "Call the administrator: make room, then start the station again."]
            }
            Self::ClockDoubted => &[
                "Keep the device.",
                "Call the administrator: set the clock right.",
                "Two people then accept the time: keystation clock accept.",
            ],
            Self::Unlisted => {
                &["Keep the device apart.", "Compare its label with the work order.", "Call the supervisor."]
            }
            Self::WrongMaker => {
                &["Keep the device apart.", "Call the supervisor: another product, or never programmed?"]
            }
            Self::WrongSerial => {
                &["Keep the device apart.", "Call the supervisor: another product, or wrongly programmed?"]
            }
            Self::NoLabel => &["Scan the label.", "Plug the device in again."],
            Self::WrongLabel => &[
                "Check which label belongs to which device.",
                "Scan the right label.",
                "Plug the device in again.",
            ],
            Self::OtherBoard => {
                &["Keep the device apart.", "Call the supervisor: a new board is for repair."]
            }
            Self::Scrapped => &[
                "Keep the device apart.",
                "Call the supervisor: who put it back on the bench?",
                "A mistake: somebody of repair and a supervisor take it back.",
            ],
            Self::Revoked => &[
                "Keep the device apart.",
                "Call the supervisor: this is for good, only another identity can be keyed.",
            ],
            Self::Replaced => {
                &["Keep the device apart.", "Call the supervisor: this board was to be destroyed."]
            }
            Self::Moved => {
                &["Leave the device in its place.", "Plug it in again.", "Again: call the supervisor."]
            }
            Self::NoOrder => &["The supervisor opens the work order.", "Plug the device in again."],
            Self::OrderFull => &["Stop.", "Call the supervisor: count the box, then close the order."],
            Self::SameKey => &[
                "Name a profile with another group key, or give the device another ID: board swap.",
                "Meant all the same: ask again, and say so.",
            ],
            Self::NotOfBatch => &[
                "Keep the device apart.",
                "Compare its label with the list of the batch.",
                "Call the supervisor.",
            ],
            Self::NeverKeyed => &["Put it to the new devices: the line gives it its first key."],
            Self::AlreadyRekeyed => &["Put it to the finished ones.", "Plug in the next device."],
            Self::BatchFull => &["Stop.", "Call the supervisor: count the devices, then close the batch."],
            Self::BatchClosed => &["Keep the device.", "Have the rest approved as a batch of its own."],
            Self::BatchTerms => &[
                "Stop.",
                "Bring the profile back as it was, or close the batch and have another one approved.",
                "Tell QA.",
            ],
            Self::UnknownKey => &[
                "Look at the device where it was keyed: that log knows its key.",
                "Meant all the same: ask again, and say that it may be the same key.",
            ],
            Self::Collision => &[
                "Stop the line.",
                "Keep the device apart.",
                "Call the custodian and QA: the key derives wrongly.",
            ],
            Self::LogFailed => &["Stop.", "Call the administrator: check disk and log."],
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_name_a_sentence_and_one_to_three_steps() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(Code::ALL.len(), Code::LogFailed as usize + 1, "none is left out");
        for code in Code::ALL {
            assert_eq!(Code::named(code.as_str()), Some(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
            assert!((1..=3).contains(&code.remedy().len()), "{code}");
        }
    }

    /// The classes that the record format knows; `ok` and `unknown` are no failures.
    #[test]
    fn every_code_has_a_class_that_records_know() {
        let known = [
            "write_fail",
            "verify_mismatch",
            "timeout",
            "unplugged",
            "swapped",
            "proto_error",
            "aborted",
            "refused",
        ];
        assert!(Code::ALL.iter().all(|code| known.contains(&code.rc())));
    }
}
