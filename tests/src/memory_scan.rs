//! Looks for secrets in the memory of a running process, in a core file, in any bytes.
//!
//! It sees any contiguous copy of 19 bytes or more: it looks for every 16-byte window of a secret at a stride of 4.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

const WINDOW: usize = 16;
const STRIDE: usize = 4;
/// Bytes of a SHA-256 block, to which HMAC pads a key.
const BLOCK: usize = 64;
/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// What to look for.
#[derive(Default)]
pub struct Needles {
    windows: HashMap<[u8; WINDOW], String>,
    /// Whether a window begins with these two bytes: most places in memory are told from it at once.
    begins: Vec<bool>,
}

/// A window of a secret was found.
#[derive(Debug)]
pub struct Hit {
    /// Which secret, in which spelling, from which byte of the spelling on.
    pub what: String,
    /// Address in the process, or offset in the bytes.
    pub at: u64,
    /// The mapping, as `/proc/PID/maps` names it.
    pub mapping: String,
}

/// What came of a scan.
#[derive(Debug, Default)]
pub struct Scan {
    /// Everything that was found.
    pub hits: Vec<Hit>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Mappings that could not be read: the kernel's own pages, and secret memory.
    pub unread: Vec<String>,
}

impl Needles {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { windows: HashMap::new(), begins: vec![false; 1 << 16] }
    }

    /// A group key: the key itself, and K ⊕ ipad and K ⊕ opad (RFC 2104), from which it can be read as well.
    pub fn group_key(&mut self, key: &[u8]) {
        self.bytes("group key", key);
        let mut block = [0; BLOCK];
        block[..key.len()].copy_from_slice(key);
        self.binary("K ^ ipad", &block.map(|byte| byte ^ 0x36));
        self.binary("K ^ opad", &block.map(|byte| byte ^ 0x5c));
    }

    /// The two states of HMAC that an open vault keeps of a group key of at most 64 bytes. They may be there until it is
    /// locked, and not a moment longer.
    pub fn midstates(&mut self, key: &[u8]) {
        let mut block = [0; BLOCK];
        block[..key.len()].copy_from_slice(key);
        for (name, pad) in [("inner state", 0x36), ("outer state", 0x5c)] {
            let mut state = INITIAL;
            sha2::block_api::compress256(&mut state, &[block.map(|byte| byte ^ pad)]);
            self.binary(name, &state.map(u32::to_le_bytes).concat());
        }
    }

    /// Any secret bytes: as they are, as a hash function loads them, and as text in Base64 and hexadecimal digits.
    ///
    /// # Panics
    /// If there are fewer than 19: not every copy would be seen.
    pub fn bytes(&mut self, name: &str, secret: &[u8]) {
        self.binary(name, secret);
        for shift in 0..3 {
            // The same bytes within a longer text: the characters at the ends depend on the neighbours.
            let shifted = [&[0; 2][..shift], secret].concat();
            let inside = |text: String| text[if shift == 0 { 0 } else { 4 }..text.len() - 1].to_owned();
            self.window(
                &format!("{name}, Base64"),
                inside(Base64Unpadded::encode_string(&shifted)).as_bytes(),
            );
            self.window(
                &format!("{name}, Base64 URL"),
                inside(Base64UrlUnpadded::encode_string(&shifted)).as_bytes(),
            );
        }
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        self.window(&format!("{name}, hex"), digits.as_bytes());
        self.window(&format!("{name}, HEX"), digits.to_uppercase().as_bytes());
    }

    /// A secret text, in UTF-8 and in UTF-16 as web views keep it.
    ///
    /// # Panics
    /// If it is shorter than 19 bytes: not every copy would be seen.
    pub fn text(&mut self, name: &str, secret: &str) {
        self.window(name, secret.as_bytes());
        let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.window(&format!("{name}, UTF-16"), &wide);
    }

    /// Bytes as they are and with the bytes of each 32-bit word reversed: SHA-256 computes with big-endian words.
    pub fn binary(&mut self, name: &str, secret: &[u8]) {
        self.window(name, secret);
        let mut swapped = secret.to_vec();
        swapped.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        self.window(&format!("{name}, words reversed"), &swapped);
    }

    fn window(&mut self, name: &str, spelling: &[u8]) {
        assert!(spelling.len() >= WINDOW + STRIDE - 1, "{name} is too short to be found wherever it is cut");
        for at in (0..=spelling.len() - WINDOW).step_by(STRIDE) {
            let window: [u8; WINDOW] = spelling[at..at + WINDOW].try_into().expect("it is as long as that");
            // The padding of a short key is no secret, and anybody's memory may hold it.
            if window.iter().any(|byte| *byte != window[0]) {
                self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] = true;
                self.windows.entry(window).or_insert_with(|| format!("{name} from byte {at}"));
            }
        }
    }

    /// Looks through `bytes`.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        // Most of a process is zeros, and comparing them takes no time even without optimisation.
        const PIECE: usize = 4096;
        let zeros = [0; PIECE + WINDOW - 1];
        let mut hits = Vec::new();
        for start in (0..bytes.len()).step_by(PIECE) {
            let piece = &bytes[start..bytes.len().min(start + zeros.len())];
            if piece == &zeros[..piece.len()] {
                continue;
            }
            for (at, window) in piece.windows(WINDOW).enumerate() {
                if self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))]
                    && let Some(what) = self.windows.get(window)
                {
                    let at = (start + at) as u64;
                    hits.push(Hit { what: what.clone(), at, mapping: String::new() });
                }
            }
        }
        hits
    }

    /// Looks through every file under `directory`, tells each hit with its file to `found`, and returns how many files
    /// there were.
    pub fn find_in_files(&self, directory: &Path, found: &mut dyn FnMut(&Path, &Hit)) -> io::Result<usize> {
        let mut files = 0;
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                files += self.find_in_files(&path, found)?;
            } else if path.is_file() {
                files += 1;
                self.find(&fs::read(&path)?).iter().for_each(|hit| found(&path, hit));
            }
        }
        Ok(files)
    }

    /// Looks through everything that `/proc/PID/mem` gives. For a process that closed itself against its own user
    /// this takes CAP_SYS_PTRACE.
    pub fn scan(&self, pid: u32) -> io::Result<Scan> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let pages = File::open(format!("/proc/{pid}/pagemap"))?;
        let mut scan = Scan::default();
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
            let name = fields.nth(3).unwrap_or("[anonymous]").to_owned();
            let bounds =
                range.split_once('-').map(|(a, b)| (u64::from_str_radix(a, 16), u64::from_str_radix(b, 16)));
            let Some((Ok(start), Ok(end))) = bounds else { continue };
            if rights.starts_with('r') {
                for run in kept(&pages, start..end)? {
                    self.mapping(&memory, run, name.clone(), &mut scan);
                }
            }
        }
        Ok(scan)
    }

    fn mapping(&self, memory: &File, range: Range<u64>, name: String, scan: &mut Scan) {
        let mut piece = vec![0; 1 << 20];
        let mut at = range.start;
        while at < range.end {
            let length = piece.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
            match memory.read_at(&mut piece[..length], at) {
                Ok(0) | Err(_) => {
                    scan.unread.push(name);
                    return;
                }
                Ok(read) => {
                    scan.bytes += read as u64;
                    for hit in self.find(&piece[..read]) {
                        scan.hits.push(Hit { at: at + hit.at, mapping: name.clone(), ..hit });
                    }
                    // The next piece begins a window early, unless this was the last one.
                    at += if at + read as u64 == range.end {
                        read
                    } else {
                        (read + 1).saturating_sub(WINDOW).max(1)
                    } as u64;
                }
            }
        }
    }
}

/// The parts of a mapping that hold something, in memory or in swap. A web view reserves tens of gigabytes and uses a
/// thousandth of them.
fn kept(pages: &File, mapping: Range<u64>) -> io::Result<Vec<Range<u64>>> {
    const PAGE: u64 = 4096;
    /// Bits of an entry of `/proc/PID/pagemap`, one of 8 bytes for each page: present, swapped.
    const KEPT: u64 = 1 << 63 | 1 << 62;
    let mut runs: Vec<Range<u64>> = Vec::new();
    let mut entries = vec![0; 1 << 20];
    let mut page = mapping.start / PAGE;
    while page < mapping.end / PAGE {
        let read = pages.read_at(&mut entries, page * 8)?;
        if read < 8 {
            break; // The kernel's own pages at the end of the address space have no entries.
        }
        for entry in entries[..read].chunks_exact(8) {
            let at = page * PAGE;
            page += 1;
            let entry = u64::from_ne_bytes(entry.try_into().expect("eight bytes"));
            if at >= mapping.end || entry & KEPT == 0 {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end == at => run.end += PAGE,
                _ => runs.push(at..at + PAGE),
            }
        }
    }
    Ok(runs)
}

/// The core file that `gcore` (Debian's gdb) makes of a running process: its memory as a crash report would have it,
/// and, unlike `/proc/PID/mem`, the registers of all threads.
pub fn core_of(pid: u32, directory: &Path) -> io::Result<Vec<u8>> {
    let made = Command::new("gcore").arg("-o").arg(directory.join("core")).arg(pid.to_string()).output()?;
    fs::read(directory.join(format!("core.{pid}"))).map_err(|error| {
        io::Error::other(format!("gcore made no core ({error}): {}", String::from_utf8_lossy(&made.stderr)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; 32] = b"\x01\x92\x23\xb4\x45\xd6\x67\xf8\x89\x1a\xab\x3c\xcd\x5e\xef\x70\
                                \x81\x12\xa3\x34\xc5\x56\xe7\x78\x09\x9a\x2b\xbc\x4d\xde\x6f\xf0";

    fn found(haystack: &[u8]) -> bool {
        let mut needles = Needles::new();
        needles.group_key(SECRET);
        !needles.find(haystack).is_empty()
    }

    #[test]
    fn every_piece_of_19_bytes_is_seen_wherever_it_lies() {
        for cut in 0..=SECRET.len() - 19 {
            for shift in 0..4 {
                assert!(
                    found(&[&vec![0xee; shift], &SECRET[cut..cut + 19], &[0xee; 5]].concat()),
                    "{cut} {shift}"
                );
            }
        }
        assert!(!found(&SECRET[1..16]), "15 bytes hold no window");
    }

    #[test]
    fn every_spelling_is_seen() {
        use base64ct::{Base64, Base64Url};
        let padded = |pad: u8| [&SECRET.map(|byte| byte ^ pad)[..], &[pad; 32]].concat();
        let reversed =
            |bytes: Vec<u8>| bytes.chunks(4).flat_map(|word| word.iter().rev().copied()).collect::<Vec<u8>>();
        for pad in [0, 0x36, 0x5c] {
            assert!(found(&padded(pad)) && found(&reversed(padded(pad))), "{pad:x}");
        }
        let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(found(hex.as_bytes()) && found(hex.to_uppercase().as_bytes()));
        for before in 0..4 {
            let text = [&vec![7; before], &SECRET[..], &[9; 4]].concat();
            assert!(found(Base64::encode_string(&text).as_bytes()), "{before}");
            assert!(found(Base64Url::encode_string(&text).as_bytes()), "{before}");
        }
        assert!(!found(&[0x36; 200]) && !found(&[0x5c; 200]) && !found(&[0; 200]), "padding is no secret");
    }

    /// Where one piece of the process's memory ends and the next begins, nothing is lost.
    #[test]
    fn own_memory_is_seen_across_the_pieces_of_a_scan() {
        let mut memory = vec![0u8; 3 << 20];
        let edge = (1 << 20) - memory.as_ptr() as usize % (1 << 12);
        for at in edge - 40..edge + 40 {
            memory[at..at + 32].copy_from_slice(SECRET);
            let address = memory.as_ptr() as u64;
            let mut scan = Scan::default();
            let mut needles = Needles::new();
            needles.bytes("secret", SECRET);
            let own = File::open("/proc/self/mem").unwrap();
            needles.mapping(&own, address..address + memory.len() as u64, "heap".to_owned(), &mut scan);
            assert!(scan.hits.iter().any(|hit| hit.at == address + at as u64), "{at}");
            memory[at..at + 32].fill(0);
        }
    }
}
