//! Every verb against the gate: it asks for the action that stands beside it, and is refused, with a record, to whoever does not have
//! that, unless it stands on a short list.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clap::CommandFactory;
use keystation::paths;
use keystation::people::{Action, DenialReason, NewPerson, Person, Pin, Request, Who, rule};
use keystation_audit::Reader;
use keystation_core::role::Role;
use keystation_vault::{Passphrase, SealedFile, SecretText, WorkFactor};
use tempfile::TempDir;

use super::*;

/// Verbs for which nobody has to sign in.
const OPEN: &[(&str, &str)] = &[
    ("init", "there is no station yet, and nobody in it"),
    ("ports", "tells what the system tells everybody"),
    ("selftest", "known answers, disk and clock; custody only where somebody signs in"),
    ("person begin", "makes the first two, where nobody has an account"),
    ("key list", FILE),
    ("key devices", FILE),
    ("order list", FILE),
    ("order show", FILE),
    ("after", FILE),
    ("label status", FILE),
    ("outbox status", FILE),
    ("batch list", FILE),
    ("batch show", FILE),
    ("audit show", FILE),
    ("audit search", FILE),
    ("audit history", FILE),
    ("audit figures", FILE),
    ("audit list", FILE),
    ("audit sheet", FILE),
    ("audit proof", FILE),
    ("audit verify", FILE),
    ("audit compare", FILE),
    ("audit report verify", FILE),
    ("audit anchor request", FILE),
    ("audit anchor status", FILE),
    ("diagnose", FILE),
    ("restore", "there is no station yet; two administrators prove who they are by the backup"),
    ("witness init", WITNESS),
    ("witness add-log", WITNESS),
    ("witness sign", WITNESS),
    ("witness list", WITNESS),
];

const FILE: &str = "reads files that whoever starts the program can read, and changes nothing";
const WITNESS: &str = "another machine, without a station";

/// All others, with arguments that they take (`PIN` stands for a file with one), and the action that each asks the gate for: by
/// docs/roles.md, and not by what the program does.
const GATED: &[(&str, &str, Action)] = &[
    ("inject", "--port /dev/null --profile example.toml", Action::Inject),
    ("run", "--slots 1", Action::Inject),
    ("check", "--port /dev/null --profile example.toml", Action::Check),
    ("look", "--port /dev/null --profile example.toml", Action::Look),
    ("rekey", "--port /dev/null --profile example.toml --reason returned", Action::Rekey),
    ("rekey", "--count 5 --profile example.toml --reason returned", Action::Rekey),
    ("rekey", "--from-key gk-1 --profile example.toml --reason key-rotation", Action::Rekey),
    ("rekey", "--batch RK-1", Action::ContinueRekey),
    ("batch close", "RK-1", Action::CloseRekey),
    ("selftest", "--inspect", Action::Unlock),
    (
        "key import",
        "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B --key-file none",
        Action::ImportKey,
    ),
    (
        "key import",
        "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B --transfer none",
        Action::TakeTransfer,
    ),
    (
        "key ceremony",
        "--label gk-1 --group g --scope 0ne00EMU001 --slot primary --check-value 9B5BD-BEC8B",
        Action::Ceremony,
    ),
    ("key activate", "gk-1 --reason use --check-value 9B5BD-BEC8B", Action::ActivateKey),
    ("key suspend", "gk-1 --reason lost", Action::SuspendKey),
    ("key destroy", "gk-1 --reason rotation", Action::DestroyKey),
    ("key recipient", "", Action::Recipient),
    (
        "order create",
        "--id WO-1 --customer C --profile example.toml --quantity 1 --from 2026-01-01 --until 2099-12-31 --key gk-1 --check-value 9B5BD-BEC8B",
        Action::CreateOrder,
    ),
    ("order create", "--file none", Action::CreateOrder),
    ("order open", "WO-1", Action::OpenOrder),
    ("order close", "WO-1", Action::CloseOrder),
    ("order scrap", "WO-1 --never-seen --reason fell", Action::Scrap),
    ("order quota", "WO-1 --quantity 2 --reason spare", Action::RaiseQuota),
    ("device scrap", "sn-1 --reason broken", Action::ScrapDevice),
    ("device revoke", "sn-1 --reason lost", Action::RevokeDevice),
    (
        "device replace",
        "sn-1 --reason board-failed --profile example.toml --mac a4cf12000107",
        Action::ReplaceDevice,
    ),
    ("device restore", "sn-1 --reason mistake", Action::RestoreDevice),
    ("cleanup list", "--csv none", Action::ListCleanup),
    ("cleanup done", "--list none", Action::CleanedUp),
    ("label reprint", "sn-1 --reason torn", Action::Reprint),
    ("outbox run", "--patience 1", Action::Deliver),
    ("person add", "op-1 --roles operator --new-pin-file PIN", Action::AddPerson),
    ("person roles", "op-1 --roles operator", Action::SetRoles),
    ("person disable", "op-1 --reason left", Action::DisablePerson),
    ("person enable", "op-1 --reason back", Action::EnablePerson),
    ("person reset-pin", "op-1 --new-pin-file PIN", Action::ResetPin),
    ("person badge", "op-1", Action::SetBadge),
    ("person change-pin", "", Action::ChangePin),
    ("person set", "op-1", Action::SetName),
    ("person list", "", Action::People),
    ("person forget", "op-1", Action::ForgetName),
    ("backup", "none", Action::Backup),
    ("clock accept", "--reason battery", Action::AcceptClock),
    ("audit review", "", Action::SignReview),
    ("audit report", "--job WO-1 --out none", Action::Report),
    ("audit report shift", "--pdf none", Action::Report), // without a file to sign it reads, as `audit list` does
    ("audit export", "--out none", Action::Export),
    ("audit anchor accept", "--in none", Action::AnchorAccept),
    ("audit new-epoch", "--reason broken", Action::NewEpoch),
    ("audit rebuild", "", Action::Rebuild),
];

/// Of what two people do: where nothing has to be there before the second one is asked.
const AT_ONCE: &[Action] = &[
    Action::ImportKey,
    Action::TakeTransfer,
    Action::AddPerson,
    Action::SetRoles,
    Action::DisablePerson,
    Action::EnablePerson,
    Action::ResetPin,
    Action::SetBadge,
    Action::AcceptClock,
    Action::NewEpoch,
];

/// Every verb that can be written.
fn verbs(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    let mut subcommands = command.get_subcommands().filter(|verb| verb.get_name() != "help").peekable();
    let acts_itself = subcommands.peek().is_none() || command.is_args_conflicts_with_subcommands_set();
    if acts_itself {
        found.push(path.trim_start().to_owned());
    }
    for verb in subcommands {
        verbs(verb, &format!("{path} {}", verb.get_name()), found);
    }
}

/// PINs of the people of the test: their own, and the one-time PIN that they were given. Known to everybody who reads this.
const OWN: &str = "271946";
const GIVEN: &str = "907153";
/// Of the two who make the others.
const ADMINS: [(&str, &str); 2] = [("ad-1", "493027"), ("ad-2", "580316")];

const ROLES: [Role; 6] =
    [Role::Operator, Role::Repair, Role::Supervisor, Role::Custodian, Role::Qa, Role::Administrator];

/// A station whose log says what a verb was refused for.
struct Refusals {
    data: DataDir,
    reader: Reader,
    /// Files with [`OWN`] and [`GIVEN`].
    pins: [PathBuf; 2],
    _directory: TempDir,
}

impl Refusals {
    /// A station with a vault, and for each role two people: `own-…` with a PIN of their own, `new-…` with a one-time PIN.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::new(directory.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let sealed = SealedFile::at(data.vault()).with_work_factor(WorkFactor::TEST);
        let passphrase = Passphrase::new(SecretText::new("a passphrase of a test".to_owned()).unwrap());
        sealed.create(&passphrase.unwrap()).unwrap();
        settle(&data);
        let pins = [("own", OWN), ("given", GIVEN)].map(|(name, digits)| {
            let file = directory.path().join(name);
            fs::write(&file, digits).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            file
        });
        let reader = Reader::open(&paths(&data)).unwrap();
        Self { data, reader, pins, _directory: directory }
    }

    /// What a verb came to for whoever is named, and what the log says of it: `(why, action)` of each refusal, and the events that are
    /// neither those of any session nor refusals.
    fn of(
        &self,
        (verb, arguments): (&str, &str),
        operator: Option<&str>,
    ) -> (Result<Exit, StationError>, Vec<[String; 2]>, Vec<String>) {
        let [own, given] = &self.pins;
        let arguments = arguments.replace("PIN", &own.display().to_string());
        let mut line = format!("keystation {verb} {arguments}");
        if let Some(operator) = operator {
            let pin = if operator.starts_with("new-") { given } else { own };
            line += &format!(" --operator {operator} --pin-file {}", pin.display());
        }
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{error}"));
        let cli = Cli { data: Some(self.data.path().to_owned()), ..cli };
        let before = self.reader.size().unwrap();
        let done = run(&cli, Output { json: false });
        let (mut refused, mut others) = (Vec::new(), Vec::new());
        self.reader
            .records(before.., None, |record| {
                match record.event() {
                    "policy.refuse" => refused.push(
                        ["why", "action"].map(|field| record.text(field).unwrap_or_default().into_owned()),
                    ),
                    "log.open" | "auth.ok" | "auth.logout" | "log.close" => {}
                    other => others.push(other.to_owned()),
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        (done, refused, others)
    }

    /// Tries a verb that has to be refused, and says what is wrong with how it was.
    fn wrong(
        &self,
        verb: (&str, &str),
        operator: Option<&str>,
        why: DenialReason,
        action: Action,
    ) -> Option<String> {
        let (done, refused, others) = self.of(verb, operator);
        let exit = done.as_ref().map_or_else(StationError::exit, |exit| *exit);
        let right = [[why.as_str(), action.word()]];
        let holds = exit == Exit::Refused && refused == right && others.is_empty();
        (!holds).then(|| {
            format!("{verb:?} as {operator:?}: {right:?} expected; {done:?}, {refused:?}, {others:?}")
        })
    }
}

/// Makes everybody, in the way that administrators have.
fn settle(data: &DataDir) {
    let pin = |digits: &str| Pin::new(digits).unwrap();
    let person = |user: &str, role: Role, digits: &str| NewPerson {
        user: user.to_owned(),
        roles: role.into(),
        badge: None,
        pin: pin(digits),
    };
    let station = session::opened(data).unwrap();
    let admin = |(user, digits): (&str, &str)| person(user, Role::Administrator, digits);
    station.begin(admin(ADMINS[0]), admin(ADMINS[1])).unwrap();
    let signed = |(user, digits): (&str, &str)| station.sign_in(Person::Id(user), &pin(digits)).unwrap();
    for role in ROLES {
        for (user, keeps) in
            [(format!("own-{}", role.as_str()), false), (format!("new-{}", role.as_str()), true)]
        {
            signed(ADMINS[0]);
            let subject = format!("{user} {}", role.as_str());
            let request = Request { action: Action::AddPerson, subject, reason: String::new() };
            let [_, (other, digits)] = ADMINS;
            let approval = station.approve(&request, Person::Id(other), &pin(digits)).unwrap();
            station.add_person(person(&user, role, GIVEN), approval).unwrap();
            if !keeps {
                signed((user.as_str(), GIVEN));
                station.change_pin(&pin(GIVEN), &pin(OWN)).unwrap();
            }
        }
    }
    station.close().unwrap();
}

#[test]
fn every_verb_stands_on_one_of_the_lists() {
    let mut there = Vec::new();
    verbs(&Cli::command(), "", &mut there);
    let gated = GATED.iter().map(|(verb, ..)| *verb);
    let mut listed: Vec<_> = OPEN.iter().map(|(verb, _)| *verb).chain(gated).map(str::to_owned).collect();
    listed.sort_unstable();
    listed.dedup();
    there.sort_unstable();
    assert_eq!(there, listed);
    println!("{} verbs, {} of them open", there.len(), OPEN.len());
}

/// Every gated verb asks for the action of the table, and for no laxer one: as nobody, as somebody whose role does not have that
/// action, in turn, and with a one-time PIN. A call of this program is one session, which is never locked and never too old: those states
/// are the window's, and `tests/people/matrix.rs` tries them.
#[test]
fn every_gated_verb_asks_for_its_action() {
    let station = Refusals::new();
    let (mut wrong, mut tried) = (Vec::new(), BTreeMap::<_, u32>::new());
    for (row, &(verb, arguments, action)) in GATED.iter().enumerate() {
        let mut expect = |operator: Option<String>, why: DenialReason| {
            *tried.entry(why.as_str()).or_default() += 1;
            wrong.extend(station.wrong((verb, arguments), operator.as_deref(), why, action));
        };
        expect(None, DenialReason::NoSession);
        let Who::Session(open_to) = rule(action).who else { continue };
        let (may, may_not): (Vec<Role>, Vec<Role>) =
            ROLES.into_iter().partition(|role| open_to.contains(role));
        expect(Some(format!("new-{}", may[row % may.len()].as_str())), DenialReason::PinChange);
        expect(Some(format!("own-{}", may_not[row % may_not.len()].as_str())), DenialReason::Role);
    }
    // It is not the custody that keeps a custodian, who may open it, from making devices.
    for verb in ["inject", "rekey"] {
        let (verb, arguments, action) = GATED.iter().find(|(gated, ..)| *gated == verb).expect("it is gated");
        *tried.entry("role").or_default() += 1;
        wrong.extend(station.wrong((verb, arguments), Some("own-custodian"), DenialReason::Role, *action));
    }
    // Where somebody signs in for it, this one opens the custodies as well.
    for role in
        ROLES.iter().filter(|role| !matches!(rule(Action::Unlock).who, Who::Session(of) if of.contains(role)))
    {
        let operator = format!("own-{}", role.as_str());
        *tried.entry("role").or_default() += 1;
        wrong.extend(station.wrong(("selftest", ""), Some(&operator), DenialReason::Role, Action::Unlock));
    }
    assert!(wrong.is_empty(), "{} of {tried:?} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} forms of verbs, refused {tried:?}", GATED.len());
}

/// What another person has to approve is not done without, by whoever may ask for it: it is refused for want of the approval, or
/// ends before, at something that the station does not have. Nothing is done in either case.
#[test]
fn no_verb_that_takes_two_is_done_by_one() {
    let station = Refusals::new();
    let (mut wrong, mut refused, mut earlier) = (Vec::new(), 0, 0);
    for &(verb, arguments, action) in GATED {
        let (Who::Session(open_to), Some(_)) = (rule(action).who, rule(action).approval) else { continue };
        let operator = format!("own-{}", open_to[0].as_str());
        let (done, told, others) = station.of((verb, arguments), Some(&operator));
        let [missing, state] = [DenialReason::ApprovalMissing, DenialReason::State]
            .map(|why| [why.as_str().to_owned(), action.word().to_owned()]);
        let ended = !matches!(done, Ok(Exit::Done));
        match &told[..] {
            [told] if *told == missing && ended => refused += 1,
            [] if ended && !AT_ONCE.contains(&action) => earlier += 1,
            [told] if *told == state && ended && !AT_ONCE.contains(&action) => earlier += 1,
            _ => wrong.push(format!("{verb} {arguments} as {operator}: {done:?}, {told:?}")),
        }
        // That the port could not be opened is a record.
        if others.iter().any(|event| event != "inject.refuse") {
            wrong.push(format!("{verb} {arguments} as {operator}: {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{refused} refused for want of an approval, {earlier} ended before that");
}
