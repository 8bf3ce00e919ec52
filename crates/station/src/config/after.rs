//! `[[printer]]`, `[[label]]`, `[[hook]]` and `[outbox]` of `station.toml`: what comes after a PASS. Nothing does unless it stands there.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Profile, Source, plain_id};
use crate::after::{
    Design, Endpoint, HookConfig, HookEvent, LabelConfig, OutboxConfig, Paper, PrinterAnswer, PrinterConfig,
    SymbolKind, Way, Zpl,
};

/// Printers of one station: each has a thread.
const PRINTERS: usize = 16;
/// Hooks of one station: each has a thread.
const HOOKS: usize = 16;
/// Seconds that a call may take.
const CALL: u64 = 300;
/// Seconds that a delivery may take: the end of the program waits for it.
const DELIVERY: u64 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrinterSection {
    name: toml::Spanned<String>,
    address: Option<toml::Spanned<String>>,
    answer: Option<toml::Spanned<Answer>>,
    file: Option<toml::Spanned<String>>,
    pdf_folder: Option<toml::Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Status,
    Close,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelSection {
    profile: toml::Spanned<String>,
    printer: toml::Spanned<String>,
    template: toml::Spanned<String>,
    symbol: Symbol,
    module_dots: Option<toml::Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Symbol {
    Qr,
    DataMatrix,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HookSection {
    on: toml::Spanned<Vec<toml::Spanned<String>>>,
    program: toml::Spanned<String>,
    seconds: toml::Spanned<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutboxSection {
    folder: Option<toml::Spanned<String>>,
    url: Option<toml::Spanned<String>>,
    ca_file: Option<toml::Spanned<String>>,
    token_file: Option<toml::Spanned<String>>,
    seconds: Option<toml::Spanned<u64>>,
}

/// An absolute path: the station has no directory that anybody would count on.
fn absolute(source: &Source<'_>, key: &str, path: &toml::Spanned<String>) -> Result<PathBuf, ConfigError> {
    let text = path.get_ref();
    let fits = text.starts_with('/') && !text.chars().any(char::is_control);
    source.checked(key, path.span(), fits.then(|| PathBuf::from(text)).ok_or("an absolute path is needed"))
}

fn seconds(source: &Source<'_>, value: &toml::Spanned<u64>, most: u64) -> Result<Duration, ConfigError> {
    let fits = (1..=most).contains(value.get_ref()).then(|| Duration::from_secs(*value.get_ref()));
    source.checked("seconds", value.span(), fits.ok_or_else(|| format!("1 to {most} are possible")))
}

pub(super) fn printers(
    source: &Source<'_>,
    sections: Vec<toml::Spanned<PrinterSection>>,
) -> Result<Vec<PrinterConfig>, ConfigError> {
    let mut printers: Vec<PrinterConfig> = Vec::new();
    for section in sections {
        let span = section.span();
        let PrinterSection { name: named, address, answer, file, pdf_folder } = section.into_inner();
        let name = source.checked("name", named.span(), plain_id(named.get_ref()))?;
        let twice = printers.iter().any(|printer| printer.name == name);
        let alone = if twice { Err("there is a printer of this name already") } else { Ok(()) };
        source.checked("name", named.span(), alone)?;
        if let (None, Some(answer)) = (&address, &answer) {
            source.checked("answer", answer.span(), Err("it belongs to `address`"))?;
        }
        let way = match (address, file, pdf_folder) {
            (Some(address), None, None) => {
                let parsed = address.get_ref().parse::<SocketAddr>();
                let why = "an IP address and a port are needed, for example 192.0.2.17:9100";
                let parsed = source.checked("address", address.span(), parsed.map_err(|_| why))?;
                let answer = answer.map_or(PrinterAnswer::Status, |answer| match answer.get_ref() {
                    Answer::Status => PrinterAnswer::Status,
                    Answer::Close => PrinterAnswer::Close,
                });
                Way::Tcp { address: parsed, answer }
            }
            (None, Some(file), None) => Way::File(absolute(source, "file", &file)?),
            (None, None, Some(folder)) => Way::Folder(absolute(source, "pdf_folder", &folder)?),
            _ => {
                let why = "one of `address`, `file` and `pdf_folder` says where it is";
                source.checked("printer", span.clone(), Err(why))?
            }
        };
        let room = if printers.len() < PRINTERS { Ok(()) } else { Err("a station has at most 16 printers") };
        source.checked("printer", span, room)?;
        printers.push(PrinterConfig { name, way });
    }
    Ok(printers)
}

/// The labels, with templates out of `labels/` and profiles out of `profiles/` in `folder`.
pub(super) fn labels(
    source: &Source<'_>,
    sections: Vec<toml::Spanned<LabelSection>>,
    printers: &[PrinterConfig],
    folder: &Path,
) -> Result<Vec<LabelConfig>, ConfigError> {
    let mut labels: Vec<LabelConfig> = Vec::new();
    for section in sections {
        let span = section.span();
        let LabelSection { profile, printer: named, template, symbol, module_dots } = section.into_inner();
        let file = folder.join("profiles").join(profile.get_ref());
        let found = if file.is_file() { Ok(()) } else { Err(format!("no file {}", file.display())) };
        source.checked("profile", profile.span(), found)?;
        let title = Profile::read(&file)?.title;
        let printer = printers.iter().find(|printer| printer.name == *named.get_ref());
        let printer =
            source.checked("printer", named.span(), printer.ok_or("no [[printer]] has this name"))?;
        let kind = match symbol {
            Symbol::Qr => SymbolKind::Qr,
            Symbol::DataMatrix => SymbolKind::DataMatrix,
        };
        let path = folder.join("labels").join(template.get_ref());
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
        let text = Source::of(&path, source.checked("template", template.span(), text)?);
        let design = match (&printer.way, module_dots) {
            (Way::Folder(_), None) => Design::Paper(Paper::new(&text, kind)?),
            (Way::Folder(_), Some(dots)) => {
                let why = "it belongs to ZPL: a PDF has the size of its code in the template";
                source.checked("module_dots", dots.span(), Err(why))?
            }
            (_, None) => source.checked("label", span.clone(), Err("ZPL needs `module_dots`"))?,
            (_, Some(dots)) => {
                let fits = (1..=20).contains(dots.get_ref()).then_some(*dots.get_ref());
                let dots = source.checked("module_dots", dots.span(), fits.ok_or("1 to 20 are possible"))?;
                let zpl = Zpl::new(&text.text, kind, dots).map_err(|wrong| ConfigError::Wrong {
                    file: path.clone(),
                    line: wrong.line,
                    message: wrong.why,
                });
                Design::Zpl(zpl?)
            }
        };
        let twice = labels.iter().any(|label| label.title == title && label.printer == printer.name);
        let alone = if twice { Err("this product has a label on this printer already") } else { Ok(()) };
        source.checked("label", span, alone)?;
        labels.push(LabelConfig { title, printer: printer.name.clone(), design });
    }
    Ok(labels)
}

pub(super) fn hooks(source: &Source<'_>, sections: Vec<HookSection>) -> Result<Vec<HookConfig>, ConfigError> {
    let mut hooks = Vec::new();
    for HookSection { on: called, program, seconds: limit } in sections {
        let mut on = Vec::new();
        for word in called.get_ref() {
            let known = HookEvent::ALL.into_iter().find(|event| event.word() == word.get_ref());
            let known = known
                .ok_or_else(|| format!("{} are possible", HookEvent::ALL.map(HookEvent::word).join(", ")));
            on.push(source.checked("on", word.span(), known)?);
        }
        let some = if on.is_empty() { Err("it is called for nothing") } else { Ok(()) };
        source.checked("on", called.span(), some)?;
        let room = if hooks.len() < HOOKS { Ok(()) } else { Err("a station has at most 16 hooks") };
        source.checked("on", called.span(), room)?;
        let program = absolute(source, "program", &program)?;
        hooks.push(HookConfig { on, program, limit: seconds(source, &limit, CALL)? });
    }
    Ok(hooks)
}

pub(super) fn outbox(
    source: &Source<'_>,
    section: toml::Spanned<OutboxSection>,
) -> Result<OutboxConfig, ConfigError> {
    let span = section.span();
    let OutboxSection { folder, url, ca_file, token_file, seconds: limit } = section.into_inner();
    let wrong = |why: &str| source.checked("outbox", span.clone(), Err::<OutboxConfig, _>(why));
    match (folder, url) {
        (Some(folder), None) if ca_file.is_none() && token_file.is_none() && limit.is_none() => {
            Ok(OutboxConfig::Folder(absolute(source, "folder", &folder)?))
        }
        (Some(_), None) => wrong("`ca_file`, `token_file` and `seconds` belong to `url`"),
        (None, Some(url)) => {
            let (tls, host) = source.checked("url", url.span(), endpoint(url.get_ref()))?;
            if tls != ca_file.is_some() {
                return wrong(
                    "`https` and `ca_file` belong together: the certificate says who may be the endpoint",
                );
            }
            if token_file.is_some() && !tls && !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
                return wrong("a token goes over `https`, or to a program on this machine (127.0.0.1), only");
            }
            let Some(limit) = limit else { return wrong("`url` needs `seconds`") };
            let path = |key, file: Option<toml::Spanned<String>>| {
                file.map(|file| absolute(source, key, &file)).transpose()
            };
            Ok(OutboxConfig::Http(Endpoint {
                url: url.into_inner(),
                ca_file: path("ca_file", ca_file)?,
                token_file: path("token_file", token_file)?,
                limit: seconds(source, &limit, DELIVERY)?,
            }))
        }
        _ => wrong("either `folder` or `url` says where records go, and not both"),
    }
}

/// Whether an endpoint has TLS, and its host. No secret fits into what this takes.
fn endpoint(url: &str) -> Result<(bool, String), &'static str> {
    let (tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err("it begins with https:// or http://"),
    };
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has characters of ASCII only, and no space");
    }
    if rest.contains(['@', '?', '#']) {
        return Err("no user, password or parameter is possible in it: a token has a file of its own");
    }
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() { Err("it names no host") } else { Ok((tls, host.to_owned())) }
}

#[cfg(test)]
mod tests;
