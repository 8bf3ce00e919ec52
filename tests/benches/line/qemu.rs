//! `qemu-16`: sixteen emulated boards with the real firmware, keyed at once.

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use keystation::line::{Line, LineEvent, SlotEvent};
use keystation_tests::qemu::{Board, Fab, Image};

use crate::row::{Reach, Row};
use crate::station;

const BOARDS: u8 = 16;

pub(crate) fn qemu_16(directory: &Path) -> Row {
    let station = station::open(directory, BOARDS.into());
    let boards: Vec<Board> = (0..BOARDS)
        .map(|number| {
            let serial = format!("BOARD-{number:02}");
            let fab = Fab { mac: [0xA4, 0xCF, 0x12, 0, 1, number], serial: &serial, program_delay: 0 };
            let mut board = Board::new(directory, &serial, Image::Agent, &fab);
            board.start();
            board
        })
        .collect();
    let (done, finished) = mpsc::channel();
    let numbers: Vec<u32> = (1..=BOARDS.into()).collect();
    let line = Line::start(&station, &numbers, move |event| match event {
        LineEvent::Slot(_, SlotEvent::Pass { .. }) => done.send(true).unwrap(),
        LineEvent::Slot(number, SlotEvent::Fail { failure, .. }) => {
            eprintln!("slot {number}: {failure} {:?}", failure.cause);
            done.send(false).unwrap();
        }
        _ => {}
    })
    .unwrap();
    let began = Instant::now();
    for (&number, board) in numbers.iter().zip(&boards) {
        station::put(directory, number, board.port());
    }
    let passed = boards.iter().filter(|_| finished.recv().unwrap()).count();
    let took = began.elapsed();
    drop(line);
    station.close().unwrap();
    // What the line says is one thing, what is in the flash another.
    let keyed = boards.iter().filter(|board| board.held().is_some()).count();
    Row {
        row: "qemu-16",
        ours: u32::try_from(passed.min(keyed)).unwrap().into(),
        peer: None,
        ratio: None,
        reach: Reach::AtLeast(BOARDS.into()),
        unit: "devices PASS",
        how: format!(
            "of {BOARDS} emulated Cortex-M3 boards with the firmware of firmware/qemu, plugged in at once, with their set in the flash; \
             {:.1} s from the first plug to the last result",
            took.as_secs_f64()
        ),
    }
}
