//! The device's side of the injection protocol, as `docs/device-protocol.md` has it and as a device may break it.
//!
//! Shares with the station's driver the framing, the numbers of the commands and nothing else.

use std::io;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Persona;
use super::digest;
use super::script::{Faults, Lie};
use super::state::{Set, State, StateFile};
use crate::protocol::{self, Command, code};
use crate::smp::body::BodyError;
use crate::smp::packet::{Encoder, Overflow};
use crate::smp::{Body, Decoder, Header, Operation, Packet, frame};

/// The endpoint that a device takes when it is told none.
const GLOBAL: &str = "global.azure-devices-provisioning.net";
const CAN_SAS: u64 = 1;
const CAN_LOCK: u64 = 2;

/// One simulated device: bytes in, bytes out.
pub struct SimDevice {
    persona: Persona,
    memory: StateFile,
    faults: Faults,
    decoder: Decoder,
    state: State,
    staged: Option<Set>,
    /// A set that a lying device only claims to have stored.
    pretended: Option<Set>,
    /// Whether a commit was answered: what some lies wait for.
    committed: bool,
}

/// What a device does about a request.
pub struct Reply {
    /// Name of the command, `?` for one that it does not have.
    pub command: &'static str,
    /// The frames to send.
    pub wire: Zeroizing<Vec<u8>>,
    /// Whether it restarts when they are sent.
    pub restarts: bool,
}

/// Writes the body of an answer.
type Write = Box<dyn FnOnce(&mut Encoder<'_>) -> Result<(), Overflow>>;

/// An answer that says no.
enum No {
    /// An error of the injection group.
    Group(u64),
    /// An error of SMP itself.
    Smp(u64),
}

impl From<BodyError> for No {
    fn from(_: BodyError) -> Self {
        Self::Group(code::BAD_REQUEST)
    }
}

impl SimDevice {
    /// A device with its memory at `state`, without power: call [`SimDevice::start`].
    #[must_use]
    pub fn new(persona: Persona, state: &std::path::Path, faults: Faults) -> Self {
        let memory = StateFile::new(state);
        let mut device = Self {
            persona,
            memory,
            faults: Faults::default(),
            decoder: Decoder::default(),
            state: State::default(),
            staged: None,
            pretended: None,
            committed: false,
        };
        device.set_faults(faults);
        device
    }

    /// Puts another script in place of the old one.
    pub fn set_faults(&mut self, faults: Faults) {
        self.memory.broken = faults.storage_fail;
        self.faults = faults;
    }

    /// Power on: what was only in memory is gone, and the boot counter has moved.
    pub fn start(&mut self) -> io::Result<()> {
        if self.memory.is_new() {
            (self.pretended, self.committed) = (None, false);
        }
        self.state = self.memory.load(&self.persona)?;
        self.state.boot = self.state.boot.wrapping_add(1);
        // The cells of the boot counter are others than those that break.
        let broken = std::mem::take(&mut self.memory.broken);
        let saved = self.memory.save(&self.persona, &self.state);
        self.memory.broken = broken;
        saved?;
        self.decoder = Decoder::default();
        self.staged = None;
        if self.faults.lie == Some(Lie::RamOnly) {
            self.pretended = None;
        }
        Ok(())
    }

    /// Takes one byte from the line.
    pub fn receive(&mut self, byte: u8) -> Option<Reply> {
        let packet = Zeroizing::new(self.decoder.push(byte)?.to_vec());
        let (header, body) = Header::split(&packet)?;
        let operation = header.operation.response()?;
        let command = known(header);
        let answer = match command {
            Some(command) => self.answer(command, body),
            None => Err(No::Smp(protocol::RC_NOT_SUPPORTED)),
        };
        let restarts =
            command == Some(protocol::RESET) && answer.is_ok() && self.faults.lie != Some(Lie::NoRestart);
        let header = Header { operation, ..header };
        let packet = Packet::build(header, |body| match answer {
            Ok(write) => write(body),
            Err(No::Smp(rc)) => {
                body.map(1)?.str("rc")?.u64(rc)?;
                Ok(())
            }
            Err(No::Group(rc)) => {
                body.map(1)?.str("err")?.map(2)?;
                body.str("group")?.u16(protocol::GROUP)?.str("rc")?.u64(rc)?;
                Ok(())
            }
        });
        let mut wire = frame::encode(packet.expect("a persona's texts fit in a packet").bytes());
        if self.faults.lie == Some(Lie::AnswersEarly) {
            wire = Zeroizing::new([wire.as_slice(), &early(header.sequence.wrapping_add(1))].concat());
        }
        Some(Reply { command: command.map_or("?", |command| command.name), wire, restarts })
    }

    fn answer(&mut self, command: Command, body: &[u8]) -> Result<Write, No> {
        let body = match Body::parse(body) {
            Ok(body) => body,
            // Not CBOR at all is SMP's own error; CBOR that is no body of this protocol is a bad request.
            Err(BodyError::NotCbor) => return Err(No::Smp(protocol::RC_NOT_CBOR)),
            Err(_) if command.group == protocol::OS_GROUP => return Err(No::Smp(protocol::RC_NOT_CBOR)),
            Err(e) => return Err(e.into()),
        };
        match command {
            protocol::ECHO => {
                let text = body.text("d")?.unwrap_or_default().to_owned();
                Ok(Box::new(move |answer| {
                    answer.map(1)?.str("r")?.str(&text)?;
                    Ok(())
                }))
            }
            protocol::INFO => Ok(self.info()),
            protocol::STAGE => self.stage(&body),
            protocol::COMMIT => self.commit(&body),
            protocol::PROVE => self.prove(&body),
            protocol::SAS => self.sas(&body),
            protocol::SET => self.set(),
            protocol::LOCK => self.lock(&body),
            protocol::WHO => Ok(self.who()),
            _ => Ok(nothing()),
        }
    }

    /// Generation and state, as it says that they are.
    fn claimed(&self) -> (u32, u64) {
        match (self.held(), self.state.locked) {
            _ if self.faults.lie == Some(Lie::ClaimsEmpty) => (0, 0),
            (None, _) => (0, 0),
            (Some(_), locked) => (self.state.generation.max(1), if locked { 2 } else { 1 }),
        }
    }

    fn info(&self) -> Write {
        let persona = self.shown();
        let (generation, state) = self.claimed();
        let boot = self.state.boot;
        Box::new(move |answer| {
            answer.map(6 + persona.identifiers())?.str("v")?.u64(protocol::VERSION)?;
            identify(&persona, answer)?;
            answer.str("fw")?.str(&persona.firmware)?;
            answer.str("cap")?.u64(CAN_SAS | CAN_LOCK)?;
            answer.str("gen")?.u32(generation)?.str("st")?.u64(state)?;
            answer.str("boot")?.u32(boot)?;
            Ok(())
        })
    }

    fn who(&self) -> Write {
        let persona = self.shown();
        let ((_, state), boot) = (self.claimed(), self.state.boot);
        Box::new(move |answer| {
            answer.map(2 + persona.identifiers())?;
            identify(&persona, answer)?;
            answer.str("st")?.u64(state)?.str("boot")?.u32(boot)?;
            Ok(())
        })
    }

    fn stage(&mut self, body: &Body<'_>) -> Result<Write, No> {
        let endpoint = body.text("ep")?;
        let set = Set {
            id: text(body.text("rid")?, 128)?,
            scope: text(body.text("scope")?, 32)?,
            endpoint: text(Some(endpoint.unwrap_or(GLOBAL)), 64)?,
            key: Zeroizing::new(*body.bytes::<32>("key")?.ok_or(No::Group(code::BAD_REQUEST))?),
            anchor: body.bytes::<20>("an")?.copied(),
        };
        if self.state.locked {
            return Err(No::Group(code::LOCKED));
        }
        self.staged = Some(set);
        Ok(nothing())
    }

    fn commit(&mut self, body: &Body<'_>) -> Result<Write, No> {
        let id = *body.bytes::<8>("id")?.ok_or(No::Group(code::BAD_REQUEST))?;
        let digest = *body.bytes::<8>("dg")?.ok_or(No::Group(code::BAD_REQUEST))?;
        let overwrite = body.flag("ow")?.unwrap_or(false);
        if id != digest::device(&self.shown()) {
            return Err(No::Group(code::WRONG_DEVICE));
        }
        if self.held().is_some_and(|held| digest::set(held) == digest) {
            return Ok(generation(self.state.generation.max(1)));
        }
        if self.state.locked {
            return Err(No::Group(code::LOCKED));
        }
        let Some(staged) = self.staged.take_if(|staged| digest::set(staged) == digest) else {
            return Err(No::Group(code::NOT_STAGED));
        };
        if self.held().is_some() && !overwrite {
            self.staged = Some(staged);
            return Err(No::Group(code::KEYED));
        }
        self.committed = true;
        let next = self.state.generation + 1;
        match self.faults.lie {
            Some(Lie::OkStoresNothing) => return Ok(generation(next)),
            Some(Lie::RamOnly | Lie::ReplayProof | Lie::EchoNonce) => {
                self.pretended = Some(staged);
                return Ok(generation(next));
            }
            Some(Lie::AnswersEarly) => {
                self.pretended = Some(Set { key: Zeroizing::new([0; 32]), ..staged });
                return Ok(generation(next));
            }
            _ => {}
        }
        let key =
            if self.faults.lie == Some(Lie::ZeroKey) { Zeroizing::new([0; 32]) } else { staged.key.clone() };
        let new = State { set: Some(Set { key, ..staged }), generation: next, ..self.state.clone() };
        self.memory.save(&self.persona, &new).map_err(|_| No::Group(code::STORAGE))?;
        self.state = new;
        Ok(generation(next))
    }

    fn prove(&self, body: &Body<'_>) -> Result<Write, No> {
        let nonce = *body.bytes::<32>("n")?.ok_or(No::Group(code::BAD_REQUEST))?;
        let held = self.held().ok_or(No::Group(code::EMPTY))?;
        const PREFIX: &[u8] = b"keystation-verify/v1\0";
        let id = held.id.as_bytes();
        let proof = match self.faults.lie {
            Some(Lie::EchoNonce) => nonce,
            Some(Lie::UnprefixedProof) => digest::hmac(held, &[&nonce, id]),
            Some(Lie::ReplayProof) => digest::hmac(held, &[PREFIX, &[0; 32], id]),
            _ => digest::hmac(held, &[PREFIX, &nonce, id]),
        };
        Ok(Box::new(move |answer| {
            answer.map(1)?.str("p")?.bytes(&proof)?;
            Ok(())
        }))
    }

    fn sas(&self, body: &Body<'_>) -> Result<Write, No> {
        let expiry = body.uint("se")?.ok_or(No::Group(code::BAD_REQUEST))?;
        if self.state.locked {
            return Err(No::Group(code::LOCKED));
        }
        let held = self.held().ok_or(No::Group(code::EMPTY))?;
        let resource = format!("{}%2Fregistrations%2F{}", held.scope, held.id);
        let signature = digest::hmac(held, &[resource.as_bytes(), b"\n", expiry.to_string().as_bytes()]);
        let signature =
            Base64::encode_string(&signature).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let token =
            format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn=registration");
        Ok(Box::new(move |answer| {
            answer.map(1)?.str("tok")?.str(&token)?;
            Ok(())
        }))
    }

    fn set(&self) -> Result<Write, No> {
        let held = self.held().ok_or(No::Group(code::EMPTY))?;
        let (id, scope, endpoint) = (held.id.clone(), held.scope.clone(), held.endpoint.clone());
        let (generation, anchor) = (self.state.generation.max(1), held.anchor);
        let fingerprint =
            Sha256::new().chain_update(b"keystation/dkfp/v1\0").chain_update(held.key.as_slice()).finalize();
        Ok(Box::new(move |answer| {
            answer.map(5 + u64::from(anchor.is_some()))?.str("rid")?.str(&id)?;
            answer.str("scope")?.str(&scope)?;
            answer.str("ep")?.str(&endpoint)?;
            answer.str("fp")?.bytes(&fingerprint[..12])?;
            answer.str("gen")?.u32(generation)?;
            if let Some(anchor) = anchor {
                answer.str("an")?.bytes(&anchor)?;
            }
            Ok(())
        }))
    }

    fn lock(&mut self, body: &Body<'_>) -> Result<Write, No> {
        let id = *body.bytes::<8>("id")?.ok_or(No::Group(code::BAD_REQUEST))?;
        if id != digest::device(&self.shown()) {
            return Err(No::Group(code::WRONG_DEVICE));
        }
        if self.held().is_none() {
            return Err(No::Group(code::EMPTY));
        }
        let new = State { locked: true, ..self.state.clone() };
        self.memory.save(&self.persona, &new).map_err(|_| No::Group(code::STORAGE))?;
        self.state = new;
        Ok(nothing())
    }

    /// The set that it has, or says that it has.
    fn held(&self) -> Option<&Set> {
        self.pretended.as_ref().or(self.state.set.as_ref())
    }

    /// Who it says it is.
    fn shown(&self) -> Persona {
        let mut persona = self.persona.clone();
        if self.faults.lie == Some(Lie::OtherIdentityAfterWrite) && self.committed {
            persona = persona.numbered(1);
        }
        persona
    }
}

fn known(header: Header) -> Option<Command> {
    use protocol::{COMMIT, ECHO, INFO, LOCK, PROVE, RESET, SAS, SET, STAGE, WHO};
    let read = header.operation == Operation::Read;
    [INFO, STAGE, COMMIT, PROVE, SAS, SET, LOCK, WHO, ECHO, RESET].into_iter().find(|command| {
        (command.group, command.number) == (header.group, header.command)
            && (command.operation == Operation::Read) == read
    })
}

/// `mac` and `sn`, as far as the device has them.
fn identify(persona: &Persona, answer: &mut Encoder<'_>) -> Result<(), Overflow> {
    if let Some(mac) = persona.mac {
        answer.str("mac")?.bytes(&mac)?;
    }
    if let Some(serial) = &persona.serial {
        answer.str("sn")?.str(serial)?;
    }
    Ok(())
}

/// The answer to a prove that nobody has asked yet.
fn early(sequence: u8) -> Zeroizing<Vec<u8>> {
    let header = Header {
        operation: Operation::ReadResponse,
        group: protocol::GROUP,
        sequence,
        command: protocol::PROVE.number,
    };
    let packet = Packet::build(header, |answer| {
        answer.map(1)?.str("p")?.bytes(&[0; 32])?;
        Ok(())
    });
    frame::encode(packet.expect("46 bytes").bytes())
}

fn nothing() -> Write {
    Box::new(|answer| {
        answer.map(0)?;
        Ok(())
    })
}

fn generation(generation: u32) -> Write {
    Box::new(move |answer| {
        answer.map(1)?.str("gen")?.u32(generation)?;
        Ok(())
    })
}

fn text(text: Option<&str>, limit: usize) -> Result<String, No> {
    text.filter(|text| (1..=limit).contains(&text.len()) && text.is_ascii())
        .map(str::to_owned)
        .ok_or(No::Group(code::BAD_REQUEST))
}
