//! What the diagnostics tell of a call from the page. PINs and badges pass here, people mistype them into other fields, and
//! a scanner types where the cursor is: so no text is ever shown, only how long it is.

use std::fmt;

use serde_json::Value;
use tauri::Runtime;
use tauri::ipc::{Invoke, InvokeBody};

/// Every command, with the arguments of it whose numbers are shown. Of the others it is told what kind they are, and how
/// large.
pub(super) const SHOWN: &[(&str, &[&str])] = &[
    ("overview", &[]),
    ("recent", &["count"]),
    ("watch", &[]),
    ("acknowledge", &["slot"]),
    ("scan", &[]),
    ("put_back", &["slot"]),
    ("unlock", &[]),
    ("lock", &[]),
    ("search", &["before", "limit"]),
    ("device", &[]),
    ("save_proof", &[]),
    ("verify", &[]),
    ("cancel_verify", &[]),
    ("figures", &["from", "until"]),
    ("denials", &["before", "limit"]),
    ("review", &[]),
    ("sign_review", &["to"]),
    ("check_places", &[]),
    ("check_device", &[]),
    ("shift_report", &[]),
    ("save_shift_report", &[]),
    ("sign_in", &[]),
    ("sign_out", &[]),
    ("away", &[]),
    ("touch", &[]),
    ("change_pin", &[]),
    ("begin_people", &[]),
    ("approve", &[]),
    ("people", &[]),
    ("add_person", &["approval"]),
    ("set_roles", &["approval"]),
    ("disable_person", &["approval"]),
    ("enable_person", &["approval"]),
    ("reset_pin", &["approval"]),
    ("set_badge", &["approval"]),
    ("set_name", &[]),
    ("forget_name", &[]),
    ("orders", &[]),
    ("order", &[]),
    ("create_order", &[]),
    ("open_order", &[]),
    ("close_order", &[]),
    ("scrap_device", &[]),
    ("raise_quota", &["quantity", "approval"]),
    ("repair_places", &[]),
    ("look", &["slot"]),
    ("look_up", &[]),
    ("ask_rekey", &[]),
    ("rekey_device", &["approval"]),
    ("ask_take_out", &[]),
    ("take_out", &["approval"]),
    ("batches", &[]),
    ("batch", &[]),
    ("batch_now", &[]),
    ("ask_batch", &[]),
    ("open_batch", &["approval"]),
    ("start_batch", &[]),
    ("pause_batch", &[]),
    ("stop_batch", &[]),
    ("close_batch", &[]),
    ("save_batch", &[]),
    ("save_cleanup", &[]),
    ("ask_cleaned_up", &[]),
    ("cleaned_up", &["approval"]),
    ("keys", &[]),
    ("custodies", &[]),
    ("key_devices", &["after"]),
    ("activate_key", &["approval"]),
    ("suspend_key", &[]),
    ("destroy_key", &["approval"]),
    ("import_key", &["approval"]),
    ("recipient", &[]),
    ("take_transfer", &["approval"]),
    ("ceremony", &[]),
    ("ceremony_begin", &[]),
    ("ceremony_sign_in", &["side"]),
    ("ceremony_component", &["side"]),
    ("ceremony_confirm", &["side"]),
    ("ceremony_finish", &[]),
    ("ceremony_abort", &[]),
];

/// Tells every call at the finest level of the diagnostics.
pub(super) fn traced<R: Runtime>(commands: impl Fn(Invoke<R>) -> bool) -> impl Fn(Invoke<R>) -> bool {
    move |call| {
        let (name, shown) = listed(call.message.command());
        tracing::trace!(command = name, arguments = %Told { body: call.message.payload(), shown }, "the page calls");
        commands(call)
    }
}

/// The name of a command as this file has it: what the page calls otherwise is not repeated.
fn listed(command: &str) -> (&'static str, &'static [&'static str]) {
    SHOWN.iter().find(|(name, _)| *name == command).copied().unwrap_or(("unknown", &[]))
}

/// Arguments as they are told.
struct Told<'a> {
    body: &'a InvokeBody,
    shown: &'a [&'a str],
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvokeBody::Json(Value::Object(arguments)) = self.body else { return f.write_str("none") };
        // The names of the others are the page's, too, and are not repeated.
        let told: Vec<_> = arguments
            .iter()
            .map(|(name, value)| match value {
                Value::Number(number) if self.shown.contains(&name.as_str()) => format!("{name}={number}"),
                value => Size(value).to_string(),
            })
            .collect();
        f.write_str(&told.join(", "))
    }
}

/// A value as its kind and size.
struct Size<'a>(&'a Value);

impl fmt::Display for Size<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(_) => f.write_str("a truth value"),
            Value::Number(_) => f.write_str("a number"),
            Value::String(text) => write!(f, "{} characters", text.chars().count()),
            Value::Array(values) => write!(f, "{} values", values.len()),
            Value::Object(fields) => write!(f, "{} fields", fields.len()),
        }
    }
}
