//! `keystation diagnose`: what helps to find a fault, in one file without a secret.

use std::path::Path;

use keystation::{DataDir, Exit, StationError, diagnosis};
use serde_json::json;

use super::output::Output;

pub(super) fn run(data: &DataDir, file: &Path, out: Output) -> Result<Exit, StationError> {
    let lines = diagnosis::diagnose(data, file)?;
    out.say(
        format!(
            "{lines} lines in {}. Searched before it was saved: no secret of this station is in it, and nothing that looks like one.",
            file.display()
        ),
        &json!({ "event": "diagnosis", "file": file, "lines": lines }),
    );
    Ok(Exit::Done)
}
