//! A line whose custody fails while it works: a token that is taken out, hangs or refuses its PIN, and a TPM that dies. The devices in
//! work end with a clear code and as they were, no other custody stands in, and the line goes on when the custody is back.

use std::cell::RefCell;
use std::fs;

use base64ct::{Base64, Encoding as _};
use keystation_core::derive::device_key;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::{Bench, check_value_on_paper};
use keystation_tests::custody::{Emulator, Token};
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::people;
use keystation_tests::sim::Sim;
use serde_json::Value;

use super::keys::import;
use super::secrets::random_key;

/// A key of its own in the custody, active, and the one of the profile: the sealed file holds another. Gives it.
fn keyed(bench: &Bench, token: Option<&Token>, custody: &str) -> Vec<u8> {
    let key = random_key();
    bench.private("published", &Base64::encode_string(&key));
    let imported = import(bench, token, custody);
    assert_eq!(imported.exit, Some(0), "{imported:?}");
    people::activate(&bench.data(), "gk-new", &check_value_on_paper(&bench.file("published")));
    let profile = bench.data().join("profiles/test.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(profile, text.replace("\"gk-test\"", "\"gk-new\"")).unwrap();
    key.to_vec()
}

/// A line with a simulated device in each slot.
struct Floor {
    bench: Bench,
    key: Vec<u8>,
    sim: Sim,
    line: RunningLine,
    slots: usize,
}

impl Floor {
    /// At work, with the custody open and every device in its slot.
    fn new(bench: Bench, token: Option<&Token>, custody: &str, slots: usize, options: &[&str]) -> Self {
        let key = keyed(&bench, token, custody);
        let sim = Sim::start(&bench.file("sim"), slots, options);
        slots_on(&bench, (0..slots).map(|device| sim.port(device)));
        let line = RunningLine::in_custody(&bench, token, "op-0117");
        Self { bench, key, sim, line, slots }
    }

    /// The same with the devices beside their slots.
    fn empty(bench: Bench, token: &Token, slots: usize) -> Self {
        let key = keyed(&bench, Some(token), "pkcs11");
        let mut sim = Sim::start(&bench.file("sim"), slots, &["--baud", "0"]);
        slots_on(&bench, (0..slots).map(|device| sim.port(device)));
        for device in 0..slots {
            sim.command(&format!("unplug {device}"));
            sim.event();
        }
        let mut line = RunningLine::in_custody(&bench, Some(token), "op-0117");
        // The custody is opened before the first slot is.
        line.until(|event| event["event"] == "waiting");
        Self { bench, key, sim, line, slots }
    }

    /// Takes a device out of its slot and waits until the slot is ready for the next.
    fn unplug(&mut self, device: usize) {
        self.sim.command(&format!("unplug {device}"));
        self.sim.event();
        self.line.until_slot(device as u64 + 1, "waiting");
    }

    fn plug(&mut self, device: usize) {
        self.sim.command(&format!("plug {device}"));
        self.sim.event();
    }

    /// How the device ends that is in work in its slot.
    fn end_of(&mut self, device: usize) -> Value {
        let slot = device as u64 + 1;
        self.line
            .until(|event| event["slot"] == slot && (event["event"] == "pass" || event["event"] == "fail"))
    }

    /// How the first `count` devices end, which are in work.
    fn ends(&mut self, count: usize) -> Vec<Value> {
        let mut ends = vec![Value::Null; count];
        while ends.iter().any(Value::is_null) {
            let event = self.line.until(|event| event["event"] == "pass" || event["event"] == "fail");
            let slot = usize::try_from(event["slot"].as_u64().unwrap()).unwrap() - 1;
            ends[slot] = event;
        }
        ends
    }

    fn again(&mut self, device: usize) -> Value {
        self.unplug(device);
        self.plug(device);
        self.end_of(device)
    }

    /// Whether it has the key of its custody; it has that or none.
    fn is_keyed(&self, device: usize) -> bool {
        let state = self.sim.state(device);
        if state["device_key"] == Value::Null {
            return false;
        }
        let id =
            RegistrationId::new(state["registration_id"].as_str().unwrap(), IdRule::Punctuation).unwrap();
        assert_eq!(state["device_key"], device_key(&self.key, &id).to_base64().as_str(), "another custody");
        true
    }

    /// The device was refused for want of its custody, and is as it was.
    fn assert_refused(&self, device: usize, end: &Value, cause: &str) {
        let said = (&end["event"], &end["code"], &end["safety"]);
        assert_eq!(said, (&"fail".into(), &"vault-failed".into(), &"untouched".into()), "{end}");
        assert!(end["cause"].as_str().unwrap().contains(cause), "{end}");
        assert!(!self.is_keyed(device), "{end}");
    }

    /// Ends the line. Every device has its key now, and the log says so: of each an intent and a result, and a record of each refusal.
    /// `before`: those of an earlier start.
    fn reconcile(self, refused: usize, before: usize) {
        assert!((0..self.slots).all(|device| self.is_keyed(device)));
        let Self { bench, line, slots, .. } = self;
        // That both counts agree is looked at there.
        let (sum, ..) = line.end();
        assert_eq!((&sum["passed"], &sum["failed"]), (&slots.into(), &refused.into()), "{sum}");
        let records = bench.records();
        let of = |event: &str| records.iter().filter(|record| record["ev"] == event).collect::<Vec<_>>();
        let results = of("inject.result");
        assert_eq!((of("inject.intent").len(), results.len()), (slots, slots));
        assert!(results.iter().all(|result| result["rc"] == "ok"), "{results:?}");
        let refusals = of("inject.refuse");
        assert!(refusals.iter().all(|refusal| refusal["code"] == "vault-failed"), "{refusals:?}");
        assert_eq!(refusals.len(), refused + before);
        bench.assert_log_intact();
    }
}

/// The custody is gone while the first device says who it is, and back later: nobody starts or types anything.
fn goes_on_by_itself(
    bench: Bench,
    token: Option<&Token>,
    custody: &str,
    cause: &str,
    harm: impl FnOnce(),
    mend: impl FnOnce(),
) {
    const SLOTS: usize = 4;
    // Devices so slow that the custody is gone long before the first of them has said who it is.
    let mut floor = Floor::new(bench, token, custody, SLOTS, &["--baud", "9600", "--fault", "delay=500"]);
    floor.line.until(|event| event["step"] == "read");
    harm();
    let ends = floor.ends(SLOTS);
    for (device, end) in ends.iter().enumerate() {
        floor.assert_refused(device, end, cause);
        floor.sim.command(&format!("fault {device}"));
    }
    let still = floor.again(1);
    floor.assert_refused(1, &still, cause);
    mend();
    for device in 0..SLOTS {
        let end = floor.again(device);
        assert_eq!(end["event"], "pass", "{end}");
    }
    floor.reconcile(SLOTS + 1, 0);
}

#[test]
fn a_line_goes_on_when_its_token_is_put_back() {
    let bench = Bench::quick();
    let token = Token::of(&bench);
    goes_on_by_itself(bench, Some(&token), "pkcs11", "token", || token.take_out(), || token.put_back());
}

#[test]
fn a_line_goes_on_when_its_tpm_is_back() {
    let bench = Bench::quick();
    let tpm = RefCell::new(Emulator::of(&bench));
    goes_on_by_itself(bench, None, "tpm", "TPM", || tpm.borrow_mut().kill(), || tpm.borrow_mut().start());
}

/// PKCS#11 has no call that ends another one. Each device is let go after ten seconds, and a line that is told to stop meanwhile
/// stops.
#[test]
fn a_token_that_hangs_holds_neither_the_devices_nor_the_end_of_the_line() {
    const SILENT: &str = "the token has not answered for 10 seconds";
    let bench = Bench::quick();
    let token = Token::faulty(&bench);
    let mut floor = Floor::empty(bench, &token, 3);
    token.fault("C_Sign hang");
    (0..2).for_each(|device| floor.plug(device));
    token.until_called("C_Sign");
    let ends = floor.ends(2);
    for (device, end) in ends.iter().enumerate() {
        floor.assert_refused(device, end, SILENT);
    }
    token.fault("");
    for device in 0..2 {
        let end = floor.again(device);
        assert_eq!(end["event"], "pass", "{end}");
    }

    token.fault("C_Sign hang");
    floor.plug(2);
    token.until_called("C_Sign");
    let Floor { bench, line, sim, .. } = floor;
    let (sum, told, errors) = line.end();
    let end = told.iter().rfind(|event| event["event"] == "fail").unwrap();
    assert_eq!((&end["slot"], &end["code"]), (&3.into(), &"vault-failed".into()), "{end}");
    assert_eq!(sim.state(2)["device_key"], Value::Null);
    assert!(errors.contains("the log is closed"), "{errors}");
    assert_eq!((&sum["passed"], &sum["failed"]), (&2.into(), &3.into()), "{sum}");
    assert_eq!(bench.records().last().unwrap()["ev"], "log.close");
    bench.assert_log_intact();
}

/// A PIN that the token does not take any more is not tried again, for that would lock it: every device is refused until somebody ends
/// the line and starts it with the PIN that the token has now.
#[test]
fn a_token_that_refuses_its_pin_is_asked_once_and_opens_with_the_next_start() {
    let bench = Bench::quick();
    let token = Token::faulty(&bench);
    let mut floor = Floor::empty(bench, &token, 1);
    // CKR_DEVICE_ERROR, which ends the login, and CKR_PIN_INCORRECT.
    token.fault("C_Sign 30 once\nC_Login A0");
    floor.plug(0);
    let end = floor.end_of(0);
    floor.assert_refused(0, &end, "CKR_DEVICE_ERROR from C_Sign");
    let end = floor.again(0);
    floor.assert_refused(0, &end, "the PIN does not open the token");
    assert_eq!(token.calls("C_Login"), 1);
    token.fault("");
    let end = floor.again(0);
    floor.assert_refused(0, &end, "the token no longer takes the PIN that opened it");
    assert_eq!(token.calls("C_Login"), 0);
    let Floor { bench, key, sim, line, slots } = floor;
    let (sum, ..) = line.end();
    assert_eq!(sum["failed"], 3, "{sum}");

    let line = RunningLine::in_custody(&bench, Some(&token), "op-0117");
    let mut floor = Floor { bench, key, sim, line, slots };
    let end = floor.end_of(0);
    assert_eq!(end["event"], "pass", "{end}");
    floor.reconcile(0, 3);
}
