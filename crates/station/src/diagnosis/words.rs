//! What a bundle may say: words of this program, numbers in groups, times. Everything else is masked, whatever it looks like.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Words of this program, one a line: names of events, outcomes and codes, and those of the sentences of a bundle. Made of the source by
/// the test below; a word that is missing is masked.
const PROGRAM: &str = include_str!("words.txt");

static KNOWN: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| PROGRAM.lines().collect());

/// What stands in the place of a word that is not let out.
const MASK: &str = "?";

/// Drivers of serial lines, as the kernel names their devices.
const DRIVERS: [&str; 8] = ["ttyUSB", "ttyACM", "ttyS", "ttyAMA", "ttyO", "ttyTHS", "ttymxc", "ttyXRUSB"];

/// The text with a mask for each word that is not let out.
pub(super) fn masked(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let mut before = "";
        for (at, word) in line.split(' ').enumerate() {
            if at > 0 {
                told.push(' ');
            }
            let bare = bare(word);
            told.push_str(if is_let_out(before, bare) { word } else { MASK });
            if !bare.is_empty() {
                before = bare;
            }
        }
        told.push_str(end);
    }
    told
}

/// A word of this program.
pub(super) fn is_known(word: &str) -> bool {
    KNOWN.contains(word)
}

/// A driver that is known, and up to three digits.
pub(super) fn is_port(name: &str) -> bool {
    let driver = name.trim_end_matches(|c: char| c.is_ascii_digit());
    DRIVERS.contains(&driver) && (1..=3).contains(&(name.len() - driver.len()))
}

/// Without the marks of a sentence.
fn bare(word: &str) -> &str {
    word.trim_start_matches('(').trim_end_matches([',', ':', ';', '.', ')'])
}

fn is_let_out(before: &str, word: &str) -> bool {
    word.is_empty()
        || is_known(word)
        || is_grouped(word)
        || is_version(word)
        || is_time(word)
        || is_mode(word)
        || is_port(word)
        || [std::env::consts::OS, std::env::consts::ARCH].contains(&word)
        // Vendor and product; the first digits of a hash. In their places only: a key in fours would look the same.
        || before == "USB" && in_fours(word, ':') == Some(2)
        || before == "build" && in_fours(word, '-') == Some(4)
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `12_345_678`, also below zero.
fn is_grouped(word: &str) -> bool {
    let mut groups = word.strip_prefix('-').unwrap_or(word).split('_');
    groups.next().is_some_and(|first| is_digits(first, 1..=3)) && groups.all(|group| is_digits(group, 3..=3))
}

/// `3.54.1`.
fn is_version(word: &str) -> bool {
    word.split('.').count() <= 3 && word.split('.').all(|part| is_digits(part, 1..=3))
}

/// `2026-11-26T03:54:53.123Z`.
fn is_time(word: &str) -> bool {
    const SHAPE: &str = "0000-00-00T00:00:00.000Z";
    let fits = |(shape, is): (char, char)| if shape == '0' { is.is_ascii_digit() } else { shape == is };
    word.len() == SHAPE.len() && SHAPE.chars().zip(word.chars()).all(fits)
}

/// `0600`.
fn is_mode(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
}

/// How many groups of four hexadecimal digits of lower case there are, if nothing else is.
fn in_fours(word: &str, between: char) -> Option<usize> {
    let four =
        |group: &str| group.len() == 4 && group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    word.split(between).all(four).then(|| word.split(between).count())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Where the words of records come from, and the sentences of a bundle.
    const SOURCES: [&str; 4] = ["../core/src", "../audit/src", "../vault/src", "src"];
    const NAMING: [&str; 6] = ["fn name", "fn rc", "fn code", "fn word", "fn as_str", "fn refusal_code"];
    const SENTENCES: [&str; 2] = ["src/diagnosis/sections.rs", "src/selftest.rs"];

    fn sources(path: &Path) -> Vec<PathBuf> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "tests" {
            return fs::read_dir(path).unwrap().flat_map(|entry| sources(&entry.unwrap().path())).collect();
        }
        let counts = name.ends_with(".rs") && name != "tests.rs";
        if counts { vec![path.to_owned()] } else { Vec::new() }
    }

    /// The texts between quotation marks.
    fn literals(source: &str) -> impl Iterator<Item = &str> {
        source.split('"').skip(1).step_by(2)
    }

    fn read(path: &Path) -> String {
        let text = fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
    }

    /// Every word that the program gives an event, an outcome or an error, and those of the sentences.
    fn words() -> BTreeSet<String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        for file in SOURCES.iter().flat_map(|source| sources(&here.join(source))) {
            let source = read(&file);
            for (start, _) in NAMING.iter().flat_map(|begin| source.match_indices(begin)) {
                let body = &source[start..];
                let head = body.split('{').next().unwrap_or_default();
                if head.ends_with("-> &'static str ") {
                    // It ends with a brace as deep as its name.
                    let deep = source[..start]
                        .rfind('\n')
                        .map_or(0, |line| source[line + 1..start].chars().take_while(|c| *c == ' ').count());
                    let end = format!("\n{}}}\n", " ".repeat(deep));
                    let body = &body[..body.find(&end).unwrap_or(body.len())];
                    found.extend(literals(body).filter(|word| is_word(word)).map(str::to_owned));
                }
            }
        }
        found.extend(crate::people::Action::ALL.map(|action| action.word().to_owned()));
        for source in SENTENCES.map(|file| read(&here.join(file))) {
            for text in literals(&source) {
                let text = text.replace("\\n", " ");
                let words = text.split(' ').map(bare).filter(|word| !word.is_empty());
                found.extend(words.filter(|word| !word.contains(['{', '}', '\\'])).map(str::to_owned));
            }
        }
        found
    }

    fn is_word(text: &str) -> bool {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        (1..=40).contains(&text.len()) && text.bytes().all(plain)
    }

    /// `KEYSTATION_WRITE_WORDS=1` writes the list anew.
    #[test]
    fn every_word_of_the_program_is_on_the_list() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnosis/words.txt");
        let words = words();
        if std::env::var_os("KEYSTATION_WRITE_WORDS").is_some() {
            fs::write(&file, words.iter().map(|word| format!("{word}\n")).collect::<String>()).unwrap();
        }
        let listed = fs::read_to_string(&file).unwrap();
        let listed: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
        let missing: Vec<_> = words.difference(&listed).collect();
        assert!(
            missing.is_empty(),
            "KEYSTATION_WRITE_WORDS=1 writes src/diagnosis/words.txt anew: {missing:?}"
        );
        for word in ["inject.result", "device.scrap", "not-kept", "ok", "label.stall", "audit.db", "slot"] {
            assert!(words.contains(word), "{word}");
        }
    }

    #[test]
    fn what_is_not_known_is_masked() {
        for (text, told) in [
            ("correct horse battery staple", "? ? ? ?"),
            ("4930", "?"),
            ("493027 493_027_ 49302_7", "? ? ?"),
            ("0ea7-f4c1-d293-8a75", "?"),
            ("0403:6001", "?"),
            ("port 493027:", "? ?"),
            ("/media/stick/hunter", "?"),
            ("8isr\nFI1s\n", "?\n?\n"),
            ("c\0o\0r\0r\0e\0c\0t\0", "?"),
            ("größe \u{202e}", "? ?"),
            ("ttyhunt1 ttyUSB4930", "? ?"),
            ("2026-11-26 99999-11-26T03:54:53.123Z", "? ?"),
        ] {
            assert_eq!(masked(text), told, "{text}");
        }
    }

    #[test]
    fn what_a_bundle_says_is_let_out() {
        for text in [
            "keystation 0.1.0, build 0a1b-2c3d-4e5f-6789\n",
            "12_345 2026-11-26T03:54:53.123Z inject.result ok new\n",
            "0600 audit.db: 12_345_678 bytes\n",
            "ttyUSB0 USB 0403:6001\n",
            "slot 1: device file",
            "the clock is ahead of the last record by -12 s",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
