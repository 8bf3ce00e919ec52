//! `keystation witness …`: the witness, on another machine than the station. It needs no station.

use std::path::Path;

use keystation::files::{read_text, write_text};
use keystation::{Exit, StationError};
use keystation_audit::{VerifierKey, Witness};
use serde_json::json;

use super::args::WitnessVerb;
use super::output::{Output, utc};

pub(super) fn run(verb: &WitnessVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        WitnessVerb::Init { state, name } => init(state, name, out),
        WitnessVerb::AddLog { state, vkey } => add_log(state, vkey, out),
        WitnessVerb::Sign { state, input, output } => sign(state, input, output, out),
        WitnessVerb::List { state } => list(state, out),
    }
}

fn init(state: &Path, name: &str, out: Output) -> Result<Exit, StationError> {
    let key = Witness::create(state, name)?;
    out.say(
        format!(
            "Witness {name} made in {}. For station.toml:\n\n[[witness]]\nvkey = \"{key}\"",
            state.display()
        ),
        &json!({ "event": "witness", "name": name, "vkey": key.to_string(), "state": state }),
    );
    Ok(Exit::Done)
}

fn add_log(state: &Path, vkey: &Path, out: Output) -> Result<Exit, StationError> {
    let text = read_text(vkey)?;
    let key: VerifierKey =
        text.trim_end().parse().map_err(|why| StationError::VerifierKey { path: vkey.to_owned(), why })?;
    Witness::open(state)?.add_log(&key)?;
    out.say(
        format!("This witness watches {} from now on. Compare its key with the station's: {key}", key.name()),
        &json!({ "event": "watch", "origin": key.name(), "vkey": key.to_string() }),
    );
    Ok(Exit::Done)
}

fn sign(state: &Path, input: &Path, output: &Path, out: Output) -> Result<Exit, StationError> {
    let request = read_text(input)?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let response = Witness::open(state)?.sign(&request, now)?;
    write_text(output, &response)?;
    let mut lines = response.lines();
    let (origin, size) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    out.say(
        format!("Cosigned: {size} records of {origin}. Take {} back to the station.", output.display()),
        &json!({ "event": "cosigned", "origin": origin, "records": size.parse::<u64>().ok(), "out": output }),
    );
    Ok(Exit::Done)
}

fn list(state: &Path, out: Output) -> Result<Exit, StationError> {
    let witness = Witness::open(state)?;
    out.say(
        format!("Witness {}", witness.key()),
        &json!({ "event": "witness", "name": witness.key().name(), "vkey": witness.key().to_string() }),
    );
    for log in witness.logs()? {
        let origin = log.key.name();
        let (size, time) = log.last.map_or((0, None), |(last, time)| (last.size, Some(time)));
        let said = time
            .map_or_else(|| "never cosigned".to_owned(), |time| format!("{size} records on {}", utc(time)));
        out.say(
            format!("{origin}  {said}"),
            &json!({ "event": "log", "origin": origin, "vkey": log.key.to_string(), "records": size, "time": time }),
        );
    }
    Ok(Exit::Done)
}
