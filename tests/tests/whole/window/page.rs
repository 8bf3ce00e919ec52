//! The real window, its page driven through WebKit's WebDriver. Every call has a time limit: a driver that hangs fails
//! its test.

use std::fmt::Debug;
use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use keystation_tests::binaries::program;
use keystation_tests::people::PEOPLE;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, Capabilities, TypingData, WebDriver};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::screen::Screen;

/// One call, and the start of the window, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// A session that did not come by then does not come.
const NEVER: Duration = Duration::from_secs(10);
/// Between two looks at the page.
const PAUSE: Duration = Duration::from_millis(50);
/// The window program that a driver may drive.
const DRIVEN: &str = "keystation-desktop-driven";

/// A running window. It ends, with its driver, when this is dropped.
pub(crate) struct Page {
    runtime: Runtime,
    driver: Option<WebDriver>,
    process: Child,
}

impl Page {
    /// Opens the window on a data directory.
    pub(crate) fn open(screen: &Screen, data: &Path) -> Self {
        let options = json!({ "binary": program(DRIVEN), "args": ["--data", data] });
        Self::open_with(screen, options, Stdio::inherit(), Stdio::inherit())
    }

    /// The same with all diagnostics on; what the window prints goes into two files of the folder `outputs`.
    pub(crate) fn open_traced(screen: &Screen, data: &Path, outputs: &Path) -> Self {
        let options = json!({ "binary": program(DRIVEN), "args": ["--data", data, "--trace", "trace"] });
        let file = |name| File::create(outputs.join(name)).expect("the folder can be written").into();
        Self::open_with(screen, options, file("window.out"), file("window.err"))
    }

    /// Opens the window that only looks.
    pub(crate) fn open_to_look(screen: &Screen, data: &Path) -> Self {
        let options = json!({ "binary": program(DRIVEN), "args": ["--data", data, "--qa"] });
        Self::open_with(screen, options, Stdio::inherit(), Stdio::inherit())
    }

    /// The same, begun by a script that waits for it and writes into `ended` how it ended: with an exit code, or by a signal, which
    /// is a negative number. The driver, whose child it is otherwise, tells nobody.
    pub(crate) fn open_awaited(screen: &Screen, data: &Path, ended: &Path) -> Self {
        let script = ended.with_extension("py");
        let text = format!(
            "#!/usr/bin/env python3
import os, subprocess, sys
status = subprocess.run([{:?}, *sys.argv[1:]]).returncode
with open({:?}, 'w') as file:
    file.write(str(status))
os.replace({1:?}, {:?})
",
            program(DRIVEN),
            ended.with_extension("new"),
            ended
        );
        fs::write(&script, text).expect("the folder can be written");
        fs::set_permissions(&script, Permissions::from_mode(0o755)).expect("it is ours");
        let options = json!({ "binary": script, "args": ["--data", data] });
        Self::open_with(screen, options, Stdio::inherit(), Stdio::inherit())
    }

    /// The process of the window itself.
    pub(crate) fn window(&self) -> u32 {
        let mut processes = self.processes().into_iter();
        // The kernel keeps fifteen bytes of a name.
        processes.find(|(name, _)| name == &DRIVEN[..15]).expect("it runs").1
    }

    /// What a command of the window answers: `{ "answer": … }`, or `{ "refused": … }`. `CHANNEL` among the arguments stands for
    /// a channel that takes what it is told and keeps it for nobody.
    pub(crate) fn invoke(&self, command: &str, arguments: &Value) -> Value {
        self.script_async(&format!(
            "const done = arguments[0], tauri = window.__TAURI_INTERNALS__, given = {arguments};
             if (given.channel === 'CHANNEL') given.channel = `__CHANNEL__:${{tauri.transformCallback(() => {{}})}}`;
             tauri.invoke({command:?}, given).then((answer) => done({{ answer }}), (refused) => done({{ refused }}))"
        ))
    }

    fn open_with(screen: &Screen, options: Value, out: Stdio, err: Stdio) -> Self {
        let (mut page, session) = Self::start(screen, options, out, err);
        page.driver = Some(page.within(session));
        page
    }

    /// Has a driver start the program that ships, and tells whether it got hold of the window, which is seen to be open
    /// by `until_open`.
    pub(crate) fn can_be_driven(screen: &Screen, data: &Path, until_open: impl FnOnce()) -> bool {
        let options = json!({ "binary": program("keystation-desktop"), "args": ["--data", data] });
        let (mut page, session) = Self::start(screen, options, Stdio::inherit(), Stdio::inherit());
        // Nothing tells that a session will never come.
        let session = page.runtime.block_on(async { timeout(NEVER, session).await });
        page.driver = session.ok().map(|session| session.expect("a session or none"));
        until_open();
        page.driver.is_some()
    }

    /// The driver with the window program that it is to start, and the session that is to come of it. The program
    /// prints where the driver does.
    fn start(
        screen: &Screen,
        options: Value,
        out: Stdio,
        err: Stdio,
    ) -> (Self, impl Future<Output = WebDriverResult<WebDriver>>) {
        let port = free_port();
        let mut command = Command::new("WebKitWebDriver");
        command.arg(format!("--port={port}")).env("TAURI_WEBVIEW_AUTOMATION", "true");
        // A group of its own: the driver starts the window, and both have to go.
        screen.put(&mut command).stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        let process = command.spawn().expect("WebKitWebDriver starts: `cargo xtask test` installs it");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let page = Self { runtime, driver: None, process };
        wait(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok(), || "no WebKitWebDriver".to_owned());
        let mut capabilities = Capabilities::new();
        capabilities.set("webkitgtk:browserOptions", options).expect("it is JSON");
        let session = async move { WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await };
        (page, session)
    }

    /// Waits until the page has this element, and tells its text.
    pub(crate) fn wait_for(&self, css: &str) -> String {
        let text = || self.text(css);
        wait(text, || format!("no {css} in {:?}", self.text("body")))
    }

    /// Waits until this element says this.
    pub(crate) fn wait_until(&self, css: &str, words: &str) {
        let text = || self.text(css).filter(|text| text.contains(words));
        wait(text, || format!("{css} does not say {words:?}: {:?}", self.text(css)));
    }

    /// The text of an element, if the page has it.
    pub(crate) fn text(&self, css: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        self.script(script, &[css.into()]).as_str().map(str::to_owned)
    }

    /// What a script in the page returns.
    pub(crate) fn script(&self, script: &str, arguments: &[Value]) -> Value {
        let run = self.driver().execute(script, arguments.to_vec());
        self.within(run).json().clone()
    }

    /// What a script in the page hands to its last argument, a function, at any later time.
    pub(crate) fn script_async(&self, script: &str) -> Value {
        self.within(self.driver().execute_async(script, Vec::new())).json().clone()
    }

    /// From now on the page keeps every message that comes to it from the station: replies, and what is told without a
    /// call. Tauri hands each to a callback out of this map.
    pub(crate) fn record_messages(&self) {
        let script = "window.recorded = [];
             const { callbacks } = window.__TAURI_INTERNALS__;
             const get = callbacks.get.bind(callbacks);
             callbacks.get = (id) => {
                 const callback = get(id);
                 return callback && ((message) => (recorded.push(JSON.stringify(message)), callback(message)));
             };";
        self.script(script, &[]);
    }

    /// The messages since then, one a line.
    pub(crate) fn messages(&self) -> String {
        self.script("return recorded.join('\\n')", &[]).as_str().expect("a text").to_owned()
    }

    /// Presses keys in the page, which takes the focus from whatever has it.
    pub(crate) fn press(&self, keys: impl Into<TypingData>) {
        self.within(async { self.driver().find(By::Css("body")).await?.send_keys(keys).await });
    }

    /// Presses keys where the focus is.
    pub(crate) fn press_here(&self, keys: impl Into<TypingData>) {
        self.within(async { self.driver().active_element().await?.send_keys(keys).await });
    }

    /// Clicks the first element of this kind, as a pointer does.
    pub(crate) fn click(&self, css: &str) {
        self.wait_for(css);
        self.within(async { self.driver().find(By::Css(css)).await?.click().await });
    }

    /// Writes into a field, in place of what stood there.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        self.wait_for(css);
        self.within(async {
            let field = self.driver().find(By::Css(css)).await?;
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Signs one of the bench's people in, at the pad, as a hand in a glove does.
    pub(crate) fn sign_in(&self, id: &str) {
        self.name(id);
        self.enter_pin(pin_of(id));
        self.wait_until("header", id);
    }

    /// Names somebody at the pad.
    pub(crate) fn name(&self, id: &str) {
        self.fill(".entry input", id);
        self.click(".entry .next");
    }

    /// Presses digits of the pad, and its Enter. Not on a keyboard: so fast only a scanner types.
    pub(crate) fn enter_pin(&self, pin: &str) {
        self.wait_for(".pad .enter");
        let press = "for (const digit of arguments[0])
                         [...document.querySelectorAll('.pad button')].find((b) => b.innerText === digit).click()";
        self.script(press, &[pin.into()]);
        self.click(".pad .enter:not([disabled])");
    }

    /// Clicks the button that says this.
    pub(crate) fn press_button(&self, words: &str) {
        let click = "const button = [...document.querySelectorAll('button')]
                         .find((b) => b.innerText.trim() === arguments[0] && !b.disabled);
                     button?.click();
                     return button !== undefined";
        let pressed = || self.script(click, &[words.into()]).as_bool().filter(|pressed| *pressed);
        wait(pressed, || format!("no button {words:?} in {:?}", self.text("body")));
    }

    /// Makes the window as large as the display.
    pub(crate) fn maximize(&self) {
        self.within(self.driver().maximize_window());
    }

    /// What axe finds wrong with the page for people who cannot see it as others do: each rule with the elements.
    pub(crate) fn inaccessible(&self) -> Value {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        self.script(&fs::read_to_string(axe).expect("npm installs it"), &[]);
        self.script_async(
            "const done = arguments[0];
             axe.run().then(
                 ({ violations }) => done(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])),
                 (e) => done(String(e)))",
        )
    }

    /// Returns when what the page shows is on the display too.
    pub(crate) fn until_painted(&self) {
        let script = "const done = arguments[0];
                      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 200)))";
        self.script_async(script);
    }

    /// The window's own process and those of its web view: name and number.
    pub(crate) fn processes(&self) -> Vec<(String, u32)> {
        let stats = fs::read_dir("/proc").expect("Linux has it").flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // It may have ended since.
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
            let group: u32 = rest.split_whitespace().nth(2)?.parse().ok()?;
            (group == self.process.id() && pid != group).then(|| (name.to_owned(), pid))
        });
        stats.collect()
    }

    /// The address of the page.
    pub(crate) fn address(&self) -> String {
        self.within(self.driver().current_url()).to_string()
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it was made at the start")
    }

    fn within<T, E: Debug>(&self, call: impl Future<Output = Result<T, E>>) -> T {
        let answer = self.runtime.block_on(async { timeout(LIMIT, call).await });
        answer.expect("the driver answers in time").expect("the driver can do it")
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // The whole group, hard: a window that hangs does not outlive its test.
        if let Some(group) = Pid::from_raw(self.process.id().cast_signed()) {
            // It may have ended by itself.
            kill_process_group(group, Signal::KILL).ok();
        }
        drop(self.process.wait());
        if let Some(driver) = self.driver.take() {
            driver.leak().expect("nobody else has it");
        }
    }
}

/// The PIN of one of the bench's people.
pub(crate) fn pin_of(id: &str) -> &'static str {
    PEOPLE.iter().find(|person| person.id == id).expect("they have an account").pin
}

/// Looks until there is something to see.
pub(crate) fn wait<T>(mut look: impl FnMut() -> Option<T>, complaint: impl FnOnce() -> String) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Some(seen) => return seen,
            None if start.elapsed() > LIMIT => panic!("{}", complaint()),
            None => thread::sleep(PAUSE),
        }
    }
}

/// A port that nobody listens on. Somebody else may take it before the driver does; then the test fails, and says so.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("this machine has ports");
    listener.local_addr().expect("it is bound").port()
}
