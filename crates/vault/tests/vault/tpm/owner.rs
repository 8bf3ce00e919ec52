use base64ct::{Base64, Encoding};
use keystation_core::flow::Vault;
use keystation_vault::Home;
use sha2::{Digest, Sha256};

use super::Bench;
use super::faults::{import, open};
use crate::contract::{LENGTHS, id};
use crate::support::PASSPHRASE;

/// The storage key of the station, in `primary.ctx`.
pub(crate) const PRIMARY: [&str; 4] = [
    "--hierarchy=o",
    "--hash-algorithm=sha256",
    "--key-algorithm=ecc256:aes128cfb",
    "--key-context=primary.ctx",
];
pub(crate) const PRIMARY_ATTRIBUTES: &str =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt";

/// What the secret becomes, in hexadecimal digits.
pub(crate) fn auth_value() -> String {
    let hash = Sha256::new().chain_update("keystation/tpm-auth/v1\0").chain_update(PASSPHRASE).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `docs/vault-format.md` says: whoever has the card, the TPM and the secret uses the key with the ordinary tools.
#[test]
fn owner_uses_the_key_with_tpm2_tools_and_gets_the_same() {
    let bench = Bench::new();
    let directory = bench.emulator.directory();
    // Without a resource manager each tool leaves loaded what it used.
    let tool = |tool: &str, arguments: &[&str]| {
        let done = bench.emulator.tool(tool, arguments);
        bench.emulator.tool("tpm2_flushcontext", &["--transient-object"]).unwrap();
        done
    };
    for length in LENGTHS {
        import(&bench.tpm(), &format!("gk-{length}"), length, PASSPHRASE).unwrap();
    }
    let ids: Vec<_> = [1, 2, 3].map(id).into();
    let opened = open(&bench.tpm()).unwrap();
    let derived: Vec<Vec<_>> = LENGTHS
        .iter()
        .map(|length| {
            let key = opened.key(&format!("gk-{length}").parse().unwrap()).unwrap();
            ids.iter().map(|id| key.derive(id).unwrap().to_base64().to_string()).collect()
        })
        .collect();
    opened.lock();

    tool("tpm2_createprimary", &[&PRIMARY[..], &["--attributes", PRIMARY_ATTRIBUTES]].concat()).unwrap();
    let cards = keystation_vault::Cards::at(bench.cards.path().join("keys")).read().unwrap();
    for card in cards {
        let Home::Tpm { public, private } = &card.home else { panic!("it is in a TPM") };
        std::fs::write(directory.join("key.pub"), public).unwrap();
        std::fs::write(directory.join("key.priv"), private).unwrap();
        let load = [
            "--parent-context=primary.ctx",
            "--public=key.pub",
            "--private=key.priv",
            "--key-context=key.ctx",
        ];
        tool("tpm2_load", &load).unwrap();
        let at = LENGTHS.iter().position(|length| *length == usize::from(card.info.length)).unwrap();
        for (id, derived) in ids.iter().zip(&derived[at]) {
            std::fs::write(directory.join("message"), id.as_str()).unwrap();
            let auth = format!("--auth=hex:{}", auth_value());
            let use_it =
                ["--key-context=key.ctx", &auth, "--hash-algorithm=sha256", "--output=mac", "message"];
            tool("tpm2_hmac", &use_it).unwrap();
            let mac = std::fs::read(directory.join("mac")).unwrap();
            assert_eq!(Base64::encode_string(&mac), *derived, "{} {id}", card.info.label);
        }
        // And in no other way.
        let unsealed =
            tool("tpm2_unseal", &["--object-context=key.ctx", &format!("--auth=hex:{}", auth_value())]);
        assert!(unsealed.is_err_and(|error| error.contains("0x2C2") || error.contains("attributes")));
    }
}
