//! Canonical JSON (RFC 8785) of which every spelling is known beforehand, read by hand.
//!
//! A reader that knows one spelling of a document accepts nothing else, and copies nothing: values are borrowed from the
//! text. No value of ours holds a character that JSON escapes, so no escape is understood.

/// Not the text that belongs there. Positions are bytes, counted from 1.
pub(crate) enum Spelling {
    /// White space, another order, an escape, a cut.
    NotCanonical { position: usize },
    /// A field of a name that is not known.
    UnknownField { position: usize },
}

/// A place in a text.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// Names of fields, wherever they belong.
    known: &'static [&'static str],
}

impl<'a> Cursor<'a> {
    /// The beginning of `text`. A field of none of the `known` names is told apart from one in the wrong place.
    pub(crate) fn new(text: &'a [u8], known: &'static [&'static str]) -> Self {
        Self { text, at: 0, known }
    }

    pub(crate) fn not_canonical(&self) -> Spelling {
        Spelling::NotCanonical { position: self.at + 1 }
    }

    /// Goes behind `literal` if it stands here.
    pub(crate) fn take(&mut self, literal: &str) -> bool {
        let found = self.text[self.at..].starts_with(literal.as_bytes());
        self.at += if found { literal.len() } else { 0 };
        found
    }

    pub(crate) fn expect(&mut self, literal: &str) -> Result<(), Spelling> {
        if self.take(literal) { Ok(()) } else { Err(self.not_canonical()) }
    }

    /// The end of an object: a comma there begins a field too many.
    pub(crate) fn end(&mut self, literal: &str) -> Result<(), Spelling> {
        if self.take(",\"") {
            let at = self.at;
            return Err(self.value().map_or_else(|spelling| spelling, |name| self.misplaced(name, at)));
        }
        self.expect(literal)
    }

    /// Nothing follows.
    pub(crate) fn finish(&self) -> Result<(), Spelling> {
        if self.at == self.text.len() { Ok(()) } else { Err(self.not_canonical()) }
    }

    /// The rest of a string and its closing quotation mark.
    pub(crate) fn value(&mut self) -> Result<&'a str, Spelling> {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let value = self.run(plain);
        self.expect("\"")?;
        Ok(value)
    }

    /// A whole number without sign or leading zeros.
    pub(crate) fn number(&mut self) -> Result<u32, Spelling> {
        let wrong = self.not_canonical();
        let digits = self.run(u8::is_ascii_digit);
        match digits.parse() {
            Ok(number) if digits == "0" || !digits.starts_with('0') => Ok(number),
            _ => Err(wrong),
        }
    }

    /// `before`, the field's name and a colon.
    pub(crate) fn field(&mut self, before: &str, name: &str) -> Result<(), Spelling> {
        self.expect(before)?;
        let at = self.at;
        match self.value()? {
            found if found == name => self.expect(":"),
            found => Err(self.misplaced(found, at)),
        }
    }

    /// A field behind another one, whose value is a string.
    pub(crate) fn text(&mut self, name: &str) -> Result<&'a str, Spelling> {
        self.field(",\"", name)?;
        self.expect("\"")?;
        self.value()
    }

    /// The fields of an object that holds nothing but strings, with the brace that closes it.
    pub(crate) fn texts<const N: usize>(&mut self, names: [&str; N]) -> Result<[&'a str; N], Spelling> {
        let mut values = [""; N];
        for (index, (name, value)) in names.iter().zip(&mut values).enumerate() {
            self.field(if index == 0 { "\"" } else { ",\"" }, name)?;
            self.expect("\"")?;
            *value = self.value()?;
        }
        self.end("}")?;
        Ok(values)
    }

    fn run(&mut self, belongs: impl Fn(&u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| belongs(byte)).count();
        self.at += length;
        std::str::from_utf8(&rest[..length]).expect("only ASCII is taken")
    }

    /// A field name where another one belongs, or none.
    fn misplaced(&self, name: &str, at: usize) -> Spelling {
        let position = at + 1;
        if self.known.contains(&name) {
            Spelling::NotCanonical { position }
        } else {
            Spelling::UnknownField { position }
        }
    }
}
