//! What the diagnostics give away at trace level: commands and sizes, and no byte of a key.
//!
//! A process of its own: `tracing` remembers for each place in the code whether anybody listens, and threads of other tests,
//! where nobody does, may be the first to reach it.

// A test may stop at what should not be; clippy knows that only of the functions that are tests themselves.
#![allow(clippy::unwrap_used)]

#[path = "device/support.rs"]
#[allow(dead_code)] // the other tests' part of it
mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Base64Unpadded, Encoding};
use tracing_subscriber::filter::LevelFilter;

use support::{DEVICE_KEY, GROUP_KEY, TestBench, TestLog, inject};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every spelling of a key that a log could show: raw, hexadecimal, a list of numbers, Base64 at all three alignments.
fn spellings(key: &[u8]) -> Vec<Vec<u8>> {
    let mut spellings = vec![
        key.to_vec(),
        key.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes(),
        key.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into_bytes(),
        format!("{:?}", &key[..8]).trim_matches(['[', ']']).as_bytes().to_vec(),
    ];
    for shift in 0..3 {
        let text = Base64Unpadded::encode_string(&[&[0; 2][..shift], key].concat());
        // Without the characters that depend on the bytes before and after.
        let inner = &text[(shift * 8).div_ceil(6)..text.len() - 2];
        spellings.push(inner.as_bytes().to_vec());
        spellings.push(inner.replace('+', "-").replace('/', "_").into_bytes());
    }
    spellings
}

fn found(text: &[u8], key: &[u8]) -> bool {
    spellings(key).iter().any(|spelling| text.windows(spelling.len()).any(|window| window == spelling))
}

#[test]
fn trace_shows_commands_and_sizes_and_no_key() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let device_key = Base64::decode_vec(DEVICE_KEY).unwrap();
    let group_key = Base64::decode_vec(GROUP_KEY).unwrap();
    let bench = TestBench::new(1, 0, "drop=rx@60");
    tracing::subscriber::with_default(subscriber, || {
        let mut device = bench.open(0);
        inject(&mut device, &TestLog::default(), None).unwrap();
        let token = device.sas(1_900_000_000).unwrap();
        let text = captured.0.lock().unwrap().clone();
        let words = String::from_utf8(text.clone()).unwrap();
        for word in ["command=\"stage\"", "packet=131", "wire=186", "request again"] {
            assert!(words.contains(word), "{word} in\n{words}");
        }
        assert!(!found(&text, &device_key) && !found(&text, &group_key));
        let signature = token.split("sig=").nth(1).unwrap().split('&').next().unwrap();
        assert!(!words.contains(signature));

        // The search itself: each spelling that is planted is found.
        for planted in spellings(&device_key) {
            captured.0.lock().unwrap().clear();
            tracing::trace!("planted {}", String::from_utf8_lossy(&planted));
            let lossy = String::from_utf8_lossy(&planted).as_bytes() != planted;
            assert!(lossy || found(&captured.0.lock().unwrap(), &device_key));
        }
        assert!(found(&device_key, &device_key));
    });
}
