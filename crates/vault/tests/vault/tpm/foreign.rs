use keystation_vault::{Custody, DestroyError, ImportError, Tpm, TpmError, UnlockError};

use super::faults::{import, open, tpm_error, with_key};
use super::owner::{PRIMARY, PRIMARY_ATTRIBUTES, auth_value};
use super::{Bench, PASSPHRASE};
use crate::support::passphrase;

/// One of the blobs of the card `gk-a`, changed.
fn change(bench: &Bench, field: &str, by: impl FnOnce(&mut Vec<u8>)) -> String {
    use base64ct::{Base64, Encoding};
    let file = bench.cards.path().join("keys/gk-a.json");
    let before = std::fs::read_to_string(&file).unwrap();
    let text = before.split_once(&format!("\"{field}\":\"")).unwrap().1.split_once('"').unwrap().0;
    let mut bytes = Base64::decode_vec(text).unwrap();
    by(&mut bytes);
    std::fs::write(&file, before.replace(text, &Base64::encode_string(&bytes))).unwrap();
    before
}

fn is_foreign(error: &TpmError) -> bool {
    matches!(error, TpmError::Foreign { label, .. } if label.as_str() == "gk-a")
}

#[test]
fn card_of_another_tpm_is_refused_and_can_be_destroyed() {
    let (here, there) = (with_key(), Bench::new());
    let stray = Tpm::new(there.emulator.place(), here.cards.path().join("keys"));
    assert!(is_foreign(&tpm_error(open(&stray))));
    let refused = import(&stray, "gk-b", 32, PASSPHRASE);
    assert!(matches!(refused, Err(ImportError::Unlock(UnlockError::Tpm(error))) if is_foreign(&error)));
    assert!(open(&here.tpm()).is_ok(), "its own TPM takes it");
    stray.destroy(&passphrase(PASSPHRASE), &"gk-a".parse().unwrap()).unwrap();
    assert!(matches!(open(&here.tpm()), Err(UnlockError::NoKeys(_))));
}

#[test]
fn cleared_tpm_takes_no_key_of_before() {
    let bench = with_key();
    bench.emulator.tool("tpm2_clear", &["--auth-hierarchy=p"]).unwrap();
    assert!(is_foreign(&tpm_error(open(&bench.tpm()))));
    let again = import(&bench.tpm(), "gk-a", 64, PASSPHRASE);
    assert!(matches!(again, Err(ImportError::LabelTaken(_))));
    bench.tpm().destroy(&passphrase(PASSPHRASE), &"gk-a".parse().unwrap()).unwrap();
    import(&bench.tpm(), "gk-a", 64, PASSPHRASE).unwrap();
    assert!(open(&bench.tpm()).is_ok());
}

/// Whichever bit of a card is changed, the key does not open, and nothing is counted against the secret.
#[test]
fn card_with_a_changed_bit_is_refused() {
    let bench = with_key();
    let file = bench.cards.path().join("keys/gk-a.json");
    // All bits of the public part, every seventh of the private one.
    let bits =
        (0..50 * 8).map(|bit| ("public", bit)).chain((0..192 * 8).step_by(7).map(|bit| ("private", bit)));
    for (field, bit) in bits {
        let before = change(&bench, field, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let error = tpm_error(open(&bench.tpm()));
        assert!(is_foreign(&error), "bit {bit} of {field}: {error:?}");
        std::fs::write(&file, before).unwrap();
    }
    for (field, by) in [("private", 1), ("private", 100), ("public", 1), ("public", 40)] {
        let before = change(&bench, field, |bytes| bytes.truncate(bytes.len() - by));
        assert!(is_foreign(&tpm_error(open(&bench.tpm()))), "{field} cut by {by}");
        std::fs::write(&file, before).unwrap();
    }
    let before = change(&bench, "private", |bytes| bytes.extend([0; 20]));
    assert!(is_foreign(&tpm_error(open(&bench.tpm()))));
    std::fs::write(&file, before).unwrap();
    assert!(open(&bench.tpm()).is_ok());
}

/// A key that this TPM does take, with the right secret, but that could leave it or that nobody counts wrong secrets of.
#[test]
fn card_of_a_key_with_other_rights_is_refused() {
    let bench = with_key();
    let file = bench.cards.path().join("keys/gk-a.json");
    let tool = |tool: &str, arguments: &[&str]| {
        bench.emulator.tool(tool, arguments).unwrap();
        bench.emulator.tool("tpm2_flushcontext", &["--transient-object"]).unwrap();
    };
    tool("tpm2_createprimary", &[&PRIMARY[..], &["--attributes", PRIMARY_ATTRIBUTES]].concat());
    for attributes in ["userwithauth|sign", "fixedtpm|fixedparent|userwithauth|sign|noda"] {
        let auth = format!("--key-auth=hex:{}", auth_value());
        let attributes = format!("{attributes}|sensitivedataorigin");
        let made =
            ["--parent-context=primary.ctx", "--key-algorithm=hmac", &auth, "--attributes", &attributes];
        tool("tpm2_create", &[&made[..], &["--public=other.pub", "--private=other.priv"]].concat());
        let read = |name: &str| std::fs::read(bench.emulator.directory().join(name)).unwrap();
        let before = change(&bench, "public", |public| *public = read("other.pub"));
        change(&bench, "private", |private| *private = read("other.priv"));
        let error = tpm_error(open(&bench.tpm()));
        assert!(is_foreign(&error), "{attributes}: {error:?}");
        std::fs::write(&file, before).unwrap();
    }
}

/// A card whose key is another one of the same TPM: the check value says so.
#[test]
fn cards_exchanged_within_one_tpm_are_noticed() {
    let bench = with_key();
    import(&bench.tpm(), "gk-b", 32, PASSPHRASE).unwrap();
    let read = |label: &str| {
        let text = std::fs::read_to_string(bench.cards.path().join(format!("keys/{label}.json"))).unwrap();
        let (head, blobs) = text.split_once("\"private\"").unwrap();
        let (blobs, tail) = blobs.split_once("\"scope\"").unwrap();
        (head.to_owned(), blobs.to_owned(), tail.to_owned())
    };
    let ((head, _, tail), (_, blobs, _)) = (read("gk-a"), read("gk-b"));
    let text = format!("{head}\"private\"{blobs}\"scope\"{tail}");
    std::fs::write(bench.cards.path().join("keys/gk-a.json"), text).unwrap();
    let refused = open(&bench.tpm());
    assert!(matches!(&refused, Err(UnlockError::CheckValue { label, .. }) if label.as_str() == "gk-a"));
    let refused = bench.tpm().destroy(&passphrase(PASSPHRASE), &"gk-a".parse().unwrap());
    assert!(matches!(refused, Err(DestroyError::Unlock(UnlockError::CheckValue { .. }))));
}
