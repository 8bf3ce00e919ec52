//! What a transaction adds to the log: records, their place in the tree, and the rows that are derived from them.

use std::convert::Infallible;

use keystation_core::flow::Receipt;
use keystation_core::record::{Actor, Entry, Event, Holds, KeyEvent, Outcome, Seq, UserChange, UserEvent};
use rusqlite::{Connection, TransactionBehavior};

use crate::account::Account;
use crate::append_error::AppendError;
use crate::batch_rules;
use crate::carry;
use crate::clock::Stamp;
use crate::device_anchor;
use crate::device_rules::{judge_cleanup, judge_device};
use crate::finding::Finding;
use crate::group_key::KeyRow;
use crate::head::Head;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::order_rules::{IntentRefusal, judge_intent, judge_order};
use crate::origin::Origin;
use crate::projection::{self, Place, Step};
use crate::record::{self, Record};
use crate::retired;
use crate::space::{Free, Space, SpaceRefusal};
use crate::state::{self, State};
use crate::tree::{Frontier, Hash, Subtree, leaf_hash};
use crate::watch::Watch;

/// What a transaction adds to the log. Counts only when it is committed.
pub(crate) struct Draft<'t> {
    pub(crate) conn: &'t Connection,
    pub(crate) origin: &'t Origin,
    pub(crate) key: &'t VerifierKey,
    pub(crate) frontier: Frontier,
    pub(crate) watch: Watch,
    /// The records, in their order.
    pub(crate) bodies: Vec<Vec<u8>>,
    /// What the last of them adds to the tree; it is not in the tables yet.
    pub(crate) last: Option<Leaf>,
}

impl Draft<'_> {
    /// Adds the record of `entry`, and before it those that disk and clock call for.
    pub(crate) fn add(
        &mut self,
        entry: &Entry,
        now: Stamp,
        space: &Space,
        free: &Result<Free, SpaceRefusal>,
    ) -> Result<Result<Receipt, AppendError>, rusqlite::Error> {
        let due = match self.watch.due(&entry.event, &now, space, free) {
            Ok(due) => due,
            Err(e) => return Ok(Err(e.into())),
        };
        for event in due {
            let actor = Actor {
                session: entry.actor.session.clone(),
                role: "station".to_owned(),
                ..Actor::default()
            };
            if let Err(refused) = self.record(&Entry { actor, event }, now)? {
                return Ok(Err(refused));
            }
        }
        match self.watch.admits(entry, space, free) {
            Ok(()) => self.record(entry, now),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn record(&mut self, entry: &Entry, now: Stamp) -> Result<Result<Receipt, AppendError>, rusqlite::Error> {
        let body = match record::encode(entry, self.frontier.size(), self.origin, now) {
            Ok(body) => body,
            Err(e) => return Ok(Err(e.into())),
        };
        // What the entry follows from has to be in the tables.
        insert_last(self.conn, &self.bodies, &mut self.last)?;
        if let Err(refused) = admit(self.conn, self.frontier.size(), self.key, entry, &body)? {
            return Ok(Err(refused));
        }
        self.watch.follow(&entry.event, now);
        let leaf = Leaf::add(&mut self.frontier, &body);
        let receipt = Receipt { seq: leaf.seq, anchor: device_anchor::of(&self.frontier, self.key) };
        self.last = Some(leaf);
        self.bodies.push(body);
        Ok(Ok(receipt))
    }
}

/// What a record adds to the tree.
pub(crate) struct Leaf {
    seq: Seq,
    hash: Hash,
    nodes: Vec<(Subtree, Hash)>,
}

impl Leaf {
    fn add(frontier: &mut Frontier, body: &[u8]) -> Self {
        let mut leaf = Self { seq: frontier.size(), hash: leaf_hash(body), nodes: Vec::new() };
        let Ok(()) = frontier.push(leaf.hash, |at, hash| {
            leaf.nodes.push((at, hash));
            Ok::<_, Infallible>(hash)
        });
        leaf
    }
}

/// Whether `body`, which `entry` became, can be the next record of a log of `seq` records.
fn admit(
    conn: &Connection,
    seq: Seq,
    key: &VerifierKey,
    entry: &Entry,
    body: &[u8],
) -> Result<Result<(), AppendError>, rusqlite::Error> {
    // Read with the reader's eyes: what a verifier would refuse does not get in.
    let record = match Record::parse(body).and_then(|record| Step::of(&record).map(|_| record)) {
        Ok(record) => record,
        Err(e) => return Ok(Err(e.into())),
    };
    if let Err(finding) = state::check_place(&record, seq, key) {
        return Ok(Err(AppendError::Misplaced(finding)));
    }
    if let Event::Carried(_) = entry.event
        && let Err(finding) = carry::may_follow(conn, &record)?
    {
        return Ok(Err(AppendError::Misplaced(finding)));
    }
    check_sequel(conn, &entry.event, &record)
}

/// Adds the record that was admitted last, unless that was done.
pub(crate) fn insert_last(
    conn: &Connection,
    bodies: &[Vec<u8>],
    last: &mut Option<Leaf>,
) -> Result<(), rusqlite::Error> {
    match (last.take(), bodies.last()) {
        (Some(leaf), Some(body)) => insert(conn, body, &leaf),
        _ => Ok(()),
    }
}

/// Adds one record with its leaf, its nodes and its place in the derived tables.
fn insert(conn: &Connection, body: &[u8], leaf: &Leaf) -> Result<(), rusqlite::Error> {
    conn.prepare_cached("INSERT INTO log (seq, body, leaf) VALUES (?1, ?2, ?3)")?.execute((
        leaf.seq.cast_signed(),
        body,
        leaf.hash,
    ))?;
    for (at, hash) in &leaf.nodes {
        conn.prepare_cached("INSERT INTO node (level, idx, hash) VALUES (?1, ?2, ?3)")?.execute((
            at.level,
            at.index.cast_signed(),
            hash,
        ))?;
    }
    let record = Record::parse(body).expect("it was read when it was admitted");
    let step = Step::of(&record).expect("it was read when it was admitted");
    projection::apply(conn, &record, step.as_ref())
}

/// Puts records that only the tail has back into the database of `state`, whose roots have shown that they belong there.
pub(crate) fn put_back(
    conn: &mut Connection,
    key: &VerifierKey,
    head: &Head,
    state: &mut State,
) -> Result<(), OpenError> {
    let missing = std::mem::take(&mut state.missing);
    let Some(newest) = head.tail.last().filter(|_| !missing.is_empty()) else { return Ok(()) };
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = state.frontier.size();
    for body in missing {
        let seq = state.frontier.size();
        let record = Record::parse(&body).and_then(|record| Step::of(&record).map(|_| record));
        state::check_place(&record.map_err(|why| Finding::NotARecord { seq, why })?, seq, key)?;
        insert(&transaction, &body, &Leaf::add(&mut state.frontier, &body))?;
    }
    keep(&transaction, before, state.frontier.size(), &newest.note)?;
    transaction.commit()?;
    state.note.clone_from(&newest.note);
    Ok(())
}

/// Whether an event follows from what is in the log. Asked within the transaction, so two slots cannot both be told yes.
fn check_sequel(
    conn: &Connection,
    event: &Event,
    record: &Record<'_>,
) -> Result<Result<(), AppendError>, rusqlite::Error> {
    match event {
        Event::Intent(intent) => {
            let place = Place::of(conn, intent.id.as_str())?;
            if place.open.or(place.keyed).or(place.replaces) != intent.prior
                || place.attempts + 1 != intent.attempt
            {
                return Ok(Err(AppendError::Overtaken { id: intent.id.to_string() }));
            }
            let day = &record.time()[..10];
            if let Err(refused) = judge_intent(conn, intent, day)? {
                return Ok(Err(AppendError::NotBegun(refused)));
            }
            let judged = batch_rules::judge_intent(conn, record)?;
            return Ok(judged.map_err(|refused| AppendError::NotBegun(refused.into())));
        }
        Event::Result(outcome) | Event::Resolve(outcome)
            if !projection::is_intent(conn, outcome.id.as_str(), outcome.intent)? =>
        {
            return Ok(Err(AppendError::NoSuchIntent { intent: outcome.intent, id: outcome.id.to_string() }));
        }
        // Nobody proves twice what one intent wrote: the second outcome would be of another writing, which had no record.
        Event::Result(outcome) | Event::Resolve(outcome)
            if outcome.holds == Holds::New
                && !projection::is_open(conn, outcome.id.as_str(), outcome.intent)? =>
        {
            return Ok(Err(AppendError::Settled { intent: outcome.intent, id: outcome.id.to_string() }));
        }
        // What a device proves that was taken out since is no PASS.
        Event::Resolve(Outcome { intent, holds: Holds::New, .. }) => {
            return Ok(match retired::of_intent(conn, *intent)? {
                Some(out) => Err(AppendError::NotBegun(IntentRefusal::Retired(out))),
                None => Ok(()),
            });
        }
        Event::Device(device) => return Ok(judge_device(conn, device)?.map_err(AppendError::Device)),
        Event::Cleanup(cleanup) => return Ok(judge_cleanup(conn, cleanup)?.map_err(AppendError::Device)),
        Event::Repair(_) => return Ok(batch_rules::judge_batch(conn, record)?.map_err(AppendError::Batch)),
        Event::User(UserEvent { user, change, .. }) => {
            let known = Account::of(conn, user)?.is_some();
            match change {
                UserChange::Added { .. } if known => {
                    return Ok(Err(AppendError::AccountExists { user: user.clone() }));
                }
                UserChange::Added { .. } => {}
                _ if !known => return Ok(Err(AppendError::NoSuchAccount { user: user.clone() })),
                _ => {}
            }
        }
        Event::Order(order) => return Ok(judge_order(conn, order)?.map_err(AppendError::Order)),
        Event::GroupKey(KeyEvent::Changed { label, check_value, .. })
            if !KeyRow::find(conn, label)?.is_some_and(|key| key.is_there(*check_value)) =>
        {
            return Ok(Err(AppendError::NoSuchKey { label: label.clone() }));
        }
        _ => {}
    }
    Ok(Ok(()))
}

/// Keeps the newest checkpoint. The one before it goes, unless somebody else vouched for it.
pub(crate) fn keep(conn: &Connection, before: u64, size: u64, note: &str) -> Result<(), rusqlite::Error> {
    let replaced = conn
        .prepare_cached(
            "UPDATE checkpoint SET size = ?2, note = ?3 WHERE size = ?1 AND cosig IS NULL AND anchors IS NULL",
        )?
        .execute((before.cast_signed(), size.cast_signed(), note))?;
    if replaced == 0 {
        conn.prepare_cached("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)")?
            .execute((size.cast_signed(), note))?;
    }
    Ok(())
}
