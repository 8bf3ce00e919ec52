//! What the surroundings of the process may not decide.

#![allow(unsafe_code)] // std::env::remove_var: other threads must not read the environment meanwhile

/// Each hands the window to another program: the first lets a WebDriver drive it, in release builds too; the others
/// let a WebKit inspector look into it.
const REMOTE_CONTROL: &[&str] =
    &["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"];

/// Takes away remote control of the window. First thing in the `main` of a program that ships, while it has one thread.
pub fn clear() {
    for name in REMOTE_CONTROL {
        // SAFETY: `main` calls this before anything else, so no other thread exists yet.
        unsafe { std::env::remove_var(name) };
    }
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
            return;
        }
        // The environment belongs to all threads of a process: so the test has one of its own, with one thread.
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "environment::tests::remote_control_is_taken_away", "--test-threads", "1"]);
        child.env(CHILD, "1").envs(REMOTE_CONTROL.iter().map(|name| (name, "true")));
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
}
