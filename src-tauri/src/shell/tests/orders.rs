//! Work orders in the window: from the files that people choose, through the real gate, to their end.

use std::fs;

use serde_json::{Value, json};

use super::custody::open_a_vault;
use super::parts;
use super::staff::{Staffed, State};

/// Check value of the published key, which [`open_a_vault`] brings.
const CHECK_VALUE: &str = "9B5BD-BEC8B";

/// A file beside the station's directory.
fn file(staffed: &Staffed, name: &str, text: &str) -> String {
    let path = staffed.station.data().path().with_file_name(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn text(id: &str, quantity: u64, devices: &str) -> String {
    format!(
        "format = \"keystation-order/v1\"\nid = \"{id}\"\ncustomer = \"Contoso Thermostats\"\nprofile = \"example.toml\"\n\
         quantity = {quantity}\nfrom = \"2026-01-01\"\nuntil = \"2099-12-31\"\n\n[key]\nlabel = \"gk-2026a\"\n\
         check_value = \"{CHECK_VALUE}\"\n\n[devices]\n{devices}"
    )
}

fn code(answer: Result<Value, Value>) -> String {
    answer.unwrap_err()["code"].as_str().unwrap().to_owned()
}

fn named(id: &str) -> Value {
    json!({ "id": id })
}

#[test]
fn an_order_is_taken_in_from_a_file_opened_raised_and_closed() {
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    staffed.bring("su-1", State::Open);
    let create = || staffed.call("create_order", json!({ "parts": null }));

    // Nobody chose a file; what is in it is wrong; the page names no path.
    assert_eq!(create().unwrap(), json!({ "id": null }));
    let wrong = file(&staffed, "wrong.toml", &text("WO-1", 1, "seriel = \"SN#\"\n"));
    staffed.lay_out("Choose the work order", &wrong);
    let refused = create().unwrap_err();
    assert_eq!(refused["code"], "order-text");
    assert!(refused["sentence"].as_str().unwrap().contains("unknown field `seriel`"), "{refused}");
    staffed.lay_out("Choose the work order", "/nowhere/order.toml");
    assert!(create().is_err());
    assert_eq!(staffed.call("orders", json!({})).unwrap(), json!([]));

    let devices = "serial = \"SN-###\"\nrange = { first = \"SN-100\", last = \"SN-199\" }\n";
    staffed.lay_out("Choose the work order", &file(&staffed, "order.toml", &text("WO-1", 2, devices)));
    assert_eq!(create().unwrap(), json!({ "id": "WO-1" }));
    let page = staffed.call("order", named("WO-1")).unwrap();
    let order = &page["order"];
    assert_eq!(
        (&order["state"], &order["quantity"], &order["by"]),
        (&json!("waiting"), &json!(2), &json!("su-1"))
    );
    assert_eq!((&page["customer"], &page["ouis"]), (&json!("Contoso Thermostats"), &json!([])));
    assert_eq!((&page["form"], &page["range"]), (&json!("SN-###"), &json!(["SN-100", "SN-199"])));
    assert_eq!(
        (&page["short"], &page["missingCount"], &page["problem"]),
        (&json!(2), &json!(0), &Value::Null)
    );

    assert_eq!(staffed.call("overview", json!({})).unwrap()["order"], Value::Null);
    staffed.bring("op-1", State::Open);
    staffed.call("open_order", named("WO-1")).unwrap();
    assert_eq!(code(staffed.call("open_order", named("WO-1"))), "order-state");
    assert_eq!(code(staffed.call("open_order", named("WO-9"))), "order-unknown");
    assert_eq!(code(staffed.call("open_order", named("no order"))), "order-id");
    let open = staffed.call("overview", json!({})).unwrap()["order"].clone();
    assert_eq!((&open["id"], &open["state"], &open["passed"]), (&json!("WO-1"), &json!("open"), &json!(0)));

    // More of them by two people, for this number and this reason.
    staffed.bring("su-1", State::Open);
    let raise = |quantity: u64, approval: &Value| {
        let asked = json!({ "id": "WO-1", "quantity": quantity, "reason": "one more", "approval": approval });
        staffed.call("raise_quota", asked)
    };
    assert_eq!(code(raise(3, &json!(0))), "approval-missing");
    let approval = staffed.approved("ad-1", "raise-quota", "WO-1 3", "one more");
    assert_eq!(code(raise(4, &approval)), "approval-other-request");
    let approval = staffed.approved("ad-1", "raise-quota", "WO-1 3", "one more");
    raise(3, &approval).unwrap();
    let approval = staffed.approved("ad-1", "raise-quota", "WO-1 3", "one more");
    assert_eq!(code(raise(3, &approval)), "order-quantity");

    let scrap = |device: Value, reason: &str| {
        staffed.call("scrap_device", json!({ "id": "WO-1", "device": device, "reason": reason }))
    };
    assert_eq!(code(scrap(json!("SN-100"), "")), "reason");
    assert_eq!(code(scrap(json!("SN-900"), "it fell")), "order-device");
    assert_eq!(scrap(json!(" SN-100 "), "it fell").unwrap(), 1);
    assert_eq!(code(scrap(json!("SN-100"), "it fell")), "order-scrap");

    let close = |reason: &str| staffed.call("close_order", json!({ "id": "WO-1", "reason": reason }));
    assert_eq!(code(close("")), "order-short");
    close("the customer takes fewer").unwrap();
    let [listed] = &staffed.call("orders", json!({})).unwrap().as_array().unwrap().clone()[..] else {
        panic!()
    };
    let told = ["state", "quantity", "passed", "failed", "open", "scrapped"].map(|name| listed[name].clone());
    assert_eq!(told, [json!("closed"), json!(3), json!(0), json!(0), json!(0), json!(1)]);
    assert!(staffed.nothing_is_left());
    assert_eq!(staffed.call("overview", json!({})).unwrap()["order"], Value::Null);
}

#[test]
fn a_list_says_row_and_column_and_the_close_says_which_devices_nobody_saw() {
    let staffed = Staffed::new();
    staffed.bring("su-1", State::Open);
    let create = |change: &dyn Fn(&mut Value)| {
        let mut parts = parts();
        change(&mut parts);
        staffed.call("create_order", json!({ "parts": parts }))
    };
    let bad = "serial,mac\nSN-1,a4:cf:12:00:00:01\n=cmd|' /C calc'!A0,\n";
    staffed.lay_out("Choose the list of devices", &file(&staffed, "bad.csv", bad));
    let refused = create(&|_| ()).unwrap_err();
    assert_eq!(refused["code"], "order-list");
    assert!(refused["sentence"].as_str().unwrap().contains("row 3, column A (serial)"), "{refused}");

    let list = file(&staffed, "list.csv", "serial;mac\r\nSN-1;A4-CF-12-00-00-01\r\nSN-2;\r\n");
    for (change, wrong) in [
        (&(|parts: &mut Value| parts["id"] = json!("no order")) as &dyn Fn(&mut Value), "order-id"),
        (&|parts| parts["key"] = json!("No Label"), "key-name"),
        (&|parts| parts["checkValue"] = json!("none"), "check-value"),
        (&|parts| parts["quantity"] = json!(3), "order-text"),
        (&|parts| parts["until"] = json!("31.12.2099"), "order-text"),
        (&|parts| parts["profile"] = json!("../x"), "order-text"),
    ] {
        staffed.lay_out("Choose the list of devices", &list);
        assert_eq!(code(create(change)), wrong);
    }
    staffed.lay_out("Choose the list of devices", &list);
    assert_eq!(create(&|_| ()).unwrap(), json!({ "id": "WO-1" }));
    staffed.lay_out("Choose the list of devices", &list);
    assert_eq!(code(create(&|_| ())), "order-known");
    let page = staffed.call("order", named("WO-1")).unwrap();
    assert_eq!((&page["listed"], &page["order"]["quantity"]), (&json!(2), &json!(2)));
    assert_eq!((&page["neverSeen"], &page["neverSeenCount"]), (&json!(["SN-1", "SN-2"]), &json!(2)));

    let close = || staffed.call("close_order", json!({ "id": "WO-1", "reason": "cancelled" }));
    let refused = close().unwrap_err();
    assert_eq!(refused["code"], "order-unaccounted");
    assert!(refused["sentence"].as_str().unwrap().contains("SN-1, SN-2"), "{refused}");
    let lost = json!({ "id": "WO-1", "device": null, "reason": "never delivered" });
    assert_eq!(staffed.call("scrap_device", lost).unwrap(), 2);
    close().unwrap();
}

#[test]
fn an_order_whose_text_was_altered_is_said_where_everybody_sees_it() {
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    staffed.bring("su-1", State::Open);
    staffed.lay_out(
        "Choose the work order",
        &file(&staffed, "order.toml", &text("WO-1", 2, "oui = [\"a4:cf:12\"]\n")),
    );
    staffed.call("create_order", json!({ "parts": null })).unwrap();
    assert_eq!(staffed.call("order", named("WO-1")).unwrap()["ouis"], json!(["a4:cf:12"]));
    staffed.call("open_order", named("WO-1")).unwrap();
    staffed.lay_out("Choose the work order", &file(&staffed, "other.toml", &text("WO-2", 2, "")));
    staffed.call("create_order", json!({ "parts": null })).unwrap();
    let kept = staffed.station.data().path().join("orders/WO-1.toml");
    let whole = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, whole.replace("quantity = 2", "quantity = 9")).unwrap();
    let page = staffed.call("order", named("WO-1")).unwrap();
    assert_eq!((&page["problem"]["code"], &page["order"]["quantity"]), (&json!("order-altered"), &json!(2)));
    let seen = staffed.call("overview", json!({})).unwrap();
    assert!(
        seen["notices"].as_array().unwrap().iter().any(|notice| notice["code"] == "order-altered"),
        "{seen}"
    );
    assert_eq!(seen["order"]["id"], "WO-1");
    fs::write(&kept, whole).unwrap();
    assert_eq!(staffed.call("overview", json!({})).unwrap()["notices"], json!([]));
}

/// Whoever chooses a file and leaves meanwhile has it taken in by nobody.
#[test]
fn an_order_of_somebody_who_left_while_choosing_is_not_taken_in() {
    let staffed = Staffed::new();
    staffed.bring("su-1", State::Open);
    staffed.lay_out_and_leave("Choose the work order", &file(&staffed, "order.toml", &text("WO-1", 2, "")));
    assert!(staffed.call("create_order", json!({ "parts": null })).is_err());
    staffed.bring("su-1", State::Open);
    assert_eq!(staffed.call("orders", json!({})).unwrap(), json!([]));
}
