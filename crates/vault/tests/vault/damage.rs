use std::os::unix::fs::symlink;

use keystation_vault::UnlockError;

use crate::support::{Bench, EXAMPLE, PASSPHRASE, passphrase, variant};

fn sealed() -> Bench {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    bench
}

/// Every byte, one bit of it: none opens, none panics, and what is said of it fits where the byte stands.
#[test]
fn vault_with_one_bit_changed_is_refused() {
    let bench = sealed();
    let bytes = bench.bytes();
    let payload = bytes.windows(4).position(|w| w == b"\n---").unwrap() + "\n--- ".len() + 43 + "\n".len();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        bench.put(&damaged);
        let error = bench.unlock().map(|_| ()).expect_err(&format!("byte {at}"));
        if at >= payload {
            assert_eq!(variant(&error), "Damaged", "byte {at} of the payload, which begins at {payload}");
        }
    }
    bench.put(&bytes);
    assert!(bench.unlock().is_ok(), "it was the damage");
}

#[test]
fn vault_cut_at_any_byte_is_refused() {
    let bench = sealed();
    let bytes = bench.bytes();
    for length in 0..bytes.len() {
        bench.put(&bytes[..length]);
        let error = bench.unlock().map(|_| ()).expect_err(&format!("{length} bytes"));
        assert!(
            matches!(variant(&error).as_str(), "Truncated" | "Damaged" | "NotAge"),
            "{length}: {error:?}"
        );
    }
    bench.put(&[&bytes[..], b"\n"].concat());
    assert!(matches!(bench.unlock(), Err(UnlockError::Damaged)), "one byte too many");
}

#[test]
fn wrong_passphrase_is_told_apart_from_damage() {
    let bench = sealed();
    for wrong in ["Correct horse battery staple", "correct horse battery staple ", "x"] {
        assert!(
            matches!(bench.file.unlock(&passphrase(wrong)), Err(UnlockError::WrongPassphrase)),
            "{wrong}"
        );
    }
    let mut bytes = bench.bytes();
    let salt = bytes.windows(7).position(|w| w == b"scrypt ").unwrap() + "scrypt ".len();
    bytes[salt] = if bytes[salt] == b'A' { b'B' } else { b'A' };
    bench.put(&bytes);
    assert!(matches!(bench.unlock(), Err(UnlockError::WrongPassphrase)), "another salt looks the same");
}

/// The header of an age file is text: a work factor is changed as easily as this.
#[test]
fn work_factor_is_bounded_before_any_work() {
    let bench = sealed();
    let text = bench.bytes();
    let mark = text.windows(7).position(|w| w == b"scrypt ").unwrap();
    let end = mark + text[mark..].iter().position(|b| *b == b'\n').unwrap();
    let asking = |factor: &str| {
        let at = text[..end].iter().rposition(|b| *b == b' ').unwrap() + 1;
        bench.put(&[&text[..at], factor.as_bytes(), &text[end..]].concat());
        bench.unlock().map(|_| ()).unwrap_err()
    };
    for (factor, required) in [("21", 21), ("30", 30), ("63", 63)] {
        assert!(
            matches!(asking(factor), UnlockError::TooMuchWork { required: r } if r == required),
            "{factor}"
        );
    }
    // Done, at a cost of 1 GiB, and of no use: the salt belongs to another factor.
    assert!(matches!(asking("20"), UnlockError::WrongPassphrase));
    for factor in ["0", "64", "04", "-1", "256", "4 ", ""] {
        let error = asking(factor);
        assert!(!matches!(error, UnlockError::WrongPassphrase), "{factor:?}: {error:?}");
    }
}

#[test]
fn foreign_files_are_refused_by_what_they_are() {
    let bench = Bench::empty();
    assert!(matches!(bench.unlock(), Err(UnlockError::Absent)));
    for foreign in [&b""[..], b"\n", b"{}", b"-----BEGIN AGE ENCRYPTED FILE-----\n", &[0; 300]] {
        bench.put(foreign);
        let error = bench.unlock().map(|_| ()).unwrap_err();
        assert!(matches!(variant(&error).as_str(), "NotAge" | "Truncated"), "{foreign:?}: {error:?}");
    }
    bench.put(b"age-encryption.org/v2\n-> scrypt x 4\n");
    assert!(matches!(bench.unlock(), Err(UnlockError::NewerAge)));
    bench.put(&vec![b'a'; 26 * 1024]);
    assert!(matches!(bench.unlock(), Err(UnlockError::TooLarge)));

    let identity = age::x25519::Identity::generate();
    let sealed = age::encrypt(&identity.to_public(), b"{}").unwrap();
    bench.put(&sealed);
    assert!(matches!(bench.unlock(), Err(UnlockError::NotByPassphrase)));

    std::fs::remove_file(bench.path()).unwrap();
    std::fs::create_dir(bench.path()).unwrap();
    assert!(matches!(bench.unlock(), Err(UnlockError::Exposed(_))));
}

#[test]
fn vault_behind_a_symbolic_link_is_replaced_where_it_is() {
    let bench = Bench::new();
    let (link, real) = (bench.path().to_owned(), bench.directory.path().join("real.vault"));
    std::fs::rename(&link, &real).unwrap();
    symlink(&real, &link).unwrap();
    bench.import("gk-a", EXAMPLE).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let vault = keystation_vault::SealedFile::at(real).unlock(&passphrase(PASSPHRASE)).unwrap();
    assert_eq!(vault.keys().len(), 1);
}
