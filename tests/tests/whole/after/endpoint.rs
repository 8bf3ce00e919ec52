//! An HTTP endpoint that fails as a test wants it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A record as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) seq: u64,
    pub(super) leaf: String,
    pub(super) key: String,
    pub(super) body: Vec<u8>,
}

/// What an endpoint does with a request.
#[derive(Debug, Clone, Copy)]
enum Whim {
    Takes,
    /// Takes it and is late.
    Slow,
    /// 500 or 503.
    Error(u16),
    /// Closes without reading.
    Cut,
    /// Takes it, and closes without an answer.
    Mute,
    /// Takes it, and breaks off in the middle of its answer.
    Half,
}

/// An endpoint on this machine.
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    taken: Arc<(Mutex<Vec<Taken>>, Condvar)>,
}

impl Endpoint {
    /// One that fails at one request of about `one_of`.
    pub(super) fn failing(seed: u64, one_of: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let random = Arc::new(Mutex::new(seed | 1));
        let into = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (into, random) = (Arc::clone(&into), Arc::clone(&random));
                // A client that was killed leaves a broken connection.
                thread::spawn(move || drop(serve(&stream, &into, &mut || whim(&random, one_of))));
            }
        });
        Self { address, taken }
    }

    /// Waits until it has taken so many, each counted as often as it came.
    pub(super) fn until(&self, count: usize) {
        let (taken, came) = &*self.taken;
        let waited = came
            .wait_timeout_while(taken.lock().unwrap(), Duration::from_secs(240), |taken| taken.len() < count);
        assert!(!waited.unwrap().1.timed_out(), "{count} records come");
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.taken.0.lock().unwrap().clone()
    }
}

fn whim(random: &Mutex<u64>, one_of: u64) -> Whim {
    let mut random = random.lock().unwrap();
    // Marsaglia's xorshift64.
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    if !(*random >> 8).is_multiple_of(one_of) {
        return Whim::Takes;
    }
    match (*random >> 40) % 6 {
        0 => Whim::Slow,
        1 => Whim::Error(500),
        2 => Whim::Error(503),
        3 => Whim::Cut,
        4 => Whim::Mute,
        _ => Whim::Half,
    }
}

fn serve(
    stream: &TcpStream,
    into: &(Mutex<Vec<Taken>>, Condvar),
    whim: &mut dyn FnMut() -> Whim,
) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let (mut first, mut length) = (true, 0);
        let mut taken = Taken { seq: u64::MAX, leaf: String::new(), key: String::new(), body: Vec::new() };
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if std::mem::take(&mut first) {
                assert!(line.starts_with("POST / HTTP/1.1"), "{line}");
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "keystation-seq" => taken.seq = value.parse().unwrap(),
                    "keystation-leaf" => value.clone_into(&mut taken.leaf),
                    "idempotency-key" => value.clone_into(&mut taken.key),
                    _ => {}
                }
            }
        }
        let whim = whim();
        if matches!(whim, Whim::Cut) {
            return Ok(());
        }
        taken.body = vec![0; length];
        reader.read_exact(&mut taken.body)?;
        if let Whim::Error(status) = whim {
            write!(writer, "HTTP/1.1 {status} Not now\r\nContent-Length: 4\r\n\r\noops")?;
            continue;
        }
        {
            into.0.lock().unwrap().push(taken);
            into.1.notify_all();
        }
        match whim {
            Whim::Mute => return Ok(()),
            Whim::Half => {
                write!(writer, "HTTP/1.1 20")?;
                return Ok(());
            }
            // Late is late: nothing is waited for here.
            Whim::Slow => thread::sleep(Duration::from_millis(50)),
            _ => {}
        }
        write!(writer, "HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}
