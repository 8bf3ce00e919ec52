// The people room: who has an account here, and the few changes that two administrators can make to one.

import type { PersonLine } from "../bindings/PersonLine";
import type { Problem } from "../bindings/Problem";
import type { Role } from "../bindings/Role";
import { actions, type Action } from "../actions";
import type { Session } from "../session.svelte";
import { problemOf, type Door, type Staff } from "../shell";
import { ordered } from "../text/people";
import { Approving } from "./approving.svelte";
import { NewPin } from "./newpin.svelte";

/** What is done to an account now. */
export type Deed = "name" | "roles" | "badge" | "pin" | "standing";

/** What was done. */
export type Done = "added" | "done" | "nameKept" | "nameGone";

/** What is known of a person before there is an account. */
export class Draft {
  user = $state("");
  name = $state("");
  badge: string | undefined = $state();
  roles: Role[] = $state([]);
  readonly pin: NewPin;

  /** `done` is told when a PIN was chosen. */
  constructor(done?: () => void) {
    this.pin = new NewPin(done);
  }

  /** Whether ID and PIN are there; a badge can come later. */
  get ready(): boolean {
    return this.user.trim() !== "" && this.pin.stage === "set";
  }

  clear(): void {
    this.user = this.name = "";
    this.badge = undefined;
    this.roles = [];
    this.pin.reset();
  }
}

export class People {
  list: PersonLine[] | undefined = $state();
  /** The person whose page is open. */
  chosen: string | undefined = $state();
  /** A person is being added. */
  adding = $state(false);
  /** The one-time PIN of the new person is typed now. */
  typing = $state(false);
  deed: Deed | undefined = $state();
  problem: Problem | undefined = $state();
  /** What was done last. */
  done: Done | undefined = $state();
  readonly draft = new Draft(() => (this.typing = false));
  readonly pin = new NewPin();
  readonly approving: Approving;
  /** Changed roles, a scanned badge, a reason, before they are approved. */
  roles: Role[] = $state([]);
  badge: string | undefined = $state();
  /** The badge is taken away, and no other comes in its place. */
  noBadge = $state(false);
  reason = $state("");
  /** The name behind the ID, as it is typed. */
  name = $state("");

  readonly #shell: Door & Staff;
  readonly #session: Session;
  #user = "";

  constructor(shell: Door & Staff, session: Session) {
    this.#shell = shell;
    this.#session = session;
    this.approving = new Approving(shell);
  }

  /** Whether the person changes accounts; others only read. */
  get changes(): boolean {
    return this.#session.may("add-person");
  }

  get person(): PersonLine | undefined {
    return this.list?.find(({ user }) => user === this.chosen);
  }

  /** Opens the room. What another person left half done is not there any more. */
  async show(): Promise<void> {
    const user = this.#session.now?.user ?? "";
    if (user !== this.#user) this.close();
    this.#user = user;
    await this.#read();
  }

  open(user: string): void {
    this.close();
    this.chosen = user;
  }

  add(): void {
    this.close();
    this.adding = true;
  }

  /** Back to the list, with nothing half done. */
  close(): void {
    this.chosen = undefined;
    this.adding = this.typing = false;
    this.draft.clear();
    this.choose(undefined);
    this.problem = this.done = undefined;
  }

  /** Begins a change, or none. */
  choose(deed: Deed | undefined): void {
    this.deed = deed;
    this.done = this.problem = this.badge = undefined;
    this.noBadge = false;
    this.reason = "";
    this.name = this.person?.name ?? "";
    this.roles = [...(this.person?.roles ?? [])];
    this.pin.reset();
    this.approving.cancel();
  }

  /** Keeps the name that was typed; it is in no record, so nobody approves it. */
  async keepName(): Promise<void> {
    const { person, name } = this;
    if (person) await this.#do(() => this.#shell.setName(person.user, name.trim()), "nameKept");
  }

  async forgetName(): Promise<void> {
    const { person } = this;
    if (person) await this.#do(() => this.#shell.forgetName(person.user), "nameGone");
  }

  /** Asks for the second administrator. */
  ask(): void {
    const { draft, person, reason } = this;
    if (this.adding) {
      const subject = `${draft.user.trim()} ${ordered(draft.roles).join("+")}`;
      this.approving.ask(actions.addPerson, subject, "", (approval) => this.#add(approval));
      return;
    }
    if (!person) return;
    const { user, active } = person;
    const ask = (action: Action, subject: string, why: string, call: (approval: number) => Promise<void>) => {
      this.approving.ask(action, subject, why, (approval) => this.#do(() => call(approval)));
    };
    if (this.deed === "roles") {
      const roles = ordered(this.roles);
      ask(actions.setRoles, `${user} ${roles.join("+")}`, "", (approval) =>
        this.#shell.setRoles(user, roles, approval),
      );
    } else if (this.deed === "badge") {
      const badge = this.noBadge ? null : this.badge;
      if (badge !== undefined)
        ask(actions.setBadge, user, "", (approval) => this.#shell.setBadge(user, badge, approval));
    } else if (this.deed === "pin") {
      ask(actions.resetPin, user, "", (approval) => this.#shell.resetPin(user, this.pin.take(), approval));
    } else if (active) {
      ask(actions.disablePerson, user, reason.trim(), (approval) =>
        this.#shell.disablePerson(user, reason.trim(), approval),
      );
    } else {
      ask(actions.enablePerson, user, reason.trim(), (approval) =>
        this.#shell.enablePerson(user, reason.trim(), approval),
      );
    }
  }

  async #add(approval: number): Promise<void> {
    const { user, name, badge, roles, pin } = this.draft;
    const person = {
      user: user.trim(),
      name: name.trim(),
      badge: badge ?? null,
      roles: ordered(roles),
      pin: pin.take(),
    };
    await this.#do(() => this.#shell.addPerson(person, approval));
    if (this.problem) return;
    this.open(person.user);
    this.done = "added";
  }

  async #do(call: () => Promise<unknown>, said: Done = "done"): Promise<void> {
    try {
      await call();
      this.choose(undefined);
      this.done = said;
      await this.#read();
    } catch (error) {
      this.pin.reset();
      this.problem = problemOf(error);
    }
  }

  async #read(): Promise<void> {
    try {
      this.list = await this.#shell.people();
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}
