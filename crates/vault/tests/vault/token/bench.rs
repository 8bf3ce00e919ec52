//! A SoftHSM token of its own, in a process of its own: its settings are an environment variable, and a module is initialised
//! once per process.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use keystation_core::key::GroupKeyInfo;
use keystation_vault::{
    Cards, Custody, DerivedKeyAnswer, GroupKey, ImportError, KeyType, Token, TokenSettings, UnlockError,
    UnlockedVault,
};

use crate::contract::Place;
use crate::support::{answering, named, passphrase, secret};

/// As Debian 12 installs it.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
const IN_CHILD: &str = "KEYSTATION_TEST_TOKEN";
const LABEL: &str = "factory";
pub(crate) const PIN: &str = "271828";
pub(crate) const SO_PIN: &str = "31415926";

/// A token, and the cards of its keys.
pub(crate) struct Bench {
    pub(crate) directory: PathBuf,
    pub(crate) key_type: KeyType,
}

/// Runs a test in a process of its own, with a token. The test is found by the path of its closure.
pub(crate) fn alone<F: FnOnce(&Bench)>(work: F) {
    if let Some(directory) = env::var_os(IN_CHILD) {
        let bench = Bench { directory: directory.into(), key_type: KeyType::Auto };
        bench.make_token(LABEL);
        return work(&bench);
    }
    let path = std::any::type_name::<F>();
    let name = path.split_once("::").unwrap().1.trim_end_matches("::{{closure}}");
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("tokens")).unwrap();
    let settings = directory.path().join("softhsm2.conf");
    let tokens = directory.path().join("tokens");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&settings, text).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(IN_CHILD, directory.path())
        .env("SOFTHSM2_CONF", settings)
        .env("P11_REAL", SOFTHSM)
        .env("P11_FAULT", directory.path().join("fault"))
        .output()
        .unwrap();
    let said = [child.stdout, child.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(child.status.success(), "{said}");
    assert!(said.contains("1 passed"), "it ran another test than {name}: {said}");
}

impl Bench {
    /// Makes a token with a user PIN.
    pub(crate) fn make_token(&self, label: &str) {
        assert!(Path::new(SOFTHSM).is_file(), "apt-get install softhsm2");
        let module = Pkcs11::new(SOFTHSM).unwrap();
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let free = |slot: &_| !module.get_token_info(*slot).unwrap().token_initialized();
        let slot = module.get_slots_with_token().unwrap().into_iter().find(free).unwrap();
        module.init_token(slot, &AuthPin::from(SO_PIN), label).unwrap();
        // It has another number now.
        let ours = |slot: &_| {
            let token = module.get_token_info(*slot).unwrap();
            token.token_initialized() && token.label() == label && !token.user_pin_initialized()
        };
        let slot = module.get_slots_with_token().unwrap().into_iter().find(ours).unwrap();
        let session = module.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&AuthPin::from(SO_PIN))).unwrap();
        session.init_pin(&AuthPin::from(PIN)).unwrap();
        drop(session);
        module.finalize().unwrap();
    }

    /// As the station speaks to the token.
    pub(crate) fn token(&self) -> Token {
        self.token_by(Path::new(SOFTHSM), LABEL).unwrap()
    }

    /// With what can be made to fail in between.
    pub(crate) fn faulty(&self) -> Token {
        self.token_by(&fault_module(), LABEL).unwrap()
    }

    pub(crate) fn token_by(&self, module: &Path, label: &str) -> Result<Token, keystation_vault::TokenError> {
        let settings =
            TokenSettings { module: module.to_owned(), label: label.to_owned(), key_type: self.key_type };
        Token::new(settings, self.cards())
    }

    pub(crate) fn cards(&self) -> Cards {
        Cards::at(self.keys())
    }

    /// Where the cards are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    /// Orders the module in between to fail.
    pub(crate) fn fault(&self, rules: &str) {
        // Other threads are reading it.
        let new = self.directory.join("fault.new");
        fs::write(&new, rules).unwrap();
        fs::rename(new, self.directory.join("fault")).unwrap();
    }

    /// How often a function was called through the module in between.
    pub(crate) fn calls(&self, function: &str) -> usize {
        let calls = fs::read_to_string(self.directory.join("fault.calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == function).count()
    }

    /// What another program sees of the token.
    pub(crate) fn pkcs11_tool(&self, arguments: &[&str]) -> (bool, String) {
        let at = ["--module", SOFTHSM, "--token-label", LABEL, "--login"];
        answering("pkcs11-tool", &[&at, arguments].concat(), &self.directory, PIN)
            .expect("pkcs11-tool (apt-get install opensc) asks for the PIN")
    }
}

/// The module in between, which `cargo test` builds as an example of this crate.
pub(crate) fn fault_module() -> PathBuf {
    let own = env::current_exe().unwrap();
    // target/debug/deps/vault-…  →  target/debug/examples
    let module = own.parent().unwrap().with_file_name("examples").join("libp11fault.so");
    assert!(module.is_file(), "{} is not built: cargo test -p keystation-vault", module.display());
    module
}

pub(crate) fn import(token: &Token, label: &str, key: &str) -> Result<GroupKeyInfo, ImportError> {
    let key = GroupKey::judged(&secret(key), DerivedKeyAnswer::GroupKey).unwrap();
    token.import(&passphrase(PIN), named(label), key)
}

pub(crate) fn open(token: &Token) -> Result<UnlockedVault, UnlockError> {
    token.open(&passphrase(PIN))
}

impl Place for Bench {
    fn custody(&self) -> Box<dyn Custody> {
        Box::new(self.faulty())
    }

    fn secret(&self) -> &str {
        PIN
    }

    fn wrong(&self) -> &str {
        "271829"
    }

    fn is_wrong_secret(&self, error: &UnlockError) -> bool {
        matches!(error, UnlockError::Token(_)) && error.is_wrong_secret()
    }
}
