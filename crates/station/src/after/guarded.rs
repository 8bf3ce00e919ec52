//! Files of others that the station runs, or reads a secret from: nobody but their owner may put another one in their place.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file that the station does not use, since others could have put it there, or read it. Nothing was run or read.
#[derive(Debug, thiserror::Error)]
#[error("{} is not used: {} {why}", file.display(), what.display())]
pub struct Exposed {
    /// The file of the settings.
    pub file: PathBuf,
    /// What is open to others: the file, or a folder that it lies in.
    pub what: PathBuf,
    /// How.
    pub why: Exposure,
}

/// How something is open to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exposure {
    /// It belongs to another user.
    #[error("belongs to neither the user of the station nor root")]
    Owner,
    /// Somebody else may write to it.
    #[error("may be written to by its group or by everybody")]
    Writable,
    /// Somebody else may read it.
    #[error("may be read by its group or by everybody")]
    Readable,
}

/// Why a file is not used.
#[derive(Debug)]
pub(super) enum Unfit {
    Exposed(Exposed),
    /// It is not there, or no file of this kind.
    Unreadable(io::Error),
}

/// A program that the station runs, as the user that it is itself.
pub(super) fn program(file: &Path) -> Result<(), Unfit> {
    let about = fs::metadata(file).map_err(Unfit::Unreadable)?;
    if !about.is_file() || about.mode() & 0o111 == 0 {
        return Err(Unfit::Unreadable(io::Error::other("it is no program")));
    }
    not_writable(file, file, &about)?;
    folders(file)
}

/// A file with a secret, open already: what is said of it is said of what is read.
pub(super) fn secret(file: &Path, about: &Metadata) -> Result<(), Unfit> {
    if !about.is_file() {
        return Err(Unfit::Unreadable(io::Error::other("it is no file")));
    }
    not_writable(file, file, about)?;
    if about.mode() & 0o077 != 0 {
        return Err(exposed(file, file, Exposure::Readable));
    }
    folders(file)
}

/// Each folder that it lies in, behind links too: whoever may write to one can put another file there. In a sticky one, as `/tmp`, that
/// can be done by its owner and by that of the file alone.
fn folders(file: &Path) -> Result<(), Unfit> {
    let real = fs::canonicalize(file).map_err(Unfit::Unreadable)?;
    for place in [file, &real] {
        for folder in place.ancestors().skip(1) {
            let about = fs::metadata(folder).map_err(Unfit::Unreadable)?;
            if about.mode() & 0o1000 == 0 {
                not_writable(file, folder, &about)?;
            }
        }
    }
    Ok(())
}

fn not_writable(file: &Path, what: &Path, about: &Metadata) -> Result<(), Unfit> {
    let ours = [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    if !ours {
        Err(exposed(file, what, Exposure::Owner))
    } else if about.mode() & 0o022 != 0 {
        Err(exposed(file, what, Exposure::Writable))
    } else {
        Ok(())
    }
}

fn exposed(file: &Path, what: &Path, why: Exposure) -> Unfit {
    Unfit::Exposed(Exposed { file: file.to_owned(), what: what.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn why(found: Result<(), Unfit>) -> Option<(PathBuf, Exposure)> {
        match found {
            Ok(()) => None,
            Err(Unfit::Exposed(exposed)) => Some((exposed.what, exposed.why)),
            Err(Unfit::Unreadable(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn a_file_that_others_may_change_or_replace_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("hooks");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("hook");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        set(&folder, 0o755);
        set(&file, 0o755);
        assert_eq!(why(program(&file)), None);
        let read = |file: &Path| secret(file, &fs::metadata(file).unwrap());
        assert_eq!(why(read(&file)), Some((file.clone(), Exposure::Readable)));
        for mode in [0o775, 0o757, 0o720, 0o702] {
            set(&file, mode);
            assert_eq!(why(program(&file)), Some((file.clone(), Exposure::Writable)), "{mode:o}");
        }
        set(&file, 0o700);
        assert_eq!((why(program(&file)), why(read(&file))), (None, None));
        let link = place.path().join("link");
        symlink(&file, &link).unwrap();
        for mode in [0o775, 0o757] {
            set(&folder, mode);
            for file in [&file, &link] {
                let expected = Some(Exposure::Writable);
                assert_eq!(why(program(file)).map(|(_, why)| why), expected, "{mode:o}");
                assert_eq!(why(read(file)).map(|(_, why)| why), expected, "{mode:o}");
            }
        }
        // In a sticky folder only its owner and root replace a file.
        set(&folder, 0o1777);
        assert_eq!(why(program(&file)), None);
        set(&folder, 0o755);
        // Root alone gives files away.
        if rustix::process::geteuid().is_root() {
            chown(&file, Some(4711), None).unwrap();
            assert_eq!(why(program(&file)), Some((file.clone(), Exposure::Owner)));
            chown(&file, Some(0), None).unwrap();
            chown(&folder, Some(4711), None).unwrap();
            assert_eq!(why(program(&file)).map(|(_, why)| why), Some(Exposure::Owner));
        }
    }
}
