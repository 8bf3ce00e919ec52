//! Guessing PINs at a station whose TPM counts them: what is put back gives none back, neither alone nor together.

use std::fs;
use std::path::Path;
use std::process::Command;

use keystation::people::{Person, PinCost, PinCounterError, SignInError, Unopened};
use keystation::{DataDir, Station, StationError};
use keystation_vault::TpmError;

use super::guesses::{RIGHT, dice};
use super::support::{ADMINS, Bench, badge_of, copy, open, person, pin};
use super::swtpm::Swtpm;

/// A station that counts in a TPM, with `op-1` and its two administrators.
struct Counted {
    bench: Bench,
    tpm: Swtpm,
}

impl Counted {
    fn new() -> Self {
        let bench = Bench::new();
        let tpm = Swtpm::start(&bench.dir.path().join("tpm")).expect("swtpm (apt-get install swtpm)");
        let socket = tpm.socket();
        let bench = bench.at_rest(|data| set(data, &socket, "tpm"));
        let [first, second] = ADMINS.map(|(user, digits)| person(user, digits, "administrator"));
        bench.station.begin(first, second).unwrap();
        bench.settle("op-1", RIGHT, "operator");
        Self { bench, tpm }
    }

    fn at_rest(self, act: impl FnOnce(&Path)) -> Self {
        Self { bench: self.bench.at_rest(act), ..self }
    }

    /// Closed, everything copied, opened again.
    fn copied(self) -> (Self, std::path::PathBuf) {
        let before = self.bench.dir.path().join("before");
        (self.at_rest(|data| copy(data, &before)), before)
    }

    /// The whole directory as it was: log, head, and all the rest.
    fn put_back(self, before: &Path) -> Self {
        self.at_rest(|data| {
            fs::remove_dir_all(data).unwrap();
            copy(before, data);
        })
    }

    fn refused(&self) -> PinCounterError {
        match self.bench.sign_in("op-1", RIGHT) {
            Err(SignInError::Station(error)) => match *error {
                StationError::PinCounter(refused) => refused,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// A wrong PIN of `op-1`, when none has to wait.
    fn wrong(&self) -> Result<(), SignInError> {
        self.bench.hands.pass(61);
        self.bench.sign_in("op-1", "900001")
    }

    fn counts(&self) -> Vec<String> {
        self.bench.records("auth.count", "why")
    }
}

/// What `station.toml` says of the counter.
fn set(data: &Path, socket: &Path, counter: &str) {
    let file = data.join("station.toml");
    let text = fs::read_to_string(&file).unwrap();
    let line = text.lines().find(|line| line.starts_with("counter = ")).unwrap();
    let mut text = text.replace(line, &format!("counter = \"{counter}\""));
    if !text.contains("\n[tpm]") {
        text += &format!("\n[tpm]\nswtpm = \"{}\"\n", socket.display());
    }
    fs::write(file, text).unwrap();
}

/// Restarts, kills, other starts of the machine, clocks, copies that are taken all the while and put back: the whole directory, or the log with its head. Over
/// all of it ten guesses are answered, and the right PIN is no good to whoever finds it then.
#[test]
fn of_ten_thousand_guesses_ten_count_whatever_is_put_back() {
    let (mut at, before) = Counted::new().copied();
    let mut copies = vec![before.clone()];
    let (mut seed, mut boots, mut backs) = (7, 0, 0);
    let (mut wrong, mut waits, mut locked, mut stopped, mut hashed) = (0, 0, 0, 0, 0);
    for guess in 0..10_000 {
        let roll = dice(&mut seed) % 200;
        let which = usize::try_from(dice(&mut seed)).unwrap() % copies.len();
        if roll < 9 {
            hashed += at.bench.station.pins_hashed();
        }
        match roll {
            0..2 => at = at.at_rest(|_| {}),
            2..4 => at.bench = at.bench.kill(),
            4 => {
                boots += 1;
                at.bench.hands.reboot(boots);
                at.bench = at.bench.kill();
            }
            5..7 => {
                backs += 1;
                at = at.put_back(&copies[which]);
            }
            7 => {
                backs += 1;
                at = at.at_rest(|data| {
                    for file in ["audit.db", "head.note"] {
                        fs::copy(copies[which].join(file), data.join(file)).unwrap();
                    }
                });
            }
            // Another copy, in the middle of it.
            8 if copies.len() < 12 => {
                let copied = at.bench.dir.path().join(format!("copy-{guess}"));
                at = at.at_rest(|data| copy(data, &copied));
                copies.push(copied);
            }
            8 => at = at.at_rest(|_| {}),
            9..16 => at.bench.hands.set_wall(86_400 - dice(&mut seed).cast_signed() % 172_800),
            16..50 => at.bench.hands.pass(dice(&mut seed) % 60),
            _ => {}
        }
        let digits = pin(&format!("{:07}", 1_000_000 + guess));
        let badge = badge_of("op-1");
        let who = if guess % 2 == 0 { Person::Id("op-1") } else { Person::Badge(&badge) };
        match at.bench.station.sign_in(who, &digits) {
            Err(SignInError::Wrong { .. }) => wrong += 1,
            Err(SignInError::Wait { seconds: 1..=60 }) => waits += 1,
            Err(SignInError::LockedOut) => locked += 1,
            Err(SignInError::Station(error))
                if matches!(*error, StationError::PinCounter(PinCounterError::Ahead { .. })) =>
            {
                stopped += 1;
            }
            other => panic!("guess {guess}: {other:?}"),
        }
    }
    hashed += at.bench.station.pins_hashed();
    println!(
        "10000 guesses, one of {} copies put back {backs} times: {hashed} hashed, {wrong} wrong, {waits} refused for a wait, {locked} for the lock, \
         {stopped} by the counter",
        copies.len()
    );
    assert_eq!(hashed, 10, "ten count");
    assert_eq!(wrong + waits + locked + stopped, 10_000);
    assert!(backs > 50 && stopped > 0 && waits > 0);
    at.bench.hands.pass(1_000_000);
    at.bench.sign_in("op-1", RIGHT).unwrap_err();
    at = at.put_back(&before);
    assert!(matches!(at.refused(), PinCounterError::Ahead { lost: 10, .. }));
}

/// Fewer than ten that are missing: everybody has them, whoever they were of, and a right PIN clears them.
#[test]
fn what_is_missing_counts_against_everybody() {
    let (mut at, before) = Counted::new().copied();
    for left in (1..=9).rev() {
        assert!(matches!(at.wrong(), Err(SignInError::Wrong { tries_left }) if tries_left == left));
    }
    at = at.put_back(&before);
    let accounts = at.bench.station.reader().unwrap().accounts().unwrap();
    assert_eq!(accounts.iter().map(|account| account.tries).collect::<Vec<_>>(), [9, 9, 9]);
    assert_eq!(at.bench.records("auth.refuse", "for"), ["lost"; 27]);
    assert_eq!(at.counts(), ["begin", "lost"]);
    assert!(matches!(at.bench.sign_in("op-1", RIGHT), Err(SignInError::Wait { .. })));
    at.bench.hands.pass(61);
    at.bench.sign_in("ad-1", ADMINS[0].1).unwrap();
    at.bench.station.sign_out().unwrap();
    assert!(matches!(at.wrong(), Err(SignInError::LockedOut)), "the tenth");
    // The same copy again: all ten are missing now, and nobody's PIN is taken, an administrator's neither.
    at = at.put_back(&before);
    let hashed = at.bench.station.pins_hashed();
    assert!(matches!(at.refused(), PinCounterError::Ahead { lost: 10, .. }));
    at.bench.sign_in("ad-1", ADMINS[0].1).unwrap_err();
    assert_eq!((at.bench.station.pins_hashed(), hashed), (0, 0), "none is looked at");
    assert_eq!(at.bench.records("policy.refuse", "code"), ["pin-counter-differs"], "and the start says so");
    // Whoever may write the settings switches it off, which is a record; and on again only without the counter that is there.
    let socket = at.tpm.socket();
    at = at.at_rest(|data| set(data, &socket, "none"));
    assert_eq!(at.counts(), ["begin", "end"]);
    at.bench.sign_in("op-1", RIGHT).unwrap();
    at = at.at_rest(|data| set(data, &socket, "tpm"));
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::CounterThere { .. })));
    assert_eq!(at.counts(), ["begin", "end"]);
}

/// The TPM first, then the record: a power cut between the two costs everybody one try, and nobody more.
#[test]
fn a_cut_between_counter_and_log_locks_nobody_out() {
    let mut at = Counted::new();
    let before = at.bench.dir.path().join("before");
    for _ in 0..3 {
        (at, _) = at.copied();
        at.wrong().unwrap_err();
        // As it was before the record of it.
        at = at.put_back(&before);
        let accounts = at.bench.station.reader().unwrap().accounts().unwrap();
        assert_eq!(accounts.iter().map(|account| account.tries).collect::<Vec<_>>(), [1, 1, 1]);
        for (user, digits) in [("op-1", RIGHT), ADMINS[0], ADMINS[1]] {
            at.bench.sign_in(user, digits).unwrap();
        }
        at.bench.station.sign_out().unwrap();
    }
}

#[test]
fn without_its_tpm_no_pin_is_taken_and_with_it_again() {
    let mut at = Counted::new();
    at.wrong().unwrap_err();
    at.tpm.kill().unwrap();
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::Absent { .. })));
    at = at.at_rest(|_| {});
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::Absent { .. })));
    assert_eq!(at.bench.station.pins_hashed(), 0);
    at.tpm.again().unwrap();
    assert!(matches!(at.wrong(), Err(SignInError::Wrong { tries_left: 8 })));
    at.bench.sign_in("op-1", RIGHT).unwrap();
    at.bench.station.sign_out().unwrap();
    assert_eq!(at.counts(), ["begin", "pin", "pin"], "a right PIN wears nothing");
    // Another TPM is behind, and one that has no such counter is none.
    let other = Swtpm::start(&at.bench.dir.path().join("other")).unwrap();
    let socket = at.tpm.socket();
    at = at.at_rest(|data| {
        let file = data.join("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, text.replace(socket.to_str().unwrap(), other.socket().to_str().unwrap())).unwrap();
    });
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::NoCounter { .. })));
    let index = match at.refused() {
        PinCounterError::Tpm(TpmError::NoCounter { index }) => format!("{index:#x}"),
        other => panic!("{other:?}"),
    };
    let attributes = "--attributes=authread|authwrite|no_da|nt=0x1";
    tool(&other, "tpm2_nvdefine", &[&index, attributes, "--size=8"]);
    tool(&other, "tpm2_nvincrement", &[&index]);
    assert!(matches!(at.refused(), PinCounterError::Behind { .. }));
}

/// The TPM's owner can remove it and make another. That one is ahead, so no guess is given back; it costs the factory its PINs.
#[test]
fn counter_that_its_owner_made_anew_gives_nothing_back() {
    let (mut at, before) = Counted::new().copied();
    for _ in 0..9 {
        at.wrong().unwrap_err();
    }
    at = at.put_back(&before);
    let index = format!("{:#x}", 0x01a6_afea);
    tool(&at.tpm, "tpm2_nvundefine", &[&index]);
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::NoCounter { .. })));
    tool(&at.tpm, "tpm2_nvdefine", &[&index, "--attributes=authread|authwrite|no_da|nt=0x1", "--size=8"]);
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::OtherCounter { .. })));
    tool(&at.tpm, "tpm2_nvincrement", &[&index]);
    at.bench.hands.pass(61);
    // The nine are in the log already; the step of the new one is the tenth, for everybody.
    assert!(matches!(at.bench.sign_in("op-1", RIGHT), Err(SignInError::LockedOut)));
}

/// A log that does not open says nothing that a counter could be held against.
#[test]
fn without_a_log_no_pin_is_taken() {
    let at = Counted::new();
    let Bench { data, hands, station, .. } = &at.bench;
    station.clone().close().unwrap();
    fs::write(data.path().join("head.note"), "no head\n").unwrap();
    let read = || Unopened::read_under(data, hands.clone(), PinCost::TEST);
    assert!(matches!(read(), Err(StationError::PinCounter(PinCounterError::NoLog))));
    set(data.path(), &at.tpm.socket(), "none");
    assert!(read().unwrap().is_some());
}

/// A station that was copied before it began to count, and put back, does not begin a second time.
#[test]
fn copy_of_before_the_counter_does_not_begin_again() {
    let bench = Bench::with_admins();
    let tpm = Swtpm::start(&bench.dir.path().join("tpm")).unwrap();
    let before = bench.dir.path().join("before");
    let socket = tpm.socket();
    let bench = bench.at_rest(|data| {
        set(data, &socket, "tpm");
        copy(data, &before);
    });
    let at = Counted { bench, tpm };
    assert!(matches!(at.bench.sign_in("ad-1", "900001"), Err(SignInError::Wrong { tries_left: 9 })));
    let at = at.put_back(&before);
    assert!(matches!(at.refused(), PinCounterError::Tpm(TpmError::CounterThere { .. })));
}

/// Both are durable before the answer, so a program that is gone at once has counted.
#[test]
fn a_try_counts_before_it_is_answered() {
    let at = Counted::new();
    at.wrong().unwrap_err();
    let bench = at.bench.kill();
    assert_eq!(bench.records("auth.count", "why"), ["begin", "pin"]);
    assert_eq!(bench.records("auth.refuse", "why"), ["pin"]);
    let data: DataDir = bench.data.clone();
    drop(bench.station);
    let station: Station = open(&data, &bench.hands).unwrap();
    assert_eq!(station.reader().unwrap().account("op-1").unwrap().unwrap().tries, 1);
}

/// Runs one of tpm2-tools on a TPM.
fn tool(tpm: &Swtpm, tool: &str, arguments: &[&str]) {
    const BRIDGE: &str = "import os,select,socket,sys\n\
        s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
        while True:\n\
        \x20for r in select.select([0,s],[],[])[0]:\n\
        \x20 d=os.read(0,4096) if r==0 else s.recv(4096)\n\
        \x20 if not d: sys.exit()\n\
        \x20 (s.sendall(d) if r==0 else os.write(1,d))\n";
    let directory = tpm.socket().parent().unwrap().to_owned();
    // tpm2-tss 3.2 speaks to swtpm over TCP only, so this carries its bytes to the socket.
    let bridge = directory.join("bridge.py");
    fs::write(&bridge, BRIDGE).unwrap();
    let carried = format!("cmd:/usr/bin/python3 {} {}", bridge.display(), tpm.socket().display());
    let done = Command::new(tool)
        .arg(format!("--tcti={carried}"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("tpm2-tools (apt-get install tpm2-tools)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
