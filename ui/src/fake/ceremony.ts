// The key ceremony of the station that does not exist: two people, a component each, check values typed from paper.

import type { Ceremony } from "../bindings/Ceremony";
import type { ComponentOutcome } from "../bindings/ComponentOutcome";
import type { NewKey } from "../bindings/NewKey";
import type { Problem } from "../bindings/Problem";
import type { Side } from "../bindings/Side";
import type { SignIn } from "../bindings/SignIn";
import type { Who } from "../bindings/Who";
import { newCheckValue, type FakeKeys } from "./keys";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";

export class FakeCeremony {
  readonly #keys: FakeKeys;
  readonly #people: FakePeople;
  readonly #append: (event: string, outcome: string, operator: string) => void;

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
    return structuredClone(this.#keys.current);
  }

  begin(key: NewKey, checkValue: string): Promise<Ceremony> {
    const wrong = this.#keys.unfit(key);
    if (wrong) return refuse(wrong);
    if (!/^[0-9A-F]{10}$/.test(bare(checkValue))) return refuse(noCheckValue);
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
    const ceremony = this.#keys.current;
    if (ceremony?.phase !== "sign-in") return refuse(noCeremony);
    const { answer, account } = this.#people.check(who, pin);
    if (!account) return Promise.resolve(answer);
    const refused = (problem: Problem): Promise<SignIn> =>
      Promise.resolve({ outcome: "refused", triesLeft: null, waitSeconds: null, problem });
    if (!account.roles.includes("custodian")) return refused(noCustodian);
    if (ceremony.sides[at === 0 ? 1 : 0].user === account.user) return refused(samePerson);
    ceremony.sides[at].user = account.user;
    this.#append("auth.ok", "", account.user);
    if (ceremony.sides.every(({ user }) => user !== null)) ceremony.phase = "components";
    return Promise.resolve(answer);
  }

  component(at: 0 | 1): Promise<ComponentOutcome> {
    const ceremony = this.#keys.current;
    if (ceremony?.phase !== "components") return refuse(noCeremony);
    const { dialog } = this.#keys;
    if (typeof dialog === "object") return refuse(dialog);
    if (dialog === "cancelled") return Promise.resolve("cancelled");
    const side = ceremony.sides[at];
    // It is told only after it was typed from the paper.
    side.checkValue = "";
    this.#append("gk.component", "", side.user ?? "");
    return Promise.resolve("given");
  }

  confirm(at: 0 | 1, checkValue: string): Promise<boolean> {
    const ceremony = this.#keys.current;
    if (ceremony?.phase !== "components") return refuse(noCeremony);
    const side = ceremony.sides[at];
    const paper = this.#keys.papers[at];
    side.confirmed = side.checkValue !== null && bare(checkValue) === bare(paper);
    // What was given is wiped: a slip of the hand, or a component of another key.
    side.checkValue = side.confirmed ? paper : null;
    if (ceremony.sides.every(({ confirmed }) => confirmed)) ceremony.phase = "result";
    return Promise.resolve(side.confirmed);
  }

  finish(checkValue: string): Promise<Ceremony> {
    const ceremony = this.#keys.current;
    if (ceremony?.phase !== "result") return refuse(noCeremony);
    const agrees = [checkValue, ceremony.checkValue].every((value) => bare(value) === bare(newCheckValue));
    const [left, right] = ceremony.sides;
    if (agrees) {
      ceremony.phase = "done";
      this.#keys.put(ceremony.key, "ceremony", left.user ?? "", right.user ?? "");
    } else this.#end(ceremony, mismatch);
    return Promise.resolve(structuredClone(ceremony));
  }

  abort(): void {
    const ceremony = this.#keys.current;
    if (ceremony && ceremony.phase !== "done") this.#end(ceremony, null);
  }

  #end(ceremony: Ceremony, problem: Problem | null): void {
    ceremony.phase = "aborted";
    ceremony.problem = problem;
    this.#append("gk.abort", "aborted", this.#people.session.user);
  }
}

/** A check value without what only makes it easier to read. */
function bare(checkValue: string): string {
  return checkValue.replace(/[^0-9a-z]/gi, "").toUpperCase();
}

const noCeremony: Problem = {
  code: "state",
  sentence: "The ceremony is not at this point.",
  remedy: ["Begin the ceremony anew."],
};

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
  code: "same-person",
  sentence: "The other side has this person already.",
  remedy: ["The two components come from two people: fetch the other custodian."],
};

const mismatch: Problem = {
  code: "check-value",
  sentence: "The two components do not give the key of this check value. Both were wiped.",
  remedy: ["Compare both papers with what the portal says.", "Begin the ceremony anew."],
};
