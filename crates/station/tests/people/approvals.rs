//! Getting round the second person: none of more than five hundred attempts works.

use keystation::people::{Action, ApprovalId, ApproveError, Away, Denied, Person, Request};
use keystation::{Station, StationError};

use super::support::{Bench, pin};

const PEOPLE: [(&str, &str); 4] =
    [("ad-1", "493027"), ("ad-2", "580316"), ("ad-3", "671425"), ("ad-4", "764201")];

/// Why a time is accepted.
const REASON: &str = "battery changed";

struct Attempts {
    bench: Bench,
    request: Request,
}

impl Attempts {
    fn new() -> Self {
        let bench = Bench::with_admins();
        for (user, digits) in &PEOPLE[2..] {
            bench.settle(user, digits, "administrator");
        }
        bench.settle("op-1", "859274", "operator");
        let request =
            Request { action: Action::DisablePerson, subject: "op-1".to_owned(), reason: "left".to_owned() };
        Self { bench, request }
    }

    fn asks(&self, who: usize) {
        self.bench.sign_in(PEOPLE[who].0, PEOPLE[who].1).unwrap();
    }

    fn approve(&self, who: usize) -> Result<ApprovalId, ApproveError> {
        self.bench.station.approve(&self.request, Person::Id(PEOPLE[who].0), &pin(PEOPLE[who].1))
    }

    fn other(&self, action: Action, subject: &str) -> ApprovalId {
        let reason = match action {
            Action::DisablePerson | Action::EnablePerson => "left".to_owned(),
            _ => String::new(),
        };
        let request = Request { action, subject: subject.to_owned(), reason };
        self.bench.station.approve(&request, Person::Id(PEOPLE[1].0), &pin(PEOPLE[1].1)).unwrap()
    }

    fn becomes(&self, who: usize, roles: &str) {
        let user = PEOPLE[who].0;
        let approval = self.other(Action::SetRoles, &format!("{user} {roles}"));
        self.bench.station.set_roles(user, roles.parse().unwrap(), approval).unwrap();
    }

    fn try_it(&self, approval: ApprovalId) -> Denied {
        self.try_other(&self.request, approval)
    }

    fn try_other(&self, request: &Request, approval: ApprovalId) -> Denied {
        self.bench.station.permit_approved(request, approval).expect_err("it must not work")
    }

    /// ad-1 has the permit to accept the time, and ad-3 approved; then something happens, and it is to be done. It is refused, under
    /// ad-1.
    fn accept_later(&self, reason: &str, then: impl FnOnce()) -> &'static str {
        let station = &self.bench.station;
        let request = Station::clock_request(REASON);
        let by = Person::Id(PEOPLE[2].0);
        let approval = station.approve(&request, by, &pin(PEOPLE[2].1)).unwrap();
        let permit = station.permit_approved(&request, approval).unwrap();
        then();
        let Err(StationError::Denied(denied)) = station.accept_clock(&permit, reason) else {
            panic!("it must not work")
        };
        let mut by = String::new();
        self.bench.each(|record| {
            if Some(record.seq()) == denied.record {
                by = record.operator().into_owned();
            }
        });
        assert_eq!(by, "ad-1", "whoever is there now");
        denied.why.as_str()
    }

    /// One attempt; says why it was refused.
    fn attempt(&self, kind: u32, round: u32) -> &'static str {
        let denied = |refused: ApproveError| match refused {
            ApproveError::Denied(denied) => denied.why.as_str(),
            ApproveError::SignIn(refused) => refused.code(),
        };
        let station = &self.bench.station;
        match kind {
            0 => denied(self.approve(0).expect_err("nobody approves their own request")),
            1 => {
                let approval = self.approve(2).unwrap();
                self.bench.hands.pass(60 + u64::from(round));
                self.try_it(approval).why.as_str()
            }
            2 => {
                let approval = self.approve(2).unwrap();
                station.permit_approved(&self.request, approval).expect("once it is good");
                self.try_it(approval).why.as_str()
            }
            3..=5 => {
                let approval = self.approve(2).unwrap();
                let mut request = self.request.clone();
                match kind {
                    3 => request.subject = format!("op-{}", 2 + round),
                    4 => request.reason.push('!'),
                    _ => request.action = Action::ResetPin,
                }
                self.try_other(&request, approval).why.as_str()
            }
            6 => {
                let approval = self.approve(2).unwrap();
                self.becomes(2, "qa");
                let why = self.try_it(approval).why.as_str();
                self.becomes(2, "administrator");
                why
            }
            7 => {
                let approval = self.approve(2).unwrap();
                station.disable("ad-3", "left", self.other(Action::DisablePerson, "ad-3")).unwrap();
                let why = self.try_it(approval).why.as_str();
                station.enable("ad-3", "left", self.other(Action::EnablePerson, "ad-3")).unwrap();
                why
            }
            8 => {
                // Whoever was given a one-time PIN approves nothing, neither before nor with it.
                let approval = self.approve(2).unwrap();
                station.reset_pin("ad-3", &pin("907153"), self.other(Action::ResetPin, "ad-3")).unwrap();
                let why = self.try_it(approval).why.as_str();
                let with_it = station.approve(&self.request, Person::Id("ad-3"), &pin("907153"));
                assert_eq!(denied(with_it.unwrap_err()), "pin-change");
                self.bench.sign_in("ad-3", "907153").unwrap();
                station.change_pin(&pin("907153"), &pin(PEOPLE[2].1)).unwrap();
                why
            }
            9 => {
                // Another session of the same person.
                let approval = self.approve(2).unwrap();
                self.asks(3);
                self.asks(0);
                self.try_it(approval).why.as_str()
            }
            10 => {
                // Whoever approved takes over and asks for it.
                let approval = self.approve(2).unwrap();
                self.asks(2);
                self.try_it(approval).why.as_str()
            }
            11 => self.try_it(ApprovalId(u64::MAX - u64::from(round))).why.as_str(),
            12 => {
                let by = station.approve(&self.request, Person::Id("op-1"), &pin("859274"));
                denied(by.expect_err("an operator approves nothing here"))
            }
            // Approved for one reason, done for another.
            17 => self.accept_later(&format!("battery changed {round}"), || ()),
            // Permitted already, and then: whoever approved loses the role or the account, whoever asked does, the hours are over,
            // somebody takes over.
            18 => {
                let why = self.accept_later(REASON, || self.becomes(2, "qa"));
                self.becomes(2, "administrator");
                why
            }
            19 => {
                let disable = || {
                    station.disable("ad-3", "left", self.other(Action::DisablePerson, "ad-3")).unwrap();
                };
                let why = self.accept_later(REASON, disable);
                station.enable("ad-3", "left", self.other(Action::EnablePerson, "ad-3")).unwrap();
                why
            }
            20 => {
                let why = self.accept_later(REASON, || self.becomes(0, "qa"));
                self.asks(3);
                self.becomes(0, "administrator");
                why
            }
            21 => self.accept_later(REASON, || self.bench.hands.pass(12 * 3600)),
            22 => self.accept_later(REASON, || self.asks(3)),
            13 => {
                let guessed = station.approve(&self.request, Person::Id("ad-4"), &pin("900001"));
                let why = denied(guessed.expect_err("it is not the PIN"));
                self.approve(3).expect("the right PIN begins the count anew");
                why
            }
            14 => {
                let approval = self.approve(2).unwrap();
                station.away(Away::Asked).unwrap();
                self.try_it(approval).why.as_str()
            }
            15 => {
                // Who asked loses the role.
                let approval = self.approve(2).unwrap();
                self.becomes(0, "qa");
                let why = self.try_it(approval).why.as_str();
                self.asks(3);
                self.becomes(0, "administrator");
                why
            }
            _ => {
                let approval = self.approve(2).unwrap();
                station.sign_out().unwrap();
                self.try_it(approval).why.as_str()
            }
        }
    }
}

#[test]
fn none_of_five_hundred_attempts_gets_round_the_second_person() {
    const WHY: [&str; 23] = [
        "approval-same-person",
        "approval-expired",
        "approval-used",
        "approval-other-request",
        "approval-other-request",
        "approval-other-request",
        "approval-role",
        "approval-role",
        "approval-role",
        "approval-other-request",
        "approval-same-person",
        "approval-missing",
        "approval-role",
        "pin-wrong",
        "away",
        "role",
        "no-session",
        "approval-other-request",
        "approval-role",
        "approval-role",
        "role",
        "expired",
        "state",
    ];
    let attempts = Attempts::new();
    let mut tried = [0; WHY.len()];
    for number in 0..30 * WHY.len() {
        let kind = number % WHY.len();
        attempts.asks(0);
        let why = attempts.attempt(kind as u32, number as u32 / WHY.len() as u32);
        assert_eq!(why, WHY[kind], "attempt {number}");
        tried[kind] += 1;
    }
    println!("{} attempts in {} ways, none works", tried.iter().sum::<u32>(), tried.len());
    assert!(attempts.bench.records("user.disable", "user").iter().all(|user| user != "op-1"));
    // What was asked for all the time is done when it is approved.
    attempts.asks(0);
    let approval = attempts.approve(2).unwrap();
    attempts.bench.station.disable("op-1", "left", approval).unwrap();
    assert_eq!(attempts.bench.records("user.disable", "op2").last().unwrap(), "ad-3");
}
