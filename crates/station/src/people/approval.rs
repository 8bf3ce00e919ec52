//! A second person's yes to one request: for a minute, once.

use std::collections::BTreeMap;

use keystation_core::record::DenialReason;
use sha2::{Digest, Sha256};

use super::action::Action;

/// What one person asks another to approve. An approval holds for these three and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub action: Action,
    /// What it is to be done to.
    pub subject: String,
    /// Why, as it will be recorded; empty where no reason is asked for.
    pub reason: String,
}

impl Request {
    /// SHA-256 of `keystation-request/v1` ‖ 00 and the three, each behind its length in bytes (8, big-endian): no two
    /// requests have the same bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new().chain_update(b"keystation-request/v1\0");
        for part in [self.action.word(), &self.subject, &self.reason] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The number of an approval, for as long as the program runs. It is no secret: what it is worth stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApprovalId(pub u64);

/// Milliseconds for which an approval holds.
pub(super) const HOLDS_MS: u64 = 60_000;

#[derive(Debug)]
struct Approval {
    request: [u8; 32],
    session: String,
    approver: String,
    at: u64,
    used: bool,
}

/// Those that were given, from 1.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    given: BTreeMap<ApprovalId, Approval>,
    last: u64,
}

impl Approvals {
    /// `approver` said yes to what the session asks.
    pub(super) fn give(&mut self, request: &Request, session: &str, approver: &str, now: u64) -> ApprovalId {
        // What is over stays over without being remembered.
        self.given.retain(|_, approval| now < approval.at + HOLDS_MS);
        self.last += 1;
        let id = ApprovalId(self.last);
        let (session, approver) = (session.to_owned(), approver.to_owned());
        self.given
            .insert(id, Approval { request: request.digest(), session, approver, at: now, used: false });
        id
    }

    /// Who approved `request` for the session of `user`, if that still holds.
    pub(super) fn look(
        &self,
        id: ApprovalId,
        request: &Request,
        session: &str,
        user: &str,
        now: u64,
    ) -> Result<&str, DenialReason> {
        let Some(approval) = self.given.get(&id) else {
            let known = (1..=self.last).contains(&id.0);
            return Err(if known { DenialReason::ApprovalExpired } else { DenialReason::ApprovalMissing });
        };
        if approval.used {
            Err(DenialReason::ApprovalUsed)
        } else if now >= approval.at + HOLDS_MS || now < approval.at {
            Err(DenialReason::ApprovalExpired)
        } else if approval.approver == user {
            Err(DenialReason::ApprovalSamePerson)
        } else if approval.request != request.digest() || approval.session != session {
            Err(DenialReason::ApprovalOtherRequest)
        } else {
            Ok(&approval.approver)
        }
    }

    /// It was used.
    pub(super) fn spend(&mut self, id: ApprovalId) {
        if let Some(approval) = self.given.get_mut(&id) {
            approval.used = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(subject: &str, reason: &str) -> Request {
        Request { action: Action::DestroyKey, subject: subject.to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn an_approval_holds_for_one_request_of_one_session_once_for_a_minute() {
        let mut approvals = Approvals::default();
        let asked = request("gk-2026a", "rotation");
        let id = approvals.give(&asked, "s1", "cu-2", 1000);
        let look = |approvals: &Approvals, request: &Request, session: &str, user: &str, now| {
            approvals.look(id, request, session, user, now).map(str::to_owned)
        };
        assert_eq!(look(&approvals, &asked, "s1", "cu-1", 60_999), Ok("cu-2".to_owned()));
        for (request, session, user, now, why) in [
            (&asked, "s1", "cu-1", 61_000, DenialReason::ApprovalExpired),
            (&asked, "s1", "cu-1", 999, DenialReason::ApprovalExpired),
            (&asked, "s1", "cu-2", 1000, DenialReason::ApprovalSamePerson),
            (&asked, "s2", "cu-1", 1000, DenialReason::ApprovalOtherRequest),
            (&request("gk-2026b", "rotation"), "s1", "cu-1", 1000, DenialReason::ApprovalOtherRequest),
            (&request("gk-2026a", "Rotation"), "s1", "cu-1", 1000, DenialReason::ApprovalOtherRequest),
            (
                &Request { action: Action::ActivateKey, ..asked.clone() },
                "s1",
                "cu-1",
                1000,
                DenialReason::ApprovalOtherRequest,
            ),
        ] {
            assert_eq!(look(&approvals, request, session, user, now), Err(why), "{request:?} {user} {now}");
        }
        approvals.spend(id);
        assert_eq!(look(&approvals, &asked, "s1", "cu-1", 1000), Err(DenialReason::ApprovalUsed));
        for unknown in [0, 2, u64::MAX] {
            let refused = approvals.look(ApprovalId(unknown), &asked, "s1", "cu-1", 1000);
            assert_eq!(refused, Err(DenialReason::ApprovalMissing));
        }
        approvals.give(&asked, "s1", "cu-2", 61_000);
        assert_eq!(look(&approvals, &asked, "s1", "cu-1", 61_001), Err(DenialReason::ApprovalExpired));
    }

    #[test]
    fn no_two_requests_have_the_same_bytes() {
        let digest = |subject, reason| request(subject, reason).digest();
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
        assert_ne!(digest("", "x"), digest("x", ""));
        assert_eq!(digest("a", "b"), digest("a", "b"));
    }

    /// The worked example of docs/people.md.
    #[test]
    fn the_example_of_the_documents_holds() {
        let hex: String =
            request("gk-2026a 7C1D0-A4E91", "rotation").digest().iter().map(|b| format!("{b:02x}")).collect();
        let kept =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/people.md")).unwrap();
        assert!(kept.contains(&hex), "{hex}");
    }
}
