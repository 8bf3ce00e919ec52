//! QA's look at a finished device, from the window: which port, which profile, and what was found. Nothing is written to the
//! device; what was found is a record.

use std::path::Path;
use std::sync::Arc;

use keystation::people::{Action, Permit};
use keystation::{Station, StationError};
use tauri::{Runtime, WebviewWindow};

use crate::custody::{Asked, opened};
use crate::desk::LineDesk;
use crate::dto::{CheckPlaces, CheckPort, CheckProfile, CheckReport};
use crate::problem::Problem;

/// Where a device can be looked at.
pub(crate) fn places(station: &Station, _: &Permit) -> Result<CheckPlaces, StationError> {
    Ok(CheckPlaces {
        ports: station.check_ports()?.into_iter().map(CheckPort::from).collect(),
        profiles: station.check_profiles()?.into_iter().map(CheckProfile::from).collect(),
    })
}

/// Looks at the device on a port, one of [`places`]; none if nobody opened the custody of its key.
pub(crate) async fn device<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    port: String,
    profile: String,
) -> Result<Option<CheckReport>, Problem> {
    let meant = move |station: &Station, permit: &Permit| {
        let chosen = station.check_at(&port, Path::new(&profile));
        let chosen = station.done_or_told(permit, &port, chosen)?;
        let label = &chosen.1.group_key;
        let kind = station.done_or_told(permit, label.as_str(), station.custody_of(label))?;
        Ok::<_, StationError>((chosen, kind))
    };
    let (permit, ((port, profile), kind)) = desk
        .at_station(move |station| {
            let permit = station.permit(Action::Check)?;
            let meant = meant(station, &permit)?;
            Ok::<_, Problem>((permit, meant))
        })
        .await?;
    let turn = desk.dialogs.turn()?;
    let (station, permit) = (desk.station.clone(), Arc::new(permit));
    let check = move |secret: &_| Ok(station.check(&permit, &port, &profile, secret)?);
    let report = opened(&turn, window, Asked::Opening(kind.into()), check).await?;
    Ok(report.map(CheckReport::from))
}
