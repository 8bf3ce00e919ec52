//! The Tauri application: the window, what its page may call, and what happens when it closes.

use tauri::ipc::Invoke;
use tauri::{Builder, Manager, RunEvent, Runtime};

use crate::commands::{self, Bench};
use crate::desk::Desk;
use crate::navigation;
use crate::problem::Problem;

/// Everything but the generated context, so that the tests build the same application without a display.
pub(crate) fn application<R: Runtime>(builder: Builder<R>, desk: Result<Desk, Problem>) -> Builder<R> {
    let commands = traced(tauri::generate_handler![
        commands::overview,
        commands::recent,
        commands::watch,
        commands::acknowledge,
        commands::unlock,
        commands::lock,
    ]);
    builder.plugin(navigation::guard()).manage(Bench(desk)).invoke_handler(commands)
}

/// Tells every call of the page, with what it brought, at the finest level of the diagnostics. No command takes a secret.
fn traced<R: Runtime>(commands: impl Fn(Invoke<R>) -> bool) -> impl Fn(Invoke<R>) -> bool {
    move |call| {
        tracing::trace!(command = call.message.command(), arguments = ?call.message.payload(), "the page calls");
        commands(call)
    }
}

/// Opens the window and returns when it was closed.
pub(crate) fn run(desk: Result<Desk, Problem>) {
    let app = application(Builder::default(), desk)
        .build(tauri::generate_context!())
        .expect("the configuration was checked when this was built");
    app.run(|app, event| {
        if let RunEvent::Exit = event
            && let Bench(Ok(desk)) = app.state::<Bench>().inner()
            && let Err(error) = desk.close()
        {
            // The page is gone; the next start finds a log without its closing record, and says so.
            tracing::error!(%error, "the station was not closed in good order");
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tauri::ipc::{CallbackFn, InvokeBody};
    use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
    use tauri::webview::InvokeRequest;
    use tauri::{App, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

    use super::*;

    fn nowhere() -> Problem {
        Problem::new("station-missing", "There is no station.", &["Make one."])
    }

    fn app() -> App<MockRuntime> {
        application(mock_builder(), Err(nowhere()))
            .build(tauri::generate_context!(test = true))
            .expect("the application builds")
    }

    fn window(app: &App<MockRuntime>, label: &str) -> WebviewWindow<MockRuntime> {
        WebviewWindowBuilder::new(app, label, WebviewUrl::default()).build().expect("a window of the mock")
    }

    fn call(window: &WebviewWindow<MockRuntime>, cmd: &str, arguments: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: cmd.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().expect("a URL"),
            body: InvokeBody::Json(arguments),
            headers: tauri::http::HeaderMap::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        get_ipc_response(window, request).map(|body| body.deserialize().expect("JSON"))
    }

    /// The commands of the window, with arguments that they take.
    fn commands() -> Vec<(&'static str, Value)> {
        vec![
            ("overview", json!({})),
            ("recent", json!({ "count": 5 })),
            ("watch", json!({ "channel": "__CHANNEL__:3" })),
            ("acknowledge", json!({ "slot": 1 })),
            ("unlock", json!({})),
            ("lock", json!({})),
        ]
    }

    #[test]
    fn every_command_is_granted_to_the_window_and_tells_why_there_is_no_station() {
        let app = app();
        let window = window(&app, "main");
        for (command, arguments) in commands() {
            let refused = call(&window, command, arguments).unwrap_err();
            assert_eq!(refused, serde_json::to_value(nowhere()).unwrap(), "{command}");
        }
    }

    #[test]
    fn no_other_window_may_call_anything() {
        let app = app();
        let other = window(&app, "other");
        for (command, arguments) in commands() {
            let refused = call(&other, command, arguments).unwrap_err();
            assert!(refused.as_str().is_some_and(|why| why.contains("not allowed")), "{command}: {refused}");
        }
    }

    #[test]
    fn nothing_of_the_frameworks_own_is_granted() {
        let app = app();
        let window = window(&app, "main");
        for command in [
            "plugin:window|close",
            "plugin:window|create",
            "plugin:webview|create_webview_window",
            "plugin:webview|internal_toggle_devtools",
            "plugin:event|listen",
            "plugin:event|emit",
            "plugin:path|resolve_directory",
            "plugin:app|version",
            "plugin:resources|close",
            "plugin:navigation|anything",
            "refused",
            "derive",
        ] {
            let refused = call(&window, command, json!({})).unwrap_err();
            let why = refused.as_str().unwrap_or_default();
            assert!(why.contains("not allowed") || why.contains("not found"), "{command}: {refused}");
        }
    }

    #[test]
    fn a_command_takes_what_it_says_and_nothing_else() {
        let app = app();
        let window = window(&app, "main");
        for (command, arguments) in [
            ("acknowledge", json!({ "slot": -1 })),
            ("acknowledge", json!({ "slot": "1; DROP TABLE log" })),
            ("recent", json!({ "count": 1e30 })),
            ("recent", json!({})),
            ("watch", json!({ "channel": 7 })),
        ] {
            let refused = call(&window, command, arguments.clone()).unwrap_err();
            assert!(
                refused.as_str().is_some_and(|why| why.contains("invalid args")),
                "{command} {arguments}"
            );
        }
    }
}
