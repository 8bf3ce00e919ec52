//! The devices of a batch as far as they were seen, counted while it is worked on as its reconciliation counts them.

use std::collections::{HashMap, HashSet};

use keystation_core::record::BatchCounts;

/// How far a device came. Whoever came farther has the row that two devices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Nothing was written to it: it has no place, and may come again.
    Refused,
    /// A write was begun: the place is taken.
    Begun,
    /// It proved its key.
    Done,
}

/// What was seen of the devices of a batch.
#[derive(Debug)]
pub(super) struct SeenDevices {
    asked: u64,
    places: Places,
    /// Are none of it, or one more than was approved.
    unexpected: HashSet<String>,
    done: u64,
}

#[derive(Debug)]
enum Places {
    /// The rows of a list, and which device was seen as each.
    Rows(HashMap<usize, (String, Mark)>),
    /// Whichever devices came: those that were begun, and those that were only refused so far.
    Any { begun: HashMap<String, Mark>, refused: HashSet<String> },
}

impl SeenDevices {
    /// None was seen yet of so many.
    pub(super) fn new(asked: u64, has_list: bool) -> Self {
        let places = if has_list {
            Places::Rows(HashMap::new())
        } else {
            Places::Any { begun: HashMap::new(), refused: HashSet::new() }
        };
        Self { asked, places, unexpected: HashSet::new(), done: 0 }
    }

    /// A device that is none of the batch, or one too many.
    pub(super) fn stranger(&mut self, who: String) {
        if let Places::Any { refused, .. } = &mut self.places {
            refused.remove(&who);
        }
        self.unexpected.insert(who);
    }

    /// A device that was seen: `row` is that of the list, if it is on one. Says whether it is done by this.
    pub(super) fn saw(&mut self, row: Option<usize>, who: String, mark: Mark) -> bool {
        let before = match &mut self.places {
            Places::Any { begun, refused } => {
                self.unexpected.remove(&who);
                if mark == Mark::Refused {
                    if !begun.contains_key(&who) {
                        refused.insert(who);
                    }
                    return false;
                }
                refused.remove(&who);
                let has = begun.entry(who).or_insert(Mark::Refused);
                std::mem::replace(has, mark.max(*has))
            }
            Places::Rows(rows) => {
                let Some(row) = row else {
                    self.unexpected.insert(who);
                    return false;
                };
                let (has, so_far) = rows.entry(row).or_insert_with(|| (who.clone(), Mark::Refused));
                let before = *so_far;
                if *has == who {
                    *so_far = mark.max(before);
                } else if mark > before {
                    // Of two devices that one row says the one that came farther is meant.
                    self.unexpected.remove(&who);
                    self.unexpected.insert(std::mem::replace(has, who));
                    *so_far = mark;
                } else {
                    self.unexpected.insert(who);
                    return false;
                }
                before
            }
        };
        let done = mark == Mark::Done && before != Mark::Done;
        self.done += u64::from(done);
        done
    }

    /// The sums: `asked` = `done` + `failed` + `missing`.
    pub(super) fn counts(&self) -> BatchCounts {
        let Self { asked, places, unexpected, done } = self;
        let (asked, done) = (*asked, *done);
        let (begun, refused) = match places {
            Places::Rows(rows) => (rows.len() as u64, 0),
            Places::Any { begun, refused } => (begun.len() as u64, refused.len() as u64),
        };
        // Whoever was only refused fails in a place that nobody took.
        let seen = (begun + refused).min(asked);
        let unexpected = unexpected.len() as u64 + (begun + refused - seen);
        let (failed, missing) = (seen.saturating_sub(done), asked - seen);
        BatchCounts { asked, done, failed, missing, unexpected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(seen: &SeenDevices) -> [u64; 5] {
        let BatchCounts { asked, done, failed, missing, unexpected } = seen.counts();
        assert_eq!(asked, done + failed + missing);
        [asked, done, failed, missing, unexpected]
    }

    #[test]
    fn a_device_that_was_only_refused_takes_no_place() {
        let mut seen = SeenDevices::new(2, false);
        let mut saw = |who: &str, mark| seen.saw(None, who.to_owned(), mark);
        assert!(!saw("a", Mark::Refused) && !saw("b", Mark::Refused) && !saw("c", Mark::Refused));
        assert_eq!(counts(&seen), [2, 0, 2, 0, 1]);
        assert!(seen.saw(None, "d".to_owned(), Mark::Done), "both places are free");
        assert_eq!(counts(&seen), [2, 1, 1, 0, 2]);
        seen.saw(None, "a".to_owned(), Mark::Begun);
        assert_eq!(counts(&seen), [2, 1, 1, 0, 2]);
        assert!(seen.saw(None, "a".to_owned(), Mark::Done));
        assert!(!seen.saw(None, "a".to_owned(), Mark::Done), "once");
        seen.stranger("b".to_owned());
        assert_eq!(counts(&seen), [2, 2, 0, 0, 2]);
    }

    #[test]
    fn of_two_devices_that_one_row_says_the_one_that_came_farther_is_meant() {
        let mut seen = SeenDevices::new(2, true);
        let mut saw = |row, who: &str, mark| seen.saw(row, who.to_owned(), mark);
        saw(Some(0), "a", Mark::Refused);
        saw(None, "x", Mark::Refused);
        assert!(saw(Some(0), "b", Mark::Done));
        saw(Some(0), "a", Mark::Begun);
        assert_eq!(counts(&seen), [2, 1, 0, 1, 2]);
        seen.saw(Some(1), "c".to_owned(), Mark::Begun);
        assert_eq!(counts(&seen), [2, 1, 1, 0, 2]);
    }
}
