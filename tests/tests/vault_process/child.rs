use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Barrier;
use std::thread::Scope;

use base64ct::{Base64, Encoding};
use keystation_core::flow::Vault;
use keystation_tests::memory_scan::Needles;
use keystation_vault::{
    Custody, DerivedKeyAnswer, GroupKey, ImportError, MemoryKind, SecretSource, SecretText, WriteError,
    harden_process,
};

use crate::support::{LABEL, Subject, add, id, new_key, passphrase, random, tpm, unlock, vault};

/// Plays the process that `words` name; `false` if they name none.
pub(crate) fn run(words: &[&str]) -> bool {
    match *words {
        ["hold", directory] => hold(Path::new(directory)),
        ["panic", directory] => panic_with_keys(Path::new(directory)),
        ["hold-naively", directory] => hold_naively(Path::new(directory)),
        ["import", directory] => import(Path::new(directory)),
        ["tpm", directory] => use_tpm(Path::new(directory)),
        ["import-on", directory] => import_on(Path::new(directory)),
        ["unlock", directory] => try_to_unlock(Path::new(directory)),
        ["import-once", directory] => import_once(Path::new(directory)),
        ["peek", hardened] => peek(hardened),
        ["wait", hardened] => wait(hardened),
        ["leave", way, custody, directory] => crate::leaving::run(way, custody, Path::new(directory)),
        ["token", mode, directory] => crate::token::run(mode, Path::new(directory)),
        ["ask"] => ask(),
        ["take", number] => take(number.parse().expect("a number")),
        _ => return false,
    }
    true
}

/// Says where it is, and goes on when it is told to.
fn say(word: &str) {
    println!("{word}");
    std::io::stdout().flush().expect("the parent reads");
}

pub(crate) fn pause(word: &str) {
    say(word);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the parent writes");
}

/// Does the work in a thread of its own, which then waits at once: nothing writes over what is left on its stack.
pub(crate) fn in_a_thread_that_stays<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    end: &'scope Barrier,
    work: impl FnOnce() -> T + Send + 'scope,
) -> T {
    let (done, result) = std::sync::mpsc::sync_channel(1);
    scope.spawn(move || {
        done.send(work()).expect("the main thread waits");
        end.wait();
    });
    result.recv().expect("the work is done")
}

fn hold(directory: &Path) {
    let end = Barrier::new(3);
    std::thread::scope(|scope| {
        let unlocked = in_a_thread_that_stays(scope, &end, || deep(|| unlock(directory)));
        let key = unlocked.key(&LABEL.parse().expect("a label")).expect("it is there");
        say(if unlocked.memory() == Some(MemoryKind::Secret) { "secret" } else { "locked" });
        pause("unlocked");
        in_a_thread_that_stays(scope, &end, move || {
            for _ in 0..100 {
                deep(|| key.derive(&id())).expect("it is unlocked");
            }
        });
        pause("derived");
        unlocked.lock();
        pause("locked again");
        end.wait();
    });
}

/// A thread that panics while the vault is open and a device key is in its hands. It unwinds, and stays.
fn panic_with_keys(directory: &Path) {
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        let panicked = in_a_thread_that_stays(scope, &end, || {
            let work = || {
                deep(|| {
                    let unlocked = unlock(directory);
                    let key = unlocked.key(&LABEL.parse().expect("a label")).expect("it is there");
                    let derived = key.derive(&id()).expect("it is unlocked");
                    panic!("a defect, with the key of fingerprint {} in hand", derived.fingerprint());
                })
            };
            std::panic::catch_unwind(work).is_err()
        });
        pause(if panicked { "panicked" } else { "came through" });
        end.wait();
    });
}

/// What one would write without thinking: the control that the scanner sees anything at all.
fn hold_naively(directory: &Path) {
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        let held = in_a_thread_that_stays(scope, &end, || {
            let text = fs::read_to_string(directory.join("key")).expect("the parent wrote it");
            let key = Base64::decode_vec(&text).expect("it is a key");
            let mac = deep(|| naive_hmac(key[..].try_into().expect("64 bytes"), id().as_str().as_bytes()));
            (text, key, mac)
        });
        pause("unlocked");
        drop(held);
        pause("locked again");
        end.wait();
    });
}

/// Works so deep in the stack that no later call of the waiting thread reaches what is left there.
#[inline(never)]
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    let room = [0u8; 32 * 1024];
    let done = work();
    std::hint::black_box(&room);
    done
}

/// RFC 2104 as it stands there, blocks on the stack.
#[inline(never)]
fn naive_hmac(key: [u8; 64], message: &[u8]) -> Box<[u8; 32]> {
    use sha2::{Digest as _, Sha256};
    let blocks = [key.map(|byte| byte ^ 0x36), key.map(|byte| byte ^ 0x5c)];
    let [ipad, opad] = std::hint::black_box(&blocks);
    let inner = Sha256::new().chain_update(ipad).chain_update(message).finalize();
    Box::new(Sha256::new().chain_update(opad).chain_update(inner).finalize().into())
}

fn import(directory: &Path) {
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        in_a_thread_that_stays(scope, &end, || {
            let key = SecretSource::File(directory.join("key")).text().expect("the parent wrote it");
            deep(|| add(directory, LABEL, &key)).expect("it is imported");
        });
        pause("imported");
        end.wait();
    });
}

/// A key that goes into a TPM and is used there, each step in a thread that stays.
fn use_tpm(directory: &Path) {
    let end = Barrier::new(4);
    std::thread::scope(|scope| {
        in_a_thread_that_stays(scope, &end, || {
            let key = SecretSource::File(directory.join("key")).text().expect("the parent wrote it");
            deep(|| {
                let key = GroupKey::judged(&key, DerivedKeyAnswer::GroupKey).expect("it is a key");
                tpm(directory).import(&passphrase(directory), new_key(LABEL), key)
            })
            .expect("it is imported");
        });
        pause("imported");
        let unlocked = in_a_thread_that_stays(scope, &end, || {
            deep(|| tpm(directory).open(&passphrase(directory))).expect("it opens")
        });
        say(if unlocked.memory() == Some(MemoryKind::Secret) { "secret" } else { "locked" });
        let key = unlocked.key(&LABEL.parse().expect("a label")).expect("it is there");
        in_a_thread_that_stays(scope, &end, move || {
            for _ in 0..100 {
                deep(|| key.derive(&id())).expect("it is unlocked");
            }
        });
        pause("derived");
        unlocked.lock();
        pause("locked again");
        end.wait();
    });
}

/// Imports keys until it is killed, and tells of each that it is in.
fn import_on(directory: &Path) {
    let held = unlock(directory).keys().len();
    say("unlocked");
    for number in held.. {
        let key = SecretText::new(Base64::encode_string(&random::<64>())).expect("it is text");
        match add(directory, &format!("gk-{number}"), &key) {
            Err(ImportError::Full) => return,
            imported => imported.expect("it is imported"),
        }
        say(&number.to_string());
    }
}

fn try_to_unlock(directory: &Path) {
    say(match vault(directory).unlock(&passphrase(directory)) {
        Ok(_) => "unlocked",
        Err(error) => error.word(),
    });
}

fn import_once(directory: &Path) {
    let key = SecretText::new(Base64::encode_string(&random::<64>())).expect("it is text");
    say(match add(directory, "gk-more", &key) {
        Ok(()) => "imported",
        Err(ImportError::Write(WriteError::NoSpace(_))) => "no space",
        Err(_) => "another error",
    });
}

fn wait(hardened: &str) {
    if hardened == "hardened" {
        harden_process().expect("the kernel allows it");
    }
    pause("waiting");
    std::process::abort();
}

/// Reads the memory of a process that it started itself, as a debugger of the same user would.
fn peek(hardened: &str) {
    let directory = tempfile::tempdir().expect("there is a temporary directory");
    let child = Subject::start(&["wait", hardened], directory.path());
    child.after("waiting");
    say(if Needles::new().scan(child.process.id()).is_ok() { "read" } else { "refused" });
}

fn ask() {
    let entered = SecretSource::Prompt("Passphrase: ".to_owned()).text();
    let answer =
        entered.map_or_else(|error| error.to_string(), |text| format!("{} bytes", text.expose().len()));
    pause(&answer);
}

fn take(number: i32) {
    let entered = SecretSource::Descriptor(number).text().expect("it was handed down");
    say(&format!("{} bytes", entered.expose().len()));
}
