//! What was scanned, for the page: the line tells it on several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keystation::line::{LineEvent, Scans};

use crate::dto::{self, ScanLine};

/// Where it goes. An error means that nobody is there any more.
type Watcher = Box<dyn Fn(ScanLine) -> tauri::Result<()> + Send>;

/// What was scanned and who is told of it.
#[derive(Default)]
pub(crate) struct Labels(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of the labels that are shown.
    turn: u64,
    shown: ScanLine,
    watcher: Option<Watcher>,
}

impl Labels {
    /// Takes what the line tells of codes and scanner.
    pub(crate) fn tell(&self, event: &LineEvent) {
        let mut state = self.state();
        match event {
            LineEvent::Slot(..) => return,
            LineEvent::Labels(Scans { turn, .. }) if *turn <= state.turn => return,
            LineEvent::Labels(scans) => {
                state.turn = scans.turn;
                state.shown.take(scans);
            }
            LineEvent::Scan(scan) => state.shown.refused = scan.as_ref().err().copied().map(dto::refused),
            LineEvent::Scanner(fault) => state.shown.scanner = fault.as_ref().map(dto::scanner),
        }
        state.show();
    }

    /// Tells `watcher` what there is now, then each change. It takes the place of the one before.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut state = self.state();
        state.watcher = Some(watcher);
        state.show();
    }

    /// Nothing is left half-done in what a thread that panicked held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show(&mut self) {
        if let Some(watcher) = &self.watcher
            && watcher(self.shown.clone()).is_err()
        {
            // The next page watches anew.
            self.watcher = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use keystation::line::{Label, LabelError, Scan};

    use super::*;
    use crate::dto::SlotLabel;

    fn scans(turn: u64, next: &str) -> LineEvent {
        LineEvent::Labels(Scans { turn, next: Label::new(next).ok(), ..Scans::default() })
    }

    #[test]
    fn what_is_older_comes_too_late_and_a_refusal_stands_until_the_next_code() {
        let labels = Labels::default();
        let (page, told) = mpsc::channel();
        labels.tell(&scans(1, "SN-0001"));
        labels.watch(Box::new(move |shown| {
            page.send(shown).expect("the test reads on");
            Ok(())
        }));
        let next = |told: &mpsc::Receiver<ScanLine>| told.try_recv().expect("it is told at once");
        assert_eq!(next(&told).next.as_deref(), Some("0001"), "a new page is told what there is");
        labels.tell(&LineEvent::Scan(Err(LabelError::Two)));
        assert_eq!(next(&told).refused.unwrap().code, "label-two");
        labels.tell(&scans(3, "SN-0003"));
        labels.tell(&scans(2, "SN-0002"));
        let shown = next(&told);
        assert_eq!((shown.next.as_deref(), shown.refused.is_some()), (Some("0003"), true));
        labels.tell(&LineEvent::Scan(Ok(Scan::Slot(3))));
        assert_eq!(next(&told).refused, None, "the older labels were not told in between");
        let taken = [(3, Label::new("SN-0003").unwrap())].into();
        labels.tell(&LineEvent::Labels(Scans { turn: 4, taken, ..Scans::default() }));
        let shown = next(&told);
        let label = SlotLabel { slot: 3, label: "0003".to_owned() };
        assert_eq!((shown.next, shown.taken), (None, vec![label]));
    }
}
