//! Which program this is, by its bytes: two of the same version need not be the same.

use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// SHA-256 of the file that this process runs, 64 hexadecimal digits; read once. `/proc/self/exe` (Linux) is the file itself,
/// also where another one has been put in its place since.
pub(crate) fn build() -> io::Result<&'static str> {
    static BUILD: OnceLock<String> = OnceLock::new();
    if let Some(build) = BUILD.get() {
        return Ok(build);
    }
    let mut file = File::open("/proc/self/exe")?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let digits = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(BUILD.get_or_init(|| digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_is_the_hash_of_the_running_file() {
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let digits: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(build().unwrap(), digits);
        assert!(std::ptr::eq(build().unwrap(), build().unwrap()), "it is read once");
    }
}
