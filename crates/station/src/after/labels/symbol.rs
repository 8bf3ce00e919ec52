//! The two-dimensional code of a label: modules that libraries compute, drawn by whoever needs them.

use datamatrix::{DataMatrix, SymbolList};
use qrcode::{Color, EcLevel, QrCode};

use super::DrawError;

/// Which code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// QR code, error correction M (ISO/IEC 18004).
    Qr,
    /// Data Matrix, ECC 200 (ISO/IEC 16022).
    DataMatrix,
}

/// Its modules, the quiet zone included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) width: usize,
    /// Row by row.
    dark: Vec<bool>,
}

impl Symbol {
    /// The code of `text`.
    pub(crate) fn new(kind: SymbolKind, text: &str) -> Result<Self, DrawError> {
        match kind {
            SymbolKind::Qr => {
                let code =
                    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| DrawError::Symbol)?;
                let dark = code.to_colors().iter().map(|color| *color == Color::Dark).collect::<Vec<_>>();
                Ok(Self { width: code.width(), dark }.quiet(4))
            }
            SymbolKind::DataMatrix => {
                let code =
                    DataMatrix::encode_str(text, SymbolList::default()).map_err(|_| DrawError::Symbol)?;
                let bitmap = code.bitmap();
                // One module of white is asked for; two are read better.
                Ok(Self { width: bitmap.width(), dark: bitmap.bits().to_vec() }.quiet(2))
            }
        }
    }

    /// The same with `zone` modules of white around it.
    fn quiet(self, zone: usize) -> Self {
        let width = self.width + 2 * zone;
        let mut dark = vec![false; width * zone];
        for row in self.dark.chunks(self.width) {
            dark.resize(dark.len() + zone, false);
            dark.extend(row);
            dark.resize(dark.len() + zone, false);
        }
        dark.resize(dark.len() + width * zone, false);
        Self { width, dark }
    }

    /// Its rows, from the top.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[bool]> {
        self.dark.chunks(self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_has_white_around_it() {
        for (kind, zone) in [(SymbolKind::Qr, 4), (SymbolKind::DataMatrix, 2)] {
            let symbol = Symbol::new(kind, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6").unwrap();
            let rows: Vec<_> = symbol.rows().collect();
            assert!(rows.iter().all(|row| row.len() == symbol.width));
            let white = |row: &[bool]| row.iter().all(|dark| !dark);
            assert!(rows[..zone].iter().chain(&rows[rows.len() - zone..]).all(|row| white(row)), "{kind:?}");
            assert!(
                rows.iter().all(|row| white(&row[..zone]) && white(&row[row.len() - zone..])),
                "{kind:?}"
            );
            assert!(!white(rows[zone]) && !white(rows[rows.len() - zone - 1]), "{kind:?}");
        }
    }

    /// The longest registration ID, in the reader of the same library.
    #[test]
    fn a_data_matrix_of_any_registration_id_is_read_again() {
        for length in [1, 17, 128] {
            let text = "a".repeat(length);
            let symbol = Symbol::new(SymbolKind::DataMatrix, &text).unwrap();
            let inside: Vec<bool> = symbol
                .rows()
                .skip(2)
                .take(symbol.rows().len() - 4)
                .flat_map(|row| row[2..row.len() - 2].to_vec())
                .collect();
            assert_eq!(DataMatrix::decode(&inside, symbol.width - 4).unwrap(), text.as_bytes());
            assert!(Symbol::new(SymbolKind::Qr, &text).is_ok());
        }
    }
}
