//! Every command of the window, and the verb of the policy that it is.

use keystation::people::Action;

/// In the order of the handler. A command that is not named here is not built: a test holds the two against one another.
pub(crate) const VERBS: &[(&str, Action)] = &[
    ("overview", Action::Overview),
    ("recent", Action::Overview),
    ("watch", Action::Watch),
    ("acknowledge", Action::Acknowledge),
    ("unlock", Action::Unlock),
    ("lock", Action::Lock),
    ("search", Action::SearchRoom),
    ("device", Action::SearchRoom),
    ("save_proof", Action::SaveProof),
    ("verify", Action::AuditRoom),
    ("cancel_verify", Action::AuditRoom),
    ("figures", Action::AuditRoom),
    ("denials", Action::AuditRoom),
    ("review", Action::AuditRoom),
    ("sign_review", Action::SignReview),
    ("check_places", Action::Check),
    ("check_device", Action::Check),
    ("shift_report", Action::OwnShift),
    ("save_shift_report", Action::OwnShift),
    ("sign_in", Action::SignIn),
    ("sign_out", Action::SignOut),
    ("away", Action::Lock),
    ("touch", Action::Touch),
    ("change_pin", Action::ChangePin),
    ("begin_people", Action::FirstStart),
    // Whom it is open to depends on what is to be approved. Where nobody can read that, somebody gave a PIN.
    ("approve", Action::SignIn),
    ("people", Action::People),
    ("add_person", Action::AddPerson),
    ("set_roles", Action::SetRoles),
    ("disable_person", Action::DisablePerson),
    ("enable_person", Action::EnablePerson),
    ("reset_pin", Action::ResetPin),
    ("set_badge", Action::SetBadge),
    ("set_name", Action::SetName),
    ("forget_name", Action::ForgetName),
    ("orders", Action::Orders),
    ("order", Action::Orders),
    ("create_order", Action::CreateOrder),
    ("open_order", Action::OpenOrder),
    ("close_order", Action::CloseOrder),
    ("scrap_device", Action::Scrap),
    ("raise_quota", Action::RaiseQuota),
    ("keys", Action::Keys),
    ("custodies", Action::Keys),
    ("key_devices", Action::Keys),
    ("activate_key", Action::ActivateKey),
    ("suspend_key", Action::SuspendKey),
    ("destroy_key", Action::DestroyKey),
    ("import_key", Action::ImportKey),
    ("recipient", Action::Recipient),
    ("take_transfer", Action::TakeTransfer),
    ("ceremony", Action::Keys),
    ("ceremony_begin", Action::Ceremony),
    ("ceremony_sign_in", Action::Ceremony),
    ("ceremony_component", Action::Ceremony),
    ("ceremony_confirm", Action::Ceremony),
    ("ceremony_finish", Action::Ceremony),
    ("ceremony_abort", Action::Ceremony),
];

/// The verb that a command is.
pub(crate) fn verb(command: &str) -> Action {
    let listed = VERBS.iter().find(|(name, _)| *name == command);
    listed.map(|(_, action)| *action).expect("a test finds every command in the list")
}
