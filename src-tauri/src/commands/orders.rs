//! The work orders: listed, made, opened, closed.

use tauri::{Runtime, WebviewWindow};

use super::Called;
use crate::dto::{Approved, CreatedOrder, DeviceName, NewOrder, OrderLine, OrderName, OrderPage, Reason};
use crate::order_book;
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn orders(bench: Called<'_>) -> Result<Vec<OrderLine>, Problem> {
    bench.line()?.at_station(order_book::list).await
}

#[tauri::command]
pub(crate) async fn order(bench: Called<'_>, id: OrderName) -> Result<OrderPage, Problem> {
    bench.line()?.at_station(move |station| order_book::show(station, id.as_str())).await
}

/// The file is chosen in a dialog of the operating system: the page names none.
#[tauri::command]
pub(crate) async fn create_order<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    parts: Option<NewOrder>,
) -> Result<CreatedOrder, Problem> {
    let line = bench.line()?;
    line.guarded(order_book::create(line, &window, parts)).await
}

#[tauri::command]
pub(crate) async fn open_order(bench: Called<'_>, id: OrderName) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| order_book::open(station, id.as_str())).await
}

/// `reason` says why fewer than ordered, or is empty.
#[tauri::command]
pub(crate) async fn close_order(bench: Called<'_>, id: OrderName, reason: Reason) -> Result<(), Problem> {
    let close = move |station: &_| order_book::close(station, id.as_str(), reason.as_str());
    bench.line()?.at_station(close).await
}

/// Without a device, every one of the list that nobody saw. How many were put down.
#[tauri::command]
pub(crate) async fn scrap_device(
    bench: Called<'_>,
    id: OrderName,
    device: Option<DeviceName>,
    reason: Reason,
) -> Result<usize, Problem> {
    let scrap = move |station: &_| order_book::scrap(station, id.as_str(), device, reason.as_str());
    bench.line()?.at_station(scrap).await
}

#[tauri::command]
pub(crate) async fn raise_quota(
    bench: Called<'_>,
    id: OrderName,
    quantity: u64,
    reason: Reason,
    approval: Approved,
) -> Result<(), Problem> {
    let raise =
        move |station: &_| order_book::raise(station, id.as_str(), quantity, reason.as_str(), approval);
    bench.line()?.at_station(raise).await
}
