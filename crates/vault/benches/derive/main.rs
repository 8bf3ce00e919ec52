//! The rows of the derivation in `cargo xtask bench`. Prints one JSON object a line, what it is doing on standard error.
//!
//! `cargo bench -p keystation-vault --bench derive -- [--only ROW]`. Needs a C compiler and OpenSSL's headers (`libssl-dev`), for the
//! peer.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for people and xtask: it talks, and stops where something fails"
)]

#[path = "../../../audit/benches/log/row.rs"]
mod row; // what is printed

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use base64ct::{Base64, Encoding};
use keystation_core::flow::Vault;
use keystation_core::key::KeySlot;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_vault::{
    DerivedKeyAnswer, NewKey, Passphrase, SealedFile, SecretText, UnlockedVault, VaultKey, WorkFactor,
};
use row::{Reach, Row, median};
use sha2::block_api::compress256;

/// The group key that Microsoft publishes as an example, 64 bytes (*Symmetric key attestation with DPS*).
const GROUP_KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
/// Devices of a round.
const DEVICES: usize = 50_000;
/// Rounds; the sides take turns, so that what else the machine does hits both.
const ROUNDS: usize = 25;

const ROWS: [&str; 2] = ["derive", "derive-blocks"];

fn main() -> ExitCode {
    // `cargo bench` adds it; `cargo test` starts this program without, to see that it builds.
    let (bench, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--bench");
    if bench.is_empty() {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let only = match arguments[..] {
        [] => None,
        ["--only", row] if ROWS.contains(&row) => Some(row),
        _ => {
            eprintln!("--only ROW; rows: {}", ROWS.join(", "));
            return ExitCode::from(2);
        }
    };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-derive");
    // What an interrupted run left is in the way.
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    let (_vault, key) = unlocked(&directory);
    // As long as those of the published example: one block of the inner hash is left, and one of the outer.
    let ids: Vec<_> = (0..DEVICES)
        .map(|number| format!("sn-{number:07}-abc-mac-a1-b2-c3-d4-e5-f6"))
        .map(|id| RegistrationId::new(&id, IdRule::Dashes).unwrap())
        .collect();
    for name in ROWS.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        eprintln!("{name} …");
        let row =
            if name == "derive" { beside_openssl(&directory, &key, &ids) } else { beside_blocks(&key, &ids) };
        println!("{}", row.to_line());
    }
    std::fs::remove_dir_all(&directory).unwrap();
    ExitCode::SUCCESS
}

/// A vault with the published key, as a station uses it. The vault stays unlocked as long as its first part is kept.
fn unlocked(directory: &Path) -> (UnlockedVault, VaultKey) {
    let text = |text: &str| SecretText::new(text.to_owned()).unwrap();
    let passphrase = Passphrase::new(text("the passphrase of a bench")).unwrap();
    let sealed = SealedFile::at(directory.join("vault.age")).with_work_factor(WorkFactor::TEST);
    sealed.create(&passphrase).unwrap();
    let label = "gk-bench".parse().unwrap();
    let new = NewKey {
        label,
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
    };
    sealed.import(&passphrase, new, &text(GROUP_KEY), DerivedKeyAnswer::NotAsked).unwrap();
    let vault = sealed.unlock(&passphrase).unwrap();
    let key = vault.key(&"gk-bench".parse().unwrap()).unwrap();
    (vault, key)
}

/// Nanoseconds for all of `ids`, and the XOR of the first eight bytes of their keys.
fn derive(key: &VaultKey, ids: &[RegistrationId]) -> (f64, u64) {
    let start = Instant::now();
    let all = ids.iter().fold(0, |all, id| {
        let key = key.derive(id).unwrap();
        all ^ u64::from_ne_bytes(key.expose()[..8].try_into().unwrap())
    });
    (start.elapsed().as_nanos() as f64, all)
}

fn beside_openssl(directory: &Path, key: &VaultKey, ids: &[RegistrationId]) -> Row {
    let program = directory.join("peer");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/derive/peer.c");
    let built = Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).arg("-lcrypto").status();
    assert!(built.is_ok_and(|status| status.success()), "cc and libssl-dev are needed for the peer");
    let mut peer = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = peer.stdin.take().unwrap();
    let mut output = BufReader::new(peer.stdout.take().unwrap()).lines();
    input.write_all(&Base64::decode_vec(GROUP_KEY).unwrap()).unwrap();
    ids.iter().for_each(|id| writeln!(input, "{id}").unwrap());
    writeln!(input).unwrap();
    let (mut ours, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (our, keys) = derive(key, ids);
        writeln!(input, "go").unwrap();
        let line = output.next().unwrap().unwrap();
        let (took, theirs) = line.split_once(' ').unwrap();
        assert_eq!(theirs.parse(), Ok(keys), "the same keys");
        let took: f64 = took.parse().unwrap();
        ours.push(ids.len() as f64 * 1e9 / our);
        peers.push(ids.len() as f64 * 1e9 / took);
        ratios.push(took / our);
    }
    drop(input);
    assert!(peer.wait().unwrap().success());
    Row {
        row: "derive",
        ours: median(&mut ours),
        peer: Some(median(&mut peers)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtLeast(4.0),
        unit: "keys/s",
        how: format!(
            "the vault derives; the peer calls OpenSSL's one-shot HMAC() with the same key and IDs; median of {ROUNDS} rounds in turns, \
             {DEVICES} devices each"
        ),
    }
}

fn beside_blocks(key: &VaultKey, ids: &[RegistrationId]) -> Row {
    let (mut ours, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (our, _) = derive(key, ids);
        let (mut state, mut block) = ([0x6a09_e667_u32; 8], [0u8; 64]);
        let start = Instant::now();
        for number in 0..ids.len() {
            // Another block each time, and each hash waits for the one before: as it is in a derivation.
            block[..8].copy_from_slice(&(number as u64).to_ne_bytes());
            compress256(black_box(&mut state), std::slice::from_ref(black_box(&block)));
            compress256(black_box(&mut state), std::slice::from_ref(black_box(&block)));
        }
        let blocks = start.elapsed().as_nanos() as f64;
        ours.push(our / ids.len() as f64);
        peers.push(blocks / ids.len() as f64);
        ratios.push(our / blocks);
    }
    Row {
        row: "derive-blocks",
        ours: median(&mut ours),
        peer: Some(median(&mut peers)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtMost(1.25),
        unit: "ns/key",
        how: format!(
            "the vault derives; the peer is the two SHA-256 blocks that are left of an HMAC whose key blocks were hashed before; \
             median of {ROUNDS} rounds in turns, {DEVICES} devices each"
        ),
    }
}
