//! What the log is asked and what it answers, for those who see it only through [`Archive`](crate::Archive).

pub use keystation_audit::{
    Attempt, Denial, Denials, DeviceStanding, Figures, Finding, KeyStanding, KeyState, Keyed, Life,
    LifeEvent, OrderState, OrderTally, Page, Progress, ReadError, Record, Review, Secured, Slot,
    StoredRecord, Tally, Unreviewed, Verdict,
};
