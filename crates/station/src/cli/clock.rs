//! `keystation clock …`: the time of the station, where it is in doubt.

use keystation::{Exit, Station, StationError};
use serde_json::json;

use super::output::Output;

/// Two people accept the time. Whoever is first has to be named: the operator of the settings is nobody in particular.
pub(super) fn accept(
    station: &Station,
    operator: Option<&str>,
    approver: &str,
    reason: &str,
    out: Output,
) -> Result<Exit, StationError> {
    let seq = station.accept_clock(operator.unwrap_or_default(), approver, reason)?;
    out.say(
        format!("The time is accepted. (record {seq})"),
        &json!({ "event": "clock-accepted", "record": seq }),
    );
    Ok(Exit::Done)
}
