//! Which board a name means, and that what is done to a device is done to the one board that it names.

use keystation_audit::{DeviceRefusal, KnownDevice, Reader};
use keystation_core::failure::Code;
use keystation_core::flow::{Retired, Retirement};
use keystation_core::identity::Identity;
use keystation_core::record::{DeviceChange, Event, Holds, Seq};

use crate::orders::append;
use crate::retired::{board, change, judged, make, rebuilt, replaced};
use crate::support::{begin, id};

const OLD: &str = "a4cf12000001";
const NEW: &str = "a4cf12000002";
const THIRD: &str = "a4cf12000003";

fn named(reader: &Reader, name: &str) -> Vec<(String, String)> {
    let told = |KnownDevice { id, identity, .. }: KnownDevice| {
        (id.to_string(), identity.mac.map_or(String::new(), |mac| mac.spelled("")))
    };
    reader.known_devices(name).unwrap().into_iter().map(told).collect()
}

fn pair(id: &str, mac: &str) -> (String, String) {
    (id.to_owned(), mac.to_owned())
}

#[test]
fn a_registration_id_is_that_of_the_board_that_has_it_now_and_a_mac_address_that_of_one_board() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(named(&reader, "s-1"), []);
    let (first, _) = make(&journal, "s-1", &old, Holds::New);
    for name in ["s-1", "S-1", "A4:CF:12:00:00:01", "s-1 a4-cf-12-00-00-01 S-1"] {
        assert_eq!(named(&reader, name), [pair("s-1", OLD)], "{name}");
    }
    for none in ["", " ", "S-2", "s-1 S-2", "S-1 a4cf12000002"] {
        assert_eq!(named(&reader, none), [], "{none}");
    }
    append(&journal, change("s-1", &old, Some(first), replaced("s-1", NEW, "S-1", "D-1")));
    // Before the new board is begun, and after.
    for begun in [false, true] {
        let newest = if begun { make(&journal, "s-1", &new, Holds::New).0 } else { first };
        assert_eq!(named(&reader, "s-1"), [pair("s-1", NEW)]);
        assert_eq!(named(&reader, "S-1"), [pair("s-1", NEW), pair("s-1", OLD)]);
        for (mac, identity) in [(OLD, &old), (NEW, &new)] {
            for name in [mac.to_owned(), format!("s-1 {mac}"), format!("{mac} S-1")] {
                let known = reader.known_devices(&name).unwrap();
                let expected = KnownDevice { id: id("s-1"), identity: identity.clone(), newest };
                assert_eq!(known, [expected], "{name}");
            }
        }
        // The old board is no device any more, whatever is asked for.
        let record = reader.retired_device(&id("s-1"), &old).unwrap().unwrap().record;
        let exchanged = DeviceRefusal::Exchanged { mac: OLD.parse().unwrap(), record };
        for what in [
            DeviceChange::Scrapped,
            DeviceChange::Revoked,
            replaced("s-1", THIRD, "S-1", "D-2"),
            replaced("s-1-b", THIRD, "S-1", ""),
        ] {
            assert_eq!(judged(&journal, change("s-1", &old, Some(newest), what)), exchanged);
        }
        // It is not scrap of the new one: that is begun now.
        assert_eq!(reader.retired_device(&id("s-1"), &new).unwrap(), None);
    }
    rebuilt(&paths, journal);
}

/// A new board that never worked is exchanged, too; and it is the one that the record names.
#[test]
fn a_board_that_was_never_begun_can_be_scrapped_or_exchanged_again() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new, third) = (board(OLD, "S-1"), board(NEW, "S-1"), board(THIRD, "S-1"));
    let (first, _) = make(&journal, "s-1", &old, Holds::New);
    append(&journal, change("s-1", &old, Some(first), replaced("s-1", NEW, "S-1", "D-1")));
    append(&journal, change("s-1", &new, Some(first), replaced("s-1", THIRD, "S-1", "D-2")));
    let reader = Reader::open(&paths).unwrap();
    let known = reader.known_devices("s-1").unwrap();
    assert_eq!(known[0].identity, third);
    for (device, out) in [(&old, true), (&new, true), (&third, false)] {
        assert_eq!(reader.retired_device(&id("s-1"), device).unwrap().is_some(), out, "{device:?}");
    }
    let scrap = append(&journal, change("s-1", &third, Some(first), DeviceChange::Scrapped));
    let out = Retirement { what: Retired::Scrapped, record: scrap };
    assert_eq!(reader.retired_device(&id("s-1"), &third).unwrap(), Some(out));
    append(&journal, change("s-1", &third, Some(scrap), DeviceChange::Restored));
    make(&journal, "s-1", &third, Holds::New);
    rebuilt(&paths, journal);
}

#[test]
fn a_board_that_failed_is_not_the_one_that_got_its_registration_id() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    make(&journal, "s-1", &old, Holds::Old);
    let (newest, _) = make(&journal, "s-1", &new, Holds::New);
    let other = DeviceRefusal::OtherBoard { id: id("s-1"), record: newest };
    for what in [DeviceChange::Scrapped, DeviceChange::Revoked, replaced("s-1", THIRD, "S-1", "D-1")] {
        assert_eq!(judged(&journal, change("s-1", &old, Some(newest), what)), other);
    }
    // What is not said is no other one.
    append(&journal, change("s-1", &board("", "S-1"), Some(newest), DeviceChange::Scrapped));
    // One board under two registration IDs: a name has to say which.
    let one = board("a4cf12000005", "S-5");
    make(&journal, "s-5", &one, Holds::Old);
    make(&journal, "s-5-b", &one, Holds::New);
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(named(&reader, "S-5").len(), 2);
    assert_eq!(named(&reader, "S-5 s-5"), [pair("s-5", "a4cf12000005")]);
    rebuilt(&paths, journal);
}

#[test]
fn a_scrap_is_taken_back_of_the_board_that_was_named_and_only_if_that_puts_it_back() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    let reader = Reader::open(&paths).unwrap();
    let scraps = |name: &str| -> Vec<Seq> {
        reader.scraps_in_force(name).unwrap().into_iter().map(|scrap| scrap.record).collect()
    };
    let back = |identity: &Identity, scrap| change("s-1", identity, Some(scrap), DeviceChange::Restored);
    let (first, _) = make(&journal, "s-1", &old, Holds::New);
    let one = append(&journal, change("s-1", &old, Some(first), DeviceChange::Scrapped));
    let swap = append(&journal, change("s-1", &old, Some(first), replaced("s-1", NEW, "S-1", "D-1")));
    let (second, _) = make(&journal, "s-1", &new, Holds::New);
    let two = append(&journal, change("s-1", &new, Some(second), DeviceChange::Scrapped));
    for (name, expected) in [
        ("s-1", vec![two]),
        ("S-1", vec![two, one]),
        (OLD, vec![one]),
        ("s-1 a4:cf:12:00:00:01 S-1", vec![one]),
        (NEW, vec![two]),
        ("S-2", vec![]),
        ("s-1 S-2", vec![]),
    ] {
        assert_eq!(scraps(name), expected, "{name}");
    }
    let stays = |what, record| DeviceRefusal::Out { id: id("s-1"), retirement: Retirement { what, record } };
    assert_eq!(judged(&journal, back(&old, one)), stays(Retired::Replaced, swap));
    append(&journal, back(&new, two));
    let three = append(&journal, change("s-1", &new, Some(second), DeviceChange::Scrapped));
    let revoked = append(&journal, change("s-1", &new, Some(second), DeviceChange::Revoked));
    assert_eq!(judged(&journal, back(&new, three)), stays(Retired::Revoked, revoked));

    // What was never begun is known by its board alone, also where the name says more.
    append(&journal, crate::orders::created("WO-1", 4));
    let of_order = |serial| crate::orders::order("WO-1", crate::orders::scrapped(None, serial));
    let never = append(&journal, of_order("S-9"));
    assert_eq!(scraps("S-9"), [never]);
    assert_eq!(scraps("s-9 a4:cf:12:00:00:09 S-9"), [never]);
    let scrap = &reader.scraps_in_force("S-9").unwrap()[0];
    assert_eq!((&scrap.id, &scrap.identity), (&None, &board("", "S-9")));
    rebuilt(&paths, journal);
}

/// Another board that was refused is not what the record of a device shows.
#[test]
fn the_board_of_a_life_is_the_one_that_was_begun_or_takes_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, stranger) = (board(OLD, "S-1"), board(THIRD, "S-1"));
    let refuse = |identity: &Identity| Event::Refuse {
        code: Code::OtherBoard,
        id: Some(id("s-1")),
        identity: Some(identity.clone()),
        port: "x".to_owned(),
        job: String::new(),
    };
    let reader = Reader::open(&paths).unwrap();
    let mac = || reader.life(&id("s-1")).unwrap().unwrap().mac;
    append(&journal, refuse(&stranger));
    assert_eq!(mac(), THIRD);
    let (first, _) = make(&journal, "s-1", &old, Holds::New);
    append(&journal, refuse(&stranger));
    assert_eq!(mac(), OLD);
    append(&journal, change("s-1", &old, Some(first), replaced("s-1", NEW, "S-1", "D-1")));
    assert_eq!(mac(), NEW);
    append(&journal, refuse(&old));
    assert_eq!(mac(), NEW);
    rebuilt(&paths, journal);
}
