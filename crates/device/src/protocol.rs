//! Names and numbers of the injection protocol, version 1: `docs/device-protocol.md`.

use crate::smp::Operation;

/// The version that this station speaks.
pub const VERSION: u64 = 1;
/// Group of the injection commands, "KS".
pub const GROUP: u16 = 0x4b53;
/// Group of SMP's operating-system commands.
pub const OS_GROUP: u16 = 0;

/// A command: where it stands in the protocol, and its name in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Read or write.
    pub operation: Operation,
    /// Its group.
    pub group: u16,
    /// Its number in the group.
    pub number: u8,
}

impl Command {
    const fn ours(name: &'static str, operation: Operation, number: u8) -> Self {
        Self { name, operation, group: GROUP, number }
    }

    const fn os(name: &'static str, number: u8) -> Self {
        Self { name, operation: Operation::Write, group: OS_GROUP, number }
    }
}

/// Who are you, and what do you hold?
pub const INFO: Command = Command::ours("info", Operation::Read, 0);
/// Keep this set in memory.
pub const STAGE: Command = Command::ours("stage", Operation::Write, 1);
/// Store the staged set.
pub const COMMIT: Command = Command::ours("commit", Operation::Write, 2);
/// Prove the key.
pub const PROVE: Command = Command::ours("prove", Operation::Read, 3);
/// Make a token.
pub const SAS: Command = Command::ours("sas", Operation::Read, 4);
/// Which set do you hold?
pub const SET: Command = Command::ours("set", Operation::Read, 5);
/// Production is over.
pub const LOCK: Command = Command::ours("lock", Operation::Write, 6);
/// Are you still the one that you were?
pub const WHO: Command = Command::ours("who", Operation::Read, 7);
/// SMP's echo.
pub const ECHO: Command = Command::os("echo", 0);
/// SMP's restart.
pub const RESET: Command = Command::os("reset", 5);

/// The SMP code for a body that is not CBOR.
pub const RC_NOT_CBOR: u64 = 3;
/// The SMP code for a command or group that the device does not have.
pub const RC_NOT_SUPPORTED: u64 = 8;

/// Error codes of the injection group.
pub mod code {
    /// A field is missing, of a wrong type or size.
    pub const BAD_REQUEST: u64 = 1;
    /// The digest is of another device.
    pub const WRONG_DEVICE: u64 = 2;
    /// It holds another set, and overwriting was not asked for.
    pub const KEYED: u64 = 3;
    /// Locked.
    pub const LOCKED: u64 = 4;
    /// What was written is not what is read back.
    pub const STORAGE: u64 = 5;
    /// Nothing is staged, or not the set that is committed.
    pub const NOT_STAGED: u64 = 6;
    /// There is no set.
    pub const EMPTY: u64 = 7;
}
