use super::*;
use crate::identity::Identity;
use crate::repair::{Effect, ReasonCode, RekeyReason};

fn hash(hex: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    }
    bytes
}

#[test]
fn what_a_row_names_reads_back_in_one_spelling() {
    for text in ["id", "mac", "serial", "id+mac", "id+serial", "mac+serial", "id+mac+serial"] {
        assert_eq!(RowNames::named(text).map(RowNames::text).as_deref(), Some(text));
    }
    for text in ["", "+", "mac+id", "id+id", "id+", "sn", "id+mac+sn", "ID"] {
        assert_eq!(RowNames::named(text), None, "{text}");
    }
    assert_eq!(row_text("", "a4cf12000107", ""), ",a4cf12000107,");
}

/// The records that stand in docs/audit-format.md, section 13.
#[test]
fn the_examples_of_the_documents_hold() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit-format.md");
    let kept = std::fs::read_to_string(file).unwrap();
    let (_, section) = kept.split_once("## 13 Repair").unwrap();
    let section = section.split("\n## ").next().unwrap();
    // The lines of a record are one line in the log.
    let records: Vec<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect::<String>()
        .split_inclusive('}')
        .map(str::to_owned)
        .collect();
    assert_eq!(records.len(), 4);
    let identity = || Identity { mac: "a1b2c3d4e5f6".parse().ok(), serial: "007-888-abc".parse().ok() };
    let id = || RegistrationId::new("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", IdRule::Dashes).unwrap();
    let key = || GroupKeyInfo {
        label: "gk-2026b".parse().unwrap(),
        group: "contoso-line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Secondary,
        check_value: "7C1D0A4E91".parse().unwrap(),
        length: 64,
    };
    let reason = RekeyReason::new(ReasonCode::LeakedKey, "case 4711").unwrap();
    let profile = hash("216161a13de912ec3cf88e7ac14838118160f7bea80a8bf81c89d5670cfa3070");
    let sha256 = hash("748666287426ace420aa8b8e3108c1be07a00ad091bab6d6c9f47d728ad8ccf9");
    // Python's hashlib, from the rows of the list.
    let rows = [
        "c9e6a75831a752fb62ca8eed8d974de80cc57f6f1fb29ba88b05f55b9fd77fee",
        "d68886a7f25a25f4ec0ffa5227870aea46062ca4709aada981f5b439e2808ac0",
        "98d64b5654bc686a3d64b76a8fb41234db5939f45bc8c8a85ec4abdea0020750",
    ];
    let path = rows[1..].iter().map(|row| hash(row)).collect();
    assert!(section.contains(rows[0]));
    let terms = BatchTerms {
        reason: reason.clone(),
        same_key: false,
        list: Some(ListHashes {
            sha256,
            root: hash("ef6beacce6c9e814ffb690e3bd2686ea09054ab1dab5bd21074969c5e45c3dae"),
        }),
        devices: 3,
        key: key(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        profile: "second.toml".to_owned(),
        profile_sha256: profile,
        from: None,
        approver: "su-1".to_owned(),
        before: None,
    };
    let intent = Intent {
        id: id(),
        identity: identity(),
        firmware: "2.4.1".to_owned(),
        key: key(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: "0f1e2d3c4b5a69788796a5b4".parse().unwrap(),
        profile: "example 1".to_owned(),
        job: "RK-1".to_owned(),
        port: "usb-1-1.4/0403:6001/FT9X2".to_owned(),
        mode: Mode::Rekey(Box::new(Rekey {
            reason,
            approver: "su-1".to_owned(),
            effect: Effect::NewKey,
            before: Some("a165bece4738cde6fbdc5281".parse().unwrap()),
            same_key: false,
            profile,
            place: Some(ListPlace { row: 0, named: RowNames { id: true, mac: false, serial: false }, path }),
        })),
        prior: Some(3),
        attempt: 2,
    };
    let counts = BatchCounts { asked: 3, done: 1, failed: 0, missing: 2, unexpected: 0 };
    let batch = || "RK-1".parse().unwrap();
    let events = [
        Event::Repair(RepairEvent::Looked { id: id(), identity: identity(), holding: "as-recorded" }),
        Event::Repair(RepairEvent::Opened { batch: batch(), terms: Box::new(terms) }),
        Event::Intent(intent),
        Event::Repair(RepairEvent::Closed { batch: batch(), opened: 5, counts, before: None }),
    ];
    for (event, record) in events.iter().zip(&records) {
        let mut fields = event.fields();
        fields.extend([
            ("ev", event.name().into()),
            ("op", "rep-1".into()),
            ("op2", event.approver().into()),
            ("rc", event.rc().into()),
            ("role", "repair".into()),
        ]);
        fields.sort_by_key(|(name, _)| *name);
        let said: Vec<String> = fields
            .iter()
            .map(|(name, value)| match value {
                Value::Text(text) => format!("\"{name}\":\"{text}\""),
                Value::Number(number) => format!("\"{name}\":{number}"),
            })
            .collect();
        assert_eq!(*record, format!("{{{}}}", said.join(",")));
    }
}
