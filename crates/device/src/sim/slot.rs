//! One simulated device on its pseudo-terminal, on a thread of its own.

use std::convert::Infallible;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use zeroize::Zeroizing;

use super::bench::{Event, What};
use super::device::{Reply, SimDevice};
use super::line::Pace;
use super::pty::Pty;
use super::script::{Blow, Direction, Faults};
use crate::hotplug::{Interrupt, Waited, notifier, poll, wait_for};

/// What the bench tells a slot to do. The sender hears when it is done.
pub(super) enum Order {
    Unplug(SyncSender<()>),
    Plug(SyncSender<()>),
    Faults(Faults, SyncSender<()>),
    /// Another device in the place of this one.
    Insert(Box<(SimDevice, Faults)>, SyncSender<()>),
    Stop,
}

/// Why the power went away.
enum Cut {
    /// For a moment, or by its own will.
    Restart,
    /// The cable was pulled.
    Unplug,
    /// The bench is switched off.
    Stop,
    Failed(io::Error),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) struct Slot {
    pub(super) number: usize,
    pub(super) device: SimDevice,
    pub(super) faults: Faults,
    pub(super) link: PathBuf,
    pub(super) orders: Receiver<Order>,
    pub(super) wake: Interrupt,
    pub(super) watch: Arc<dyn Fn(Event) + Send + Sync>,
    receiving: Pace,
    sending: Pace,
    received: u64,
    sent: u64,
    /// It has said its last word.
    silent: bool,
    noise: u32,
    /// Who waits to hear that an order was carried out.
    waiting: Option<SyncSender<()>>,
    /// Tells of closed ends of the pseudo-terminals, one after the other.
    closed: Option<Arc<OwnedFd>>,
}

/// Bytes that are sent in one go: a chunk of 2.8 ms at 115200 baud.
const CHUNK: usize = 32;
const LOG_LINE: &[u8] = b"[00:00:01.234,000] <inf> app: still here\r\n";

impl Slot {
    pub(super) fn new(
        number: usize,
        device: SimDevice,
        faults: Faults,
        link: &Path,
        baud: Option<NonZeroU32>,
        (orders, wake): (Receiver<Order>, Interrupt),
        watch: Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        Self {
            number,
            device,
            faults,
            link: link.to_owned(),
            orders,
            wake,
            watch,
            receiving: Pace::new(baud),
            sending: Pace::new(baud),
            received: 0,
            sent: 0,
            silent: false,
            noise: 1,
            waiting: None,
            closed: None,
        }
    }

    /// Until the bench is switched off.
    pub(super) fn run(mut self) {
        loop {
            match self.plugged_in() {
                Cut::Stop => return,
                Cut::Failed(error) => {
                    self.tell(What::Failed(error.to_string()));
                    return;
                }
                Cut::Restart | Cut::Unplug => self.tell(What::Unplugged),
            }
            if !self.unplugged() {
                return;
            }
        }
    }

    fn tell(&mut self, what: What) {
        (self.watch)(Event { device: self.number, path: self.link.clone(), what });
        self.done();
    }

    /// The order is carried out; a bench that no longer listens does not mind.
    fn done(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(());
        }
    }

    /// Waits for the cable. Says whether it came.
    fn unplugged(&mut self) -> bool {
        while let Ok(order) = self.orders.recv() {
            match order {
                Order::Plug(waiting) => {
                    self.waiting = Some(waiting);
                    return true;
                }
                Order::Faults(faults, waiting) => self.set_faults(faults, waiting),
                Order::Insert(new, waiting) => {
                    self.insert(*new, waiting);
                    self.done();
                }
                Order::Unplug(waiting) => {
                    self.waiting = Some(waiting);
                    self.done();
                }
                Order::Stop => return false,
            }
        }
        false
    }

    fn plugged_in(&mut self) -> Cut {
        match self.connected() {
            Err(cut) => cut,
            Ok(never) => match never {},
        }
    }

    fn connected(&mut self) -> Result<Infallible, Cut> {
        (self.received, self.sent, self.silent) = (0, 0, false);
        // It starts before it can be found, as a bus-powered device does: who finds it is heard, unless a start takes time.
        self.device.start()?;
        if self.closed.is_none() {
            self.closed = notifier()?.map(Arc::new);
        }
        let pty = Pty::open(&self.link, self.closed.clone())?;
        self.tell(What::Ready(pty.name().to_owned()));
        loop {
            match self.powered(&pty) {
                Ok(()) | Err(Cut::Restart) => self.device.start()?,
                Err(Cut::Stop) => {
                    pty.drain(&self.wake)?;
                    return Err(Cut::Stop);
                }
                Err(cut) => return Err(cut),
            }
        }
    }

    /// From power on to the next restart.
    fn powered(&mut self, pty: &Pty) -> Result<(), Cut> {
        if self.faults.banner {
            self.transmit(pty, b"*** Booting Zephyr OS build v4.1.0 ***\r\n")?;
            self.transmit(pty, LOG_LINE)?;
        }
        if !self.faults.boot.is_zero() {
            self.wait(Instant::now() + self.faults.boot)?;
            // Nobody listened while it started.
            while pty.read(&mut [0; 64])? > 0 {}
        }
        if !self.faults.no_ready {
            self.transmit(pty, b"\n")?;
        }
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(pty.device(), PollFlags::IN),
                PollFd::new(&self.wake, PollFlags::IN),
                // Without it a station that was killed keeps the port to itself until the cable is pulled.
                PollFd::from_borrowed_fd(pty.closed().unwrap_or(self.wake.as_fd()), PollFlags::IN),
            ];
            poll(&mut fds, Instant::now() + Duration::from_secs(3600))?;
            let [bytes, woken, closed] = fds.map(|fd| !fd.revents().is_empty());
            if woken {
                self.obey()?;
            }
            if closed {
                pty.forget_station()?;
            }
            if bytes && self.receive(pty)? {
                return Ok(());
            }
        }
    }

    /// Takes what has come, and answers. Says whether the device restarts.
    fn receive(&mut self, pty: &Pty) -> Result<bool, Cut> {
        let mut buffer = Zeroizing::new([0; 64]);
        let count = pty.read(&mut *buffer)?;
        let passed = self.receiving.pass(Instant::now(), count);
        self.wait(passed)?;
        for &byte in &buffer[..count] {
            let blow = self.faults.strike(Direction::Received, self.received);
            self.received += 1;
            let (byte, times) = match blow {
                None => (byte, 1),
                Some(Blow::Flip) => (byte ^ 1, 1),
                Some(Blow::Drop) => (byte, 0),
                Some(Blow::Duplicate) => (byte, 2),
                Some(Blow::Reset) => return Ok(true),
                Some(Blow::Unplug) => return Err(Cut::Unplug),
            };
            for _ in 0..times {
                if let Some(reply) = self.device.receive(byte)
                    && self.answer(pty, &reply)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Says whether the device restarts after it.
    fn answer(&mut self, pty: &Pty, reply: &Reply) -> Result<bool, Cut> {
        let named = |name: &Option<String>| name.as_deref() == Some(reply.command);
        if reply.command == "commit" && std::mem::take(&mut self.faults.reset_before_ack) {
            return Ok(true);
        }
        self.wait(Instant::now() + self.faults.delay)?;
        while self.faults.flood {
            let noise = self.noise(256);
            self.transmit(pty, &noise)?;
        }
        if self.silent || named(&self.faults.silent) {
            return Ok(reply.restarts);
        }
        self.silent = named(&self.faults.silent_after);
        let noise = self.noise(self.faults.noise);
        self.transmit(pty, &noise)?;
        if self.faults.huge_frame {
            let huge: Vec<u8> = b"\x06\x09".iter().copied().chain([b'A'; 100_000]).collect();
            self.transmit(pty, &huge)?;
        }
        let wire = match named(&self.faults.half_frame) {
            true => &reply.wire[..reply.wire.len() / 2],
            false => &reply.wire[..],
        };
        for frame in wire.split_inclusive(|&byte| byte == b'\n') {
            if self.faults.chatter {
                self.transmit(pty, LOG_LINE)?;
            }
            self.transmit(pty, frame)?;
        }
        Ok(reply.restarts)
    }

    fn transmit(&mut self, pty: &Pty, bytes: &[u8]) -> Result<(), Cut> {
        for chunk in bytes.chunks(if self.faults.split.is_some() { 1 } else { CHUNK }) {
            let mut out = Zeroizing::new(Vec::with_capacity(2 * CHUNK));
            let mut cut = None;
            for &byte in chunk {
                let blow = self.faults.strike(Direction::Sent, self.sent);
                self.sent += 1;
                match blow {
                    None => out.push(byte),
                    Some(Blow::Flip) => out.push(byte ^ 1),
                    Some(Blow::Drop) => {}
                    Some(Blow::Duplicate) => out.extend([byte, byte]),
                    Some(Blow::Reset) => cut = Some(Cut::Restart),
                    Some(Blow::Unplug) => cut = Some(Cut::Unplug),
                }
                if cut.is_some() {
                    break;
                }
            }
            let passed = self.sending.pass(Instant::now(), out.len());
            self.wait(passed)?;
            self.put(pty, &out)?;
            if let Some(cut) = cut {
                return Err(cut);
            }
            if let Some(pause) = self.faults.split {
                self.wait(Instant::now() + pause)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, pty: &Pty, mut bytes: &[u8]) -> Result<(), Cut> {
        while !bytes.is_empty() {
            let count = pty.write(bytes)?;
            bytes = &bytes[count..];
            if count == 0 {
                let hour = Instant::now() + Duration::from_secs(3600);
                if wait_for(pty.device(), PollFlags::OUT, hour, &self.wake)? == Waited::Interrupted {
                    self.obey()?;
                }
            }
        }
        Ok(())
    }

    /// Waits for a moment; an order may come first.
    fn wait(&mut self, until: Instant) -> Result<(), Cut> {
        while Instant::now() < until {
            let mut fds = [PollFd::new(&self.wake, PollFlags::IN)];
            poll(&mut fds, until)?;
            if !fds[0].revents().is_empty() {
                self.obey()?;
            }
        }
        Ok(())
    }

    fn obey(&mut self) -> Result<(), Cut> {
        self.wake.clear()?;
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Unplug(waiting) => {
                    self.waiting = Some(waiting);
                    return Err(Cut::Unplug);
                }
                Order::Plug(waiting) => {
                    self.waiting = Some(waiting);
                    self.done();
                }
                Order::Faults(faults, waiting) => self.set_faults(faults, waiting),
                Order::Insert(new, waiting) => {
                    self.insert(*new, waiting);
                    return Err(Cut::Unplug);
                }
                Order::Stop => return Err(Cut::Stop),
            }
        }
        Ok(())
    }

    fn set_faults(&mut self, faults: Faults, waiting: SyncSender<()>) {
        self.device.set_faults(faults.clone());
        self.faults = faults;
        self.waiting = Some(waiting);
        self.done();
    }

    fn insert(&mut self, (device, faults): (SimDevice, Faults), waiting: SyncSender<()>) {
        (self.device, self.faults) = (device, faults);
        self.waiting = Some(waiting);
    }

    /// Bytes that look like nothing, the same in every run (Numerical Recipes' linear congruential generator).
    fn noise(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.noise >> 24) as u8
        };
        (0..count).map(|_| next()).collect()
    }
}
