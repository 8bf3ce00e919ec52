//! A dbus-daemon of our own in place of the system bus, and on it a logind that does as it is told. The address of the
//! bus is in the environment, so each test has a process of its own.

#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gtk::gio::prelude::*;
use gtk::gio::{
    self, BusNameOwnerFlags, Cancellable, DBusConnection, DBusConnectionFlags, DBusNodeInfo, UnixFDList,
};
use gtk::glib::variant::{Handle, ObjectPath, ToVariant};
use gtk::glib::{MainContext, MainLoop, VariantDict};
use tempfile::TempDir;

use super::{Departure, Watch};

/// Tells the child from the test that starts it: the address of its bus.
const ADDRESS: &str = "DBUS_SYSTEM_BUS_ADDRESS";
const CHILD: &str = "KEYSTATION_TEST_CHILD";
/// Within this the keys are gone.
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// For what is no subject of the test, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

const OURS: &str = "/org/freedesktop/login1/session/_31";
const OTHERS: &str = "/org/freedesktop/login1/session/_32";
const INTERFACES: &str = r#"<node>
  <interface name="org.freedesktop.login1.Manager">
    <method name="Inhibit">
      <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
      <arg type="s" direction="in"/><arg type="h" direction="out"/>
    </method>
    <method name="GetSessionByPID"><arg type="u" direction="in"/><arg type="o" direction="out"/></method>
    <signal name="PrepareForSleep"><arg type="b"/></signal>
    <signal name="PrepareForShutdown"><arg type="b"/></signal>
  </interface>
</node>"#;

/// Whether this is the process in which a test runs; its system bus then.
pub(crate) fn own_process() -> Option<String> {
    env::var_os(CHILD)?;
    env::var_os(ADDRESS)?.into_string().ok()
}

/// Runs the test of this name in a process of its own, with this system bus.
pub(crate) fn in_a_process(name: &str, address: &str) {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
    let output = child.env(CHILD, "1").env(ADDRESS, address).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// A bus of our own; it ends with this value.
pub(crate) struct Bus {
    daemon: Child,
    pub(crate) address: String,
    _directory: TempDir,
}

impl Bus {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = directory.path().join("bus.conf");
        let socket = directory.path().join("bus").display().to_string();
        let all = "<allow user='*'/><allow own='*'/><allow send_destination='*'/><allow receive_sender='*'/>";
        let text = format!(
            "<busconfig><type>keystation</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
             <policy context='default'>{all}</policy></busconfig>"
        );
        fs::write(&settings, text).unwrap();
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--nofork", "--print-address", "--config-file"]).arg(settings);
        let mut daemon = daemon
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`cargo xtask test` installs it");
        let mut address = String::new();
        BufReader::new(daemon.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_owned(), _directory: directory }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// What was asked of the stand-in.
enum Asked {
    /// It owns its name.
    Ready,
    /// To wait with sleep: the other end of the lock that it gave.
    Wait(UnixStream),
}

/// A stand-in for logind.
pub(crate) struct Logind {
    bus: DBusConnection,
    asked: Receiver<Asked>,
    ears: MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Logind {
    pub(crate) fn start(address: &str) -> Self {
        let flags = DBusConnectionFlags::AUTHENTICATION_CLIENT | DBusConnectionFlags::MESSAGE_BUS_CONNECTION;
        let bus = DBusConnection::for_address_sync(address, flags, None, None::<&Cancellable>).unwrap();
        let ears = MainLoop::new(Some(&MainContext::new()), false);
        let (tell, asked) = mpsc::channel();
        let (served, heard) = (bus.clone(), ears.clone());
        let thread = thread::spawn(move || {
            let serve = || serve(&served, &tell);
            heard.context().with_thread_default(serve).unwrap();
            heard.run();
        });
        let logind = Self { bus, asked, ears, thread: Some(thread) };
        assert!(matches!(logind.asked.recv_timeout(PATIENCE), Ok(Asked::Ready)));
        logind
    }

    /// Waits until somebody asks to be waited for.
    pub(crate) fn delay(&self) -> UnixStream {
        match self.asked.recv_timeout(PATIENCE) {
            Ok(Asked::Wait(lock)) => lock,
            _ => panic!("nobody asks logind to wait"),
        }
    }

    fn emit(&self, path: &str, interface: &str, signal: &str, body: &gtk::glib::Variant) {
        self.bus.emit_signal(None, path, interface, signal, Some(body)).unwrap();
    }

    pub(crate) fn sleep(&self, begins: bool) {
        self.prepare("PrepareForSleep", begins);
    }

    pub(crate) fn shutdown(&self, begins: bool) {
        self.prepare("PrepareForShutdown", begins);
    }

    fn prepare(&self, signal: &str, begins: bool) {
        let body = (begins,).to_variant();
        self.emit("/org/freedesktop/login1", "org.freedesktop.login1.Manager", signal, &body);
    }

    pub(crate) fn lock(&self, session: &str) {
        self.emit(session, "org.freedesktop.login1.Session", "Lock", &().to_variant());
    }

    fn hint(&self, session: &str, locked: bool) {
        let changed = VariantDict::new(None);
        changed.insert("LockedHint", locked);
        let none: Vec<String> = Vec::new();
        let body = ("org.freedesktop.login1.Session", changed.end(), none);
        let body = gtk::glib::Variant::tuple_from_iter([body.0.to_variant(), body.1, body.2.to_variant()]);
        self.emit(session, "org.freedesktop.DBus.Properties", "PropertiesChanged", &body);
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        let ears = self.ears.clone();
        self.ears.context().invoke(move || ears.quit());
        drop(self.thread.take().unwrap().join());
        drop(self.bus.close_sync(None::<&Cancellable>));
    }
}

/// Answers on the thread whose default context this is.
fn serve(bus: &DBusConnection, tell: &Sender<Asked>) {
    let interface = DBusNodeInfo::for_xml(INTERFACES).unwrap();
    let interface = interface.lookup_interface("org.freedesktop.login1.Manager").unwrap();
    let asked = std::sync::Mutex::new(tell.clone());
    let answer = move |_: DBusConnection,
                       _: &str,
                       _: &str,
                       _: &str,
                       method: &str,
                       body: gtk::glib::Variant,
                       call: gio::DBusMethodInvocation| {
        match method {
            "Inhibit" => {
                let body: (String, String, String, String) = body.get().unwrap();
                assert_eq!((body.0.as_str(), body.3.as_str()), ("sleep:shutdown", "delay"));
                let (given, kept) = UnixStream::pair().unwrap();
                let list = UnixFDList::new();
                let place = list.append(given).unwrap();
                call.return_value_with_unix_fd_list(Some(&(Handle(place),).to_variant()), Some(&list));
                asked.lock().unwrap().send(Asked::Wait(kept)).unwrap();
            }
            _ => {
                assert_eq!(body.get::<(u32,)>(), Some((std::process::id(),)));
                let ours = ObjectPath::try_from(OURS.to_owned()).unwrap();
                call.return_value(Some(&(ours,).to_variant()));
            }
        }
    };
    bus.register_object(
        "/org/freedesktop/login1",
        &interface,
        answer,
        |_, _, _, _, _| ().to_variant(),
        |_, _, _, _, _, _| false,
    )
    .unwrap();
    let ready = std::sync::Mutex::new(tell.clone());
    gio::bus_own_name_on_connection(
        bus,
        "org.freedesktop.login1",
        BusNameOwnerFlags::NONE,
        move |_, _| drop(ready.lock().unwrap().send(Asked::Ready)),
        |_, _| {},
    );
}

/// Waits until nobody holds the lock any more, which is when the machine would go to sleep, or down.
pub(crate) fn released(mut lock: UnixStream) {
    lock.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(lock.read(&mut [0]).unwrap(), 0, "it is closed, and nothing was written");
}

#[test]
fn sleep_and_shutdown_wait_for_the_keys_and_the_lock_of_our_screen_counts() {
    let Some(address) = own_process() else {
        let bus = Bus::start();
        let name = "machine::tests::sleep_and_shutdown_wait_for_the_keys_and_the_lock_of_our_screen_counts";
        return in_a_process(name, &bus.address);
    };
    let logind = Logind::start(&address);
    let (tell, told) = mpsc::channel();
    let watch = Watch::start(move |departure| tell.send((departure, Instant::now())).unwrap()).unwrap();
    let lock = logind.delay();

    // Told first, then the machine may sleep.
    let asked = Instant::now();
    logind.sleep(true);
    released(lock);
    let (departure, at) = told.try_recv().expect("it was told before the lock was given back");
    assert_eq!(departure, Departure::Suspend);
    assert!(at - asked < SECOND);
    logind.sleep(false);
    let lock = logind.delay();

    // The same when the machine is shut down; one that thinks better of it is waited for again.
    logind.shutdown(true);
    released(lock);
    let (departure, _) = told.try_recv().expect("it was told before the lock was given back");
    assert_eq!(departure, Departure::Shutdown);
    logind.shutdown(false);
    let lock = logind.delay();

    // Of the locks of screens, ours counts, however it is told.
    logind.lock(OTHERS);
    logind.hint(OTHERS, true);
    logind.hint(OURS, false);
    logind.lock(OURS);
    assert_eq!(told.recv_timeout(SECOND).unwrap().0, Departure::ScreenLock);
    assert!(told.try_recv().is_err(), "nothing else was one");
    logind.hint(OURS, true);
    assert_eq!(told.recv_timeout(SECOND).unwrap().0, Departure::ScreenLock);

    // A logind that starts anew is asked again, and whoever ends lets the machine sleep.
    drop(logind);
    let logind = Logind::start(&address);
    let again = logind.delay();
    released(lock);
    drop(watch);
    released(again);
    assert!(told.recv().is_err(), "the watch has forgotten whom to tell");
}

/// A watch on what is no bus gives up by itself.
fn gives_up() {
    let (tell, told) = mpsc::channel();
    let _watch = Watch::start(move |departure| tell.send(departure).unwrap()).unwrap();
    assert!(told.recv().is_err());
}

#[test]
fn without_a_bus_nothing_happens() {
    match own_process() {
        Some(_) => gives_up(),
        None => in_a_process("machine::tests::without_a_bus_nothing_happens", "unix:path=/nonexistent/bus"),
    }
}

#[test]
fn a_bus_over_the_network_is_none() {
    if own_process().is_some() {
        return gives_up();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("tcp:host=127.0.0.1,port={}", listener.local_addr().unwrap().port());
    for address in [format!("unix:path=/nonexistent/bus;{address}"), address] {
        in_a_process("machine::tests::a_bus_over_the_network_is_none", &address);
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}
