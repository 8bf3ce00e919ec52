//! What the slots show. Each slot's thread writes its own card; the page reads them all.
//!
//! A FAIL holds its slot: until somebody says that it was seen, the slot's thread waits here, and no other device is
//! touched.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use keystation::line::SlotEvent;

use crate::dto::{Card, CardUpdate, Counts, StepName, Stopped};
use crate::problem::{Problem, sentence};

/// Where a card goes. An error means that nobody is there any more.
type Watcher = Box<dyn Fn(CardUpdate) -> tauri::Result<()> + Send>;

/// The cards of all slots.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<State>,
    /// Told when a FAIL was seen, and when the board is closed.
    seen: Condvar,
}

#[derive(Default)]
struct State {
    cards: BTreeMap<u32, Card>,
    counts: Counts,
    watcher: Option<Watcher>,
    closed: bool,
}

impl State {
    fn show(&mut self, slot: u32, card: Card) {
        self.cards.insert(slot, card.clone());
        if let Some(watcher) = &self.watcher
            && watcher(CardUpdate { slot, card }).is_err()
        {
            // The page is gone. The next one watches anew, and is told of every card.
            self.watcher = None;
        }
    }

    fn stands(&self, slot: u32) -> bool {
        matches!(self.cards.get(&slot), Some(Card::Fail(_)))
    }
}

impl Board {
    /// Takes what a slot's thread has to tell. Called on that thread, which waits here while a FAIL stands and its
    /// device is gone.
    pub(crate) fn tell(&self, slot: u32, event: SlotEvent) {
        let mut state = self.state();
        if matches!(event, SlotEvent::Broken { .. }) {
            // What happened to a device is not lost by what happened to its slot.
            state = self.until_seen(state, slot);
        }
        match event {
            SlotEvent::Pass { .. } => state.counts.done += 1,
            // To the person at the bench a device that was refused is one that got no PASS.
            SlotEvent::Fail { .. } => state.counts.failed += 1,
            _ => {}
        }
        let card = match event {
            SlotEvent::Waiting => Card::Waiting,
            SlotEvent::Locked => Card::Locked,
            SlotEvent::Step(step) => Card::Working { step: step.into() },
            SlotEvent::Pass { pass, .. } => Card::Pass(pass.into()),
            SlotEvent::Fail { failure, .. } => Card::Fail(failure.into()),
            SlotEvent::Broken { cause, safety } => Card::Stopped(Stopped {
                safety: safety.map(|safety| safety.as_str().to_owned()),
                problem: Problem::new(
                    "slot-stopped",
                    &sentence(&cause),
                    &["Close the window.", "Start the station again.", "Again: call the administrator."],
                ),
            }),
            // What it was doing goes on from its first step.
            SlotEvent::Retry { .. } => Card::Working { step: StepName::Read },
            SlotEvent::Out(reason) => {
                let problem = Problem::new("slot-out", &reason.to_string(), reason.remedy());
                Card::Stopped(Stopped { safety: None, problem })
            }
            SlotEvent::Back => Card::Waiting,
            SlotEvent::Gone => match state.cards.get(&slot) {
                Some(Card::Fail(failed)) => {
                    let mut failed = failed.clone();
                    failed.gone = true;
                    Card::Fail(failed)
                }
                _ => Card::Waiting,
            },
        };
        state.show(slot, card);
        if matches!(state.cards.get(&slot), Some(Card::Fail(failed)) if failed.gone) {
            drop(self.until_seen(state, slot));
        }
    }

    /// Waits while a FAIL of `slot` stands.
    fn until_seen<'s>(&'s self, state: MutexGuard<'s, State>, slot: u32) -> MutexGuard<'s, State> {
        let unseen = |state: &mut State| state.stands(slot) && !state.closed;
        self.seen.wait_while(state, unseen).unwrap_or_else(PoisonError::into_inner)
    }

    /// What people at the bench have seen since this start: results, not records. A free retry is no result.
    pub(crate) fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// Somebody has seen the FAIL of a slot.
    pub(crate) fn acknowledge(&self, slot: u32) {
        let mut state = self.state();
        let Some(Card::Fail(failed)) = state.cards.get(&slot) else { return };
        let next = if failed.gone {
            Card::Waiting
        } else {
            Card::Remove {
                safety: failed.safety.clone(),
                serial: failed.serial.clone(),
                mac: failed.mac.clone(),
            }
        };
        state.show(slot, next);
        self.seen.notify_all();
    }

    /// Tells `watcher` every card now, then each that changes. It takes the place of the one before.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut state = self.state();
        state.watcher = Some(watcher);
        for (slot, card) in state.cards.clone() {
            state.show(slot, card);
        }
    }

    /// Lets every thread go on that waits for somebody to see a FAIL.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.seen.notify_all();
    }

    /// The cards; a thread that panicked while it held them left nothing half-done there.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{self, Receiver, TryRecvError};
    use std::thread::{self, JoinHandle};

    use keystation_core::failure::{Code, Failure, Safety};
    use keystation_core::flow::Step;
    use keystation_core::identity::Identity;

    use super::*;

    fn failure() -> SlotEvent {
        let identity = Identity { mac: None, serial: "SN-0001".parse().ok() };
        let failure = Failure {
            record: Some(7),
            identity: Some(identity),
            ..Failure::new(Code::NotKept, Safety::NotKeyed)
        };
        SlotEvent::Fail { failure, took: std::time::Duration::ZERO }
    }

    /// A board, and what its page is told.
    fn watched() -> (Arc<Board>, Receiver<CardUpdate>) {
        let board = Arc::new(Board::default());
        let (page, updates) = mpsc::channel();
        board.watch(Box::new(move |update| {
            page.send(update).expect("the test reads on");
            Ok(())
        }));
        (board, updates)
    }

    /// Runs the events of slot 1 on a thread of their own.
    fn slot(board: &Arc<Board>, events: Vec<SlotEvent>) -> JoinHandle<()> {
        let board = Arc::clone(board);
        thread::spawn(move || events.into_iter().for_each(|event| board.tell(1, event)))
    }

    fn fail(gone: bool) -> impl Fn(&Card) -> bool {
        move |card| matches!(card, Card::Fail(failed) if failed.gone == gone)
    }

    fn next(updates: &Receiver<CardUpdate>) -> Card {
        updates.recv().expect("the board lives").card
    }

    #[test]
    fn a_fail_holds_its_slot_until_it_was_seen() {
        let (board, updates) = watched();
        let thread = slot(&board, vec![failure(), SlotEvent::Gone, SlotEvent::Step(Step::Read)]);
        assert!(fail(false)(&next(&updates)));
        assert!(fail(true)(&next(&updates)));
        // Had the thread gone on, it would not hold still now: it waits, and the lock is free.
        assert_eq!(updates.try_recv().unwrap_err(), TryRecvError::Empty);
        assert!(!thread.is_finished());
        board.acknowledge(1);
        assert_eq!(next(&updates), Card::Waiting);
        assert!(matches!(next(&updates), Card::Working { .. }));
        thread.join().unwrap();
    }

    #[test]
    fn a_fail_that_was_seen_early_asks_for_the_device_to_be_unplugged() {
        let (board, updates) = watched();
        board.tell(1, failure());
        board.acknowledge(1);
        board.tell(1, SlotEvent::Gone);
        assert!(fail(false)(&next(&updates)));
        let remove =
            Card::Remove { safety: "not-keyed".to_owned(), serial: Some("SN-0001".to_owned()), mac: None };
        assert_eq!(next(&updates), remove, "and says which one");
        assert_eq!(next(&updates), Card::Waiting);
    }

    #[test]
    fn a_slot_that_stops_says_what_its_device_may_hold() {
        let (board, updates) = watched();
        board.tell(1, SlotEvent::Step(Step::Write));
        let cause = std::io::Error::other("the slot's thread failed");
        board.tell(1, SlotEvent::Broken { cause, safety: Some(Safety::Unknown) });
        next(&updates);
        let Card::Stopped(stopped) = next(&updates) else { panic!("it stopped") };
        assert_eq!(stopped.problem.sentence, "The slot's thread failed.");
        assert_eq!(stopped.safety.as_deref(), Some("unknown"));
    }

    #[test]
    fn a_slot_that_stops_takes_no_fail_away_that_nobody_saw() {
        let (board, updates) = watched();
        let retry = || match failure() {
            SlotEvent::Fail { failure, took } => SlotEvent::Retry { failure, took },
            _ => unreachable!("it is a failure"),
        };
        let cause = std::io::Error::other("the slot's thread failed");
        let thread = slot(&board, vec![retry(), failure(), SlotEvent::Broken { cause, safety: None }]);
        assert!(matches!(next(&updates), Card::Working { .. }));
        assert!(fail(false)(&next(&updates)));
        board.acknowledge(1);
        assert!(matches!(next(&updates), Card::Remove { .. }), "the one before was told until it was seen");
        assert!(matches!(next(&updates), Card::Stopped(_)));
        thread.join().unwrap();
        assert_eq!(board.counts(), Counts { done: 0, failed: 1 }, "a first try is no result");
    }

    #[test]
    fn only_a_fail_can_be_seen() {
        let (board, updates) = watched();
        board.tell(1, SlotEvent::Step(Step::Write));
        board.acknowledge(1);
        board.acknowledge(2);
        next(&updates);
        assert_eq!(updates.try_recv().unwrap_err(), TryRecvError::Empty);
    }

    #[test]
    fn closing_lets_a_held_slot_go() {
        let (board, updates) = watched();
        let thread = slot(&board, vec![failure(), SlotEvent::Gone]);
        while !fail(true)(&next(&updates)) {}
        board.close();
        thread.join().unwrap();
    }

    #[test]
    fn a_new_page_is_told_every_card_and_a_page_that_is_gone_is_forgotten() {
        let board = Board::default();
        board.watch(Box::new(|_| Err(tauri::Error::InvalidWindowHandle)));
        board.tell(1, failure());
        board.tell(2, SlotEvent::Waiting);
        let (page, updates) = mpsc::channel();
        board.watch(Box::new(move |update| {
            page.send(update).expect("the test reads on");
            Ok(())
        }));
        let told: Vec<_> = updates.try_iter().map(|update| update.slot).collect();
        assert_eq!(told, [1, 2]);
    }
}
