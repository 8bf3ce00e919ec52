//! The counter: whatever is done to TPM and connection, it is never behind, and nothing stands in for it.

use keystation_vault::{Counter, Tpm, TpmError};

use super::Bench;
use super::between::{Between, Fate, code};
use super::faults::{derives, open, with_key};

const INDEX: u32 = 0x0180_4242;
const AT: &str = "0x1804242";
const DEFINE: u32 = 0x12a;
const INCREMENT: u32 = 0x134;

fn counter(tpm: &Tpm) -> Counter {
    Counter::of(tpm, INDEX)
}

#[test]
fn it_goes_up_by_one_and_a_power_cut_takes_nothing_back() {
    let mut bench = Bench::new();
    assert!(matches!(counter(&bench.tpm()).value(), Err(TpmError::NoCounter { index: INDEX })));
    assert!(matches!(counter(&bench.tpm()).raise(), Err(TpmError::NoCounter { index: INDEX })));
    let first = counter(&bench.tpm()).begin().unwrap();
    for further in 1..=3 {
        assert_eq!(counter(&bench.tpm()).raise().unwrap(), first + further);
        bench.emulator.kill();
        assert!(matches!(
            counter(&bench.tpm()).value(),
            Err(TpmError::Absent { .. } | TpmError::Denied { .. })
        ));
        bench.emulator.start();
        assert_eq!(counter(&bench.tpm()).value().unwrap(), first + further);
    }
    assert!(matches!(counter(&bench.tpm()).begin(), Err(TpmError::CounterThere { index: INDEX })));
    Counter::of(&bench.tpm(), INDEX + 1).begin().unwrap();
    assert_eq!(counter(&bench.tpm()).value().unwrap(), first + 3, "another one has its own count");
}

/// An emulator takes one connection: that of the keys, while they are open.
#[test]
fn it_counts_while_keys_are_open_and_they_are_used_on() {
    let bench = with_key();
    let tpm = bench.tpm();
    let opened = open(&tpm).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    let first = counter(&tpm).begin().unwrap();
    for further in 1..=3 {
        assert_eq!(counter(&tpm).raise().unwrap(), first + further);
        assert!(derives(&key, 64));
    }
}

/// The owner of the TPM can remove it, and make another: that one is never behind.
#[test]
fn one_that_was_made_anew_is_ahead() {
    let bench = Bench::new();
    let counter = counter(&bench.tpm());
    counter.begin().unwrap();
    let before = [(); 5].map(|()| counter.raise().unwrap())[4];
    bench.emulator.tool("tpm2_nvundefine", &[AT]).unwrap();
    assert!(matches!(counter.value(), Err(TpmError::NoCounter { .. })));
    let attributes = "--attributes=authread|authwrite|no_da|nt=0x1";
    bench.emulator.tool("tpm2_nvdefine", &[AT, attributes, "--size=8"]).unwrap();
    assert!(matches!(counter.value(), Err(TpmError::OtherCounter { .. })), "it was never raised");
    bench.emulator.tool("tpm2_nvincrement", &[AT]).unwrap();
    assert!(counter.value().unwrap() > before);
    bench.emulator.tool("tpm2_clear", &[]).unwrap();
    assert!(matches!(counter.value(), Err(TpmError::NoCounter { .. })));
    assert!(counter.begin().unwrap() > before + 1, "over a clearing, too");
}

#[test]
fn what_could_be_turned_back_is_no_counter() {
    let bench = Bench::new();
    let counter = counter(&bench.tpm());
    for attributes in [
        "ownerread|ownerwrite|authread|authwrite|no_da", // a number that is written
        "authread|authwrite|no_da|orderly|nt=0x1",       // kept in memory
        "ownerread|authread|authwrite|no_da|nt=0x1",
        "authread|authwrite|nt=0x1",
        "authread|authwrite|no_da|nt=0x2", // bits
    ] {
        bench
            .emulator
            .tool("tpm2_nvdefine", &[AT, &format!("--attributes={attributes}"), "--size=8"])
            .unwrap();
        for refused in [counter.value(), counter.raise(), counter.begin()] {
            assert!(matches!(refused, Err(TpmError::OtherCounter { index: INDEX })), "{attributes}");
        }
        bench.emulator.tool("tpm2_nvundefine", &[AT]).unwrap();
    }
}

#[test]
fn after_a_fault_it_is_one_ahead_at_most() {
    let bench = Bench::new();
    let first = counter(&bench.tpm()).begin().unwrap();
    let mut fates = vec![
        (Fate::BreaksOff, 0),
        (Fate::BreaksOffAfter, 1),
        (Fate::Answered(code(0x101)), 0),
        (Fate::Becomes(Box::new(|_| b"\x80\x02\0\0\0\x0e\0\0\0\0\0\0\0\0".to_vec())), 1),
    ];
    let mut expected = first;
    while let Some((fate, raised)) = fates.pop() {
        let mut fate = Some(fate);
        let between = Between::new(&bench, move |command| match command {
            INCREMENT => fate.take().unwrap_or(Fate::Passes),
            _ => Fate::Passes,
        });
        let through = counter(&between.tpm(&bench));
        through.raise().unwrap_err();
        expected += raised;
        assert_eq!(through.value().unwrap(), expected);
        assert_eq!(through.raise().unwrap(), expected + 1);
        expected += 1;
    }
}

#[test]
fn one_whose_making_was_cut_short_is_made() {
    let bench = Bench::new();
    let mut cut = Some(Fate::BreaksOffAfter);
    let between = Between::new(&bench, move |command| match command {
        DEFINE => cut.take().unwrap_or(Fate::Passes),
        _ => Fate::Passes,
    });
    let counter = counter(&between.tpm(&bench));
    counter.begin().unwrap_err();
    let first = counter.begin().unwrap();
    assert_eq!(counter.value().unwrap(), first);
}

#[test]
fn an_owner_with_a_secret_keeps_it_from_being_made() {
    let bench = Bench::new();
    bench.emulator.tool("tpm2_changeauth", &["--object-context=owner", "secret"]).unwrap();
    assert!(matches!(counter(&bench.tpm()).begin(), Err(TpmError::OwnerSecret)));
}
