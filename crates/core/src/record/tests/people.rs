use super::super::*;
use super::sorted;
use crate::role::{Role, Roles};

fn told(event: &Event) -> (&'static str, &'static str, &str) {
    (event.name(), event.rc(), event.approver())
}

fn user(change: UserChange) -> Event {
    Event::User(UserEvent { user: "op-7".to_owned(), approver: "ad-2".to_owned(), change })
}

#[test]
fn every_change_of_an_account_names_it_and_the_second_person() {
    let roles = Roles::new([Role::Repair, Role::Operator]).unwrap();
    let reason = || "left".to_owned();
    type Row<'a> = (UserChange, &'a str, &'a [(&'a str, Value)]);
    let rows: [Row<'_>; 6] = [
        (
            UserChange::Added { roles, credential: 1, once: true },
            "user.add",
            &[
                ("cred", 1.into()),
                ("once", 1.into()),
                ("roles", "operator+repair".into()),
                ("user", "op-7".into()),
            ],
        ),
        (
            UserChange::Roles(Role::Qa.into()),
            "user.roles",
            &[("roles", "qa".into()), ("user", "op-7".into())],
        ),
        (
            UserChange::Disabled { reason: reason() },
            "user.disable",
            &[("reason", "left".into()), ("user", "op-7".into())],
        ),
        (
            UserChange::Enabled { reason: reason() },
            "user.enable",
            &[("reason", "left".into()), ("user", "op-7".into())],
        ),
        (
            UserChange::Credential { credential: 4, why: CredentialChange::Chosen, once: false },
            "user.cred",
            &[("cred", 4.into()), ("once", 0.into()), ("user", "op-7".into()), ("why", "chosen".into())],
        ),
        (
            UserChange::Credential { credential: 5, why: CredentialChange::Reset, once: true },
            "user.cred",
            &[("cred", 5.into()), ("once", 1.into()), ("user", "op-7".into()), ("why", "reset".into())],
        ),
    ];
    for (change, name, fields) in rows {
        let event = user(change);
        assert_eq!(told(&event), (name, "", "ad-2"));
        assert_eq!(sorted(&event), fields);
    }
}

#[test]
fn only_an_approval_names_a_second_person() {
    for purpose in Purpose::ALL.iter().copied() {
        let event = Event::Session(SessionEvent::Proved { user: "su-1".to_owned(), purpose });
        let approver = if purpose == Purpose::Approval { "su-1" } else { "" };
        assert_eq!(told(&event), ("auth.ok", "", approver));
        assert_eq!(sorted(&event), [("user", "su-1".into()), ("why", purpose.as_str().into())]);
    }
}

#[test]
fn a_refused_sign_in_says_for_what_and_how_often() {
    let rows = [
        (Purpose::SignIn, "sign-in"),
        (Purpose::HandOver, "sign-in"),
        (Purpose::Resume, "sign-in"),
        (Purpose::Approval, "approval"),
        (Purpose::Ceremony, "ceremony"),
        (Purpose::NewEpoch, "new-epoch"),
        (Purpose::Lost, "lost"),
    ];
    for (purpose, word) in rows {
        for why in SignInRefusal::ALL.iter().copied() {
            let refused = SessionEvent::Refused { user: "op-7".to_owned(), why, purpose, tries: 3 };
            let event = Event::Session(refused);
            assert_eq!(told(&event), ("auth.refuse", "refused", ""));
            let expected = [
                ("for", word.into()),
                ("tries", 3.into()),
                ("user", "op-7".into()),
                ("why", why.as_str().into()),
            ];
            assert_eq!(sorted(&event), expected);
        }
    }
    let event = Event::Session(SessionEvent::LockedOut { user: "op-7".to_owned() });
    assert_eq!((told(&event), sorted(&event)), (("auth.lockout", "", ""), vec![("user", "op-7".into())]));
}

#[test]
fn a_count_says_how_far_and_why() {
    for (why, word) in Counting::ALL.iter().zip(["begin", "pin", "lost", "end"]) {
        let event = Event::Session(SessionEvent::Counted { counter: 7, why: *why });
        assert_eq!(told(&event), ("auth.count", "", ""));
        assert_eq!(sorted(&event), [("counter", 7.into()), ("why", word.into())]);
    }
}

#[test]
fn going_away_is_not_the_end() {
    let away = Event::Session(SessionEvent::Away(Away::Idle));
    assert_eq!((told(&away), sorted(&away)), (("auth.away", "", ""), vec![("why", "idle".into())]));
    let ended = Event::Session(SessionEvent::Ended(End::Program));
    assert_eq!((told(&ended), sorted(&ended)), (("auth.logout", "", ""), vec![("why", "end".into())]));
}

#[test]
fn a_denial_says_what_was_asked_for_and_why_not() {
    let denial = Denial {
        action: "key-destroy".to_owned(),
        why: DenialReason::ApprovalSamePerson,
        what: "gk-2026a".to_owned(),
        code: "approver".to_owned(),
    };
    let event = Event::Denied(denial);
    assert_eq!(told(&event), ("policy.refuse", "refused", ""));
    let expected = [
        ("action", "key-destroy".into()),
        ("code", "approver".into()),
        ("what", "gk-2026a".into()),
        ("why", "approval-same-person".into()),
    ];
    assert_eq!(sorted(&event), expected);
}

/// Words are a contract: a verifier and the screens know them.
#[test]
fn words_are_those_of_the_format() {
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().copied().map(word).collect()
    }
    assert_eq!(words(CredentialChange::ALL, CredentialChange::as_str), ["chosen", "reset", "badge"]);
    let refusals = ["pin", "unknown", "disabled", "locked-out", "wait", "credential"];
    assert_eq!(words(SignInRefusal::ALL, SignInRefusal::as_str), refusals);
    assert_eq!(words(Away::ALL, Away::as_str), ["asked", "idle", "suspend", "screen", "panic"]);
    assert_eq!(words(End::ALL, End::as_str), ["asked", "hand-over", "expired", "end"]);
    assert_eq!(words(KeyOrigin::ALL, KeyOrigin::as_str), ["single", "ceremony", "transfer", "found"]);
    let denials = [
        "no-session",
        "away",
        "expired",
        "pin-change",
        "role",
        "approval-missing",
        "approval-same-person",
        "approval-expired",
        "approval-used",
        "approval-other-request",
        "approval-role",
        "state",
    ];
    assert_eq!(words(DenialReason::ALL, DenialReason::as_str), denials);
}
