//! The station's side of the injection protocol.

mod digest;
mod info;

use keystation_core::credential::{CredentialSet, LogAnchor, Overwrite};
use keystation_core::flow::{Device, DeviceError, Glance, Sighting};
use keystation_core::identity::Identity;
use keystation_core::key::{Endpoint, IdScope};
use keystation_core::proof::{Nonce, Proof};
use keystation_core::registration::{IdRule, RegistrationId};
use zeroize::Zeroizing;

use crate::link::{Link, Port, Timing, Traffic, garbled, need};
use crate::protocol;
use crate::smp::Body;
use crate::smp::body::BodyError;
use crate::smp::packet::Encoder;

/// A device that speaks the injection protocol, version 1, on a port.
pub struct SmpDevice<P> {
    link: Link<P>,
}

/// What a device tells of the set that it holds: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSet {
    /// Registration ID.
    pub id: RegistrationId,
    /// ID scope.
    pub scope: IdScope,
    /// Host name of the DPS endpoint.
    pub endpoint: Endpoint,
    /// Fingerprint of the key, 24 hexadecimal digits, as [`keystation_core::key::Fingerprint`] shows it.
    pub fingerprint: String,
    /// Its generation.
    pub generation: u32,
    /// The log as it was when the set was written; `None` of a set that came without.
    pub anchor: Option<LogAnchor>,
}

impl<P: Port> SmpDevice<P> {
    /// The device at the far end of `port`, with the limits of the protocol.
    pub fn new(port: P) -> Self {
        Self::with_timing(port, Timing::default())
    }

    /// The device at the far end of `port`, with limits of a product's own.
    pub fn with_timing(port: P, timing: Timing) -> Self {
        Self { link: Link::new(port, timing) }
    }

    /// The port.
    pub fn port(&self) -> &P {
        self.link.port()
    }

    /// The port, for another use.
    pub fn into_port(self) -> P {
        self.link.into_port()
    }

    /// Bytes since the driver was made, both ways.
    pub const fn traffic(&self) -> Traffic {
        self.link.traffic
    }

    /// Has the device make a SAS token that expires at `expiry`, in seconds since 1970. The token is a credential until
    /// then, and not checked here: `keystation_core::sas` does that.
    pub fn sas(&mut self, expiry: u64) -> Result<Zeroizing<String>, DeviceError> {
        let answer = self.link.request(protocol::SAS, |body| {
            body.map(1)?.str("se")?.u64(expiry)?;
            Ok(())
        })?;
        let body = answer.body()?;
        let token = need("tok", body.text("tok")).map_err(garbled)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(DeviceError::Garbled("the token is not printable ASCII".to_owned()));
        }
        Ok(Zeroizing::new(token.to_owned()))
    }

    /// Asks which set the device holds.
    pub fn public_set(&mut self) -> Result<PublicSet, DeviceError> {
        let answer = self.link.request(protocol::SET, |body| {
            body.map(0)?;
            Ok(())
        })?;
        let body = answer.body()?;
        let id = need("rid", body.text("rid")).map_err(garbled)?;
        let scope = need("scope", body.text("scope")).map_err(garbled)?;
        let endpoint = need("ep", body.text("ep")).map_err(garbled)?;
        let fingerprint = need("fp", body.bytes::<12>("fp")).map_err(garbled)?;
        let wrong = |key| garbled(BodyError::Wrong(key));
        Ok(PublicSet {
            // The widest rule: which characters a product's IDs may have is its profile's business.
            id: RegistrationId::new(id, IdRule::Punctuation).map_err(|_| wrong("rid"))?,
            scope: scope.parse().map_err(|_| wrong("scope"))?,
            endpoint: endpoint.parse().map_err(|_| wrong("ep"))?,
            fingerprint: fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
            generation: generation(&body)?,
            anchor: body.bytes("an").map_err(garbled)?.map(LogAnchor::from_bytes),
        })
    }

    /// Ends production on the device `identity`, for good.
    pub fn lock(&mut self, identity: &Identity) -> Result<(), DeviceError> {
        let id = digest::device(identity);
        let answer = self.link.request(protocol::LOCK, |body| {
            body.map(1)?.str("id")?.bytes(&id)?;
            Ok(())
        })?;
        answer.body().map(drop)
    }
}

impl<P: Port> Device for SmpDevice<P> {
    fn identify(&mut self) -> Result<Sighting, DeviceError> {
        let answer = self.link.request(protocol::INFO, |body| {
            body.map(0)?;
            Ok(())
        })?;
        info::sighting(&answer.body()?)
    }

    fn glance(&mut self) -> Result<Glance, DeviceError> {
        let answer = self.link.request(protocol::WHO, |body| {
            body.map(0)?;
            Ok(())
        })?;
        info::glance(&answer.body()?)
    }

    fn stage(&mut self, set: &CredentialSet) -> Result<(), DeviceError> {
        let endpoint = (*set.endpoint() != Endpoint::default()).then_some(set.endpoint());
        let answer = self.link.request(protocol::STAGE, |body| {
            body.map(3 + u64::from(endpoint.is_some()) + u64::from(set.anchor().is_some()))?;
            body.str("rid")?.str(set.id().as_str())?;
            body.str("scope")?.str(set.scope().as_str())?;
            if let Some(endpoint) = endpoint {
                body.str("ep")?.str(endpoint.as_str())?;
            }
            body.str("key")?.bytes(set.key().expose())?;
            if let Some(anchor) = set.anchor() {
                body.str("an")?.bytes(&anchor.to_bytes())?;
            }
            Ok(())
        })?;
        answer.body().map(drop)
    }

    fn commit(
        &mut self,
        set: &CredentialSet,
        identity: &Identity,
        overwrite: Option<&Overwrite>,
    ) -> Result<(), DeviceError> {
        let (id, dg) = (digest::device(identity), digest::set(set));
        let answer = self.link.request(protocol::COMMIT, |body| {
            body.map(if overwrite.is_some() { 3 } else { 2 })?;
            body.str("id")?.bytes(&id)?.str("dg")?.bytes(&dg)?;
            if overwrite.is_some() {
                body.str("ow")?.bool(true)?;
            }
            Ok(())
        })?;
        generation(&answer.body()?).map(drop)
    }

    /// A device that sends the ready byte costs no further request. Any other is asked until it answers.
    fn restart(&mut self) -> Result<(), DeviceError> {
        let empty = |body: &mut Encoder<'_>| {
            body.map(0)?;
            Ok(())
        };
        self.link.request(protocol::RESET, empty)?.body()?;
        let Timing { repeat, start, .. } = self.link.timing;
        if self.link.until_ready(repeat.min(start))? {
            return Ok(());
        }
        self.link.request_within(start.saturating_sub(repeat), protocol::WHO, empty)?.body().map(drop)
    }

    fn prove(&mut self, nonce: &Nonce) -> Result<Proof, DeviceError> {
        let answer = self.link.request(protocol::PROVE, |body| {
            body.map(1)?.str("n")?.bytes(&nonce.0)?;
            Ok(())
        })?;
        let body = answer.body()?;
        need("p", body.bytes::<32>("p")).map(|proof| Proof(*proof)).map_err(garbled)
    }
}

/// The generation of a set that is there: 1 or more.
fn generation(body: &Body<'_>) -> Result<u32, DeviceError> {
    let generation = need("gen", body.uint("gen")).map_err(garbled)?;
    match u32::try_from(generation) {
        Ok(generation) if generation > 0 => Ok(generation),
        _ => Err(garbled(BodyError::Wrong("gen"))),
    }
}
