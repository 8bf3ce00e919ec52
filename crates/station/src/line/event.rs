//! What a line tells whoever watches it.

use std::io;
use std::time::Duration;

use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{Pass, Step};
use keystation_core::record::Seq;
use keystation_device::ports::PortError;

use super::health::OutReason;
use super::label::{LabelError, Scan, Scans};

/// What a line tells.
#[derive(Debug)]
pub enum LineEvent {
    /// Something of a slot, by its number. Told on the slot's own thread.
    Slot(u32, SlotEvent),
    /// A code was scanned; why it was not taken.
    Scan(Result<Scan, LabelError>),
    /// The labels that wait, after one was scanned or taken. Told on either thread: the greater `turn` is the newer one.
    Labels(Scans),
    /// The serial scanner can be used (`None`), or why not.
    Scanner(Option<ScannerFault>),
}

/// Why there is no scanner right now. It is used as soon as it is there again.
#[derive(Debug, thiserror::Error)]
pub enum ScannerFault {
    /// It cannot be opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It was unplugged, or cannot be waited for.
    #[error("the scanner was unplugged")]
    Unplugged(#[from] io::Error),
}

/// What a slot tells.
#[derive(Debug)]
pub enum SlotEvent {
    /// The slot is ready for a device.
    Waiting,
    /// A device may be there, but the vault is locked.
    Locked,
    /// A step begins.
    Step(Step),
    /// The device did not get PASS, and is tried once more, free and at once. What failed is in the log.
    Retry {
        /// What happened.
        failure: Failure,
        /// From the first step on.
        took: Duration,
    },
    /// The device has its key, proved it, and the record is durable.
    Pass {
        /// Which device, and its records.
        pass: Pass,
        /// From the first step to the durable record.
        took: Duration,
    },
    /// The device did not get PASS.
    Fail {
        /// What happened, what it means, what to do.
        failure: Failure,
        /// From the first step on.
        took: Duration,
    },
    /// The device was unplugged.
    Gone,
    /// The slot was taken out: no device in it is touched until somebody puts it back.
    Out(OutReason),
    /// Somebody put it back.
    Back,
    /// The slot stopped: the operating system refuses to wait for its port, or the slot's thread failed.
    Broken {
        /// Why.
        cause: io::Error,
        /// What that means for the device in it, if one was at work whose PASS nobody saw.
        safety: Option<Safety>,
    },
}

/// What a slot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It is ready for a device.
    Waiting,
    /// A device may be there, and nobody who may inject, or no custody.
    Locked,
    /// A device is at work.
    Working(Step),
    /// Its device has PASS.
    Passed,
    /// Its device has FAIL.
    Failed(Code),
    /// It was taken out.
    Out(OutReason),
    /// It stopped.
    Broken,
}

/// A device that a slot is done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// `None` for PASS.
    pub failure: Option<Code>,
    /// Registration ID, where one could be made.
    pub id: Option<String>,
    /// The record of the result.
    pub record: Option<Seq>,
    /// From the first step of the last try on.
    pub took: Duration,
    /// Whether it was tried once more.
    pub retried: bool,
}
