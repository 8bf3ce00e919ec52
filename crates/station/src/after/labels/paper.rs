//! A label as a PDF file of one page, in the size of the label.

use serde::Deserialize;

use super::symbol::{Symbol, SymbolKind};
use super::template::{Piece, Placeholder, pieces};
use super::{DrawError, Subject};
use crate::config::{ConfigError, Source};
use crate::report::face::Face;
use crate::report::page::{INK, Page, pdf_of_size};

/// Points of a millimetre.
const MM: f32 = 72.0 / 25.4;

/// A template for PDF.
#[derive(Debug, Clone)]
pub struct Paper {
    /// Points.
    size: (f32, f32),
    symbol: Option<Square>,
    kind: SymbolKind,
    lines: Vec<Line>,
}

/// Where the code is, in points.
#[derive(Debug, Clone, Copy)]
struct Square {
    x: f32,
    y: f32,
    side: f32,
}

/// A line of text; it stands on its `y`. Points.
#[derive(Debug, Clone)]
struct Line {
    x: f32,
    y: f32,
    size: f32,
    face: Face,
    pieces: Vec<Piece>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaperFile {
    version: toml::Spanned<u32>,
    width_mm: toml::Spanned<f32>,
    height_mm: toml::Spanned<f32>,
    symbol: Option<SymbolSection>,
    #[serde(default)]
    text: Vec<TextSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolSection {
    x_mm: toml::Spanned<f32>,
    y_mm: toml::Spanned<f32>,
    side_mm: toml::Spanned<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextSection {
    x_mm: toml::Spanned<f32>,
    y_mm: toml::Spanned<f32>,
    size_pt: toml::Spanned<f32>,
    face: FaceName,
    text: toml::Spanned<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FaceName {
    Plain,
    Bold,
    Mono,
}

/// `value` in points, if it is from `least` to `most` of its own unit.
fn within(
    source: &Source<'_>,
    key: &str,
    value: &toml::Spanned<f32>,
    (least, most): (f32, f32),
    unit: f32,
) -> Result<f32, ConfigError> {
    let fits = (least..=most).contains(value.get_ref()).then_some(value.get_ref() * unit);
    source.checked(key, value.span(), fits.ok_or_else(|| format!("{least} to {most} are possible")))
}

impl Paper {
    /// Reads a template.
    pub(crate) fn new(source: &Source<'_>, kind: SymbolKind) -> Result<Self, ConfigError> {
        let file: PaperFile = source.parse()?;
        source.version(&file.version)?;
        let width = within(source, "width_mm", &file.width_mm, (5.0, 300.0), MM)?;
        let height = within(source, "height_mm", &file.height_mm, (5.0, 300.0), MM)?;
        let (across, down) = ((0.0, *file.width_mm.get_ref()), (0.0, *file.height_mm.get_ref()));
        let symbol = file.symbol.map(|SymbolSection { x_mm, y_mm, side_mm }| {
            let square = Square {
                x: within(source, "x_mm", &x_mm, across, MM)?,
                y: within(source, "y_mm", &y_mm, down, MM)?,
                side: within(source, "side_mm", &side_mm, (3.0, 300.0), MM)?,
            };
            let fits = square.x + square.side <= width + 0.01 && square.y + square.side <= height + 0.01;
            let fits = if fits { Ok(square) } else { Err("the code has to be on the label") };
            source.checked("side_mm", side_mm.span(), fits)
        });
        let mut lines = Vec::new();
        for TextSection { x_mm, y_mm, size_pt, face, text } in file.text {
            let wrong = |why: String| source.wrong(text.span().start, format!("`text`: {why}"));
            let pieces = pieces(text.get_ref()).map_err(|wrong_piece| wrong(wrong_piece.why))?;
            if pieces.contains(&Piece::Placeholder(Placeholder::Symbol)) {
                return Err(wrong("the code has a section of its own: [symbol]".to_owned()));
            }
            lines.push(Line {
                x: within(source, "x_mm", &x_mm, across, MM)?,
                y: within(source, "y_mm", &y_mm, down, MM)?,
                size: within(source, "size_pt", &size_pt, (3.0, 200.0), 1.0)?,
                face: match face {
                    FaceName::Plain => Face::Plain,
                    FaceName::Bold => Face::Bold,
                    FaceName::Mono => Face::Mono,
                },
                pieces,
            });
        }
        Ok(Self { size: (width, height), symbol: symbol.transpose()?, kind, lines })
    }

    /// The label of a device.
    pub(crate) fn draw(&self, subject: &Subject) -> Result<Vec<u8>, DrawError> {
        let mut page = Page::default();
        for line in &self.lines {
            let text: String = line
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Placeholder(placeholder) => placeholder.of(subject),
                })
                .collect();
            page.text(line.x, line.y, line.face, line.size, INK, &text);
        }
        if let Some(Square { x, y, side }) = self.symbol {
            let symbol = Symbol::new(self.kind, &subject.registration_id)?;
            let (rows, columns) = (symbol.rows().len() as f32, symbol.width as f32);
            let module = side / rows.max(columns);
            let mut parts = Vec::new();
            for (row, modules) in symbol.rows().enumerate() {
                let mut column = 0;
                for run in modules.chunk_by(|one, next| one == next) {
                    if run[0] {
                        let (left, top) = (x + column as f32 * module, y + row as f32 * module);
                        parts.push((left, top, run.len() as f32 * module, module));
                    }
                    column += run.len();
                }
            }
            page.grounds(INK, parts);
        }
        pdf_of_size(self.size, &[page], &format!("Label {}", subject.registration_id), subject.moment)
            .map_err(|_| DrawError::Page)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::after::labels::tests::subject;

    const TEMPLATE: &str = include_str!("../../../defaults/label.toml");

    fn read(text: &str) -> Result<Paper, String> {
        let source = Source::of(Path::new("label.toml"), text.to_owned());
        Paper::new(&source, SymbolKind::Qr).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_is_a_page_of_its_size() {
        let pdf = read(TEMPLATE).unwrap().draw(&subject()).unwrap();
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-") && text.contains("/MediaBox"), "{}", &text[..200.min(text.len())]);
        // 50 mm by 25 mm.
        assert!(text.contains("141.7") && text.contains("70.8"));
    }

    #[test]
    fn a_mistyped_template_is_named_by_file_and_line() {
        for (from, to, why) in [
            ("{serial}", "{secret}", "label.toml:22: `text`: there is no placeholder {secret}"),
            ("{serial}", "{symbol}", "label.toml:22: `text`: the code has a section of its own"),
            ("side_mm = 19", "side_mm = 40", "label.toml:14: `side_mm`: the code has to be on the label"),
            ("side_mm = 19", "side = 19", "label.toml:14: unknown field `side`"),
            ("width_mm = 50", "width_mm = 5000", "label.toml:7: `width_mm`: 5 to 300 are possible"),
            ("version = 1", "version = 2", "label.toml:4: `version`"),
        ] {
            let changed = TEMPLATE.replacen(from, to, 1);
            assert_ne!(changed, TEMPLATE);
            let error = read(&changed).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
