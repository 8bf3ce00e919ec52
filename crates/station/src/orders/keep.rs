//! Where the texts of work orders lie, as they came: `orders/<id>.toml`, or `.note` with a signature.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keystation_audit::WorkOrder;
use keystation_core::order::OrderId;

use super::error::OrderError;
use super::text::{self, OrderText};
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::Station;

/// The text that was read last. It is known by its hash, so it is never another one than the log says.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Option<Arc<OrderText>>>);

impl Shelf {
    /// A thread that panicked while it held it left nothing half-done there.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Arc<OrderText>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file(data: &DataDir, id: &OrderId, signed: bool) -> PathBuf {
    data.orders().join(format!("{id}.{}", if signed { "note" } else { "toml" }))
}

/// Writes the text of an order that is not in the log yet: whole or not at all, and on the disk when this returns.
pub(super) fn write(data: &DataDir, order: &OrderText, bytes: &str) -> Result<(), StationError> {
    let path = file(data, &order.id, !order.terms.signer.is_empty());
    let written = || {
        DirBuilder::new().recursive(true).mode(0o700).create(data.orders())?;
        let part = path.with_added_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(bytes.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(data.orders())?.sync_all()
    };
    written().map_err(|cause: io::Error| StationError::Disk { path: path.clone(), cause })
}

impl Station {
    /// The text of an order, if it is what the log says and, where it was signed, still that of a customer.
    pub(super) fn order_text(&self, order: &WorkOrder) -> Result<Arc<OrderText>, StationError> {
        let mut kept = self.shelf().lock();
        if let Some(text) = kept.as_ref().filter(|text| text.terms.digest == order.terms.digest) {
            return Ok(Arc::clone(text));
        }
        self.read_order_text(order, &mut kept)
    }

    /// The same from the file, whatever was read before.
    pub(super) fn order_text_anew(&self, order: &WorkOrder) -> Result<Arc<OrderText>, StationError> {
        let mut kept = self.shelf().lock();
        *kept = None;
        self.read_order_text(order, &mut kept)
    }

    fn read_order_text(
        &self,
        order: &WorkOrder,
        kept: &mut Option<Arc<OrderText>>,
    ) -> Result<Arc<OrderText>, StationError> {
        let signer = &order.terms.signer;
        let path = file(self.data(), &order.id, !signer.is_empty());
        let altered = |what| OrderError::Altered { order: order.id.clone(), file: path.clone(), what };
        let bytes = read(&path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => StationError::Order(altered("is gone")),
            io::ErrorKind::InvalidData => StationError::Order(altered("is no text")),
            _ => StationError::Unreadable { path: path.clone(), cause },
        })?;
        let text = OrderText::read(&bytes, &path, &self.config().orders.customers)?;
        if text.terms.digest != order.terms.digest || text.terms.signer != *signer || text.id != order.id {
            return Err(altered("was changed").into());
        }
        let text = Arc::new(text);
        *kept = Some(Arc::clone(&text));
        Ok(text)
    }
}

/// A file of at most the bytes that an order has, and one more.
pub(super) fn read(path: &std::path::Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(text::LIMIT as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Action, testing};

    /// Between the taking in of an order and its opening somebody can write to its file.
    #[test]
    fn an_order_that_is_opened_is_read_from_its_file_again() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let station = testing::open(&data);
        testing::sign_in(&station, "sup-1", "supervisor");
        let text = "format = \"keystation-order/v1\"\nid = \"WO-1\"\ncustomer = \"Contoso\"\nprofile = \"example.toml\"\n\
                    quantity = 5\nfrom = \"2026-01-01\"\nuntil = \"2099-12-31\"\n\n[key]\nlabel = \"gk-2026a\"\n\
                    check_value = \"9B5BD-BEC8B\"\n";
        let permit = station.permit(Action::CreateOrder).unwrap();
        let order = station.create_order(&permit, text, std::path::Path::new("order.toml")).unwrap();
        let file = file(&data, &order.id, false);
        fs::write(&file, text.replace("quantity = 5", "quantity = 6")).unwrap();
        let permit = station.permit(Action::OpenOrder).unwrap();
        let refused = station.begin_order(&permit, &order.id).unwrap_err();
        assert!(matches!(refused, StationError::Order(OrderError::Altered { .. })), "{refused}");
        assert!(
            station.order_text(&station.work_order(&order.id).unwrap()).is_err(),
            "nothing else has the old one"
        );
        fs::write(&file, text).unwrap();
        let refused = station.begin_order(&permit, &order.id).unwrap_err();
        assert!(
            !matches!(refused, StationError::Order(OrderError::Altered { .. })),
            "no key is there yet: {refused}"
        );
        station.close().unwrap();
    }
}
