//! `keystation order …`.

use std::path::Path;

use keystation::orders::{NewOrder, OrderId, ScrapDevice, read_order};
use keystation::people::Action;
use keystation::{DataDir, Exit, Station, StationError, paths};
use keystation_audit::{OrderState, Reader, Unaccounted, WorkOrder};
use serde_json::json;

use super::after::with_hooks;
use super::args::{Cli, CreateArgs, OrderVerb};
use super::output::Output;
use super::session::{Bench, at_station};

pub(super) fn run(cli: &Cli, data: &DataDir, verb: &OrderVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        OrderVerb::List => list(data, out),
        OrderVerb::Show { id } => {
            let reader = Reader::open(&paths(data))?;
            let order = reader.work_order(id)?.ok_or_else(|| StationError::unknown_order(id))?;
            shown(&order, out);
            if order.state != OrderState::Closed {
                missing(&reader.unaccounted(&order)?, out);
            }
            Ok(Exit::Done)
        }
        verb => at_station(cli, data, out, |bench| with_hooks(bench, |bench| act(bench, verb))),
    }
}

fn act(bench: &Bench<'_>, verb: &OrderVerb) -> Result<Exit, StationError> {
    let station = &bench.station;
    match verb {
        OrderVerb::Create(args) => create(bench, args),
        OrderVerb::Open { id } => {
            station.begin_order(&bench.permit(Action::OpenOrder)?, id)?;
            changed(bench, id)
        }
        OrderVerb::Close { id, reason } => {
            station.close_order(&bench.permit(Action::CloseOrder)?, id, reason)?;
            changed(bench, id)
        }
        OrderVerb::Scrap { id, device, never_seen: _, reason } => {
            let device = device.clone().map_or(ScrapDevice::NeverSeen, ScrapDevice::Word);
            let records = station.scrap(&bench.permit(Action::Scrap)?, id, &device, reason)?;
            bench.out.note(format!("Put down as scrap: {}.", records.len()));
            changed(bench, id)
        }
        OrderVerb::Quota { id, quantity, reason } => {
            // Whoever may not ask learns nothing of which orders there are; and nobody approves what cannot be.
            bench.may_ask(Action::RaiseQuota)?;
            station.work_order(id)?;
            let approval = bench.approval(&Station::quota_request(id, *quantity, reason)?)?;
            station.raise_quota(id, *quantity, reason, approval)?;
            changed(bench, id)
        }
        OrderVerb::List | OrderVerb::Show { .. } => unreachable!("they need no session"),
    }
}

fn create(bench: &Bench<'_>, args: &CreateArgs) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::CreateOrder)?;
    let (text, file) = match &args.file {
        Some(file) => (read_order(file)?, file.as_path()),
        None => (new_order(args).text()?, Path::new("the work order")),
    };
    let order = bench.station.create_order(&permit, &text, file)?;
    changed(bench, &order.id)
}

fn new_order(args: &CreateArgs) -> NewOrder {
    let missing = "clap asks for it";
    NewOrder {
        id: args.id.clone().expect(missing),
        customer: args.customer.clone().expect(missing),
        profile: args.profile.clone().expect(missing),
        quantity: args.quantity,
        from: args.from.clone().expect(missing),
        until: args.until.clone().expect(missing),
        key: args.key.clone().expect(missing),
        check_value: args.check_value.expect(missing),
        list: args.devices.clone(),
        range: args.first.clone().zip(args.last.clone()),
        ouis: args.oui.clone(),
        serial: args.serial.clone(),
    }
}

fn list(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let orders = Reader::open(&paths(data))?.work_orders()?;
    if orders.is_empty() {
        out.note("There is no work order yet: keystation order create.");
    }
    orders.iter().for_each(|order| shown(order, out));
    Ok(Exit::Done)
}

/// Says what became of an order.
fn changed(bench: &Bench<'_>, id: &OrderId) -> Result<Exit, StationError> {
    shown(&bench.station.work_order(id)?, bench.out);
    Ok(Exit::Done)
}

/// What is left to do before it can be closed.
fn missing(missing: &Unaccounted, out: Output) {
    let Unaccounted { devices, count, short } = missing;
    let more = if *count > devices.len() as u64 { ", …" } else { "" };
    let named = if devices.is_empty() { String::new() } else { format!(": {}{more}", devices.join(", ")) };
    out.say(
        format!("  not accounted for {count}{named}; short of the quantity {short}"),
        &json!({ "event": "order-missing", "count": count, "devices": devices, "short": short }),
    );
}

fn shown(order: &WorkOrder, out: Output) {
    let WorkOrder { id, terms, state, begun, passed, scrapped, by, .. } = order;
    let signed =
        if terms.signer.is_empty() { String::new() } else { format!(", signed by {}", terms.signer) };
    out.say(
        format!(
            "{id:<16} {:<7} begun {begun} of {}, passed {passed}, scrap {scrapped}; {} from {} until {}, key {} {}, by {by}{signed}",
            state.as_str(),
            terms.quantity,
            terms.profile,
            terms.from,
            terms.until,
            terms.key,
            terms.check_value,
        ),
        &json!({ "event": "order", "order": id.as_str(), "state": state.as_str(), "quantity": terms.quantity,
                 "begun": begun, "passed": passed, "scrapped": scrapped, "profile": terms.profile,
                 "from": terms.from, "until": terms.until, "key": terms.key.as_str(),
                 "check_value": terms.check_value.to_string(), "by": by, "signer": terms.signer,
                 "sha256": terms.digest.map(|byte| format!("{byte:02x}")).concat() }),
    );
}
