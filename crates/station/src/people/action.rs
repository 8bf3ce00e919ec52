//! What a person can ask of the station: every verb of the command line and of the window.

use std::fmt;

/// A verb. There is no other way to the station than through one of these; `policy` says who may use which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The first two administrators of a station that has nobody yet.
    FirstStart,
    /// Signing in, taking over, coming back.
    SignIn,
    /// The state of the station.
    Overview,
    /// Following the slots.
    Watch,
    /// Serial ports.
    Ports,
    /// Known answers, disk, clock; no group key.
    Selftest,
    /// The log as it lies in its file: shown, searched, counted, listed. Whoever may read the file can do it with any SQLite, so
    /// nobody signs in for it; group keys, the devices under them and accounts are in it too.
    ReadLog,
    /// Every record against the checkpoints.
    VerifyLog,
    /// A bundle of the log without a record of it.
    CopyLog,
    /// A request to a witness, and how far the log is secured.
    AnchorRequest,
    /// The witness, which is another machine and has a log of its own.
    Witness,
    /// Locking the custody, or the screen.
    Lock,
    /// Leaving.
    SignOut,
    /// A sign of life before the screen locks.
    Touch,
    /// One's own PIN.
    ChangePin,
    /// Putting a key into a device.
    Inject,
    /// Having seen that a device failed.
    Acknowledge,
    /// Putting a slot back that was taken out of the line.
    PutBack,
    /// Opening the custody, so that keys can be derived.
    Unlock,
    /// Reading a finished device and holding it against its record.
    Check,
    /// What a device says of itself, beside what the log says of it.
    Look,
    /// Overwriting the key of a device, or of a batch of them.
    Rekey,
    /// Going on with a batch that two people agreed to.
    ContinueRekey,
    /// Ending such a batch for good.
    CloseRekey,
    /// Searching the log in the window, and one device's life.
    SearchRoom,
    /// The rest of the audit room: figures, verification, state of the review.
    AuditRoom,
    /// The proof file of one device.
    SaveProof,
    /// Signing that the log was looked through.
    SignReview,
    /// The signed report of a work order, or of a shift.
    Report,
    /// The work orders in the window: states, counts, which devices.
    Orders,
    /// A new work order.
    CreateOrder,
    /// Making devices under a work order.
    OpenOrder,
    /// Ending a work order for good.
    CloseOrder,
    /// More devices under a work order than it was for.
    RaiseQuota,
    /// Putting a device of a work order down as scrap.
    Scrap,
    /// Putting a device down as scrap.
    ScrapDevice,
    /// Revoking the identity of a device.
    RevokeDevice,
    /// Another board in the place of one.
    ReplaceDevice,
    /// Taking a scrap back that was a mistake.
    RestoreDevice,
    /// The list of identities to clean up in the cloud.
    ListCleanup,
    /// That a list was cleaned up.
    CleanedUp,
    /// A label once more.
    Reprint,
    /// Delivering the records of the outbox.
    Deliver,
    /// The report of one's own shift in the window, and its signed file.
    OwnShift,
    /// A bundle of the log, with a record of it.
    Export,
    /// A checkpoint that a witness cosigned.
    AnchorAccept,
    /// The group keys in the window: labels, check values, states, the devices under them.
    Keys,
    /// One group key as the portal shows it.
    ImportKey,
    /// A group key that its owner sealed for this station.
    TakeTransfer,
    /// The station's public key for transfers.
    Recipient,
    /// One's own component of a group key.
    Ceremony,
    /// Permitting the use of a group key.
    ActivateKey,
    /// Stopping the use of a group key.
    SuspendKey,
    /// Destroying a group key.
    DestroyKey,
    /// Who has an account, and with which roles.
    People,
    /// A new account.
    AddPerson,
    /// Other roles.
    SetRoles,
    /// Nobody signs in under this ID any more.
    DisablePerson,
    /// The same person again.
    EnablePerson,
    /// A one-time PIN for somebody who forgot theirs, or was locked out.
    ResetPin,
    /// Another badge.
    SetBadge,
    /// The personal name behind an ID, in a table that can be erased.
    SetName,
    /// Erasing it.
    ForgetName,
    /// Believing the clock after it was set back.
    AcceptClock,
    /// A new log in place of one that cannot be continued.
    NewEpoch,
    /// A sealed copy of the station, with a record.
    Backup,
    /// The same beside a station that is at work, without a record. Whoever may read the files can copy them anyway.
    CopyStation,
    /// A station out of such a copy.
    Restore,
    /// A bundle for those who look for a fault: nothing of a device, a person or a secret is in it, so nobody signs in for it.
    Diagnose,
    /// Tables of the log that are derived from its records.
    Rebuild,
}

impl Action {
    /// All of them, in the order in which the table of roles shows them.
    pub const ALL: [Self; 70] = [
        Self::FirstStart,
        Self::SignIn,
        Self::Overview,
        Self::Watch,
        Self::Ports,
        Self::Selftest,
        Self::ReadLog,
        Self::VerifyLog,
        Self::CopyLog,
        Self::AnchorRequest,
        Self::Witness,
        Self::Lock,
        Self::SignOut,
        Self::Touch,
        Self::ChangePin,
        Self::Inject,
        Self::Acknowledge,
        Self::PutBack,
        Self::Unlock,
        Self::Check,
        Self::Look,
        Self::Rekey,
        Self::ContinueRekey,
        Self::CloseRekey,
        Self::SearchRoom,
        Self::AuditRoom,
        Self::SaveProof,
        Self::SignReview,
        Self::Report,
        Self::Orders,
        Self::CreateOrder,
        Self::OpenOrder,
        Self::CloseOrder,
        Self::RaiseQuota,
        Self::Scrap,
        Self::ScrapDevice,
        Self::RevokeDevice,
        Self::ReplaceDevice,
        Self::RestoreDevice,
        Self::ListCleanup,
        Self::CleanedUp,
        Self::Reprint,
        Self::Deliver,
        Self::OwnShift,
        Self::Export,
        Self::AnchorAccept,
        Self::Keys,
        Self::ImportKey,
        Self::TakeTransfer,
        Self::Recipient,
        Self::Ceremony,
        Self::ActivateKey,
        Self::SuspendKey,
        Self::DestroyKey,
        Self::People,
        Self::AddPerson,
        Self::SetRoles,
        Self::DisablePerson,
        Self::EnablePerson,
        Self::ResetPin,
        Self::SetBadge,
        Self::SetName,
        Self::ForgetName,
        Self::AcceptClock,
        Self::NewEpoch,
        Self::Backup,
        Self::CopyStation,
        Self::Restore,
        Self::Diagnose,
        Self::Rebuild,
    ];

    /// The verb in one word, as records have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.words().0
    }

    /// What it does, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::FirstStart => ("first-start", "make the first two administrators"),
            Self::SignIn => ("sign-in", "sign in, take over, come back"),
            Self::Overview => ("overview", "see the state of the station"),
            Self::Watch => ("watch", "follow the slots"),
            Self::Ports => ("ports", "list serial ports"),
            Self::Selftest => ("selftest", "known answers, disk, clock; no group key"),
            Self::ReadLog => (
                "read-log",
                "show, search and list the log from its file; `key list` and `key devices` at the command line, and People and Keys in a window with `--qa`, read it too: whoever may read the file can",
            ),
            Self::VerifyLog => ("verify-log", "verify every record, report and bundle"),
            Self::CopyLog => ("copy-log", "bundle of the log without a record (`--read-only`)"),
            Self::AnchorRequest => ("anchor-request", "request to a witness, state of the anchoring"),
            Self::Witness => ("witness", "be a witness of other logs"),
            Self::Lock => (
                "lock",
                "lock the custody, or the screen: that wipes the sealed file and leaves a token or a TPM open for the same person only",
            ),
            Self::SignOut => ("sign-out", "sign out"),
            Self::Touch => ("touch", "put off the automatic lock"),
            Self::ChangePin => ("change-pin", "choose another PIN of one's own"),
            Self::Inject => ("inject", "give a device its key"),
            Self::Acknowledge => ("acknowledge", "acknowledge a failed device"),
            Self::PutBack => ("put-back", "put a slot back that was taken out of the line"),
            Self::Unlock => ("unlock", "open the custody"),
            Self::Check => ("check", "check a finished device"),
            Self::Look => ("look", "look at a device, beside what the log says of it"),
            Self::Rekey => ("rekey", "overwrite the key of a device, or of a batch of them"),
            Self::ContinueRekey => ("continue-rekey", "go on with a batch that two people agreed to"),
            Self::CloseRekey => ("close-rekey", "close a batch, with its reconciliation"),
            Self::SearchRoom => ("search-room", "search the log in the window"),
            Self::AuditRoom => ("audit-room", "figures, verification and reviews in the window"),
            Self::SaveProof => ("save-proof", "save the proof file of a device in the window"),
            Self::SignReview => ("sign-review", "sign a review of the log"),
            Self::Report => ("report", "signed report of a work order, or of a shift"),
            Self::Orders => ("orders", "list work orders in the window"),
            Self::CreateOrder => ("create-order", "create a work order"),
            Self::OpenOrder => ("open-order", "open a work order"),
            Self::CloseOrder => ("close-order", "close a work order"),
            Self::RaiseQuota => ("raise-quota", "allow more devices under a work order"),
            Self::Scrap => ("scrap", "put a device of a work order down as scrap"),
            Self::ScrapDevice => ("scrap-device", "put a device down as scrap"),
            Self::RevokeDevice => ("revoke-device", "revoke the identity of a device, for good"),
            Self::ReplaceDevice => ("replace-device", "put another board in the place of one"),
            Self::RestoreDevice => ("restore-device", "take back a scrap that was a mistake"),
            Self::ListCleanup => ("list-cleanup", "list of identities to clean up in the cloud"),
            Self::CleanedUp => ("cleaned-up", "put down that a list was cleaned up in the cloud"),
            Self::Reprint => ("reprint", "print the label of a device once more"),
            Self::Deliver => ("deliver", "deliver the records that wait in the outbox (`outbox run`)"),
            Self::OwnShift => ("own-shift", "report of one's own shift in the window, and its signed file"),
            Self::Export => ("export", "bundle of the log, recorded"),
            Self::AnchorAccept => ("anchor-accept", "take a cosigned checkpoint"),
            Self::Keys => ("keys", "list group keys and the devices under them in the window"),
            Self::ImportKey => ("import-key", "import a group key in one piece"),
            Self::TakeTransfer => ("take-transfer", "import a group key from a transfer file"),
            Self::Recipient => ("recipient", "make or show the station's transfer key"),
            Self::Ceremony => ("ceremony", "enter one's component of a group key"),
            Self::ActivateKey => ("activate-key", "activate a group key"),
            Self::SuspendKey => ("suspend-key", "suspend a group key: the emergency stop"),
            Self::DestroyKey => ("destroy-key", "destroy a group key"),
            Self::People => ("people", "list accounts and their roles"),
            Self::AddPerson => ("add-person", "make an account"),
            Self::SetRoles => ("set-roles", "change roles"),
            Self::DisablePerson => ("disable-person", "disable an account"),
            Self::EnablePerson => ("enable-person", "enable an account again"),
            Self::ResetPin => ("reset-pin", "set a one-time PIN"),
            Self::SetBadge => ("set-badge", "replace or remove a badge"),
            Self::SetName => ("set-name", "set the name behind an ID"),
            Self::ForgetName => ("forget-name", "erase the name behind an ID"),
            Self::AcceptClock => ("accept-clock", "accept the time after the clock went back"),
            Self::NewEpoch => ("new-epoch", "begin a new log"),
            Self::Backup => ("backup", "make a sealed backup of the station"),
            Self::CopyStation => (
                "copy-station",
                "sealed backup without a record (`--read-only`): whoever may read the files can copy them",
            ),
            Self::Restore => ("restore", "make a station of a backup, which begins a new log"),
            Self::Diagnose => ("diagnose", "diagnostic bundle: no device, person or secret is in it"),
            Self::Rebuild => ("rebuild", "make the derived tables of the log anew"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
