//! The Tauri application: the window, what its page may call, and what happens when it closes.

mod trace;

use tauri::{AppHandle, Builder, Manager, RunEvent, Runtime};

use crate::commands::{self, Bench};
use crate::desk::Desk;
use crate::machine::{Departure, Watch};
use crate::navigation;
use crate::problem::Problem;

/// Everything but the generated context, so that the tests build the same application without a display.
pub(crate) fn application<R: Runtime>(builder: Builder<R>, desk: Result<Desk, Problem>) -> Builder<R> {
    let commands = trace::traced(tauri::generate_handler![
        commands::overview,
        commands::recent,
        commands::watch,
        commands::acknowledge,
        commands::scan,
        commands::put_back,
        commands::unlock,
        commands::lock,
        commands::log::search,
        commands::log::device,
        commands::log::save_proof,
        commands::log::verify,
        commands::log::cancel_verify,
        commands::log::figures,
        commands::log::denials,
        commands::log::review,
        commands::log::sign_review,
        commands::log::check_places,
        commands::log::check_device,
        commands::shift::shift_report,
        commands::shift::save_shift_report,
        commands::people::sign_in,
        commands::people::sign_out,
        commands::people::away,
        commands::people::touch,
        commands::people::change_pin,
        commands::people::begin_people,
        commands::people::approve,
        commands::people::people,
        commands::people::add_person,
        commands::people::set_roles,
        commands::people::disable_person,
        commands::people::enable_person,
        commands::people::reset_pin,
        commands::people::set_badge,
        commands::people::set_name,
        commands::people::forget_name,
        commands::orders::orders,
        commands::orders::order,
        commands::orders::create_order,
        commands::orders::open_order,
        commands::orders::close_order,
        commands::orders::scrap_device,
        commands::orders::raise_quota,
        commands::repair::repair_places,
        commands::repair::look,
        commands::repair::look_up,
        commands::repair::ask_rekey,
        commands::repair::rekey_device,
        commands::repair::ask_take_out,
        commands::repair::take_out,
        commands::repair::batches,
        commands::repair::batch,
        commands::repair::batch_now,
        commands::repair::ask_batch,
        commands::repair::open_batch,
        commands::repair::start_batch,
        commands::repair::pause_batch,
        commands::repair::stop_batch,
        commands::repair::close_batch,
        commands::repair::save_batch,
        commands::repair::save_cleanup,
        commands::repair::ask_cleaned_up,
        commands::repair::cleaned_up,
        commands::keys::keys,
        commands::keys::custodies,
        commands::keys::key_devices,
        commands::keys::activate_key,
        commands::keys::suspend_key,
        commands::keys::destroy_key,
        commands::keys::import_key,
        commands::keys::recipient,
        commands::keys::take_transfer,
        commands::keys::ceremony,
        commands::keys::ceremony_begin,
        commands::keys::ceremony_sign_in,
        commands::keys::ceremony_component,
        commands::keys::ceremony_confirm,
        commands::keys::ceremony_finish,
        commands::keys::ceremony_abort,
    ]);
    builder.plugin(navigation::guard()).manage(Bench(desk)).invoke_handler(commands)
}

/// Opens the window and returns when it was closed.
pub(crate) fn run(desk: Result<Desk, Problem>) {
    // Before the window: a program that could not end in order does not begin.
    let watched = desk.and_then(|desk| {
        desk.watch_panics()?;
        Ok((desk.watch_signals()?, desk))
    });
    let (desk, mut ending) = match watched {
        Ok((ending, desk)) => (Ok(desk), ending),
        Err(problem) => (Err(problem), None),
    };
    let app = application(Builder::default(), desk)
        .build(tauri::generate_context!())
        .expect("the configuration was checked when this was built");
    let told = app.handle().clone();
    let watch = Watch::start(move |departure| {
        depart(&told, departure);
        if departure == Departure::Shutdown {
            // The log is closed. There is nothing to come back to, should the machine stay on.
            told.exit(0);
        }
    });
    let mut watch = watch.inspect_err(|error| tracing::error!(%error, "nobody listens to the machine")).ok();
    app.run(move |app, event| {
        if let RunEvent::Exit = event {
            // What the machine tells from here on concerns no one.
            drop(watch.take());
            if let Bench(Ok(desk)) = app.state::<Bench>().inner()
                && let Err(error) = desk.close()
            {
                // The page is gone; the next start finds a log without its closing record, and says so.
                tracing::error!(%error, "the station was not closed in good order");
            }
            // If a signal came meanwhile, it is that which ends the program.
            if let Some(ending) = ending.take() {
                ending.stay();
            }
        }
    });
}

/// The machine goes to sleep, its screen is locked, or it is shut down.
fn depart<R: Runtime>(app: &AppHandle<R>, departure: Departure) {
    if let Bench(Ok(desk)) = app.state::<Bench>().inner()
        && let Err(error) = desk.depart(departure)
    {
        // The keys are gone all the same: they are wiped before the record is tried.
        tracing::error!(%error, ?departure, "the departure has no record");
    }
}

#[cfg(test)]
mod tests;
