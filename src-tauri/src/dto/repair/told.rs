//! What the station says of repair, as the page is told it.

use keystation::line::{SlotState, SlotView};
use keystation::lives::{Act, Listed, TakenOut};
use keystation::log;
use keystation::people::Request;
use keystation::repair::{
    Batch, Effect, Holding, KeyedBefore, Look, Progress, Reconciliation, Rekeyed, Row, State,
};
use keystation_core::failure::Failure;
use keystation_core::flow::{DeviceState, Retired, Retirement};
use keystation_core::identity::Identity;
use keystation_core::record::BatchCounts;
use keystation_core::registration::RegistrationId;

use super::{
    BatchDay, BatchLine, BatchNow, BatchPage, BatchSlot, BatchSlotState, BatchSums, CleanupLine, DeviceOut,
    Held, KeyEffect, OddDevice, OutHow, ParentKey, RekeyOutcome, RepairDevice, SeenDevice, SetState,
    TakeOutAct, TakenOutLine,
};
use crate::bounded::Text;
use crate::dto::{ApprovalRequest, DeviceLife};

/// Devices of a batch that are told one by one.
const ODD: usize = 50;

impl RepairDevice {
    /// A device that is in `slot`, and how it is out.
    pub(crate) fn seen(
        slot: u32,
        look: Look,
        out: Option<Retirement>,
        secured: Option<log::Secured>,
    ) -> Self {
        let Look { identity, firmware, state, generation, id, set, life, parent, holding, record, .. } = look;
        let (scope, endpoint) =
            set.map(|set| (set.scope.to_string(), set.endpoint.to_string())).unwrap_or_default();
        let seen = SeenDevice {
            slot,
            state: state.into(),
            generation,
            firmware,
            scope,
            endpoint,
            holding: holding.into(),
            record,
        };
        Self { seen: Some(seen), ..Self::known(&id, life, parent, secured) }.of_board(&identity, out)
    }

    /// The same of this board, and how it is out.
    pub(crate) fn of_board(self, Identity { mac, serial }: &Identity, out: Option<Retirement>) -> Self {
        Self {
            mac: mac.map_or_else(String::new, |mac| mac.to_string()),
            serial: serial.as_ref().map_or_else(String::new, ToString::to_string),
            out: out.map(DeviceOut::from),
            ..self
        }
    }

    /// What the log has of a device.
    pub(crate) fn known(
        id: &RegistrationId,
        life: Option<log::Life>,
        parent: Option<KeyedBefore>,
        secured: Option<log::Secured>,
    ) -> Self {
        let out = life.as_ref().and_then(|life| life.retired).map(DeviceOut::from);
        let life = life.map(|life| DeviceLife::of(id, life, secured));
        let (mac, serial) =
            life.as_ref().map(|life| (life.mac.clone(), life.serial.clone())).unwrap_or_default();
        Self { id: id.to_string(), mac, serial, seen: None, life, out, parent: parent.map(ParentKey::from) }
    }
}

impl From<DeviceState> for SetState {
    fn from(state: DeviceState) -> Self {
        match state {
            DeviceState::Empty => Self::Empty,
            DeviceState::Keyed => Self::Keyed,
            DeviceState::Locked => Self::Locked,
        }
    }
}

impl From<Holding> for Held {
    fn from(holding: Holding) -> Self {
        match holding {
            Holding::AsRecorded => Self::AsRecorded,
            Holding::Another => Self::Another,
            Holding::Foreign => Self::Foreign,
            Holding::Lost => Self::Lost,
            Holding::Nothing => Self::Nothing,
            Holding::Unsettled => Self::Unsettled,
        }
    }
}

impl From<Retirement> for DeviceOut {
    fn from(Retirement { what, record }: Retirement) -> Self {
        let how = match what {
            Retired::Scrapped => OutHow::Scrapped,
            Retired::Revoked => OutHow::Revoked,
            Retired::Replaced => OutHow::Replaced,
        };
        Self { how, record }
    }
}

impl From<KeyedBefore> for ParentKey {
    fn from(KeyedBefore { label, check_value, state, .. }: KeyedBefore) -> Self {
        Self { label, check_value, state: state.map(Into::into) }
    }
}

impl ApprovalRequest {
    /// What a second person is asked for, as the page sends it back with their badge and PIN.
    pub(crate) fn of(Request { action, subject, reason }: &Request) -> Self {
        Self {
            action: Text::shortened(action.word()),
            subject: Text::shortened(subject),
            reason: Text::shortened(reason),
        }
    }
}

impl From<Result<Rekeyed, Failure>> for RekeyOutcome {
    fn from(came: Result<Rekeyed, Failure>) -> Self {
        match came {
            Ok(Rekeyed { pass, effect, follows }) => Self::Pass {
                id: pass.id.to_string(),
                record: pass.record,
                effect: effect.map(KeyEffect::from),
                follows,
            },
            Err(failure) => Self::Fail(failure.into()),
        }
    }
}

impl From<Effect> for KeyEffect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::SameKey => Self::Same,
            Effect::NewKey => Self::New,
            Effect::UnknownKey => Self::Unknown,
        }
    }
}

impl TakeOutAct {
    /// The act, where it takes no board.
    pub(crate) const fn without_board(self) -> Option<Act> {
        match self {
            Self::Scrap => Some(Act::Scrap),
            Self::Revoke => Some(Act::Revoke),
            Self::Restore => Some(Act::Restore),
            Self::Replace => None,
        }
    }
}

impl From<TakenOut> for TakenOutLine {
    fn from(TakenOut { record, successor, .. }: TakenOut) -> Self {
        Self { record, successor: successor.map(|id| id.to_string()) }
    }
}

impl From<Batch> for BatchLine {
    fn from(batch: Batch) -> Self {
        Self {
            id: batch.id.to_string(),
            time: batch.time_ms,
            by: batch.by,
            approver: batch.approver,
            reason: batch.reason.code().to_string(),
            note: batch.reason.note().to_owned(),
            devices: batch.devices,
            key: batch.key.to_string(),
            check_value: batch.check_value.to_string(),
            from: batch.from.map(|label| label.to_string()),
            closed: batch.closed.map(|ended| ended.counts.into()),
            end: batch.closed.map(|ended| ended.record),
        }
    }
}

impl From<BatchCounts> for BatchSums {
    fn from(counts: BatchCounts) -> Self {
        let BatchCounts { asked, done, failed, missing, unexpected } = counts;
        Self { asked, done, failed, missing, unexpected }
    }
}

impl BatchPage {
    /// `left`: devices that hang on the group key that a rotation leaves.
    pub(crate) fn of(reconciled: Reconciliation, left: Option<u64>, now: Option<BatchNow>) -> Self {
        let Reconciliation { batch, counts, rows, days, .. } = reconciled;
        let odd = rows.into_iter().filter(|row| matches!(row.state, State::Failed | State::Unexpected));
        let mut by_then = 0;
        let days = days.into_iter().map(|(day, done)| {
            by_then += done;
            BatchDay { day, done, percent: (by_then * 100).checked_div(counts.asked).unwrap_or(0) }
        });
        Self {
            batch: batch.into(),
            sums: counts.into(),
            odd: odd.take(ODD).map(OddDevice::from).collect(),
            days: days.collect(),
            left,
            now,
        }
    }
}

impl From<Row> for OddDevice {
    fn from(row: Row) -> Self {
        let device = [row.id, row.mac, row.serial].into_iter().find(|text| !text.is_empty());
        Self {
            device: device.unwrap_or_default(),
            unexpected: row.state == State::Unexpected,
            code: row.code,
        }
    }
}

impl BatchNow {
    pub(crate) fn of(Progress { counts, left, paused, .. }: Progress, slots: Vec<SlotView>) -> Self {
        Self {
            sums: counts.into(),
            seconds_left: left.map(|left| left.as_secs()),
            paused,
            slots: slots.into_iter().map(BatchSlot::from).collect(),
        }
    }
}

impl From<SlotView> for BatchSlot {
    fn from(slot: SlotView) -> Self {
        let state = match slot.state {
            SlotState::Waiting => BatchSlotState::Waiting,
            SlotState::Locked => BatchSlotState::Locked,
            SlotState::Working(_) => BatchSlotState::Working,
            SlotState::Passed => BatchSlotState::Passed,
            SlotState::Failed(_) => BatchSlotState::Failed,
            SlotState::Out(_) => BatchSlotState::Out,
            SlotState::Broken => BatchSlotState::Broken,
        };
        let last = slot.history.last().filter(|_| !matches!(slot.state, SlotState::Working(_)));
        Self {
            number: slot.number,
            state,
            device: last.and_then(|past| past.id.clone()),
            code: last.and_then(|past| past.failure).map(|code| code.as_str().to_owned()),
        }
    }
}

impl CleanupLine {
    pub(crate) fn of(Listed { devices, to, .. }: &Listed, path: Option<String>) -> Self {
        Self { devices: *devices, to: *to, path }
    }
}
