use keystation_core::derive::device_key;
use keystation_tests::memory_scan::{Scan, core_of};
use keystation_tests::swtpm::Swtpm;

use crate::support::{Bench, Subject, id};

fn nothing(scan: &Scan, when: &str) {
    assert!(scan.bytes > 1 << 20, "{when}: only {} bytes could be read", scan.bytes);
    assert!(scan.hits.is_empty(), "{when}: {:#?}", scan.hits);
}

pub(crate) fn unlocked_and_locked_process_holds_no_group_key() {
    let bench = Bench::with_key();
    let mut subject = bench.start("hold");
    let pid = subject.process.id();
    let secret = subject.line() == "secret";
    let mut needles = bench.needles();

    subject.after("unlocked");
    nothing(&needles.scan(pid).expect("it can be read"), "unlocked");
    let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the unlocked process: {:#?}", needles.find(&core));

    subject.go_on();
    subject.after("derived");
    needles.bytes("device key", device_key(&bench.key, &id()).expose());
    let scan = needles.scan(pid).expect("it can be read");
    nothing(&scan, "after deriving");
    let secretmem = scan.unread.iter().any(|mapping| mapping.contains("secretmem"));
    assert_eq!(secretmem, secret, "not even root reads secret memory: {:?}", scan.unread);

    subject.go_on();
    subject.after("locked again");
    needles.midstates(&bench.key);
    let scan = needles.scan(pid).expect("it can be read");
    nothing(&scan, "locked again");
    assert!(!scan.unread.iter().any(|mapping| mapping.contains("secretmem")), "the states are unmapped");
    let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the locked process: {:#?}", needles.find(&core));
}

pub(crate) fn importing_process_holds_no_group_key() {
    let bench = Bench::new();
    let subject = bench.start("import");
    subject.after("imported");
    let mut needles = bench.needles();
    needles.midstates(&bench.key);
    nothing(&needles.scan(subject.process.id()).expect("it can be read"), "imported");
    let core = core_of(subject.process.id(), bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the importing process: {:#?}", needles.find(&core));
}

pub(crate) fn process_whose_thread_panicked_holds_no_key() {
    let bench = Bench::with_key();
    let subject = bench.start("panic");
    subject.after("panicked");
    let mut needles = bench.needles();
    needles.midstates(&bench.key);
    needles.bytes("device key", device_key(&bench.key, &id()).expose());
    let scan = needles.scan(subject.process.id()).expect("it can be read");
    nothing(&scan, "panicked");
    assert!(!scan.unread.iter().any(|mapping| mapping.contains("secretmem")), "the states are unmapped");
    let core = core_of(subject.process.id(), bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core: {:#?}", needles.find(&core));
}

/// With a TPM the group key is nowhere in this process once it is imported, and it never is in one that uses it.
pub(crate) fn process_that_uses_a_tpm_holds_no_group_key() {
    let bench = Bench::new();
    let directory = bench.path().join("tpm");
    std::fs::create_dir(&directory).expect("there is room");
    let tpm = Swtpm::start(&directory).expect("swtpm (apt-get install swtpm)");
    let mut subject = bench.start("tpm");
    let pid = subject.process.id();
    let mut needles = bench.needles();
    needles.midstates(&bench.key); // not even these
    needles.bytes("authValue", &bench.auth_value());

    subject.after("imported");
    nothing(&needles.scan(pid).expect("it can be read"), "imported");
    let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the importing process: {:#?}", needles.find(&core));

    subject.go_on();
    let secret = subject.line() == "secret";
    subject.after("derived");
    needles.bytes("device key", device_key(&bench.key, &id()).expose());
    let scan = needles.scan(pid).expect("it can be read");
    if secret {
        nothing(&scan, "after deriving");
    } else {
        // Where the kernel has no secret memory, root reads what opens the TPM's keys, and the last answer's place is wiped.
        let other: Vec<_> = scan.hits.iter().filter(|hit| !hit.what.starts_with("authValue")).collect();
        assert!(other.is_empty(), "after deriving: {other:#?}");
    }
    let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the process in use: {:#?}", needles.find(&core));
    // The control: the chip holds the key, and the same search finds it there.
    let chip = needles.scan(tpm.pid().expect("it runs")).expect("it can be read");
    assert!(chip.hits.iter().any(|hit| hit.what.starts_with("group key from")), "the scanner sees nothing");

    subject.go_on();
    subject.after("locked again");
    nothing(&needles.scan(pid).expect("it can be read"), "locked again");
    let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
    assert!(needles.find(&core).is_empty(), "core of the locked process: {:#?}", needles.find(&core));
}

pub(crate) fn naive_holder_is_seen() {
    let bench = Bench::new();
    let mut subject = bench.start("hold-naively");
    let mut needles = bench.needles();
    needles.bytes("device key", device_key(&bench.key, &id()).expose());
    let seen = |subject: &Subject, what: &str| {
        let hits = needles.scan(subject.process.id()).expect("it can be read").hits;
        hits.iter().any(|hit| hit.what.starts_with(what))
    };
    subject.after("unlocked");
    for what in ["group key from", "group key, Base64 from", "K ^ ipad", "K ^ opad", "device key"] {
        assert!(seen(&subject, what), "the scanner does not see: {what}");
    }
    subject.go_on();
    subject.after("locked again");
    assert!(seen(&subject, "K ^ opad"), "the stack still holds it: that is what bleaching is for");
    let core = core_of(subject.process.id(), bench.path()).expect("gcore (apt-get install gdb)");
    assert!(!needles.find(&core).is_empty(), "nor does it see it in a core file");
}
