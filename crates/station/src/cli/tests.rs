//! Every verb against the gate: where nobody is signed in it is refused, and that is a record, unless it stands on a short list.

use std::ops::ControlFlow;

use clap::CommandFactory;
use keystation_audit::Reader;

use super::*;
use keystation::paths;

/// Verbs for which nobody has to sign in.
const OPEN: &[(&str, &str)] = &[
    ("init", "there is no station yet, and nobody in it"),
    ("ports", "tells what the system tells everybody"),
    ("selftest", "known answers, disk and clock; custody only where somebody signs in"),
    ("person begin", "makes the first two, where nobody has an account"),
    ("key list", FILE),
    ("key devices", FILE),
    ("order list", FILE),
    ("order show", FILE),
    ("after", FILE),
    ("label status", FILE),
    ("outbox status", FILE),
    ("batch list", FILE),
    ("batch show", FILE),
    ("audit show", FILE),
    ("audit search", FILE),
    ("audit history", FILE),
    ("audit figures", FILE),
    ("audit list", FILE),
    ("audit sheet", FILE),
    ("audit proof", FILE),
    ("audit verify", FILE),
    ("audit compare", FILE),
    ("audit report verify", FILE),
    ("audit anchor request", FILE),
    ("audit anchor status", FILE),
    ("diagnose", FILE),
    ("restore", "there is no station yet; two administrators prove who they are by the backup"),
    ("witness init", WITNESS),
    ("witness add-log", WITNESS),
    ("witness sign", WITNESS),
    ("witness list", WITNESS),
];

const FILE: &str = "reads files that whoever starts the program can read, and changes nothing";
const WITNESS: &str = "another machine, without a station";

/// All others, with arguments that they take.
const GATED: &[(&str, &str)] = &[
    ("inject", "--port /dev/null --profile example.toml"),
    ("run", "--slots 1"),
    ("check", "--port /dev/null --profile example.toml"),
    ("look", "--port /dev/null --profile example.toml"),
    ("rekey", "--port /dev/null --profile example.toml --reason returned"),
    ("rekey", "--count 5 --profile example.toml --reason returned"),
    ("rekey", "--from-key gk-1 --profile example.toml --reason key-rotation"),
    ("rekey", "--batch RK-1"),
    ("batch close", "RK-1"),
    ("selftest", "--inspect"),
    (
        "key import",
        "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B --key-file none",
    ),
    (
        "key import",
        "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B --transfer none",
    ),
    ("key ceremony", "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B"),
    ("key activate", "gk-1 --reason use --check-value 9B5BD-BEC8B"),
    ("key suspend", "gk-1 --reason lost"),
    ("key destroy", "gk-1 --reason rotation"),
    ("key recipient", ""),
    (
        "order create",
        "--id WO-1 --customer C --profile example.toml --quantity 1 --from 2026-01-01 --until 2099-12-31 --key gk-1 --check-value 9B5BD-BEC8B",
    ),
    ("order create", "--file none"),
    ("order open", "WO-1"),
    ("order close", "WO-1"),
    ("order scrap", "WO-1 --never-seen --reason fell"),
    ("order quota", "WO-1 --quantity 2 --reason spare"),
    ("device scrap", "sn-1 --reason broken"),
    ("device revoke", "sn-1 --reason lost"),
    ("device replace", "sn-1 --reason board-failed --profile example.toml --mac a4cf12000107"),
    ("device restore", "sn-1 --reason mistake"),
    ("cleanup list", "--csv none"),
    ("cleanup done", "--list none"),
    ("label reprint", "sn-1 --reason torn"),
    ("outbox run", "--patience 1"),
    ("person add", "op-1 --roles operator"),
    ("person roles", "op-1 --roles operator"),
    ("person disable", "op-1 --reason left"),
    ("person enable", "op-1 --reason back"),
    ("person reset-pin", "op-1"),
    ("person badge", "op-1"),
    ("person change-pin", ""),
    ("person set", "op-1"),
    ("person list", ""),
    ("person forget", "op-1"),
    ("backup", "none"),
    ("clock accept", "--reason battery"),
    ("audit review", ""),
    ("audit report", "--job WO-1 --out none"),
    ("audit report shift", "--pdf none"), // without a file to sign it reads, as `audit list` does
    ("audit export", "--out none"),
    ("audit anchor accept", "--in none"),
    ("audit new-epoch", "--reason broken"),
    ("audit rebuild", ""),
];

/// Every verb that can be written.
fn verbs(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    let mut subcommands = command.get_subcommands().filter(|verb| verb.get_name() != "help").peekable();
    let acts_itself = subcommands.peek().is_none() || command.is_args_conflicts_with_subcommands_set();
    if acts_itself {
        found.push(path.trim_start().to_owned());
    }
    for verb in subcommands {
        verbs(verb, &format!("{path} {}", verb.get_name()), found);
    }
}

#[test]
fn every_verb_asks_the_gate_or_says_why_not() {
    let mut there = Vec::new();
    verbs(&Cli::command(), "", &mut there);
    let mut listed: Vec<_> = OPEN.iter().chain(GATED).map(|(verb, _)| (*verb).to_owned()).collect();
    listed.sort_unstable();
    listed.dedup();
    there.sort_unstable();
    assert_eq!(there, listed, "every verb stands on one of the lists");

    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let reader = Reader::open(&paths(&data)).unwrap();
    let mut wrong = Vec::new();
    for (verb, arguments) in GATED {
        let line = format!("keystation {verb} {arguments}");
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{error}"));
        let cli = Cli { data: Some(data.path().to_owned()), ..cli };
        let before = reader.size().unwrap();
        let done = run(&cli, Output { json: false });
        let exit = done.as_ref().map_or_else(StationError::exit, |exit| *exit);
        let mut told = Vec::new();
        reader
            .records(before.., None, |record| {
                if record.event() == "policy.refuse" {
                    told.push(record.text("why").unwrap_or_default().into_owned());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        if exit != Exit::Refused || told != ["no-session"] {
            wrong.push(format!("{line}: {done:?}, and the log says {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} verbs: {} are open, the others refused in {} forms", there.len(), OPEN.len(), GATED.len());
}
