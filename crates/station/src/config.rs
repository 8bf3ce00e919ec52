//! `station.toml` and the product profiles: read whole and strictly, before anything else happens.

mod after;
mod custody;
mod orders;
mod profile;
mod slot;
mod source;
mod space;

use std::path::{Path, PathBuf};

use keystation_audit::{Origin, SpaceRules, WitnessKey};
use keystation_vault::{TokenSettings, TpmPlace};
use serde::Deserialize;

use crate::after::{HookConfig, LabelConfig, OutboxConfig, PrinterConfig};
use crate::anchoring::AnchorRule;
use crate::people::SessionRule;
use crate::review::ReviewRule;

pub use orders::OrderRule;
pub use profile::Profile;
pub use slot::{Purpose, ScannerConfig, SlotConfig};
pub(crate) use source::Source;

/// A setting that cannot be used. Nothing has happened yet; the file has to be mended.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key is unknown, missing or of the wrong kind.
    #[error("{}:{line}: {message}", file.display())]
    Wrong {
        /// Which file.
        file: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Names the key and what is wrong with it.
        message: String,
    },
    /// A file that the settings name is open to others.
    #[error(transparent)]
    Exposed(#[from] crate::after::Exposed),
}

/// `station.toml`.
#[derive(Debug, Clone)]
pub struct StationConfig {
    /// Name of the audit log without the epoch.
    pub origin: String,
    /// Where devices are plugged in, at most [`SlotConfig::LIMIT`] places.
    pub slots: Vec<SlotConfig>,
    /// The serial code scanner for labels, if there is one.
    pub scanner: Option<ScannerConfig>,
    /// Whose cosignatures secure the log.
    pub witnesses: Vec<WitnessKey>,
    /// When the log counts as not secured enough.
    pub anchor: AnchorRule,
    /// How often QA reviews the log.
    pub review: ReviewRule,
    /// How much room there has to be on the disk.
    pub space: SpaceRules,
    /// How long a session may be.
    pub session: SessionRule,
    /// The token in which group keys may be kept, if there is one.
    pub token: Option<TokenSettings>,
    /// The TPM in which group keys may be kept, if there is one.
    pub tpm: Option<TpmPlace>,
    /// Whether wrong PINs are counted in that TPM, too.
    pub pin_counter: bool,
    /// What is asked of work orders, and whose signature they bear.
    pub orders: OrderRule,
    /// Where labels are printed.
    pub printers: Vec<PrinterConfig>,
    /// Which products have one.
    pub labels: Vec<LabelConfig>,
    /// Programs that are called for what is recorded.
    pub hooks: Vec<HookConfig>,
    /// Where records are delivered, if anywhere.
    pub outbox: Option<OutboxConfig>,
    /// The bytes of the file, for the start record.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StationFile {
    version: toml::Spanned<u32>,
    origin: toml::Spanned<String>,
    /// Of before people signed in.
    operator: Option<toml::Spanned<toml::Value>>,
    #[serde(default)]
    slot: Vec<toml::Spanned<slot::SlotSection>>,
    scanner: Option<toml::Spanned<slot::ScannerSection>>,
    #[serde(default)]
    witness: Vec<WitnessSection>,
    anchor: Option<toml::Spanned<AnchorSection>>,
    review: Option<ReviewSection>,
    space: Option<toml::Spanned<space::SpaceSection>>,
    session: Option<SessionSection>,
    token: Option<toml::Spanned<custody::TokenSection>>,
    tpm: Option<toml::Spanned<custody::TpmSection>>,
    pin: Option<custody::PinSection>,
    orders: Option<orders::OrdersSection>,
    #[serde(default)]
    customer: Vec<orders::CustomerSection>,
    #[serde(default)]
    printer: Vec<toml::Spanned<after::PrinterSection>>,
    #[serde(default)]
    label: Vec<toml::Spanned<after::LabelSection>>,
    #[serde(default)]
    hook: Vec<after::HookSection>,
    outbox: Option<toml::Spanned<after::OutboxSection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessSection {
    vkey: toml::Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorSection {
    warn_hours: u64,
    warn_records: u64,
    block_hours: u64,
    block_records: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewSection {
    days: toml::Spanned<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionSection {
    idle_minutes: Option<toml::Spanned<u8>>,
    hours: Option<toml::Spanned<u8>>,
}

/// An ID for people or products: 1 to 32 characters of `a-z 0-9 -`, so that it fits records and file names.
pub fn plain_id(text: &str) -> Result<String, &'static str> {
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if plain && (1..=32).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("1 to 32 characters of a-z, 0-9 and - are allowed")
    }
}

/// The path of a serial port: 1 to 200 bytes, so that it fits a record.
pub fn port_path(text: &str) -> Result<PathBuf, &'static str> {
    if (1..=200).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(PathBuf::from(text))
    } else {
        Err("the path of a port has 1 to 200 bytes and no control characters")
    }
}

/// A rule that warns before it blocks, and that blocks at some time.
const fn rule(section: &AnchorSection) -> Result<AnchorRule, &'static str> {
    let AnchorSection { warn_hours, warn_records, block_hours, block_records } = *section;
    let from_one = warn_hours > 0 && warn_records > 0;
    if from_one && warn_hours <= block_hours && warn_records <= block_records {
        Ok(AnchorRule { warn_hours, warn_records, block_hours, block_records })
    } else {
        Err("all four count from 1, and it warns no later than it blocks")
    }
}

/// How long a session may be; what is not said stays as it is by default.
fn session(source: &Source<'_>, section: &SessionSection) -> Result<SessionRule, ConfigError> {
    let mut rule = SessionRule::default();
    for (key, said, place, most) in [
        ("idle_minutes", &section.idle_minutes, &mut rule.idle_minutes, 15),
        ("hours", &section.hours, &mut rule.hours, 12),
    ] {
        if let Some(said) = said {
            let fits = (1..=most).contains(said.get_ref()).then_some(*said.get_ref());
            let fits = fits.ok_or_else(|| format!("1 to {most} are possible"));
            *place = source.checked(key, said.span(), fits)?;
        }
    }
    Ok(rule)
}

impl StationConfig {
    /// The slots for one purpose, in the order of the file.
    pub fn slots_for(&self, purpose: Purpose) -> impl Iterator<Item = &SlotConfig> {
        self.slots.iter().filter(move |slot| slot.purpose == purpose)
    }

    /// Reads `station.toml`; the profiles that its slots name are looked for in `profiles/` beside it.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let source = Source::read(file)?;
        let parsed: StationFile = source.parse()?;
        source.version(&parsed.version)?;
        let origin = parsed.origin.get_ref();
        let named = Origin::new(&format!("{origin}/1")).map(|_| origin.clone());
        let origin = source.checked("origin", parsed.origin.span(), named)?;
        if let Some(operator) = parsed.operator {
            let gone = Err("people sign in now, so nobody is named here: remove this line");
            source.checked("operator", operator.span(), gone)?;
        }
        let profiles = file.parent().unwrap_or(Path::new("")).join("profiles");
        let slots = slot::slots(&source, parsed.slot, &profiles)?;
        let scanner = parsed.scanner.map(|section| slot::scanner(&source, section, &slots)).transpose()?;
        let mut witnesses: Vec<WitnessKey> = Vec::new();
        for WitnessSection { vkey } in parsed.witness {
            let key: WitnessKey = source.checked("vkey", vkey.span(), vkey.get_ref().parse())?;
            let twice = witnesses.iter().any(|known| known.name() == key.name());
            let once = if twice { Err("there is a witness of this name already") } else { Ok(()) };
            source.checked("vkey", vkey.span(), once)?;
            witnesses.push(key);
        }
        let anchor = match parsed.anchor {
            None => AnchorRule::default(),
            Some(section) => source.checked("anchor", section.span(), rule(section.get_ref()))?,
        };
        let review = match parsed.review {
            None => ReviewRule::default(),
            Some(ReviewSection { days }) => {
                let rule = match *days.get_ref() {
                    days @ 1..=366 => Ok(ReviewRule { days }),
                    _ => Err("1 to 366 days are possible"),
                };
                source.checked("days", days.span(), rule)?
            }
        };
        let space = match parsed.space {
            None => SpaceRules::default(),
            Some(section) => source.checked("space", section.span(), space::rules(section.get_ref()))?,
        };
        let session = match parsed.session {
            None => SessionRule::default(),
            Some(section) => session(&source, &section)?,
        };
        let token = parsed
            .token
            .map(|section| source.checked("token", section.span(), custody::token(section.get_ref())));
        let tpm =
            parsed.tpm.map(|section| source.checked("tpm", section.span(), custody::tpm(section.get_ref())));
        let (token, tpm) = (token.transpose()?, tpm.transpose()?);
        let pin_counter = match parsed.pin {
            None => false,
            Some(section) => {
                let counts = custody::counts(&section, tpm.is_some());
                source.checked("counter", section.counter.span(), counts)?
            }
        };
        let orders = orders::rule(&source, parsed.orders, parsed.customer)?;
        let printers = after::printers(&source, parsed.printer)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let labels = after::labels(&source, parsed.label, &printers, folder)?;
        let hooks = after::hooks(&source, parsed.hook)?;
        let outbox = parsed.outbox.map(|section| after::outbox(&source, section)).transpose()?;
        let text = source.text;
        Ok(Self {
            origin,
            slots,
            scanner,
            witnesses,
            anchor,
            review,
            space,
            session,
            token,
            tpm,
            pin_counter,
            orders,
            printers,
            labels,
            hooks,
            outbox,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = include_str!("../defaults/example.toml");

    fn station(text: &str) -> Result<StationConfig, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("station.toml");
        std::fs::create_dir(dir.path().join("profiles")).unwrap();
        std::fs::write(dir.path().join("profiles/example.toml"), PROFILE).unwrap();
        std::fs::write(&file, text).unwrap();
        StationConfig::read(&file).map_err(|e| e.to_string().rsplit('/').next().unwrap().to_owned())
    }

    #[test]
    fn what_init_writes_is_read() {
        let text =
            include_str!("../defaults/station.toml").replace("{origin}", "keylog.example.com/plant7/stn03");
        let config = station(&text).unwrap();
        assert_eq!(config.slots.len(), 0);
        // The rest is in a test of its own (`after`).
        let (text, _) = text.split_once("# What comes after a PASS").unwrap();
        let text = text.to_owned();
        let uncommented =
            text.replace("# [[slot]]", "[[slot]]").replace("# # ", "# ").replace("# port", "port");
        let uncommented = uncommented.replace("# profile", "profile").replace("# [scanner]", "[scanner]");
        let config = station(&uncommented.replace("# baud", "baud")).unwrap();
        assert_eq!((config.slots[0].number, config.scanner.unwrap().baud), (1, 9600));
        assert_eq!(
            (config.witnesses.len(), config.anchor, config.review, config.space),
            (0, AnchorRule::default(), ReviewRule::default(), SpaceRules::default()),
            "it states the default"
        );
        let uncommented = text.replace("# [tpm]", "[tpm]").replace("# device", "device");
        assert_eq!((station(&text).unwrap().tpm, station(&text).unwrap().token), (None, None));
        let token = ["[token]", "module", "label"]
            .into_iter()
            .fold(text.clone(), |text, begins| text.replace(&format!("# {begins}"), begins));
        assert!(station(&token).unwrap().token.is_some_and(|token| token.label == "factory"));
        assert_eq!(station(&uncommented).unwrap().tpm, TpmPlace::device("/dev/tpmrm0").ok());
        assert!(!station(&uncommented).unwrap().pin_counter);
        let counted = uncommented.replace("counter = \"none\"", "counter = \"tpm\"");
        assert!(station(&counted).unwrap().pin_counter);
    }

    #[test]
    fn a_mistyped_setting_stops_the_start_with_file_line_and_key() {
        let base = "version = 1\norigin = \"keylog.a/b/c\"\n\n";
        for (text, expected) in [
            (format!("{base}oprator = \"x\"\n"), "station.toml:4: unknown field `oprator`"),
            (base.replace("version = 1", "version = 2"), "station.toml:1: `version`: this program knows"),
            (
                format!("{base}operator = \"op-0117\"\n"),
                "station.toml:4: `operator`: people sign in now, so nobody is named here: remove this line",
            ),
            (base.replace("origin", "orign"), "station.toml:2: unknown field `orign`"),
            (format!("{base}[[slot]]\nport = \"p\"\nprofile = \"none.toml\"\n"), "none.toml"),
            (
                format!("{base}[[slot]]\nport = \"p\"\nprofile = \"example.toml\"\nbaud = 9\n"),
                "unknown field `baud`",
            ),
            (format!("{base}[[witness]]\nvkey = \"a+b\"\n"), "station.toml:5: `vkey`: it is not of the form"),
            (
                format!(
                    "{base}[anchor]\nwarn_hours = 9\nwarn_records = 1\nblock_hours = 8\nblock_records = 1\n"
                ),
                "`anchor`: all four count from 1, and it warns",
            ),
            (base.replace("keylog.a/b/c", "keylog a"), "station.toml:2: `origin`: "),
            (
                format!("{base}[token]\nmodule = \"a.so\"\nlabel = \"a\"\n"),
                "station.toml:4: `token`: the PKCS#11 module",
            ),
            (format!("{base}[pin]\ncounter = \"TPM\"\n"), "station.toml:5: `counter`: it is `none` or `tpm`"),
            (
                format!("{base}[pin]\ncounter = \"tpm\"\n"),
                "station.toml:5: `counter`: there is no [tpm] section",
            ),
            (format!("{base}[pin]\n"), "missing field `counter`"),
            (format!("{base}[tpm]\nswtpm = \"sock\"\n"), "station.toml:4: `tpm`: the socket of an emulator"),
            (
                format!("{base}[[slot]]\nport = \"p\"\nprofile = \"example.toml\"\n")
                    + "[[slot]]\nport = \"p\"\nprofile = \"example.toml\"\n",
                "station.toml:7: `slot`: slot 1 has this port already",
            ),
            (
                format!("{base}[[slot]]\nport = \"{}\"\nprofile = \"example.toml\"\n", "p".repeat(201)),
                "station.toml:5: `port`: the path of a port has 1 to 200 bytes",
            ),
            (
                format!("{base}[[slot]]\nusb = \"1-1.4\"\nport = \"p\"\nprofile = \"example.toml\"\n"),
                "station.toml:4: `slot`: either `port` or `usb` says where it is, and not both",
            ),
            (
                format!("{base}[[slot]]\nprofile = \"example.toml\"\n"),
                "station.toml:4: `slot`: either `port` or `usb`",
            ),
            (
                format!("{base}[[slot]]\nport = \"p\"\ninterface = 1\nprofile = \"example.toml\"\n"),
                "`interface` belongs to `usb`",
            ),
            (
                format!("{base}[[slot]]\nusb = \"1.4\"\nprofile = \"example.toml\"\n"),
                "station.toml:5: `usb`: a USB path is the bus",
            ),
            (
                format!("{base}[[slot]]\nusb = \"1-1\"\ninterface = 1\nprofile = \"example.toml\"\n")
                    + "[[slot]]\nusb = \"1-1\"\nprofile = \"example.toml\"\n",
                "station.toml:8: `slot`: slot 1 has this port already",
            ),
            (
                (1..=65).fold(base.to_owned(), |text, n| {
                    format!("{text}[[slot]]\nport = \"p{n}\"\nprofile = \"example.toml\"\n")
                }),
                "station.toml:196: `slot`: a station has at most 64 slots",
            ),
            (format!("{base}[scanner]\nport = \"s\"\n"), "missing field `baud`"),
            (format!("{base}[scanner]\nport = \"s\"\nbaud = 7\n"), "station.toml:6: `baud`: 1200 to 4000000"),
            (
                format!("{base}[scanner]\nport = \"p\"\nbaud = 9600\n")
                    + "[[slot]]\nport = \"p\"\nprofile = \"example.toml\"\n",
                "station.toml:4: `scanner`: slot 1 has this port already",
            ),
            (format!("{base}[review]\ndays = 0\n"), "station.toml:5: `days`: 1 to 366"),
            (format!("{base}[review]\nday = 7\n"), "station.toml:5: unknown field `day`"),
            (format!("{base}[review]\n"), "missing field `days`"),
            (format!("{base}[orders]\nrequire = true\n"), "station.toml:5: unknown field `require`"),
            (format!("{base}[orders]\n"), "missing field `required`"),
            (
                format!("{base}[orders]\nrequired = true\nsigned_only = true\n"),
                "station.toml:6: `signed_only`: there is no [[customer]]",
            ),
            (
                format!("{base}[[customer]]\nvkey = \"a+b\"\n"),
                "station.toml:5: `vkey`: it is not of the form",
            ),
            (
                format!("{base}[space]\nwarn_mib = 400\nrefuse_mib = 500\nballast_mib = 4\n"),
                "`space`: it refuses from 1 MiB on, and warns",
            ),
        ] {
            let error = station(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
