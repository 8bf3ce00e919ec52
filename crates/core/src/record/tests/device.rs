use super::super::*;
use super::sorted;
use crate::registration::IdRule;

fn identity(mac: &str) -> Identity {
    Identity { mac: mac.parse().ok(), serial: "SN-1".parse().ok() }
}

fn event(change: DeviceChange) -> Event {
    Event::Device(DeviceEvent {
        id: RegistrationId::new("sn-1", IdRule::Dashes).ok(),
        identity: identity("a4cf12000001"),
        follows: Some(12),
        change,
        reason: DeviceReason::BoardFailed,
        note: "no radio".to_owned(),
        approver: "su-1".to_owned(),
    })
}

/// The example of docs/audit-format.md, section 14, in short.
#[test]
fn a_device_that_is_taken_out_is_named_by_all_that_is_known_of_it() {
    let board = [
        ("mac", "a4cf12000001".into()),
        ("note", "no radio".into()),
        ("reason", "board-failed".into()),
        ("ref", 12.into()),
        ("rid", "sn-1".into()),
        ("sn", "SN-1".into()),
    ];
    for (change, name) in [
        (DeviceChange::Scrapped, "device.scrap"),
        (DeviceChange::Revoked, "device.revoke"),
        (DeviceChange::Restored, "device.restore"),
    ] {
        let event = event(change);
        assert_eq!((event.name(), event.rc(), event.approver()), (name, "", "su-1"));
        assert_eq!(sorted(&event), board);
    }
    let id = RegistrationId::new("sn-2", IdRule::Dashes).expect("an ID");
    let successor = Successor { id, identity: identity("a4cf12000002"), destroyed: "D-1".to_owned() };
    let event = event(DeviceChange::Replaced(Box::new(successor)));
    let mut all = board.to_vec();
    all.extend([
        ("destroyed", "D-1".into()),
        ("new_mac", "a4cf12000002".into()),
        ("new_rid", "sn-2".into()),
        ("new_sn", "SN-1".into()),
    ]);
    all.sort_by_key(|(key, _)| *key);
    assert_eq!((event.name(), sorted(&event)), ("device.replace", all));
}

#[test]
fn a_reason_is_one_of_those_of_the_act_and_another_one_needs_a_note() {
    let named = |word: &str, note| DeviceReason::named(word, DeviceReason::SCRAP, note);
    assert_eq!(named("broken", ""), Some(DeviceReason::Broken));
    assert_eq!((named("key-leaked", ""), named("", ""), named("Broken", "")), (None, None, None));
    assert_eq!((named("other", ""), named("other", "it fell")), (None, Some(DeviceReason::Other)));
}

#[test]
fn a_list_is_known_by_its_hash_and_two_people_say_that_it_was_done() {
    let list = CleanupList { sha256: [0xa5; 32], devices: 3, to: 18 };
    let fields = [("devices", 3.into()), ("sha256", "a5".repeat(32).into()), ("to", 18.into())];
    let made = Event::Cleanup(Cleanup::Listed(list.clone()));
    let done = Event::Cleanup(Cleanup::Done { list, approver: "su-1".to_owned() });
    assert_eq!((made.name(), made.approver(), sorted(&made)), ("cleanup.list", "", fields.to_vec()));
    assert_eq!((done.name(), done.approver(), sorted(&done)), ("cleanup.done", "su-1", fields.to_vec()));
}
