use super::super::*;
use super::{key, sorted};

const CEREMONY: &str = "0123456789abcdef";

fn of_the_key(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("cer", CEREMONY.into()),
        ("gk", "gk-2026a".into()),
        ("gkcv", "ABABABABAB".into()),
        ("group", "line-7".into()),
        ("scope", "0ne00EMU001".into()),
        ("slot", "secondary".into()),
    ];
    fields.extend_from_slice(more);
    fields.sort_by_key(|(name, _)| *name);
    fields
}

#[test]
fn a_component_names_the_key_that_is_to_come_of_it() {
    let event = Event::GroupKey(KeyEvent::Component {
        taken: true,
        ceremony: CEREMONY.to_owned(),
        key: (&key()).into(),
        part: 1,
        of: 2,
        check_value: "0A1B2C".to_owned(),
    });
    assert_eq!((event.name(), event.rc(), event.approver()), ("gk.component", "", ""));
    assert_eq!(sorted(&event), of_the_key(&[("part", 1.into()), ("of", 2.into()), ("cv", "0A1B2C".into())]));

    let (ceremony, key) = (CEREMONY.to_owned(), (&key()).into());
    let event = Event::GroupKey(KeyEvent::Aborted { ceremony, key, why: "check-value" });
    assert_eq!((event.name(), event.rc(), event.approver()), ("gk.abort", "aborted", ""));
    assert_eq!(sorted(&event), of_the_key(&[("why", "check-value".into())]));
}

#[test]
fn a_change_of_a_key_names_it_and_both_people() {
    let rows = [
        (KeyChange::Activated, "gk.activate"),
        (KeyChange::Suspended, "gk.suspend"),
        (KeyChange::Destroyed, "gk.destroy"),
    ];
    for (change, name) in rows {
        let event = Event::GroupKey(KeyEvent::Changed {
            label: key().label,
            check_value: key().check_value,
            change,
            reason: "rotation".to_owned(),
            approver: "cu-2".to_owned(),
        });
        assert_eq!((event.name(), event.rc(), event.approver()), (name, "", "cu-2"));
        let expected =
            [("gk", "gk-2026a".into()), ("gkcv", "ABABABABAB".into()), ("reason", "rotation".into())];
        assert_eq!(sorted(&event), expected);
    }
}

#[test]
fn a_recipient_is_public() {
    let event = Event::GroupKey(KeyEvent::Recipient { recipient: "age1q".to_owned() });
    assert_eq!((event.name(), event.rc(), event.approver()), ("gk.recipient", "", ""));
    assert_eq!(sorted(&event), [("recipient", "age1q".into())]);
}
