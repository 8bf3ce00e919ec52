//! The answers to `info` and `who`, checked field by field: they decide who the device is taken for.

use keystation_core::flow::{DeviceError, DeviceState, Glance, Sighting};
use keystation_core::identity::{Identity, Mac};

use crate::link::{garbled, need};
use crate::protocol;
use crate::smp::Body;
use crate::smp::body::BodyError;

/// Reads an `info` answer. The version comes first: what another one means by its fields is not known.
pub(super) fn sighting(body: &Body<'_>) -> Result<Sighting, DeviceError> {
    let highest = need("v", body.uint("v")).map_err(garbled)?;
    let lowest = body.uint("vl").map_err(garbled)?.unwrap_or(1);
    if !(lowest..=highest).contains(&protocol::VERSION) {
        return Err(DeviceError::Unsupported(format!(
            "version {} of the protocol; it speaks {lowest} to {highest}",
            protocol::VERSION
        )));
    }

    let Glance { identity, state, boot } = glance(body)?;
    let firmware = need("fw", body.text("fw")).map_err(garbled)?;
    if firmware.len() > 32 || !firmware.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(garbled(BodyError::Wrong("fw")));
    }
    need("cap", body.uint("cap")).map_err(garbled)?;
    let generation = number(body, "gen")?;
    if (generation == 0) != (state == DeviceState::Empty) {
        return Err(DeviceError::Garbled("`gen` and `st` do not agree whether there is a set".to_owned()));
    }
    Ok(Sighting { identity, state, generation, boot, firmware: firmware.to_owned() })
}

/// Reads a `who` answer, which is a part of an `info` answer.
pub(super) fn glance(body: &Body<'_>) -> Result<Glance, DeviceError> {
    let mac = body.bytes::<6>("mac").map_err(garbled)?.map(|bytes| Mac::new(*bytes));
    let serial = body.text("sn").map_err(garbled)?;
    if mac.is_none() && serial.is_none() {
        return Err(DeviceError::Garbled("neither `mac` nor `sn` is there".to_owned()));
    }
    let serial = serial.map(str::parse).transpose()?;
    let state = match need("st", body.uint("st")).map_err(garbled)? {
        0 => DeviceState::Empty,
        1 => DeviceState::Keyed,
        2 => DeviceState::Locked,
        _ => return Err(garbled(BodyError::Wrong("st"))),
    };
    Ok(Glance { identity: Identity { mac, serial }, state, boot: number(body, "boot")? })
}

fn number(body: &Body<'_>, key: &'static str) -> Result<u32, DeviceError> {
    let number = need(key, body.uint(key)).map_err(garbled)?;
    number.try_into().map_err(|_| garbled(BodyError::Wrong(key)))
}
