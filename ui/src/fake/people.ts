// Sign-in, approvals and accounts of the station that does not exist, by the rules of the real one.

import type { AddedPerson } from "../bindings/AddedPerson";
import type { Approval } from "../bindings/Approval";
import type { ApprovalRequest } from "../bindings/ApprovalRequest";
import type { NewPerson } from "../bindings/NewPerson";
import type { PersonLine } from "../bindings/PersonLine";
import type { Problem } from "../bindings/Problem";
import type { Role } from "../bindings/Role";
import type { SessionLine } from "../bindings/SessionLine";
import type { SignIn } from "../bindings/SignIn";
import type { Who } from "../bindings/Who";
import { actions, approvers, may, type Action } from "../actions";
import type { Staff } from "../shell";
import { nobody } from "./bench";
import { refuse } from "./refuse";
import type { Account } from "./roster";

/** Wrong PINs in a row that cost nothing, and those that lock the account. */
const FREE = 3;
const LOCKED = 10;
/** How long an approval is good for, in milliseconds. */
const APPROVED = 60_000;
/** Two people are always left who can mend what others break. */
const ADMINISTRATORS = 2;

/** Wrong PINs in a row, and when the next try counts. Unknown users have them too: or the answer would tell. */
interface Tries {
  wrong: number;
  until: number;
}

/** Appends a record. */
export type Append = (event: string, outcome: string, operator: string) => void;

export class FakePeople implements Staff {
  accounts: Account[];
  session: SessionLine;
  /** The window only reads: nothing but the log is known. */
  looking = false;
  now: () => number = () => Date.now();

  readonly #append: Append;
  readonly #tries = new Map<string, Tries>();
  readonly #approvals = new Map<number, { asked: string; by: string; until: number }>();
  #last = 0;

  constructor(accounts: Account[], session: SessionLine, append: Append) {
    this.accounts = accounts;
    this.session = session;
    this.#append = append;
  }

  /** Whether badge or ID and PIN belong together. */
  check(who: Who, pin: string): { answer: SignIn; account?: Account } {
    const account = this.accounts.find((known) =>
      "badge" in who ? known.badge !== "" && known.badge === who.badge : known.user === who.user,
    );
    const name = account?.user ?? ("user" in who ? who.user : "");
    const tries = this.#tries.get(name) ?? { wrong: 0, until: 0 };
    if (tries.wrong >= LOCKED) return { answer: said("locked-out") };
    const wait = Math.ceil((tries.until - this.now()) / 1000);
    if (wait > 0) return { answer: said("wait", LOCKED - tries.wrong, wait) };
    if (account?.pin !== pin || !account.active) {
      tries.wrong++;
      const delay = tries.wrong < FREE ? 0 : tries.wrong === FREE ? 30 : 60;
      tries.until = this.now() + delay * 1000;
      this.#tries.set(name, tries);
      this.#append("auth.refuse", "refused", name);
      if (tries.wrong < LOCKED) return { answer: said("wrong", LOCKED - tries.wrong, delay || null) };
      this.#append("auth.lockout", "", name);
      return { answer: said("locked-out") };
    }
    this.#tries.delete(name);
    return { answer: said("open"), account };
  }

  signIn(who: Who, pin: string): SignIn {
    const { answer, account } = this.check(who, pin);
    if (account) this.#enter(account);
    return answer;
  }

  /** Nobody is signed in any more. */
  leave(): void {
    this.#append("auth.logout", "", this.session.user);
    this.session = nobody;
  }

  away(): void {
    if (this.session.state !== "open") return;
    this.#append("auth.away", "", this.session.user);
    this.session = { ...this.session, state: "away", secondsLeft: null, reason: null };
  }

  /** The session is as old as it may be. */
  expire(): void {
    this.#append("auth.end", "expired", this.session.user);
    this.session = { ...this.session, state: "expired" };
  }

  changePin(old: string, pin: string): SignIn | Problem {
    const { answer, account } = this.check({ user: this.session.user }, old);
    if (!account) return answer;
    const weak = refusal(pin, account);
    if (weak) return weak;
    if (pin === old) return problem("pin-weak", "The new PIN is the old one.", "Choose another one.");
    account.pin = pin;
    account.once = false;
    this.#append("user.cred", "", account.user);
    this.session = { ...this.session, mustChangePin: false };
    return answer;
  }

  begin(first: NewPerson, second: NewPerson): Problem | undefined {
    if (this.session.state !== "first-start") return problem("state", "There are accounts already.");
    if (first.user === second.user || (first.badge !== null && first.badge === second.badge))
      return problem("same-person", "Both are the same person.", "The two administrators are two people.");
    for (const person of [first, second]) {
      const wrong = this.#unfit(person);
      if (wrong) return wrong;
    }
    for (const person of [first, second]) this.#add({ ...person, roles: ["administrator"] }, false);
    this.session = nobody;
    return undefined;
  }

  approve(request: ApprovalRequest, who: Who, pin: string): Approval {
    const { answer, account } = this.check(who, pin);
    if (!account) return { approval: null, signIn: answer };
    const roles = approvers(request.action);
    const role = roles.join(" or ");
    const refused =
      account.user === this.session.user
        ? problem("approval-same-person", "That is the same person.", "Another person has to approve.")
        : account.roles.some((held) => roles.includes(held)) && !account.once
          ? undefined
          : problem("approval-role", `This takes the approval of another ${role}.`, `Fetch another ${role}.`);
    if (refused) {
      this.#append("policy.refuse", "refused", account.user);
      return { approval: null, signIn: { ...said("refused"), problem: refused } };
    }
    const approval = ++this.#last;
    const asked = JSON.stringify(request);
    this.#approvals.set(approval, { asked, by: account.user, until: this.now() + APPROVED });
    return { approval, signIn: answer };
  }

  /** Uses an approval up. The approver, or why it is none. */
  spend(approval: number | null, action: Action, subject: string, reason = ""): { by: string } | Problem {
    const roles = approvers(action);
    const role = roles.join(" or ");
    if (this.session.state !== "open" || !may(this.session.roles, action))
      return problem("role", `Only a ${role} may do this.`, `Fetch a ${role}.`);
    const found = approval === null ? undefined : this.#approvals.get(approval);
    if (!found || approval === null)
      return problem("approval-missing", "Nobody has approved this.", "Ask a second person.");
    this.#approvals.delete(approval);
    if (found.until < this.now())
      return problem(
        "approval-expired",
        "The approval is older than a minute.",
        "Ask the second person again.",
      );
    if (found.asked !== JSON.stringify({ action, subject, reason }))
      return problem(
        "approval-other-request",
        "Something else was approved.",
        "Ask the second person again.",
      );
    return { by: found.by };
  }

  people(): Promise<PersonLine[]> {
    const isAdministrator = ({ active, roles }: Account) => active && roles.includes("administrator");
    const few = this.accounts.filter(isAdministrator).length < 3;
    const lines = this.accounts.map(({ user, name, roles, active, once, badge }, at) => ({
      user,
      name,
      roles,
      active,
      lockedOut: (this.#tries.get(user)?.wrong ?? 0) >= LOCKED,
      mustChangePin: once,
      irreplaceable: few && active && roles.includes("administrator"),
      hasBadge: this.looking ? null : badge !== "",
      changed: {
        seq: 12 + 3 * at,
        time: Date.UTC(2026, 10, 2 + at, 6, 40),
        event: !active ? "user.disable" : once ? "user.add" : "user.cred",
        operator: !active || once ? "ad-0001" : user,
        approver: !active || once ? "ad-0002" : "",
      },
    }));
    return Promise.resolve(structuredClone(lines));
  }

  addPerson(person: AddedPerson, approval: number): Promise<void> {
    const subject = `${person.user} ${person.roles.join("+")}`;
    return this.#do(approval, actions.addPerson, subject, "", () => {
      const wrong = this.#unfit(person);
      if (!wrong) this.#add(person, true);
      return wrong;
    });
  }

  setRoles(user: string, roles: Role[], approval: number): Promise<void> {
    return this.#change(user, approval, actions.setRoles, `${user} ${roles.join("+")}`, "", (account) => {
      if (!roles.includes("administrator") && this.#isNeeded(account)) return needed;
      account.roles = roles;
      return undefined;
    });
  }

  disablePerson(user: string, reason: string, approval: number): Promise<void> {
    return this.#change(user, approval, actions.disablePerson, user, reason, (account) => {
      if (this.#isNeeded(account)) return needed;
      account.active = false;
      return undefined;
    });
  }

  enablePerson(user: string, reason: string, approval: number): Promise<void> {
    return this.#change(user, approval, actions.enablePerson, user, reason, (account) => {
      account.active = true;
      return undefined;
    });
  }

  resetPin(user: string, pin: string, approval: number): Promise<void> {
    return this.#change(user, approval, actions.resetPin, user, "", (account) => {
      const weak = refusal(pin, account);
      if (weak) return weak;
      account.pin = pin;
      account.once = true;
      this.#tries.delete(user);
      return undefined;
    });
  }

  setBadge(user: string, badge: string | null, approval: number): Promise<void> {
    return this.#change(user, approval, actions.setBadge, user, "", (account) => {
      if (badge !== null && this.accounts.some((other) => other.badge === badge)) return taken;
      account.badge = badge ?? "";
      return undefined;
    });
  }

  setName(user: string, name: string): Promise<void> {
    const account = this.accounts.find((known) => known.user === user);
    if (account) account.name = name;
    return Promise.resolve();
  }

  forgetName(user: string): Promise<boolean> {
    const account = this.accounts.find((known) => known.user === user);
    const known = account !== undefined && account.name !== "";
    if (account) account.name = "";
    return Promise.resolve(known);
  }

  #enter({ user, name, roles, once }: Account): void {
    this.#append("auth.ok", "", user);
    this.session = {
      state: "open",
      user,
      name,
      roles: [...roles],
      mustChangePin: once,
      secondsLeft: null,
      reason: null,
    };
  }

  #unfit(person: NewPerson): Problem | undefined {
    if (!/^[a-z0-9-]{1,32}$/.test(person.user))
      return problem("user-id", "That is no user ID.", "Use 1 to 32 of a-z 0-9 - only.");
    if (this.accounts.some(({ user }) => user === person.user))
      return problem(
        "user-exists",
        "This user ID was used before.",
        "Enable the account, or choose another ID.",
      );
    if (person.badge !== null && this.accounts.some(({ badge }) => badge === person.badge)) return taken;
    return refusal(person.pin, person);
  }

  #add({ user, name, roles, badge, pin }: AddedPerson, once: boolean): void {
    this.accounts.push({ user, name, roles: [...roles], active: true, badge: badge ?? "", pin, once });
    this.accounts.sort((a, b) => (a.user < b.user ? -1 : 1));
    this.#append("user.add", "", this.session.user);
  }

  #isNeeded(account: Account): boolean {
    const left = this.accounts.filter(({ active, roles }) => active && roles.includes("administrator"));
    return left.length <= ADMINISTRATORS && left.includes(account);
  }

  #change(
    user: string,
    approval: number,
    action: Action,
    subject: string,
    reason: string,
    change: (account: Account) => Problem | undefined,
  ): Promise<void> {
    return this.#do(approval, action, subject, reason, () => {
      const account = this.accounts.find((known) => known.user === user);
      return account ? change(account) : problem("no-user", "There is no such user.");
    });
  }

  #do(
    approval: number,
    action: Action,
    subject: string,
    reason: string,
    deed: () => Problem | undefined,
  ): Promise<void> {
    const spent = this.spend(approval, action, subject, reason);
    const wrong = "code" in spent ? spent : deed();
    const event = EVENTS[action];
    if (!wrong && event !== undefined) this.#append(event, "", this.session.user);
    return wrong ? refuse(wrong) : Promise.resolve();
  }
}

/** What is put down; a person who is added is put down elsewhere, at the first start too. */
const EVENTS: Readonly<Partial<Record<Action, string>>> = {
  "set-roles": "user.roles",
  "disable-person": "user.disable",
  "enable-person": "user.enable",
  "reset-pin": "user.cred",
  "set-badge": "user.cred",
};

function said(
  outcome: SignIn["outcome"],
  triesLeft: number | null = null,
  waitSeconds: number | null = null,
) {
  return { outcome, triesLeft, waitSeconds, problem: null };
}

function problem(code: string, sentence: string, ...remedy: string[]): Problem {
  return { code, sentence, remedy };
}

const taken = problem("badge-taken", "This badge belongs to somebody else.", "Take another badge.");

const needed = problem(
  "last-administrators",
  "Two active administrators have to be left.",
  "Add another administrator first.",
);

/** Why this is no PIN: guessed first, or written on the badge. */
function refusal(pin: string, { user }: { user: string }): Problem | undefined {
  const digits = pin.split("").map(Number);
  const steps = new Set(digits.slice(1).map((digit, at) => digit - (digits[at] ?? 0)));
  const run = steps.size === 1 && [0, 1, -1].some((step) => steps.has(step));
  const own = user.replace(/[^0-9]/g, "");
  if (!run && !(own.length >= 4 && pin.includes(own))) return undefined;
  return problem(
    "pin-weak",
    "This PIN is guessed too easily.",
    "Choose one without a run, a repeated digit or your own number.",
  );
}
