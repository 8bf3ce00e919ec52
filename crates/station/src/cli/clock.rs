//! `keystation clock …`: the time of the station, where it is in doubt.

use keystation::{Exit, Station, StationError};
use serde_json::json;

use super::session::Bench;

/// Two people accept the time.
pub(super) fn accept(bench: &Bench<'_>, reason: &str) -> Result<Exit, StationError> {
    let permit = bench.approved(&Station::clock_request(reason))?;
    let seq = bench.station.accept_clock(&permit, reason)?;
    bench.out.say(
        format!("The time is accepted. (record {seq})"),
        &json!({ "event": "clock-accepted", "record": seq }),
    );
    Ok(Exit::Done)
}
