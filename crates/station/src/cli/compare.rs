//! `keystation audit compare`: two signed checkpoints of one log, or the proof that there are two logs.

use std::path::Path;

use base64ct::{Base64, Encoding};
use keystation::files::read_text;
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{Checkpoint, Comparison, Reader, Snapshot, VerifierKey, compare};
use serde_json::json;

use super::output::Output;

/// A checkpoint, its note, and what it is called in the verdict.
struct Signed {
    name: String,
    note: String,
    checkpoint: Checkpoint,
}

pub(super) fn run(
    data: &DataDir,
    files: [&Path; 2],
    vkey: Option<&Path>,
    out: Output,
) -> Result<Exit, StationError> {
    let vkey = vkey.map_or_else(|| paths(data).vkey, Path::to_owned);
    let key: VerifierKey =
        read_text(&vkey)?.trim_end().parse().map_err(|why| StationError::VerifierKey { path: vkey, why })?;
    let [a, b] = files.map(|file| signed(file, &key));
    let (a, b) = (a?, b?);
    // The station's own log helps where it is there and of this key.
    let reader =
        Reader::open(&paths(data)).ok().filter(|reader| reader.verifier_key().is_ok_and(|own| own == key));
    let log = reader.as_ref().map(Reader::snapshot).transpose()?;
    let mut pairs = vec![(&a, &b)];
    let own = log.as_ref().map(|log| Signed {
        name: "this station's log".to_owned(),
        note: log.note().to_owned(),
        checkpoint: log.checkpoint().clone(),
    });
    if let Some(own) = &own {
        pairs.extend([(&a, own), (&b, own)]);
    }
    let mut verdict = Comparison::Unknown;
    for (number, (one, other)) in pairs.into_iter().enumerate() {
        let compared = compare(&one.checkpoint, &other.checkpoint, log.as_ref())?;
        if let Comparison::TwoLogs | Comparison::Forked { .. } = compared {
            return Ok(two_logs(one, other, &compared, out));
        }
        if number == 0 {
            verdict = compared;
        }
    }
    Ok(one_log(&a, &b, &verdict, log.as_ref(), out))
}

fn signed(file: &Path, key: &VerifierKey) -> Result<Signed, StationError> {
    let note = read_text(file)?;
    let checkpoint = Checkpoint::open(&note, key).map_err(|why| StationError::NotOfLog {
        path: file.to_owned(),
        origin: key.name().to_owned(),
        why,
    })?;
    Ok(Signed { name: file.display().to_string(), note, checkpoint })
}

fn two_logs(a: &Signed, b: &Signed, compared: &Comparison, out: Output) -> Exit {
    let (less, more) = if a.checkpoint.size <= b.checkpoint.size { (a, b) } else { (b, a) };
    let (then, proof) = match compared {
        Comparison::Forked { then, proof } => (Some(then), &proof[..]),
        _ => (None, &[][..]),
    };
    let proof: Vec<String> = proof.iter().map(|hash| Base64::encode_string(hash)).collect();
    let then = then.map(|hash| Base64::encode_string(hash));
    let why = match &then {
        None => format!("Both have {} records, and other ones.", less.checkpoint.size),
        Some(then) => format!(
            "The log of {} had the root {then} when it had {} records, as its consistency proof shows:\n{}",
            more.name,
            less.checkpoint.size,
            proof.join("\n")
        ),
    };
    out.say(
        format!(
            "Two logs: {} and {} were both signed by the key of {}, and no one log can be both.\n{why}\n\n{}\n{}",
            less.name, more.name, less.checkpoint.origin, less.note, more.note
        ),
        &json!({ "event": "compare", "verdict": "two-logs", "origin": less.checkpoint.origin.as_str(),
                 "checkpoints": [less.note, more.note], "then": then, "proof": proof }),
    );
    Exit::Failed
}

fn one_log(a: &Signed, b: &Signed, verdict: &Comparison, log: Option<&Snapshot<'_>>, out: Output) -> Exit {
    let (word, sentence, exit) = match (verdict, log) {
        (Comparison::Same, _) => ("same", "Both are of the same records.", Exit::Done),
        (Comparison::Grown, _) => ("grown", "One log: the greater grew out of the smaller.", Exit::Done),
        (_, None) => (
            "unknown",
            "Not decided: their sizes differ, and only the log of the greater one can tell. Run it at that station.",
            Exit::Usage,
        ),
        (_, Some(_)) => (
            "unknown",
            "Not decided: this log has not as many records as they. It is not that of the greater one, or was set back.",
            Exit::Usage,
        ),
    };
    out.say(
        sentence,
        &json!({ "event": "compare", "verdict": word, "origin": a.checkpoint.origin.as_str(),
                 "records": [a.checkpoint.size, b.checkpoint.size] }),
    );
    exit
}
