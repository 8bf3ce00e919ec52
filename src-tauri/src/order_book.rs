//! The work orders: what the window lists, makes, opens and closes.

use std::path::{Path, PathBuf};

use keystation::Station;
use keystation::orders::{ScrapDevice, read_order};
use keystation::people::{Action, Permit};
use tauri::async_runtime::spawn_blocking;
use tauri::{Runtime, WebviewWindow};

use crate::desk::LineDesk;
use crate::dto::{Approved, CreatedOrder, DeviceName, NewOrder, OrderLine, OrderPage, order_id};
use crate::problem::Problem;
use crate::typed::Question;

/// Every work order.
pub(crate) fn list(station: &Station) -> Result<Vec<OrderLine>, Problem> {
    station.permit(Action::Orders)?;
    Ok(station.order_standings()?.into_iter().map(OrderLine::from).collect())
}

/// All that is known of one.
pub(crate) fn show(station: &Station, id: &str) -> Result<OrderPage, Problem> {
    station.permit(Action::Orders)?;
    Ok(station.order_sheet(&order_id(id)?)?.into())
}

/// Takes in the work order of a file that the person chooses; with `parts`, the one that they and the list in the file make.
pub(crate) async fn create<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    parts: Option<NewOrder>,
) -> Result<CreatedOrder, Problem> {
    let permit = desk.at_station(|station| station.permit(Action::CreateOrder)).await?;
    let turn = desk.dialogs.turn()?;
    let question = if parts.is_some() { Question::device_list() } else { Question::order_file() };
    let Some(file) = turn.file(window, &question).await? else { return Ok(CreatedOrder { id: None }) };
    let station = desk.station.clone();
    spawn_blocking(move || taken(&station, &permit, file, parts)).await?
}

fn taken(
    station: &Station,
    permit: &Permit,
    file: PathBuf,
    parts: Option<NewOrder>,
) -> Result<CreatedOrder, Problem> {
    let (text, named) = match parts {
        Some(parts) => (parts.with_list(file)?.text()?, Path::new("the work order").to_owned()),
        None => (read_order(&file)?, file),
    };
    let order = station.create_order(permit, &text, &named)?;
    Ok(CreatedOrder { id: Some(order.id.to_string()) })
}

/// Devices are made under it from now on.
pub(crate) fn open(station: &Station, id: &str) -> Result<(), Problem> {
    let permit = station.permit(Action::OpenOrder)?;
    Ok(station.begin_order(&permit, &order_id(id)?).map(drop)?)
}

/// Closes it for good.
pub(crate) fn close(station: &Station, id: &str, reason: &str) -> Result<(), Problem> {
    let permit = station.permit(Action::CloseOrder)?;
    Ok(station.close_order(&permit, &order_id(id)?, reason).map(drop)?)
}

/// Puts a device of it down as scrap; without one, every device of its list that nobody saw. How many.
pub(crate) fn scrap(
    station: &Station,
    id: &str,
    device: Option<DeviceName>,
    reason: &str,
) -> Result<usize, Problem> {
    let permit = station.permit(Action::Scrap)?;
    let device = device
        .map_or(ScrapDevice::NeverSeen, |device| ScrapDevice::Word(String::from(device).trim().to_owned()));
    Ok(station.scrap(&permit, &order_id(id)?, &device, reason)?.len())
}

/// Allows more devices, under the approval of another person.
pub(crate) fn raise(
    station: &Station,
    id: &str,
    quantity: u64,
    reason: &str,
    approval: Approved,
) -> Result<(), Problem> {
    station.may_ask(Action::RaiseQuota)?;
    Ok(station.raise_quota(&order_id(id)?, quantity, reason, approval.into()).map(drop)?)
}
