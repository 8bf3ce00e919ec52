//! Somebody who computes every hash of the tree anew, without the signing key and with it.

use std::fs;

use keystation_audit::{
    Checkpoint, Finding, Frontier, Journal, Origin, Paths, RecordError, Signer, leaf_hash, node_hash,
};

use crate::attacks::{behind_the_triggers, integrity};
use crate::support::{ORIGIN, attacker, findings, intact, pristine};

/// Changes each of the records, and all that is computed from them but the signatures. Gives the new checkpoint.
pub(crate) fn forge(paths: &Paths, change: impl Fn(u64, String) -> String) -> Checkpoint {
    let mut tree = Frontier::default();
    behind_the_triggers(&attacker(paths), |conn| {
        conn.execute("DELETE FROM node", []).unwrap();
        let mut level = Vec::new();
        let size: i64 = conn.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
        for seq in 0..size {
            let select = "SELECT body FROM log WHERE seq = ?1";
            let body: Vec<u8> = conn.query_row(select, [seq], |row| row.get(0)).unwrap();
            let forged = change(seq.cast_unsigned(), String::from_utf8(body).unwrap()).into_bytes();
            let leaf = leaf_hash(&forged);
            conn.execute("UPDATE log SET body = ?1, leaf = ?2 WHERE seq = ?3", (&forged, leaf, seq)).unwrap();
            tree.add(leaf);
            level.push(leaf);
        }
        for number in 1..=size.ilog2() {
            level = level.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
            for (index, hash) in level.iter().enumerate() {
                let insert = "INSERT INTO node VALUES (?1, ?2, ?3)";
                conn.execute(insert, (number, index.cast_signed(), hash)).unwrap();
            }
        }
    });
    Checkpoint { origin: Origin::new(ORIGIN).unwrap(), size: tree.size(), root: tree.root() }
}

/// Signs a checkpoint with the key of the station, in the database and beside it.
pub(crate) fn sign(paths: &Paths, checkpoint: &Checkpoint) {
    let note = checkpoint.sign(&Signer::from_text(&fs::read_to_string(&paths.key).unwrap()).unwrap());
    attacker(paths).execute("UPDATE checkpoint SET note = ?1", [&note]).unwrap();
    fs::write(&paths.head, note).unwrap();
}

/// Both, and the tables made anew: what another program would have written.
pub(crate) fn resign(paths: &Paths, change: impl Fn(u64, String) -> String) {
    let checkpoint = forge(paths, change);
    let key = Signer::from_text(&fs::read_to_string(&paths.key).unwrap()).unwrap();
    let origin = Origin::new(key.verifier().name()).unwrap();
    sign(paths, &Checkpoint { origin, ..checkpoint });
    Journal::rebuild(paths).unwrap();
}

#[test]
fn forged_tree_does_not_fit_its_signatures() {
    let (_directory, paths) = pristine();
    forge(&paths, |_, body| body.replace("op-0117", "op-0118"));
    assert_eq!(integrity(&paths), Finding::CheckpointRoot { size: 41 });
    assert_eq!(findings(&paths), [Finding::CheckpointRoot { size: 41 }, Finding::HeadRoot { size: 41 }]);
}

/// What remains, and why checkpoints have to leave the machine: `docs/audit-format.md`, section 5.
#[test]
fn holder_of_the_key_can_write_another_past() {
    let (_directory, paths) = pristine();
    let before = fs::read_to_string(&paths.head).unwrap();
    let checkpoint = forge(&paths, |_, body| body.replace("op-0117", "op-0118"));
    sign(&paths, &checkpoint);
    Journal::rebuild(&paths).unwrap();
    assert_eq!(intact(&paths), 41);
    // A checkpoint that left the machine tells.
    fs::write(&paths.head, before).unwrap();
    assert_eq!(findings(&paths), [Finding::HeadRoot { size: 41 }]);
}

#[test]
fn even_the_key_does_not_make_a_log_of_what_is_none() {
    let forged = |change: &dyn Fn(u64, String) -> String| {
        let (_directory, paths) = pristine();
        let checkpoint = forge(&paths, change);
        sign(&paths, &checkpoint);
        findings(&paths)
    };
    let at = |wanted, old: &'static str, new: &'static str| {
        move |seq, body: String| if seq == wanted { body.replace(old, new) } else { body }
    };
    assert_eq!(forged(&at(41, "", "")), []);
    assert_eq!(
        forged(&at(9, "stn03/1", "stn04/1")),
        [Finding::Foreign { seq: 9, log: "keylog.example.com/plant7/stn04/1".to_owned() }]
    );
    assert_eq!(forged(&at(9, "\"seq\":9", "\"seq\":8"))[0], Finding::Misplaced { seq: 9, says: 8 });
    assert_eq!(forged(&at(0, "log.genesis", "log.open"))[0], Finding::Genesis { seq: 0 });
    assert_eq!(forged(&at(9, "inject.intent", "log.genesis"))[0], Finding::Genesis { seq: 9 });
    assert_eq!(forged(&at(0, "\"vkey\":\"k", "\"vkey\":\"K"))[0], Finding::Key);
    let space = Finding::NotARecord { seq: 9, why: RecordError::Syntax { at: 1 } };
    assert_eq!(forged(&at(9, "{", "{ "))[0], space);
    let holds = Finding::NotARecord { seq: 2, why: RecordError::Field("holds") };
    assert_eq!(forged(&at(2, "\"holds\":\"new\"", "\"holds\":\"NEW\""))[0], holds);
}

#[test]
fn first_and_last_record_are_read_at_every_start() {
    for (wanted, old, new, finding) in [
        (0, "log.genesis", "log.open", Finding::Genesis { seq: 0 }),
        (40, "\"seq\":40", "\"seq\":41", Finding::Misplaced { seq: 40, says: 41 }),
        (
            40,
            "stn03/1",
            "stn03/2",
            Finding::Foreign { seq: 40, log: "keylog.example.com/plant7/stn03/2".to_owned() },
        ),
    ] {
        let (_directory, paths) = pristine();
        let checkpoint = forge(&paths, |seq, body| if seq == wanted { body.replace(old, new) } else { body });
        sign(&paths, &checkpoint);
        assert_eq!(integrity(&paths), finding);
    }
}
