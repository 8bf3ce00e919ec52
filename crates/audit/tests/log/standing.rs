use keystation_audit::{AppendError, Journal, Reader};
use keystation_core::flow::{Log, LogError};
use keystation_core::record::{Event, Holds, Seq};

use crate::support::{begin, entry, follow, id, intact, intent, key_of, outcome};

const RID: &str = "sn-1";

fn intend(journal: &Journal) -> Seq {
    journal.append(&entry(follow(journal, intent(RID)))).unwrap()
}

fn settle(journal: &Journal, seq: Seq, holds: Holds) -> Seq {
    journal.append(&entry(Event::Result(outcome(RID, seq, holds)))).unwrap()
}

fn resolve(journal: &Journal, seq: Seq, holds: Holds) -> Seq {
    journal.append(&entry(Event::Resolve(outcome(RID, seq, holds)))).unwrap()
}

/// Open intent, last record by which it was keyed, attempts; the reader and the writer must agree.
fn standing(journal: &Journal, reader: &Reader) -> (Option<Seq>, Option<Seq>, u64) {
    let standing = Log::standing(journal, &id(RID)).unwrap();
    assert_eq!(reader.standing(&id(RID)).unwrap(), standing);
    (standing.open.map(|open| open.seq), standing.keyed, standing.attempts)
}

#[test]
fn intent_is_open_until_its_outcome_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(standing(&journal, &reader), (None, None, 0));

    let first = intend(&journal);
    assert_eq!(standing(&journal, &reader), (Some(first), None, 1));
    settle(&journal, first, Holds::Unknown);
    assert_eq!(standing(&journal, &reader), (Some(first), None, 1));
    resolve(&journal, first, Holds::Old);
    assert_eq!(standing(&journal, &reader), (None, None, 1));

    let second = intend(&journal);
    let passed = settle(&journal, second, Holds::New);
    assert_eq!(standing(&journal, &reader), (None, Some(passed), 2));
    assert_eq!(reader.standing(&id("sn-2")).unwrap(), keystation_core::flow::Standing::default());
    assert_eq!(intact(&paths), 6);
}

#[test]
fn older_open_intent_stays_open_until_a_later_key_is_proved() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let (older, newer) = (intend(&journal), intend(&journal));
    assert_eq!(standing(&journal, &reader), (Some(newer), None, 2));
    // What the newer one did not change may still be what the older one wrote.
    settle(&journal, newer, Holds::Old);
    assert_eq!(standing(&journal, &reader), (Some(older), None, 2));

    let rekey = intend(&journal);
    let passed = settle(&journal, rekey, Holds::New);
    assert_eq!(standing(&journal, &reader), (None, Some(passed), 3));
    assert!(reader.open_intents().unwrap().is_empty());
    // A slot that met the same device and is late: nobody knows any more.
    settle(&journal, older, Holds::Unknown);
    assert_eq!(standing(&journal, &reader), (Some(older), Some(passed), 3));
    assert_eq!(intact(&paths), 7);
}

#[test]
fn key_that_is_proved_does_not_close_a_later_intent() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let (older, newer) = (intend(&journal), intend(&journal));
    let passed = settle(&journal, older, Holds::New);
    assert_eq!(standing(&journal, &reader), (Some(newer), Some(passed), 2));
    assert_eq!(intact(&paths), 4);
}

#[test]
fn outcome_needs_an_intent_of_the_same_device() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let seq = intend(&journal);
    for (rid, intent) in [(RID, 0), (RID, seq + 1), ("sn-2", seq)] {
        let refused = journal.append(&entry(Event::Result(outcome(rid, intent, Holds::New))));
        assert!(matches!(refused, Err(AppendError::NoSuchIntent { .. })), "{rid} {intent}");
    }
    // Nothing of it is in the log, and the log goes on.
    assert_eq!(settle(&journal, seq, Holds::New), seq + 1);
    assert_eq!(intact(&paths), 3);
}

/// Two slots meet devices that say the same of themselves, and both ask the log before either writes.
/// Whoever has proved its key has; what is proved again has an intent of its own, or is one whose outcome nobody knows any more.
#[test]
fn no_key_is_proved_of_an_intent_that_is_settled() {
    let directory = tempfile::tempdir().unwrap();
    let (_, journal) = begin(directory.path());
    let again = |seq, holds| {
        [Event::Result, Event::Resolve]
            .map(|event| journal.append(&entry(event(outcome("sn-1", seq, holds)))))
    };
    for settled in [Holds::Old, Holds::New] {
        let seq = intend(&journal);
        settle(&journal, seq, settled);
        for refused in again(seq, Holds::New) {
            assert!(
                matches!(refused, Err(AppendError::Settled { intent, .. }) if intent == seq),
                "{refused:?}"
            );
        }
        // It is in doubt again, and proved then.
        settle(&journal, seq, Holds::Unknown);
        resolve(&journal, seq, Holds::New);
    }
    // The key that is proved closes the intents before it.
    let older = intend(&journal);
    let newer = intend(&journal);
    settle(&journal, newer, Holds::New);
    for refused in again(older, Holds::New) {
        assert!(matches!(refused, Err(AppendError::Settled { .. })), "{refused:?}");
    }
}

#[test]
fn of_two_intents_that_follow_the_same_record_one_gets_in() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for settled in [Holds::Old, Holds::New] {
        let same = follow(&journal, intent(RID));
        let first = journal.append(&entry(same.clone())).unwrap();
        let refused = journal.append(&entry(same)).unwrap_err();
        assert!(matches!(&refused, AppendError::Overtaken { id } if id == RID), "{refused:?}");
        assert!(matches!(refused.into(), LogError::Overtaken { .. }));
        // The log goes on, and what the other slot reads now it may intend.
        settle(&journal, first, settled);
    }
    intend(&journal);
    assert_eq!(intact(&paths), 6);
}

#[test]
fn reader_lists_what_is_open_and_counts_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    crate::support::work(&journal, 10);
    let reader = Reader::open(&paths).unwrap();
    let open: Vec<_> = reader.open_intents().unwrap().into_iter().map(|open| (open.seq, open.rid)).collect();
    assert_eq!(open, [(9, "sn-0004".to_owned()), (19, "sn-0009".to_owned())]);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.passed, counts.failed, counts.refused), (6, 4, 0));
    assert_eq!(reader.written_key(&id("sn-0000")).unwrap(), Some(key_of("sn-0000").fingerprint()));
    assert_eq!(reader.written_key(&id("sn-0003")).unwrap(), None);
}

/// Two ports, and boards of one identity on both: each reads that nothing is open before either intent is written.
#[test]
fn of_two_intents_that_follow_the_same_standing_one_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for number in 0..50 {
        let rid = format!("sn-{number:04}");
        let both = std::sync::Barrier::new(2);
        let port = || {
            let event = follow(&journal, intent(&rid));
            both.wait();
            journal.append(&entry(event))
        };
        let outcomes = std::thread::scope(|scope| {
            [scope.spawn(port), scope.spawn(port)].map(|port| port.join().unwrap())
        });
        let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let overtaken =
            outcomes.iter().filter(|outcome| matches!(outcome, Err(AppendError::Overtaken { .. }))).count();
        assert_eq!((taken, overtaken), (1, 1), "{outcomes:?}");
        assert_eq!(journal.standing(&id(&rid)).unwrap().attempts, 1);
    }
    assert_eq!(intact(&paths), 51);
}
