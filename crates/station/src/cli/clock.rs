//! `keystation clock …`: the time of the station, where it is in doubt.

use keystation::people::{Action, Request};
use keystation::{Exit, StationError};
use serde_json::json;

use super::session::Bench;

/// Two people accept the time.
pub(super) fn accept(bench: &Bench<'_>, reason: &str) -> Result<Exit, StationError> {
    let request = Request { action: Action::AcceptClock, subject: String::new(), reason: reason.to_owned() };
    let permit = bench.approved(&request)?;
    let seq = bench.station.accept_clock(&permit, reason)?;
    bench.out.say(
        format!("The time is accepted. (record {seq})"),
        &json!({ "event": "clock-accepted", "record": seq }),
    );
    Ok(Exit::Done)
}
