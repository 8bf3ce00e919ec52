//! Who may import whom: `core` ← `device` | `vault` | `audit` ← `station` ← `src-tauri`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// The crates of the workspace, and those of them that each may name.
const LAYERS: &[(&str, &[&str])] = &[
    ("keystation-core", &[]),
    ("keystation-device", &["keystation-core"]),
    ("keystation-vault", &["keystation-core"]),
    ("keystation-audit", &["keystation-core"]),
    ("keystation", &["keystation-core", "keystation-device", "keystation-vault", "keystation-audit"]),
    // Nothing that the headless binary could not do too: so it sees the middle only through the station.
    ("keystation-desktop", &["keystation-core", "keystation"]),
    ("xtask", &[]),
    (TESTS, &["keystation-core", "keystation-device", "keystation-vault", "keystation-audit", "keystation"]),
];

/// The one crate that may name anything: nothing of it ships.
const TESTS: &str = "keystation-tests";

/// Crates that one crate of ours wraps, so that no other depends on their types.
const WRAPPED: &[(&str, &str)] = &[
    ("serialport", "keystation-device"),
    ("rusqlite", "keystation-audit"),
    ("age", "keystation-vault"),
    ("cryptoki", "keystation-vault"),
    ("cryptoki-sys", "keystation-vault"),
    ("tss-esapi", "keystation-vault"),
    ("tauri", "keystation-desktop"),
    ("tauri-build", "keystation-desktop"),
    ("gtk", "keystation-desktop"),
];

/// What the domain computes with. None of these opens a file, a socket, a port or a clock, and `serde` is not among
/// them: types that cross a boundary live at the boundary.
const CORE_USES: &[&str] = &["base64ct", "hmac", "sha2", "subtle", "thiserror", "zeroize"];

/// Everything below the window is synchronous: one thread owns a port, one owns the database.
const ASYNC: &[&str] = &["async-std", "async-io", "mio", "smol", "tokio"];

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None`, `dev` or `build`.
    kind: Option<String>,
}

impl Package {
    fn shipped(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev")).map(|d| d.name.as_str())
    }
}

/// The dependencies of each package in the lock file, by name.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// What breaks the import rules.
fn faults(packages: &[Package], graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let Some((_, may_name)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            faults.push(format!("{name} has no place in the layers"));
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            if LAYERS.iter().any(|(layer, _)| *layer == used) && !may_name.contains(&used) {
                faults.push(format!("{name} names {used}"));
            }
            let owner = WRAPPED.iter().find(|(wrapped, _)| *wrapped == used).map(|(_, owner)| *owner);
            if owner.is_some_and(|owner| owner != name && TESTS != name) {
                faults.push(format!("{name} names {used}, which {} wraps", owner.unwrap_or_default()));
            }
        }
        if name == "keystation-core" {
            let foreign = package.shipped().filter(|used| !CORE_USES.contains(used));
            faults.extend(foreign.map(|used| format!("{name} uses {used}")));
        }
        if !["keystation-desktop", "xtask", TESTS].contains(&name) {
            let reached = reach(package.shipped(), graph);
            faults.extend(
                ASYNC
                    .iter()
                    .filter(|a| reached.contains(**a))
                    .map(|a| format!("{name} comes to depend on {a}")),
            );
        }
    }
    faults
}

/// Everything that `start` comes to depend on.
fn reach<'a>(start: impl Iterator<Item = &'a str>, graph: &'a Graph) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<_> = start.collect();
    while let Some(name) = todo.pop() {
        // What a crate of ours comes to is checked with that crate; the lock file mixes in its tests' dependencies.
        let ours = LAYERS.iter().any(|(layer, _)| *layer == name);
        if !ours && reached.insert(name) {
            todo.extend(graph.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

fn workspace() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).expect("the format of version 1").packages
}

/// Versions are merged: the rules are about names.
fn lock_file() -> Graph {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        #[serde(default)]
        dependencies: Vec<String>,
    }
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let lock: Lock = toml::from_str(&text).expect("Cargo.lock is TOML");
    let mut graph = Graph::new();
    for package in lock.package {
        // A dependency is `name`, or `name version` where there are several.
        let names = package.dependencies.iter().filter_map(|d| d.split(' ').next()).map(str::to_owned);
        graph.entry(package.name).or_default().extend(names);
    }
    graph
}

#[test]
fn the_layers_hold() {
    let (packages, graph) = (workspace(), lock_file());
    assert_eq!(packages.len(), LAYERS.len(), "every crate of the workspace is checked");
    assert_eq!(faults(&packages, &graph), Vec::<String>::new());
}

/// The real workspace with one dependency more.
fn planted(package: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
    let mut packages = workspace();
    let package = packages.iter_mut().find(|p| p.name == package).expect("a crate of the workspace");
    package.dependencies.push(Dependency { name: dependency.to_owned(), kind: kind.map(str::to_owned) });
    let mut graph = lock_file();
    graph.insert("reqwest".to_owned(), BTreeSet::from(["hyper".to_owned()]));
    graph.insert("hyper".to_owned(), BTreeSet::from(["tokio".to_owned()]));
    faults(&packages, &graph)
}

#[test]
fn a_planted_violation_is_caught() {
    let violations = [
        ("keystation-core", "keystation-vault", None),
        ("keystation-core", "keystation-device", Some("dev")),
        ("keystation-device", "keystation-vault", None),
        ("keystation-vault", "keystation-audit", Some("dev")),
        ("keystation-audit", "keystation", None),
        ("keystation", "keystation-desktop", None),
        ("keystation-desktop", "keystation-vault", None),
        ("xtask", "keystation-core", None),
        ("keystation", "serialport", None),
        ("keystation-desktop", "rusqlite", Some("dev")),
        ("keystation", "age", None),
        ("keystation-device", "tauri", Some("build")),
        ("keystation-core", "serde", None),
        ("keystation-core", "rustix", Some("build")),
        ("keystation-audit", "tokio", None),
        ("keystation-device", "reqwest", None),
    ];
    for (package, dependency, kind) in violations {
        let faults = planted(package, dependency, kind);
        let named = faults.iter().any(|fault| fault.starts_with(package) && fault.contains(dependency));
        // A crate that leads to an async one is reported by the name of that.
        assert!(
            named || faults.iter().any(|fault| fault.contains("tokio")),
            "{package} → {dependency}: {faults:?}"
        );
    }
}

#[test]
fn what_the_rules_allow_is_not_reported() {
    let allowed = [
        ("keystation-core", "serde", Some("dev")),
        ("keystation-audit", "tokio", Some("dev")),
        ("keystation-desktop", "reqwest", None),
        (TESTS, "serialport", None),
        (TESTS, "rusqlite", None),
    ];
    for (package, dependency, kind) in allowed {
        assert_eq!(planted(package, dependency, kind), Vec::<String>::new(), "{package} → {dependency}");
    }
}

#[test]
fn a_crate_without_a_place_is_caught() {
    let newcomer = Package { name: "keystation-cloud".to_owned(), dependencies: vec![] };
    assert_eq!(faults(&[newcomer], &Graph::new()), ["keystation-cloud has no place in the layers"]);
}
