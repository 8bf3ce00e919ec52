//! Connections for a look at the log that are kept open: to open one takes longer than all that a device asks of it, and a line
//! looks three times for each device.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keystation_audit::{Paths, Reader};

use crate::error::StationError;

/// Read-only connections that nobody uses right now; as many as there were looks at once.
#[derive(Default)]
pub(crate) struct Readers(Mutex<Vec<Reader>>);

/// One of them, until it is dropped. Nothing is cached in it: each look sees the newest records.
pub(crate) struct Look<'a> {
    /// `None` only while it is being dropped.
    reader: Option<Reader>,
    home: &'a Readers,
}

impl Readers {
    /// A connection to the log at `paths`.
    pub(crate) fn look(&self, paths: &Paths) -> Result<Look<'_>, StationError> {
        let idle = self.idle().pop();
        let reader = idle.map_or_else(|| Reader::open(paths), Ok)?;
        Ok(Look { reader: Some(reader), home: self })
    }

    /// Closes those that nobody uses.
    pub(crate) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Look<'_> {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        self.reader.as_ref().expect("taken by drop only")
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.home.idle().push(reader);
        }
    }
}
