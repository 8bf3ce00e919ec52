//! logind, over GDBus: the library that GTK brings. A thread of its own listens, whatever the window does.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gtk::gio::{
    self, BusType, Cancellable, DBusConnection, DBusConnectionFlags, DBusMessage, DBusSendMessageFlags,
    DBusSignalFlags, SignalSubscriptionId, UnixFDList,
};
use gtk::glib::variant::{ObjectPath, ToVariant};
use gtk::glib::{Error, FromVariant, MainContext, MainLoop, Variant, VariantDict};

use super::Departure;

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// logind answers at once or not at all.
const PATIENCE_MS: i32 = 2_000;
/// Until a bus that was lost is looked for again. No event tells that it is back.
const AGAIN: Duration = Duration::from_secs(5);
const NEVER: Option<&Cancellable> = None;

/// A thread that listens to logind, until this is dropped.
pub(crate) struct Watch {
    ears: MainLoop,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Listens on the system bus. `told` is called on the thread of this watch, and the machine waits for its end before it
    /// sleeps or is shut down.
    pub(crate) fn start(told: impl Fn(Departure) + Send + 'static) -> std::io::Result<Self> {
        let ears = MainLoop::new(Some(&MainContext::new()), false);
        let (stop, stopped) = mpsc::channel();
        let heard = ears.clone();
        let thread = thread::Builder::new()
            .name("machine".to_owned())
            .spawn(move || listen(&heard, &stopped, &(Rc::new(told) as Told)))?;
        Ok(Self { ears, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Asked for within the loop: before it runs, a request to end it would be lost.
        let ears = self.ears.clone();
        self.ears.context().invoke(move || ears.quit());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that listens to the machine panicked");
        }
    }
}

type Told = Rc<dyn Fn(Departure)>;

/// The thread of a watch. The first failure ends it: there is no such bus here. One that is lost later is looked for again.
fn listen(ears: &MainLoop, stopped: &Receiver<()>, told: &Told) {
    let context = ears.context();
    let mut known = false;
    loop {
        let connected = context.with_thread_default(|| Logind::connect(ears, told));
        match connected.expect("nobody else uses the context of this thread") {
            Ok(logind) => {
                known = true;
                ears.run();
                let ended = context.with_thread_default(|| {
                    drop(logind);
                    // What the subscriptions held goes by way of the loop.
                    while context.iteration(false) {}
                });
                ended.expect("nobody else uses the context of this thread");
            }
            Err(error) => tracing::info!(%error, "the machine's sleep and screen lock are not heard"),
        }
        if !known || stopped.recv_timeout(AGAIN) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// The connection and what was subscribed to on it.
struct Logind {
    bus: DBusConnection,
    subscriptions: Vec<SignalSubscriptionId>,
}

impl Drop for Logind {
    fn drop(&mut self) {
        for subscription in self.subscriptions.drain(..) {
            self.bus.signal_unsubscribe(subscription);
        }
        if let Err(error) = self.bus.close_sync(NEVER)
            && !self.bus.is_closed()
        {
            tracing::debug!(%error, "the bus was not closed");
        }
    }
}

impl Logind {
    /// Subscribes to what logind tells. The signals come in the thread's default context.
    fn connect(ears: &MainLoop, told: &Told) -> Result<Self, Error> {
        let address = gio::dbus_address_get_for_bus_sync(BusType::System, NEVER)?;
        if !is_local(&address) {
            return Err(Error::new(gio::IOErrorEnum::NotSupported, "the system bus is no UNIX socket"));
        }
        let flags = DBusConnectionFlags::AUTHENTICATION_CLIENT | DBusConnectionFlags::MESSAGE_BUS_CONNECTION;
        let bus = DBusConnection::for_address_sync(&address, flags, None, NEVER)?;
        bus.set_exit_on_close(false);
        let closed = ears.clone();
        bus.connect_closed(move |_, _, _| closed.quit());

        let mut logind = Self { bus: bus.clone(), subscriptions: Vec::new() };
        // While this is held, logind waits.
        let delay = Rc::new(RefCell::new(None));
        // Our own session, where logind can tell it.
        let own = Rc::new(RefCell::new(None::<String>));

        for (signal, departure) in
            [("PrepareForSleep", Departure::Suspend), ("PrepareForShutdown", Departure::Shutdown)]
        {
            let (tell, held) = (Rc::clone(told), Rc::clone(&delay));
            logind.subscribe(NAME, MANAGER, signal, None, move |bus, _, (begins,): (bool,)| {
                if begins {
                    tell(departure);
                    held.take();
                } else {
                    held.replace(delay_lock(bus));
                }
            });
        }
        let (tell, session) = (Rc::clone(told), Rc::clone(&own));
        logind.subscribe(NAME, SESSION, "Lock", None, move |_, path, (): ()| {
            if is_own(&session.borrow(), path) {
                tell(Departure::ScreenLock);
            }
        });
        // Desktops that lock by themselves set a hint, and no signal is sent.
        let (tell, session) = (Rc::clone(told), Rc::clone(&own));
        let hint = move |_: &DBusConnection, path: &str, (_, changed, _): Changed| {
            let locked = changed.lookup::<bool>("LockedHint").ok().flatten();
            if locked == Some(true) && is_own(&session.borrow(), path) {
                tell(Departure::ScreenLock);
            }
        };
        logind.subscribe(NAME, PROPERTIES, "PropertiesChanged", Some(SESSION), hint);
        // logind started anew knows of no lock.
        let (held, session) = (Rc::clone(&delay), Rc::clone(&own));
        let owner = move |bus: &DBusConnection, _: &str, (_, _, new): (String, String, String)| {
            if !new.is_empty() {
                session.replace(own_session(bus));
                held.replace(delay_lock(bus));
            }
        };
        logind.subscribe(
            "org.freedesktop.DBus",
            "org.freedesktop.DBus",
            "NameOwnerChanged",
            Some(NAME),
            owner,
        );

        own.replace(own_session(&bus));
        delay.replace(delay_lock(&bus));
        Ok(logind)
    }

    /// Calls `heard` for each such signal, with the object that it comes from and what it carries.
    fn subscribe<T: FromVariant>(
        &mut self,
        sender: &str,
        interface: &str,
        signal: &str,
        first: Option<&str>,
        heard: impl Fn(&DBusConnection, &str, T) + 'static,
    ) {
        let hear = move |bus: &DBusConnection, _: &str, path: &str, _: &str, _: &str, body: &Variant| {
            if let Some(body) = body.get::<T>() {
                heard(bus, path, body);
            }
        };
        let (sender, interface, signal) = (Some(sender), Some(interface), Some(signal));
        let flags = DBusSignalFlags::NONE;
        self.subscriptions
            .push(self.bus.signal_subscribe(sender, interface, signal, None, first, flags, hear));
    }
}

/// Of `PropertiesChanged`: interface, new values, names without values.
type Changed = (String, VariantDict, Vec<String>);

/// Every part of the address is a socket of this machine: no bus is worth a network.
fn is_local(address: &str) -> bool {
    address.split(';').all(|part| part.starts_with("unix:"))
}

/// Where logind cannot tell which session is ours, the lock of any is.
fn is_own(own: &Option<String>, path: &str) -> bool {
    own.as_deref().is_none_or(|own| own == path)
}

/// Our session, as an object of logind. A station that runs as a service has none.
fn own_session(bus: &DBusConnection) -> Option<String> {
    let this_process = (std::process::id(),).to_variant();
    let reply = ask(bus, "GetSessionByPID", &this_process)?;
    Some(reply.body()?.get::<(ObjectPath,)>()?.0.as_str().to_owned())
}

/// Has logind wait with sleep and shutdown, for at most its `InhibitDelayMaxSec`, until the descriptor is closed: with the list.
fn delay_lock(bus: &DBusConnection) -> Option<UnixFDList> {
    let what = ("sleep:shutdown", "Keystation", "wipes the keys of the station", "delay").to_variant();
    ask(bus, "Inhibit", &what)?.unix_fd_list()
}

/// One question to logind.
fn ask(bus: &DBusConnection, method: &str, arguments: &Variant) -> Option<DBusMessage> {
    let question = DBusMessage::new_method_call(Some(NAME), PATH, Some(MANAGER), method);
    question.set_body(arguments);
    let reply = bus.send_message_with_reply_sync(&question, DBusSendMessageFlags::NONE, PATIENCE_MS, NEVER);
    let failed = match reply {
        // Not by `to_gerror`, whose binding takes true for no error.
        Ok((reply, _)) => match reply.error_name() {
            None => return Some(reply),
            Some(name) => name.to_string(),
        },
        Err(error) => error.to_string(),
    };
    tracing::info!(failed, method, "logind does not answer");
    None
}
