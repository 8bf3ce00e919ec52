//! A key that its owner sealed to the station with the ordinary `age`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_vault::{
    CreateError, Custody, DerivedKeyAnswer, ImportError, SecretRefused, Transfer, TransferError, TransferKey,
    UnlockError, WorkFactor,
};
use tempfile::TempDir;

use crate::age_tool::age;
use crate::support::{Bench, EXAMPLE, PASSPHRASE, passphrase, repository, variant};

/// A station's key for transfers, and a stick.
struct Mail {
    directory: TempDir,
    key: TransferKey,
    recipient: String,
}

impl Mail {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key =
            TransferKey::at(directory.path().join("transfer-key.age")).with_work_factor(WorkFactor::TEST);
        assert!(!key.is_there());
        let recipient = key.make(&passphrase(PASSPHRASE)).unwrap().to_string();
        Self { directory, key, recipient }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("mail.age")
    }

    /// Seals `text` with Debian's age.
    fn seal(&self, text: &str, options: &[&str]) {
        let mut child = Command::new("age")
            .args(options)
            .arg("-o")
            .arg(self.file())
            .stdin(Stdio::piped())
            .spawn()
            .expect("age (apt-get install age) is there");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn open(&self) -> Result<Transfer, TransferError> {
        self.key.open(&passphrase(PASSPHRASE), &self.file(), DerivedKeyAnswer::NotAsked)
    }

    fn mailed(&self, text: &str) -> Result<Transfer, TransferError> {
        self.seal(text, &["-r", &self.recipient]);
        self.open()
    }
}

fn specification() -> String {
    fs::read_to_string(repository("docs/vault-format.md")).unwrap()
}

/// What stands in the specification's section on transfers between two texts.
fn printed(from: &str, to: &str) -> String {
    let text = specification();
    let section = text.split_once("## 9 ").unwrap().1;
    section.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned()
}

fn document() -> String {
    printed("```json\n", "```")
}

fn refusal(result: Result<Transfer, TransferError>) -> TransferError {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(error) => error,
    }
}

#[test]
fn what_age_sealed_to_the_station_goes_into_a_custody() {
    let mail = Mail::new();
    let transfer = mail.mailed(&document()).unwrap();
    assert_eq!(transfer.new.label.as_str(), "gk-example");
    assert_eq!(transfer.check_value.to_string(), "9B5BD-BEC8B");
    let vault = Bench::new();
    let info = Custody::import(&vault.file, &passphrase(PASSPHRASE), transfer.new, transfer.key).unwrap();
    assert_eq!((info.check_value.to_string().as_str(), info.length), ("9B5BD-BEC8B", 64));
    assert_eq!(vault.unlock().unwrap().keys(), [info]);
}

#[test]
fn age_opens_with_the_station_s_key_what_the_station_opens() {
    let mail = Mail::new();
    mail.seal(&document(), &["-r", &mail.recipient]);
    let directory = mail.directory.path();
    assert!(age(&["-d", "-i", "transfer-key.age", "-o", "opened", "mail.age"], directory, PASSPHRASE));
    assert_eq!(fs::read_to_string(directory.join("opened")).unwrap(), document());
}

#[test]
fn the_worked_example_opens() {
    let sealed = fs::read(repository("tests/vectors/transfer-example.age")).unwrap();
    assert_eq!(
        Base64::decode_vec(&printed("example.age`):\n\n```\n", "```").replace('\n', "")).unwrap(),
        sealed
    );
    assert!(specification().contains(&format!("{} bytes, in Base64 (`tests/vectors/transfer", sealed.len())));
    assert!(
        specification().contains(&format!("The document, {} bytes with its line feed", document().len()))
    );

    let mail = Mail::new();
    let bench = Bench::sealing(&format!("{}\n", printed("identity     ", "\n")), 4);
    let key = TransferKey::at(bench.path());
    assert_eq!(key.recipient(&passphrase(PASSPHRASE)).unwrap().to_string(), printed("recipient    ", "\n"));
    fs::write(mail.file(), &sealed).unwrap();
    let transfer = key.open(&passphrase(PASSPHRASE), &mail.file(), DerivedKeyAnswer::NotAsked).unwrap();
    assert_eq!(transfer.check_value.to_string(), "9B5BD-BEC8B");
    assert!(matches!(refusal(mail.open()), TransferError::ForAnother));
}

/// The script of the specification, run as it is printed there, makes the document that is printed there.
#[test]
fn the_owner_s_script_makes_the_document() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("transfer.py"), printed("```python\n", "```")).unwrap();
    // Without a terminal of its own `getpass` reads standard input.
    let mut child = Command::new("setsid")
        .args(["--wait", "python3", "transfer.py", "gk-example", "line-1", "0ne00000001", "primary"])
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{EXAMPLE}").unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), document());
}

#[test]
fn another_document_is_refused_for_what_it_is() {
    let mail = Mail::new();
    let good = document();
    let but = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let rows = [
        ("NotATransfer", String::new()),
        ("NotATransfer", "hello\n".into()),
        ("NotATransfer", "{\"format\":\"keystation-vault/v1\",\"keys\":[]}\n".into()),
        ("NotATransfer", but("keystation-transfer/v1", "keystation-vault/v1")),
        ("UnknownTransfer", but("keystation-transfer/v1", "keystation-transfer/v2")),
        ("NotATransfer", but("{\"check\"", "{ \"check\"")),
        ("NotCanonical", but(",\"key\"", ", \"key\"")),
        ("NotCanonical", but("\"group\":\"line-1\",", "")),
        ("UnknownField", but(",\"key\"", ",\"kex\":\"1\",\"key\"")),
        ("UnknownField", but("\"primary\"}", "\"primary\",\"until\":\"2027\"}")),
        ("NotCanonical", good.trim_end().into()),
        ("NotCanonical", format!("{good}\n")),
        ("NotCanonical", good.repeat(2)),
        ("NotCanonical", but("9B5BD-BEC8B", "9b5bd-bec8b")),
        ("NotCanonical", but("9B5BD-BEC8B", "9B5BDBEC8B")),
        ("Value", but("gk-example", "GK")),
        ("Value", but("primary", "tertiary")),
        ("Value", but("line-1", "")),
        ("Key", but("Egw==", "Egx==")),
        ("Key", but("8isr", "8is ")),
    ];
    for (expected, text) in rows {
        match refusal(mail.mailed(&text)) {
            TransferError::Document(reason) => assert_eq!(variant(&reason), expected, "{text}"),
            other => panic!("{other:?} for {text}"),
        }
    }
    let other = refusal(mail.mailed(&but("9B5BD-BEC8B", "9B5BD-BEC8C")));
    assert!(matches!(other, TransferError::CheckValue { .. }), "{other:?}");
    let exchanged = but("/+ah", "/+bh");
    assert!(matches!(refusal(mail.mailed(&exchanged)), TransferError::CheckValue { .. }));
    let derived = but(EXAMPLE, "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    let question = refusal(mail.mailed(&derived));
    assert!(matches!(question, TransferError::Import(ImportError::MayBeDerivedKey)), "{question:?}");
}

#[test]
fn another_file_is_refused_for_what_it_is() {
    let (mail, stranger) = (Mail::new(), Mail::new());
    let good = document();
    assert!(matches!(refusal(mail.open()), TransferError::Unreadable(_)), "there is none");
    mail.seal(&good, &["-r", &stranger.recipient]);
    assert!(matches!(refusal(mail.open()), TransferError::ForAnother));
    mail.seal(&good, &["-a", "-r", &mail.recipient]);
    assert!(matches!(refusal(mail.open()), TransferError::NotAge), "armored");
    mail.seal(&good, &["-r", &stranger.recipient, "-r", &mail.recipient]);
    assert!(mail.open().is_ok(), "to two stations at once");
    let by_passphrase = Bench::sealing(&good, 4);
    fs::copy(by_passphrase.path(), mail.file()).unwrap();
    assert!(matches!(refusal(mail.open()), TransferError::ByPassphrase));
    fs::write(mail.file(), vec![b'a'; 5000]).unwrap();
    assert!(matches!(refusal(mail.open()), TransferError::TooLarge));
    fs::write(mail.file(), good.as_bytes()).unwrap();
    assert!(matches!(refusal(mail.open()), TransferError::NotAge), "in the clear");
    let directory = mail.key.open(&passphrase(PASSPHRASE), Path::new("/"), DerivedKeyAnswer::NotAsked);
    assert!(matches!(refusal(directory), TransferError::NotAge | TransferError::Unreadable(_)));
}

/// Every byte of the file changed, cut away, or followed by another: none is taken.
#[test]
fn no_altered_file_is_taken() {
    let mail = Mail::new();
    assert!(mail.mailed(&document()).is_ok());
    let sealed = fs::read(mail.file()).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        fs::write(mail.file(), &changed).unwrap();
        assert!(mail.open().is_err(), "byte {at} changed");
        fs::write(mail.file(), &sealed[..at]).unwrap();
        assert!(mail.open().is_err(), "cut to {at} bytes");
    }
    fs::write(mail.file(), [&sealed[..], b"\n"].concat()).unwrap();
    assert!(mail.open().is_err(), "a byte more");
}

#[test]
fn the_station_s_key_is_private_made_once_and_opens_with_its_passphrase_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mail = Mail::new();
    let path = mail.directory.path().join("transfer-key.age");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let before = fs::read(&path).unwrap();
    assert!(matches!(mail.key.make(&passphrase(PASSPHRASE)), Err(CreateError::Exists)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(mail.key.recipient(&passphrase(PASSPHRASE)).unwrap().to_string(), mail.recipient);
    assert!(matches!(
        mail.key.recipient(&passphrase("correct horse battery stapler")),
        Err(UnlockError::WrongPassphrase)
    ));
    let short = TransferKey::at(mail.directory.path().join("short")).make(&passphrase("fourteen chars"));
    assert!(matches!(short, Err(CreateError::Passphrase(SecretRefused::TooShort))));
    let vault = Bench::new();
    let other = TransferKey::at(vault.path()).recipient(&passphrase(PASSPHRASE)).unwrap_err();
    assert!(matches!(other, UnlockError::Document(_)), "a vault is no identity: {other:?}");
}
