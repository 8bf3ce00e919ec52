//! Hooks: programs of the factory that are called when a device passed or failed, was taken out or put back, when an order or a batch was
//! closed.
//!
//! A hook is told and asked nothing: what becomes of it is a record and harms nothing. Each has a thread of its own, and a queue that is
//! a piece of the log; if it is slower than the line the oldest calls are dropped, and that is a record too. Whoever must not miss one
//! takes the outbox.

mod call;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use keystation_audit::{ReadError, Reader, Record};
use keystation_core::record::{AfterEvent, Seq};

use super::follow::Follower;
use super::guarded::{self, Unfit};
use crate::config::ConfigError;
use crate::error::StationError;

/// Calls that wait for one program, at most.
pub const QUEUE: usize = 1000;

/// A hook of the settings.
#[derive(Debug, Clone)]
pub struct HookConfig {
    /// What it is called for.
    pub on: Vec<HookEvent>,
    /// Absolute path of the program. It is called without arguments.
    pub program: PathBuf,
    /// How long it may take.
    pub limit: Duration,
}

impl HookConfig {
    /// What records call it.
    #[must_use]
    pub fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether it is a program that nobody else may put another one in the place of.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        guarded::program(&self.program).map_err(|unfit| match unfit {
            Unfit::Exposed(exposed) => exposed.into(),
            Unfit::Unreadable(source) => ConfigError::Unreadable { file: self.program.clone(), source },
        })
    }
}

/// What a hook is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookEvent {
    /// A device has proved its key: `inject.result` or `inject.resolve`, `rc` `ok`.
    Pass,
    /// It has not, or was not written: the same with another `rc`, and `inject.refuse`.
    Fail,
    /// A work order was closed: `order.close`.
    JobClosed,
    /// A batch of repair was closed: `rekey.close`.
    BatchClosed,
    /// A device was put down as scrap: `order.scrap`, `device.scrap`.
    Scrap,
    /// The identity of a device was revoked: `device.revoke`.
    Revoke,
    /// Another board took the place of one: `device.replace`.
    Replace,
    /// A scrap was none: `device.restore`.
    Restore,
}

impl HookEvent {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Fail,
        Self::JobClosed,
        Self::BatchClosed,
        Self::Scrap,
        Self::Revoke,
        Self::Replace,
        Self::Restore,
    ];

    /// As settings and records have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::JobClosed => "job-closed",
            Self::BatchClosed => "batch-closed",
            Self::Scrap => "scrap",
            Self::Revoke => "revoke",
            Self::Replace => "replace",
            Self::Restore => "restore",
        }
    }

    fn of(record: &Record<'_>) -> Option<Self> {
        match record.event() {
            "inject.result" | "inject.resolve" if record.rc() == "ok" => Some(Self::Pass),
            "inject.result" | "inject.resolve" | "inject.refuse" => Some(Self::Fail),
            "order.close" => Some(Self::JobClosed),
            "rekey.close" => Some(Self::BatchClosed),
            "order.scrap" | "device.scrap" => Some(Self::Scrap),
            "device.revoke" => Some(Self::Revoke),
            "device.replace" => Some(Self::Replace),
            "device.restore" => Some(Self::Restore),
            _ => None,
        }
    }
}

/// A call that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    record: Seq,
    on: HookEvent,
}

/// Calls that are due, the newest [`QUEUE`] of them.
#[derive(Debug, Default)]
struct Queue {
    due: VecDeque<Due>,
    /// How many were dropped since that was told, the first and the last.
    dropped: Option<(u64, Seq, Seq)>,
}

impl Queue {
    fn push(&mut self, due: Due) {
        self.due.push_back(due);
        if self.due.len() > QUEUE
            && let Some(Due { record, .. }) = self.due.pop_front()
        {
            let (count, first, _) = self.dropped.unwrap_or((0, record, record));
            self.dropped = Some((count + 1, first, record));
        }
    }
}

/// Calls a program for what is recorded from `next` on, until the station's program ends.
pub(super) fn follow(follower: &Follower, hook: &HookConfig, next: &mut Seq) -> Result<(), StationError> {
    let reader = follower.reader()?;
    let mut queue = Queue::default();
    let dropped = |(count, first, last), why| {
        follower.append(AfterEvent::HooksDropped { program: hook.name(), count, first, last, why })
    };
    while follower.more_than(*next).is_some() {
        loop {
            // Also what came while the program ran.
            let size = follower.growth().records();
            collect(&reader, hook, *next, size, &mut queue)?;
            *next = size;
            if let Some(lost) = queue.dropped.take() {
                dropped(lost, "full")?;
            }
            if follower.stop.asked() {
                break;
            }
            let Some(due) = queue.due.pop_front() else { break };
            call(follower, &reader, hook, due)?;
        }
        follower.reached(*next);
    }
    if let (Some(first), Some(last)) = (queue.due.front(), queue.due.back()) {
        dropped((queue.due.len() as u64, first.record, last.record), "end")?;
    }
    Ok(())
}

/// Puts what is due from record `from` on and before `to` into the queue.
fn collect(
    reader: &Reader,
    hook: &HookConfig,
    from: Seq,
    to: Seq,
    queue: &mut Queue,
) -> Result<(), ReadError> {
    reader.records(from..to, None, |record| {
        if let Some(on) = HookEvent::of(record).filter(|on| hook.on.contains(on)) {
            queue.push(Due { record: record.seq(), on });
        }
        ControlFlow::Continue(())
    })
}

fn call(follower: &Follower, reader: &Reader, hook: &HookConfig, due: Due) -> Result<(), StationError> {
    let Some(told) = told(reader, due)? else { return Ok(()) };
    let stop = &follower.stop;
    // It may be another one by now.
    let called = match hook.check() {
        Ok(()) => call::call(&hook.program, hook.limit, told.as_bytes(), &|| stop.over()),
        Err(error) => {
            tracing::warn!(%error, "a hook is not called");
            Err(call::Failed::Start)
        }
    };
    if let Err(failed) = called {
        let (why, number) = failed.words();
        tracing::warn!(program = hook.name(), why, number, "a hook failed");
        let (on, record, program) = (due.on.word(), due.record, hook.name());
        follower.append(AfterEvent::HookFailed { on, record, program, why, number })?;
    }
    Ok(())
}

/// What the program reads: one line of JSON with the record as it stands in the log, and the intent that a result refers to, since that
/// names the device.
fn told(reader: &Reader, due: Due) -> Result<Option<String>, ReadError> {
    let Some((record, intent)) = json(reader, due.record)? else { return Ok(None) };
    let intent = match intent {
        Some(intent) if matches!(due.on, HookEvent::Pass | HookEvent::Fail) => json(reader, intent)?,
        _ => None,
    };
    let intent = intent.map_or(String::new(), |(intent, _)| format!(",\"intent\":{intent}"));
    Ok(Some(format!("{{\"v\":1,\"event\":\"{}\",\"record\":{record}{intent}}}\n", due.on.word())))
}

/// A record, and the one that it refers to.
fn json(reader: &Reader, seq: Seq) -> Result<Option<(String, Option<Seq>)>, ReadError> {
    let mut found = None;
    reader.records(seq..=seq, None, |record| {
        let refers = record.integer("ref").and_then(|seq| Seq::try_from(seq).ok());
        found = Some((record.json().to_owned(), refers));
        ControlFlow::Break(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_keeps_the_newest_and_counts_the_others() {
        let mut queue = Queue::default();
        for record in 0..QUEUE as u64 {
            queue.push(Due { record, on: HookEvent::Pass });
        }
        assert_eq!(queue.dropped, None);
        for record in [5000, 5001, 5002] {
            queue.push(Due { record, on: HookEvent::Fail });
        }
        assert_eq!(queue.dropped, Some((3, 0, 2)));
        assert_eq!((queue.due.len(), queue.due[0].record), (QUEUE, 3));
    }

    /// What each record calls a hook for.
    #[test]
    fn a_hook_is_called_for_what_a_factory_has_a_state_for() {
        use HookEvent::{BatchClosed, Fail, JobClosed, Pass, Replace, Restore, Revoke, Scrap};
        for (event, rc, on) in [
            ("inject.result", "ok", Some(Pass)),
            ("inject.resolve", "ok", Some(Pass)),
            ("inject.result", "timeout", Some(Fail)),
            ("inject.resolve", "failed", Some(Fail)),
            ("inject.refuse", "refused", Some(Fail)),
            ("inject.intent", "", None),
            ("order.scrap", "", Some(Scrap)),
            ("device.scrap", "", Some(Scrap)),
            ("device.revoke", "", Some(Revoke)),
            ("device.replace", "", Some(Replace)),
            ("device.restore", "", Some(Restore)),
            ("order.close", "", Some(JobClosed)),
            ("order.open", "", None),
            ("rekey.close", "", Some(BatchClosed)),
            ("rekey.open", "", None),
            ("gk.suspend", "", None),
            ("hook.fail", "failed", None),
        ] {
            let json = format!(
                "{{\"boot\":\"9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11\",\"ev\":\"{event}\",\"log\":\"keylog.example.com/plant7/stn03/1\",\"mono\":1,\
                 \"op\":\"\",\"op2\":\"\",\"rc\":\"{rc}\",\"role\":\"\",\"seq\":3,\"ses\":\"\",\"t\":\"2026-11-26T03:54:53.123Z\",\"v\":1}}"
            );
            let record = Record::parse(json.as_bytes()).unwrap();
            assert_eq!(HookEvent::of(&record), on, "{event} {rc}");
        }
    }
}
