use std::sync::Barrier;
use std::thread;

use keystation_core::flow::{Vault, VaultError};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_vault::{
    Component, DerivedKeyAnswer, GroupKey, ImportError, MemoryKind, Passphrase, SecretText, Transfer,
    UnlockedVault, VaultKey,
};

use crate::support::{Bench, EXAMPLE, OTHER, PASSPHRASE, named, passphrase, secret, vectors};

fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text, IdRule::Punctuation).unwrap()
}

/// Every vector whose key a vault may hold and whose ID a device may have, through a file on the disk.
#[test]
fn published_keys_derive_what_azure_derives() {
    let file = vectors("dps-derive.json");
    let rows = file["vectors"].as_array().unwrap().iter().chain(file["edge_cases"].as_array().unwrap());
    let (mut derived, mut refused) = (0, 0);
    for row in rows {
        let text = |field: &str| row[field].as_str().unwrap();
        let Ok(id) = RegistrationId::new(text("registration_id"), IdRule::Punctuation) else {
            continue;
        };
        let bench = Bench::new();
        let answer = DerivedKeyAnswer::GroupKey;
        let key = secret(text("group_key_b64"));
        match bench.file.import(&passphrase(PASSPHRASE), named("gk-a"), &key, answer) {
            Ok(_) => {
                let vault = bench.unlock().unwrap();
                let key = vault.key(&"gk-a".parse().unwrap()).unwrap();
                assert_eq!(*key.derive(&id).unwrap().to_base64(), text("device_key_b64"), "{id}");
                derived += 1;
            }
            Err(ImportError::Key(_)) => refused += 1,
            Err(error) => panic!("{id}: {error}"),
        }
    }
    assert!(derived >= 8, "{derived} vectors derived, {refused} keys refused");
}

#[test]
fn keys_of_one_vault_are_told_apart() {
    let bench = Bench::new();
    let example = bench.import("gk-a", EXAMPLE).unwrap();
    let other = bench.import("gk-b", OTHER).unwrap();
    let vault = bench.unlock().unwrap();
    assert_eq!(vault.keys(), [example, other]);
    let derive = |label: &str, text: &str| {
        let key = vault.key(&label.parse().unwrap()).unwrap();
        key.derive(&id(text)).unwrap().to_base64().to_string()
    };
    let first = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";
    assert_eq!(derive("gk-a", first), "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    assert_eq!(derive("gk-b", "contoso-simdevice-east"), "p3w2DQr9WqEGBLUSlFi1jPQ7UWQL4siAGy75HFTFbf8=");
    assert_ne!(derive("gk-a", first), derive("gk-b", first));
    assert!(vault.key(&"gk-c".parse().unwrap()).is_none());
}

#[test]
fn locked_vault_derives_nothing_for_whoever_still_holds_a_key() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let vault = bench.unlock().unwrap();
    let key = vault.key(&"gk-a".parse().unwrap()).unwrap();
    let (started, locked) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let slot = scope.spawn(|| {
            assert!(key.clone().derive(&id("a")).is_ok());
            started.wait();
            locked.wait();
            key.derive(&id("a")).map(|_| ())
        });
        started.wait();
        vault.lock();
        assert_eq!(vault.memory(), None, "the states are unmapped when lock returns");
        locked.wait();
        assert!(matches!(slot.join().unwrap(), Err(VaultError::Locked)));
    });
    vault.lock();
    assert_eq!(key.info().label.as_str(), "gk-a", "what the key was is known after the lock");
}

/// The lock comes in the middle of derivations: each gives the right key or none.
#[test]
fn lock_between_derivations_of_other_threads_leaves_no_wrong_key() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let vault = bench.unlock().unwrap();
    let key = vault.key(&"gk-a".parse().unwrap()).unwrap();
    let expected = key.derive(&id("a")).unwrap().to_base64();
    let running = Barrier::new(5);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                running.wait();
                while let Ok(derived) = key.derive(&id("a")) {
                    assert_eq!(*derived.to_base64(), *expected);
                }
            });
        }
        running.wait();
        vault.lock();
    });
}

#[test]
fn dropped_vault_is_locked() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let key = bench.unlock().unwrap().key(&"gk-a".parse().unwrap()).unwrap();
    assert!(matches!(key.derive(&id("a")), Err(VaultError::Locked)));
}

#[test]
fn states_lie_in_the_best_memory_that_the_kernel_has() {
    let memory = Bench::new().unlock().unwrap().memory();
    match std::fs::read_to_string("/sys/module/secretmem/parameters/enable") {
        Ok(enabled) if enabled.starts_with('Y') => assert_eq!(memory, Some(MemoryKind::Secret)),
        Ok(_) => assert_eq!(memory, Some(MemoryKind::Locked)),
        // Nothing tells what this kernel has: it is older than the switch, or /sys is not mounted.
        Err(_) => assert!(memory.is_some()),
    }
}

#[test]
fn handles_go_to_threads_and_secrets_go_nowhere() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<VaultKey>();

    /// A compiler error is the test: a type that had one of these traits would make `ambiguous` ambiguous.
    macro_rules! lacks {
        ($type:ty: $($ability:path),+) => {$({
            trait Ambiguous<A> { fn ambiguous() {} }
            impl<T: ?Sized> Ambiguous<()> for T {}
            #[allow(dead_code)]
            struct Has;
            impl<T: ?Sized + $ability> Ambiguous<Has> for T {}
            let () = <$type as Ambiguous<_>>::ambiguous();
        })+};
    }
    use std::fmt::{Debug, Display};
    lacks!(SecretText: Debug, Display, Clone, PartialEq, serde::Serialize, AsRef<str>, AsRef<[u8]>);
    lacks!(Passphrase: Debug, Display, Clone, PartialEq, serde::Serialize, AsRef<str>, AsRef<[u8]>);
    lacks!(Component: Debug, Display, Clone, PartialEq, serde::Serialize, AsRef<str>, AsRef<[u8]>);
    lacks!(GroupKey: Debug, Display, Clone, PartialEq, serde::Serialize, AsRef<str>, AsRef<[u8]>);
    lacks!(Transfer: Debug, Display, Clone, PartialEq, serde::Serialize);
    lacks!(UnlockedVault: Clone, serde::Serialize);
    lacks!(VaultKey: serde::Serialize);
}
