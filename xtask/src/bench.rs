//! `cargo xtask bench`: figures of ours beside those of a peer, measured in the same run.
//!
//! The measuring is in bench targets beside the crates, each of which prints a JSON object a row; this runs them and says
//! which row is short of what it has to reach. A row that is short is no error: it is a fact.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::package::{self, Build};
use crate::run;

/// Who measures, and the rows.
struct Group {
    by: By,
    rows: &'static [&'static str],
    /// Whether `--records` says something to it.
    records: bool,
}

/// What prints the rows.
enum By {
    /// A bench target of a package.
    Cargo { package: &'static str, bench: &'static str },
    /// The bench target `window`, which drives the window that the tests drive, as it is optimised for those who ship it.
    Window,
    /// Both packages are made, as they ship.
    Package,
}

const GROUPS: &[Group] = &[
    Group {
        by: By::Cargo { package: "keystation-tests", bench: "line" },
        rows: &["inject-wire", "inject-bytes", "slots-32", "qemu-16", "rekey-batch"],
        records: false,
    },
    Group {
        by: By::Cargo { package: "keystation-vault", bench: "derive" },
        rows: &["derive", "derive-blocks"],
        records: false,
    },
    Group {
        by: By::Cargo { package: "keystation-audit", bench: "log" },
        rows: &["append", "append-32", "verify", "verify-memory", "search", "which-die"],
        records: true,
    },
    Group { by: By::Window, rows: &["input-paint"], records: false },
    Group { by: By::Package, rows: &["package-size"], records: false },
];

/// The programs of the window's row.
const HEADLESS: &str = "cargo build --locked --release --package keystation --bins";
const DRIVEN: &str = "ui/node_modules/.bin/tauri build --no-bundle --features automation";
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// What to measure, and what to do with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    /// One row instead of all.
    only: Option<&'a str>,
    /// A file for the rows, one JSON object a line.
    json: Option<&'a str>,
    /// Records of the large log, for a quick look.
    records: Option<u64>,
}

impl<'a> Options<'a> {
    /// `None`: not understood.
    pub(crate) fn parse(words: &[&'a str]) -> Option<Self> {
        let mut options = Self::default();
        let (pairs, []) = words.as_chunks::<2>() else { return None };
        for [name, value] in pairs {
            match *name {
                "--only" => options.only = Some(value),
                "--json" => options.json = Some(value),
                "--records" => options.records = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Measures, prints a table, and writes the file that was asked for.
pub(crate) fn bench(options: &Options<'_>) -> Result<()> {
    let wanted = |group: &&Group| options.only.is_none_or(|only| group.rows.contains(&only));
    let groups: Vec<_> = GROUPS.iter().filter(wanted).collect();
    if groups.is_empty() {
        let rows: Vec<_> = GROUPS.iter().flat_map(|group| group.rows).copied().collect();
        bail!("there is no such row; there are {}", rows.join(", "));
    }
    let mut rows = Vec::new();
    for group in groups {
        rows.extend(measure(group, options)?);
    }
    println!("{}", table(&rows));
    if let Some(file) = options.json {
        let lines: String = rows.iter().map(|row| format!("{}\n", row.to_json())).collect();
        std::fs::write(file, lines).with_context(|| format!("writing {file}"))?;
    }
    Ok(())
}

fn measure(group: &Group, options: &Options<'_>) -> Result<Vec<Row>> {
    let mut command = match group.by {
        By::Cargo { package, bench } => {
            let mut command = run::command("cargo")?;
            command.args(["bench", "--locked", "--quiet", "--package", package, "--bench", bench, "--"]);
            if let Some(only) = options.only {
                command.args(["--only", only]);
            }
            if let Some(records) = options.records.filter(|_| group.records) {
                command.args(["--records", &records.to_string()]);
            }
            command
        }
        By::Window => {
            for (what, line) in [("the headless program", HEADLESS), ("the window", DRIVEN)] {
                run::quietly(what, &run::line(line)?, BUILD_LIMIT)?;
            }
            run::line("cargo bench --locked --quiet --package keystation-tests --bench window")?
        }
        By::Package => return Ok(vec![package_size()?]),
    };
    // What it is doing is seen at once, its rows at the end.
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("rows in something else than UTF-8")?;
    text.lines().filter(|line| line.starts_with('{')).map(Row::parse).collect()
}

/// The larger one of the two packages, in 10^6 bytes.
fn package_size() -> Result<Row> {
    let packages = package::package(Build::Release, None)?;
    let size = |package: &package::Package| package.bytes as f64 / 1e6;
    let each: Vec<_> =
        packages.iter().map(|package| format!("{} {:.1}", package.kind, size(package))).collect();
    Ok(Row {
        row: "package-size".to_owned(),
        ours: packages.iter().map(size).fold(0.0, f64::max),
        peer: None,
        ratio: None,
        reach: Reach::AtMost(25.0),
        unit: "MB".to_owned(),
        how: format!("the larger of {}, release profile", each.join(" and ")),
    })
}

/// A figure of ours beside that of a peer.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    row: String,
    ours: f64,
    /// `None` where there is none: then our own figure has to reach what is asked for.
    peer: Option<f64>,
    /// Ours over the peer's: the median of the rounds.
    ratio: Option<f64>,
    reach: Reach,
    unit: String,
    how: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    AtLeast(f64),
    AtMost(f64),
}

impl Reach {
    const fn figure(self) -> f64 {
        match self {
            Self::AtLeast(figure) | Self::AtMost(figure) => figure,
        }
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(line).with_context(|| format!("not a row: {line}"))?;
        let text =
            |key: &str| value[key].as_str().map(str::to_owned).with_context(|| format!("{key} in {line}"));
        let number = |key: &str| value[key].as_f64();
        let needed = |key: &str| number(key).with_context(|| format!("{key} in {line}"));
        let reach = needed("reach")?;
        let row = Self {
            row: text("row")?,
            ours: needed("ours")?,
            peer: number("peer"),
            ratio: number("ratio"),
            reach: match text("bound")?.as_str() {
                "at least" => Reach::AtLeast(reach),
                "at most" => Reach::AtMost(reach),
                other => bail!("neither at least nor at most: {other}"),
            },
            unit: text("unit")?,
            how: text("how")?,
        };
        if row.peer.is_some() != row.ratio.is_some() {
            bail!("a peer without a ratio, or a ratio without a peer: {line}");
        }
        Ok(row)
    }

    fn to_json(&self) -> Value {
        let Self { row, ours, peer, ratio, reach, unit, how } = self;
        json!({ "row": row, "ours": ours, "peer": peer, "ratio": ratio, "reach": reach.figure(), "unit": unit, "how": how })
    }

    /// `reached`, or by how much of what is asked for it is short.
    fn verdict(&self) -> String {
        let figure = self.ratio.unwrap_or(self.ours);
        let missing = match self.reach {
            Reach::AtLeast(reach) => (reach - figure) / reach,
            Reach::AtMost(reach) => (figure - reach) / reach,
        };
        // A figure that is none is not reached either.
        if missing <= 0.0 {
            "reached".to_owned()
        } else {
            format!("SHORT by {:.0} %", (missing * 100.0).round().max(1.0))
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "\n{:<14} {:>12} {:>12} {:>8}  {:<14} {}\n",
        "row", "ours", "peer", "ratio", "reach", "verdict"
    );
    for row in rows {
        let reach = match row.reach {
            Reach::AtLeast(reach) => format!("at least {reach}"),
            Reach::AtMost(reach) => format!("at most {reach}"),
        };
        let _ = writeln!(
            table,
            "{:<14} {:>12} {:>12} {:>8}  {:<14} {}\n               {}: {}",
            row.row,
            shown(Some(row.ours)),
            shown(row.peer),
            shown(row.ratio),
            reach,
            row.verdict(),
            row.unit,
            row.how
        );
    }
    let short: Vec<_> =
        rows.iter().filter(|row| row.verdict() != "reached").map(|row| row.row.as_str()).collect();
    table.push_str(&if short.is_empty() {
        "\nEvery row is reached.".to_owned()
    } else {
        format!("\nShort: {}.", short.join(", "))
    });
    table
}

/// Three or four digits that count.
fn shown(figure: Option<f64>) -> String {
    match figure {
        None => "–".to_owned(),
        Some(figure) if figure.abs() >= 100.0 => format!("{figure:.0}"),
        Some(figure) => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ratio: Option<f64>, ours: f64, reach: Reach) -> Row {
        let (row, unit, how) = ("append".to_owned(), "records/s".to_owned(), "in turns".to_owned());
        Row { row, ours, peer: ratio.map(|ratio| ours / ratio), ratio, reach, unit, how }
    }

    #[test]
    fn a_row_is_reached_or_short_by_so_much() {
        for (ratio, reach, verdict) in [
            (0.8, Reach::AtLeast(0.8), "reached"),
            (1.4, Reach::AtLeast(0.8), "reached"),
            (0.6, Reach::AtLeast(0.8), "SHORT by 25 %"),
            (0.799, Reach::AtLeast(0.8), "SHORT by 1 %"),
            (2.0, Reach::AtMost(2.0), "reached"),
            (0.1, Reach::AtMost(2.0), "reached"),
            (3.0, Reach::AtMost(2.0), "SHORT by 50 %"),
        ] {
            assert_eq!(row(Some(ratio), 1.0, reach).verdict(), verdict, "{ratio} {reach:?}");
        }
        assert!(row(Some(f64::NAN), 1.0, Reach::AtLeast(0.8)).verdict().starts_with("SHORT"));
    }

    #[test]
    fn a_row_without_a_peer_is_judged_by_its_own_figure() {
        assert_eq!(row(None, 49.0, Reach::AtMost(50.0)).verdict(), "reached");
        assert_eq!(row(None, 55.0, Reach::AtMost(50.0)).verdict(), "SHORT by 10 %");
    }

    const LINE: &str = r#"{"row":"append","ours":900.0,"peer":1000.0,"ratio":0.9,"bound":"at least","reach":0.8,"unit":"records/s","how":"h"}"#;

    #[test]
    fn a_line_of_a_bench_becomes_the_object_of_the_file() {
        let row = Row::parse(LINE).unwrap();
        assert_eq!((row.reach, row.ratio), (Reach::AtLeast(0.8), Some(0.9)));
        let expected = json!({ "row": "append", "ours": 900.0, "peer": 1000.0, "ratio": 0.9, "reach": 0.8,
                               "unit": "records/s", "how": "h" });
        assert_eq!(row.to_json(), expected);
        let alone = LINE.replace("1000.0", "null").replace("0.9", "null");
        assert_eq!(Row::parse(&alone).unwrap().to_json()["peer"], Value::Null);
    }

    #[test]
    fn a_line_that_is_no_row_is_refused() {
        for (part, other) in [
            ("at least", "more or less"),
            ("900.0", "\"900\""),
            ("0.9", "null"),
            ("\"how\"", "\"why\""),
            ("0.8", "null"),
        ] {
            assert!(Row::parse(&LINE.replace(part, other)).is_err(), "{part}");
        }
        assert!(Row::parse("row").is_err());
    }

    #[test]
    fn the_table_names_what_is_short() {
        let good = Row::parse(LINE).unwrap();
        let bad = Row { row: "verify".to_owned(), ratio: Some(0.5), ..good.clone() };
        assert!(table(std::slice::from_ref(&good)).ends_with("Every row is reached."));
        let table = table(&[good, bad]);
        assert!(table.ends_with("Short: verify."), "{table}");
        assert!(table.contains("SHORT by 38 %"), "{table}");
    }

    #[test]
    fn options_are_understood_or_refused() {
        let all = Options::parse(&["--only", "verify", "--json", "f", "--records", "10"]).unwrap();
        assert_eq!(all, Options { only: Some("verify"), json: Some("f"), records: Some(10) });
        assert_eq!(Options::parse(&[]), Some(Options::default()));
        for words in [&["--only"][..], &["verify"], &["--records", "many"], &["--onyl", "verify"]] {
            assert_eq!(Options::parse(words), None, "{words:?}");
        }
        let unknown = Options { only: Some("no-such-row"), ..Options::default() };
        assert!(bench(&unknown).unwrap_err().to_string().contains("append-32"));
    }
}
