//! What leaves the station for people and other programs, read back by programs that we did not write.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::{Bench, Run, finished};
use keystation_tests::sim::Sim;
use serde_json::Value;

const JOB: &str = "WO-44192";

/// A station with a job of six attempts, oldest first: a device passes, and is refused the second time because it has a
/// key; one falls silent while it is written and is settled when it is seen again; one stores nothing, then is mended
/// and passes; one calls itself a formula, and is refused. After them a device of another job.
fn worked() -> Bench {
    let bench = Bench::quick();
    let inject = |sim: &Sim, job: &str| finished(&mut bench.inject_under(&sim.port(0), job)).exit;
    let sim = |name: &str, serial: &str, mac: &str, fault: &str| {
        Sim::start(&bench.file(name), 1, &["--serial", serial, "--mac", mac, "--fault", fault])
    };
    let good = Sim::published(&bench.file("good"));
    assert_eq!(inject(&good, JOB), Some(0));
    assert_eq!(inject(&good, JOB), Some(3));

    let mut silent = sim("silent", "SN-2", "a4:cf:12:00:00:02", "silent=commit");
    assert_eq!(inject(&silent, JOB), Some(1));
    silent.command("fault 0 ");
    assert_eq!(inject(&silent, JOB), Some(0));

    let mut liar = sim("liar", "SN-3", "a4:cf:12:00:00:03", "lie=ok-stores-nothing");
    assert_eq!(inject(&liar, JOB), Some(1));
    liar.command("fault 0 ");
    assert_eq!(inject(&liar, JOB), Some(0));

    assert_eq!(inject(&sim("formula", "=2+3", "a4:cf:12:00:00:04", ""), JOB), Some(1));
    assert_eq!(inject(&sim("other", "SN-9", "a4:cf:12:00:00:09", ""), "WO-1"), Some(0));
    bench
}

/// The rows of a CSV file, as Python's `csv` reads them.
fn python(file: &Path) -> Vec<Value> {
    let script = "import csv, json, sys\n\
                  rows = list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))\n\
                  print(json.dumps(rows))";
    let output = Command::new("python3").args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_list_is_the_same_for_a_spreadsheet_and_for_a_program() {
    let bench = worked();
    let (csv, lines) = (bench.file("list.csv"), bench.file("list.jsonl"));
    let words = format!("job:{JOB}");
    for (format, file) in [("csv", &csv), ("jsonl", &lines)] {
        let file = file.to_str().unwrap();
        let run = bench.run(&["audit", "list", "--format", format, "--out", file, &words]);
        assert_eq!(run.exit, Some(0), "{run:?}");
        assert_eq!(run.event("list").unwrap()["rows"], 6);
        let again = bench.run(&["audit", "list", "--format", format, "--out", file, &words]);
        assert_eq!(again.exit, Some(2), "nothing is replaced: {again:?}");
    }
    let text = fs::read_to_string(&lines).unwrap();
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = python(&csv);
    assert_eq!(rows.len(), objects.len());
    for (row, object) in rows.iter().zip(&objects) {
        let (row, object) = (row.as_object().unwrap(), object.as_object().unwrap());
        assert_eq!(row.keys().collect::<BTreeSet<_>>(), object.keys().collect::<BTreeSet<_>>());
        for (name, value) in object {
            let cell = row[name].as_str().unwrap();
            let plain = cell.strip_prefix('\'').unwrap_or(cell);
            let expected = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(plain, expected, "{name}");
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell}");
        }
    }
    let came: Vec<_> = objects.iter().map(|row| [&row["outcome"], &row["holds"], &row["verified"]]).collect();
    assert_eq!(
        came,
        [
            ["refused", "untouched", "none"],
            ["ok", "new", "challenge"],
            ["verify_mismatch", "old", "none"],
            ["ok", "new", "challenge"],
            ["refused", "untouched", "none"],
            ["ok", "new", "challenge"],
        ],
        "newest first"
    );
    let serials: Vec<_> = rows.iter().map(|row| row["serial"].as_str().unwrap()).collect();
    assert_eq!(serials, ["'=2+3", "SN-3", "SN-3", "SN-2", "007-888-abc", "007-888-abc"]);
    assert_eq!(rows[5]["mac"], "a1-b2-c3-d4-e5-f6");
    assert_eq!(rows[5]["check_value"], "9B5BD-BEC8B");
    assert!(objects[5]["cycle_ms"].is_u64() && objects[3]["cycle_ms"].is_null(), "one was found out later");
}

#[test]
fn a_name_is_given_shown_and_gone() {
    let bench = Bench::quick();
    bench.private("name", "Ada Lovelace\n");
    let file = bench.file("name");
    let set = bench.run(&["person", "set", "op-0117", "--name-file", file.to_str().unwrap()]);
    assert_eq!(set.exit, Some(0), "{set:?}");
    let listed = bench.run(&["person", "list"]);
    let name = |listed: &Run| {
        listed.events.iter().find(|person| person["operator"] == "op-0117").unwrap()["name"].clone()
    };
    assert_eq!(name(&listed), "Ada Lovelace");
    assert!(listed.stderr.starts_with("There are fewer than 3 active administrators"), "{listed:?}");

    let forgotten = bench.run(&["person", "forget", "op-0117"]);
    assert_eq!(forgotten.event("person").unwrap()["erased"], true, "{forgotten:?}");
    assert_eq!(name(&bench.run(&["person", "list"])), Value::Null);
    for path in fs::read_dir(bench.data()).unwrap().map(|file| file.unwrap().path()).filter(|p| p.is_file()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|found| found == b"Lovelace"), "{}", path.display());
    }
    let again = bench.run(&["person", "forget", "op-0117"]);
    assert_eq!((again.exit, &again.event("person").unwrap()["erased"]), (Some(0), &false.into()));
    bench.private("name", "\n");
    let empty = bench.run(&["person", "set", "op-0117", "--name-file", file.to_str().unwrap()]);
    assert_eq!(empty.exit, Some(2), "{empty:?}");
}

/// The text of a PDF file, as `pdftotext` reads it.
fn text(pdf: &Path) -> String {
    let output = Command::new("pdftotext").arg("-layout").arg(pdf).arg("-").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_report_adds_up_and_only_the_one_that_was_signed_is_genuine() {
    let bench = worked();
    let (pdf, vkey) = (bench.file("report.pdf"), bench.data().join("log.vkey"));
    let (pdf, vkey) = (pdf.to_str().unwrap(), vkey.to_str().unwrap());
    let made = bench.run(&["audit", "report", "--job", JOB, "--out", pdf]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    let made = made.event("report").unwrap();

    let text = text(Path::new(pdf));
    for part in [
        "3 written to, 3 of them keyed and proven, 0 not",
        "6 = 3 passed + 1 failed + 0 open + 2 refused",
        "100.0 % of the devices; 66.6 % at their first attempt",
        "gk-test, check value 9B5BD-BEC8B: 4 attempts",
        "challenge, 3 attempts",
        "none, 1 attempt:",
        "Exceptions: 4",
        "passed, seen later",
        "=2+3",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let records = bench.records();
    let record = &records[usize::try_from(made["record"].as_u64().unwrap()).unwrap()];
    assert_eq!((&record["ev"], &record["job"]), (&"export.report".into(), &JOB.into()));
    assert_eq!((&record["sha256"], &record["records"]), (&made["sha256"], &made["records"]));
    bench.assert_log_intact();

    let judged = |vkey: &str| bench.run(&["audit", "report", "verify", pdf, "--vkey", vkey]);
    let genuine = judged(vkey);
    assert_eq!((genuine.exit, &genuine.event("report-verify").unwrap()["genuine"]), (Some(0), &true.into()));
    let stranger = Bench::stranger();
    assert_eq!(judged(stranger.data().join("log.vkey").to_str().unwrap()).exit, Some(1), "another station");
    assert_eq!(judged(&format!("{pdf}.note")).exit, Some(2), "that is no key");

    let (good, note) = (fs::read(pdf).unwrap(), fs::read_to_string(format!("{pdf}.note")).unwrap());
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    for tampered in [bad, good[..good.len() - 1].to_vec(), [&good[..], b"\n"].concat()] {
        fs::write(pdf, tampered).unwrap();
        assert_eq!(judged(vkey).exit, Some(1), "another file");
    }
    fs::write(pdf, &good).unwrap();
    let head = fs::read_to_string(bench.data().join("head.note")).unwrap();
    for forged in [
        note.replace(made["sha256"].as_str().unwrap(), &"5".repeat(64)),
        head,
        note.replace("/v1\n", "/v2\n"),
        String::new(),
    ] {
        fs::write(format!("{pdf}.note"), forged).unwrap();
        assert_eq!(judged(vkey).exit, Some(1), "another note");
    }
    fs::write(format!("{pdf}.note"), note).unwrap();
    assert_eq!(judged(vkey).exit, Some(0));

    let again = bench.run(&["audit", "report", "--job", JOB, "--out", pdf]);
    assert_eq!(again.exit, Some(2), "nothing is replaced: {again:?}");
    let unknown = bench.run(&["audit", "report", "--job", "WO-0", "--out", &format!("{pdf}.2")]);
    assert_eq!(unknown.exit, Some(2), "{unknown:?}");
    assert!(!bench.file("report.pdf.2").exists() && !bench.file("report.pdf.2.note").exists());
    let exports = bench.records().iter().filter(|record| record["ev"] == "export.report").count();
    assert_eq!(exports, 1, "what was not made is not recorded");
}

#[test]
fn a_job_sheet_holds_against_the_log_that_it_was_made_from_and_no_other() {
    let bench = worked();
    let pdf = bench.file("sheet.pdf");
    let made = bench.run(&["audit", "sheet", "--job", JOB, "--out", pdf.to_str().unwrap()]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    let verified = bench.run(&["audit", "verify"]);
    let verdict = verified.event("verify").unwrap();
    assert_eq!(made.event("sheet").unwrap()["records"], verdict["records"], "it writes nothing into the log");
    assert!(text(&pdf).contains(verdict["short_root"].as_str().unwrap()));

    // The way of the manual: scanned, kept, and held against the log when that has grown.
    let scan = format!(
        "pdftoppm -r 150 -gray -png -singlefile '{0}/sheet.pdf' '{0}/sheet' && \
         zbarimg --nodbus --quiet --raw '{0}/sheet.png' > '{0}/sheet.note'",
        bench.file("").display()
    );
    assert!(Command::new("sh").args(["-c", &scan]).status().unwrap().success());
    let sim = Sim::start(&bench.file("next"), 1, &["--serial", "SN-10", "--mac", "a4:cf:12:00:00:10"]);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let (note, head) = (bench.file("sheet.note"), bench.data().join("head.note"));
    let compare = |note: &Path| {
        let compared = bench.run(&["audit", "compare", note.to_str().unwrap(), head.to_str().unwrap()]);
        (compared.exit, compared.event("compare").map(|compared| compared["verdict"].clone()))
    };
    assert_eq!(compare(&note), (Some(0), Some("grown".into())));
    let other = Bench::stranger();
    assert_ne!(compare(&other.data().join("head.note")).0, Some(0), "the sheet of another station");
}
