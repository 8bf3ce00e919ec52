//! `keystation audit new-epoch`, and what `audit verify` says of the log before.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use keystation::people::{Action, Request, Unopened};
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{
    EpochError, EpochOrder, OpenError, OrderState, Origin, Paths, Reader, Record, SystemClock, UNPROVEN,
    WorkOrder, begin_epoch,
};
use serde_json::json;

use super::after::after_new_log;
use super::args::{Cli, People};
use super::audit::does_not_open;
use super::output::{Output, printable};
use super::secrets;
use super::session::at_station;

/// The two who begin a new log in the place of one that does not open: what the first of them is. Both prove who they are by
/// what can still be read of the old log; where that is nothing, the new one says so.
fn proven_without_a_log(
    cli: &Cli,
    data: &DataDir,
    why: &OpenError,
    out: Output,
) -> Result<String, StationError> {
    let People { operator: Some(operator), approver: Some(approver), .. } = &cli.people else {
        return Err(EpochError::OnePerson.into());
    };
    if operator == approver {
        return Err(EpochError::OnePerson.into());
    }
    let Some(people) = Unopened::read(data)? else {
        out.note(format!(
            "The log does not open, and nothing in it says who has an account: {why}. The new log will say that nobody proved \
             who they are."
        ));
        return Ok(UNPROVEN.to_owned());
    };
    out.note(format!(
        "The log does not open: {why}. Both prove who they are by the accounts that are still in it: administrators whose accounts are enabled, with \
         PINs of their own. Ten wrong PINs count here, too."
    ));
    let People { pin_file, pin_fd, approver_pin_file, approver_pin_fd, .. } = &cli.people;
    let pin = secrets::pin(pin_file.as_deref(), *pin_fd, operator)?;
    let roles = people.administrator(operator, &pin)?;
    let pin = secrets::pin(approver_pin_file.as_deref(), *approver_pin_fd, approver)?;
    people.administrator(approver, &pin)?;
    if !people.is_vouched() {
        out.note("No checkpoint vouches for these accounts: the new log will say that nobody proved who they are, and takes nothing over.");
        return Ok(UNPROVEN.to_owned());
    }
    Ok(roles.to_string())
}

/// Begins the next epoch, or finishes one that was cut short.
pub(super) fn begin(cli: &Cli, data: &DataDir, reason: &str, out: Output) -> Result<Exit, StationError> {
    let name = |person: &Option<String>| person.clone().unwrap_or_default();
    let (operator, approver) = (name(&cli.people.operator), name(&cli.people.approver));
    let request = Request { action: Action::NewEpoch, subject: String::new(), reason: reason.to_owned() };
    let mut role = String::new();
    let permitted = at_station(cli, data, out, |bench| {
        bench.approved(&request)?.actor().role.clone_into(&mut role);
        Ok(Exit::Done)
    });
    if let Some(why) = does_not_open(permitted)? {
        role = proven_without_a_log(cli, data, &why, out)?;
    }
    let order = EpochOrder { operator, role, approver, reason: reason.to_owned() };
    let clock = SystemClock::new().map_err(StationError::Clock)?;
    let origin = begin_epoch(data.path(), &order, clock)?;
    tell(data, &origin, out)
}

/// Says that a new log was begun, what it took over and what ended.
pub(super) fn tell(data: &DataDir, origin: &Origin, out: Output) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    let (accounts, keys) = (reader.accounts()?.len(), reader.known_keys()?.len());
    let said = Said::read(&reader)?;
    let ended = said.as_ref().and_then(|said| orders_that_ended(&said.aside(data)));
    let next = match accounts {
        0 => " Nobody has an account in it yet: keystation person begin.",
        _ => "",
    };
    out.say(
        printable(&format!(
            "A new log was begun: {origin}. The old one is in {}. Give {} to the witnesses.{}{}{next}",
            data.path().join("epochs").display(),
            paths(data).vkey.display(),
            said.as_ref().map(Said::reach).unwrap_or_default(),
            said_of_orders(ended.as_deref()),
        )),
        &json!({ "event": "new-epoch", "origin": origin.as_str(), "accounts": accounts, "keys": keys,
                 "carried": said.as_ref().and_then(Said::carried), "carried_from": said.as_ref().and_then(Said::carried_from),
                 "lost": said.as_ref().and_then(Said::lost),
                 "orders_ended": ended.map(|orders| orders.iter().map(|order| order.id.to_string()).collect::<Vec<_>>()) }),
    );
    after_new_log(data, out);
    Ok(Exit::Done)
}

/// The work orders of a log that was put aside which were not closed. `None`: it cannot be read.
fn orders_that_ended(aside: &Path) -> Option<Vec<WorkOrder>> {
    let orders = Reader::open(&Paths::in_dir(aside)).ok()?.work_orders().ok()?;
    Some(orders.into_iter().filter(|order| order.state != OrderState::Closed).collect())
}

/// What a new log does not take over, and what to do about it.
fn said_of_orders(ended: Option<&[WorkOrder]>) -> String {
    let again =
        "A work order is created again for the devices that are still missing, or made new by its customer.";
    match ended {
        None => format!(" No work order was taken over: those that were not closed ENDED there. {again}"),
        Some([]) => String::new(),
        Some(orders) => {
            let told = |order: &WorkOrder| {
                let WorkOrder { id, terms, begun, passed, .. } = order;
                format!("{id} ({begun} begun, {passed} passed, of {})", terms.quantity)
            };
            let told: Vec<_> = orders.iter().map(told).collect();
            format!(
                " No work order was taken over. These ENDED with the old log: {}. {again}",
                told.join(", ")
            )
        }
    }
}

/// What the first record of an epoch says of the log before.
struct Said {
    prev: String,
    size: u64,
    root: String,
    reason: String,
    unproven: bool,
    /// Records that carry something over, of how many of the old log, their root, and how many of these were lost. `None`:
    /// an older program, which took nothing over.
    carried: Option<(u64, u64, String, u64)>,
}

impl Said {
    /// What the first record of a log says.
    fn read(reader: &Reader) -> Result<Option<Self>, StationError> {
        let mut said = None;
        reader.records(0..=0, None, |genesis| {
            said = Self::of(genesis);
            ControlFlow::Break(())
        })?;
        Ok(said)
    }

    /// Where the old log is.
    fn aside(&self, data: &DataDir) -> PathBuf {
        data.path().join("epochs").join(self.prev.rsplit('/').next().unwrap_or_default())
    }

    fn carried(&self) -> Option<u64> {
        self.carried.as_ref().map(|(records, ..)| *records)
    }

    fn carried_from(&self) -> Option<u64> {
        self.carried.as_ref().map(|(_, size, ..)| *size)
    }

    fn lost(&self) -> Option<u64> {
        self.carried.as_ref().map(|(.., lost)| *lost)
    }

    fn of(genesis: &Record<'_>) -> Option<Self> {
        let text = |name| genesis.text(name).map_or_else(String::new, std::borrow::Cow::into_owned);
        let number = |name| genesis.integer(name).map(i64::cast_unsigned);
        let lost = number("carried_lost").unwrap_or_default();
        let carried = number("carried").zip(number("carried_size"));
        let said = Self {
            prev: text("prev"),
            size: number("prev_size").unwrap_or_default(),
            root: text("prev_root"),
            reason: text("reason"),
            unproven: genesis.text("role").is_some_and(|role| role == UNPROVEN),
            carried: carried.map(|(records, size)| (records, size, text("carried_root"), lost)),
        };
        (!said.prev.is_empty()).then_some(said)
    }

    /// What of the old log reaches over.
    fn reach(&self) -> String {
        match &self.carried {
            None => " It took NOTHING over: accounts, keys and who gave which component began anew.".to_owned(),
            Some((_, 0, ..)) => {
                " It took NOTHING over, for nothing of the old log that was signed for could be read: accounts, keys and who gave \
                 which component began anew."
                    .to_owned()
            }
            Some((records, size, _, lost)) if *size < self.size || *lost > 0 => format!(
                " It took over {records} things, NOT ALL that there were: of {} records {size} could be read, and {lost} of these \
                 were not there any more as they were signed for. What they said is NOT in the new log.",
                self.size
            ),
            Some((records, ..)) => format!(" It took over all {records} accounts, components and keys."),
        }
    }
}

/// Which log this one follows, as its first record says; failed where the old log is still there and was another.
pub(super) fn follows(data: &DataDir, reader: &Reader, out: Output) -> Result<Exit, StationError> {
    let Some(said) = Said::read(reader)? else { return Ok(Exit::Done) };
    let aside = said.aside(data);
    // A log that was put aside may be damaged: then it says nothing, and has to be verified by itself.
    let old = Reader::open(&Paths::in_dir(&aside));
    let root = |size| {
        let root = old.as_ref().ok()?.snapshot().ok()?.root(size).ok()??;
        Some(root.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let mut roots = vec![root(said.size).map(|found| found == said.root)];
    if let Some((_, size @ 1.., carried, _)) = &said.carried {
        roots.push(root(*size).map(|found| found == *carried));
    }
    let agrees = if roots.contains(&Some(false)) { Some(false) } else { roots.into_iter().min().flatten() };
    let sentence = format!(
        "It follows {}, whose last known checkpoint has {} records, root {}…: {}.{}{} {}",
        said.prev,
        said.size,
        said.root.get(..16).unwrap_or_default(),
        said.reason,
        match said.unproven {
            true => " NOBODY PROVED who began it: nothing that was signed for could be read of the old log.",
            false => "",
        },
        said.reach(),
        match agrees {
            Some(true) => "The log in epochs is that one.",
            Some(false) => "The log in epochs is ANOTHER one: call QA.",
            None => "That log cannot be compared here.",
        }
    );
    out.say(
        printable(&sentence),
        &json!({ "event": "follows", "origin": said.prev, "records": said.size, "root": said.root, "reason": said.reason,
                 "unproven": said.unproven, "agrees": agrees, "carried": said.carried(), "carried_from": said.carried_from(),
                 "lost": said.lost() }),
    );
    Ok(if agrees == Some(false) { Exit::Failed } else { Exit::Done })
}
