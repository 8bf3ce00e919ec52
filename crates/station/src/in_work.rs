//! Which registration IDs are being written right now, so that two slots never work on one.
//!
//! The log alone cannot tell: a second board of the same identity that is plugged in between intent and result sees an open intent
//! and a device that holds nothing, which is what a write that was cut off looks like. It would settle the other's intent and get
//! the key too. One program has the log (R40), so what is in work is known here.
//!
//! One board under two registration IDs, as two recipes make them, needs nothing here: it settles no intent of the other one, and the
//! log refuses its own as long as the other is open or was proved.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use keystation_audit::Journal;
use keystation_core::flow::{Log, LogError, Receipt, Retirement, Standing};
use keystation_core::identity::Identity;
use keystation_core::record::Entry;
use keystation_core::registration::RegistrationId;

/// The registration IDs in work, of all slots.
#[derive(Debug, Default)]
pub(crate) struct InWork(Mutex<BTreeSet<RegistrationId>>);

/// The log for one device: whoever asks for the standing of a registration ID has it alone until this is dropped.
pub(crate) struct OneDevice<'a> {
    log: &'a Journal,
    in_work: &'a InWork,
    mine: RefCell<Option<RegistrationId>>,
}

impl InWork {
    pub(crate) fn log<'a>(&'a self, log: &'a Journal) -> OneDevice<'a> {
        OneDevice { log, in_work: self, mine: RefCell::new(None) }
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<RegistrationId>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log for OneDevice<'_> {
    fn append(&self, entry: &Entry) -> Result<Receipt, LogError> {
        Log::append(self.log, entry)
    }

    fn retired(&self, id: &RegistrationId, identity: &Identity) -> Result<Option<Retirement>, LogError> {
        Log::retired(self.log, id, identity)
    }

    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError> {
        let mut mine = self.mine.borrow_mut();
        if mine.as_ref() != Some(id) {
            if !self.in_work.change(|ids| ids.insert(id.clone())) {
                return Err(LogError::Overtaken { id: id.to_string() });
            }
            if let Some(before) = mine.replace(id.clone()) {
                self.in_work.change(|ids| ids.remove(&before));
            }
        }
        Log::standing(self.log, id)
    }
}

impl Drop for OneDevice<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.mine.get_mut().take() {
            self.in_work.change(|ids| ids.remove(&id));
        }
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::registration::IdRule;

    use super::*;
    use crate::data_dir::DataDir;
    use crate::people::testing;
    use crate::station::Station;

    #[test]
    fn who_works_on_a_device_has_its_id_alone_until_it_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let station = testing::open(&data);
        let id = |text| RegistrationId::new(text, IdRule::Dashes).unwrap();
        let look = |log: &OneDevice<'_>, text| log.standing(&id(text)).map(drop);
        let log = || station.in_work().log(station.journal());
        let (one, other) = (log(), log());
        look(&one, "sn-1").unwrap();
        look(&one, "sn-1").unwrap();
        assert!(matches!(look(&other, "sn-1"), Err(LogError::Overtaken { id }) if id == "sn-1"));
        look(&other, "sn-2").unwrap();
        // Who turned to another device has given the first one back.
        look(&one, "sn-3").unwrap();
        look(&other, "sn-1").unwrap();
        look(&log(), "sn-2").unwrap();
        drop((one, other));
        for text in ["sn-1", "sn-2", "sn-3"] {
            look(&log(), text).unwrap();
        }
        station.close().unwrap();
    }
}
