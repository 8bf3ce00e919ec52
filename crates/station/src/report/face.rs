//! The fonts of the pages: those of the window, which tell 0 from O and 1 from l and I.
//!
//! The window has them as web fonts out of npm, which a PDF cannot embed; these are the same families as TrueType
//! (SIL Open Font License 1.1, `fonts/OFL.txt`).

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Plain,
    Bold,
    /// For whatever is compared sign by sign.
    Mono,
}

impl Face {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Bold, Self::Mono];

    const fn file(self) -> &'static [u8] {
        match self {
            Self::Plain => include_bytes!("../../fonts/AtkinsonHyperlegibleNext-Regular.ttf"),
            Self::Bold => include_bytes!("../../fonts/AtkinsonHyperlegibleNext-Bold.ttf"),
            Self::Mono => include_bytes!("../../fonts/AtkinsonHyperlegibleMono-Regular.ttf"),
        }
    }

    fn read(self) -> FontRef<'static> {
        FontRef::new(self.file()).expect("the fonts are part of the program, and the tests read them")
    }

    /// For the document.
    pub(crate) fn font(self) -> Font {
        Font::new(self.file().to_vec().into(), 0).expect("the fonts are part of the program")
    }

    /// `text` with everything that the font does not have, or that would not be seen, as its escape `\u{…}`.
    pub(crate) fn drawable(self, text: &str) -> String {
        let known = self.read().charmap();
        let mut out = String::with_capacity(text.len());
        for sign in text.chars() {
            let seen = sign == ' ' || (!sign.is_whitespace() && !sign.is_control());
            if seen && known.map(sign).is_some() {
                out.push(sign);
            } else {
                out.extend(sign.escape_unicode());
            }
        }
        out
    }

    /// The glyphs of a [drawable](Self::drawable) text, one for each character.
    pub(crate) fn glyphs(self, text: &str) -> Vec<KrillaGlyph> {
        let font = self.read();
        let location = LocationRef::default();
        let em = f32::from(font.metrics(Size::unscaled(), location).units_per_em);
        let (signs, widths) = (font.charmap(), font.glyph_metrics(Size::unscaled(), location));
        text.char_indices()
            .map(|(start, sign)| {
                let glyph = signs.map(sign).unwrap_or_default();
                let advance = widths.advance_width(glyph).unwrap_or(em) / em;
                let range = start..start + sign.len_utf8();
                KrillaGlyph::new(GlyphId::new(glyph.to_u32()), advance, 0.0, 0.0, 0.0, range, None)
            })
            .collect()
    }

    /// The width of a [drawable](Self::drawable) text.
    pub(crate) fn width(self, text: &str, size: f32) -> f32 {
        self.glyphs(text).iter().map(|glyph| glyph.x_advance * size).sum()
    }

    /// `text` in lines of at most `width`: broken at blanks, and within a word where it is longer than a line, so that
    /// nothing of a serial number is ever cut off.
    pub(crate) fn lines(self, text: &str, size: f32, width: f32) -> Vec<String> {
        let text = self.drawable(text);
        let mut lines = vec![String::new()];
        let mut fill = |part: &str, blank: bool| {
            let line = lines.last_mut().expect("there is one");
            let gap = if blank && !line.is_empty() { " " } else { "" };
            let longer = format!("{line}{gap}{part}");
            if self.width(&longer, size) <= width || line.is_empty() {
                *line = longer;
            } else {
                lines.push(part.to_owned());
            }
        };
        for word in text.split(' ') {
            if self.width(word, size) <= width {
                fill(word, true);
            } else {
                let mut first = true;
                for sign in word.chars() {
                    fill(sign.encode_utf8(&mut [0; 4]), first);
                    first = false;
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_has_what_is_printed() {
        for face in Face::ALL {
            for text in ["0123456789 ABCxyz =+-@'\"\\{}|", "Zażółć gęślą jaźń, Größe, Ñandú", "– · … —"]
            {
                assert_eq!(face.drawable(text), text, "{face:?}");
                assert!(face.width(text, 10.0) > 20.0);
            }
        }
        assert_eq!(Face::Mono.width("iiii", 10.0), Face::Mono.width("MMMM", 10.0));
    }

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(Face::Mono.drawable("a\u{202e}b\t\u{200b}名"), "a\\u{202e}b\\u{9}\\u{200b}\\u{540d}");
    }

    #[test]
    fn lines_lose_nothing_and_fit() {
        let serial = "SN-".to_owned() + &"8".repeat(61);
        let text = format!("The device {serial} said no");
        let lines = Face::Plain.lines(&text, 9.0, 120.0);
        assert!(
            lines.len() > 3 && lines.iter().all(|line| Face::Plain.width(line, 9.0) <= 120.0),
            "{lines:?}"
        );
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(Face::Mono.lines("", 9.0, 120.0), [""]);
    }
}
