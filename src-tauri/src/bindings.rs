//! The TypeScript types of `ui/src/bindings`: written by `KEYSTATION_WRITE_BINDINGS=1 cargo test -p
//! keystation-desktop bindings`, compared by every other test run.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use ts_rs::{Config, TS};

use crate::{dto, problem};

/// File name and content of every type that crosses the boundary.
fn generated() -> BTreeMap<String, String> {
    let config = Config::default();
    macro_rules! files {
        ($($type:ty),+ $(,)?) => {
            [$((<$type>::output_path(), <$type>::export_to_string(&config))),+]
        };
    }
    let files = files![
        problem::Problem,
        dto::Overview,
        dto::Anchor,
        dto::AnchorState,
        dto::KeyLine,
        dto::Counts,
        dto::SlotLine,
        dto::RecordLine,
        dto::UnlockOutcome,
        dto::CardUpdate,
        dto::Card,
        dto::StepName,
        dto::Passed,
        dto::Failed,
        dto::Room,
        dto::SearchPage,
        dto::AttemptLine,
        dto::Standing,
        dto::DeviceLife,
        dto::LifeEvent,
        dto::Saved,
        dto::VerifyProgress,
        dto::VerifyVerdict,
        dto::Secured,
        dto::FindingLine,
        dto::Figures,
        dto::TallyLine,
        dto::SlotTally,
        dto::Cause,
        dto::Review,
        dto::ReviewLine,
        dto::SessionLine,
        dto::SessionState,
        dto::Role,
        dto::Who,
        dto::NewPerson,
        dto::AddedPerson,
        dto::SignIn,
        dto::SignInOutcome,
        dto::PersonLine,
        dto::ApprovalRequest,
        dto::Approval,
        dto::KeyCard,
        dto::KeySlot,
        dto::Custody,
        dto::KeyState,
        dto::KeyOrigin,
        dto::KeyDevices,
        dto::KeyDevice,
        dto::NewKey,
        dto::Imported,
        dto::ImportOutcome,
        dto::Ceremony,
        dto::Side,
        dto::CeremonyPhase,
        dto::ComponentOutcome,
    ];
    files
        .into_iter()
        .map(|(path, text)| {
            let path = path.expect("every type has a file");
            let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
            (name, text.expect("every type is exported"))
        })
        .collect()
}

#[test]
fn the_types_of_the_page_are_those_of_the_shell() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/bindings");
    let generated = generated();
    if env::var_os("KEYSTATION_WRITE_BINDINGS").is_some() {
        for (name, text) in &generated {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let kept: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    assert_eq!(kept, generated, "KEYSTATION_WRITE_BINDINGS=1 cargo test -p keystation-desktop bindings");
}
