//! A printer that takes a connection and then neither reads nor answers, beside a line that works.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use keystation_tests::bench::Bench;
use keystation_tests::line::{LONG, RunningLine, slots_on};
use keystation_tests::sim::Sim;

use super::{label, of, set};

#[test]
fn a_line_keys_on_while_its_printer_hangs_and_the_labels_come_when_it_reads() {
    const DEVICES: usize = 4;
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), DEVICES, &[]);
    slots_on(&bench, (0..DEVICES).map(|device| sim.port(device)));
    // The system takes connections for it; nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    set(&bench, &label(&format!("address = \"{address}\"\nanswer = \"close\"")));
    let mut line = RunningLine::start(&bench, "op-0117");
    for _ in 0..DEVICES {
        let event = line.until(|event| matches!(event["event"].as_str(), Some("pass" | "fail" | "broken")));
        assert_eq!(event["event"], "pass", "{event}");
    }
    line.end();
    assert!(of(&bench.records(), "label.print").is_empty());
    let status = bench.run(&["label", "status"]);
    assert_eq!(status.event("printer").unwrap()["waiting"].as_array().unwrap().len(), DEVICES, "{status:?}");
    drop(sim);

    // Somebody sees to the printer: it reads what comes, and closes. What was sent before is lost with its memory.
    drop(listener);
    let listener = TcpListener::bind(address).unwrap();
    let (tell, printed) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut label = String::new();
            // A connection that the end of the program cuts is no label.
            if stream.read_to_string(&mut label).is_ok() && tell.send(label).is_err() {
                return;
            }
        }
    });
    let line = RunningLine::start(&bench, "op-0117");
    let labels: Vec<_> = (0..DEVICES).map(|_| printed.recv_timeout(LONG).unwrap()).collect();
    line.end();
    let copies: Vec<_> = labels.iter().map(|label| label.contains("COPY")).collect();
    assert_eq!(copies, [true, false, false, false], "the first one may have come out: {labels:?}");
    let records = bench.records();
    let asked: Vec<_> = of(&records, "label.print").iter().map(|record| record["ref"].clone()).collect();
    let results: Vec<_> = of(&records, "inject.result").iter().map(|record| record["seq"].clone()).collect();
    assert_eq!(asked, results, "each once, in their order");
    bench.assert_log_intact();
}
