//! What the second person is asked for.

use super::*;

fn event(id: &str, mac: &str, serial: &str, change: DeviceChange) -> Planned {
    let id = RegistrationId::new(id, IdRule::Dashes).ok();
    let identity = Identity { mac: mac.parse().ok(), serial: serial.parse().ok() };
    let event = DeviceEvent {
        id,
        identity,
        follows: Some(14),
        change,
        reason: DeviceReason::Other,
        note: "it fell".to_owned(),
        approver: String::new(),
    };
    Planned { event, blocked: None }
}

#[test]
fn whoever_approves_sees_which_board_it_is() {
    let subject = |planned: &Planned| request_of(Action::ScrapDevice, planned).subject;
    let scrap = event("sn-1", "a4cf12000001", "SN-1", DeviceChange::Scrapped);
    assert_eq!(subject(&scrap), "sn-1 (MAC a4:cf:12:00:00:01, S/N SN-1)");
    assert_eq!(request_of(Action::ScrapDevice, &scrap).reason, "other: it fell");
    let other = event("sn-1", "a4cf12000002", "SN-1", DeviceChange::Scrapped);
    assert_ne!(subject(&scrap), subject(&other), "an approval is for one board");
    // What was put down as scrap before it was begun has no registration ID, and perhaps no serial number.
    for (mac, serial, expected) in [
        ("a4cf12000001", "", "– (MAC a4:cf:12:00:00:01, S/N –), scrap of record 14"),
        ("", "SN-1", "– (MAC –, S/N SN-1), scrap of record 14"),
    ] {
        assert_eq!(subject(&event("", mac, serial, DeviceChange::Restored)), expected);
    }
    let listed = Planned { blocked: Some(20), ..event("sn-1", "", "SN-1", DeviceChange::Restored) };
    assert_eq!(
        subject(&listed),
        "sn-1 (MAC –, S/N SN-1), scrap of record 14, listed for the cloud in record 20"
    );
    let mut elsewhere = event("sn-9", "", "", DeviceChange::Revoked);
    elsewhere.event.follows = None;
    assert_eq!(subject(&elsewhere), "sn-9, which this log never began");
    let identity = Identity { mac: "a4cf12000002".parse().ok(), serial: "SN-1".parse().ok() };
    let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
    let by = Successor { id, identity, destroyed: "D-1".to_owned() };
    let swap = event("sn-1", "a4cf12000001", "SN-1", DeviceChange::Replaced(Box::new(by)));
    assert_eq!(
        subject(&swap),
        "sn-1 (MAC a4:cf:12:00:00:01, S/N SN-1) by sn-1 (a4:cf:12:00:00:02), old board destroyed: D-1"
    );
}

#[test]
fn a_mac_address_that_the_log_does_not_know_is_no_registration_id() {
    for none in ["", "a4-cf-12-00-00-01", "a4cf12000001", "a4-cf-12-00-00-01 SN-1", "sn_1!"] {
        assert!(stranger(none).is_none(), "{none}");
    }
    let (id, identity) = stranger("sn-9 a4-cf-12-00-00-01 SN-9").unwrap();
    assert_eq!(named(Some(&id), &identity), "sn-9 (MAC a4:cf:12:00:00:01, S/N SN-9)");
}
