//! A key that its owner sealed to the station with the ordinary `age`: nobody here sees it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystation::group_keys::{Announced, TransferFile};
use keystation::people::Action;
use keystation::{Station, StationError};
use keystation_core::key::GroupKeyInfo;
use keystation_vault::{DerivedKeyAnswer, TransferError};

use crate::support::{Bench, CHECK, KEY, PASSPHRASE, announced, label, passphrase};

impl Bench {
    fn recipient(&self) -> String {
        self.sign_in("cu-1");
        let permit = self.station.permit(Action::Recipient).unwrap();
        self.station.make_recipient(&permit, &passphrase()).unwrap()
    }

    fn take(&self, announced: &Announced, file: &Path) -> Result<GroupKeyInfo, StationError> {
        let permit = self.agreed(Station::import_request(Action::TakeTransfer, announced));
        let passphrase = passphrase();
        let answer = DerivedKeyAnswer::NotAsked;
        let transfer = TransferFile { file, passphrase: &passphrase, answer };
        Ok(self.station.take_transfer(permit, announced, transfer, &passphrase)?)
    }

    /// What the owner makes.
    fn sealed(&self, recipient: &str) -> PathBuf {
        let file = self.dir.path().join("mail.age");
        let document = format!(
            "{{\"check\":\"{CHECK}\",\"format\":\"keystation-transfer/v1\",\"group\":\"line-7\",\"key\":\"{KEY}\",\
             \"label\":\"gk-a\",\"scope\":\"0ne00EMU001\",\"slot\":\"secondary\"}}\n"
        );
        let mut age = Command::new("age");
        let mut age = age.args(["-r", recipient, "-o"]).arg(&file).stdin(Stdio::piped()).spawn().unwrap();
        age.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        assert!(age.wait().unwrap().success());
        file
    }
}

/// What the owner's file says.
fn sealed_as_approved() -> Announced {
    let mut approved = announced("gk-a", KEY);
    approved.key.slot = "secondary".parse().unwrap();
    approved
}

#[test]
fn a_sealed_key_comes_in_and_waits_for_its_activation() {
    let bench = Bench::new();
    let recipient = bench.recipient();
    assert_eq!(bench.records("gk.recipient", "recipient"), [recipient.as_str()]);
    let permit = bench.station.permit(Action::Recipient).unwrap();
    assert_eq!(bench.station.recipient(&permit).unwrap(), Some(recipient.clone()));
    let file = bench.sealed(&recipient);
    // Everything that was approved is held against the file.
    let approved = sealed_as_approved();
    type Change = fn(&mut Announced);
    let changes: [(Change, &str); 5] = [
        (|other| other.key.label = label("gk-b"), "transfer-other-key"),
        (|other| other.key.group = "line-8".parse().unwrap(), "transfer-other-key"),
        (|other| other.key.scope = "0ne00EMU002".parse().unwrap(), "transfer-other-key"),
        (|other| other.key.slot = "primary".parse().unwrap(), "transfer-other-key"),
        (|other| other.check_value = "00000-00000".parse().unwrap(), "key-check-value"),
    ];
    for (change, code) in changes {
        let mut other = approved.clone();
        change(&mut other);
        assert_eq!(bench.take(&other, &file).unwrap_err().code(), code, "{other:?}");
        assert_eq!(bench.records("policy.refuse", "code").pop().unwrap(), code);
    }
    let info = bench.take(&approved, &file).unwrap();
    assert_eq!((info.check_value.to_string().as_str(), info.slot.as_str()), (CHECK, "secondary"));
    assert_eq!(bench.records("gk.import", "how"), ["transfer"]);
    bench.unlock().unwrap();
    assert!(matches!(bench.station.usable_key(&label("gk-a")), Err(StationError::KeyInactive { .. })));
    bench.activate("gk-a").unwrap();
    assert!(bench.station.usable_key(&label("gk-a")).is_ok());
    for file in [bench.data.path().join("audit.db"), bench.data.transfer_key()] {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(20).any(|window| KEY.as_bytes().starts_with(window)));
    }
}

#[test]
fn the_key_for_transfers_is_made_once_and_opens_with_the_vault_s_passphrase() {
    let bench = Bench::new();
    bench.import("gk-z", &crate::support::key_of("z")).unwrap();
    let permit = bench.station.permit(Action::Recipient).unwrap();
    assert_eq!(bench.station.recipient(&permit).unwrap(), None);
    let other = keystation::Passphrase::new(crate::support::secret("another passphrase")).unwrap();
    assert!(bench.station.make_recipient(&permit, &other).is_err(), "not the vault's");
    assert!(!bench.data.transfer_key().exists());
    let first = bench.recipient();
    assert_eq!(bench.recipient(), first);
    let bench = bench.restart();
    assert_eq!(bench.recipient(), first);
    assert_eq!(bench.records("gk.recipient", "recipient").len(), 1);
    assert_eq!(PASSPHRASE.len(), 28);
}

#[test]
fn a_file_for_another_station_is_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    bench.recipient();
    let file = bench.sealed(&other.recipient());
    let refused = bench.take(&sealed_as_approved(), &file).unwrap_err();
    assert!(matches!(refused, StationError::Transfer(TransferError::ForAnother)), "{refused:?}");
    assert_eq!(bench.records("gk.import", "gk").len(), 0);
}
