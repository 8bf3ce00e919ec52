use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keystation_audit::{Journal, Paths, Reader, leaf_hash};
use keystation_tests::bench::{Bench, Killed, finished, random_hex};
use keystation_tests::production::{Weeks, produce};

use super::endpoint::Endpoint;
use super::set;

/// Records of the outbox that may come again after a kill (docs/after.md).
const AGAIN: u64 = 64;

/// Done-point 5: ten thousand records to an endpoint that fails at random, and the station is killed in the middle.
#[test]
fn ten_thousand_records_come_in_order_whatever_fails() {
    const RECORDS: u64 = 10_000;
    let bench = Bench::quick();
    let paths = Paths::in_dir(&bench.data());
    let journal = Journal::open(&paths, Weeks::after(0)).unwrap();
    let from = Reader::open(&paths).unwrap().size().unwrap();
    produce(&journal, from, RECORDS, 8);
    journal.close().unwrap();
    let seed = u64::from_str_radix(&random_hex(8), 16).unwrap();
    println!("seed {seed:#x}");
    let endpoint = Endpoint::failing(seed, 80);
    set(&bench, &format!("[outbox]\nurl = \"http://{}/\"\nseconds = 10\n", endpoint.address));
    for kill in 1..=4 {
        let mut command = bench.keystation();
        bench.signed(command.args(["outbox", "run", "--patience", "120"]), "sup-1", None);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Killed(command.spawn().unwrap());
        endpoint.until(kill * 2_000);
        assert!(process.0.try_wait().unwrap().is_none(), "it is at work");
        process.0.kill().unwrap();
        process.0.wait().unwrap();
    }
    let run = bench.run(&["outbox", "run", "--patience", "120"]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    let of = run.event("delivered").unwrap()["of"].as_u64().unwrap();
    assert!(of >= RECORDS);

    let taken = endpoint.taken();
    let mut known: BTreeMap<u64, &[u8]> = BTreeMap::new();
    let mut last = None;
    let (mut again, mut back) = (0, 0);
    for record in &taken {
        let expected = last.map_or(0, |last: u64| last + 1);
        if record.seq > expected {
            panic!("record {} overtakes {expected}", record.seq);
        }
        if let Some(body) = known.get(&record.seq) {
            again += 1;
            assert_eq!(*body, record.body, "the same record is the same bytes");
            if record.seq < last.unwrap() {
                back += 1;
                let newest = *known.keys().next_back().unwrap();
                assert!(newest - record.seq < AGAIN, "{} comes again behind {newest}", record.seq);
            }
        }
        let leaf: String = leaf_hash(&record.body).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(record.leaf, leaf);
        assert!(record.key.ends_with(&format!("/{}", record.seq)), "{}", record.key);
        known.insert(record.seq, &record.body);
        last = Some(record.seq);
    }
    println!("{} deliveries of {of} records, {again} of them again, {back} steps back", taken.len());
    assert!(again > 0, "some came twice, or this test shows nothing");
    assert_eq!(known.len() as u64, of, "none is lost");
    let stored = Reader::open(&paths).unwrap().recent(u32::MAX).unwrap();
    for (record, (seq, body)) in stored.iter().zip(&known) {
        assert_eq!((record.seq, record.body.as_slice()), (*seq, *body));
    }
    let status = bench.run(&["outbox", "status"]);
    let status = status.event("outbox").unwrap();
    assert_eq!(status["next"].as_u64(), Some(of), "{status}");
}

/// A new log in the middle: what the old one had left comes ahead of it, in its order, by an endpoint that fails at random.
#[test]
fn a_new_log_waits_until_the_old_one_is_delivered() {
    let bench = Bench::quick();
    let paths = Paths::in_dir(&bench.data());
    let journal = Journal::open(&paths, Weeks::after(0)).unwrap();
    let from = Reader::open(&paths).unwrap().size().unwrap();
    produce(&journal, from, 400, 8);
    journal.close().unwrap();
    let endpoint = Endpoint::failing(0x5eed, 20);
    set(&bench, &format!("[outbox]\nurl = \"http://{}/\"\nseconds = 10\n", endpoint.address));
    let mut command = bench.keystation();
    bench.signed(command.args(["outbox", "run", "--patience", "120"]), "sup-1", None);
    let mut process = Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    endpoint.until(150);
    process.0.kill().unwrap();
    process.0.wait().unwrap();

    let mut command = bench.keystation();
    command.args(["audit", "new-epoch", "--reason", "test"]);
    let begun = finished(bench.signed(&mut command, "admin-1", Some("admin-2")));
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    let waits = &begun.event("outbox").unwrap()["older"][0];
    assert_eq!((&waits["log"], &waits["there"]), (&"keylog.example.com/plant7/stn03/1".into(), &true.into()));
    let run = bench.run(&["outbox", "run", "--patience", "120"]);
    assert_eq!(run.exit, Some(0), "{run:?}");

    let mut first: Vec<(String, Vec<u8>)> = Vec::new();
    for record in endpoint.taken() {
        let again = first.iter().find(|(key, _)| *key == record.key);
        match again {
            Some((_, body)) => assert_eq!(*body, record.body),
            None => first.push((record.key, record.body)),
        }
    }
    let mut expected = Vec::new();
    for (epoch, paths) in [(1, Paths::in_dir(&bench.data().join("epochs/1"))), (2, paths)] {
        let stored = Reader::open(&paths).unwrap().recent(u32::MAX).unwrap();
        let key = |seq| format!("keylog.example.com/plant7/stn03/{epoch}/{seq}");
        expected.extend(stored.into_iter().map(|record| (key(record.seq), record.body)));
    }
    // The last record of the run goes out with the next one.
    assert!(expected.len() - first.len() <= 2, "{} of {}", first.len(), expected.len());
    assert!(first == expected[..first.len()], "in their order, none left out");
}

/// Takes POSTs over TLS, and writes their `Authorization` and body into a file.
const SERVER: &str = r#"
import http.server, ssl, sys
certificate, key, out = sys.argv[1:4]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(out, "ab") as file:
            file.write((self.headers["Authorization"] or "-").encode() + b" " + body + b"\n")
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Over TLS only to who has a certificate of the authority that the settings name; the token is sent there, and stands nowhere else.
#[test]
fn a_token_goes_to_the_endpoint_that_the_certificate_names_only() {
    let bench = Bench::quick();
    let folder = bench.file("tls");
    fs::create_dir(&folder).unwrap();
    // Whatever this user's umask is.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["ca", "other"] {
        openssl(
            &folder,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
            ),
        );
    }
    openssl(
        &folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=endpoint -keyout end.key -out end.csr",
    );
    fs::write(folder.join("end.ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    openssl(
        &folder,
        "x509 -req -in end.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile end.ext -out end.pem",
    );
    let out = folder.join("out");
    let mut server = Command::new("python3");
    server.args(["-c", SERVER]).arg(folder.join("end.pem")).arg(folder.join("end.key")).arg(&out);
    let mut server = Killed(server.stdout(Stdio::piped()).spawn().unwrap());
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.0.stdout.take().unwrap()), &mut port)
        .unwrap();

    let (token, secret) = (folder.join("token"), random_hex(16));
    fs::write(&token, format!("{secret}\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let settings = fs::read_to_string(bench.data().join("station.toml")).unwrap();
    let with = |authority: &str| {
        fs::write(bench.data().join("station.toml"), &settings).unwrap();
        let ca = folder.join(authority);
        set(
            &bench,
            &format!(
                "[outbox]\nurl = \"https://127.0.0.1:{}/\"\nca_file = {ca:?}\ntoken_file = {token:?}\nseconds = 20\n",
                port.trim()
            ),
        );
    };
    with("other.pem");
    let run = bench.run(&["outbox", "run", "--patience", "0"]);
    assert_eq!((run.exit, &run.event("delivered").unwrap()["why"]), (Some(1), &"tls".into()), "{run:?}");
    assert!(!out.exists(), "nothing was sent");

    with("ca.pem");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let run = bench.run(&["outbox", "run", "--patience", "0"]);
    assert_eq!(run.exit, Some(2), "others may read the token: {run:?}");
    assert!(!out.exists());

    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let run = bench.run(&["outbox", "run", "--patience", "30"]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    let told = fs::read_to_string(&out).unwrap();
    let of = run.event("delivered").unwrap()["of"].as_u64().unwrap();
    assert_eq!(told.lines().count() as u64, of);
    assert!(told.lines().all(|line| line.starts_with(&format!("Bearer {secret} {{"))));
    for record in bench.records() {
        assert!(!record.to_string().contains(&secret));
    }
    assert!(!format!("{run:?}").contains(&secret));
}
