//! The list of identities that must not register any more, and that somebody cleaned up by it.

use std::io::Write;
use std::path::Path;

use keystation_audit::{Blocked, DeviceRefusal, Parent};
use keystation_core::record::{Cleanup, CleanupList, Event, Seq};
use keystation_core::registration::RegistrationId;
use sha2::{Digest, Sha256};

use super::commands;
use super::error::LifeError;
use crate::error::StationError;
use crate::people::{Action, ApprovalId, Permit, Request};
use crate::report::list::{dashed, harmless, unwritten};
use crate::report::{NewFile, OutError};
use crate::station::{Station, hex};
use crate::training::{self, TrainingError};

/// A list is shorter: 64 MiB.
const LIMIT: u64 = 64 << 20;

/// Where the list goes.
#[derive(Debug, Clone, Copy)]
pub struct CleanupFiles<'a> {
    /// For people and spreadsheets: RFC 4180. Its hash is that of the record.
    pub csv: &'a Path,
    /// The commands of the Azure CLI, for `sh`.
    pub commands: Option<&'a Path>,
}

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Identities.
    pub devices: u64,
    /// The last record that it was made of.
    pub to: Seq,
    /// SHA-256 of the CSV file, hexadecimal.
    pub sha256: String,
    /// The record of it.
    pub record: Seq,
    /// Of a list that was done: identities on it that were put back since it was made. They are blocked in the cloud all the same.
    pub put_back: Vec<RegistrationId>,
}

/// The columns, in their order.
const COLUMNS: [&str; 13] = [
    "log",
    "record",
    "time",
    "state",
    "reason",
    "id",
    "mac",
    "serial",
    "key",
    "group",
    "scope",
    "endpoint",
    "successor",
];

impl Station {
    /// Writes the identities that have to be blocked in the cloud: those of no list that was done, or `all`. Permit:
    /// [`Action::ListCleanup`].
    pub fn list_cleanup(
        &self,
        permit: &Permit,
        all: bool,
        files: CleanupFiles<'_>,
    ) -> Result<Listed, StationError> {
        self.honour(permit, Action::ListCleanup)?;
        let listed = self.written_list(permit, all, files);
        self.done_or_told(permit, &files.csv.display().to_string(), listed)
    }

    fn written_list(
        &self,
        permit: &Permit,
        all: bool,
        CleanupFiles { csv, commands: script }: CleanupFiles<'_>,
    ) -> Result<Listed, StationError> {
        let origin = &self.config().origin;
        if training::is_name(origin) {
            return Err(TrainingError::NoProof.into());
        }
        let found = self.reader()?.to_block(all)?;
        let bytes = table(origin, &found.devices, csv)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let sha256 = hex(&digest);
        let mut written = vec![filled(csv, &bytes)?];
        if let Some(script) = script {
            written.push(filled(script, commands::script(origin, &found, &sha256).as_bytes())?);
        }
        let devices = found.devices.len() as u64;
        let list = CleanupList { sha256: digest, devices, to: found.to };
        let record = self.append_by(permit, Event::Cleanup(Cleanup::Listed(list)))?;
        written.into_iter().try_for_each(NewFile::keep)?;
        Ok(Listed { devices, to: found.to, sha256, record, put_back: Vec::new() })
    }

    /// What another person has to approve before a list counts as done. What cannot be is refused, and a record.
    pub fn cleaned_up_request(&self, csv: &Path) -> Result<Request, StationError> {
        let asker = self.may_ask(Action::CleanedUp)?;
        let planned = self.planned_cleanup(csv).map(|planned| request_of(&planned));
        self.done_or_told_by(Action::CleanedUp, &asker, &csv.display().to_string(), planned)
    }

    /// Puts down that everything on a list was done, by two people: the next list begins behind it.
    pub fn cleaned_up(&self, csv: &Path, approval: ApprovalId) -> Result<Listed, StationError> {
        let asker = self.may_ask(Action::CleanedUp)?;
        let what = csv.display().to_string();
        let planned = self.done_or_told_by(Action::CleanedUp, &asker, &what, self.planned_cleanup(csv))?;
        let permit = self.permit_approved(&request_of(&planned), approval)?;
        let (list, put_back) = planned;
        let done =
            Event::Cleanup(Cleanup::Done { list: list.clone(), approver: permit.approver().to_owned() });
        let record = self.append_by(&permit, done).map_err(LifeError::of_log);
        let record = self.done_or_told(&permit, &what, record)?;
        Ok(Listed { devices: list.devices, to: list.to, sha256: hex(&list.sha256), record, put_back })
    }

    /// The list, and what of it was put back since it was made.
    fn planned_cleanup(&self, csv: &Path) -> Result<(CleanupList, Vec<RegistrationId>), StationError> {
        let unreadable = |cause| StationError::Unreadable { path: csv.to_owned(), cause };
        let length = std::fs::metadata(csv).map_err(unreadable)?.len();
        if length > LIMIT {
            return Err(LifeError::Refused(DeviceRefusal::NoList).into());
        }
        let sha256: [u8; 32] = Sha256::digest(std::fs::read(csv).map_err(unreadable)?).into();
        let reader = self.reader()?;
        let (to, devices) =
            reader.cleanup_list(&hex(&sha256))?.ok_or(LifeError::Refused(DeviceRefusal::NoList))?;
        let list = CleanupList { sha256, devices, to };
        let done = Cleanup::Done { list: list.clone(), approver: String::new() };
        reader.may_clean_up(&done)?.map_err(LifeError::Refused)?;
        Ok((list, reader.put_back_since(&hex(&sha256))?))
    }
}

fn request_of(
    (CleanupList { sha256, devices, to }, put_back): &(CleanupList, Vec<RegistrationId>),
) -> Request {
    let mut subject = format!("{devices} identities up to record {to}, list {}", hex(sha256));
    if !put_back.is_empty() {
        subject += &format!(", {} of them put back since", put_back.len());
    }
    Request { action: Action::CleanedUp, subject, reason: String::new() }
}

fn filled(path: &Path, bytes: &[u8]) -> Result<NewFile, StationError> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes).map_err(|cause| OutError::Disk { path: path.to_owned(), cause })?;
    Ok(file)
}

fn table(origin: &str, devices: &[Blocked], path: &Path) -> Result<Vec<u8>, StationError> {
    let mut bytes = Vec::new();
    let unwritten = unwritten(path);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
    writer.write_record(COLUMNS).map_err(&unwritten)?;
    for device in devices {
        for parent in parents_of(device) {
            let cells = cells(origin, device, parent);
            writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).map_err(&unwritten)?;
        }
    }
    writer.flush().map_err(|e| unwritten(e.into()))?;
    drop(writer);
    Ok(bytes)
}

/// Each ID scope and endpoint that an identity has to be blocked for; none at the end, where another log knows for which.
pub(super) fn parents_of(device: &Blocked) -> impl Iterator<Item = Option<&Parent>> {
    device.parents.iter().map(Some).chain(device.elsewhere.then_some(None))
}

fn cells(origin: &str, device: &Blocked, parent: Option<&Parent>) -> [String; 13] {
    let Blocked { id, retirement, time, reason, identity, successor, .. } = device;
    let mac = identity.mac.map_or_else(String::new, |mac| dashed(&mac.spelled("")));
    let serial = identity.serial.as_ref().map_or_else(String::new, ToString::to_string);
    let [key, group, scope, endpoint] =
        parent.map_or_else(Default::default, |Parent { key, group, scope, endpoint }| {
            [key.to_string(), group.to_string(), scope.to_string(), endpoint.to_string()]
        });
    [
        origin.to_owned(),
        retirement.record.to_string(),
        time.clone(),
        retirement.what.as_str().to_owned(),
        reason.clone(),
        id.to_string(),
        mac,
        serial,
        key,
        group,
        scope,
        endpoint,
        successor.clone(),
    ]
}
