//! A file of any length, sealed under a passphrase as the vault is (`docs/vault-format.md`, section 1): what leaves the station and
//! has secrets in it.

use std::io::{self, BufReader, Read, Write};
use std::iter;

use age::stream::StreamWriter;
use age::{Decryptor, Encryptor, scrypt};

use crate::error::{CreateError, UnlockError, WriteError};
use crate::sealed_file::{WorkFactor, refused};
use crate::secret::Passphrase;

/// Seals what is written to it.
pub struct Sealing<W: Write>(StreamWriter<W>);

impl<W: Write> Sealing<W> {
    /// Begins. Takes one scrypt run. The passphrase is as long as that of a new vault.
    pub fn begin(out: W, passphrase: &Passphrase, work: WorkFactor) -> Result<Self, CreateError> {
        passphrase.check_length()?;
        let mut recipient = scrypt::Recipient::new(passphrase.expose().into());
        recipient.set_work_factor(work.log2());
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
            .expect("a passphrase alone is a valid set of recipients");
        Ok(Self(encryptor.wrap_output(out).map_err(WriteError::of)?))
    }

    /// Ends the seal: without this it is one that was cut off, and is refused.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads what was sealed. Takes one scrypt run. A piece of at most 64 KiB is authentic when it was read; that nothing is missing is known
/// when the end was read. What was changed or cut off is an [`io::Error`] there.
pub fn unseal<R: Read>(sealed: R, passphrase: &Passphrase) -> Result<impl Read + use<R>, UnlockError> {
    let decryptor = Decryptor::new_buffered(BufReader::new(sealed)).map_err(refused)?;
    if !decryptor.is_scrypt() {
        return Err(UnlockError::NotByPassphrase);
    }
    let mut identity = scrypt::Identity::new(passphrase.expose().into());
    identity.set_max_work_factor(WorkFactor::MOST);
    decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).map_err(refused)
}
