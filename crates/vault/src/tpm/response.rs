//! What a TPM answers (TPM 2.0 Library part 3), read as if it came from an enemy.

use super::command::{
    CAP_COMMANDS, CAP_HANDLES, Command, HEADER, HMAC, Handle, LONGEST, NO_SESSIONS, TRANSIENT,
};
use super::error::TpmError;
use super::object::is_hmac_key;
use super::wire::{In, Malformed};

/// Bytes of HMAC-SHA256.
pub(super) const DIGEST: usize = 32;
/// Bytes of a `TPM2B_PRIVATE` at most, its length included: what a key card has room for.
const PRIVATE: usize = 1024;

/// `TPM_RC` (part 2, "TPM_RC"), without the number of the handle, parameter or session that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReturnCode(pub(super) u32);

impl ReturnCode {
    /// Format one has bit 7: `RC_FMT1`. There bit 6 says whether a parameter is meant, bits 8 to 11 which one (part 1,
    /// "Response Code Details").
    const FORMAT_ONE: u32 = 0x080;
    const PARAMETER: u32 = 0x040;
    const KIND: u32 = 0x0bf;

    /// The error itself: `TPM_RC_AUTH_FAIL` is 0x08e whether it came as 0x98e or as 0x88e.
    pub(super) const fn kind(self) -> u32 {
        if self.0 & Self::FORMAT_ONE == 0 { self.0 } else { self.0 & Self::KIND }
    }

    /// Whether it is about what was given to the command, not about the TPM's state.
    pub(super) const fn about_a_parameter(self) -> bool {
        let both = Self::FORMAT_ONE | Self::PARAMETER;
        self.0 & both == both
    }

    /// `TPM_RC_RETRY`, `TPM_RC_YIELDED`, `TPM_RC_TESTING`: the command was not begun and can be given again. A TPM says so
    /// at the first use of a key whose wrong authValues are counted, to make a note of it first. `TPM_RC_NV_RATE`: it saves its
    /// non-volatile memory.
    pub(super) const fn again(self) -> bool {
        matches!(self.0, 0x922 | 0x908 | 0x90a | 0x920)
    }
}

/// The size that a response says it has; `None` as long as its header is not whole.
pub(super) fn size(received: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut header = In::new(received);
    let (Ok(_), Ok(size)) = (header.u16(), header.u32()) else { return Ok(None) };
    let size = usize::try_from(size).map_err(|_| Malformed)?;
    if (HEADER..=LONGEST).contains(&size) { Ok(Some(size)) } else { Err(Malformed) }
}

/// A successful response.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    handle: Option<Handle>,
    parameters: In<'a>,
}

/// The answer in a whole response, or the TPM's return code. `Malformed` is what is neither.
pub(super) fn answer<'a>(
    command: &Command<'_>,
    response: &'a [u8],
) -> Result<Result<Answer<'a>, ReturnCode>, Malformed> {
    let mut read = In::new(response);
    let (tag, length, code) = (read.u16()?, read.u32()?, read.u32()?);
    if usize::try_from(length) != Ok(response.len()) {
        return Err(Malformed);
    }
    if code != 0 {
        // An error has a header and nothing else. `TPM_ST_RSP_COMMAND` is what a TPM 1.2 answers.
        read.end()?;
        let known = tag == NO_SESSIONS || tag == 0x00c4;
        return if known { Ok(Err(ReturnCode(code))) } else { Err(Malformed) };
    }
    if tag != command.tag() {
        return Err(Malformed);
    }
    let handle = if command.loads() { Some(transient(read.u32()?)?) } else { None };
    if tag == NO_SESSIONS {
        return Ok(Ok(Answer { handle, parameters: read }));
    }
    let length = usize::try_from(read.u32()?).map_err(|_| Malformed)?;
    let parameters = In::new(read.bytes(length)?);
    // One `TPMS_AUTH_RESPONSE` of a password: no nonce, no HMAC (part 1, "Password Authorizations").
    let (nonce, _attributes, hmac) = (read.sized()?, read.u8()?, read.sized()?);
    read.end()?;
    if nonce.is_empty() && hmac.is_empty() { Ok(Ok(Answer { handle, parameters })) } else { Err(Malformed) }
}

fn transient(handle: u32) -> Result<Handle, Malformed> {
    if handle >> 24 == TRANSIENT >> 24 { Ok(Handle(handle)) } else { Err(Malformed) }
}

impl<'a> Answer<'a> {
    /// Of `CreatePrimary` and `Load`: the object. What else they tell of it is not needed.
    pub(super) fn object(self) -> Result<Handle, Malformed> {
        self.handle.ok_or(Malformed)
    }

    /// Of `Hmac`.
    pub(super) fn digest(mut self) -> Result<&'a [u8; DIGEST], Malformed> {
        let digest = self.parameters.sized()?;
        self.parameters.end()?;
        digest.try_into().map_err(|_| Malformed)
    }

    /// Of `Create`: `TPM2B_PRIVATE` and `TPM2B_PUBLIC`, with their lengths. The creation data are not needed.
    pub(super) fn created(mut self) -> Result<(&'a [u8], &'a [u8]), Malformed> {
        let (private, public) = (self.parameters.whole_sized()?, self.parameters.whole_sized()?);
        let right = private.len() <= PRIVATE && is_hmac_key(public);
        if right { Ok((private, public)) } else { Err(Malformed) }
    }

    /// Of `GetCapability` for commands from `TPM2_HMAC` on: whether it is there, and not a vendor's command of the same
    /// number (part 2, "TPMA_CC": the number in bits 0 to 15, bit 29 for vendors).
    pub(super) fn has_hmac(self) -> Result<bool, Malformed> {
        let first = self.list(CAP_COMMANDS)?.next();
        Ok(first.is_some_and(|attributes| attributes & 0x2000_ffff == HMAC))
    }

    /// Of `GetCapability` for handles: the objects that are loaded.
    pub(super) fn loaded(self) -> Result<Vec<Handle>, Malformed> {
        self.list(CAP_HANDLES)?.map(transient).collect()
    }

    /// Of `NvReadPublic`: the content of the `TPM2B_NV_PUBLIC`.
    pub(super) fn nv_public(mut self) -> Result<&'a [u8], Malformed> {
        let (public, _name) = (self.parameters.sized()?, self.parameters.sized()?);
        self.parameters.end()?;
        Ok(public)
    }

    /// Of `NvRead` of a counter. None is as far as 2^53 unless it lies: a TPM wears out before a millionth of it.
    pub(super) fn count(mut self) -> Result<u64, Malformed> {
        let bytes = self.parameters.sized()?;
        self.parameters.end()?;
        let count = bytes.try_into().map(u64::from_be_bytes).map_err(|_| Malformed)?;
        if count < 1 << 53 { Ok(count) } else { Err(Malformed) }
    }

    /// Of `NvDefineSpace` and `NvIncrement`.
    pub(super) fn nothing(self) -> Result<(), Malformed> {
        self.parameters.end()
    }

    /// `TPMS_CAPABILITY_DATA` with a list of 32-bit values (part 2, "TPML_CCA", "TPML_HANDLE").
    fn list(mut self, capability: u32) -> Result<impl Iterator<Item = u32> + 'a, Malformed> {
        let _more = self.parameters.u8()?;
        let (found, count) = (self.parameters.u32()?, self.parameters.u32()?);
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(4)).ok_or(Malformed)?;
        let values = self.parameters.bytes(length)?;
        self.parameters.end()?;
        if found != capability {
            return Err(Malformed);
        }
        Ok(values.as_chunks().0.iter().map(|value| u32::from_be_bytes(*value)))
    }
}

/// What a return code means, whichever command got it.
pub(super) fn refusal(command: &Command<'_>, code: ReturnCode) -> TpmError {
    match code.kind() {
        0x08e | 0x0a2 if matches!(command, Command::Hmac { .. }) => TpmError::WrongSecret,
        0x08e | 0x0a2 if matches!(command, Command::CreatePrimary | Command::NvDefineSpace(_)) => {
            TpmError::OwnerSecret
        }
        0x921 => TpmError::LockedOut,
        0x902..=0x904 | 0x14b => TpmError::NoRoom { code: code.0 },
        0x085 if matches!(command, Command::CreatePrimary | Command::NvDefineSpace(_)) => {
            TpmError::OwnerDisabled
        }
        0x100 => TpmError::NotStarted,
        0x101 => TpmError::Failed,
        0x01e => TpmError::NotTwo,
        _ if code.again() => TpmError::Occupied,
        _ => TpmError::Refused { command: command.name(), code: code.0 },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMANDS: [Command<'static>; 6] = [
        Command::CreatePrimary,
        Command::Create { parent: Handle(TRANSIENT), auth: b"auth", key: b"key" },
        Command::Load { parent: Handle(TRANSIENT), private: b"\0\x01a", public: b"\0\x01b" },
        Command::Hmac { key: Handle(TRANSIENT), auth: b"auth", message: b"message" },
        Command::FlushContext(Handle(TRANSIENT)),
        Command::GetCapability { capability: CAP_COMMANDS, first: HMAC, count: 1 },
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// Everything that can be read from an answer, whatever command it is taken for.
    fn read_all(command: &Command<'_>, response: &[u8]) -> usize {
        let Ok(Ok(answer)) = answer(command, response) else { return 0 };
        usize::from(answer.object().is_ok())
            + usize::from(answer.digest().is_ok())
            + usize::from(answer.created().is_ok())
            + usize::from(answer.has_hmac().is_ok())
            + usize::from(answer.loaded().is_ok())
            + usize::from(answer.nv_public().is_ok())
            + usize::from(answer.count().is_ok())
            + usize::from(answer.nothing().is_ok())
    }

    /// Answers of swtpm 0.7.1 to such commands.
    fn answers() -> [Vec<u8>; 6] {
        let hex = include_str!("answers.hex");
        let lines: Vec<_> = hex.lines().map(bytes).collect();
        lines.try_into().unwrap()
    }

    #[test]
    fn answers_of_a_tpm_are_read() {
        let [primary, create, load, hmac, flush, capability] = answers();
        let [c, ..] = &COMMANDS;
        let ok = |command: &Command<'_>, response| {
            answer(command, response).unwrap().unwrap().parameters.end().is_ok()
        };
        assert_eq!(answer(c, &primary).unwrap().unwrap().object(), Ok(Handle(TRANSIENT)));
        let (private, public) = answer(&COMMANDS[1], &create).unwrap().unwrap().created().unwrap();
        assert_eq!((private.len(), public.len()), (192, 50));
        assert_eq!(answer(&COMMANDS[2], &load).unwrap().unwrap().object(), Ok(Handle(TRANSIENT + 1)));
        let digest = answer(&COMMANDS[3], &hmac).unwrap().unwrap().digest().unwrap();
        assert_eq!(digest[..4], [0x26, 0xc9, 0xb4, 0x97]);
        assert!(ok(&COMMANDS[4], &flush));
        assert_eq!(answer(&COMMANDS[5], &capability).unwrap().unwrap().has_hmac(), Ok(true));
    }

    #[test]
    fn cut_and_lengthened_answers_are_refused() {
        for (command, whole) in COMMANDS.iter().zip(answers()) {
            for length in 0..whole.len() {
                assert!(answer(command, &whole[..length]).is_err(), "{}", command.name());
                // The size in the header may be made to fit as well.
                let mut cut = whole[..length].to_vec();
                if length >= HEADER {
                    cut[2..6].copy_from_slice(&(length as u32).to_be_bytes());
                    let read = answer(command, &cut).map(|answer| answer.map(|_| ()));
                    let harmless = command.tag() == NO_SESSIONS && read == Ok(Ok(()));
                    assert!(read.is_err() || harmless, "{} of {length} bytes", command.name());
                }
            }
            assert!(answer(command, &[&whole[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn tpm_without_hmac_is_seen() {
        let [.., capability] = answers();
        for (attributes, expected) in
            [("02000155", true), ("02000156", false), ("22000155", false), ("02000154", false)]
        {
            let mut other = capability.clone();
            let at = other.len() - 4;
            other[at..].copy_from_slice(&bytes(attributes));
            assert_eq!(
                answer(&COMMANDS[5], &other).unwrap().unwrap().has_hmac(),
                Ok(expected),
                "{attributes}"
            );
        }
        let none = bytes("80010000001300000000000000000200000000");
        assert_eq!(answer(&COMMANDS[5], &none).unwrap().unwrap().has_hmac(), Ok(false));
    }

    #[test]
    fn return_codes_are_told_apart() {
        let [create_primary, _, _, hmac, ..] = &COMMANDS;
        assert!(matches!(refusal(hmac, ReturnCode(0x98e)), TpmError::WrongSecret));
        assert!(matches!(refusal(hmac, ReturnCode(0x9a2)), TpmError::WrongSecret));
        assert!(matches!(refusal(create_primary, ReturnCode(0x9a2)), TpmError::OwnerSecret));
        assert!(matches!(refusal(create_primary, ReturnCode(0x185)), TpmError::OwnerDisabled));
        assert!(matches!(refusal(hmac, ReturnCode(0x921)), TpmError::LockedOut));
        assert!(matches!(refusal(hmac, ReturnCode(0x902)), TpmError::NoRoom { code: 0x902 }));
        assert!(matches!(refusal(hmac, ReturnCode(0x922)), TpmError::Occupied));
        assert!(matches!(refusal(hmac, ReturnCode(0x1df)), TpmError::Refused { code: 0x1df, .. }));
        assert!(ReturnCode(0x1df).about_a_parameter() && !ReturnCode(0x98e).about_a_parameter());
        assert!(!ReturnCode(0x922).about_a_parameter());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(command in 0usize..6, response in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = size(&response);
            read_all(&COMMANDS[command], &response);
        }

        /// Almost right: a true answer with some bytes changed, its header made to fit.
        #[test]
        fn any_damaged_answer_is_read_or_refused(
            which in 0usize..6,
            command in 0usize..6,
            damage in proptest::collection::vec((0usize..600, any::<u8>()), 0..6),
            cut in 0usize..600,
        ) {
            let mut response = answers()[which].clone();
            for (at, byte) in damage {
                let at = at % response.len();
                response[at] = byte;
            }
            response.truncate(cut.max(HEADER));
            let length = response.len() as u32;
            response[2..6].copy_from_slice(&length.to_be_bytes());
            let _ = size(&response);
            read_all(&COMMANDS[command], &response);
        }
    }
}
