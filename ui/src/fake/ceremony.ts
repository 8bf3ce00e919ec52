// The key ceremony of the station that does not exist: two people, a component each, check values typed from paper.

import type { Ceremony } from "../bindings/Ceremony";
import type { ComponentOutcome } from "../bindings/ComponentOutcome";
import type { NewKey } from "../bindings/NewKey";
import type { Problem } from "../bindings/Problem";
import type { Side } from "../bindings/Side";
import type { SignIn } from "../bindings/SignIn";
import type { Who } from "../bindings/Who";
import { bare, newCheckValue, type FakeKeys } from "./keys";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";

/** How long a sign-in is good for, in milliseconds, before its component begins to be entered. */
const SIGN_IN = 300_000;

export class FakeCeremony {
  readonly #keys: FakeKeys;
  readonly #people: FakePeople;
  readonly #append: (event: string, outcome: string, operator: string) => void;
  /** When each side signed in. */
  readonly #since: [number, number] = [0, 0];

  constructor(
    keys: FakeKeys,
    people: FakePeople,
    append: (event: string, outcome: string, operator: string) => void,
  ) {
    this.#keys = keys;
    this.#people = people;
    this.#append = append;
  }

  read(): Ceremony | null {
    this.#settle();
    return structuredClone(this.#keys.current);
  }

  begin(key: NewKey, checkValue: string): Promise<Ceremony> {
    if (!/^[0-9A-F]{10}$/.test(bare(checkValue))) return refuse(noCheckValue);
    const wrong = this.#keys.unfit(key);
    if (wrong) return refuse(wrong);
    if (this.#running()) return refuse(running);
    const side = (): Side => ({ user: null, checkValue: null, confirmed: false });
    const ceremony: Ceremony = {
      id: "4d1c7e90b2a85f36",
      key,
      checkValue,
      sides: [side(), side()],
      phase: "sign-in",
      problem: null,
    };
    this.#keys.current = ceremony;
    return Promise.resolve(structuredClone(ceremony));
  }

  signIn(at: 0 | 1, who: Who, pin: string): Promise<SignIn> {
    const ceremony = this.#running();
    if (!ceremony) return refuse(noCeremony);
    const side = ceremony.sides[at];
    if (side.checkValue !== null) return refuse(turn("this component was given"));
    const { answer, account } = this.#people.check(who, pin);
    if (!account) return Promise.resolve(answer);
    const refused = (problem: Problem): Promise<SignIn> =>
      Promise.resolve({ outcome: "refused", triesLeft: null, waitSeconds: null, problem });
    if (!account.roles.includes("custodian")) return refused(noCustodian);
    if (ceremony.sides[at === 0 ? 1 : 0].user === account.user) return refused(samePerson);
    side.user = account.user;
    this.#since[at] = this.#people.now();
    this.#append("auth.ok", "", account.user);
    this.#settle();
    return Promise.resolve(answer);
  }

  component(at: 0 | 1): Promise<ComponentOutcome> {
    const ceremony = this.#running();
    if (!ceremony) return refuse(noCeremony);
    const side = ceremony.sides[at];
    if (side.checkValue !== null) return refuse(turn("this component was given"));
    if (side.user === null) return refuse(signInFirst(at));
    const { dialog } = this.#keys;
    if (typeof dialog === "object") return refuse(dialog);
    if (dialog === "cancelled") return Promise.resolve("cancelled");
    // It is told only after it was typed from the paper.
    side.checkValue = "";
    this.#append("gk.component", "", side.user);
    return Promise.resolve("given");
  }

  confirm(at: 0 | 1, checkValue: string): Promise<boolean> {
    const ceremony = this.#running();
    if (!ceremony) return refuse(noCeremony);
    const side = ceremony.sides[at];
    const paper = this.#keys.papers[at];
    if (side.checkValue === null) return refuse(turn("this component is missing"));
    if (side.confirmed) return refuse(turn("this component was confirmed"));
    if (bare(checkValue) !== bare(paper)) {
      this.#end(ceremony, componentCheck);
      return Promise.resolve(false);
    }
    side.confirmed = true;
    side.checkValue = paper;
    this.#settle();
    return Promise.resolve(true);
  }

  finish(checkValue: string): Promise<Ceremony> {
    const ceremony = this.#running();
    if (!ceremony) return refuse(noCeremony);
    if (ceremony.phase !== "result") return refuse(turn("a component is missing, or not confirmed"));
    const agrees = [checkValue, ceremony.checkValue].every((value) => bare(value) === bare(newCheckValue));
    const [left, right] = ceremony.sides;
    if (agrees) {
      ceremony.phase = "done";
      this.#keys.put(ceremony.key, "ceremony", left.user ?? "", right.user ?? "");
    } else this.#end(ceremony, keyCheck);
    return Promise.resolve(structuredClone(ceremony));
  }

  abort(): void {
    const ceremony = this.#running();
    if (ceremony) this.#end(ceremony, asked);
  }

  /** The one that is under way, with nobody seated whose sign-in has run out. */
  #running(): Ceremony | undefined {
    this.#settle();
    const { current } = this.#keys;
    return current && current.phase !== "done" && current.phase !== "aborted" ? current : undefined;
  }

  #settle(): void {
    const { current } = this.#keys;
    if (!current || current.phase === "done" || current.phase === "aborted") return;
    current.sides.forEach((side, at) => {
      if (side.checkValue === null && this.#people.now() > (this.#since[at] ?? 0) + SIGN_IN) side.user = null;
    });
    if (current.sides.every(({ confirmed }) => confirmed)) current.phase = "result";
    else if (current.sides.some(({ confirmed, user }) => !confirmed && user !== null))
      current.phase = "components";
    else current.phase = "sign-in";
  }

  #end(ceremony: Ceremony, problem: Problem): void {
    ceremony.phase = "aborted";
    ceremony.problem = problem;
    this.#append("gk.abort", "aborted", this.#people.session.user);
  }
}

const noCeremony: Problem = {
  code: "no-ceremony",
  sentence: "There is no key ceremony.",
  remedy: ["Begin one."],
};

const running: Problem = {
  code: "ceremony-running",
  sentence: "A key ceremony is going on.",
  remedy: ["Finish it, or give it up."],
};

function turn(why: string): Problem {
  return {
    code: "ceremony-turn",
    sentence: `That is not what comes next: ${why}.`,
    remedy: ["Go on with what the screen shows."],
  };
}

function signInFirst(at: 0 | 1): Problem {
  return {
    code: "ceremony-sign-in",
    sentence: `The custodian of component ${at + 1} has to sign in.`,
    remedy: ["Sign in with badge and PIN."],
  };
}

const noCheckValue: Problem = {
  code: "check-value",
  sentence: "That is no check value: it has ten of 0-9 and A-F.",
  remedy: ["Read it from the paper again."],
};

const noCustodian: Problem = {
  code: "role",
  sentence: "Only a custodian gives a component.",
  remedy: ["Fetch the custodian."],
};

const samePerson: Problem = {
  code: "approval-same-person",
  sentence: "The other side has this person already.",
  remedy: ["The two components come from two people: fetch the other custodian."],
};

function ended(why: string, ...remedy: string[]): Problem {
  return {
    code: "ceremony-aborted",
    sentence: `The key ceremony ended, and every component is wiped: ${why}.`,
    remedy: ["Begin again.", ...remedy],
  };
}

const componentCheck = ended(
  "the component does not have the check value that was typed",
  "Compare the paper with what is typed: 0 and O, 1, l and I.",
);

const keyCheck = ended(
  "the components do not make the key of the check value that was typed",
  "Again: call the owner of the key, the papers do not belong together.",
);

const asked = ended("it was given up");
