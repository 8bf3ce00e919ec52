//! The list of a batch (docs/repair.md, section 4): which devices are meant, each by registration ID, MAC address or serial number.

use std::collections::HashMap;
use std::path::Path;

use keystation_core::identity::{Identity, Mac, SerialNumber};
use keystation_core::registration::{IdRule, RegistrationId};
use sha2::{Digest, Sha256};

use crate::orders::ListError;
use crate::orders::list::rows;

/// The columns that it may have.
const COLUMNS: [&str; 3] = ["id", "mac", "serial"];

/// Which devices a batch is for. What it is known by is its text, byte for byte.
#[derive(Debug, Clone)]
pub struct BatchList {
    text: Vec<u8>,
    entries: Vec<Entry>,
    ids: HashMap<RegistrationId, usize>,
    macs: HashMap<Mac, usize>,
    serials: HashMap<SerialNumber, usize>,
}

/// One device of it: at least one of the three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Registration ID.
    pub id: Option<RegistrationId>,
    /// MAC address and serial number.
    pub identity: Identity,
}

impl Entry {
    /// Whether a device is what the entry says, in everything that it says.
    fn is(&self, id: &RegistrationId, device: &Identity) -> bool {
        let Identity { mac, serial } = &self.identity;
        self.id.as_ref().is_none_or(|own| own == id)
            && mac.is_none_or(|mac| Some(mac) == device.mac)
            && serial.as_ref().is_none_or(|serial| Some(serial) == device.serial.as_ref())
    }
}

impl BatchList {
    /// Devices at most.
    pub const LIMIT: usize = 1_000_000;

    /// Reads a list; `file` is where it came from, for errors. Nothing of a list with an error is taken, and no device stands twice.
    pub fn read(bytes: &[u8], file: &Path) -> Result<Self, ListError> {
        let mut list = Self {
            text: bytes.to_vec(),
            entries: Vec::new(),
            ids: HashMap::new(),
            macs: HashMap::new(),
            serials: HashMap::new(),
        };
        let mut numbers: Vec<u64> = Vec::new();
        rows(bytes, file, &COLUMNS, |columns, row, cells| {
            let mut entry = Entry { id: None, identity: Identity { mac: None, serial: None } };
            let index = list.entries.len();
            if index == Self::LIMIT {
                return Err(ListError::of_row(file, row, format!("more than {} devices", Self::LIMIT)));
            }
            for &(at, cell) in cells {
                let fault = |message: String| ListError::at(file, row, at, columns[at], message);
                let before = match columns[at] {
                    "id" => {
                        let id = RegistrationId::new(cell, IdRule::Punctuation);
                        let id = id.map_err(|e| fault(e.to_string()))?;
                        entry.id = Some(id.clone());
                        list.ids.insert(id, index)
                    }
                    "mac" => {
                        let mac = cell.parse::<Mac>().map_err(|e| fault(e.to_string()))?;
                        entry.identity.mac = Some(mac);
                        list.macs.insert(mac, index)
                    }
                    _ => {
                        let serial = cell.parse::<SerialNumber>().map_err(|e| fault(e.to_string()))?;
                        entry.identity.serial = Some(serial.clone());
                        list.serials.insert(serial, index)
                    }
                };
                if let Some(before) = before {
                    return Err(fault(format!("it stands in row {} already", numbers[before])));
                }
            }
            list.entries.push(entry);
            numbers.push(row);
            Ok(())
        })?;
        if list.entries.is_empty() {
            return Err(ListError::of_row(file, 1, "the list names no device".to_owned()));
        }
        Ok(list)
    }

    /// The text of a list of these.
    pub(super) fn text_of<'a>(ids: impl IntoIterator<Item = &'a RegistrationId>) -> String {
        let mut text = String::from("id\n");
        for id in ids {
            text.push_str(id.as_str());
            text.push('\n');
        }
        text
    }

    /// The bytes that it was read from.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of them.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }

    /// Its devices, in the order of the rows.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Which of its entries a device is.
    #[must_use]
    pub fn find(&self, id: &RegistrationId, device: &Identity) -> Option<usize> {
        let by_mac = || device.mac.and_then(|mac| self.macs.get(&mac));
        let by_serial = || device.serial.as_ref().and_then(|serial| self.serials.get(serial));
        let found = *self.ids.get(id).or_else(by_mac).or_else(by_serial)?;
        self.entries[found].is(id, device).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<BatchList, String> {
        BatchList::read(text.as_bytes(), Path::new("list.csv")).map_err(|e| e.to_string())
    }

    fn id(text: &str) -> RegistrationId {
        RegistrationId::new(text, IdRule::Dashes).unwrap()
    }

    fn device(mac: &str, serial: &str) -> Identity {
        Identity { mac: mac.parse().ok(), serial: serial.parse().ok() }
    }

    #[test]
    fn a_device_is_known_by_whichever_its_row_has() {
        let list = list("id,mac,serial\nsn-1,,\n,a4:cf:12:00:00:02,\n,,SN-3\nsn-4,,SN-4\n").unwrap();
        assert_eq!(list.entries().len(), 4);
        assert_eq!(list.find(&id("sn-1"), &device("", "SN-1")), Some(0));
        assert_eq!(list.find(&id("x"), &device("A4CF12000002", "SN-2")), Some(1));
        assert_eq!(list.find(&id("x"), &device("", "SN-3")), Some(2));
        assert_eq!(list.find(&id("sn-4"), &device("", "SN-4")), Some(3));
        // Another board under the same label, and one that is nowhere.
        assert_eq!(list.find(&id("sn-4"), &device("", "SN-9")), None);
        assert_eq!(list.find(&id("sn-9"), &device("", "SN-9")), None);
    }

    #[test]
    fn an_error_names_row_and_column_and_a_device_stands_once() {
        let rows = [
            ("id\nsn-1\nsn-1\n", "list.csv, row 3, column A (id): it stands in row 2 already"),
            ("mac,serial\n,SN-1\n,\n,SN-1\n", "row 4, column B (serial): it stands in row 2 already"),
            ("mac\na4cf12000001\nA4:CF:12:00:00:01\n", "row 3, column A (mac): it stands in row 2 already"),
            ("id\nSN-1\n", "row 2, column A (id): registration ID"),
            ("mac\na4cf1200000x\n", "row 2, column A (mac): MAC address: character 12 is 'x'"),
            ("serial\n=1+1\n", "row 2, column A (serial): a spreadsheet would take it for a formula"),
            (
                "device\nsn-1\n",
                "row 1, column A: the first row names the columns: `id` and `mac` and `serial`",
            ),
            ("id\n", "row 1: the list names no device"),
            ("", "row 1: the list names no device"),
        ];
        for (text, expected) in rows {
            let error = list(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    /// The worked example of docs/repair.md, whose hash a record of docs/audit-format.md has.
    #[test]
    fn the_example_of_the_documents_holds() {
        let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
        let kept = |name: &str| std::fs::read_to_string(format!("{documents}/{name}")).unwrap();
        let (_, from) = kept("repair.md")
            .split_once("    id,mac,serial\n")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let rows: String =
            from.lines().take_while(|row| !row.is_empty()).map(|row| format!("{}\n", row.trim())).collect();
        let list = list(&format!("id,mac,serial\n{rows}")).unwrap();
        assert_eq!(list.entries().len(), 3);
        let digest: String = list.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(["repair.md", "audit-format.md"].iter().all(|name| kept(name).contains(&digest)), "{digest}");
    }

    #[test]
    fn the_list_of_a_campaign_reads_back() {
        let ids = [id("sn-1"), id("sn-2")];
        let text = BatchList::text_of(&ids);
        assert_eq!(text, "id\nsn-1\nsn-2\n");
        assert_eq!(list(&text).unwrap().find(&ids[1], &device("", "")), Some(1));
    }
}
