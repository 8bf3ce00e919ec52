//! What whoever is away, or forgot the station, leaves open.

use keystation::ceremony::{Abort, Phase};
use keystation::group_keys::Announced;
use keystation::people::{Action, Away, SessionState, Soon};
use keystation::{CustodyKind, Station};
use keystation_vault::DerivedKeyAnswer;

use crate::support::{Bench, KEY, announced, order, passphrase, secret};
use crate::swtpm::Swtpm;

/// For the first key of a station no custody is open, and both components are in memory.
#[test]
fn it_locks_while_a_ceremony_is_going_on_with_no_vault() {
    let bench = Bench::new();
    let station = &bench.station;
    bench.begin(order("gk-first")).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    bench.whole_side(2, "cu-2").unwrap();
    assert!(!station.is_unlocked() && !bench.data.vault().exists());
    bench.sleep(275);
    station.settle_session().unwrap();
    let SessionState::Open(session) = station.session() else { panic!("too early") };
    assert_eq!(session.warning.map(|warning| warning.why), Some(Soon::Idle));
    assert_eq!(station.ceremony().unwrap().phase, Phase::Result);
    bench.sleep(25);
    station.settle_session().unwrap();
    assert!(matches!(station.session(), SessionState::Away(_)));
    assert_eq!(station.ceremony().unwrap().aborted, Some(Abort::Locked));
    assert_eq!(bench.records("auth.away", "why"), ["idle"]);
    assert_eq!(bench.records("gk.abort", "why"), ["locked"]);
}

/// A TPM, as a token, stays open for whoever is only away; whoever takes over from them gives its secret.
#[test]
fn who_takes_over_from_a_locked_screen_finds_no_tpm_open() {
    let bench = Bench::new();
    let swtpm = Swtpm::start(&bench.dir.path().join("tpm")).expect("swtpm (apt-get install swtpm)");
    let mut settings = std::fs::read_to_string(bench.data.settings()).unwrap();
    settings.push_str(&format!("\n[tpm]\nswtpm = \"{}\"\n", swtpm.socket().display()));
    std::fs::write(bench.data.settings(), settings).unwrap();
    let bench = bench.restart();
    bench.add("op-1", "operator");
    bench.add("op-2", "operator");
    let station = &bench.station;
    let announced = Announced { custody: CustodyKind::Tpm, ..announced("gk-tpm", KEY) };
    let permit = bench.agreed(Station::import_request(Action::ImportKey, &announced));
    let answer = DerivedKeyAnswer::NotAsked;
    station.import_key(permit, &announced, &passphrase(), &secret(KEY), answer).unwrap();
    station.sign_out().unwrap();
    let locks = || bench.records("auth.lock", "op");
    let tpm_is_open = || station.is_open(CustodyKind::Tpm);
    let unlock = || {
        let permit = station.permit(Action::Unlock).unwrap();
        station.open_custody(&permit, CustodyKind::Tpm, &passphrase()).unwrap();
    };

    bench.sign_in("op-1");
    unlock();
    station.away(Away::Asked).unwrap();
    bench.sign_in("op-1");
    assert!(tpm_is_open(), "whoever is back finds it as it was");
    station.away(Away::Asked).unwrap();
    assert_eq!(locks(), [""; 0]);
    bench.sign_in("op-2");
    assert!(!tpm_is_open(), "op-2 has not given its secret");
    assert_eq!(locks(), ["op-1"], "whose it was");

    unlock();
    bench.sign_in("op-1");
    assert!(tpm_is_open(), "op-2 was there: the line goes on");
    bench.sleep(300);
    station.settle_session().unwrap();
    assert!(tpm_is_open(), "who is idle is away");
    bench.sign_in("op-2");
    assert!(!tpm_is_open());
    assert_eq!(locks(), ["op-1"; 2]);
}
