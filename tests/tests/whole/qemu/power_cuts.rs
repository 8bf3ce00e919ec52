//! Power is cut at random moments of an injection. Whatever the moment: the board holds the old set or the new one,
//! whole; the log agrees with it or has an open intent; and the next injection settles that and passes.

use std::time::Duration;

use keystation_core::credential::Overwrite;
use keystation_core::failure::Safety;
use keystation_core::flow::Step;
use keystation_core::repair::ReasonCode;
use keystation_tests::bench::random_hex;
use keystation_tests::qemu::storage::Set;
use keystation_tests::qemu::{Board, Fab, Image, storage};

use super::first_key::STACK;
use super::parts::{Course, GroupKey, KEY_A, KEY_B, Moment, Station};

/// A commit then takes longer than all the rest of an injection: there is a middle to be hit.
const SLOW_FLASH: u32 = 12_000;

/// xorshift64*: its seed is printed, so that the moments of a run that failed can be chosen again.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let seed = u64::from_str_radix(&random_hex(8), 16).unwrap() | 1;
        println!("seed {seed:#018x}");
        Self(seed)
    }

    /// A time from nothing to `span`.
    fn within(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let fraction = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32;
        span.mul_f64(f64::from(fraction) / f64::from(u32::MAX))
    }
}

/// How long the last injection took that nobody disturbed: other work on this machine comes and goes.
#[derive(Debug, Clone, Copy)]
struct Spans {
    whole: Duration,
    /// Stage and commit: all that touches the storage.
    write: Duration,
}

impl Spans {
    fn of(course: &Course) -> Option<Self> {
        let write = course.span(Step::Write, Some(Step::Restart))?;
        Some(Self { whole: course.span(Step::Read, None)?, write })
    }

    /// Every second moment lies somewhere in the whole injection, the others while the set is written.
    fn moment(self, number: u32, random: &mut Random) -> Moment {
        if number.is_multiple_of(2) {
            Moment { after: Step::Write, delay: random.within(self.write) }
        } else {
            Moment { after: Step::Read, delay: random.within(self.whole) }
        }
    }
}

/// What was found after the power came back.
#[derive(Debug, Default)]
struct Outcomes {
    old: u32,
    new: u32,
    /// The set that the board had is gone and the new one is not there.
    lost: u32,
    /// A slot was being erased or written.
    torn: u32,
    /// The log had an open intent.
    open: u32,
    /// The injection had passed before.
    passed: u32,
}

struct Campaign {
    station: Station,
    image: Image,
    overwrite: Overwrite,
    outcomes: Outcomes,
}

impl Campaign {
    fn new(image: Image) -> Self {
        let overwrite = Overwrite::approved(ReasonCode::Returned.into(), "op-1", "sup-1").unwrap();
        Self { station: Station::new(), image, overwrite, outcomes: Outcomes::default() }
    }

    fn board(&self, serial: &str) -> Board {
        let fab = Fab { mac: [0; 6], serial, program_delay: SLOW_FLASH };
        let mut board = Board::new(self.station.dir(), serial, self.image, &fab);
        board.start();
        board
    }

    /// Cuts power `times` times: in turn while a new board gets its first set, and while that is overwritten.
    fn run(mut self, times: u32) -> Outcomes {
        let mut random = Random::seeded();
        let model = self.board("model");
        let overwrite = self.overwrite.clone();
        let mut spans = [(KEY_A, None), (KEY_B, Some(&overwrite))].map(|(key, overwrite)| {
            let (passed, course) = self.station.inject(&model, key, overwrite, None);
            passed.expect("nobody disturbs it");
            Spans::of(&course).expect("it came to all steps")
        });
        println!("a first set: {:?}, overwriting: {:?}", spans[0], spans[1]);
        // A commit over another set goes deepest.
        assert!(
            model.stack_used() <= STACK || self.image != Image::Agent,
            "{} bytes of stack",
            model.stack_used()
        );
        drop(model);
        for number in 0..times / 2 {
            let serial = format!("board-{number:03}");
            let mut board = self.board(&serial);
            for (key, spans) in [KEY_A, KEY_B].into_iter().zip(&mut spans) {
                let moment = spans.moment(number, &mut random);
                let course = self.cut(&mut board, &serial, key, moment);
                *spans = course.as_ref().and_then(Spans::of).unwrap_or(*spans);
            }
        }
        self.station.assert_settled();
        println!("{:?}", self.outcomes);
        self.outcomes
    }

    /// Cuts power once, looks, and has the injection done again where it did not pass.
    fn cut(&mut self, board: &mut Board, serial: &str, key: GroupKey, moment: Moment) -> Option<Course> {
        let id = self.station.id(serial);
        let old = board.held();
        let new = key.set(&id, old.as_ref().map_or(0, |set| set.generation) + 1);
        let overwrite = old.as_ref().map(|_| &self.overwrite);

        let (result, _) = self.station.inject(board, key, overwrite, Some(moment));
        let torn = storage::is_torn(&board.storage());
        board.start();
        let held = board.held();
        let open = self.station.standing(&id).open;
        let told = || format!("{serial}: power cut at {moment:?}, then {result:?}, log {open:?}");
        let is_new = held.as_ref().map(Set::bare).as_ref() == Some(&new);
        let lost = !is_new && held != old;
        assert!(!lost || held.is_none(), "a wrong set is worse than none: {}", told());
        match &result {
            Ok(_) => assert!(is_new && open.is_none(), "{}", told()),
            // Where the log has no open intent it says that nothing was written; so does what the operator sees.
            Err(failure) if open.is_none() || failure.safety != Safety::Unknown => {
                assert!(!is_new && !lost, "{}", told());
            }
            Err(_) => {}
        }
        if let (true, Some(set)) = (is_new, &held) {
            let intent =
                result.as_ref().map_or_else(|_| open.as_ref().expect("it is open").seq, |pass| pass.intent);
            self.station.assert_anchored(set, &id, intent);
        }
        let outcomes = &mut self.outcomes;
        *(if lost {
            &mut outcomes.lost
        } else if is_new {
            &mut outcomes.new
        } else {
            &mut outcomes.old
        }) += 1;
        outcomes.torn += u32::from(torn);
        outcomes.open += u32::from(open.is_some());
        outcomes.passed += u32::from(result.is_ok());

        if result.is_ok() {
            return None; // to inject again would be refused, or write a third set
        }
        let (settled, course) = self.station.inject(board, key, overwrite, None);
        let pass = settled.unwrap_or_else(|failure| panic!("{}; again: {failure:?}", told()));
        // Stored once, whether that was before the cut or now. Where the set was lost its generation is lost too.
        let generation = if lost { 1 } else { new.generation };
        let settled = board.held().expect("it passed");
        assert_eq!(settled.bare(), Set { generation, ..new }, "{}", told());
        self.station.assert_anchored(&settled, &id, pass.intent);
        assert_eq!(self.station.standing(&id).open, None, "{}", told());
        Some(course)
    }
}

#[test]
fn a_power_cut_leaves_the_old_set_or_the_new_one() {
    let outcomes = Campaign::new(Image::Agent).run(100);
    let Outcomes { old, new, lost, torn, open, passed } = outcomes;
    assert_eq!((lost, old + new), (0, 100), "{outcomes:?}");
    // Otherwise the cuts were not where it matters. Erasing what is erased shows no tear, so few cuts are seen to.
    assert!(old >= 5 && new >= 5 && open >= 5 && torn >= 1 && passed < 50, "{outcomes:?}");
}

/// The control: the same cuts notice a store that erases what it has before it writes.
#[test]
fn a_naive_store_loses_sets() {
    let outcomes = Campaign::new(Image::Naive).run(40);
    assert!(outcomes.lost > 0, "{outcomes:?}");
}
