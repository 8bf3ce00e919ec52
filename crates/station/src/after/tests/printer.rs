//! A printer at the other end of a TCP connection, as good or bad as a test wants it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const READY: &str = "\x02030,0,0,0248,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";
const NO_PAPER: &str = "\x02030,1,0,0248,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";

/// What a printer does with one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Prints.
    Good,
    /// Prints, a few bytes at a time.
    Slow,
    /// Says that it is ready, and goes away in the middle of the label.
    HalfWay,
    /// Takes the label, and goes away without a word.
    Mute,
    /// Takes the connection, reads nothing and says nothing.
    Deaf,
    /// Says that it is ready, and from then on reads nothing and says nothing.
    Stuck,
    /// Prints what it is sent until the other side ends, and does not close.
    Keeps,
    /// Has no paper.
    NoPaper,
    /// Is no printer.
    Stranger,
}

/// A printer; it stops with the test.
pub(super) struct Printer {
    pub(super) address: SocketAddr,
    /// What it does with the connections to come; the last one stays.
    moods: Arc<Mutex<Vec<Mood>>>,
    /// Labels that it has, in its order.
    printed: Receiver<String>,
}

impl Printer {
    pub(super) fn new(moods: &[Mood]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), moods)
    }

    pub(super) fn on(listener: TcpListener, moods: &[Mood]) -> Self {
        let address = listener.local_addr().unwrap();
        let moods = Arc::new(Mutex::new(moods.to_vec()));
        let (tell, printed) = mpsc::channel();
        let coming = Arc::clone(&moods);
        thread::spawn(move || {
            // Connections that nobody closes.
            let mut kept = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let mood = {
                    let mut moods = coming.lock().unwrap();
                    if moods.len() > 1 { moods.remove(0) } else { moods[0] }
                };
                if matches!(mood, Mood::Deaf | Mood::Stuck | Mood::Keeps) {
                    kept.push(stream.try_clone().expect("there are descriptors left"));
                }
                // A connection that breaks is what some moods are about.
                drop(serve(stream, mood, &tell));
            }
        });
        Self { address, moods, printed }
    }

    pub(super) fn becomes(&self, mood: Mood) {
        *self.moods.lock().unwrap() = vec![mood];
    }

    /// The next `count` labels that it prints.
    pub(super) fn next(&self, count: usize) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(120);
        let next = || self.printed.recv_timeout(until - Instant::now()).expect("the label comes");
        (0..count).map(|_| next()).collect()
    }

    /// Whether it has printed more.
    pub(super) fn has_more(&self) -> bool {
        self.printed.try_recv().is_ok()
    }

    pub(super) fn section(&self) -> String {
        format!(
            "[[printer]]\nname = \"bench\"\naddress = \"{}\"\n{}",
            self.address,
            label("bench", "example", "qr")
        )
    }
}

/// The section of a label in ZPL.
pub(super) fn label(printer: &str, profile: &str, symbol: &str) -> String {
    format!(
        "[[label]]\nprofile = \"{profile}.toml\"\nprinter = \"{printer}\"\ntemplate = \"example.zpl\"\nsymbol = \"{symbol}\"\nmodule_dots = 4\n"
    )
}

fn serve(mut stream: TcpStream, mood: Mood, tell: &Sender<String>) -> std::io::Result<()> {
    if mood == Mood::Deaf {
        return Ok(());
    }
    let (mut got, mut buffer) = (Vec::<u8>::new(), vec![0; if mood == Mood::Slow { 97 } else { 4096 }]);
    loop {
        let size = stream.read(&mut buffer)?;
        if size == 0 {
            // Whoever asks nothing behind a label ends with it.
            if let Some(label) = whole(&got) {
                tell.send(label).expect("the test waits");
            }
            return Ok(());
        }
        got.extend(&buffer[..size]);
        if mood == Mood::Slow {
            // A slow printer is slow: this is no waiting for something to happen.
            thread::sleep(Duration::from_millis(2));
        }
        if mood == Mood::HalfWay && got.len() > 600 {
            // With bytes unread, as a printer that is switched off.
            return Ok(());
        }
        while let Some(at) = find(&got, b"~HS") {
            let before: Vec<u8> = got.drain(..at + 3).take(at).collect();
            if mood == Mood::Mute && !before.is_empty() {
                return Ok(());
            }
            if let Some(label) = whole(&before) {
                tell.send(label).expect("the test waits");
            }
            let answer = match mood {
                Mood::NoPaper => NO_PAPER,
                Mood::Stranger => "HTTP/1.1 400 Bad Request\r\n\x03\x03\x03",
                _ => READY,
            };
            stream.write_all(answer.as_bytes())?;
            if mood == Mood::Stuck {
                return Ok(());
            }
        }
    }
}

/// A label that is complete.
fn whole(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).unwrap().trim();
    (text.starts_with("^XA") && text.ends_with("^XZ")).then(|| text.to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
