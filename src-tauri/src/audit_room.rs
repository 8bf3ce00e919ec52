//! The log as QA looks at it, from any window. Everything here reads; a log of years takes its time, so nothing of it
//! runs on the threads that answer the page.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keystation::log::{KeyStanding, Verdict};
use keystation::{Archive, StationError};
use tauri::async_runtime::spawn_blocking;
use tauri::ipc::Channel;

use crate::problem::Problem;
use crate::{custody, dto, going};

/// The log of a station, read-only.
pub(crate) struct AuditRoom {
    archive: Archive,
    /// Held while the log is verified: once at a time.
    verifying: tauri::async_runtime::Mutex<()>,
    /// Whether the verification that runs is to be broken off.
    cancelled: Arc<AtomicBool>,
}

impl AuditRoom {
    pub(crate) fn new(archive: Archive) -> Self {
        Self { archive, verifying: tauri::async_runtime::Mutex::default(), cancelled: Arc::default() }
    }

    /// What is always in sight of a window that only looks. Shown of a damaged log, too: there is where QA comes in.
    pub(crate) async fn overview(&self) -> Result<dto::Overview, Problem> {
        self.ask(|archive| {
            let seen = archive.overview();
            let damage = seen.as_ref().err().map(Problem::from);
            let damage = damage.or_else(|| archive.glance().as_ref().err().map(Problem::from));
            Ok(dto::Overview {
                rooms: vec![dto::Room::Audit, dto::Room::Keys, dto::Room::People],
                read_only: true,
                after: going::looked_up(archive.data()),
                damage,
                ..seen.unwrap_or_else(|_| archive.unread()).into()
            })
        })
        .await
    }

    /// The last `count` records, newest first.
    pub(crate) async fn recent(&self, count: u32) -> Result<Vec<dto::RecordLine>, Problem> {
        self.ask(move |archive| {
            let records = archive.recent(count)?;
            records.iter().rev().map(|stored| Ok(stored.parse()?.into())).collect()
        })
        .await
    }

    pub(crate) async fn search(
        &self,
        text: String,
        before: Option<u64>,
        limit: u32,
    ) -> Result<dto::SearchPage, Problem> {
        self.ask(move |archive| Ok(archive.search(&text, before, limit)?.into())).await
    }

    pub(crate) async fn device(&self, id: String) -> Result<dto::DeviceLife, Problem> {
        self.ask(move |archive| {
            let (id, life) = archive.life(&id)?;
            Ok(dto::DeviceLife::of(&id, life, archive.secured()?))
        })
        .await
    }

    pub(crate) async fn save_proof(&self, id: String) -> Result<dto::Saved, Problem> {
        self.ask(move |archive| {
            let (id, _) = archive.life(&id)?;
            let path = archive.save_proof(&id)?;
            Ok(dto::Saved { path: path.display().to_string() })
        })
        .await
    }

    pub(crate) async fn figures(
        &self,
        from: i64,
        until: i64,
        job: Option<String>,
    ) -> Result<dto::Figures, Problem> {
        self.ask(move |archive| Ok(archive.figures(from, until, job.as_deref())?.into())).await
    }

    /// Who asked for what is not permitted, newest first.
    pub(crate) async fn denials(&self, before: Option<u64>, limit: u32) -> Result<dto::DenialPage, Problem> {
        self.ask(move |archive| Ok(archive.denials(before, limit)?.into())).await
    }

    /// Everybody who has or had an account, as the log has it.
    pub(crate) async fn people(&self) -> Result<Vec<dto::PersonLine>, Problem> {
        let (accounts, names) = self.ask(|archive| Ok((archive.accounts()?, archive.names()?))).await?;
        Ok(accounts.into_iter().map(|standing| dto::PersonLine::of(standing, &names)).collect())
    }

    /// Group keys, those that were destroyed too.
    pub(crate) async fn keys(&self) -> Result<Vec<dto::KeyCard>, Problem> {
        let keys = self.ask(|archive| {
            let timed = |key: KeyStanding| Ok((archive.time_of(key.imported)?, key));
            archive.group_keys()?.into_iter().map(timed).collect::<Result<Vec<_>, StationError>>()
        });
        keys.await?.into_iter().map(|(time, key)| dto::KeyCard::of(key, time)).collect()
    }

    /// Which devices die with a key: some of them, from the record after `after` on.
    pub(crate) async fn key_devices(
        &self,
        label: dto::Label,
        after: Option<u64>,
    ) -> Result<dto::KeyDevices, Problem> {
        let label = custody::parsed_label(label.as_str())?;
        let devices = self.ask(move |archive| archive.devices_under(&label, after, custody::DEVICES)).await?;
        Ok(custody::page_of(devices))
    }

    pub(crate) async fn review(&self) -> Result<dto::Review, Problem> {
        self.ask(|archive| Ok(archive.review()?.into())).await
    }

    /// Verifies the whole log and tells `channel` how far it is.
    pub(crate) async fn verify(
        &self,
        channel: Channel<dto::VerifyProgress>,
    ) -> Result<dto::VerifyVerdict, Problem> {
        let Ok(_one) = self.verifying.try_lock() else {
            return Err(Problem::new(
                "verify-running",
                "The log is being verified already.",
                &["Wait for the verdict, or break it off."],
            ));
        };
        self.cancelled.store(false, Ordering::Relaxed);
        let cancelled = Arc::clone(&self.cancelled);
        self.ask(move |archive| {
            let mut done = 0;
            let verdict = archive.verify(&mut |progress| {
                done = progress.done;
                let page_is_gone = channel.send(progress.into()).is_err();
                match page_is_gone || cancelled.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            Ok(match verdict {
                Some(Verdict::Intact { checkpoint, head }) => dto::VerifyVerdict::Intact {
                    records: checkpoint.size,
                    root: checkpoint.short_root(),
                    head,
                    secured: archive.secured()?.map(dto::Secured::from),
                },
                Some(Verdict::Damaged { findings, more }) => dto::VerifyVerdict::Damaged {
                    findings: findings.iter().map(dto::FindingLine::from).collect(),
                    more,
                },
                None => dto::VerifyVerdict::Cancelled { done },
            })
        })
        .await
    }

    /// Breaks off the verification that runs, if one does.
    pub(crate) fn cancel_verify(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Has `question` answered on a thread that may take its time.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Archive) -> Result<T, StationError> + Send + 'static,
    ) -> Result<T, Problem> {
        let archive = self.archive.clone();
        Ok(spawn_blocking(move || question(&archive)).await??)
    }
}
