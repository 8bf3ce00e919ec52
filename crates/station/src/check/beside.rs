//! A custody that is open for one look at a device, beside those that the line works with: whoever locks the station locks it too.

use keystation_vault::UnlockedVault;

use crate::custodies::lock_all;
use crate::error::StationError;
use crate::station::Station;

/// A custody is open beside the others until this is dropped.
#[must_use = "the custody is closed when this is dropped"]
pub(super) struct Beside<'a> {
    station: &'a Station,
    number: u64,
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        let mine = self.station.desk().beside.remove(&self.number);
        lock_all(mine.into_iter().collect());
    }
}

impl Station {
    /// Keeps it open for a look. Whoever locked since `closings` were counted does not find it open.
    pub(super) fn keep_beside(
        &self,
        vault: UnlockedVault,
        closings: u64,
    ) -> Result<Beside<'_>, StationError> {
        let mut desk = self.desk();
        if desk.ending || desk.closings != closings {
            drop(desk);
            lock_all(vec![vault]);
            return Err(StationError::Locked);
        }
        let number = desk.beside.last_key_value().map_or(0, |(last, _)| last + 1);
        desk.beside.insert(number, vault);
        Ok(Beside { station: self, number })
    }
}

#[cfg(test)]
mod tests {
    use keystation_vault::{Custody, Passphrase, SealedFile, SecretText, WorkFactor};

    use super::*;
    use crate::data_dir::DataDir;
    use crate::people::{Away, testing};

    #[test]
    fn whoever_locks_the_station_locks_what_a_look_opened() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let station = testing::open(&data);
        let passphrase =
            Passphrase::new(SecretText::new("a passphrase of a test".to_owned()).unwrap()).unwrap();
        let sealed = SealedFile::at(data.vault()).with_work_factor(WorkFactor::TEST);
        sealed.create(&passphrase).unwrap();
        let closings = station.desk().closings;
        let open = || sealed.open(&passphrase).unwrap();

        let one = station.keep_beside(open(), closings).unwrap();
        let other = station.keep_beside(open(), closings).unwrap();
        drop(one);
        assert_eq!(station.desk().beside.len(), 1, "each look closes its own");
        assert!(!station.is_unlocked(), "no slot derives from it");
        station.away(Away::Asked).unwrap();
        assert!(station.desk().beside.is_empty(), "it is locked in the middle of the look");
        drop(other);
        // Opening takes a second: who was locked out meanwhile finds it closed.
        let late = station.keep_beside(open(), closings).map(drop);
        assert!(matches!(late, Err(StationError::Locked)));
        station.close().unwrap();
    }
}
