//! An open port: whose it is, and when it is gone.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keystation_core::flow::{Device, DeviceError};
use keystation_device::hotplug::{Interrupt, Waited, until_absent, until_present};
use keystation_device::link::Port;
use keystation_device::place::Place;
use keystation_device::placed::Placed;
use keystation_device::ports::{self, Close, PortError};

use crate::support::{TestBench, open};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn second_opener_is_told_that_the_port_is_busy() {
    let bench = TestBench::new(1, 0, "");
    let path = bench.bench.port(0);
    for _ in 0..50 {
        let first = ports::open(path).unwrap();
        assert!(matches!(ports::open(path), Err(PortError::Busy { .. })));
        // Free again at once, although the descriptor is closed on another thread.
        drop(first);
    }
}

#[test]
fn what_came_before_the_port_was_opened_is_thrown_away() {
    let bench = TestBench::new(1, 0, "");
    let path = bench.bench.port(0);
    let mut port = ports::open(path).unwrap();
    port.send(b"\x06\x09AAsIAAABS1MBAKD99Q==\n", LONG).unwrap();
    // The answer of 99 bytes lies in the terminal.
    while rustix::io::ioctl_fionread(&port).unwrap() < 99 {
        std::thread::yield_now();
    }
    drop(port);
    let mut port = ports::open(path).unwrap();
    assert_eq!(
        port.receive(&mut [0; 64], Duration::from_millis(50)).unwrap_err().kind(),
        std::io::ErrorKind::TimedOut
    );
}

#[test]
fn what_is_no_port_is_refused_with_its_reason() {
    assert!(matches!(ports::open(Path::new("/nowhere/dev0")), Err(PortError::Gone { .. })));
    assert!(matches!(ports::open(Path::new("/dev/null")), Err(PortError::Unusable { .. })));
}

#[test]
fn unplugged_is_noticed_while_idle_and_reads_nothing() {
    let bench = TestBench::new(1, 0, "");
    let interrupt = Interrupt::new().unwrap();
    let mut device = bench.open(0);
    device.identify().unwrap();
    assert_eq!(device.port().until_gone(Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
    // Bytes that nobody asked for are not an unplugged device.
    let mut port = device.into_port();
    port.send(b"\x06\x09AAsIAAABS1MBAKD99Q==\n", LONG).unwrap();
    let mut first = [0; 1];
    port.receive(&mut first, LONG).unwrap();
    assert_eq!(port.until_gone(Duration::ZERO, &interrupt).unwrap(), Waited::TimedOut);
    assert_ne!(port.receive(&mut [0; 1], LONG).unwrap(), 0);

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| port.until_gone(LONG, &interrupt).unwrap());
        assert!(bench.bench.unplug(0));
        assert_eq!(waiting.join().unwrap(), Waited::Happened);
    });
    assert_eq!(until_absent(bench.bench.port(0), LONG, &interrupt).unwrap(), Waited::Happened);
    assert!(matches!(open_error(bench.bench.port(0)), PortError::Gone { .. }));
    assert!(bench.bench.plug(0));
    assert_eq!(until_present(bench.bench.port(0), LONG, &interrupt).unwrap(), Waited::Happened);
    open(bench.bench.port(0)).identify().unwrap();
}

/// A driver that holds its port when it is closed, as that of a USB CDC device does for half a minute.
struct Slow(std::sync::Mutex<std::sync::mpsc::Receiver<()>>, std::sync::mpsc::Sender<()>);

impl Close for Slow {
    fn close(&self, fd: OwnedFd) {
        self.0.lock().unwrap().recv().unwrap();
        drop(fd);
        self.1.send(()).unwrap();
    }
}

#[test]
fn a_port_that_takes_long_to_close_holds_nobody_up_and_can_be_opened_meanwhile() {
    let bench = TestBench::new(1, 0, "");
    let (let_go, release) = std::sync::mpsc::channel();
    let (done, closed) = std::sync::mpsc::channel();
    let slow = Arc::new(Slow(std::sync::Mutex::new(release), done));
    let port = ports::open_and_close_by(bench.bench.port(0), 115_200, slow).unwrap();
    drop(port);
    assert!(closed.try_recv().is_err(), "it is still being closed");
    open(bench.bench.port(0)).identify().unwrap();
    let_go.send(()).unwrap();
    closed.recv_timeout(LONG).unwrap();
}

/// A port that is plugged in anew in the middle of an injection: the old one is open and answers, and the place leads to another.
#[test]
fn a_device_whose_place_leads_elsewhere_is_not_written_to() {
    let bench = TestBench::new(2, 0, "");
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("slot");
    let point_at = |device: usize| {
        let beside = dir.path().join("new");
        std::os::unix::fs::symlink(bench.bench.port(device), &beside).unwrap();
        std::fs::rename(&beside, &link).unwrap();
    };
    point_at(0);
    let place = Place::Path(link.clone());
    let mut port = ports::open_in(&place, 115_200).unwrap();
    let mut device = Placed::new(&mut port, &place).unwrap();
    device.identify().unwrap();
    device.restart().unwrap();
    point_at(1);
    assert!(matches!(device.restart(), Err(DeviceError::Moved(_))));
    point_at(0);
    device.restart().unwrap();
    // The same name for another terminal.
    drop(port);
    assert!(bench.bench.unplug(1));
    let mut port = ports::open_in(&place, 115_200).unwrap();
    point_at(1);
    assert!(matches!(Placed::new(&mut port, &place).err(), Some(DeviceError::Moved(_))));
}

fn open_error(path: &Path) -> PortError {
    ports::open(path).unwrap_err()
}

#[test]
fn interrupt_ends_the_wait_for_an_unplugged_device() {
    let bench = TestBench::new(1, 0, "");
    let (device, interrupt) = (bench.open(0), Interrupt::new().unwrap());
    interrupt.raise().unwrap();
    assert_eq!(device.port().until_gone(LONG, &interrupt).unwrap(), Waited::Interrupted);
}

#[test]
fn device_that_is_pulled_while_it_is_asked_is_unplugged_not_silent() {
    let bench = TestBench::new(1, 0, "delay=60000");
    let mut device = keystation_device::driver::SmpDevice::new(ports::open(bench.bench.port(0)).unwrap());
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| device.identify());
        assert!(bench.bench.unplug(0));
        assert!(matches!(asked.join().unwrap(), Err(DeviceError::Unplugged(_))));
    });
}

#[test]
fn port_that_is_written_to_and_never_read_runs_into_its_limit() {
    let bench = TestBench::new(1, 0, "delay=60000");
    let mut port = ports::open(bench.bench.port(0)).unwrap();
    port.send(b"\x06\x09AAsIAAABS1MBAKD99Q==\n", LONG).unwrap();
    // More at once than the terminal holds: a write that blocks would never return.
    let full = loop {
        match port.send(&[b'x'; 100_000], Duration::from_millis(50)) {
            Ok(_) => {}
            Err(e) => break e,
        }
    };
    assert!(matches!(full.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock), "{full}");
}
