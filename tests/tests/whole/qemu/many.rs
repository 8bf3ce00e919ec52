//! Sixteen boards with the real firmware on one line, all at once.

use keystation_tests::bench::{Bench, PUBLISHED_GROUP_KEY};
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::qemu::{Board, Fab, Image};

use super::first_key::openssl_hmac;

const BOARDS: u8 = 16;

#[test]
fn sixteen_boards_at_once_get_their_keys_from_one_line() {
    let bench = Bench::quick();
    let serials: Vec<String> = (0..BOARDS).map(|number| format!("BOARD-{number:02}")).collect();
    let boards: Vec<Board> = (0..BOARDS)
        .zip(&serials)
        .map(|(number, serial)| {
            let fab = Fab { mac: [0xA4, 0xCF, 0x12, 0, 0, number], serial, program_delay: 0 };
            let mut board = Board::new(bench.data().parent().unwrap(), serial, Image::Agent, &fab);
            board.start();
            board
        })
        .collect();
    slots_on(&bench, boards.iter().map(|board| board.port().to_owned()));
    let mut line = RunningLine::start(&bench, "op-0117");
    for _ in 0..BOARDS {
        let event = line.until(|event| event["event"] == "pass" || event["event"] == "fail");
        assert_eq!(event["event"], "pass", "{event}");
    }
    let (sum, ..) = line.end();
    assert_eq!((&sum["devices"], &sum["passed"]), (&BOARDS.into(), &BOARDS.into()), "{sum}");

    for (number, board) in boards.iter().enumerate() {
        let set = board.held().expect("the active slot holds a set");
        assert_eq!(set.id, format!("sn-board-{number:02}-mac-a4-cf-12-00-00-{number:02x}"));
        assert_eq!((set.generation, &set.key), (1, &openssl_hmac(PUBLISHED_GROUP_KEY, &set.id)));
    }
    let intents = bench.records().iter().filter(|record| record["ev"] == "inject.intent").count();
    assert_eq!(intents, usize::from(BOARDS), "one each");
    bench.assert_log_intact();
}
