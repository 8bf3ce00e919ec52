//! A group key in SoftHSM, which is a library in the very process: what is there of the key, and whose it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use keystation_core::derive::device_key;
use keystation_core::flow::Vault;
use keystation_tests::memory_scan::{Needles, core_of};
use keystation_vault::{
    Cards, Custody, DerivedKeyAnswer, GroupKey, KeyType, NewKey, SecretSource, Token, TokenSettings,
};

use crate::child::{deep, in_a_thread_that_stays, pause};
use crate::support::{Bench, LABEL, Subject, id, passphrase};

/// As Debian 12 installs it.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// Plays a process that uses the token.
pub(crate) fn run(mode: &str, directory: &Path) {
    match mode {
        "make" => make(directory),
        "import" => import(directory),
        "hold" => hold(directory),
        "hold-past-the-station" => hold_past_the_station(directory),
        other => panic!("no mode {other}"),
    }
}

fn token(directory: &Path) -> Token {
    let settings =
        TokenSettings { module: SOFTHSM.into(), label: "factory".to_owned(), key_type: KeyType::Auto };
    Token::new(settings, Cards::at(directory.join("keys"))).expect("the settings are right")
}

fn module() -> Pkcs11 {
    let module = Pkcs11::new(SOFTHSM).expect("apt-get install softhsm2");
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).expect("it begins");
    module
}

fn pin(directory: &Path) -> AuthPin {
    fs::read_to_string(directory.join("passphrase")).expect("the parent wrote it").into()
}

fn make(directory: &Path) {
    let module = module();
    let slot = || module.get_slots_with_token().expect("SoftHSM has a slot")[0];
    module.init_token(slot(), &pin(directory), "factory").expect("it is empty");
    let session = module.open_rw_session(slot()).expect("it is there");
    session.login(UserType::So, Some(&pin(directory))).expect("it was just set");
    session.init_pin(&pin(directory)).expect("the security officer may");
}

fn import(directory: &Path) {
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        in_a_thread_that_stays(scope, &end, || {
            let text = SecretSource::File(directory.join("key")).text().expect("the parent wrote it");
            let new = NewKey {
                label: LABEL.parse().expect("a label"),
                group: "line-1".parse().expect("a group"),
                scope: "0ne00000001".parse().expect("a scope"),
                slot: "primary".parse().expect("a slot"),
            };
            deep(|| {
                let key = GroupKey::judged(&text, DerivedKeyAnswer::GroupKey).expect("it is a key");
                token(directory).import(&passphrase(directory), new, key).expect("it is imported");
            });
        });
        pause("imported");
        end.wait();
    });
}

fn hold(directory: &Path) {
    let end = Barrier::new(3);
    std::thread::scope(|scope| {
        let opened = in_a_thread_that_stays(scope, &end, || {
            deep(|| token(directory).open(&passphrase(directory)).expect("it opens"))
        });
        let key = opened.key(&LABEL.parse().expect("a label")).expect("it is there");
        in_a_thread_that_stays(scope, &end, move || {
            for _ in 0..100 {
                deep(|| key.derive(&id())).expect("it is open");
            }
        });
        pause("in use");
        opened.lock();
        pause("logged out");
        Pkcs11::new(SOFTHSM).expect("it is open").finalize().expect("nobody uses it");
        pause("ended");
        end.wait();
    });
}

/// The control: SoftHSM and nothing of the station.
fn hold_past_the_station(directory: &Path) {
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        let (session, key) = in_a_thread_that_stays(scope, &end, || {
            let module = module();
            let slot = module.get_slots_with_initialized_token().expect("it has slots")[0];
            let session = module.open_ro_session(slot).expect("it is there");
            session.login(UserType::User, Some(&pin(directory))).expect("it is the PIN");
            let class = [Attribute::Class(ObjectClass::SECRET_KEY)];
            let key = session.find_objects(&class).expect("it was imported")[0];
            (session, key)
        });
        pause("in use");
        session.sign_init(&Mechanism::Sha256Hmac, key).expect("it may sign");
        pause("signing");
        session.sign_update(id().as_str().as_bytes()).expect("it signs");
        drop(session.sign_final().expect("it signs"));
        pause("signed");
        end.wait();
    });
}

/// A token of its own, with the settings of SoftHSM in the environment.
struct Factory(Bench);

impl Factory {
    fn new() -> Self {
        let bench = Bench::new();
        fs::create_dir(bench.path().join("tokens")).expect("there is room");
        let tokens = bench.path().join("tokens");
        let settings = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
        fs::write(bench.path().join("softhsm2.conf"), settings).expect("there is room");
        let factory = Self(bench);
        let mut making = factory.start("make");
        assert!(making.process.wait().expect("it ends").success());
        factory
    }

    fn start(&self, mode: &str) -> Subject {
        let own: PathBuf = std::env::current_exe().expect("the system knows the running executable");
        let mut command = Command::new(own);
        command.args(["token", mode]).arg(self.0.path());
        command.env("SOFTHSM2_CONF", self.0.path().join("softhsm2.conf"));
        Subject::command(&mut command, self.0.path())
    }

    /// With a key in the token that another process imported.
    fn with_key() -> Self {
        let factory = Self::new();
        let mut importing = factory.start("import");
        importing.after("imported");
        importing.go_on();
        assert!(importing.process.wait().expect("it ends").success());
        factory
    }

    /// The key, its two HMAC states and the device key that was derived.
    fn needles(&self) -> Needles {
        let mut needles = Needles::new();
        needles.group_key(&self.0.key);
        needles.midstates(&self.0.key);
        needles.bytes("device key", device_key(&self.0.key, &id()).expose());
        needles
    }

    /// Neither its memory nor its registers hold anything; returns the mappings that could not be read.
    fn nothing(&self, subject: &Subject, when: &str) -> Vec<String> {
        let needles = self.needles();
        let scan = needles.scan(subject.process.id()).expect("it can be read");
        assert!(scan.bytes > 1 << 20, "{when}: only {} bytes could be read", scan.bytes);
        assert!(scan.hits.is_empty(), "{when}: {:#?}", scan.hits);
        let core = core_of(subject.process.id(), self.0.path()).expect("gcore (apt-get install gdb)");
        assert!(needles.find(&core).is_empty(), "core, {when}: {:#?}", needles.find(&core));
        scan.unread
    }
}

pub(crate) fn process_holds_nothing_of_a_key_in_a_token() {
    let factory = Factory::with_key();
    let mut subject = factory.start("hold");
    subject.after("in use");
    let secret = factory.nothing(&subject, "in use").iter().any(|mapping| mapping.contains("secretmem"));
    let mut pin = Needles::new();
    pin.text("PIN", &factory.0.passphrase);
    let kept = pin.scan(subject.process.id()).expect("it can be read").hits;
    // It is kept to log in anew. Where the kernel has no secret memory, root can read the locked page.
    assert!(kept.iter().all(|hit| hit.mapping == "[anonymous]"), "{kept:#?}");
    assert_eq!(kept.is_empty(), secret, "{kept:#?}");

    subject.go_on();
    subject.after("logged out");
    factory.nothing(&subject, "logged out");
    let kept = pin.scan(subject.process.id()).expect("it can be read").hits;
    assert!(kept.is_empty(), "the PIN after the lock: {kept:#?}");
    subject.go_on();
    subject.after("ended");
    factory.nothing(&subject, "ended");
}

pub(crate) fn importing_process_keeps_nothing_of_a_key_in_a_token() {
    let factory = Factory::new();
    let subject = factory.start("import");
    subject.after("imported");
    factory.nothing(&subject, "imported");
}

/// SoftHSM is software in this process: while it signs it has the key in the clear, in its own memory. Here nothing of the
/// station ever saw the key, so what is found is SoftHSM's; and the scanner sees it.
pub(crate) fn softhsm_holds_a_key_while_it_signs_and_no_longer() {
    let factory = Factory::with_key();
    let mut subject = factory.start("hold-past-the-station");
    let found =
        |subject: &Subject| factory.needles().scan(subject.process.id()).expect("it can be read").hits;
    subject.after("in use");
    assert!(found(&subject).is_empty(), "{:#?}", found(&subject));
    subject.go_on();
    subject.after("signing");
    let hits = found(&subject);
    assert!(!hits.is_empty(), "the scanner does not see what SoftHSM holds");
    assert!(hits.iter().all(|hit| hit.mapping != "[stack]"), "{hits:#?}");
    subject.go_on();
    subject.after("signed");
    assert!(found(&subject).is_empty(), "{:#?}", found(&subject));
}
