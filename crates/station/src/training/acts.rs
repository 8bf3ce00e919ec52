//! What a trainee gets to see.

use keystation_core::failure::Code;

/// A simulated device, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// What it does wrong, in the language of fault scripts (`keystation-sim --help`); empty for a good one.
    pub faults: &'static str,
    /// Whether the label that is scanned for it is that of another device.
    pub other_label: bool,
    /// What it ends with; `None` for PASS.
    pub ends: Option<Code>,
}

const GOOD: Act = Act { faults: "", other_label: false, ends: None };

/// One after the other, in every slot; slot 2 begins at the second, and so on, so that the first four show all there is. At most
/// half of them are good: a trainee learns from a FAIL.
pub const ACTS: [Act; 6] = [
    GOOD,
    Act { faults: "lie=ram-only", other_label: false, ends: Some(Code::NotKept) },
    Act { faults: "lie=other-identity-after-write", other_label: false, ends: Some(Code::Swapped) },
    Act { faults: "", other_label: true, ends: Some(Code::WrongLabel) },
    GOOD,
    GOOD,
];
