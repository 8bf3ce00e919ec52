use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use keystation_audit::{EpochOrder, Paths, Reader, StoredRecord, begin_epoch};
use keystation_core::record::{Event, Seq};

use super::{Place, append, device, records};
use crate::after::follow::Stop;
use crate::after::outbox::{self, Sink, Until};
use crate::after::{Delivered, OlderLog, Skipped, outbox_status};
use crate::error::{Exit, StationError};
use crate::station::{Station, clock, paths};

/// Each record is a file with its very bytes; what was there already is not written again, and nothing is written twice.
#[test]
fn a_folder_gets_every_record_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::with(&format!("[outbox]\nfolder = \"{}\"\n", folder.path().display()));
    for number in 0..3 {
        let station = place.work();
        device(&station, number, "example/1", None);
        let size = station.journal().growth().records();
        while fs::read_dir(folder.path()).unwrap().count() < usize::try_from(size).unwrap() {
            std::thread::yield_now();
        }
        station.close().unwrap();
    }
    // The last record of a run goes out with the next one.
    let station = place.open();
    let follower = station.follower(&Arc::new(Stop::default()), &Arc::new(AtomicU64::new(0)));
    let sink = || Sink::new(station.config().outbox.as_ref().unwrap()).unwrap();
    let until = Until { of: station.journal().growth().records(), patience: Duration::from_secs(60) };
    let delivered = outbox::deliver(&follower, &sink(), Some(until)).unwrap();
    assert_eq!((delivered.next, delivered.why), (until.of, None));
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let stored = Reader::open(&paths(&place.data)).unwrap().recent(1000).unwrap();
    assert_eq!(files.len(), usize::try_from(until.of).unwrap());
    for (file, record) in files.iter().zip(&stored) {
        assert_eq!(fs::read(file).unwrap(), record.body, "{}", file.display());
    }

    // Another record under the name of one: that stops it, and it is told.
    fs::remove_file(place.data.after().join("outbox")).unwrap();
    fs::write(&files[2], "{}").unwrap();
    let until = Until { patience: Duration::ZERO, ..until };
    let delivered = outbox::deliver(&follower, &sink(), Some(until)).unwrap();
    assert_eq!((delivered.next, delivered.why), (2, Some("other-record")));
    station.close().unwrap();
    let status = outbox_status(&place.data).unwrap();
    assert_eq!((status.on, status.next), (true, 2));
}

/// Delivers everything, or leaves at the first record that is not taken.
fn deliver(station: &Station) -> Result<Delivered, StationError> {
    let follower = station.follower(&Arc::new(Stop::default()), &Arc::new(AtomicU64::new(0)));
    let sink = Sink::new(station.config().outbox.as_ref().unwrap()).unwrap();
    let until = Until { of: station.journal().growth().records(), patience: Duration::ZERO };
    outbox::deliver(&follower, &sink, Some(until))
}

/// A station whose outbox is a folder, which has everything of its first log but the last six records; and those, as they stand there.
fn with_six_left(folder: &Path) -> (Place, Vec<StoredRecord>) {
    let place = Place::with(&format!("[outbox]\nfolder = \"{}\"\n", folder.display()));
    let station = place.open();
    for number in 0..2 {
        device(&station, number, "example/1", None);
    }
    assert_eq!(deliver(&station).unwrap().why, None);
    for number in 2..4 {
        device(&station, number, "example/1", None);
    }
    append(&station, Event::Lock);
    station.close().unwrap();
    let left = Reader::open(&paths(&place.data)).unwrap().recent(6).unwrap();
    (place, left)
}

fn begin_next_log(place: &Place) {
    let text = str::to_owned;
    let (operator, approver) = (text("ad-1"), text("ad-2"));
    let order = EpochOrder { operator, role: text("administrator"), approver, reason: text("test") };
    begin_epoch(place.data.path(), &order, clock().unwrap()).unwrap();
}

fn file(folder: &Path, epoch: u32, seq: Seq) -> PathBuf {
    folder.join(format!("keylog-example-com-plant7-stn03-{epoch}-{seq:016}.json"))
}

/// What a log had left goes first, and nothing of the one behind it before that is taken.
#[test]
fn what_is_left_of_a_log_is_delivered_ahead_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (place, left) = with_six_left(folder.path());
    begin_next_log(&place);
    let status = outbox_status(&place.data).unwrap();
    let older = OlderLog {
        log: "keylog.example.com/plant7/stn03/1".to_owned(),
        first: left[0].seq,
        waiting: Some(6),
        lost: 0,
        there: true,
    };
    assert_eq!((&status.older[..], status.waiting), (&[older][..], 6 + status.records));

    let in_the_way = file(folder.path(), 1, left[4].seq);
    fs::write(&in_the_way, "{}").unwrap();
    let station = place.open();
    let stopped = deliver(&station).unwrap();
    assert_eq!((stopped.next, stopped.why), (left[4].seq, Some("other-record")));
    assert_eq!((stopped.log.as_str(), stopped.of), ("keylog.example.com/plant7/stn03/1", left[5].seq + 1));
    assert!(!file(folder.path(), 2, 0).exists(), "the next log waits");

    fs::remove_file(in_the_way).unwrap();
    let done = deliver(&station).unwrap();
    assert_eq!((done.why, done.skipped.as_slice()), (None, &[][..]));
    for record in &left {
        assert_eq!(fs::read(file(folder.path(), 1, record.seq)).unwrap(), record.body, "{}", record.seq);
    }
    for record in station.reader().unwrap().recent(100).unwrap() {
        assert_eq!(fs::read(file(folder.path(), 2, record.seq)).unwrap(), record.body, "{}", record.seq);
    }
    let status = outbox_status(&place.data).unwrap();
    assert_eq!((status.next, status.waiting, status.skipped), (done.next, 0, None));
    station.close().unwrap();
}

/// Two logs behind each other, the first of which nobody delivered anything of: from its first record on, as where no file says how far it is.
#[test]
fn a_lost_position_costs_repetitions_and_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let (place, left) = with_six_left(folder.path());
    for log in 0..2 {
        begin_next_log(&place);
        let station = place.open();
        device(&station, 10 + log, "example/1", None);
        station.close().unwrap();
    }
    fs::remove_dir_all(place.data.after()).unwrap();
    let count = usize::try_from(left[5].seq + 1).unwrap();
    let second = Reader::open(&Paths::in_dir(&place.data.epoch(2))).unwrap().size().unwrap();
    let station = place.open();
    let done = deliver(&station).unwrap();
    assert_eq!((done.why, done.skipped.as_slice()), (None, &[][..]));
    let all = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(all as u64, count as u64 + second + done.of);
    station.close().unwrap();
}

/// What cannot be delivered is told: which, how many, why. The rest is delivered.
#[test]
fn what_of_an_old_log_is_damaged_is_told_and_the_rest_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let (place, left) = with_six_left(folder.path());
    begin_next_log(&place);
    // Two of the bytes of one record, on the disk.
    let db = place.data.epoch(1).join("audit.db");
    let mut bytes = fs::read(&db).unwrap();
    let body = &left[2].body;
    let at = bytes.windows(body.len()).position(|window| window == body).expect("it is in one page");
    bytes[at + 10] ^= 1;
    fs::write(&db, bytes).unwrap();

    let station = place.open();
    let done = deliver(&station).unwrap();
    let told = Skipped {
        log: "keylog.example.com/plant7/stn03/1".to_owned(),
        first: left[2].seq,
        count: 1,
        why: "damaged".to_owned(),
    };
    assert_eq!((done.why, &done.skipped), (None, &vec![told.clone()]));
    for (at, record) in left.iter().enumerate() {
        assert_eq!(file(folder.path(), 1, record.seq).exists(), at != 2, "{at}");
    }
    let status = outbox_status(&place.data).unwrap();
    assert_eq!((status.skips, status.skipped), (1, Some(told)));
    let [skip] = &records(&place, "outbox.skip")[..] else { panic!("one record") };
    assert_eq!((skip["first"].as_u64(), skip["count"].as_u64()), (Some(left[2].seq), Some(1)));
    station.close().unwrap();
}

/// The disk lost the end of a log, and a new one had to be begun: what is lost is said at once, and told.
#[test]
fn the_lost_end_of_a_log_is_said_when_the_new_one_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (place, left) = with_six_left(folder.path());
    let before = place.data.path().join("audit.db.before");
    fs::copy(place.data.path().join("audit.db"), &before).unwrap();
    let station = place.open();
    for number in 5..8 {
        device(&station, number, "example/1", None);
    }
    station.close().unwrap();
    let all = Reader::open(&paths(&place.data)).unwrap().size().unwrap();
    // An older database beside the head of a newer one.
    fs::rename(&before, place.data.path().join("audit.db")).unwrap();
    let kept = Reader::open(&paths(&place.data)).unwrap().size().unwrap();
    begin_next_log(&place);
    let status = outbox_status(&place.data).unwrap();
    let [older] = &status.older[..] else { panic!("{status:?}") };
    assert_eq!((older.first, older.waiting, older.lost), (left[0].seq, Some(all - left[0].seq), all - kept));
    let station = place.open();
    let done = deliver(&station).unwrap();
    let told: Vec<_> = done.skipped.iter().map(|told| (told.first, told.count, told.why.as_str())).collect();
    assert_eq!(told, [(kept, all - kept, "damaged")]);
    assert!(left.iter().all(|record| file(folder.path(), 1, record.seq).exists()));
    station.close().unwrap();
}

#[test]
fn a_log_that_is_gone_or_no_log_any_more_is_told_once() {
    for (damage, why) in [
        ((|epoch: &Path| fs::remove_dir_all(epoch).unwrap()) as fn(&Path), "missing"),
        (|epoch| fs::write(epoch.join("audit.db"), "no database").unwrap(), "damaged"),
        // All of it is there, signed by a key of somebody else's.
        (
            |epoch| {
                let key = fs::read_to_string(epoch.join("log.vkey")).unwrap().replace("stn03/1", "stn04/1");
                fs::remove_file(epoch.join("station.key")).unwrap();
                fs::write(epoch.join("log.vkey"), key).unwrap();
            },
            "damaged",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (place, left) = with_six_left(folder.path());
        begin_next_log(&place);
        damage(&place.data.epoch(1));
        let status = outbox_status(&place.data).unwrap();
        let gone = why == "missing";
        assert_eq!((status.older[0].there, status.older[0].lost), (!gone, if gone { 6 } else { 0 }));
        let station = place.open();
        let told = deliver(&station).unwrap().skipped;
        let expected: Vec<_> = told.iter().map(|told| (told.first, told.count, told.why.as_str())).collect();
        assert_eq!(expected, [(left[0].seq, 6, why)]);
        assert!(deliver(&station).unwrap().skipped.is_empty());
        assert_eq!(records(&place, "outbox.skip").len(), 1);
        assert!(file(folder.path(), 2, 0).exists());
        station.close().unwrap();
    }
}

/// A log that others were delivered than it has, or more, is delivered no more, however long it grows; a new one behind it is.
#[test]
fn a_log_that_is_not_the_one_that_was_delivered_delivers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::with(&format!("[outbox]\nfolder = \"{}\"\n", folder.path().display()));
    let station = place.open();
    let origin = station.journal().origin().as_str().to_owned();
    let put = |origin: &str, next: u64, leaf: &str| {
        fs::create_dir_all(place.data.after()).unwrap();
        let text = format!("keystation-position/v2\n{origin}\n{next}\n\n{leaf}\n");
        fs::write(place.data.after().join("outbox"), text).unwrap();
    };
    let size = station.journal().growth().records();
    put(&origin, size + 4, &"ab".repeat(32));
    for number in 0..3 {
        let error = deliver(&station).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("outbox-ahead", Exit::Failed));
        assert!(error.remedy().concat().contains("new-epoch"), "{error}");
        assert!(outbox_status(&place.data).unwrap().ahead);
        // It outgrows what was delivered, and is no other log for that.
        device(&station, number, "example/1", None);
    }
    assert!(station.journal().growth().records() > size + 4);
    assert!(records(&place, "outbox.stall").iter().all(|stall| stall["why"] == "ahead"));
    // As little where the position is of an epoch that this log does not have.
    put(&origin.replace("/1", "/2"), 1, "");
    assert_eq!(deliver(&station).unwrap_err().code(), "outbox-ahead");
    put(&origin, size + 4, &"ab".repeat(32));
    station.close().unwrap();

    let station = place.work();
    while records(&place, "outbox.stall").len() < 5 {
        std::thread::yield_now();
    }
    station.close().unwrap();
    assert_eq!(records(&place, "outbox.stall").len(), 5, "a line says it once");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    begin_next_log(&place);
    let station = place.open();
    let told = deliver(&station).unwrap();
    let all = Reader::open(&Paths::in_dir(&place.data.epoch(1))).unwrap().size().unwrap();
    let [Skipped { first: 0, count, why, .. }] = &told.skipped[..] else { panic!("{told:?}") };
    assert_eq!((*count, why.as_str()), (all, "other-log"));
    assert!(file(folder.path(), 2, 0).exists() && !file(folder.path(), 1, 0).exists());
    station.close().unwrap();
}
