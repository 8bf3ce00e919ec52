// The words of sign-in, session and accounts. A remedy names a role, never a person.

import type { AccountChange } from "../bindings/AccountChange";
import type { Custody } from "../bindings/Custody";
import type { KeySlot } from "../bindings/KeySlot";
import type { PersonLine } from "../bindings/PersonLine";
import { ROLE_SETS, ROLES } from "../bindings/Policy";
import type { Role } from "../bindings/Role";
import type { SignIn } from "../bindings/SignIn";
import type { Problem } from "../bindings/Problem";
import { approvers, type Asked } from "../actions";
import { visible } from "../identifier";
import { count } from "../text";
import { words } from "../words.svelte";
import { date } from "./audit";

/** What is said beside a field: what happened, what to do, and what only an engineer asks for. */
export interface Sentence {
  sentence: string;
  steps: readonly string[];
  code?: string;
  /** In English. */
  detail?: string;
}

export function roleWords(held: readonly Role[]): string {
  return held.map((role) => words.door.roles[role]).join(" · ");
}

/** Why these roles do not stand together; nothing where they do, or where there are none yet. */
export function together(held: readonly Role[]): string | undefined {
  if (held.length === 0 || ROLE_SETS.includes(ordered(held).join("+"))) return undefined;
  return held.includes("qa") ? words.people.qaAlone : words.people.administratorAlone;
}

/** In the order in which the log has them: an approval is for that text. */
export function ordered(held: readonly Role[]): Role[] {
  return ROLES.filter((role) => held.includes(role));
}

/** What the station said to a PIN, in words: what happened, and what to do. */
export function answerWords({ outcome, triesLeft, problem }: SignIn): Sentence {
  const { answer } = words.door;
  const left = triesLeft === null ? [] : [answer.triesLeft(triesLeft)];
  switch (outcome) {
    case "wrong":
      return { sentence: answer.wrong, steps: left };
    case "wait":
      return { sentence: answer.wait, steps: left };
    case "locked-out":
      return { sentence: answer.lockedOut, steps: [answer.lockedOutStep] };
    default:
      return problem ? problemSentence(problem) : { sentence: answer.refused, steps: [] };
  }
}

/** A problem, as it is said beside a field. */
export function problemSentence(problem: Problem): Sentence {
  const { remedy, ...said } = words.problem(problem);
  return { ...said, steps: remedy, code: problem.code };
}

/** How long to wait, read at a glance. */
export function waiting(seconds: number): string {
  const { answer } = words.door;
  return seconds > 90 ? answer.waitMinutes(Math.ceil(seconds / 60)) : answer.waitSeconds(seconds);
}

/** What is wrong with an account, in a word; empty where nothing is. */
export function standing({ active, lockedOut, mustChangePin }: PersonLine): string {
  if (!active) return words.people.disabled;
  if (lockedOut) return words.people.lockedOut;
  return mustChangePin ? words.people.oneTimePin : "";
}

/** What changed an account last, by whom, when. */
export function changedLast({ seq, time, event, operator, approver }: AccountChange): string {
  const by = [operator, approver].filter((user) => user !== "").map(visible);
  const said = words.people;
  return said.changed(visible(words.event(event)), by.join(said.with), date(time), count(seq));
}

/** What is approved, as a sentence to the second person. */
export function asked(action: string, subject: string): string {
  const [first = "", second = "", ...rest] = subject.split(" ");
  const sentence = words.people.asked[action as Asked];
  if (rest.length > 0) return sentence(first, announced(second, rest));
  const wide = ROLES.some((role) => second.split("+").includes(role));
  const more = wide ? second.split("+").map((role) => words.door.roles[role as Role]) : [second];
  return sentence(first, more.join(words.people.and));
}

/** What a key that is to come in is said to be: all that is approved with it. */
function announced(group: string, [scope = "", slot = "", checkValue = "", custody = ""]: string[]): string {
  const { custodies, slots } = words.keys;
  return words.people.announced(
    group,
    scope,
    slots[slot as KeySlot],
    checkValue,
    custodies[custody as Custody],
  );
}

/** Who has to come. */
export function fetch(action: string): string {
  return words.people.fetch(
    approvers(action)
      .map((role) => words.door.roles[role])
      .join(words.people.or),
  );
}
