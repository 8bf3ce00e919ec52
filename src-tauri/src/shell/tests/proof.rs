//! The proof file of a device, at the station and beside it.

use std::fs;

use serde_json::json;

use super::audit::{UNKNOWN, closed, look};
use super::staff::{Staffed, State};

/// Whose file it is can only be said where somebody is signed in.
#[test]
fn a_proof_is_saved_at_the_station_and_not_from_a_window_that_looks() {
    let (directory, data) = closed();
    let exports = directory.path().join("exports");
    let saved = look(&data, "save_proof", json!({ "id": "sn-0001" }));
    assert_eq!(saved.unwrap_err()["code"], "read-only");
    let staffed = Staffed::over(directory, &data);
    let save = |id: &str| staffed.call("save_proof", json!({ "id": id }));
    for (user, code) in [("op-1", "role"), ("cu-1", "role")] {
        staffed.bring(user, State::Open);
        assert_eq!(save("sn-0001").unwrap_err()["code"], code, "{user}");
    }
    staffed.bring("qa-1", State::Open);
    let names = ["sn-0001.tlog-proof", "sn-0001-2.tlog-proof"];
    for name in names {
        let path = exports.join(name);
        assert_eq!(save("sn-0001").unwrap(), json!({ "path": path }));
        assert!(fs::read_to_string(path).unwrap().starts_with("c2sp.org/tlog-proof@v1\n"));
    }
    for (id, code) in UNKNOWN {
        assert_eq!(save(id).unwrap_err()["code"], code, "{id}");
    }
    assert_eq!(fs::read_dir(exports).unwrap().count(), names.len());
}
