//! What the surroundings of the process may not decide.

#![allow(unsafe_code)] // std::env::remove_var and set_var: other threads must not read the environment meanwhile

/// Each hands the window to another program: the first lets a WebDriver drive it, in release builds too; the others
/// let a WebKit inspector look into it.
const REMOTE_CONTROL: &[&str] =
    &["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"];

/// Which of its ways GLib takes to tell whether there is a network. The usual one asks the kernel for its routes, over a netlink
/// socket in WebKit's network process; this one makes no socket, and believes that there is one
/// (<https://docs.gtk.org/gio/overview.html>, environment variables).
const NETWORK_MONITOR: (&str, &str) = ("GIO_USE_NETWORK_MONITOR", "base");

/// Takes away remote control of the window, and all but its UNIX sockets. First thing in the `main` of a program that ships,
/// while it has one thread.
pub fn clear() {
    for name in REMOTE_CONTROL {
        // SAFETY: `main` calls this before anything else, so no other thread exists yet.
        unsafe { std::env::remove_var(name) };
    }
    let (name, value) = NETWORK_MONITOR;
    // SAFETY: as above.
    unsafe { std::env::set_var(name, value) };
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Tells the child from the test that starts it.
    const CHILD: &str = "KEYSTATION_TEST_CHILD";

    fn is_set(name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    #[test]
    fn remote_control_is_taken_away() {
        if is_set(CHILD) {
            assert!(REMOTE_CONTROL.iter().all(|name| is_set(name)), "the parent sets them");
            clear();
            assert!(!REMOTE_CONTROL.iter().any(|name| is_set(name)));
            let (name, value) = NETWORK_MONITOR;
            assert_eq!(std::env::var_os(name).as_deref(), Some(value.as_ref()), "whatever it was");
            return;
        }
        // The environment belongs to all threads of a process: so the test has one of its own, with one thread.
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "environment::tests::remote_control_is_taken_away", "--test-threads", "1"]);
        child.env(CHILD, "1").envs(REMOTE_CONTROL.iter().map(|name| (name, "true")));
        child.env(NETWORK_MONITOR.0, "netlink");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
}
