//! The station behind the window: opened once, its slots running until the window closes.

use std::sync::{Arc, Mutex, PoisonError};

use keystation::config::Profile;
use keystation::line::Line;
use keystation::{Counts, DataDir, Station, StationError};
use keystation_core::key::KeyLabel;

use crate::board::Board;
use crate::dto;

/// Devices with an open intent that the strip has room to name.
const UNSETTLED: usize = 3;

/// An open station, its running slots and what they show.
pub(crate) struct Desk {
    pub(crate) station: Station,
    pub(crate) board: Arc<Board>,
    /// Held while the passphrase is asked for: one dialog at a time.
    pub(crate) asking: tauri::async_runtime::Mutex<()>,
    slots: Vec<dto::SlotLine>,
    /// The group key of the first slot's profile.
    key: Option<KeyLabel>,
    /// The results of the log before this start.
    before: Counts,
    lines: Mutex<Vec<Line>>,
}

impl Desk {
    /// Opens the station and starts its slots.
    pub(crate) fn open(data: &DataDir) -> Result<Self, StationError> {
        let station = Station::open(data, env!("CARGO_PKG_NAME"))?;
        let board = Arc::new(Board::default());
        let before = station.overview()?.counts;
        let mut desk = Self {
            station: station.clone(),
            board,
            asking: tauri::async_runtime::Mutex::default(),
            slots: Vec::new(),
            key: None,
            before,
            lines: Mutex::default(),
        };
        let mut lines = Vec::new();
        for slot in &station.config().slots {
            let profile = Profile::read(&slot.profile)?;
            desk.slots.push(dto::SlotLine {
                number: slot.number,
                port: slot.port.display().to_string(),
                profile: profile.title,
            });
            desk.key.get_or_insert(profile.group_key);
            let (board, number) = (Arc::clone(&desk.board), slot.number);
            lines.push(Line::start(&station, number, move |event| board.tell(number, event))?);
        }
        desk.lines = Mutex::new(lines);
        Ok(desk)
    }

    /// What is always in sight.
    pub(crate) fn overview(&self) -> Result<dto::Overview, StationError> {
        let seen = self.station.overview()?;
        let check_value = |label: &KeyLabel| {
            let key = seen.keys.iter().find(|key| key.label == *label)?;
            Some(key.check_value.to_string())
        };
        let mut profiles: Vec<_> = self.slots.iter().map(|slot| slot.profile.as_str()).collect();
        profiles.dedup();
        Ok(dto::Overview {
            station: seen.origin,
            operator: seen.operator,
            job: String::new(),
            profile: profiles.join(", "),
            key: self
                .key
                .as_ref()
                .map(|label| dto::KeyLine { label: label.to_string(), check_value: check_value(label) }),
            locked: seen.locked,
            records: seen.records,
            open_intents: seen.open_intents.len(),
            unsettled: seen.open_intents.iter().take(UNSETTLED).map(|(id, _)| id.clone()).collect(),
            // To the person at the bench a device that was refused is one that got no PASS.
            counts: dto::Counts {
                done: seen.counts.passed.saturating_sub(self.before.passed),
                failed: seen.counts.failed.saturating_sub(self.before.failed)
                    + seen.counts.refused.saturating_sub(self.before.refused),
            },
            anchor: seen.anchoring.into(),
            slots: self.slots.clone(),
            rooms: vec![dto::Room::Line, dto::Room::Audit],
            read_only: false,
            review_due: false,
            damage: None,
        })
    }

    /// The last `count` records, newest first.
    pub(crate) fn recent(&self, count: u32) -> Result<Vec<dto::RecordLine>, StationError> {
        let mut lines = Vec::new();
        for stored in self.station.reader()?.recent(count)?.iter().rev() {
            let record = stored.parse()?;
            lines.push(dto::RecordLine {
                seq: record.seq(),
                time: record.time().to_owned(),
                event: record.event().to_owned(),
                outcome: record.rc().to_owned(),
                holds: record.text("holds").unwrap_or_default().into_owned(),
                id: record.text("rid").unwrap_or_default().into_owned(),
                operator: record.operator().into_owned(),
            });
        }
        Ok(lines)
    }

    /// Stops the slots, each after the device that it is keying, wipes the keys and closes the log.
    pub(crate) fn close(&self) -> Result<(), StationError> {
        self.board.close();
        drop(std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner)));
        self.station.clone().close()
    }
}
