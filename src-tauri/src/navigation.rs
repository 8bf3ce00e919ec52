//! The window shows its own page and no other: a content security policy does not stop a top-level navigation.

use tauri::plugin::{Builder, TauriPlugin};
use tauri::{Runtime, Url};

/// Refuses every navigation away from the page that was built into the program.
pub(crate) fn guard<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("navigation").on_navigation(|_, url| is_own(url)).build()
}

/// `isolation:` is the frame through which IPC passes.
fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" | "isolation" => url.host_str() == Some("localhost"),
        // What WebView2 makes of the two, which takes no schemes of others.
        "http" | "https" if cfg!(windows) => {
            matches!(url.host_str(), Some("tauri.localhost" | "isolation.localhost"))
        }
        // `tauri dev` loads the page from the development server.
        "http" if tauri::is_dev() => url.host_str() == Some("localhost") && url.port() == Some(5173),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_is_shown() {
        let own = |url: &str| is_own(&url.parse().unwrap());
        assert!(own("tauri://localhost"));
        assert!(own("tauri://localhost/index.html"));
        for foreign in [
            "https://example.com",
            "http://tauri.localhost.example.com",
            "http://localhost:8080",
            "tauri://example.com",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "javascript:alert(1)",
        ] {
            assert!(!own(foreign), "{foreign}");
        }
    }
}
