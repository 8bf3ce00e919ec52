//! Generates the permissions of the window's own commands.

/// Every command of the window. Tauri refuses each of them unless a capability grants it; without this list it
/// would allow them all.
const COMMANDS: &[&str] = &[
    "overview",
    "recent",
    "watch",
    "acknowledge",
    "unlock",
    "lock",
    "search",
    "device",
    "save_proof",
    "verify",
    "cancel_verify",
    "figures",
    "denials",
    "review",
    "sign_review",
    "check_places",
    "check_device",
    "shift_report",
    "save_shift_report",
    "sign_in",
    "sign_out",
    "away",
    "touch",
    "change_pin",
    "begin_people",
    "approve",
    "people",
    "add_person",
    "set_roles",
    "disable_person",
    "enable_person",
    "reset_pin",
    "set_badge",
    "set_name",
    "forget_name",
    "keys",
    "custodies",
    "key_devices",
    "activate_key",
    "suspend_key",
    "destroy_key",
    "import_key",
    "recipient",
    "take_transfer",
    "ceremony",
    "ceremony_begin",
    "ceremony_sign_in",
    "ceremony_component",
    "ceremony_confirm",
    "ceremony_finish",
    "ceremony_abort",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json and the capabilities are valid");
}
