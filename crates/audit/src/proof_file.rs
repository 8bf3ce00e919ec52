//! The proof file of one device (`docs/audit-format.md`, section 7): a C2SP tlog-proof for each of its records.

use base64ct::{Base64, Encoding};
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;

use crate::finding::Finding;
use crate::proof::verify_inclusion;
use crate::reader::ReadError;
use crate::record::Record;
use crate::selection::Selection;
use crate::snapshot::Snapshot;
use crate::tree::leaf_hash;

/// Bytes at most: a verifier refuses more. Some ten thousand records.
const LIMIT: usize = 16 * 1024 * 1024;

impl Snapshot<'_> {
    /// The proof file of a device: that record 0 and each record of the device are in the log. Each proof is checked before
    /// it is given out. `None`: the log has no record of the device.
    pub fn proof_file(&self, id: &RegistrationId) -> Result<Option<String>, ReadError> {
        let note = self.cosigned_note()?;
        let mut file = String::new();
        self.add_proof(&mut file, &note, 0, &self.body(0)?)?;
        let genesis = file.len();
        self.select(&Selection::Device(id.clone()), |seq, body| {
            // A derived table that is wrong must not pass off the record of another device.
            let record = Record::parse(body).map_err(|why| ReadError::NotARecord { seq, why })?;
            if record.text("rid").is_none_or(|rid| rid != id.as_str()) {
                return Err(Finding::Derived { table: "sighting" }.into());
            }
            self.add_proof(&mut file, &note, seq, body)?;
            if file.len() > LIMIT {
                return Err(ReadError::ProofTooLong(id.clone()));
            }
            Ok(())
        })?;
        Ok((file.len() > genesis).then_some(file))
    }

    /// Adds the proof of one record under the checkpoint `note`.
    fn add_proof(&self, file: &mut String, note: &str, seq: Seq, body: &[u8]) -> Result<(), ReadError> {
        let now = self.checkpoint();
        let hashes = self.inclusion_proof(seq)?.ok_or(Finding::Missing { first: seq, last: seq })?;
        verify_inclusion(&leaf_hash(body), seq, now.size, &now.root, &hashes)
            .map_err(|_| Finding::Changed { seq })?;
        let extra = Base64::encode_string(body);
        file.push_str(&format!("c2sp.org/tlog-proof@v1\nextra {extra}\nindex {seq}\n"));
        for hash in &hashes {
            file.push_str(&Base64::encode_string(hash));
            file.push('\n');
        }
        file.push('\n');
        file.push_str(note);
        Ok(())
    }
}
