//! What a manual says: its commands, in their order, and what it holds that no test runs.

use std::fs;
use std::path::Path;

/// A manual, read.
pub(super) struct Manual {
    /// Its commands.
    pub(super) steps: Vec<Step>,
    /// Lines in blocks of `sh`: what no test can run, an installation for example.
    pub(super) by_hand: usize,
}

/// One command.
#[derive(Debug)]
pub(super) struct Step {
    /// Where it stands, for whoever has to mend it.
    pub(super) place: String,
    /// Its words behind the name of the program.
    pub(super) words: Vec<String>,
    /// What it ends with: 0 where `# exit N` does not say otherwise.
    pub(super) exit: i32,
}

impl Step {
    /// Without what says who is in front of which station; those options come first.
    pub(super) fn verb(&self) -> Vec<&str> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let mut verb = &words[..];
        while let ["--operator" | "--approver" | "--data", _, rest @ ..] = verb {
            verb = rest;
        }
        verb.to_vec()
    }

    /// What follows this option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == name)?;
        self.words.get(at + 1).map(String::as_str)
    }
}

/// Reads a manual of `docs/`.
pub(super) fn read(name: &str) -> Manual {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    parse(name, &text)
}

fn parse(name: &str, text: &str) -> Manual {
    let (mut block, mut steps, mut by_hand) = (None, Vec::new(), 0);
    let mut lines = (1..).zip(text.lines().map(str::trim));
    while let Some((number, line)) = lines.next() {
        let place = format!("docs/{name}, line {number}");
        match (block, line.strip_prefix("```")) {
            (None, Some(language)) => {
                assert!(["console", "sh", "toml"].contains(&language), "{place}: a block of {language:?}");
                block = Some(language);
            }
            (Some(_), Some(_)) => block = None,
            (Some("console"), None) => {
                let mut line = line.to_owned();
                while let Some(begun) = line.strip_suffix('\\') {
                    let (_, more) = lines.next().unwrap_or_else(|| panic!("{place}: it goes on nowhere"));
                    line = format!("{begun}{more}");
                }
                steps.push(step(&line, place));
            }
            (Some("sh"), None) => by_hand += 1,
            (Some(_), None) => {}
            (None, None) => {
                let loose = line.contains("`keystation ") || line.starts_with("keystation ");
                assert!(!loose, "{place}: a command in no block is run by nobody");
            }
        }
    }
    assert_eq!(block, None, "docs/{name}: a block that does not end");
    Manual { steps, by_hand }
}

fn step(line: &str, place: String) -> Step {
    let (line, exit) = line.split_once(" # exit ").unwrap_or((line, "0"));
    // "1: it stays open"
    let digits = exit.split(':').next().unwrap_or_default();
    let exit = digits.parse().unwrap_or_else(|e| panic!("{place}: exit code {digits:?}: {e}"));
    let line = line
        .strip_prefix("$ keystation ")
        .unwrap_or_else(|| panic!("{place}: {line:?} is no command of the station"));
    Step { words: words(line, &place), place, exit }
}

/// As a shell has them, without anything that only a shell knows.
fn words(line: &str, place: &str) -> Vec<String> {
    assert!(!line.contains(['\'', '|', '>', '<', '$', '&', ';', '*', '`', '#']), "{place}: {line:?}");
    let (mut words, mut quoted) = (Vec::new(), false);
    for part in line.split('"') {
        if quoted {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
        quoted = !quoted;
    }
    assert!(quoted, "{place}: a quotation mark is missing");
    words
}

#[test]
fn a_manual_is_read_as_a_person_reads_it() {
    let text = "# Title\n\n1. Do it:\n\n   ```console\n   $ keystation --operator rep-1 rekey \\\n     --note \"case 4711\" # exit 1: open\n   ```\n\n```sh\napt install x\n```\n";
    let manual = parse("x.md", text);
    let [step] = &manual.steps[..] else { panic!("{:?}", manual.steps) };
    assert_eq!(step.words, ["--operator", "rep-1", "rekey", "--note", "case 4711"]);
    assert_eq!((step.exit, step.verb(), manual.by_hand), (1, vec!["rekey", "--note", "case 4711"], 1));
    assert_eq!((step.option("--note"), step.place.as_str()), (Some("case 4711"), "docs/x.md, line 6"));
}

#[test]
fn what_nobody_would_run_is_refused() {
    for text in [
        "say `keystation ports` here",
        "    keystation ports",
        "```\nkeystation ports\n```",
        "```console\nkeystation ports\n```",
        "```console\n$ keystation ports",
        "```console\n$ keystation ports | less\n```",
        "```console\n$ keystation ports # exit one\n```",
        "```console\n$ keystation order create --customer \"Contoso\n```",
    ] {
        assert!(std::panic::catch_unwind(|| parse("x.md", text)).is_err(), "{text:?}");
    }
}
