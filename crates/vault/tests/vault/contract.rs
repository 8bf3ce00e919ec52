//! What every custody must do, run on each of them: `docs/vault-format.md` and the trait [`Custody`].

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_core::flow::{Vault, VaultError};
use keystation_core::key::{CheckValue, GroupKeyInfo};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_vault::{Custody, DerivedKeyAnswer, GroupKey, ImportError, UnlockError};
use subtle::ConstantTimeEq;

use crate::support::{named, passphrase, secret};

/// Lengths of a group key at which something changes: the least that Azure takes, SoftHSM's least, a block.
pub(crate) const LENGTHS: [usize; 5] = [16, 31, 32, 63, 64];
/// Registration IDs that are derived under one key.
pub(crate) const IDS: usize = 10_000;

/// A custody under test, empty at first.
pub(crate) trait Place {
    /// The custody. Called again it is the same place, seen by a process that has just started.
    fn custody(&self) -> Box<dyn Custody>;
    /// What opens it.
    fn secret(&self) -> &str;
    /// What does not open it.
    fn wrong(&self) -> &str;
    /// Whether this is the error of a wrong secret.
    fn is_wrong_secret(&self, error: &UnlockError) -> bool;
}

/// A key of so many bytes, without a pattern.
pub(crate) fn key_of(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 37 + length * 11 + 5) as u8).collect()
}

fn group_key(bytes: &[u8]) -> GroupKey {
    GroupKey::judged(&secret(&Base64::encode_string(bytes)), DerivedKeyAnswer::GroupKey).unwrap()
}

pub(crate) fn id(number: usize) -> RegistrationId {
    RegistrationId::new(&format!("sn-{number:010}-mac-a4-cf-12-{:02x}-01-07", number % 256), IdRule::Dashes)
        .unwrap()
}

/// HMAC-SHA256 by OpenSSL, one process for each message.
pub(crate) fn openssl(key: &[u8], message: &[u8]) -> Vec<u8> {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{hex}"), "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(message).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// HMAC-SHA256 of all `messages` by OpenSSL's library, through Python, in one process.
pub(crate) fn oracle(key: &[u8], messages: &[String]) -> Vec<Vec<u8>> {
    // `_hashlib` is OpenSSL; `hmac.digest` uses it in one call.
    let script = "import sys,hmac,_hashlib\nkey=bytes.fromhex(sys.stdin.readline())\n\
                  for line in sys.stdin: print(_hashlib.hmac_digest(key,line.rstrip('\\n').encode(),'sha256').hex())";
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let input = format!("{hex}\n{}\n", messages.join("\n"));
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let unhex = |line: &str| {
        (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect()
    };
    String::from_utf8(output.stdout).unwrap().lines().map(unhex).collect()
}

/// All of the contract.
pub(crate) fn holds(place: &impl Place) {
    refuses_what_is_not_there(place);
    let infos = takes_keys_of_every_length(place);
    derives_what_openssl_derives(place, &infos);
    refuses_what_is_there(place, &infos);
    opens_with_its_secret_alone(place);
    locks(place, &infos);
    destroys(place, &infos);
}

fn refuses_what_is_not_there(place: &impl Place) {
    let custody = place.custody();
    if !custody.is_there() {
        assert!(custody.open(&passphrase(place.secret())).is_err());
    }
}

fn takes_keys_of_every_length(place: &impl Place) -> BTreeMap<usize, GroupKeyInfo> {
    let custody = place.custody();
    LENGTHS
        .into_iter()
        .map(|length| {
            let key = key_of(length);
            let label = format!("gk-{length}");
            let info = custody.import(&passphrase(place.secret()), named(&label), group_key(&key)).unwrap();
            let mac: [u8; 32] = openssl(&key, CheckValue::MESSAGE).try_into().unwrap();
            assert_eq!(info.check_value, CheckValue::from_hmac(&mac), "{label}");
            assert_eq!((info.label.as_str(), usize::from(info.length)), (label.as_str(), length));
            (length, info)
        })
        .collect()
}

fn derives_what_openssl_derives(place: &impl Place, infos: &BTreeMap<usize, GroupKeyInfo>) {
    let opened = place.custody().open(&passphrase(place.secret())).unwrap();
    assert_eq!(opened.kind(), place.custody().kind());
    assert_eq!(opened.keys().len(), LENGTHS.len());
    for (&length, info) in infos {
        let key = opened.key(&info.label).unwrap();
        assert_eq!(key.info(), info);
        // All of the IDs under the longest key, some under the others.
        let count = if length == 64 { IDS } else { 100 };
        let ids: Vec<_> = (0..count).map(id).collect();
        let expected = oracle(&key_of(length), &ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(expected.len(), count);
        for (id, expected) in ids.iter().zip(&expected) {
            let derived = key.derive(id).unwrap();
            assert!(bool::from(derived.expose()[..].ct_eq(expected)), "{length} bytes, {id}");
        }
        assert_eq!(expected[0], openssl(&key_of(length), ids[0].as_str().as_bytes()));
    }
}

fn refuses_what_is_there(place: &impl Place, infos: &BTreeMap<usize, GroupKeyInfo>) {
    let (custody, secret) = (place.custody(), passphrase(place.secret()));
    let taken = custody.import(&secret, named("gk-32"), group_key(&key_of(48)));
    assert!(matches!(&taken, Err(ImportError::LabelTaken(label)) if *label == infos[&32].label), "{taken:?}");
    let same = custody.import(&secret, named("gk-again"), group_key(&key_of(63)));
    assert!(matches!(&same, Err(ImportError::SameKey(label)) if *label == infos[&63].label), "{same:?}");
    assert_eq!(custody.open(&secret).unwrap().keys().len(), LENGTHS.len());
}

fn opens_with_its_secret_alone(place: &impl Place) {
    let refused = place.custody().open(&passphrase(place.wrong())).unwrap_err();
    assert!(place.is_wrong_secret(&refused), "{refused:?}");
    assert!((1..=3).contains(&refused.remedy().len()));
    assert!(place.custody().open(&passphrase(place.secret())).is_ok(), "one wrong try locks nobody out");
}

fn locks(place: &impl Place, infos: &BTreeMap<usize, GroupKeyInfo>) {
    let opened = place.custody().open(&passphrase(place.secret())).unwrap();
    let key = opened.key(&infos[&64].label).unwrap();
    assert!(key.derive(&id(1)).is_ok());
    opened.lock();
    assert!(matches!(key.derive(&id(1)), Err(VaultError::Locked)));
    assert_eq!(opened.memory(), None);
    assert_eq!(opened.keys().len(), LENGTHS.len(), "what it holds is no secret");
    opened.lock();
}

fn destroys(place: &impl Place, infos: &BTreeMap<usize, GroupKeyInfo>) {
    let (custody, secret) = (place.custody(), passphrase(place.secret()));
    let label = &infos[&31].label;
    custody.destroy(&secret, label).unwrap();
    let opened = place.custody().open(&secret).unwrap();
    assert!(opened.key(label).is_none());
    assert_eq!(opened.keys().len(), LENGTHS.len() - 1);
    assert!(opened.key(&infos[&64].label).unwrap().derive(&id(1)).is_ok(), "the others are as they were");
    assert!(custody.destroy(&secret, label).is_err(), "there is nothing left to destroy");
}
