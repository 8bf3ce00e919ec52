//! Pages of A4 in black and grey: text in three faces, lines, a QR code. Lengths are in points (1/72 inch), from the upper
//! left corner; a text stands on its `y`.

use krilla::color::luma;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::Font;
use krilla::{Document, SerializeSettings};
use qrcode::{Color, EcLevel, QrCode};

use crate::report::face::Face;

/// A4, 210 mm.
pub(crate) const WIDTH: f32 = 595.276;
/// A4, 297 mm.
pub(crate) const HEIGHT: f32 = 841.89;
/// 20 mm at the left, for holes.
pub(crate) const LEFT: f32 = 56.7;
/// 15 mm at the right.
pub(crate) const RIGHT: f32 = WIDTH - 42.5;

/// Black.
pub(crate) const INK: u8 = 0;
/// For labels: still dark enough on a grey printer (contrast 7 to 1 on white).
pub(crate) const GREY: u8 = 85;
/// For lines and grounds.
pub(crate) const PALE: u8 = 225;

/// A page that could not be made. Nothing that a device says leads here.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The checkpoint is too long for a QR code.
    #[error("the checkpoint does not fit into a QR code")]
    Qr(#[from] qrcode::types::QrError),
    /// The library refused the document.
    #[error("the page cannot be written as PDF: {0}")]
    Pdf(String),
}

/// What is on a page.
enum Mark {
    Text { x: f32, y: f32, face: Face, size: f32, grey: u8, text: String },
    Ground { grey: u8, parts: Vec<(f32, f32, f32, f32)> },
}

/// A page that is being filled.
#[derive(Default)]
pub(crate) struct Page {
    marks: Vec<Mark>,
}

impl Page {
    /// Puts `text` down; returns where it ends.
    pub(crate) fn text(&mut self, x: f32, y: f32, face: Face, size: f32, grey: u8, text: &str) -> f32 {
        let text = face.drawable(text);
        let end = x + face.width(&text, size);
        self.marks.push(Mark::Text { x, y, face, size, grey, text });
        end
    }

    /// `text` three times over the whole page, behind everything else, and once above it in black: also a copy of a copy shows it.
    pub(crate) fn watermark(&mut self, text: &str) {
        let width = Face::Bold.width(text, 1.0);
        let size = (RIGHT - LEFT) / width;
        let mut under = Self::default();
        for part in 1..=3_u8 {
            under.text(LEFT, HEIGHT * f32::from(part) / 3.5, Face::Bold, size, PALE, text);
        }
        under.text(LEFT, 26.0, Face::Bold, 14.0, INK, text);
        under.marks.append(&mut self.marks);
        self.marks = under.marks;
    }

    /// The same, ending at `x`.
    pub(crate) fn text_to(&mut self, x: f32, y: f32, face: Face, size: f32, grey: u8, text: &str) {
        let width = face.width(&face.drawable(text), size);
        self.text(x - width, y, face, size, grey, text);
    }

    /// A rectangle.
    pub(crate) fn ground(&mut self, x: f32, y: f32, width: f32, height: f32, grey: u8) {
        self.marks.push(Mark::Ground { grey, parts: vec![(x, y, width, height)] });
    }

    /// Rectangles of one colour, as left, top, width, height.
    pub(crate) fn grounds(&mut self, grey: u8, parts: Vec<(f32, f32, f32, f32)>) {
        self.marks.push(Mark::Ground { grey, parts });
    }

    /// `text` as a QR code of `side` points, its quiet zone included.
    pub(crate) fn qr(&mut self, x: f32, y: f32, side: f32, text: &str) -> Result<(), PageError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
        let modules = code.width();
        // Four modules of white around it: ISO/IEC 18004.
        let module = side / (modules + 8) as f32;
        let mut parts = Vec::new();
        for (row, colors) in code.to_colors().chunks(modules).enumerate() {
            let top = y + (row + 4) as f32 * module;
            let mut column = 0;
            for run in colors.chunk_by(|one, next| one == next) {
                if run[0] == Color::Dark {
                    let left = x + (column + 4) as f32 * module;
                    parts.push((left, top, run.len() as f32 * module, module));
                }
                column += run.len();
            }
        }
        self.marks.push(Mark::Ground { grey: INK, parts });
        Ok(())
    }
}

/// The pages as a file. The same pages give the same bytes: `moment` (UTC, milliseconds since 1970) is the only time in it.
pub(crate) fn pdf(pages: &[Page], title: &str, moment: i64) -> Result<Vec<u8>, PageError> {
    pdf_of_size((WIDTH, HEIGHT), pages, title, moment)
}

/// The same with pages of another size.
pub(crate) fn pdf_of_size(
    (width, height): (f32, f32),
    pages: &[Page],
    title: &str,
    moment: i64,
) -> Result<Vec<u8>, PageError> {
    let fail = |what: &dyn std::fmt::Debug| PageError::Pdf(format!("{what:?}"));
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A2_B).finish();
    let settings = SerializeSettings {
        configuration: configuration.map_err(|e| fail(&e))?,
        enable_tagging: false,
        ..SerializeSettings::default()
    };
    let mut document = Document::new_with(settings);
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .creator(format!("keystation {}", env!("CARGO_PKG_VERSION")))
            .language("en".to_owned())
            .creation_date(date(moment)),
    );
    let fonts: Vec<_> = Face::ALL.iter().map(|face| face.font()).collect();
    for page in pages {
        let size = PageSettings::from_wh(width, height).ok_or_else(|| fail(&"no size of a page"))?;
        let mut sheet = document.start_page_with(size);
        let mut surface = sheet.surface();
        for mark in &page.marks {
            draw(&mut surface, mark, &fonts);
        }
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|e| fail(&e))
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, fonts: &[Font]) {
    let fill = |grey: u8| {
        let paint = luma::Color::new(grey).into();
        Some(Fill { paint, opacity: NormalizedF32::ONE, rule: FillRule::NonZero })
    };
    match mark {
        Mark::Text { x, y, face, size, grey, text } => {
            surface.set_fill(fill(*grey));
            let font = fonts[*face as usize].clone();
            surface.draw_glyphs(Point::from_xy(*x, *y), &face.glyphs(text), font, text, *size, false);
        }
        Mark::Ground { grey, parts } => {
            surface.set_fill(fill(*grey));
            let mut path = PathBuilder::new();
            for (x, y, width, height) in parts {
                if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                    path.push_rect(rect);
                }
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn date(moment: i64) -> DateTime {
    let time = jiff::Timestamp::from_millisecond(moment).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let time = jiff::tz::Offset::UTC.to_datetime(time);
    let small = |number: i8| number.unsigned_abs();
    DateTime::new(time.year().unsigned_abs())
        .month(small(time.month()))
        .day(small(time.day()))
        .hour(small(time.hour()))
        .minute(small(time.minute()))
        .second(small(time.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
