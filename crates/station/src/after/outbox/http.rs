//! An endpoint that takes each record as a POST. The headers say which it is, so that whoever gets it twice knows.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use keystation_audit::leaf_hash;
use keystation_core::record::Seq;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

use super::{Endpoint, Undelivered};
use crate::after::guarded::{self, Unfit};
use crate::config::ConfigError;

/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER: u64 = 64 * 1024;
/// Bytes of a token file at most.
const LONGEST: usize = 4096;

/// An endpoint, with the connections to it.
pub(in crate::after) struct Http {
    agent: Agent,
    url: String,
    token: Option<Zeroizing<String>>,
}

impl Http {
    /// Reads certificates and token.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let authorities = endpoint.ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
        let token = endpoint.token_file.as_deref().map(token).transpose()?;
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(authorities)));
        let config = Agent::config_builder()
            .tls_config(tls.build())
            // The environment names no way out of this machine, and no answer leads elsewhere.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(endpoint.limit))
            .user_agent(concat!("keystation/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.new_agent(), url: endpoint.url.clone(), token })
    }

    /// Delivers record `seq` of the log `origin`. It counts when the endpoint answers 2xx.
    pub(super) fn deliver(&self, origin: &str, seq: Seq, body: &[u8]) -> Result<(), Undelivered> {
        let leaf: String = leaf_hash(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", format!("{origin}/{seq}"))
            .header("Keystation-Seq", seq.to_string())
            .header("Keystation-Leaf", leaf);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {}", token.as_str()));
        }
        let answer = request.send(body).map_err(|error| {
            tracing::warn!(%error, "a record is not delivered");
            match error {
                ureq::Error::Timeout(_) => Undelivered::Silent,
                ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Undelivered::Tls,
                // A handshake that fails while it is spoken is an error of the stream to ureq.
                ureq::Error::Io(error)
                    if error.get_ref().is_some_and(|error| error.is::<rustls::Error>()) =>
                {
                    Undelivered::Tls
                }
                _ => Undelivered::Away,
            }
        })?;
        let status = answer.status();
        let read = io::copy(&mut answer.into_body().into_reader().take(ANSWER), &mut io::sink());
        match status.as_u16() {
            // It has the record, whatever becomes of the rest of its answer.
            200..=299 => {
                if let Err(error) = read {
                    tracing::debug!(%error, "the answer broke off");
                }
                Ok(())
            }
            400..=499 if !matches!(status.as_u16(), 408 | 425 | 429) => Err(Undelivered::Refused),
            _ => Err(Undelivered::Busy),
        }
    }
}

/// The certificates of a PEM file.
fn authorities(file: &Path) -> Result<Vec<Certificate<'static>>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: file.to_owned(), source };
    let pem = std::fs::read(file).map_err(unreadable)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| unreadable(io::Error::other(error)))?
        {
            certificates.push(certificate);
        }
    }
    let found = if certificates.is_empty() {
        Err(io::Error::other("it holds no certificate"))
    } else {
        Ok(certificates)
    };
    found.map_err(unreadable)
}

/// The token in the first line of a file that nobody else may read or put another in the place of.
fn token(file: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: file.to_owned(), source };
    let mut opened = File::open(file).map_err(unreadable)?;
    // Of the file that is open, not of what the name leads to next.
    let about = opened.metadata().map_err(unreadable)?;
    guarded::secret(file, &about).map_err(|unfit| match unfit {
        Unfit::Exposed(exposed) => exposed.into(),
        Unfit::Unreadable(source) => unreadable(source),
    })?;
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 1));
    opened.by_ref().take(LONGEST as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    let line = text.lines().next().unwrap_or_default();
    // What a header may hold (RFC 6750, b64token, and a little more).
    if line.is_empty() || text.len() > LONGEST || !line.bytes().all(|byte| byte.is_ascii_graphic()) {
        let why = "its first line is no token: 1 to 4096 characters of ASCII, no space";
        return Err(unreadable(io::Error::other(why)));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_that_others_may_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let write = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            token(&file).map(|token| token.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(write("example-token\n", 0o600).unwrap(), "example-token");
        for (mode, why) in [(0o640, "may be read"), (0o604, "may be read"), (0o620, "may be written to")] {
            assert!(write("example-token\n", mode).unwrap_err().contains(why), "{mode:o}");
        }
        // Whoever may write to the folder can put another token there.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(write("example-token\n", 0o600).unwrap_err().contains("may be written to"));
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        for text in ["", "\nexample", "two words", "a\r\u{1b}", &"a".repeat(5000)] {
            assert!(write(text, 0o600).unwrap_err().contains("is no token"), "{text:?}");
        }
        assert!(token(folder.path()).is_err() && token(Path::new("/dev/null")).is_err());
        assert!(authorities(&file).unwrap_err().to_string().ends_with("it holds no certificate"));
    }
}
