//! The commands that a station gives a TPM, byte by byte as in TPM 2.0 Library part 3 (TCG; ISO/IEC 11889-3).

use super::object;
use super::wire::Out;

/// `TPM_ST_NO_SESSIONS`, `TPM_ST_SESSIONS` (part 2, "TPM_ST").
pub(super) const NO_SESSIONS: u16 = 0x8001;
pub(super) const SESSIONS: u16 = 0x8002;
/// Tag, size and command or response code (part 1, "Command/Response Structure").
pub(super) const HEADER: usize = 10;
/// The longest command and the longest response: one page. TPMs take 4096 bytes themselves (`TPM_PT_MAX_COMMAND_SIZE`).
pub(super) const LONGEST: usize = 4096;

/// `TPM_RH_OWNER`, `TPM_RS_PW` (part 2, "TPM_RH").
const OWNER: u32 = 0x4000_0001;
const PASSWORD: u32 = 0x4000_0009;
/// `TPM_CAP_HANDLES`, `TPM_CAP_COMMANDS` (part 2, "TPM_CAP").
pub(super) const CAP_HANDLES: u32 = 1;
pub(super) const CAP_COMMANDS: u32 = 2;
/// `TPM_ALG_SHA256` (part 2, "TPM_ALG_ID").
const SHA256: u16 = 0x000b;

/// `TRANSIENT_FIRST` (part 2, "TPM_HC"): objects that are loaded.
pub(super) const TRANSIENT: u32 = 0x8000_0000;
/// `TPM_CC_HMAC` (part 2, "TPM_CC"). Version 1.59 of the library calls the same command `TPM2_MAC`.
pub(super) const HMAC: u32 = 0x0155;

/// A loaded object, by the number that the TPM gave it; or a place in its non-volatile memory, by the one that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle(pub(super) u32);

/// A command with what it is about.
pub(super) enum Command<'a> {
    /// Makes the storage key again from the owner's seed: the same one each time (part 3, "TPM2_CreatePrimary").
    CreatePrimary,
    /// Has the TPM encrypt a group key as an HMAC key of `auth` (part 3, "TPM2_Create").
    Create { parent: Handle, auth: &'a [u8], key: &'a [u8] },
    /// Brings it in again (part 3, "TPM2_Load"). The two with their lengths in front.
    Load { parent: Handle, private: &'a [u8], public: &'a [u8] },
    /// Computes HMAC-SHA256 inside (part 3, "TPM2_HMAC"). At most 1024 bytes, `MAX_DIGEST_BUFFER`.
    Hmac { key: Handle, auth: &'a [u8], message: &'a [u8] },
    /// Gives the memory of a loaded object back (part 3, "TPM2_FlushContext").
    FlushContext(Handle),
    /// `count` properties from `first` on (part 3, "TPM2_GetCapability").
    GetCapability { capability: u32, first: u32, count: u32 },
    /// Makes a counter (part 3, "TPM2_NV_DefineSpace").
    NvDefineSpace(Handle),
    /// What is defined at an index (part 3, "TPM2_NV_ReadPublic").
    NvReadPublic(Handle),
    /// Raises a counter by one (part 3, "TPM2_NV_Increment").
    NvIncrement(Handle),
    /// Reads a counter (part 3, "TPM2_NV_Read").
    NvRead(Handle),
}

impl Command<'_> {
    /// The name of part 3, for messages.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::CreatePrimary => "TPM2_CreatePrimary",
            Self::Create { .. } => "TPM2_Create",
            Self::Load { .. } => "TPM2_Load",
            Self::Hmac { .. } => "TPM2_HMAC",
            Self::FlushContext(_) => "TPM2_FlushContext",
            Self::GetCapability { .. } => "TPM2_GetCapability",
            Self::NvDefineSpace(_) => "TPM2_NV_DefineSpace",
            Self::NvReadPublic(_) => "TPM2_NV_ReadPublic",
            Self::NvIncrement(_) => "TPM2_NV_Increment",
            Self::NvRead(_) => "TPM2_NV_Read",
        }
    }

    /// `TPM_CC` (part 2).
    const fn code(&self) -> u32 {
        match self {
            Self::CreatePrimary => 0x0131,
            Self::Create { .. } => 0x0153,
            Self::Load { .. } => 0x0157,
            Self::Hmac { .. } => HMAC,
            Self::FlushContext(_) => 0x0165,
            Self::GetCapability { .. } => 0x017a,
            Self::NvDefineSpace(_) => 0x012a,
            Self::NvReadPublic(_) => 0x0169,
            Self::NvIncrement(_) => 0x0134,
            Self::NvRead(_) => 0x014e,
        }
    }

    /// The entity whose use is authorised, and its authValue; `None` for a command that needs no authorisation. The owner
    /// hierarchy and the storage key below it have the empty one, and so has the counter.
    const fn authorised(&self) -> Option<(Handle, &[u8])> {
        match self {
            Self::CreatePrimary | Self::NvDefineSpace(_) => Some((Handle(OWNER), b"")),
            Self::NvIncrement(index) | Self::NvRead(index) => Some((*index, b"")),
            Self::Create { parent, .. } | Self::Load { parent, .. } => Some((*parent, b"")),
            Self::Hmac { key, auth, .. } => Some((*key, auth)),
            Self::FlushContext(_) | Self::GetCapability { .. } | Self::NvReadPublic(_) => None,
        }
    }

    /// What is worked on, where that is another handle than the one that authorises: for the two it is the same index.
    const fn worked_on(&self) -> Option<Handle> {
        match self {
            Self::NvIncrement(index) | Self::NvRead(index) => Some(*index),
            _ => None,
        }
    }

    /// Whether the answer begins with the handle of an object.
    pub(super) const fn loads(&self) -> bool {
        matches!(self, Self::CreatePrimary | Self::Load { .. })
    }

    /// The tag that this command has and its successful response has too.
    pub(super) const fn tag(&self) -> u16 {
        if self.authorised().is_some() { SESSIONS } else { NO_SESSIONS }
    }

    /// Writes the command and returns its length. `memory` is [`LONGEST`] bytes, locked: `Create` and `Hmac` hold secrets.
    pub(super) fn write(&self, memory: &mut [u8]) -> usize {
        let mut out = Out::new(memory);
        out.u16(self.tag());
        out.u32(0);
        out.u32(self.code());
        if let Some((handle, auth)) = self.authorised() {
            out.u32(handle.0);
            if let Some(index) = self.worked_on() {
                out.u32(index.0);
            }
            // One `TPMS_AUTH_COMMAND`, a password: no nonce, no attributes, the authValue in place of an HMAC (part 1,
            // "Password Authorizations"; part 2, "TPMS_AUTH_COMMAND").
            out.sized_long(|out| {
                out.u32(PASSWORD);
                out.sized(|_| ());
                out.u8(0);
                out.sized(|out| out.bytes(auth));
            });
        }
        self.parameters(&mut out);
        let length = out.length();
        out.patch(2, u32::try_from(length).expect("a command has 4096 bytes at most"));
        length
    }

    fn parameters(&self, out: &mut Out<'_>) {
        match *self {
            Self::CreatePrimary => created(out, b"", b"", object::storage_key),
            Self::Create { auth, key, .. } => created(out, auth, key, object::hmac_key),
            Self::Load { private, public, .. } => {
                out.bytes(private);
                out.bytes(public);
            }
            Self::Hmac { message, .. } => {
                out.sized(|out| out.bytes(message));
                out.u16(SHA256);
            }
            Self::FlushContext(handle) | Self::NvReadPublic(handle) => out.u32(handle.0),
            Self::NvDefineSpace(index) => {
                out.sized(|_| ());
                out.sized(|out| object::counter(out, index, false));
            }
            Self::NvIncrement(_) => {}
            Self::NvRead(_) => {
                out.u16(object::COUNTER_BYTES);
                out.u16(0);
            }
            Self::GetCapability { capability, first, count } => {
                out.u32(capability);
                out.u32(first);
                out.u32(count);
            }
        }
    }
}

/// The parameters of both commands that create: `TPM2B_SENSITIVE_CREATE`, `TPM2B_PUBLIC`, `outsideInfo` and `creationPCR`,
/// both empty (part 2, "TPMS_SENSITIVE_CREATE", "TPM2B_PUBLIC").
fn created(out: &mut Out<'_>, auth: &[u8], data: &[u8], public: fn(&mut Out<'_>)) {
    out.sized(|out| {
        out.sized(|out| out.bytes(auth));
        out.sized(|out| out.bytes(data));
    });
    out.sized(public);
    out.sized(|_| ());
    out.u32(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpm::auth::Auth;

    /// The blocks of a section of the specification that are nothing but hexadecimal digits.
    fn specified(heading: &str) -> Vec<Vec<u8>> {
        let text = include_str!("../../../../docs/vault-format.md");
        let section = text.split_once(heading).unwrap().1.split("\n### ").next().unwrap();
        let blocks = section.split("```\n").map(|block| block.replace('\n', ""));
        let hex = blocks.filter(|block| !block.is_empty() && block.bytes().all(|c| c.is_ascii_hexdigit()));
        hex.map(|hex| {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        })
        .collect()
    }

    fn written(command: &Command<'_>) -> Vec<u8> {
        let mut memory = [0xee; LONGEST];
        let length = command.write(&mut memory);
        memory[..length].to_vec()
    }

    #[test]
    fn commands_are_the_specified_ones() {
        use base64ct::{Base64, Encoding};
        let [primary, create, hmac, answer] = &specified("### One derivation, byte by byte")[..] else {
            panic!("three commands and an answer")
        };
        let secret = crate::SecretText::new("correct horse battery staple".to_owned()).unwrap();
        let auth = Auth::of(&crate::Passphrase::new(secret).unwrap()).unwrap();
        let key = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        let key = Base64::decode_vec(key).unwrap();
        assert_eq!(written(&Command::CreatePrimary), *primary);
        let create_it = Command::Create { parent: Handle(TRANSIENT), auth: auth.expose(), key: &key };
        assert_eq!(written(&create_it), *create);
        let message = b"sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";
        let use_it = Command::Hmac { key: Handle(TRANSIENT + 1), auth: auth.expose(), message };
        assert_eq!(written(&use_it), *hmac);
        let read = super::super::response::answer(&use_it, answer).unwrap().unwrap();
        assert_eq!(
            Base64::encode_string(read.digest().unwrap()),
            "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="
        );
    }

    #[test]
    fn commands_of_the_counter_are_the_specified_ones() {
        let [define, public, raise, read, answer] = &specified("### The counter of wrong PINs")[..] else {
            panic!("four commands and an answer")
        };
        let index = Handle(0x01a6_afea);
        assert_eq!(written(&Command::NvDefineSpace(index)), *define);
        assert_eq!(written(&Command::NvReadPublic(index)), *public);
        assert_eq!(written(&Command::NvIncrement(index)), *raise);
        assert_eq!(written(&Command::NvRead(index)), *read);
        let answered = |bytes: &[u8]| {
            super::super::response::answer(&Command::NvRead(index), bytes).unwrap().unwrap().count()
        };
        assert_eq!(answered(answer), Ok(41));
        let mut far = answer.clone();
        far[17] = 0x20; // 2^53 + 41
        assert!(answered(&far).is_err());
    }

    /// The longest of what a card and a station can have.
    #[test]
    fn every_command_fits() {
        let (auth, key, message) = (&[1; 32], &[2; 64], &[3; 128]);
        let object = Handle(TRANSIENT);
        for command in [
            Command::Create { parent: object, auth, key },
            Command::Load { parent: object, private: &[4; 1024], public: &[5; 128] },
            Command::Hmac { key: object, auth, message },
        ] {
            let bytes = written(&command);
            assert_eq!(bytes[2..6], u32::try_from(bytes.len()).unwrap().to_be_bytes(), "{}", command.name());
        }
    }
}
