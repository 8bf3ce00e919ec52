//! Text with placeholders: what a label says of a device.

use super::Subject;

/// What a placeholder stands for. No key has a name here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    RegistrationId,
    Serial,
    Mac,
    Firmware,
    Date,
    Order,
    Copy,
    /// The code of the registration ID; in ZPL only.
    Symbol,
}

impl Placeholder {
    const NAMES: [(&'static str, Self); 8] = [
        ("registration_id", Self::RegistrationId),
        ("serial", Self::Serial),
        ("mac", Self::Mac),
        ("firmware", Self::Firmware),
        ("date", Self::Date),
        ("order", Self::Order),
        ("copy", Self::Copy),
        ("symbol", Self::Symbol),
    ];

    /// As a template names it.
    pub(crate) fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, placeholder)| *placeholder == self);
        named.map(|(name, _)| *name).expect("each has a name")
    }

    /// What it says of a device.
    pub(crate) fn of(self, subject: &Subject) -> &str {
        match self {
            Self::RegistrationId => &subject.registration_id,
            Self::Serial => &subject.serial,
            Self::Mac => &subject.mac,
            Self::Firmware => &subject.firmware,
            Self::Date => &subject.date,
            Self::Order => &subject.order,
            Self::Copy if subject.copy => "COPY",
            Self::Copy | Self::Symbol => "",
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Stands as it is.
    Text(String),
    Placeholder(Placeholder),
}

/// Why a text is no template: which line of it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotATemplate {
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// Takes a text apart. `{name}` is a placeholder, `{{` and `}}` are braces.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece>, NotATemplate> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let line = text[..text.len() - rest.len() + at].matches('\n').count() + 1;
        let wrong = |why: String| NotATemplate { line, why };
        plain.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let behind = &rest[at + 1..];
        if let Some(after) = behind.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(wrong("`}` closes nothing; the brace itself is `}}`".to_owned()));
        }
        let Some((name, after)) = behind.split_once('}') else {
            return Err(wrong("`{` is not closed; the brace itself is `{{`".to_owned()));
        };
        let Some((_, known)) = Placeholder::NAMES.iter().find(|(known, _)| *known == name) else {
            let names = Placeholder::NAMES.map(|(name, _)| name).join(", ");
            return Err(wrong(format!(
                "there is no placeholder {{{}}}; these are: {names}",
                name.escape_debug()
            )));
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Placeholder(*known));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_text_and_placeholders() {
        let pieces = pieces("SN {serial}, {{x}} {mac}").unwrap();
        assert_eq!(
            pieces,
            [
                Piece::Text("SN ".to_owned()),
                Piece::Placeholder(Placeholder::Serial),
                Piece::Text(", {x} ".to_owned()),
                Piece::Placeholder(Placeholder::Mac),
            ]
        );
    }

    #[test]
    fn what_is_no_placeholder_is_named_with_its_line() {
        for (text, line, why) in [
            ("a\n{key}", 2, "there is no placeholder {key}"),
            ("{Serial}", 1, "there is no placeholder {Serial}"),
            ("{ serial }", 1, "there is no placeholder { serial }"),
            ("a\nb\n{serial", 3, "`{` is not closed"),
            ("serial}", 1, "`}` closes nothing"),
            ("{\u{1b}}", 1, "there is no placeholder {\\u{1b}}"),
        ] {
            let wrong = pieces(text).unwrap_err();
            assert!(wrong.line == line && wrong.why.starts_with(why), "{wrong:?}");
        }
    }
}
