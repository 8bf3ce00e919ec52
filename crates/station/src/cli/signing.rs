//! Who acts, and who approves it: IDs are arguments, PINs come by prompt, file or descriptor.

use std::path::Path;

use keystation::people::{ApprovalId, ApproveError, Person, PersonError, Pin, Request};
use keystation::{Station, StationError};

use super::args::Cli;
use super::key_args::ApproverFrom;
use super::source;

/// The person of `--operator` signs in.
pub(super) fn sign_in(cli: &Cli, station: &Station) -> Result<(), StationError> {
    let user = cli.operator.as_deref().unwrap_or_default();
    let pin = pin(cli.pin_file.as_deref(), cli.pin_fd, &format!("PIN of {user}: "))?;
    station.sign_in(Person::Id(user), &pin)?;
    Ok(())
}

/// The second person approves `request`.
pub(super) fn approve(
    station: &Station,
    request: &Request,
    from: &ApproverFrom,
) -> Result<ApprovalId, StationError> {
    let ApproverFrom { approver, approver_pin_file, approver_pin_fd } = from;
    let prompt = format!("PIN of {approver}, who approves: ");
    let pin = pin(approver_pin_file.as_deref(), *approver_pin_fd, &prompt)?;
    station.approve(request, Person::Id(approver), &pin).map_err(|error| match error {
        ApproveError::Denied(denied) => denied.into(),
        ApproveError::SignIn(refused) => refused.into(),
    })
}

/// A PIN, from where it comes.
pub(super) fn pin(file: Option<&Path>, fd: Option<i32>, prompt: &str) -> Result<Pin, StationError> {
    let text = source(file, fd, prompt).text()?;
    Ok(Pin::new(text.expose()).map_err(PersonError::from)?)
}
