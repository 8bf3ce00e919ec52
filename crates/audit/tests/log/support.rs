//! A station's log in a temporary directory, with a clock that a test can foresee.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use keystation_audit::{Clock, Finding, Journal, OpenError, Origin, Paths, Reader, Stamp, Verdict};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome, Seq};
use keystation_core::registration::{IdRule, RegistrationId};
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "keylog.example.com/plant7/stn03/1";

/// Ten milliseconds go by between two records.
#[derive(Clone)]
pub(crate) struct Steady(Arc<AtomicU64>);

impl Steady {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }
}

impl Clock for Steady {
    fn now(&self) -> Stamp {
        let mono_ms = self.0.fetch_add(10, Ordering::Relaxed);
        let boot = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().unwrap();
        Stamp { utc_ms: 1_795_313_643_123 + mono_ms.cast_signed(), mono_ms, boot }
    }
}

pub(crate) fn actor() -> Actor {
    Actor { session: "5c1e0b7d".to_owned(), operator: "op-0117".to_owned(), role: "operator".to_owned() }
}

pub(crate) fn entry(event: Event) -> Entry {
    Entry { actor: actor(), event }
}

pub(crate) fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text, IdRule::Dashes).unwrap()
}

pub(crate) fn group_key() -> GroupKeyInfo {
    GroupKeyInfo {
        label: "gk-2026a".parse().unwrap(),
        group: "contoso-line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
        check_value: "9B5BDBEC8B".parse().unwrap(),
        length: 64,
    }
}

/// A device key that is no secret: `fill` in every byte.
pub(crate) fn device_key(fill: u8) -> DeviceKey {
    DeviceKey::filled_by(|bytes| bytes.fill(fill))
}

/// The device key of `rid`: no secret, and no other's.
pub(crate) fn key_of(rid: &str) -> DeviceKey {
    DeviceKey::filled_by(|bytes| {
        for (place, byte) in rid.bytes().enumerate() {
            bytes[place % 32] = bytes[place % 32].wrapping_mul(31).wrapping_add(byte);
        }
    })
}

/// The board of a registration ID, and of no other one: that of the published example has its own.
fn board(rid: &str) -> Identity {
    let (mac, serial) = match rid {
        crate::example::RID => ("a1b2c3d4e5f6".to_owned(), "007-888-abc".to_owned()),
        _ => (format!("a1b2{}", &key_of(rid).fingerprint().to_string()[..8]), format!("BOARD-{rid}")),
    };
    Identity { mac: Some(mac.parse().unwrap()), serial: Some(serial.parse().unwrap()) }
}

pub(crate) fn intent(rid: &str) -> Intent {
    Intent {
        id: id(rid),
        identity: board(rid),
        firmware: "2.4.1".to_owned(),
        key: group_key(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: key_of(rid).fingerprint(),
        profile: "example 1".to_owned(),
        job: "WO-44192".to_owned(),
        port: "usb-1-1.4/0403:6001/FT9X2".to_owned(),
        mode: Mode::New,
        prior: None,
        attempt: 1,
    }
}

/// The same intent, as the next that the log takes for its device.
pub(crate) fn follow(journal: &Journal, intent: Intent) -> Event {
    let standing = journal.standing(&intent.id).unwrap();
    Event::Intent(Intent { prior: standing.follows(), attempt: standing.attempts + 1, ..intent })
}

pub(crate) fn outcome(rid: &str, intent: Seq, holds: Holds) -> Outcome {
    let failure = match holds {
        Holds::New => None,
        Holds::Old => Some(Code::StorageFailed),
        Holds::Unknown => Some(Code::Unplugged),
    };
    Outcome { intent, id: id(rid), failure, holds }
}

pub(crate) fn begin(directory: &Path) -> (Paths, Journal) {
    let paths = Paths::in_dir(directory);
    let journal = Journal::create(&paths, &Origin::new(ORIGIN).unwrap(), &actor(), Steady::new()).unwrap();
    (paths, journal)
}

/// Appends what a line appends: start, devices that pass, one that fails, one whose intent stays open.
pub(crate) fn work(journal: &Journal, devices: u32) {
    for number in 0..devices {
        let rid = format!("sn-{number:04}");
        let seq = journal.append(&entry(follow(journal, intent(&rid)))).unwrap();
        let holds = match number % 5 {
            0..3 => Holds::New,
            3 => Holds::Old,
            _ => Holds::Unknown,
        };
        journal.append(&entry(Event::Result(outcome(&rid, seq, holds)))).unwrap();
    }
}

/// A closed log of `1 + 2 · devices` records.
pub(crate) fn closed(directory: &Path, devices: u32) -> Paths {
    let (paths, journal) = begin(directory);
    work(&journal, devices);
    journal.close().unwrap();
    paths
}

/// A closed log of 41 records, a new copy of the same one each time.
pub(crate) fn pristine() -> (TempDir, Paths) {
    static FILES: LazyLock<Vec<(OsString, Vec<u8>)>> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        closed(directory.path(), 20);
        let files = fs::read_dir(directory.path()).unwrap().map(Result::unwrap);
        // The ballast is made anew, and faster than it is copied.
        files
            .filter(|file| file.file_name() != "ballast")
            .map(|file| (file.file_name(), fs::read(file.path()).unwrap()))
            .collect()
    });
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in FILES.iter() {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let paths = Paths::in_dir(directory.path());
    fs::set_permissions(&paths.key, fs::Permissions::from_mode(0o600)).unwrap();
    (directory, paths)
}

/// Copies every file of a log. By a program of its own: closing a descriptor of the database in this process would
/// drop the locks that SQLite holds on it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let copied = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

pub(crate) fn open(paths: &Paths) -> Result<Journal, OpenError> {
    Journal::open(paths, Steady::new())
}

pub(crate) fn verify(paths: &Paths) -> Verdict {
    Reader::open(paths).unwrap().verify().unwrap()
}

pub(crate) fn intact(paths: &Paths) -> u64 {
    match verify(paths) {
        Verdict::Intact { checkpoint, .. } => checkpoint.size,
        Verdict::Damaged { findings, .. } => panic!("{findings:#?}"),
    }
}

pub(crate) fn findings(paths: &Paths) -> Vec<Finding> {
    match verify(paths) {
        Verdict::Intact { .. } => Vec::new(),
        Verdict::Damaged { findings, .. } => findings,
    }
}

/// A start finds that `table` is not what the records say, and says what to do.
pub(crate) fn does_not_open(paths: &Paths, table: &'static str, what: &str) {
    let Err(refused) = open(paths) else { panic!("{what}: it opens") };
    assert!(
        matches!(&refused, OpenError::Derived(Finding::Derived { table: t }) if *t == table),
        "{what}: {refused}"
    );
    assert!(refused.to_string().contains("keystation audit rebuild"), "{refused}");
}

/// A plain connection, as an attacker has it: none of our pragmas.
pub(crate) fn attacker(paths: &Paths) -> rusqlite::Connection {
    rusqlite::Connection::open(&paths.db).unwrap()
}

/// A file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
