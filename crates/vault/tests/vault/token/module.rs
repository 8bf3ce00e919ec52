use std::fs;
use std::path::Path;

use keystation_core::flow::{Vault, VaultError};
use keystation_vault::{Custody, Token, TokenError, UnlockError};

use super::bench::{PIN, alone, fault_module, import, open};
use crate::contract::id;
use crate::support::{EXAMPLE, passphrase};

fn opening(token: &Token) -> TokenError {
    match token.open(&passphrase(PIN)).unwrap_err() {
        UnlockError::Token(error) => {
            assert!((1..=3).contains(&error.remedy().len()), "{error:?}");
            error
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_module_is_said_to_be_none() {
    alone(|bench| {
        for path in ["", "libsofthsm2.so", "./libsofthsm2.so"] {
            let refused = bench.token_by(Path::new(path), "factory");
            assert!(matches!(refused, Err(TokenError::ModulePath(_))), "{path:?}: {refused:?}");
        }
        import(&bench.token(), "gk-a", EXAMPLE).unwrap();
        let by = |path: &Path| opening(&bench.token_by(path, "factory").unwrap());
        let absent = by(Path::new("/nowhere/libsofthsm2.so"));
        assert!(matches!(absent, TokenError::ModuleAbsent { .. }), "{absent:?}");
        let directory = by(&bench.directory);
        assert!(matches!(directory, TokenError::ModuleAbsent { .. }), "{directory:?}");
        let text = bench.directory.join("text.so");
        fs::write(&text, "no library").unwrap();
        let foreign = by(&text);
        assert!(matches!(foreign, TokenError::NoModule { .. }), "{foreign:?}");
        // A library, but not a module. It is there already, so that opening it does nothing.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.split_whitespace().find(|word| word.ends_with("/libc.so.6")).unwrap();
        let foreign = by(Path::new(libc));
        assert!(matches!(foreign, TokenError::NoModule { .. }), "{foreign:?}");
        assert_eq!((foreign.word(), absent.word()), ("module", "module"));
    });
}

#[test]
fn token_is_found_by_its_label_and_only_one_may_have_it() {
    alone(|bench| {
        for label in ["", "a label of more than thirty-two characters", "factory ", "fac\"tory", "fac\ntory"]
        {
            let refused = bench.token_by(&fault_module(), label);
            assert!(matches!(refused, Err(TokenError::Label)), "{label:?}: {refused:?}");
        }
        import(&bench.token(), "gk-a", EXAMPLE).unwrap();
        let card = bench.keys().join("gk-a.json");
        let text = fs::read_to_string(&card).unwrap();
        fs::write(&card, text.replace("\"factory\"", "\"another\"")).unwrap();
        let absent = opening(&bench.token_by(&fault_module(), "another").unwrap());
        assert!(matches!(&absent, TokenError::NoToken(label) if label == "another"), "{absent:?}");
    });
}

#[test]
fn two_tokens_of_one_label_are_none() {
    alone(|bench| {
        bench.make_token("factory");
        let many = super::bench::import(&bench.token(), "gk-a", EXAMPLE).unwrap_err();
        assert!(many.to_string().contains("2 tokens have the label factory"), "{many}");
    });
}

/// The files of the token are all there is of it: to take them away is to pull it out.
#[test]
fn token_that_is_taken_out_and_put_back_derives_again() {
    alone(|bench| {
        let token = bench.token();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let opened = open(&token).unwrap();
        let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
        let expected = key.derive(&id(1)).unwrap();
        let (in_place, away) = (bench.directory.join("tokens"), bench.directory.join("taken out"));
        for _ in 0..3 {
            fs::rename(&in_place, &away).unwrap();
            // It shows no objects and calls that no error: that is no proof that the key is gone.
            assert!(token.destroy(&passphrase(PIN), &"gk-a".parse().unwrap()).is_err());
            assert_eq!(bench.cards().read().unwrap().len(), 1);
            for _ in 0..3 {
                let Err(VaultError::Custody(said)) = key.derive(&id(1)) else { panic!("it derived") };
                assert!(!said.contains(PIN), "{said}");
            }
            let closed = opening(&bench.token());
            assert_eq!(closed.word(), "token-failed", "{closed:?}");
            fs::rename(&away, &in_place).unwrap();
            assert_eq!(key.derive(&id(1)).unwrap().expose(), expected.expose());
        }
    });
}
