//! The frame decoder against everything that can come over a line.

use keystation_device::smp::packet::LIMIT;
use keystation_device::smp::{Body, Decoder, Header, Operation, Packet, frame};
use proptest::prelude::*;

fn packet(body: &[u8]) -> Vec<u8> {
    let header = Header { operation: Operation::Write, group: 0x4b53, sequence: 9, command: 1 };
    [&header.format(body.len() as u16)[..], body].concat()
}

fn delivered(decoder: &mut Decoder, line: &[u8]) -> Vec<Vec<u8>> {
    line.iter().filter_map(|&byte| decoder.push(byte).map(<[u8]>::to_vec)).collect()
}

/// Bytes that come close to frames: markers, Base64, line ends and anything else.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(frame::FIRST.to_vec()),
        Just(frame::FURTHER.to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        "[A-Za-z0-9+/=]{0,140}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|body| frame::encode(&packet(&body)).to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

// PROPTEST_CASES=200000 for a million lines.
proptest! {
    #[test]
    fn what_is_delivered_is_a_sound_packet_whatever_comes(line in garbage()) {
        let mut decoder = Decoder::default();
        for packet in delivered(&mut decoder, &line) {
            prop_assert!((8..=LIMIT).contains(&packet.len()));
            prop_assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len() - 8);
            if let Some((_, body)) = Header::split(&packet) {
                let _ = Body::parse(body);
            }
        }
    }

    #[test]
    fn a_sound_packet_is_found_after_any_garbage(line in garbage(), body in prop::collection::vec(any::<u8>(), 0..504)) {
        let mut decoder = Decoder::default();
        delivered(&mut decoder, &line);
        let packet = packet(&body);
        prop_assert_eq!(delivered(&mut decoder, &frame::encode(&packet)), [packet]);
    }

    #[test]
    fn log_lines_between_frames_are_passed_over(
        body in prop::collection::vec(any::<u8>(), 90..504),
        log in "[ -~]{0,200}\r?\n",
    ) {
        let packet = packet(&body);
        let wire = frame::encode(&packet);
        let line: Vec<_> =
            wire.split_inclusive(|&byte| byte == b'\n').flat_map(|frame| [log.as_bytes(), frame].concat()).collect();
        prop_assert_eq!(delivered(&mut Decoder::default(), &line), [packet]);
    }

    #[test]
    fn one_turned_bit_is_never_delivered_as_another_packet(
        body in prop::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let packet = packet(&body);
        let mut wire = frame::encode(&packet).to_vec();
        let at = at.index(wire.len());
        wire[at] ^= 1 << bit;
        prop_assert_eq!(delivered(&mut Decoder::default(), &wire), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn bodies_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..504)) {
        let _ = Body::parse(&bytes);
    }
}

#[test]
fn frames_are_at_most_127_bytes_long_and_full_but_the_last() {
    for length in 0..=504 {
        let packet = packet(&vec![0xa5; length]);
        let wire = frame::encode(&packet);
        let frames: Vec<_> = wire.split_inclusive(|&byte| byte == b'\n').collect();
        let (last, full) = frames.split_last().unwrap();
        assert!(full.iter().all(|frame| frame.len() == frame::LIMIT) && last.len() <= frame::LIMIT);
        assert_eq!(delivered(&mut Decoder::default(), &wire), [packet]);
    }
}

#[test]
fn refused_frame_takes_what_was_collected_with_it() {
    let packet = packet(&[0x5a; 200]);
    let wire = frame::encode(&packet);
    let frames: Vec<_> = wire.split_inclusive(|&byte| byte == b'\n').collect();
    let bad = [
        ("longer than a frame", [&b"\x04\x14"[..], &[b'A'; 128], b"\n"].concat()),
        ("not Base64", b"\x04\x14AA-A\n".to_vec()),
        ("not canonical", b"\x04\x14AB==\n".to_vec()),
        ("more than announced", [frames[1], frames[1]].concat()),
    ];
    for (name, bad) in bad {
        let line = [frames[0], &bad, frames[1], frames[2]].concat();
        assert!(delivered(&mut Decoder::default(), &line).is_empty(), "{name}");
    }
    assert_eq!(delivered(&mut Decoder::default(), &wire), [packet]);
}

#[test]
fn packet_of_513_bytes_is_refused_and_the_next_one_found() {
    let header = Header { operation: Operation::Write, group: 0, sequence: 0, command: 0 };
    let too_large = Packet::build(header, |body| {
        body.bytes(&[0; 502])?;
        Ok(())
    });
    assert!(too_large.is_err());
    let fits = Packet::build(header, |body| {
        body.bytes(&[0; 501])?;
        Ok(())
    });
    let fits = fits.unwrap();
    assert_eq!(fits.bytes().len(), LIMIT);
    let mut decoder = Decoder::default();
    // The largest packet's frames with one byte more announced.
    let mut raw = frame::encode(fits.bytes()).to_vec();
    raw[3..5].copy_from_slice(b"gM");
    assert!(delivered(&mut decoder, &raw).is_empty());
    assert_eq!(delivered(&mut decoder, &frame::encode(fits.bytes())), [fits.bytes().to_vec()]);
}
