use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use keystation_vault::{Exposure, ImportError, SecretRefused, SecretSource, SourceError, UnlockError};

use crate::support::{Bench, EXAMPLE};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn vault_that_others_can_reach_stays_closed() {
    let bench = Bench::new();
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666, 0o777] {
        chmod(bench.path(), mode);
        assert!(
            matches!(bench.unlock(), Err(UnlockError::Exposed(Exposure::Mode(found))) if found == mode),
            "{mode:o}"
        );
        assert!(matches!(bench.import("gk-a", EXAMPLE), Err(ImportError::Unlock(UnlockError::Exposed(_)))));
    }
    for mode in [0o600, 0o400] {
        chmod(bench.path(), mode);
        assert!(bench.unlock().is_ok(), "{mode:o}");
    }
}

fn secret_file(directory: &Path, content: &[u8]) -> std::path::PathBuf {
    let path = directory.join("secret");
    fs::write(&path, content).unwrap();
    chmod(&path, 0o600);
    path
}

#[test]
fn secret_file_is_one_line_and_its_line_feed_is_not_part_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let read = |content: &[u8]| {
        let source = SecretSource::File(secret_file(directory.path(), content));
        source.text().map(|text| text.expose().to_owned())
    };
    for content in [&b"a secret"[..], b"a secret\n", b"a secret\r\n"] {
        assert_eq!(read(content).unwrap(), "a secret", "{content:?}");
    }
    assert_eq!(read(b" a secret ").unwrap(), " a secret ", "spaces are part of it");
    assert_eq!(read("pässwörd\n".as_bytes()).unwrap(), "pässwörd");
    let refused = |content: &[u8]| match read(content) {
        Err(SourceError::Refused(refused)) => refused,
        other => panic!("{:?}: {other:?}", content.escape_ascii().to_string()),
    };
    assert_eq!(refused(b"a secret\n\n"), SecretRefused::Control { position: 9 });
    assert_eq!(refused(b"a secret\nanother\n"), SecretRefused::Control { position: 9 });
    assert_eq!(refused(b"a\tsecret"), SecretRefused::Control { position: 2 });
    assert_eq!(refused(b"a secret\r"), SecretRefused::Control { position: 9 });
    assert_eq!(refused(b"a\0secret"), SecretRefused::Control { position: 2 });
    assert_eq!(refused(b"\xff\xfe"), SecretRefused::NotText);
    assert_eq!(refused(&[b'a'; 1025]), SecretRefused::TooLong);
    assert_eq!(refused(&vec![b'a'; 1 << 20]), SecretRefused::TooLong);
    assert_eq!(read(&[&[b'a'; 1024][..], b"\r\n"].concat()).unwrap().len(), 1024);
    assert_eq!(read(b"\n").unwrap(), "");
    let empty = SecretSource::File(secret_file(directory.path(), b"\n")).passphrase();
    assert!(matches!(empty, Err(SourceError::Refused(SecretRefused::Empty))));
}

#[test]
fn secret_file_that_others_can_reach_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = secret_file(directory.path(), b"a secret");
    let source = SecretSource::File(path.clone());
    for mode in [0o640, 0o604, 0o666] {
        chmod(&path, mode);
        let exposed = matches!(source.text(), Err(SourceError::Exposed { exposure: Exposure::Mode(m), .. }) if m == mode);
        assert!(exposed, "{mode:o}");
    }
    chmod(&path, 0o400);
    assert!(source.text().is_ok());
    if is_root() {
        chown(&path, Some(65534), None).unwrap();
        let exposure = source.text().map(|_| ()).unwrap_err();
        assert!(
            matches!(exposure, SourceError::Exposed { exposure: Exposure::Owner(65534), .. }),
            "{exposure}"
        );
    }
}

/// Container and systemd credentials are links; judged is what they lead to.
#[test]
fn link_to_a_secret_is_followed_and_judged_by_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = secret_file(directory.path(), b"a secret");
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    let source = SecretSource::File(link);
    assert!(source.text().is_ok());
    chmod(&path, 0o644);
    assert!(matches!(source.text(), Err(SourceError::Exposed { .. })));
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for path in [fifo.as_path(), directory.path(), Path::new("/dev/null")] {
        let refused = SecretSource::File(path.to_owned()).text().map(|_| ()).unwrap_err();
        assert!(matches!(refused, SourceError::Exposed { exposure: Exposure::NotAFile, .. }), "{refused}");
    }
    let absent = SecretSource::File(directory.path().join("absent")).text();
    assert!(matches!(absent, Err(SourceError::Unopened { .. })));
}

/// A wrong number must never read from a file of our own: the log, a port.
#[test]
fn descriptor_that_this_program_opened_itself_is_refused() {
    use std::os::fd::AsRawFd as _;
    let directory = tempfile::tempdir().unwrap();
    let own = fs::File::open(secret_file(directory.path(), b"a secret")).unwrap();
    for number in [own.as_raw_fd(), 1, 2, -1, 100_000] {
        assert!(
            matches!(SecretSource::Descriptor(number).text(), Err(SourceError::NoDescriptor { .. })),
            "{number}"
        );
    }
    rustix::io::fcntl_setfd(&own, rustix::io::FdFlags::empty()).unwrap(); // as it were inherited
    assert_eq!(SecretSource::Descriptor(own.as_raw_fd()).text().unwrap().expose(), "a secret");
}
