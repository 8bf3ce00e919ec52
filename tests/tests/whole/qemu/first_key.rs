use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, PUBLISHED_DEVICE_KEY, PUBLISHED_GROUP_KEY, PUBLISHED_ID};
use keystation_tests::qemu::{Board, Fab, Image};

const EXAMPLE: Fab<'_> =
    Fab { mac: [0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6], serial: "007-888-abc", program_delay: 0 };

/// What `firmware/agent/README.md` says that the agent needs, the board's own frames included.
pub(super) const STACK: u32 = 1024;

/// OpenSSL's opinion. The key is the one that Microsoft publishes: any other would have no business in an argument list.
pub(super) fn openssl_hmac(group_key: &str, text: &str) -> String {
    let hex: String =
        Base64::decode_vec(group_key).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-mac", "HMAC", "-binary", "-macopt", &format!("hexkey:{hex}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl starts");
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Base64::encode_string(&openssl.wait_with_output().unwrap().stdout)
}

fn board(dir: &Path) -> Board {
    let mut board = Board::new(dir, "dev0", Image::Agent, &EXAMPLE);
    board.start();
    board
}

#[test]
fn keystation_inject_puts_the_published_key_into_the_firmware() {
    let bench = Bench::new();
    let board = board(bench.data().parent().unwrap());
    assert_eq!(board.held(), None);

    let injected = bench.inject(board.port());
    assert_eq!(injected.exit, Some(0), "{injected:?}");
    let set = board.held().expect("the active slot holds a set");
    assert_eq!(set.key, PUBLISHED_DEVICE_KEY);
    assert_eq!(openssl_hmac(PUBLISHED_GROUP_KEY, &set.id), set.key);
    assert_eq!((set.id.as_str(), set.scope.as_str(), set.generation), (PUBLISHED_ID, "0ne00EMU001", 1));
    assert_eq!(set.endpoint, "global.azure-devices-provisioning.net");
    let anchor = set.anchor.expect("the log at its intent");
    let intent = injected.event("pass").unwrap()["intent"].as_u64().unwrap();
    assert_eq!(anchor[4..12], (intent + 1).to_be_bytes());
    assert!((1..=STACK).contains(&board.stack_used()), "{} bytes of stack", board.stack_used());
    bench.assert_log_intact();
}

#[test]
fn a_keyed_device_is_checked_and_not_written_again() {
    let bench = Bench::new();
    let mut board = board(bench.data().parent().unwrap());
    assert_eq!(bench.inject(board.port()).exit, Some(0));
    let stored = board.storage();

    board.start(); // unplugged and plugged in again
    let checked = bench.check(board.port());
    assert_eq!(checked.exit, Some(0), "{checked:?}");
    let anchored = checked.events.iter().find(|event| event["name"] == "anchor").unwrap();
    assert_eq!(anchored["holds"], true, "{checked:?}");
    assert!((1..=STACK).contains(&board.stack_used()), "{} bytes of stack", board.stack_used());
    let again = bench.inject(board.port());
    assert_eq!(again.exit, Some(3), "refused by policy: {again:?}");
    assert!(board.storage() == stored, "a refused injection changed the storage");
}
