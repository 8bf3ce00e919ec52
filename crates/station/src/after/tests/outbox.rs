use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use keystation_audit::Reader;

use super::{Place, device, records};
use crate::after::follow::Stop;
use crate::after::outbox::{self, Sink, Until};
use crate::after::outbox_status;
use crate::station::paths;

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

/// A position that is ahead of the log is of another past: nothing is delivered over it.
#[test]
fn a_log_that_is_behind_its_outbox_delivers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::with(&format!("[outbox]\nfolder = \"{}\"\n", folder.path().display()));
    let origin = place.open().journal().origin().as_str().to_owned();
    fs::create_dir_all(place.data.after()).unwrap();
    fs::write(place.data.after().join("outbox"), format!("keystation-position/v1\n{origin}\n5000\n\n"))
        .unwrap();
    let station = place.work();
    while records(&place, "outbox.stall").is_empty() {
        std::thread::yield_now();
    }
    station.close().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(records(&place, "outbox.stall")[0]["why"], "ahead");
}
