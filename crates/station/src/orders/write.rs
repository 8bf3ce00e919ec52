//! The text of a work order, made of its parts at the station.

use std::path::PathBuf;

use keystation_core::identity::Identity;
use keystation_core::key::{CheckValue, KeyLabel};

use super::error::OrderError;
use super::{OrderId, list};
use crate::error::StationError;

/// The parts of an order; what they say is judged when the text is read.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Which.
    pub id: OrderId,
    /// For whom.
    pub customer: String,
    /// File name of the profile.
    pub profile: String,
    /// How many; `None`: as many as the list has.
    pub quantity: Option<u64>,
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// Label of the group key.
    pub key: KeyLabel,
    /// Its check value.
    pub check_value: CheckValue,
    /// A list of devices, a CSV file.
    pub list: Option<PathBuf>,
    /// The first and the last serial number.
    pub range: Option<(String, String)>,
    /// First bytes of MAC addresses.
    pub ouis: Vec<String>,
    /// The form of serial numbers.
    pub serial: Option<String>,
}

impl NewOrder {
    /// The text, docs/work-order.md, section 1.
    pub fn text(&self) -> Result<String, StationError> {
        let list = self.list.as_ref().map(|file| {
            let cause = |cause| StationError::Unreadable { path: file.clone(), cause };
            let bytes = std::fs::read(file).map_err(cause)?;
            list::read(&bytes, file).map_err(|error| StationError::from(OrderError::from(error)))
        });
        let list = list.transpose()?;
        let count = list.as_ref().map(|list| list.len() as u64);
        let quantity = self.quantity.or(count).unwrap_or_default();
        let mut text = String::from("format = \"keystation-order/v1\"\n");
        for (key, value) in [
            ("id", self.id.as_str()),
            ("customer", &self.customer),
            ("profile", &self.profile),
            ("from", &self.from),
            ("until", &self.until),
        ] {
            text += &format!("{key} = {}\n", quoted(value));
        }
        text += &format!("quantity = {quantity}\n\n[key]\nlabel = {}\n", quoted(self.key.as_str()));
        text += &format!("check_value = {}\n\n[devices]\n", quoted(&self.check_value.to_string()));
        if !self.ouis.is_empty() {
            let ouis: Vec<_> = self.ouis.iter().map(|oui| quoted(oui)).collect();
            text += &format!("oui = [{}]\n", ouis.join(", "));
        }
        if let Some(form) = &self.serial {
            text += &format!("serial = {}\n", quoted(form));
        }
        if let Some((first, last)) = &self.range {
            text += &format!("range = {{ first = {}, last = {} }}\n", quoted(first), quoted(last));
        }
        if let Some(list) = list {
            text += "list = [\n";
            list.iter().for_each(|device| text += &format!("    {{ {} }},\n", entry(device)));
            text += "]\n";
        }
        Ok(text)
    }
}

fn entry(device: &Identity) -> String {
    let serial = device.serial.as_ref().map(|serial| format!("serial = {}", quoted(serial.as_str())));
    let mac = device.mac.map(|mac| format!("mac = {}", quoted(&mac.to_string())));
    serial.into_iter().chain(mac).collect::<Vec<_>>().join(", ")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
