use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;

/// What was done to the device and to the log, in order, and the moment at which the station is killed.
#[derive(Default)]
pub(crate) struct Trace {
    acts: RefCell<Vec<&'static str>>,
    /// The number of the act, counted from 0.
    pub(crate) kill: Cell<Option<(usize, When)>>,
}

impl Trace {
    /// Does `act`, unless the station dies first.
    pub(crate) fn act<T>(&self, name: &'static str, act: impl FnOnce() -> T) -> T {
        let number = self.acts.borrow().len();
        let dies = |when| self.kill.get() == Some((number, when));
        if dies(When::Before) {
            // No message: this is no panic of the code under test.
            resume_unwind(Box::new("killed"));
        }
        self.acts.borrow_mut().push(name);
        let done = act();
        if dies(When::After) {
            resume_unwind(Box::new("killed"));
        }
        done
    }

    pub(crate) fn clear(&self) {
        self.acts.borrow_mut().clear();
    }

    pub(crate) fn acts(&self) -> Vec<&'static str> {
        self.acts.borrow().clone()
    }
}

/// When a fault or a death strikes: before the act, or after it, so that only the answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}
