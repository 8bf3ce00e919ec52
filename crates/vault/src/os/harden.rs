use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// The process could not be closed against dumps and debuggers. No key may be unlocked in it.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process cannot be closed against debuggers and core dumps ({step}); no key will be unlocked in it"
)]
pub struct HardenError {
    step: &'static str,
    #[source]
    cause: io::Error,
}

/// Closes this process against core dumps and against debuggers of the same user. First thing in every `main`.
///
/// `PR_SET_DUMPABLE` 0 (prctl(2)) also takes `/proc/PID/mem` from every process of the same user; root keeps it.
/// `RLIMIT_CORE` 0, soft and hard, holds over `exec` too, where the kernel makes a program dumpable again.
pub fn harden_process() -> Result<(), HardenError> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| HardenError { step: "PR_SET_DUMPABLE", cause: errno.into() })?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|errno| HardenError { step: "RLIMIT_CORE", cause: errno.into() })
}
