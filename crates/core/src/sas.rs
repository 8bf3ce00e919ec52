//! SAS tokens: what a device shows to DPS instead of its key.
//!
//! ```text
//! SharedAccessSignature sr={scope}%2Fregistrations%2F{id}&sig={…}&se={expiry}&skn=registration
//! ```
//!
//! `sig` is the percent-encoded Base64 of HMAC-SHA256(device key, `sr` ‖ LF ‖ `se`), with `sr` exactly as it is
//! transmitted. The form is
//! <https://learn.microsoft.com/azure/iot-dps/how-to-control-access#security-tokens>; its spelling differs from client
//! to client, see [`Dialect`].

mod check;
mod error;

pub use check::{Expiry, KeyName, Verified, verify};
pub use error::{Part, SasError, SignedOver};

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::derive::hmac_sha256;
use crate::key::{DeviceKey, IdScope};
use crate::registration::RegistrationId;

/// Begins every token.
pub const PREFIX: &str = "SharedAccessSignature ";

/// Bytes of the longest text that is read as a token. The longest that any client can write has under 700.
pub const LIMIT: usize = 1024;

/// Who wrote a token: Microsoft's clients agree on the fields and on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `Azure/azure-iot-sdk-csharp`, and the form in Microsoft's documentation.
    CSharp,
    /// `Azure/azure-iot-sdk-python`.
    Python,
    /// `Azure/azure-iot-sdk-node`.
    Node,
    /// `Azure/azure-iot-sdk-java`.
    Java,
    /// `Azure/azure-iot-sdk-c`, and the `dps-keygen` tool.
    SdkC,
    /// `Azure/azure-sdk-for-c`, the one for microcontrollers.
    EmbeddedC,
    /// `Azure/iot-identity-service` of IoT Edge.
    IotEdge,
}

/// How a dialect writes what another one writes differently.
struct Spelling {
    slash: &'static str,
    colon: &'static str,
    /// The whole of `sr` in lower case.
    lower: bool,
    /// The `+`, `/` and `=` of Base64.
    plus_slash_equals: [&'static str; 3],
    /// What stands between `sig` and `se`, and after `se`.
    around_expiry: [&'static str; 2],
}

const UPPER: [&str; 3] = ["%2B", "%2F", "%3D"];
const LOWER: [&str; 3] = ["%2b", "%2f", "%3d"];
const KEY_NAME: &str = "&skn=registration";

impl Dialect {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::CSharp, Self::Python, Self::Node, Self::Java, Self::SdkC, Self::EmbeddedC, Self::IotEdge];

    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CSharp => "csharp",
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
            Self::SdkC => "sdk-c",
            Self::EmbeddedC => "embedded-c",
            Self::IotEdge => "iot-edge",
        }
    }

    const fn spelling(self) -> Spelling {
        let (slash, colon) = match self {
            Self::CSharp | Self::Python => ("%2F", "%3A"),
            Self::Node | Self::Java | Self::IotEdge => ("/", ":"),
            Self::SdkC => ("%2f", "%3a"),
            // The slashes are a literal of its source, the rest goes through an encoder.
            Self::EmbeddedC => ("%2f", "%3A"),
        };
        Spelling {
            slash,
            colon,
            lower: matches!(self, Self::IotEdge),
            plus_slash_equals: if matches!(self, Self::SdkC) { LOWER } else { UPPER },
            around_expiry: match self {
                Self::CSharp | Self::SdkC | Self::IotEdge => ["", KEY_NAME],
                Self::Python | Self::EmbeddedC => ["", ""],
                Self::Node => [KEY_NAME, ""],
                Self::Java => ["", "&skn="],
            },
        }
    }

    /// `sr` as this client transmits it, and signs it.
    #[must_use]
    pub fn resource(self, scope: &IdScope, id: &RegistrationId) -> String {
        let Spelling { slash, colon, lower, .. } = self.spelling();
        let id = id.as_str().replace(':', colon);
        let resource = format!("{scope}{slash}registrations{slash}{id}");
        if lower { resource.to_ascii_lowercase() } else { resource }
    }
}

/// A token: whoever has it is the device until it expires. So it cannot be printed, and is wiped when it is dropped.
pub struct SasToken(Zeroizing<String>);

impl SasToken {
    /// The token of `key` for this scope and ID, as `dialect` writes it. `expiry` counts seconds since
    /// 1970-01-01 UTC.
    #[must_use]
    pub fn new(key: &DeviceKey, scope: &IdScope, id: &RegistrationId, expiry: u64, dialect: Dialect) -> Self {
        let Spelling { plus_slash_equals: [plus, slash, equals], around_expiry: [before, after], .. } =
            dialect.spelling();
        let resource = dialect.resource(scope, id);
        let expiry = expiry.to_string();
        let signature = Zeroizing::new(Base64::encode_string(&*sign(key.expose(), &resource, &expiry)));

        // With room for every field, so that growing leaves no copies behind: a signature takes at most 3 × 44.
        let mut token = Zeroizing::new(String::with_capacity(resource.len() + 256));
        token.push_str(PREFIX);
        token.push_str("sr=");
        token.push_str(&resource);
        token.push_str("&sig=");
        for character in signature.chars() {
            match character {
                '+' => token.push_str(plus),
                '/' => token.push_str(slash),
                '=' => token.push_str(equals),
                other => token.push(other),
            }
        }
        token.push_str(before);
        token.push_str("&se=");
        token.push_str(&expiry);
        token.push_str(after);
        Self(token)
    }

    /// The text, ASCII. Whoever calls this answers for every copy that is made of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// HMAC-SHA256(key, resource ‖ LF ‖ expiry).
fn sign(key: &[u8], resource: &str, expiry: &str) -> Zeroizing<[u8; 32]> {
    let mut signature = Zeroizing::new([0; 32]);
    hmac_sha256(key, &[resource.as_bytes(), b"\n", expiry.as_bytes()], &mut signature);
    signature
}

#[cfg(test)]
mod tests;
