//! Work on threads that nobody waits for: a serial driver may take half a minute to open or to close a port.
//!
//! Closing a USB CDC port whose device does not read takes 31 seconds (`closing_wait` of the driver), and until then
//! opening it again may block as long.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Drops `thing` elsewhere and comes back at once. Where no thread can be had it is dropped here.
pub(crate) fn drop_aside<T: Send + 'static>(thing: T) {
    // The closure, and what is in it, is dropped by whoever could not start the thread.
    let _ = thread::Builder::new().name("close port".to_owned()).spawn(move || drop(thing));
}

/// What `work` makes, or `None` where it takes longer than `limit`: what it still makes then is dropped on its thread.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<Option<T>> {
    let (done, made) = mpsc::sync_channel(1);
    thread::Builder::new().name("open port".to_owned()).spawn(move || {
        // Nobody waits any more: what was made comes back with the error, and is dropped here.
        drop(done.send(work()));
    })?;
    Ok(made.recv_timeout(limit).ok())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// A port whose driver does not let go until it is told to, and says when it did.
    struct Held {
        release: Receiver<()>,
        closed: Sender<()>,
    }

    impl Drop for Held {
        fn drop(&mut self) {
            self.release.recv().unwrap();
            self.closed.send(()).unwrap();
        }
    }

    fn held() -> (Held, Sender<()>, Receiver<()>) {
        let ((let_go, release), (closed, seen)) = (channel(), channel());
        (Held { release, closed }, let_go, seen)
    }

    #[test]
    fn nobody_waits_for_a_close_that_is_held() {
        let (port, let_go, seen) = held();
        drop_aside(port);
        assert!(seen.try_recv().is_err(), "it is still closing, and this thread goes on");
        let_go.send(()).unwrap();
        seen.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn an_open_that_is_held_ends_with_its_limit_and_is_closed_when_it_comes() {
        let (port, let_go, seen) = held();
        let (open, opening) = channel::<()>();
        let came = within(Duration::from_millis(20), move || {
            opening.recv().unwrap();
            port
        });
        assert!(came.unwrap().is_none());
        open.send(()).unwrap();
        let_go.send(()).unwrap();
        seen.recv_timeout(LONG).unwrap();
        assert_eq!(within(LONG, || 7).unwrap(), Some(7));
    }
}
