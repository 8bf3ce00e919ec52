//! The rows of a list as a Merkle tree (docs/audit-format.md, section 13): with its root in the record that opens a batch, the log
//! alone tells whether a device was on the list.

use keystation_audit::{Hash, leaf_hash, node_hash};
use keystation_core::record::{ListPlace, RowNames, row_text};
use keystation_core::registration::RegistrationId;

use super::list::{BatchList, Entry};

/// The tree of a list: 64 bytes for each of its rows.
#[derive(Debug)]
pub(super) struct ListTree {
    /// The leaves, and the nodes of each level above them: one without another beside it goes up as it is.
    levels: Vec<Vec<Hash>>,
    names: Vec<RowNames>,
}

impl ListTree {
    pub(super) fn of(list: &BatchList) -> Self {
        let leaf = |entry: &Entry| {
            let id = entry.id.as_ref().map_or("", RegistrationId::as_str);
            let mac = entry.identity.mac.map_or_else(String::new, |mac| mac.spelled(""));
            let serial = entry.identity.serial.as_ref().map_or("", |serial| serial.as_str());
            leaf_hash(row_text(id, &mac, serial).as_bytes())
        };
        let mut levels = vec![list.entries().iter().map(leaf).collect::<Vec<_>>()];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = |pair: &[Hash]| match pair {
                [left, right] => node_hash(left, right),
                alone => alone[0],
            };
            let above = level.chunks(2).map(above).collect();
            levels.push(above);
        }
        let names = |entry: &Entry| RowNames {
            id: entry.id.is_some(),
            mac: entry.identity.mac.is_some(),
            serial: entry.identity.serial.is_some(),
        };
        Self { levels, names: list.entries().iter().map(names).collect() }
    }

    /// The root of the tree. A list has a row at least.
    pub(super) fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().expect("a list has a row")
    }

    /// Where a row stands. `row` is one of the list.
    pub(super) fn place(&self, row: usize) -> ListPlace {
        let mut at = row;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1));
            at /= 2;
        }
        ListPlace { row: row as u64, named: self.names[row], path }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keystation_audit::{Frontier, verify_inclusion};

    use super::*;

    /// By the code of the log's own tree, which its documents and two other programs were held against.
    #[test]
    fn every_row_of_a_list_of_any_length_leads_to_its_root() {
        for length in (1..=20).chain([63, 64, 65, 100]) {
            let rows: Vec<_> = (0..length).map(|row| format!("sn-{row}")).collect();
            let list = format!("id\n{}\n", rows.join("\n"));
            let list = BatchList::read(list.as_bytes(), Path::new("list.csv")).unwrap();
            let (tree, mut log) = (ListTree::of(&list), Frontier::default());
            let leaves: Vec<_> = rows.iter().map(|id| leaf_hash(format!("{id},,").as_bytes())).collect();
            leaves.iter().for_each(|leaf| log.add(*leaf));
            assert_eq!(tree.root(), log.root(), "{length}");
            for (row, leaf) in leaves.iter().enumerate() {
                let ListPlace { row: at, named, path } = tree.place(row);
                assert_eq!((at, named.text().as_str()), (row as u64, "id"));
                verify_inclusion(leaf, at, length, &tree.root(), &path).unwrap();
            }
        }
    }

    /// The list of docs/repair.md, whose root a record of docs/audit-format.md has.
    #[test]
    fn the_example_of_the_documents_holds() {
        let rows =
            "id,mac,serial\nsn-007-888-abc-mac-a1-b2-c3-d4-e5-f6,,\n,a4:cf:12:00:01:07,\n,,SN00000263\n";
        let list = BatchList::read(rows.as_bytes(), Path::new("list.csv")).unwrap();
        let tree = ListTree::of(&list);
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit-format.md");
        let root: String = tree.root().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            std::fs::read_to_string(kept).unwrap().contains(&format!("\"list_root\":\"{root}\"")),
            "{root}"
        );
        let named: Vec<_> = (0..3).map(|row| tree.place(row).named.text()).collect();
        assert_eq!(named, ["id", "mac", "serial"]);
    }
}
