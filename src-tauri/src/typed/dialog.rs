//! The dialog, in GTK 3, which draws the window itself on Linux.

#![allow(unsafe_code)] // the one safe way to the text of an entry makes a copy that nobody wipes

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gtk::glib::translate::ToGlibPtr;
use gtk::glib::{ControlFlow, Priority, home_dir, idle_add_full};
use gtk::prelude::*;
use gtk::{
    Align, CssProvider, Dialog, DialogFlags, Entry, FileChooserAction, FileChooserDialog, InputPurpose,
    Label, ResponseType,
};
use tauri::async_runtime::{Sender, channel, spawn_blocking};
use tauri::{Runtime, WebviewWindow};
use zeroize::Zeroizing;

use super::{Alive, Question, Text, Turn};
use crate::problem::Problem;

/// Large enough for gloves: 20 mm are 76 pixels.
const STYLE: &[u8] = b"
    entry { font-size: 20px; min-height: 60px; padding: 0 12px; }
    button { font-size: 18px; min-height: 76px; min-width: 168px; }
";

/// A sign of life is given once in so much typing: the station waits for minutes.
const TOLD: Duration = Duration::from_secs(5);

thread_local! {
    /// The dialog that is open. GTK is used on the main thread only.
    static OPEN: RefCell<Option<Dialog>> = const { RefCell::new(None) };
}

/// Shows the dialog over `window` and waits for its end.
pub(super) async fn ask<R: Runtime>(
    window: &WebviewWindow<R>,
    question: &Question,
    turn: &Turn<'_>,
) -> Result<Option<Text>, Problem> {
    let (sender, mut receiver) = channel(1);
    let (parent, question, alive) = (window.clone(), question.clone(), turn.dialogs.alive.clone());
    let is_over = turn.is_over();
    window.run_on_main_thread(move || {
        // Asked on the thread that dismisses: it opens before that, or not at all.
        if !is_over() {
            open(&parent, &question, alive, sender);
        }
    })?;
    // A dialog that ends without an answer, because its window was closed, was cancelled.
    Ok(receiver.recv().await.flatten())
}

/// Shows the dialog for a file over `window` and waits for its end.
pub(super) async fn file<R: Runtime>(
    window: &WebviewWindow<R>,
    question: &Question,
    turn: &Turn<'_>,
) -> Result<Option<PathBuf>, Problem> {
    choose(window, &question.title, FileChooserAction::Open, question.button, None, turn).await
}

/// Shows the dialog for a folder over `window`, with `start` chosen, and waits for its end.
pub(super) async fn folder<R: Runtime>(
    window: &WebviewWindow<R>,
    title: &'static str,
    start: &Path,
    turn: &Turn<'_>,
) -> Result<Option<PathBuf>, Problem> {
    choose(window, title, FileChooserAction::SelectFolder, "Save here", Some(start), turn).await
}

async fn choose<R: Runtime>(
    window: &WebviewWindow<R>,
    title: &str,
    action: FileChooserAction,
    button: &'static str,
    start: Option<&Path>,
    turn: &Turn<'_>,
) -> Result<Option<PathBuf>, Problem> {
    let (sender, mut receiver) = channel(1);
    let (parent, title, start) = (window.clone(), title.to_owned(), start.map(Path::to_owned));
    let is_over = turn.is_over();
    window.run_on_main_thread(move || {
        if !is_over() {
            open_files(&parent, &title, action, button, start.as_deref(), sender);
        }
    })?;
    Ok(receiver.recv().await.flatten())
}

/// GTK's own chooser, and no portal: it can be cancelled from here when whoever asked has left.
fn open_files<R: Runtime>(
    parent: &WebviewWindow<R>,
    title: &str,
    action: FileChooserAction,
    button: &str,
    start: Option<&Path>,
    sender: Sender<Option<PathBuf>>,
) {
    let dialog = FileChooserDialog::with_buttons(
        Some(title),
        parent.gtk_window().ok().as_ref(),
        action,
        &[("Cancel", ResponseType::Cancel), (button, ResponseType::Ok)],
    );
    dialog.set_modal(true);
    dialog.set_destroy_with_parent(true);
    dialog.set_default_response(ResponseType::Ok);
    // A folder that is still to be made cannot be shown: then it begins where the person was last.
    dialog.set_current_folder(start.map_or_else(home_dir, Path::to_owned));
    for response in [ResponseType::Cancel, ResponseType::Ok] {
        enlarge(&dialog.widget_for_response(response).expect("both buttons are there"));
    }
    dialog.connect_response(move |dialog, response| {
        OPEN.with_borrow_mut(Option::take);
        let chosen = (response == ResponseType::Ok).then(|| dialog.filename()).flatten();
        // The receiver waits for one answer, and is gone only when the whole program ends.
        sender.try_send(chosen).ok();
        dialog.close();
    });
    OPEN.set(Some(dialog.clone().upcast()));
    dialog.show_all();
    dialog.present();
}

/// Has GTK's thread cancel the dialog that is open, before anything else that it has to do. From any thread.
pub(super) fn dismiss() {
    idle_add_full(Priority::HIGH, || {
        // Taken out first: the response is handled before this returns, and looks here, too.
        let open = OPEN.with_borrow_mut(Option::take);
        if let Some(dialog) = open {
            dialog.response(ResponseType::Cancel);
        }
        ControlFlow::Break
    });
}

/// GTK is never waited for on its thread.
fn open<R: Runtime>(
    parent: &WebviewWindow<R>,
    question: &Question,
    alive: Alive,
    sender: Sender<Option<Text>>,
) {
    let dialog = Dialog::with_buttons(
        Some(&question.title),
        parent.gtk_window().ok().as_ref(),
        DialogFlags::MODAL | DialogFlags::DESTROY_WITH_PARENT,
        &[("Cancel", ResponseType::Cancel), (question.button, ResponseType::Ok)],
    );
    // A question of yes or no is answered on purpose.
    dialog.set_default_response(if question.takes_text { ResponseType::Ok } else { ResponseType::Cancel });
    dialog.set_resizable(false);

    let entry = Entry::new();
    entry.set_visibility(false);
    entry.set_input_purpose(InputPurpose::Password);
    entry.set_activates_default(true);
    entry.set_width_chars(36);
    let count = text(&length(0));
    // An Enter that is still held from before is no answer, and does not make the dialog come again and again.
    dialog.set_response_sensitive(ResponseType::Ok, !question.takes_text);
    entry.connect_changed({
        let (count, dialog) = (count.clone(), dialog.downgrade());
        let told = Cell::new(None::<Instant>);
        move |entry| {
            if let Some(dialog) = dialog.upgrade() {
                dialog.set_response_sensitive(ResponseType::Ok, entry.text_length() > 0);
            }
            // A component has 88 characters, and none of them is shown.
            write(&count, &length(entry.text_length()));
            if told.get().is_none_or(|at| at.elapsed() >= TOLD) {
                told.set(Some(Instant::now()));
                let alive = alive.clone();
                // It may have a record to write, for which nobody who types waits.
                spawn_blocking(move || alive());
            }
        }
    });

    let content = dialog.content_area();
    content.set_spacing(16);
    content.set_border_width(24);
    content.add(&text(&question.sentence));
    if question.takes_text {
        content.add(&entry);
        content.add(&count);
    }
    if !question.complaint.is_empty() {
        content.add(&text(&question.complaint));
    }
    enlarge(entry.upcast_ref());
    for response in [ResponseType::Cancel, ResponseType::Ok] {
        enlarge(&dialog.widget_for_response(response).expect("both buttons are there"));
    }
    dialog.connect_response(move |dialog, response| {
        OPEN.with_borrow_mut(Option::take);
        let answer = (response == ResponseType::Ok).then(|| read(&entry));
        // GTK overwrites what its buffer held before it frees or reuses the memory.
        entry.set_text("");
        // The receiver waits for one answer, and is gone only when the whole program ends.
        sender.try_send(answer).ok();
        dialog.close();
    });
    OPEN.set(Some(dialog.clone()));
    dialog.show_all();
    dialog.present();
}

/// Sizes for gloves. A theme that cannot be changed is no reason not to ask.
fn enlarge(widget: &gtk::Widget) {
    let provider = CssProvider::new();
    if provider.load_from_data(STYLE).is_ok() {
        widget.style_context().add_provider(&provider, gtk::STYLE_PROVIDER_PRIORITY_APPLICATION);
    }
}

fn length(characters: u16) -> String {
    match characters {
        1 => "1 character".to_owned(),
        count => format!("{count} characters"),
    }
}

/// A line of text, as large as gloves and distance ask for.
fn text(words: &str) -> Label {
    let label = Label::new(None);
    write(&label, words);
    label.set_halign(Align::Start);
    label.set_line_wrap(true);
    label.set_max_width_chars(44);
    label.set_xalign(0.0);
    label
}

fn write(label: &Label, words: &str) {
    label.set_markup(&format!("<span size='x-large'>{}</span>", gtk::glib::markup_escape_text(words)));
}

fn read(entry: &Entry) -> Text {
    // SAFETY: GTK is initialised and this is its thread. The pointer is to the entry's own text, which ends with a NUL
    // and stands still until the entry changes: after these bytes were copied.
    let text = unsafe { CStr::from_ptr(gtk::ffi::gtk_entry_get_text(entry.to_glib_none().0)) };
    Zeroizing::new(text.to_bytes().to_vec())
}
