//! Who asked for what is not permitted.

use keystation_audit::Reader;
use keystation_core::record::{Denial, DenialReason, Event};

use crate::support::{begin, entry};

fn denied(action: &str, what: &str) -> Event {
    Event::Denied(Denial { action: action.to_owned(), why: DenialReason::Role, what: what.to_owned() })
}

#[test]
fn denials_are_paged_and_counted_and_no_text_looks_like_one() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let nothing = reader.denials(None, 10).unwrap();
    assert_eq!((nothing.rows.len(), nothing.next, reader.denials_since(0).unwrap()), (0, None, 0));

    let mut made = Vec::new();
    for number in 0..5 {
        made.push(journal.append(&entry(denied("unlock", &format!("{number}")))).unwrap());
        // A review whose remark quotes the mark of a refusal.
        let remark = r#"","ev":"policy.refuse","why":"role"#;
        journal.review(&entry(denied("", "")).actor, None, remark).unwrap();
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = reader.denials(before, 2).unwrap();
        assert!(page.rows.len() <= 2);
        seen.extend(page.rows.iter().map(|denial| denial.seq));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
    let first = reader.denials(None, 1).unwrap().rows.remove(0);
    assert_eq!((first.action.as_str(), first.what.as_str(), first.why.as_str()), ("unlock", "4", "role"));
    assert_eq!(reader.denials_since(0).unwrap(), 5);
    assert_eq!(reader.denials_since(made[2]).unwrap(), 3);
    assert_eq!(reader.denials_since(made[2] + 1).unwrap(), 2);
    assert_eq!(reader.denials_since(made[0] + 1).unwrap(), 0);
}
