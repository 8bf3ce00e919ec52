//! The dialog, in GTK 3, which draws the window itself on Linux.

#![allow(unsafe_code)] // the one safe way to the text of an entry makes a copy that nobody wipes

use std::ffi::CStr;

use gtk::glib::translate::ToGlibPtr;
use gtk::prelude::*;
use gtk::{Align, Dialog, DialogFlags, Entry, InputPurpose, Label, ResponseType};
use keystation::{Passphrase, SecretRefused, SecretText};
use tauri::async_runtime::{Sender, channel};
use tauri::{Runtime, WebviewWindow};
use zeroize::Zeroizing;

use super::Answer;
use crate::problem::{Problem, sentence};

/// Shows the dialog over `window`, with a complaint about the last try or an empty one, and waits for its end.
pub(super) async fn ask<R: Runtime>(window: &WebviewWindow<R>, complaint: &str) -> Result<Answer, Problem> {
    let (sender, mut receiver) = channel(1);
    let (parent, complaint) = (window.clone(), complaint.to_owned());
    window.run_on_main_thread(move || open(&parent, &complaint, sender))?;
    // A dialog that ends without an answer, because its window was closed, was cancelled.
    Ok(receiver.recv().await.unwrap_or(Answer::Cancelled))
}

/// GTK is used on the main thread only, and never waited for there.
fn open<R: Runtime>(parent: &WebviewWindow<R>, complaint: &str, sender: Sender<Answer>) {
    let dialog = Dialog::with_buttons(
        Some("Unlock the vault"),
        parent.gtk_window().ok().as_ref(),
        DialogFlags::MODAL | DialogFlags::DESTROY_WITH_PARENT,
        &[("Cancel", ResponseType::Cancel), ("Unlock", ResponseType::Ok)],
    );
    dialog.set_default_response(ResponseType::Ok);
    dialog.set_resizable(false);

    let entry = Entry::new();
    entry.set_visibility(false);
    entry.set_input_purpose(InputPurpose::Password);
    entry.set_activates_default(true);
    entry.set_width_chars(36);

    let content = dialog.content_area();
    content.set_spacing(16);
    content.set_border_width(24);
    content.add(&text("Passphrase of the vault"));
    content.add(&entry);
    if !complaint.is_empty() {
        content.add(&text(complaint));
    }
    dialog.connect_response(move |dialog, response| {
        let answer = if response == ResponseType::Ok { read(&entry) } else { Answer::Cancelled };
        // GTK overwrites what its buffer held before it frees or reuses the memory.
        entry.set_text("");
        // The receiver waits for one answer, and is gone only when the whole program ends.
        sender.try_send(answer).ok();
        dialog.close();
    });
    dialog.show_all();
    dialog.present();
}

/// A line of text, as large as gloves and distance ask for.
fn text(words: &str) -> Label {
    let label = Label::new(None);
    label.set_markup(&format!("<span size='x-large'>{}</span>", gtk::glib::markup_escape_text(words)));
    label.set_halign(Align::Start);
    label.set_line_wrap(true);
    label.set_max_width_chars(44);
    label.set_xalign(0.0);
    label
}

fn read(entry: &Entry) -> Answer {
    // SAFETY: GTK is initialised and this is its thread. The pointer is to the entry's own text, which ends with a NUL
    // and stands still until the entry changes: after these bytes were copied.
    let text = unsafe { CStr::from_ptr(gtk::ffi::gtk_entry_get_text(entry.to_glib_none().0)) };
    passphrase(Zeroizing::new(text.to_bytes().to_vec()))
}

fn passphrase(text: Zeroizing<Vec<u8>>) -> Answer {
    match SecretText::from_line(text).and_then(Passphrase::new) {
        Ok(passphrase) => Answer::Passphrase(passphrase),
        Err(SecretRefused::Empty) => Answer::Unusable("Enter the passphrase.".to_owned()),
        Err(error) => Answer::Unusable(format!("This cannot be the passphrase: {}", sentence(&error))),
    }
}
