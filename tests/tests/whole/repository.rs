//! Rules about the text of the repository that no compiler holds.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The modules that may contain `unsafe`, each with what it talks to.
const UNSAFE: &[(&str, &str)] = &[
    ("crates/audit/tests/faults/vfs.rs", "SQLite: a file layer that fails, for tests"),
    ("crates/device/src/ports/open.rs", "serialport: takes over the descriptor of the port that it opened"),
    (
        "crates/station/src/after/hooks/call.rs",
        "the kernel: close_range between fork and exec, so that a hook inherits no descriptor",
    ),
    ("crates/vault/src/os/mod.rs", "the kernel: locked pages, registers, the allocator"),
    ("crates/vault/tests/p11fault/lib.rs", "PKCS#11: a module that fails on request, for tests"),
    ("src-tauri/src/environment.rs", "the environment, before there is a second thread"),
    ("src-tauri/src/typed/dialog.rs", "GTK: the text of an entry without a copy that nobody wipes"),
];

/// A file of the repository.
struct File {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

/// What breaks the rules in one file.
fn faults(file: &File) -> Vec<String> {
    let File { path, text } = file;
    let mut faults = Vec::new();
    let mut forbid = |what: &str, found: bool| {
        if found {
            faults.push(format!("{path}: {what}"));
        }
    };
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let rust = path.ends_with(".rs");
    let screen = path.starts_with("ui/") && [".ts", ".js", ".svelte"].iter().any(|end| path.ends_with(end));

    if rust {
        let listed = UNSAFE.iter().any(|(module, _)| module == path);
        forbid("allows unsafe code and is not listed", has(&["allow(unsafe_code"]) && !listed);
        forbid("is listed for unsafe code that it does not have", listed && !has(&["allow(unsafe_code"]));
        forbid("an ignored test: it runs or it goes", has(&["#[ignore"]));
    }
    if rust && path.starts_with("crates/") {
        forbid("async below the window", has(&["async fn", "async move", "async {", ".await"]));
    }
    if screen {
        let door = path.strip_prefix("ui/src/ipc").is_some_and(|rest| !rest.contains('/'));
        forbid("imports the Tauri API past ui/src/ipc.ts", !door && has(&["@tauri-apps/api"]));
        forbid(
            "a test that is left out",
            has(&["test.skip", "it.skip", "describe.skip", ".only(", ".todo("]),
        );
    }
    if path.ends_with("Cargo.toml") {
        forbid("panic is not unwind: nothing would be wiped", panics_otherwise(text));
        let member = path != "Cargo.toml";
        forbid("does not inherit the lints of the workspace", member && !inherits_lints(text));
    }
    if path.ends_with("Cargo.lock") {
        let foreign =
            foreign_source(text, "source = \"", "registry+https://github.com/rust-lang/crates.io-index");
        forbid("a crate from elsewhere than crates.io", foreign);
    }
    if path.ends_with("package-lock.json") {
        let foreign = foreign_source(text, "\"resolved\": \"", "https://registry.npmjs.org/");
        forbid("a package from elsewhere than the npm registry", foreign);
    }
    if path.ends_with(".md") {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let dead = links(text).find(|link| !root().join(folder).join(link).exists());
        forbid(&format!("a dead link, {}", dead.unwrap_or_default()), dead.is_some());
    }
    // A clone is all that anybody gets.
    forbid(
        "points at a folder of the machine it was written on",
        has(&["/home/", "/tmp/ks", "/work/", "../shared"]),
    );
    faults
}

/// Whether a profile of this manifest sets `panic` to anything but `unwind`, which is also what it is unset.
fn panics_otherwise(manifest: &str) -> bool {
    let manifest: toml::Table = manifest.parse().expect("cargo read this manifest");
    let profiles = manifest.get("profile").and_then(toml::Value::as_table);
    let mut settings = profiles.into_iter().flatten().filter_map(|(_, profile)| profile.get("panic"));
    settings.any(|setting| setting.as_str() != Some("unwind"))
}

fn inherits_lints(manifest: &str) -> bool {
    let manifest: toml::Table = manifest.parse().expect("cargo read this manifest");
    manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool)
        == Some(true)
}

/// Whether a value behind `key` does not begin with `home`.
fn foreign_source(text: &str, key: &str, home: &str) -> bool {
    text.split(key).skip(1).any(|value| !value.starts_with(home))
}

/// The targets of the links and pictures of a Markdown text that lie in the repository.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    let targets =
        markdown.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let files = targets.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// Every text file that is or would be committed, but for this one: it spells out what is forbidden.
fn files() -> Vec<File> {
    let listed = Command::new("git")
        // A clone that belongs to another user is still this repository.
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git starts");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let paths = paths.split_terminator('\0').filter(|path| !path.ends_with("whole/repository.rs"));
    // What is no UTF-8 is an image, what is gone is deleted and not committed yet.
    paths
        .filter_map(|path| {
            Some(File { text: fs::read_to_string(root().join(path)).ok()?, path: path.to_owned() })
        })
        .collect()
}

#[test]
fn the_text_keeps_the_rules() {
    let files = files();
    for must_be_seen in ["Cargo.toml", "Cargo.lock", "crates/core/src/flow.rs", "ui/package-lock.json"] {
        assert!(files.iter().any(|file| file.path == must_be_seen), "{must_be_seen} is checked");
    }
    assert_eq!(files.iter().flat_map(faults).collect::<Vec<_>>(), Vec::<String>::new());
    for (module, _) in UNSAFE {
        assert!(files.iter().any(|file| file.path == *module), "{module} is listed and gone");
    }
}

#[test]
fn a_planted_violation_is_caught() {
    let lints = "[lints]\nworkspace = true\n";
    let abort = format!("{lints}[profile.release]\npanic = \"abort\"\n");
    let violations = [
        ("crates/core/src/key.rs", "#![allow(unsafe_code)]"),
        ("crates/vault/src/seal.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
        ("crates/device/src/port.rs", "pub async fn read() {}"),
        ("crates/station/src/lib.rs", "later().await"),
        ("ui/src/Slot.svelte", "import { invoke } from '@tauri-apps/api/core'"),
        ("ui/src/ipc/deep.ts", "import { invoke } from '@tauri-apps/api/core'"),
        ("ui/src/slot.test.ts", "it.skip('fails', () => {})"),
        ("Cargo.toml", abort.as_str()),
        ("crates/core/Cargo.toml", "[package]\nname = \"keystation-core\"\n"),
        ("Cargo.lock", "source = \"git+https://example.org/x\""),
        ("ui/package-lock.json", "\"resolved\": \"https://example.org/x.tgz\""),
        ("README.md", "see ../shared/notes.md"),
        ("docs/manual.md", "cd /home/me/keystation"),
        ("docs/manual.md", "as [the protocol](no-such-file.md#frames) says"),
    ];
    for (path, text) in violations {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        assert_eq!(faults(&file).len(), 1, "{path}: {:?}", faults(&file));
    }
}

#[test]
fn what_the_rules_allow_is_not_reported() {
    let fine = [
        ("src-tauri/src/commands.rs", "pub(crate) async fn unlock() { later().await }"),
        ("ui/src/ipc.ts", "import { invoke } from '@tauri-apps/api/core'"),
        ("ui/src/ipc.test.ts", "import { mockIPC } from '@tauri-apps/api/mocks'"),
        ("ui/package.json", "\"@tauri-apps/api\": \"2.12\""),
        ("Cargo.toml", "[profile.release]\npanic = \"unwind\"\n"),
        (
            "docs/manual.md",
            "[home](../README.md#licence), [below](#here), [age](https://age-encryption.org/v1)",
        ),
        ("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\""),
    ];
    for (path, text) in fine {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        assert_eq!(faults(&file), Vec::<String>::new(), "{path}");
    }
}

/// A clock that is right is not before the release: so the constant is neither ahead of the newest commit nor far behind it.
#[test]
fn the_day_of_the_release_moves_with_the_releases() {
    const MOST_DAYS: i64 = 90;
    let newest = Command::new("git")
        .args(["-c", "safe.directory=*", "log", "-1", "--format=%ct"])
        .current_dir(root())
        .output()
        .expect("git starts");
    let newest: i64 = String::from_utf8_lossy(&newest.stdout).trim().parse().expect("there is a commit");
    let released = keystation_audit::Rules::default().released / 1000;
    let days = (newest - released) / 86_400;
    assert!(
        newest >= released && days <= MOST_DAYS,
        "move RELEASED: it is {days} days before the newest commit"
    );
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("it is there");
    for heading in changelog.lines().filter(|line| line.starts_with("## [")) {
        let day = heading.split(" - ").nth(1).unwrap_or_default();
        assert!(day <= keystation_audit::RELEASED, "{heading} is newer than RELEASED");
    }
}
