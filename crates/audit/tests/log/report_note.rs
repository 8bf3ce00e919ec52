//! The note beside a report: signed for what the log says, and for nothing else.

use keystation_audit::{
    AppendError, Checkpoint, CheckpointError, NoteError, ReportNote, ReportNoteError, Signer,
};
use keystation_core::record::Event;

use crate::support::{ORIGIN, begin, entry, work};

fn exported(records: u64) -> Event {
    Event::ReportExported { job: "WO-44192".to_owned(), sha256: [0xa5; 32], records }
}

#[test]
fn only_what_the_log_says_is_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (_paths, journal) = begin(directory.path());
    work(&journal, 2);
    let seq = journal.append(&entry(exported(5))).unwrap();
    let note = journal.sign_report(seq).unwrap();
    let text = format!("keystation-report/v1\n{ORIGIN}\n{}\n5\n", "a5".repeat(32));
    assert_eq!(journal.verifier_key().open(&note), Ok(text.as_str()));
    let said = ReportNote::open(&note, journal.verifier_key()).unwrap();
    assert_eq!((said.origin.as_str(), said.sha256, said.records), (ORIGIN, [0xa5; 32], 5));

    for no_report in [0, 1, 2] {
        let refused = journal.sign_report(no_report);
        assert!(matches!(refused, Err(AppendError::NoSuchReport { seq }) if seq == no_report), "{refused:?}");
    }
    assert!(matches!(journal.sign_report(99), Err(AppendError::Unread(_))));
    for (records, seq) in [(0, seq + 1), (99, seq + 2)] {
        assert_eq!(journal.append(&entry(exported(records))).unwrap(), seq);
        assert!(matches!(journal.sign_report(seq), Err(AppendError::NoSuchReport { .. })), "{records}");
    }
    assert!(journal.checkpoint().is_ok(), "the log goes on");
}

#[test]
fn a_report_is_no_checkpoint_and_a_checkpoint_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let (_paths, journal) = begin(directory.path());
    let seq = journal.append(&entry(exported(1))).unwrap();
    let (note, checkpoint) = (journal.sign_report(seq).unwrap(), journal.checkpoint().unwrap());
    let key = journal.verifier_key();
    assert_eq!(Checkpoint::open(&note, key), Err(CheckpointError::Lines));
    assert_eq!(ReportNote::open(&checkpoint, key), Err(ReportNoteError::Form));
}

#[test]
fn a_note_of_a_report_has_one_form() {
    let signer = Signer::from_seed(ORIGIN, &[7; 32]);
    let digest = "a5".repeat(32);
    let open =
        |text: &str| ReportNote::open(&signer.sign(text), signer.verifier()).map(|report| report.records);
    let good = format!("keystation-report/v1\n{ORIGIN}\n{digest}\n12\n");
    assert_eq!(open(&good), Ok(12));
    for (from, to) in [
        ("report/v1", "report/v2"),
        ("\n12\n", "\n12\n\n"),
        ("\n12\n", "\n12\nmore\n"),
        ("\n12\n", "\n012\n"),
        ("\n12\n", "\n0\n"),
        ("\n12\n", "\n+12\n"),
        ("\n12\n", "\n9007199254740992\n"),
        ("a5a5", "A5A5"),
        ("a5a5", "a5"),
        ("a5a5", "a5a5a5"),
        ("a5a5", "éa5"),
    ] {
        assert_eq!(open(&good.replacen(from, to, 1)), Err(ReportNoteError::Form), "{to}");
    }
    let other = good.replace("stn03", "stn04");
    assert_eq!(open(&other), Err(ReportNoteError::Origin));
    let note = signer.sign(&good);
    let stranger = Signer::from_seed(ORIGIN, &[8; 32]);
    let opened = |note: &str, signer: &Signer| ReportNote::open(note, signer.verifier()).unwrap_err();
    assert_eq!(opened(&note, &stranger), ReportNoteError::Note(NoteError::Unsigned));
    let changed = note.replace("\n12\n", "\n13\n");
    assert_eq!(opened(&changed, &signer), ReportNoteError::Note(NoteError::Signature));
}
