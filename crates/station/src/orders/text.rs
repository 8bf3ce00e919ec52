//! The text of a work order (docs/work-order.md, section 1): read whole and strictly.

use std::path::Path;

use keystation_audit::VerifierKey;
use keystation_core::identity::{Identity, Mac, SerialNumber};
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::order::OrderId;
use keystation_core::record::OrderTerms;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::devices::{DeviceList, Devices, Named, SerialForm, SerialRange};
use super::error::OrderError;
use crate::config::{ConfigError, Source};

/// Bytes of an order at most.
pub(super) const LIMIT: usize = 8 * 1024 * 1024;

/// Devices of an order at most.
const QUANTITY: u64 = 1_000_000;

/// A work order, as its text says.
#[derive(Debug, Clone)]
pub struct OrderText {
    /// Which.
    pub id: OrderId,
    /// For whom, for people.
    pub customer: String,
    /// What the station holds every intent against.
    pub terms: OrderTerms,
    /// Which devices.
    pub devices: Devices,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderFile {
    format: Spanned<String>,
    id: Spanned<String>,
    customer: Spanned<String>,
    profile: Spanned<String>,
    quantity: Spanned<u64>,
    from: Spanned<String>,
    until: Spanned<String>,
    key: KeySection,
    #[serde(default)]
    devices: DevicesSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySection {
    label: Spanned<String>,
    check_value: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DevicesSection {
    oui: Option<Spanned<Vec<Spanned<String>>>>,
    serial: Option<Spanned<String>>,
    list: Option<Spanned<Vec<Spanned<Entry>>>>,
    range: Option<Spanned<RangeSection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    serial: Option<Spanned<String>>,
    mac: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeSection {
    first: Spanned<String>,
    last: Spanned<String>,
}

impl OrderText {
    /// Reads an order: plain, or as a note that one of `customers` signed. `file` is where it came from, for errors.
    pub fn read(bytes: &str, file: &Path, customers: &[VerifierKey]) -> Result<Self, OrderError> {
        if bytes.len() > LIMIT {
            return Err(OrderError::TooLong);
        }
        let (text, signer) = signed(bytes, customers)?;
        Ok(Self::parse(text, file, signer)?)
    }

    fn parse(text: &str, file: &Path, signer: &str) -> Result<Self, ConfigError> {
        let source = Source::of(file, text.to_owned());
        if text.starts_with('\u{feff}') {
            return Err(source.wrong(0, "it begins with a byte order mark"));
        }
        let parsed: OrderFile = source.parse()?;
        let known = parsed.format.get_ref() == "keystation-order/v1";
        let known = if known { Ok(()) } else { Err("this program knows keystation-order/v1 only") };
        source.checked("format", parsed.format.span(), known)?;
        let id = source.checked("id", parsed.id.span(), parsed.id.get_ref().parse::<OrderId>())?;
        let customer =
            source.checked("customer", parsed.customer.span(), shown(parsed.customer.get_ref()))?;
        let profile =
            source.checked("profile", parsed.profile.span(), file_name(parsed.profile.get_ref()))?;
        let from = source.checked("from", parsed.from.span(), day(parsed.from.get_ref()))?;
        let until = source.checked("until", parsed.until.span(), day(parsed.until.get_ref()))?;
        let ordered = if from <= until { Ok(()) } else { Err("it is before `from`") };
        source.checked("until", parsed.until.span(), ordered)?;
        let label = &parsed.key.label;
        let key = source.checked("label", label.span(), label.get_ref().parse::<KeyLabel>())?;
        let check = &parsed.key.check_value;
        let check_value =
            source.checked("check_value", check.span(), check.get_ref().parse::<CheckValue>())?;
        let devices = devices(&source, parsed.devices)?;
        let quantity = *parsed.quantity.get_ref();
        let fits = match devices.count() {
            _ if !(1..=QUANTITY).contains(&quantity) => Err(format!("1 to {QUANTITY} devices are possible")),
            Some(named) if quantity > named => Err(format!("the order names {named} devices")),
            _ => Ok(quantity),
        };
        let quantity = source.checked("quantity", parsed.quantity.span(), fits)?;
        let digest = Sha256::digest(text).into();
        let signer = signer.to_owned();
        let terms = OrderTerms { digest, quantity, key, check_value, profile, from, until, signer };
        Ok(Self { id, customer, terms, devices })
    }
}

/// Whether a text is a note: no TOML text of an order has such a line.
pub(super) fn is_note(text: &str) -> bool {
    text.contains("\n\n\u{2014} ")
}

/// The text of an order and the name of the customer who signed it; empty where nobody did.
fn signed<'a>(bytes: &'a str, customers: &'a [VerifierKey]) -> Result<(&'a str, &'a str), OrderError> {
    use keystation_audit::NoteError;
    if !is_note(bytes) {
        return Ok((bytes, ""));
    }
    let mut signed = None;
    for customer in customers {
        match customer.open_within(bytes, LIMIT) {
            Ok(text) => signed = signed.or(Some((text, customer.name()))),
            // A wrong line of one customer refuses the note, whoever else signed it.
            Err(NoteError::Unsigned) => {}
            Err(why) => return Err(OrderError::Note(why)),
        }
    }
    signed.ok_or(OrderError::Stranger)
}

fn devices(source: &Source<'_>, section: DevicesSection) -> Result<Devices, ConfigError> {
    let DevicesSection { oui, serial, list, range } = section;
    let mut devices = Devices::default();
    if let Some(ouis) = oui {
        for text in ouis.get_ref() {
            let bytes = source.checked("oui", text.span(), oui_of(text.get_ref()))?;
            let once = if devices.ouis.contains(&bytes) { Err("it stands twice") } else { Ok(()) };
            source.checked("oui", text.span(), once)?;
            devices.ouis.push(bytes);
        }
        let some = if devices.ouis.is_empty() { Err("it is empty") } else { Ok(()) };
        source.checked("oui", ouis.span(), some)?;
    }
    if let Some(form) = serial {
        devices.form = Some(source.checked("serial", form.span(), SerialForm::new(form.get_ref()))?);
    }
    if let Some(list) = list {
        let span = list.span();
        let list = list.into_inner();
        let fits = match list.len() {
            1..=DeviceList::LIMIT => Ok(()),
            found => Err(format!("1 to {} devices are possible, not {found}", DeviceList::LIMIT)),
        };
        source.checked("list", span, fits)?;
        let mut all = DeviceList::default();
        for entry in list {
            let span = entry.span();
            let device = entry_of(source, entry.into_inner())?;
            let some = if device.serial.is_none() && device.mac.is_none() {
                Err("it names nothing")
            } else {
                Ok(())
            };
            source.checked("list", span.clone(), some)?;
            let added = all.add(device);
            let added =
                added.map_err(|twice| format!("{} stands in entry {} already", twice.what, twice.index + 1));
            source.checked("list", span, added)?;
        }
        devices.named = Named::List(all);
    }
    if let Some(range) = range {
        let alone = if devices.named == Named::Nowhere { Ok(()) } else { Err("there is a list, too") };
        source.checked("range", range.span(), alone)?;
        let RangeSection { first, last } = range.get_ref();
        let begin = source.checked("first", first.span(), first.get_ref().parse::<SerialNumber>())?;
        let end = source.checked("last", last.span(), last.get_ref().parse::<SerialNumber>())?;
        devices.named =
            Named::Range(source.checked("range", range.span(), SerialRange::new(&begin, &end))?);
    }
    Ok(devices)
}

fn entry_of(source: &Source<'_>, Entry { serial, mac }: Entry) -> Result<Identity, ConfigError> {
    let serial =
        serial.map(|text| source.checked("serial", text.span(), text.get_ref().parse::<SerialNumber>()));
    let mac = mac.map(|text| source.checked("mac", text.span(), text.get_ref().parse::<Mac>()));
    Ok(Identity { mac: mac.transpose()?, serial: serial.transpose()? })
}

/// `a4:cf:12`, in any spelling of a MAC address but for the dots.
fn oui_of(text: &str) -> Result<[u8; 3], &'static str> {
    let separator = text.chars().nth(2).filter(|c| matches!(c, ':' | '-'));
    let rest = separator.map_or("000000".to_owned(), |c| format!("{c}00{c}00{c}00"));
    let mac: Mac = format!("{text}{rest}").parse().map_err(|_| "an OUI is three bytes: `a4:cf:12`")?;
    let [a, b, c, ..] = mac.bytes();
    Ok([a, b, c])
}

/// A text that people are shown, and that does nothing else.
fn shown(text: &str) -> Result<String, &'static str> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}')
    };
    if (1..=100).contains(&text.chars().count()) && !text.chars().any(hidden) && text.trim() == text {
        Ok(text.to_owned())
    } else {
        Err("1 to 100 characters on one line are allowed, none that hides or turns the others")
    }
}

fn file_name(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if plain && begins && text.len() <= 64 && text.ends_with(".toml") {
        Ok(text.to_owned())
    } else {
        Err("it is the name of a file in `profiles`: a-z 0-9 . _ -, ending with .toml")
    }
}

/// A day as records have it.
fn day(text: &str) -> Result<String, &'static str> {
    let day =
        text.parse::<jiff::civil::Date>().ok().filter(|day| day.to_string() == text && day.year() >= 2000);
    day.map(|day| day.to_string()).ok_or("a day is written 2026-11-25")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use keystation_core::identity::Identity;
    use serde_json::Value;

    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors");

    fn vectors() -> Value {
        serde_json::from_str(&std::fs::read_to_string(format!("{FOLDER}/work-order.json")).unwrap()).unwrap()
    }

    fn text<'v>(row: &'v Value, key: &str) -> &'v str {
        row[key].as_str().unwrap()
    }

    fn read(file: &Value, order: &str) -> Result<OrderText, OrderError> {
        OrderText::read(order, Path::new("order.toml"), &[text(file, "vkey").parse().unwrap()])
    }

    /// They come from the document by another hand, so that agreeing with them means something.
    #[test]
    fn vectors_are_those_that_the_script_makes() {
        let script = Command::new("python3")
            .args(["-B", "make_work_order.py", "--check"])
            .current_dir(FOLDER)
            .output();
        let script = script.unwrap();
        assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    }

    #[test]
    fn orders_that_are_and_are_not() {
        let file = vectors();
        for row in file["must_pass"].as_array().unwrap() {
            let order =
                read(&file, text(row, "text")).unwrap_or_else(|e| panic!("{}: {e}", text(row, "name")));
            assert_eq!(order.id.as_str(), "WO-44192");
            let signed = text(row, "name").starts_with("signed");
            assert_eq!(order.terms.signer, if signed { "orders.example.com" } else { "" });
        }
        let refused = file["must_fail"].as_array().unwrap();
        assert!(refused.len() >= 60);
        for row in refused {
            let read = read(&file, text(row, "text"));
            assert!(read.is_err(), "{}", text(row, "name"));
        }
    }

    #[test]
    fn the_example_of_the_documents_is_that_of_the_vectors() {
        let file = vectors();
        let order = read(&file, text(&file, "example")).unwrap();
        let hex = order.terms.digest.map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex, text(&file, "sha256"));
        assert_eq!((order.terms.quantity, order.devices.count()), (500, Some(500)));
        let document = |name: &str| std::fs::read_to_string(format!("{FOLDER}/../../docs/{name}")).unwrap();
        let indented: String = text(&file, "example")
            .lines()
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
            .collect();
        assert!(document("work-order.md").contains(&indented));
        assert!(document("audit-format.md").contains(&hex));
    }

    #[test]
    fn devices_that_belong_to_an_order_and_do_not() {
        let file = vectors();
        for row in file["devices"].as_array().unwrap() {
            let device =
                Identity { mac: text(row, "mac").parse().ok(), serial: text(row, "serial").parse().ok() };
            let code = match read(&file, text(row, "order")).unwrap().devices.admit(&device) {
                Ok(()) => "",
                Err(refused) => refused.code().as_str(),
            };
            assert_eq!(code, text(row, "code"), "{}", text(row, "name"));
        }
    }

    #[test]
    fn an_error_names_file_line_and_key() {
        let file = vectors();
        let example = text(&file, "example");
        for (from, to, expected) in [
            ("quantity = 500", "quantity = 501", "order.toml:5: `quantity`: the order names 500 devices"),
            ("\"WO-44192\"", "\"WO 1\"", "order.toml:2: `id`: work order: character 3 is a space"),
            ("SN00000599", "SN00000099", "order.toml:16: `range`: `last` is below `first`"),
            ("oui =", "ouis =", "order.toml:14: unknown field `ouis`"),
            ("a4:cf:12", "a4:cf", "order.toml:14: `oui`: an OUI is three bytes"),
            ("until = \"2026-12-24\"\n", "", "missing field `until`"),
        ] {
            let error = read(&file, &example.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
