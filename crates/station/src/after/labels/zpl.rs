//! A label in ZPL II, the language of Zebra's printers and of many others.
//!
//! The code is a graphic (`^GFA`) of the modules that the library computed, not `^BQ` or `^BX`: so every printer prints the same code, in
//! the size that was set, it is that of the PDF, and a test can read it without a printer. What a device says of itself stands in
//! field data only, and there without any character that begins a command.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::symbol::{Symbol, SymbolKind};
use super::template::{NotATemplate, Piece, Placeholder, pieces};
use super::{DrawError, Subject};

/// A template in ZPL.
#[derive(Debug, Clone)]
pub struct Zpl {
    pieces: Vec<Piece>,
    symbol: SymbolKind,
    /// Dots for each side of a module.
    dots: usize,
    /// Characters that mean something in its field data.
    special: BTreeSet<char>,
}

impl Zpl {
    /// Reads a template, with the kind of its code and the dots of a module.
    pub(crate) fn new(text: &str, symbol: SymbolKind, dots: u8) -> Result<Self, NotATemplate> {
        let upper = text.to_ascii_uppercase();
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        for needed in ["^XA", "^XZ"] {
            let mut stands = upper.match_indices(needed);
            let why = format!("a template is one label: {needed} stands in it once");
            match (stands.next(), stands.next()) {
                (Some(_), None) => {}
                (None, _) => return Err(NotATemplate { line: 1, why }),
                (_, Some((again, _))) => return Err(NotATemplate { line: line(again), why }),
            }
        }
        // They give other characters the meaning of `^`, `~` and `,`: then nobody knows what a device may say.
        for change in ["^CC", "~CC", "^CT", "~CT", "^CD", "~CD"] {
            if let Some(at) = upper.find(change) {
                let why = format!("{change} is not possible in a template");
                return Err(NotATemplate { line: line(at), why });
            }
        }
        let pieces = pieces(text)?;
        in_place(&pieces)?;
        Ok(Self { pieces, symbol, dots: usize::from(dots), special: special(text) })
    }

    /// The label of a device.
    pub(crate) fn draw(&self, subject: &Subject) -> Result<Vec<u8>, DrawError> {
        let mut zpl = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => zpl.push_str(text),
                Piece::Placeholder(Placeholder::Symbol) => {
                    zpl.push_str(&graphic(&Symbol::new(self.symbol, &subject.registration_id)?, self.dots));
                }
                Piece::Placeholder(placeholder) => {
                    zpl.extend(placeholder.of(subject).chars().map(|sign| self.harmless(sign)));
                }
            }
        }
        Ok(zpl.into_bytes())
    }

    fn harmless(&self, sign: char) -> char {
        let plain = sign == ' ' || sign.is_ascii_graphic();
        if plain && !self.special.contains(&sign) { sign } else { '?' }
    }
}

/// Holds every placeholder to its place: what a device says in field data, where no sign of it is a parameter of a command; the code, which
/// is a command, outside of it.
fn in_place(pieces: &[Piece]) -> Result<(), NotATemplate> {
    let (mut line, mut command) = (1, String::new());
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                line += text.matches('\n').count();
                if let Some(at) = text.rfind(['^', '~']) {
                    command = text[at..].chars().take(3).collect::<String>().to_ascii_uppercase();
                }
            }
            Piece::Placeholder(placeholder) => {
                let (name, data) = (placeholder.name(), ["^FD", "^FV"].contains(&command.as_str()));
                let behind = if command.is_empty() { "no command" } else { command.as_str() };
                let why = match (placeholder, data) {
                    (Placeholder::Symbol, false) => {
                        command = "^GF".to_owned();
                        continue;
                    }
                    (_, true) if *placeholder != Placeholder::Symbol => continue,
                    (Placeholder::Symbol, _) => format!(
                        "{{{name}}} stands behind {behind}: the code is no text, it stands where a field begins, as in ^FO10,20{{{name}}}^FS"
                    ),
                    _ => format!(
                        "{{{name}}} stands behind {behind}: what a device says stands in field data only, as in ^FD{{{name}}}^FS"
                    ),
                };
                return Err(NotATemplate { line, why });
            }
        }
    }
    Ok(())
}

/// `^` and `~` begin commands, `\` begins what `^FB` and `^CI` know, `>` chooses another code set in Code 128 (`^BC`), and each `^FH` has a
/// character that begins a byte in hexadecimal.
fn special(text: &str) -> BTreeSet<char> {
    let mut special = BTreeSet::from(['^', '~', '\\']);
    let upper = text.to_ascii_uppercase();
    special.extend(upper.contains("^BC").then_some('>'));
    for (at, command) in upper.match_indices("^FH") {
        let sign = text[at + command.len()..].chars().next();
        // Without one it is the underscore.
        special.insert(sign.filter(|sign| !['^', '~', '\r', '\n'].contains(sign)).unwrap_or('_'));
    }
    special
}

/// The modules as a graphic field in hexadecimal: `^GFA,<bytes>,<bytes>,<bytes of a row>,<data>`.
fn graphic(symbol: &Symbol, dots: usize) -> String {
    let row_bytes = (symbol.width * dots).div_ceil(8);
    let bytes = row_bytes * symbol.rows().len() * dots;
    let mut zpl = format!("^GFA,{bytes},{bytes},{row_bytes},");
    for row in symbol.rows() {
        let mut packed = vec![0_u8; row_bytes];
        for (dot, dark) in row.iter().flat_map(|dark| std::iter::repeat_n(*dark, dots)).enumerate() {
            packed[dot / 8] |= u8::from(dark) << (7 - dot % 8);
        }
        let line = packed.iter().fold(String::new(), |mut line, byte| {
            write!(line, "{byte:02X}").expect("a text takes everything");
            line
        });
        zpl.push_str(&line.repeat(dots));
    }
    zpl
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::after::labels::tests::subject;

    const TEMPLATE: &str = "^XA^FO10,10{symbol}^FS^FO10,200^A0N,30^FD{serial} {copy}^FS^XZ\n";

    fn zpl(template: &str, subject: &Subject) -> String {
        let zpl = Zpl::new(template, SymbolKind::Qr, 4).unwrap();
        String::from_utf8(zpl.draw(subject).unwrap()).unwrap()
    }

    /// What a device says cannot begin a command, whatever it is.
    #[test]
    fn nothing_of_a_device_is_a_command() {
        let mut hostile = subject();
        hostile.serial = "A^XZ~JA\\&_5E^FD\r\n\u{1b}é\u{202e}".to_owned();
        let label = zpl(TEMPLATE, &hostile);
        assert!(label.contains("^FDA?XZ?JA?&_5E?FD????? ^FS"), "{label}");
        let commands = |text: &str| text.matches(['^', '~']).count();
        assert_eq!(commands(&label), commands(&zpl(TEMPLATE, &subject())));
        for (template, expected) in [
            ("^XA^FH^FD{serial}^FS^XZ", "^FDA?XZ?JA?&?5E?FD?????^FS"),
            ("^XA^FH#^FD{serial}^FS^XZ", "^FDA?XZ?JA?&_5E?FD?????^FS"),
        ] {
            assert!(zpl(template, &hostile).contains(expected), "{template}");
        }
        hostile.serial = "A#5E".to_owned();
        assert!(zpl("^XA^fh#^FD{serial}^FS^XZ", &hostile).contains("^FDA?5E^FS"));
    }

    #[test]
    fn a_graphic_has_as_many_bytes_as_it_says() {
        for kind in [SymbolKind::Qr, SymbolKind::DataMatrix] {
            for dots in [1, 3, 8] {
                let symbol = Symbol::new(kind, "sn-1").unwrap();
                let graphic = graphic(&symbol, dots);
                let parts: Vec<_> = graphic.split(',').collect();
                let (bytes, row): (usize, usize) = (parts[1].parse().unwrap(), parts[3].parse().unwrap());
                assert_eq!(parts[4].len(), 2 * bytes);
                assert!(row * 8 >= symbol.width * dots && row * symbol.rows().len() * dots == bytes);
            }
        }
    }

    #[test]
    fn a_template_that_is_none_is_refused() {
        for (template, why) in [
            ("^FD{serial}^FS", "^XA stands in it once"),
            ("^XA^XZ^XA^XZ", "^XA stands in it once"),
            ("^XA\n^CC#{serial}^XZ", "^CC is not possible"),
            ("^XA~ct#^XZ", "~CT is not possible"),
            ("^XA{key}^XZ", "no placeholder {key}"),
        ] {
            let wrong = Zpl::new(template, SymbolKind::Qr, 4).unwrap_err();
            assert!(wrong.why.contains(why), "{wrong:?}");
        }
    }

    /// A comma of a serial number would be the next parameter, and a line of text where the code is no code.
    #[test]
    fn a_placeholder_that_is_not_in_its_place_is_refused() {
        for (template, line, why) in [
            ("^XA\n^FO{serial},10^FDx^FS\n^XZ", 2, "{serial} stands behind ^FO"),
            ("^XA\n^FDSN^FS\n{mac}\n^XZ", 3, "{mac} stands behind ^FS"),
            ("^XA^FX {order}\n^XZ", 1, "{order} stands behind ^FX"),
            ("^XA^FO1,1{symbol}{serial}^FS^XZ", 1, "{serial} stands behind ^GF"),
            ("^XA^FH{serial}^FDx^FS^XZ", 1, "{serial} stands behind ^FH"),
            ("^XA^BC{copy}^FDx^FS^XZ", 1, "{copy} stands behind ^BC"),
            ("{date}^XA^XZ", 1, "{date} stands behind no command"),
            ("^XA^FD{serial}~SD{serial}^FS^XZ", 1, "{serial} stands behind ~SD"),
            ("^XA\n\n^FD{symbol}^FS^XZ", 3, "{symbol} stands behind ^FD"),
            ("^XA^FV{serial}{symbol}^FS^XZ", 1, "{symbol} stands behind ^FV"),
            ("^XA\n^XZ\n^XA^XZ", 3, "^XA stands in it once"),
        ] {
            let wrong = Zpl::new(template, SymbolKind::Qr, 4).unwrap_err();
            assert!((wrong.line, wrong.why.contains(why)) == (line, true), "{template}: {wrong:?}");
        }
        for template in ["^XA^fd{serial} {copy}^FS^XZ", "^XA^FO1,1{symbol}^FS^FVSN {serial}^FS^XZ"] {
            assert!(Zpl::new(template, SymbolKind::Qr, 4).is_ok(), "{template}");
        }
    }

    /// In a bar code that the printer makes itself a sign may mean something, too.
    #[test]
    fn code_128_has_no_sign_of_its_own() {
        let mut hostile = subject();
        hostile.serial = "A>5B".to_owned();
        assert!(zpl("^XA^FD{serial}^FS^XZ", &hostile).contains("^FDA>5B^FS"));
        assert!(zpl("^XA^BCN,60^FD{serial}^FS^XZ", &hostile).contains("^FDA?5B^FS"));
    }

    #[test]
    fn only_a_label_that_may_be_the_second_says_copy() {
        assert!(!zpl(TEMPLATE, &subject()).contains("COPY"));
        assert!(zpl(TEMPLATE, &Subject { copy: true, ..subject() }).contains("^FDSN00000263 COPY^FS"));
    }
}
