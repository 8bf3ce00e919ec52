use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::derive::tests::bytes;
use crate::key::tests::lacks;
use crate::proof::{self, Nonce, proof_of};
use crate::registration::IdRule;

/// What every vector of a file is about.
struct Subject {
    scope: IdScope,
    id: RegistrationId,
    key: DeviceKey,
}

impl Subject {
    fn new(scope: &str, id: &str, key_b64: &str) -> Self {
        Self {
            scope: scope.parse().unwrap(),
            id: RegistrationId::new(id, IdRule::Dashes).unwrap(),
            key: DeviceKey::filled_by(|key| key.copy_from_slice(&bytes(key_b64))),
        }
    }

    fn verify(&self, token: &str, expected: &Expiry) -> Result<Verified, SasError> {
        verify(token, &self.key, &self.scope, &self.id, expected)
    }

    fn token(&self, expiry: u64, dialect: Dialect) -> SasToken {
        SasToken::new(&self.key, &self.scope, &self.id, expiry, dialect)
    }
}

/// `tests/vectors/dps-sas.json`: tokens that real clients made, and signatures that OpenSSL made.
#[derive(Deserialize)]
struct Genuine {
    real_client_tokens: Vec<ClientToken>,
    fixed_expiry_dialects: Rows,
}

#[derive(Deserialize)]
struct ClientToken {
    client: String,
    id_scope: String,
    registration_id: String,
    device_key_b64: String,
    token: String,
}

#[derive(Deserialize)]
struct Rows {
    id_scope: String,
    registration_id: String,
    device_key_b64: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    dialect: String,
    sr: String,
    se: u64,
    skn: String,
    string_to_sign: String,
    signature_b64: String,
}

fn genuine() -> Genuine {
    serde_json::from_str(include_str!("../../../../tests/vectors/dps-sas.json")).unwrap()
}

#[test]
fn tokens_of_real_clients_are_good_and_are_made_again_letter_by_letter() {
    let genuine = genuine().real_client_tokens;
    let made_by = |client: &str| match client {
        c if c.contains("(Python)") => Dialect::Python,
        c if c.contains("(Node)") => Dialect::Node,
        c if c.contains("azure-sdk-for-c") => Dialect::EmbeddedC,
        other => panic!("which dialect is {other}?"),
    };
    assert_eq!(genuine.len(), 3);
    for ClientToken { client, id_scope, registration_id, device_key_b64, token } in &genuine {
        let subject = Subject::new(id_scope, registration_id, device_key_b64);
        let expiry = token.split("se=").nth(1).unwrap().parse().unwrap();
        let verified = subject.verify(token, &Expiry::Exactly(expiry)).unwrap();
        let dialect = made_by(client);
        assert_eq!((verified.expiry, verified.dialect), (expiry, Some(dialect)), "{client}");
        assert_eq!(subject.token(expiry, dialect).expose(), token, "{client}");
    }
}

#[test]
fn dialect_rows_have_the_signature_that_openssl_makes() {
    let Rows { id_scope, registration_id, device_key_b64, rows } = genuine().fixed_expiry_dialects;
    let subject = Subject::new(&id_scope, &registration_id, &device_key_b64);
    let dialects = [Dialect::CSharp, Dialect::SdkC, Dialect::Node, Dialect::IotEdge];
    assert_eq!(rows.len(), dialects.len());
    for (row, dialect) in rows.iter().zip(dialects) {
        assert_eq!(dialect.resource(&subject.scope, &subject.id), row.sr, "{}", row.dialect);
        assert_eq!(row.string_to_sign, format!("{}\n{}", row.sr, row.se));
        let signature = sign(subject.key.expose(), &row.sr, &row.se.to_string());
        assert_eq!(Base64::encode_string(&*signature), row.signature_b64, "{}", row.dialect);

        let token = subject.token(row.se, dialect);
        let escaped =
            row.signature_b64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").to_lowercase();
        let text = token.expose().to_lowercase();
        assert!(text.contains(&format!("&sig={}&", escaped.to_lowercase())), "{}", row.dialect);
        assert!(text.contains(&format!("&skn={}", row.skn)), "{}", row.dialect);
        let verified = subject.verify(token.expose(), &Expiry::Exactly(row.se)).unwrap();
        assert_eq!(verified.dialect, Some(dialect));
    }
}

/// `tests/vectors/sas-must-fail.json`.
#[derive(Deserialize)]
struct Judged {
    id_scope: String,
    registration_id: String,
    device_key_b64: String,
    must_fail: Vec<MustFail>,
    must_pass: Vec<MustPass>,
}

#[derive(Deserialize)]
struct MustFail {
    name: String,
    token: String,
    expect: Expected,
    error: String,
    part: String,
}

#[derive(Deserialize)]
struct MustPass {
    name: String,
    token: String,
    expect: Expected,
    key_name: String,
    dialect: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Exactly { exactly: u64 },
    Within { now: u64, shortest: u64, longest: u64 },
}

impl From<&Expected> for Expiry {
    fn from(expected: &Expected) -> Self {
        match *expected {
            Expected::Exactly { exactly } => Self::Exactly(exactly),
            Expected::Within { now, shortest, longest } => Self::Within { now, life: shortest..=longest },
        }
    }
}

fn judged() -> (Subject, Vec<MustFail>, Vec<MustPass>) {
    let file = include_str!("../../../../tests/vectors/sas-must-fail.json");
    let Judged { id_scope, registration_id, device_key_b64, must_fail, must_pass } =
        serde_json::from_str(file).unwrap();
    (Subject::new(&id_scope, &registration_id, &device_key_b64), must_fail, must_pass)
}

#[test]
fn every_must_fail_token_is_refused_for_the_part_that_is_wrong() {
    let (subject, must_fail, _) = judged();
    let mut errors = HashSet::new();
    for MustFail { name, token, expect, error, part } in &must_fail {
        let refused = subject.verify(token, &expect.into()).expect_err(name);
        assert_eq!(
            (refused.as_str(), refused.at_fault().as_str()),
            (error.as_str(), part.as_str()),
            "{name}"
        );
        errors.insert(refused.as_str());
    }
    assert_eq!(errors.len(), 19, "every kind of error has a vector");
}

#[test]
fn every_near_miss_is_taken() {
    let (subject, _, must_pass) = judged();
    for MustPass { name, token, expect, key_name, dialect } in &must_pass {
        let verified = subject.verify(token, &expect.into()).expect(name);
        let found = match verified.key_name {
            KeyName::Absent => "absent",
            KeyName::Empty => "empty",
            KeyName::Registration => "registration",
        };
        assert_eq!(found, key_name, "{name}");
        assert_eq!(verified.dialect.map(Dialect::as_str), dialect.as_deref(), "{name}");
    }
}

#[test]
fn errors_repeat_nothing_of_the_token() {
    let (subject, must_fail, _) = judged();
    for MustFail { name, token, expect, .. } in &must_fail {
        let told = subject.verify(token, &expect.into()).expect_err(name).to_string();
        assert!(!told.contains("soIrhTZdm95"), "{name}: the signature");
        assert!(!told.contains(char::is_control), "{name}");
    }
}

/// Every character of a good token, replaced by every printable one.
#[test]
fn no_character_can_be_changed_but_the_case_of_an_escape_in_sig() {
    let (subject, ..) = judged();
    let expiry = Expiry::Exactly(1_795_003_604);
    let good = subject.token(1_795_003_604, Dialect::CSharp);
    let signature = good.expose().find("&sig=").unwrap()..good.expose().find("&se=").unwrap();
    assert!(subject.verify(good.expose(), &expiry).is_ok());
    let mut taken = 0;
    for (position, original) in good.expose().char_indices() {
        for other in (' '..='~').filter(|other| *other != original) {
            let mut text = good.expose().to_owned();
            text.replace_range(position..=position, other.encode_utf8(&mut [0; 4]));
            if subject.verify(&text, &expiry).is_ok() {
                taken += 1;
                let escape_case = signature.contains(&position) && original.eq_ignore_ascii_case(&other);
                assert!(escape_case, "{position}: {original} became {other}");
            }
        }
    }
    assert_eq!(taken, good.expose()[signature].matches('%').count(), "one hexadecimal letter each");
}

#[test]
fn no_character_can_be_left_out_or_doubled() {
    let (subject, ..) = judged();
    let expiry = Expiry::Exactly(1_795_003_604);
    for dialect in Dialect::ALL {
        let good = subject.token(1_795_003_604, *dialect);
        for (position, character) in good.expose().char_indices() {
            let (before, after) = good.expose().split_at(position);
            let shorter = format!("{before}{}", &after[1..]);
            let longer = format!("{before}{character}{after}");
            assert!(subject.verify(&shorter, &expiry).is_err(), "{dialect:?} without {position}");
            assert!(subject.verify(&longer, &expiry).is_err(), "{dialect:?} with {position} twice");
        }
    }
}

/// What the NUL in the prefix of a proof is for: a device that signed bare nonces would sell tokens to whoever reaches
/// its serial port.
#[test]
fn a_device_that_signs_bare_nonces_sells_tokens() {
    let subject = Subject::new("0neAB", "17953190001", "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    let nonce = *b"0neAB/registrations/17953190001\n";
    let id = subject.id.as_str();

    let sold = |answer: [u8; 32]| {
        let signature = Base64::encode_string(&answer).replace('+', "%2B").replace('/', "%2F");
        format!("{PREFIX}sr=0neAB/registrations/{id}&sig={}&se={id}", signature.replace('=', "%3D"))
    };
    let expiry = Expiry::Exactly(17_953_190_001);
    let mut bare = [0; 32];
    hmac_sha256(subject.key.expose(), &[&nonce, id.as_bytes()], &mut bare);
    assert!(subject.verify(&sold(bare), &expiry).is_ok(), "without the prefix the attack is real");

    let proof = proof_of(&subject.key, &Nonce(nonce), &subject.id);
    assert_eq!(subject.verify(&sold(proof.0), &expiry), Err(SasError::Signature));
}

proptest! {
    /// Whatever a good token signs, it is not what a proof signs, for any nonce: that begins with a prefix with a NUL,
    /// which `sr` cannot hold.
    #[test]
    fn no_nonce_makes_a_proof_that_is_the_signature_of_a_token(
        nonce in prop::array::uniform32(prop_oneof![4 => 0x21..0x7fu8, 1 => Just(b'\n'), 1 => any::<u8>()]),
        id in "[0-9]{1,20}",
    ) {
        let key = DeviceKey::filled_by(|key| key.fill(7));
        let scope = "0ne00000001".parse().unwrap();
        let id = RegistrationId::new(&id, IdRule::Dashes).unwrap();
        let message = [proof::PREFIX, &nonce, id.as_str().as_bytes()].concat();
        let proof = Base64::encode_string(&proof_of(&key, &Nonce(nonce), &id).0);
        let proof = proof.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        // Every way to read the signed message as `sr` LF `se`.
        for (at, _) in message.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            let sr = String::from_utf8_lossy(&message[..at]);
            let se = String::from_utf8_lossy(&message[at + 1..]);
            let token = format!("{PREFIX}sr={sr}&sig={proof}&se={se}");
            let window = Expiry::Within { now: 0, life: 0..=u64::MAX };
            prop_assert!(verify(&token, &key, &scope, &id, &window).is_err());
        }
        prop_assert!(message.contains(&0));
        for dialect in Dialect::ALL {
            let token = SasToken::new(&key, &scope, &id, 1_800_000_000, *dialect);
            prop_assert!(!token.expose().contains('\0'));
        }
    }

    #[test]
    fn what_is_made_is_good_and_says_who_made_it(
        id in "[a-z0-9]([a-z0-9._:-]{0,126}[a-z0-9])?",
        scope in "[a-zA-Z0-9]{1,32}",
        key in any::<[u8; 32]>(),
        expiry in any::<u64>(),
    ) {
        let key = DeviceKey::filled_by(|out| *out = key);
        let scope = scope.parse().unwrap();
        let id = RegistrationId::new(&id, IdRule::Punctuation).unwrap();
        for dialect in Dialect::ALL {
            let token = SasToken::new(&key, &scope, &id, expiry, *dialect);
            let verified = verify(token.expose(), &key, &scope, &id, &Expiry::Exactly(expiry)).unwrap();
            prop_assert_eq!((verified.expiry, verified.dialect), (expiry, Some(*dialect)));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(SharedAccessSignature )?[ -~\\PC&=%]{0,1100}") {
        let subject = Subject::new("0ne00000001", "sn-1", "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
        prop_assert!(subject.verify(&text, &Expiry::Exactly(1)).is_err());
    }
}

#[test]
fn token_lacks_what_would_leak_it() {
    lacks!(SasToken: fmt::Debug, fmt::Display, Clone, PartialEq, serde::Serialize, AsRef<str>);
}

#[test]
fn every_dialect_spells_differently_even_without_a_colon_or_a_capital() {
    let key = DeviceKey::filled_by(|bytes| bytes.fill(7));
    let scope = "0ne00000001".parse().unwrap();
    let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
    let token = |dialect| SasToken::new(&key, &scope, &id, 1_800_000_000, dialect);
    let texts: HashSet<_> = Dialect::ALL.iter().map(|dialect| token(*dialect).expose().to_owned()).collect();
    assert_eq!(texts.len(), 7);
}

#[test]
fn colons_are_spelled_as_each_client_spells_them() {
    let scope = "0neAB".parse().unwrap();
    let id = RegistrationId::new("ac:67", IdRule::Punctuation).unwrap();
    let resources = Dialect::ALL.iter().map(|dialect| dialect.resource(&scope, &id)).collect::<Vec<_>>();
    assert_eq!(
        resources,
        [
            "0neAB%2Fregistrations%2Fac%3A67",
            "0neAB%2Fregistrations%2Fac%3A67",
            "0neAB/registrations/ac:67",
            "0neAB/registrations/ac:67",
            "0neAB%2fregistrations%2fac%3a67",
            "0neAB%2fregistrations%2fac%3A67",
            "0neab/registrations/ac:67",
        ]
    );
}

/// Growing the text would leave pieces of the signature in freed memory.
#[test]
fn the_longest_token_fits_the_room_that_was_reserved() {
    let key = DeviceKey::filled_by(|bytes| bytes.fill(0xff));
    let scope = "A".repeat(32).parse().unwrap();
    let id = RegistrationId::new(&format!("a{}a", ":".repeat(126)), IdRule::Punctuation).unwrap();
    for dialect in Dialect::ALL {
        let token = SasToken::new(&key, &scope, &id, u64::MAX, *dialect);
        let reserved = dialect.resource(&scope, &id).len() + 256;
        assert_eq!(token.0.capacity(), reserved);
        assert!(token.expose().len() <= LIMIT, "and it can be read back");
    }
}
