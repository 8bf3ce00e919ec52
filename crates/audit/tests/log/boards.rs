//! Two boards under one label, and two devices with one key.

use keystation_audit::{IntentRefusal, Journal};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::record::{Event, Holds, Intent, Mode, Rekey};
use keystation_core::repair::ReasonCode;

use crate::orders::{append, refusal};
use crate::support::{begin, entry, follow, intact, intent, key_of, outcome};

/// The next intent for a board that says these halves of an identity; an empty one it does not say.
fn board(journal: &Journal, rid: &str, mac: &str, serial: &str) -> Intent {
    let mac = (!mac.is_empty()).then(|| mac.parse().unwrap());
    let serial = (!serial.is_empty()).then(|| serial.parse().unwrap());
    let Event::Intent(intent) = follow(journal, intent(rid)) else { panic!("it is one") };
    Intent { identity: Identity { mac, serial }, job: String::new(), ..intent }
}

/// Another recipe makes another registration ID of the same board, and would give it a second key.
#[test]
fn a_board_has_one_key_under_whichever_registration_id() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let try_it = |rid: &str, mac: &str, serial: &str| {
        journal.append(&entry(Event::Intent(board(&journal, rid, mac, serial))))
    };
    let (a, b) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let first = try_it("sn-1", a, "SN-1").unwrap();
    let refused = |rid, mac, serial| refusal(try_it(rid, mac, serial));
    let other_id = IntentRefusal::OtherId { record: first, id: "sn-1".to_owned() };
    // While it is in work, and when it has its key.
    for keyed in [false, true] {
        for (rid, mac, serial) in [("mac-a", a, "SN-1"), ("mac-a", a, ""), ("serial-1", "", "SN-1")] {
            let found = refused(rid, mac, serial);
            assert_eq!((found.code(), &found), (Code::AlreadyRecorded, &other_id), "{rid} {mac} {serial}");
        }
        assert_eq!(refused("mac-b", b, "SN-1"), IntentRefusal::OtherBoard { record: first });
        assert_eq!(refused("mac-a", a, "SN-2"), IntentRefusal::OtherBoard { record: first });
        if !keyed {
            append(&journal, Event::Result(outcome("sn-1", first, Holds::New)));
        }
    }
    try_it("mac-b", b, "SN-2").unwrap();
    // One that failed has none, under whichever.
    let failed = try_it("sn-3", "", "SN-3").unwrap();
    append(&journal, Event::Result(outcome("sn-3", failed, Holds::Old)));
    try_it("serial-3", "", "SN-3").unwrap();
    intact(&paths);
}

/// R13 and R14 of a line: no two boards under one label, no two devices with one key.
#[test]
fn another_board_and_a_key_of_another_device_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let board = |rid: &str, mac: &str, serial: &str| board(&journal, rid, mac, serial);
    let try_it = |intent: Intent| journal.append(&entry(Event::Intent(intent)));
    let (a, b) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let first = try_it(board("sn-1-a", a, "SN-1")).unwrap();
    // Not known yet what became of it: it may hold a key.
    let refused = refusal(try_it(board("sn-1-b", b, "SN-1")));
    assert_eq!((refused.code(), &refused), (Code::OtherBoard, &IntentRefusal::OtherBoard { record: first }));
    append(&journal, Event::Result(outcome("sn-1-a", first, Holds::Old)));
    // It failed: another board may take its label.
    let second = try_it(board("sn-1-b", b, "SN-1")).unwrap();
    append(&journal, Event::Result(outcome("sn-1-b", second, Holds::New)));
    for (rid, mac, serial) in [("sn-1-a", a, "SN-1"), ("sn-2-b", b, "SN-2")] {
        let refused = refusal(try_it(board(rid, mac, serial)));
        assert_eq!(refused, IntentRefusal::OtherBoard { record: second }, "{rid}");
    }
    // The same board again, also where it does not say the other half.
    for (mac, serial) in [(b, "SN-1"), ("", "SN-1"), (b, "")] {
        let again = try_it(board("sn-1-b", mac, serial)).unwrap();
        append(&journal, Event::Result(outcome("sn-1-b", again, Holds::Old)));
    }
    // Repair puts no other label on it either, but gives the same board another ID, where its own is known to a stranger.
    let rekey = |rid: &str, serial: &str| {
        let mode = Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "su-1"));
        try_it(Intent { mode, job: String::new(), ..board(rid, b, serial) })
    };
    assert_eq!(refusal(rekey("sn-2-b", "SN-2")), IntentRefusal::OtherBoard { record: second });
    rekey("sn-1-b-again", "SN-1").unwrap();

    let same = Intent { fingerprint: key_of("sn-1-b").fingerprint(), ..board("sn-9", "", "SN-9") };
    let refused = refusal(try_it(same));
    assert_eq!((refused.code(), refused), (Code::Collision, IntentRefusal::Collision { record: second }));
    intact(&paths);
}
