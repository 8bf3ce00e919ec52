//! A file of settings under reading: what is wrong is named by file and line.

use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::ConfigError;

/// A file under reading: turns a place in the text into file and line.
pub(crate) struct Source<'a> {
    file: &'a Path,
    pub(crate) text: String,
}

impl<'a> Source<'a> {
    pub(super) fn read(file: &'a Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        Ok(Self { file, text })
    }

    /// The same for a text that was read otherwise.
    pub(crate) const fn of(file: &'a Path, text: String) -> Self {
        Self { file, text }
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|e| self.wrong(e.span().map_or(0, |s| s.start), e.message()))
    }

    pub(crate) fn wrong(&self, offset: usize, message: impl ToString) -> ConfigError {
        let line = self.text[..offset.min(self.text.len())].matches('\n').count() + 1;
        ConfigError::Wrong { file: self.file.to_owned(), line, message: message.to_string() }
    }

    /// A value that is well-formed TOML and may still be no value of its kind.
    pub(crate) fn checked<T, E: ToString>(
        &self,
        key: &str,
        span: Range<usize>,
        value: Result<T, E>,
    ) -> Result<T, ConfigError> {
        value.map_err(|e| self.wrong(span.start, format!("`{key}`: {}", e.to_string())))
    }

    pub(crate) fn version(&self, version: &toml::Spanned<u32>) -> Result<(), ConfigError> {
        let known = if *version.get_ref() == 1 { Ok(()) } else { Err("this program knows version 1 only") };
        self.checked("version", version.span(), known)
    }
}
