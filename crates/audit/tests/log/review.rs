//! Which records QA has looked through.

use keystation_audit::{AppendError, Journal, Query, Reader, Review, Tally};
use keystation_core::record::{Actor, Event};

use crate::support::{begin, entry, intact, work};

fn reviewer() -> Actor {
    Actor { session: "5c1e0b7d".to_owned(), operator: "qa-007".to_owned(), role: "qa".to_owned() }
}

/// First and last record that nobody reviewed, and the attempts: passed, failed, refused, open.
fn unreviewed(reader: &Reader) -> (u64, u64, [u64; 4]) {
    let found = reader.unreviewed().unwrap();
    let attempts = reader.attempts_among(found.from, found.to).unwrap();
    let Tally { passed, failed, refused, open, .. } = attempts;
    (found.from, found.to, [passed, failed, refused, open])
}

#[test]
fn a_review_covers_what_nobody_had_looked_through() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.last_review().unwrap(), None);
    assert_eq!(unreviewed(&reader), (0, 0, [0; 4]));
    assert_eq!(reader.unreviewed().unwrap().oldest_ms, None);

    work(&journal, 10);
    assert_eq!(unreviewed(&reader), (0, 20, [6, 4, 0, 0]));
    let first = reader.search(&Query::default(), None, 50).unwrap().rows.pop().unwrap();
    assert_eq!(reader.unreviewed().unwrap().oldest_ms, Some(first.time_ms));
    let root = hex(reader.snapshot().unwrap().checkpoint().root);

    let seq = journal.review(&reviewer(), None, "two boards to repair").unwrap();
    let signed = reader.last_review().unwrap().unwrap();
    let Review { time_ms, .. } = signed;
    assert_eq!(
        signed,
        Review {
            seq: 21,
            time_ms,
            reviewer: "qa-007".to_owned(),
            from: 0,
            to: 20,
            remark: "two boards to repair".to_owned()
        }
    );
    assert_eq!(seq, 21);
    let stored = reader.recent(1).unwrap().pop().unwrap();
    let record = stored.parse().unwrap();
    assert_eq!(record.text("root").unwrap(), root, "of the log that was reviewed");
    assert_eq!((record.event(), record.role()), ("review.signed", "qa".into()));

    // The next one begins where this one ended: its own record is the first that nobody has looked at.
    assert_eq!(unreviewed(&reader), (21, 21, [0; 4]));
    assert_eq!(reader.unreviewed().unwrap().oldest_ms, None);
    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
    journal.review(&reviewer(), None, "").unwrap();
    let signed = reader.last_review().unwrap().unwrap();
    assert_eq!((signed.from, signed.to, signed.seq), (21, 22, 23));
    assert_eq!(intact(&paths), 24);

    // It is found again in tables that were made anew.
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!(Reader::open(&paths).unwrap().last_review().unwrap(), Some(signed));
}

/// Whoever signs while others append, or at the same time as another, covers each record once.
#[test]
fn reviews_that_come_together_leave_no_gap_and_do_not_overlap() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
                    journal.review(&reviewer(), None, "").unwrap();
                }
            });
        }
    });
    let mut next = 0;
    let mut reviews = 0;
    Reader::open(&paths)
        .unwrap()
        .records(.., None, |record| {
            if record.event() == "review.signed" {
                assert_eq!(record.integer("from"), Some(next));
                next = record.integer("to").unwrap() + 1;
                assert_eq!(next, record.seq().cast_signed());
                reviews += 1;
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((reviews, intact(&paths)), (40, 81));
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The line works on while somebody looks: what is signed is what was shown.
#[test]
fn a_review_covers_what_was_shown_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 3);
    let reader = Reader::open(&paths).unwrap();
    let shown = unreviewed(&reader).1;
    let root = reader.snapshot().unwrap().checkpoint().root;
    journal.append(&entry(Event::Lock)).unwrap();
    let seq = journal.review(&reviewer(), Some(shown), "").unwrap();
    let signed = reader.review(seq).unwrap();
    assert_eq!((signed.from, signed.to), (0, shown));
    let body = String::from_utf8(reader.recent(1).unwrap().pop().unwrap().body).unwrap();
    let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(body.contains(&root), "the root of what was shown: {body}");
    // Reviewed already, and not there yet.
    for to in [shown, seq + 1] {
        let refused = journal.review(&reviewer(), Some(to), "");
        assert!(matches!(refused, Err(AppendError::NothingToReview { .. })), "{refused:?}");
    }
    let next = journal.review(&reviewer(), None, "").unwrap();
    assert_eq!(reader.review(next).unwrap().from, shown + 1);
}
