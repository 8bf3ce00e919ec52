//! What the machine does that ends somebody's presence: it goes to sleep, its screen is locked, or it is shut down.
//!
//! On Linux logind tells all three on the system bus (org.freedesktop.login1). It waits with sleep and shutdown while
//! somebody holds a delay lock, so the keys are wiped before the memory is frozen, and the log is closed before anything is
//! killed. Where there is no bus or no logind, nothing of this happens, and nothing else changes.

#[cfg(target_os = "linux")]
mod logind;

#[cfg(target_os = "linux")]
pub(crate) use logind::Watch;

/// Elsewhere nothing tells yet.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Watch;

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub(crate) fn start(_: impl Fn(Departure) + Send + 'static) -> std::io::Result<Self> {
        Ok(Self)
    }
}

/// What ends somebody's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The machine goes to sleep.
    Suspend,
    /// The screen is locked.
    ScreenLock,
    /// The machine is shut down, or starts anew.
    Shutdown,
}

#[cfg(test)]
pub(crate) mod tests;
