//! Two boards under one label, and two devices with one key.

use keystation_audit::IntentRefusal;
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::record::{Event, Holds, Intent, Mode};

use crate::orders::{append, refusal};
use crate::support::{begin, entry, follow, intact, intent, key_of, outcome};

/// R13 and R14 of a line: no two boards under one label, no two devices with one key.
#[test]
fn another_board_and_a_key_of_another_device_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let board = |rid: &str, mac: &str, serial: &str| {
        let mac = (!mac.is_empty()).then(|| mac.parse().unwrap());
        let serial = (!serial.is_empty()).then(|| serial.parse().unwrap());
        let Event::Intent(intent) = follow(&journal, intent(rid)) else { panic!() };
        Intent { identity: Identity { mac, serial }, job: String::new(), ..intent }
    };
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
    // The same board again, and boards that say nothing of the other half.
    try_it(board("sn-1", "", "SN-1")).unwrap();
    try_it(board("sn-1-b", b, "SN-1")).unwrap();
    try_it(board("b", b, "")).unwrap();
    let mode = Mode::Rekey { reason: "new board".to_owned(), approver: "su-1".to_owned() };
    try_it(Intent { mode, ..board("sn-2-b", b, "SN-2") }).unwrap();

    let same = Intent { fingerprint: key_of("sn-1-b").fingerprint(), ..board("sn-9", "", "SN-9") };
    let refused = refusal(try_it(same));
    assert_eq!((refused.code(), refused), (Code::Collision, IntentRefusal::Collision { record: second }));
    intact(&paths);
}
