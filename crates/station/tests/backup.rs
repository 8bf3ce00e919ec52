//! A station, its backup, and the station out of it: files, logs and PINs, all real; only scrypt and the hashes of PINs are cheap.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use keystation::backup::{Administrator, BackedUp, Unpacked, back_up_unrecorded};
use keystation::people::{Action, NewPerson, Person, Pin, PinCost};
use keystation::{DataDir, Exit, Passphrase, SecretText, Station, StationError, SystemClock, paths};
use keystation_audit::{Paths, Reader, Verdict};
use keystation_vault::{Sealing, WorkFactor, unseal};

const ADMINS: [(&str, &str); 2] = [("ad-1", "493027"), ("ad-2", "580316")];
const PASSPHRASE: &str = "a passphrase of backups";

struct Bench {
    dir: tempfile::TempDir,
    data: DataDir,
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(SecretText::new(text.to_owned()).unwrap()).unwrap()
}

fn clock() -> SystemClock {
    SystemClock::new().unwrap()
}

fn open(data: &DataDir) -> Result<Station, StationError> {
    Station::open_under(data, "test", clock(), PinCost::TEST)
}

impl Bench {
    /// A station with two administrators, a name, and a file of its user's.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let station = open(&data).unwrap();
        let [first, second] = ADMINS.map(|(user, digits)| NewPerson {
            user: user.to_owned(),
            roles: "administrator".parse().unwrap(),
            badge: None,
            pin: pin(digits),
        });
        station.begin(first, second).unwrap();
        station.close().unwrap();
        fs::write(data.path().join("profiles/thermostat.toml"), "# a profile\n").unwrap();
        Self { dir, data }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// By the first administrator, in order.
    fn back_up(&self, name: &str) -> BackedUp {
        let station = open(&self.data).unwrap();
        station.sign_in(Person::Id("ad-1"), &pin("493027")).unwrap();
        let permit = station.permit(Action::Backup).unwrap();
        let made = station.back_up(&permit, &passphrase(PASSPHRASE), &self.file(name)).unwrap();
        station.close().unwrap();
        made
    }

    /// In a directory of its own, as the two administrators.
    fn restore(&self, backup: &str, into: &str) -> Result<DataDir, StationError> {
        self.restore_by(backup, into, ADMINS)
    }

    fn restore_by(
        &self,
        backup: &str,
        into: &str,
        [first, second]: [(&str, &str); 2],
    ) -> Result<DataDir, StationError> {
        let data = DataDir::new(self.file(into));
        self.unpack_by(backup, into, PASSPHRASE, [first, second])?
            .restore_under("the disk broke", clock())?;
        Ok(data)
    }

    fn unpack_by(
        &self,
        backup: &str,
        into: &str,
        secret: &str,
        [first, second]: [(&str, &str); 2],
    ) -> Result<Unpacked, StationError> {
        let data = DataDir::new(self.file(into));
        let (first_pin, second_pin) = (pin(first.1), pin(second.1));
        let two = [
            Administrator { user: first.0, pin: &first_pin },
            Administrator { user: second.0, pin: &second_pin },
        ];
        let backup = self.file(backup);
        Unpacked::open_under(&backup, &passphrase(secret), &data, two, clock(), PinCost::TEST)
    }

    /// What of a restore is left: nothing, unless it was done.
    fn left(&self, into: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.to_str().unwrap().contains(into)).collect()
    }
}

/// `ev` and the named fields of each record.
fn records(data: &DataDir, fields: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let reader = Reader::open(&paths(data)).unwrap();
    reader
        .records(.., None, |record| {
            let own = fields.iter().map(|name| match record.text(name) {
                Some(text) => text.into_owned(),
                None => record.integer(name).map_or_else(String::new, |number| number.to_string()),
            });
            found.push(std::iter::once(record.event().to_owned()).chain(own).collect());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// Paths and contents of the archive under the seal.
fn archive(file: &Path) -> Vec<(String, Vec<u8>)> {
    let plain = unseal(fs::File::open(file).unwrap(), &passphrase(PASSPHRASE)).unwrap();
    let mut archive = tar::Archive::new(plain);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        })
        .collect()
}

/// The same files, sealed again.
fn sealed_again(file: &Path, files: &[(&str, &[u8])], kind: tar::EntryType) {
    let out = fs::File::create(file).unwrap();
    let sealing = Sealing::begin(out, &passphrase(PASSPHRASE), WorkFactor::TEST).unwrap();
    let mut archive = tar::Builder::new(sealing);
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_entry_type(if *path == "MANIFEST" { tar::EntryType::Regular } else { kind });
        // Past what the library would refuse.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn a_restored_station_follows_the_one_that_was_copied_in_a_new_epoch() {
    let bench = Bench::new();
    let made = bench.back_up("backup.age");
    let said = records(&bench.data, &["op", "sha256", "size"]);
    let digest: String = made.manifest.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let record = &said[usize::try_from(made.record.unwrap()).unwrap()];
    assert_eq!(*record, ["backup.made", "ad-1", &digest, &made.manifest.size.to_string()]);
    assert_eq!(made.manifest.size, made.record.unwrap(), "it is of the moment before");
    assert_eq!(fs::metadata(bench.file("backup.age")).unwrap().permissions().mode() & 0o777, 0o600);

    let data = bench.restore("backup.age", "restored").unwrap();
    let genesis = &records(&data, &["log", "prev", "prev_size", "op", "op2", "role", "reason"])[0];
    assert_eq!(
        genesis[1..],
        [
            "keylog.example.com/plant7/stn03/2",
            "keylog.example.com/plant7/stn03/1",
            &made.manifest.size.to_string(),
            "ad-1",
            "ad-2",
            "administrator",
            "the disk broke"
        ]
    );
    let restored = records(&data, &["sha256", "made", "op", "op2", "reason"]);
    let restored = restored.iter().find(|record| record[0] == "station.restored").unwrap();
    assert_eq!(restored[1..], [&digest, &made.manifest.made, "ad-1", "ad-2", "the disk broke"]);

    // It works: the same people with the same PINs, the same profiles, a log that is whole; the old one is beside it.
    let station = open(&data).unwrap();
    station.sign_in(Person::Id("ad-2"), &pin("580316")).unwrap();
    station.close().unwrap();
    assert!(data.path().join("profiles/thermostat.toml").exists());
    let old = Reader::open(&Paths::in_dir(&data.path().join("epochs/1"))).unwrap();
    for reader in [Reader::open(&paths(&data)).unwrap(), old] {
        assert!(matches!(reader.verify().unwrap(), Verdict::Intact { .. }));
    }
    assert!(bench.left("restoring").is_empty());
    // And can be copied itself, with the log before.
    let again = back_up_unrecorded(&data, &passphrase(PASSPHRASE), &bench.file("second.age")).unwrap();
    assert!(again.manifest.files.iter().any(|(path, _)| path == "epochs/1/audit.db"));
}

#[test]
fn a_backup_has_no_signing_key_and_no_names() {
    let bench = Bench::new();
    let station = open(&bench.data).unwrap();
    station.sign_in(Person::Id("ad-1"), &pin("493027")).unwrap();
    let permit = station.permit(Action::SetName).unwrap();
    station.set_name(&permit, "ad-1", &keystation::PersonName::new("Marta Muster").unwrap()).unwrap();
    station.close().unwrap();
    bench.back_up("backup.age");
    let files = archive(&bench.file("backup.age"));
    let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "MANIFEST",
        "audit.db",
        "head.note",
        "labels/example.toml",
        "labels/example.zpl",
        "log.vkey",
        "people.json",
        "pepper.key",
        "profiles/example.toml",
        "profiles/thermostat.toml",
        "station.toml",
    ];
    assert_eq!(names, expected);
    let signing = fs::read_to_string(bench.data.path().join("station.key")).unwrap();
    let seed = signing.trim().splitn(5, '+').nth(4).unwrap().to_owned();
    for (path, bytes) in &files {
        for secret in [seed.as_str(), "Marta Muster"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{path}");
        }
    }
    // What `sha256sum --check MANIFEST` reads.
    let folder = bench.file("by-hand");
    for (path, bytes) in &files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "MANIFEST"])
        .current_dir(&folder)
        .status()
        .unwrap();
    assert!(checked.success());
}

#[test]
fn a_backup_with_any_bit_changed_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    bench.back_up("backup.age");
    let whole = fs::read(bench.file("backup.age")).unwrap();
    // Bits of each byte of the beginning, where the format is spelled, and bits all over the rest.
    let places = (0..200 * 8).step_by(7).chain((200 * 8..whole.len() * 8).step_by(whole.len() / 40));
    for bit in places {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(bench.file("changed.age"), &changed).unwrap();
        let refused = bench.restore("changed.age", "restored").unwrap_err();
        let told = matches!(refused.code(), "backup-damaged" | "backup-passphrase");
        assert!(told, "bit {bit}: {} {refused}", refused.code());
    }
    for length in [0, 1, 100, 300, whole.len() / 2, whole.len() - 1] {
        fs::write(bench.file("changed.age"), &whole[..length]).unwrap();
        let refused = bench.restore("changed.age", "restored").unwrap_err();
        assert_eq!((refused.code(), refused.exit()), ("backup-damaged", Exit::Failed), "{length}: {refused}");
    }
    fs::write(bench.file("changed.age"), [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(bench.restore("changed.age", "restored").unwrap_err().code(), "backup-damaged");
    assert_eq!(bench.left("restor"), Vec::<PathBuf>::new());
}

#[test]
fn what_is_sealed_again_is_held_against_its_manifest() {
    let bench = Bench::new();
    bench.back_up("backup.age");
    let files = archive(&bench.file("backup.age"));
    let whole: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
    let changed = bench.file("changed.age");
    let refused = |files: &[(&str, &[u8])], kind, what: &str| {
        sealed_again(&changed, files, kind);
        let refused = bench.restore("changed.age", "restored").unwrap_err();
        assert_eq!(refused.code(), "backup-damaged", "{what}: {refused}");
        assert_eq!(bench.left("restor"), Vec::<PathBuf>::new(), "{what}");
    };
    let file = tar::EntryType::Regular;
    refused(&[], file, "nothing");
    refused(&whole[1..], file, "no manifest");
    refused(&whole[..whole.len() - 1], file, "a file missing");
    refused(&[&whole[..], &whole[1..2]].concat(), file, "a file twice");
    refused(&[&whole[..], &[("../escaped", b"x")]].concat(), file, "a path that leads out");
    refused(&[&whole[..], &[("more", b"x")]].concat(), file, "a file too many");
    refused(&whole, tar::EntryType::Symlink, "links");
    let mut other = whole.clone();
    other[5].1 = b"another pepper";
    refused(&other, file, "another content");
    assert!(!bench.file("escaped").exists());
    sealed_again(&changed, &whole, file);
    bench.restore("changed.age", "restored").unwrap();
}

#[test]
fn two_administrators_of_the_station_that_was_copied_have_to_prove_it() {
    let bench = Bench::new();
    bench.back_up("backup.age");
    let code = |two| bench.restore_by("backup.age", "restored", two).unwrap_err().code();
    let [first, second] = ADMINS;
    assert_eq!(code([first, first]), "epoch");
    for two in [[first, ("ad-2", "580317")], [("ad-1", "493028"), second], [("nobody", "493027"), second]] {
        assert_eq!(code(two), "pin-wrong");
        // Not as long as somebody might look at it either: unpacked is what both of them asked for.
        let opened = bench.unpack_by("backup.age", "restored", PASSPHRASE, two);
        assert_eq!((opened.map(drop).unwrap_err().code(), bench.left("restor")), ("pin-wrong", Vec::new()));
    }
    let wrong =
        bench.unpack_by("backup.age", "restored", "not the passphrase", ADMINS).map(drop).unwrap_err();
    assert_eq!((wrong.code(), wrong.exit()), ("backup-passphrase", Exit::Refused));
    assert_eq!(bench.left("restor"), Vec::<PathBuf>::new());

    // What lies there between is for its owner only, and goes if nobody goes on.
    let opened = bench.unpack_by("backup.age", "restored", PASSPHRASE, ADMINS).unwrap();
    let [folder] = &bench.left("restor")[..] else { panic!("one folder") };
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(folder.join("pepper.key")).unwrap().permissions().mode() & 0o777, 0o600);
    drop(opened);
    assert_eq!(bench.left("restor"), Vec::<PathBuf>::new());
}

/// How far the outbox was is in the backup, as old as its log or older: what was not delivered then is delivered by the restored station.
#[test]
fn a_restored_station_delivers_what_the_one_that_was_copied_had_not() {
    let bench = Bench::new();
    let out = bench.file("out");
    fs::create_dir(&out).unwrap();
    let settings = bench.data.settings();
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}\n[outbox]\nfolder = {out:?}\n")).unwrap();
    let deliver = |data: &DataDir| {
        let station = open(data).unwrap();
        station.sign_in(Person::Id("ad-1"), &pin("493027")).unwrap();
        let permit = station.permit(Action::Deliver).unwrap();
        let delivered = station.deliver(&permit, std::time::Duration::ZERO).unwrap().unwrap();
        station.close().unwrap();
        delivered
    };
    let first = deliver(&bench.data);
    let made = bench.back_up("backup.age");
    let left = made.manifest.size - first.next;
    assert!(left > 0 && made.manifest.files.iter().any(|(path, _)| path == "after/outbox"));

    let data = bench.restore("backup.age", "restored").unwrap();
    let status = keystation::after::outbox_status(&data).unwrap();
    let older: Vec<_> = status.older.iter().map(|log| (log.first, log.waiting)).collect();
    assert_eq!(older, [(first.next, Some(left))]);
    let before = fs::read_dir(&out).unwrap().count() as u64;
    let done = deliver(&data);
    assert_eq!((done.why, done.skipped.len()), (None, 0));
    assert_eq!(fs::read_dir(&out).unwrap().count() as u64, before + left + done.of);
}

#[test]
fn nothing_is_overwritten() {
    let bench = Bench::new();
    bench.back_up("backup.age");
    let occupied = |into: &str| bench.restore("backup.age", into).unwrap_err().code();
    assert_eq!(occupied("data"), "restore-occupied");
    fs::create_dir(bench.file("empty")).unwrap();
    fs::create_dir(bench.file("empty.restoring")).unwrap();
    assert_eq!(occupied("empty"), "restore-occupied");
    fs::remove_dir(bench.file("empty.restoring")).unwrap();
    bench.restore("backup.age", "empty").unwrap();
    let again = back_up_unrecorded(&bench.data, &passphrase(PASSPHRASE), &bench.file("backup.age"));
    assert_eq!(again.unwrap_err().code(), "file-exists");
    let short = back_up_unrecorded(&bench.data, &passphrase("too short"), &bench.file("short.age"));
    assert_eq!(short.unwrap_err().exit(), Exit::Refused);
    assert!(!bench.file("short.age").exists() && !bench.file("short.age.part").exists());
}

#[test]
fn a_backup_is_made_beside_a_station_that_writes_and_is_of_one_moment() {
    let bench = Bench::new();
    let station = open(&bench.data).unwrap();
    let writing = std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let busy = station.clone();
        let writer = scope.spawn(move || {
            let mut written = 0_u64;
            while matches!(stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
                busy.sign_in(Person::Id("ad-1"), &pin("493027")).unwrap();
                busy.sign_out().unwrap();
                written += 2;
            }
            written
        });
        for number in 0..5 {
            let file = format!("{number}.age");
            let made = back_up_unrecorded(&bench.data, &passphrase(PASSPHRASE), &bench.file(&file)).unwrap();
            let data = bench.restore(&file, &format!("restored-{number}")).unwrap();
            let old = Reader::open(&Paths::in_dir(&data.path().join("epochs/1"))).unwrap();
            assert!(matches!(old.verify().unwrap(), Verdict::Intact { .. }));
            assert_eq!(old.size().unwrap(), made.manifest.size);
        }
        drop(stop);
        writer.join().unwrap()
    });
    assert!(writing > 0);
    station.close().unwrap();
}
