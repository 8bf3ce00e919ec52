//! Batches: asked for, opened by two people, worked on in the slots of repair, reconciled, closed.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use keystation::config::Purpose;
use keystation::line::{Line, LineEvent, SlotEvent};
use keystation::orders::OrderId;
use keystation::people::Action;
use keystation::repair::{self, Batch, BatchAsked, BatchDevices};
use keystation::{Station, StationError};
use tauri::{Runtime, WebviewWindow};

use super::{AtWork, RepairBench, approved_by_somebody, lock, profile_of};
use crate::custody::parsed_label;
use crate::desk::LineDesk;
use crate::dto::{
    ApprovalRequest, Approved, BatchFrom, BatchLine, BatchNow, BatchPage, BatchRequest, RekeyWhy, Saved,
    order_id,
};
use crate::problem::Problem;
use crate::typed::Question;

/// Title of the dialog.
const FOLDER: &str = "Where to put the reconciliation";

/// Every batch, the newest first.
pub(crate) fn list(station: &Station) -> Result<Vec<BatchLine>, Problem> {
    station.permit(Action::Look)?;
    Ok(repair::batches(&station.reader()?)?.into_iter().map(BatchLine::from).collect())
}

/// One batch, with what came of its devices so far.
pub(crate) fn show(station: &Station, bench: &RepairBench, id: &str) -> Result<BatchPage, Problem> {
    station.permit(Action::Look)?;
    let reader = station.reader()?;
    let batch = repair::batch(&reader, &order_id(id)?)?;
    let reconciled = repair::reconcile(&reader, station.data(), &batch)?;
    let from =
        batch.from.as_ref().map(|from| reader.group_key(from)).transpose().map_err(StationError::from)?;
    let left = from.flatten().map(|key| key.devices);
    Ok(BatchPage::of(reconciled, left, bench.now_of(Some(id))))
}

impl RepairBench {
    /// How the batch stands that is worked on, if it is this one.
    fn now_of(&self, id: Option<&str>) -> Option<BatchNow> {
        let at_work = lock(&self.at_work);
        let AtWork { batch, line } = at_work.as_ref()?;
        let meant = id.is_none_or(|id| batch.batch().id.as_str() == id);
        meant.then(|| BatchNow::of(batch.progress(), line.slots()))
    }
}

/// How the batch stands that is worked on.
pub(crate) fn now(station: &Station, bench: &RepairBench) -> Result<Option<BatchNow>, Problem> {
    station.permit(Action::Look)?;
    Ok(bench.now_of(None))
}

/// What a batch is to be; the list is chosen outside of the page. None if the person gave up.
pub(crate) async fn ask<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    from: BatchFrom,
    profile: String,
    why: RekeyWhy,
) -> Result<Option<BatchRequest>, Problem> {
    desk.at_station(|station| station.may_ask(Action::Rekey)).await?;
    let mut file = None;
    if from == BatchFrom::List {
        let Some(chosen) = desk.dialogs.turn()?.file(window, &Question::batch_list()).await? else {
            return Ok(None);
        };
        file = Some(chosen);
    }
    let asked = desk.at_repair(move |station, bench| {
        let devices = match from {
            BatchFrom::Count(count) => BatchDevices::Count(count),
            BatchFrom::Under(label) => BatchDevices::Under(parsed_label(label.as_str())?),
            BatchFrom::List => {
                let file = file.unwrap_or_default();
                let bytes = std::fs::read(&file)
                    .map_err(|cause| StationError::Unreadable { path: file.clone(), cause })?;
                BatchDevices::List { bytes, file }
            }
        };
        let reason = station.rekey_reason(why.reason.as_str(), why.note.as_str())?;
        let profile = profile_of(station, &profile)?;
        let asked = station.ask_batch(&devices, &profile, reason, why.same_key)?;
        let resumes = station.same_batch(&asked)?.map(|batch: Batch| batch.id.to_string());
        let request = ApprovalRequest::of(&asked.request());
        let told = BatchRequest { devices: asked.devices(), request, resumes };
        *lock(&bench.asked) = Some(asked);
        Ok(told)
    });
    asked.await.map(Some)
}

/// Opens the batch that was asked for, by two people. Its ID.
pub(crate) fn open(station: &Station, bench: &RepairBench, approval: Approved) -> Result<String, Problem> {
    station.may_ask(Action::Rekey)?;
    approved_by_somebody(station, Action::Rekey, "", approval)?;
    let asked: Option<BatchAsked> = lock(&bench.asked).take();
    let Some(asked) = asked else {
        return Err(Problem::new(
            "batch-not-asked",
            "Nobody said what the batch is to be.",
            &["Say which devices and why, then have it approved."],
        ));
    };
    let permit = station.permit_approved(&asked.request(), approval.into())?;
    Ok(station.open_batch(&permit, &asked)?.id.to_string())
}

/// Has the slots of repair work on it.
pub(crate) fn start(station: &Station, bench: &RepairBench, id: &str) -> Result<(), Problem> {
    let permit = station.permit(Action::ContinueRekey)?;
    let id = order_id(id)?;
    // Held until the slots run: of two who ask at once the second is told that a batch has the slots.
    let mut at_work = lock(&bench.at_work);
    if let Some(other) = &*at_work {
        if other.batch.batch().id == id {
            return Ok(());
        }
        drop(at_work);
        return bench.is_free();
    }
    let numbers: Vec<u32> = station.config().slots_for(Purpose::Repair).map(|slot| slot.number).collect();
    if numbers.is_empty() {
        let none = Err(StationError::NoSlot(1));
        return Ok(station.done_or_told(&permit, id.as_str(), none)?);
    }
    let batch = station.work_on(&id)?;
    if batch.is_complete() {
        // Its last device was done while nobody was here who could close it.
        return Ok(station.close_batch(&station.permit(Action::CloseRekey)?, &id).map(drop)?);
    }
    let (done, told) = mpsc::channel();
    let work = Arc::clone(&batch);
    let line = Line::rekey(station, &numbers, Arc::clone(&batch), move |event| {
        if matches!(event, LineEvent::Slot(_, SlotEvent::Pass { .. } | SlotEvent::Fail { .. }))
            && work.is_complete()
        {
            // Whoever waits for it may be gone with the program.
            let _ = done.send(());
        }
    })?;
    let (end_of, bench) = (station.clone(), Arc::clone(&bench.at_work));
    let ending = move || {
        if told.recv().is_ok()
            && let Err(error) = ended(&end_of, &bench, &id)
        {
            // The page shows that it is open still, and offers to close it.
            tracing::error!(batch = %id, %error, "every device is done, and it could not be closed");
        }
    };
    thread::Builder::new().name("batch".to_owned()).spawn(ending).map_err(StationError::Thread)?;
    *at_work = Some(AtWork { batch, line });
    Ok(())
}

/// Every device is done: the slots are free, and it is closed by whoever is signed in. If that is somebody who may not, they did not ask
/// for it, and it waits.
fn ended(station: &Station, at_work: &Mutex<Option<AtWork>>, id: &OrderId) -> Result<(), StationError> {
    let mine = lock(at_work).take_if(|at_work| at_work.batch.batch().id == *id);
    // Not while the lock is held: a slot stops after the device in hand.
    drop(mine);
    if !station.is_open_to(Action::CloseRekey) {
        return Ok(());
    }
    let permit = station.permit(Action::CloseRekey)?;
    station.close_batch(&permit, id).map(drop)
}

/// Lets it rest, or go on: a device in work is finished.
pub(crate) fn pause(station: &Station, bench: &RepairBench, paused: bool) -> Result<(), Problem> {
    station.permit(Action::ContinueRekey)?;
    if let Some(AtWork { batch, .. }) = &*lock(&bench.at_work) {
        if paused { batch.pause() } else { batch.go_on() }
    }
    Ok(())
}

/// Gives the slots back: what was done stays done, and the batch goes on another day.
pub(crate) fn stop(station: &Station, bench: &RepairBench) -> Result<(), Problem> {
    station.permit(Action::ContinueRekey)?;
    bench.stop();
    Ok(())
}

/// Closes it for good.
pub(crate) fn close(station: &Station, bench: &RepairBench, id: &str) -> Result<(), Problem> {
    let permit = station.permit(Action::CloseRekey)?;
    let id = order_id(id)?;
    let works = lock(&bench.at_work).as_ref().is_some_and(|at_work| at_work.batch.batch().id == id);
    if works {
        bench.stop();
    }
    Ok(station.close_batch(&permit, &id).map(drop)?)
}

/// Asks where, outside of the page, and writes the reconciliation there as CSV and PDF; none if the person gave up.
pub(crate) async fn save<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    id: String,
) -> Result<Option<Saved>, Problem> {
    desk.may(Action::ContinueRekey).await?;
    let id = order_id(&id)?;
    let exports = desk.station.data().exports();
    let Some(folder) = desk.dialogs.turn()?.folder(window, FOLDER, &exports).await? else { return Ok(None) };
    let made = desk.permitted(Action::ContinueRekey, move |station, permit| {
        let reader = station.reader()?;
        let saved = repair::batch(&reader, &id).and_then(|batch| {
            let reconciled = repair::reconcile(&reader, station.data(), &batch)?;
            let name = folder.join(format!("{id}-{}", reconciled.checkpoint.size));
            repair::csv(&reconciled, &name.with_added_extension("csv"))?;
            let pdf = name.with_added_extension("pdf");
            repair::pdf(&reconciled, &pdf)?;
            Ok(Saved { path: pdf.display().to_string() })
        });
        station.done_or_told(permit, id.as_str(), saved)
    });
    made.await.map(Some)
}
