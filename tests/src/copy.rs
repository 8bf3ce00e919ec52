//! A directory that is made once and laid out again for each test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file or a folder: its path below the directory, its permissions, and what is in it. Kept in memory, so that a process which
/// ends leaves nothing on the disk.
pub(crate) struct Copied {
    path: PathBuf,
    mode: u32,
    /// `None` for a folder.
    bytes: Option<Vec<u8>>,
}

/// Everything below `directory`, each folder before what is in it.
pub(crate) fn of(directory: &Path) -> Vec<Copied> {
    let mut copied = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(directory.join(&folder)).expect("the directory is ours") {
            let entry = entry.expect("the directory is ours");
            let path = folder.join(entry.file_name());
            let about = entry.metadata().expect("nothing else changes it");
            let mode = about.permissions().mode();
            let bytes = about.is_file().then(|| fs::read(entry.path()).expect("it is ours"));
            assert!(about.is_file() || about.is_dir(), "{} is neither file nor folder", path.display());
            if about.is_dir() {
                folders.push(path.clone());
            }
            copied.push(Copied { path, mode, bytes });
        }
    }
    copied
}

/// Lays it out in `directory`, which is empty.
pub(crate) fn into(directory: &Path, copied: &[Copied]) {
    for Copied { path, mode, bytes } in copied {
        let path = directory.join(path);
        match bytes {
            Some(bytes) => fs::write(&path, bytes),
            None => fs::create_dir(&path),
        }
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(*mode)))
        .expect("the directory is ours and empty");
    }
}
