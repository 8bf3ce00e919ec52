// What a language has to say. English is the source: a message that is missing in another language, or that English
// does not have, is an error of the type check.

import type { FailureCode, ProblemCode, SafetyWord } from "../bindings/Codes";
import type { audit } from "./en/audit";
import type { door } from "./en/door";
import type { events, outcomes } from "./en/events";
import type { keys } from "./en/keys";
import type { line } from "./en/line";
import type { orders } from "./en/orders";
import type { people } from "./en/people";
import type { repair } from "./en/repair";
import type { Told } from "./told";

export type LineWords = typeof line;
export type DoorWords = typeof door;
export type PeopleWords = typeof people;
export type KeysWords = typeof keys;
export type OrdersWords = typeof orders;
export type RepairWords = typeof repair;
export type AuditWords = typeof audit;
export type EventWords = typeof events;
export type OutcomeWords = typeof outcomes;
export type FailureWords = Readonly<Record<FailureCode, Told>>;
export type CauseWords = Readonly<Record<FailureCode, string>>;
export type SafetyWords = Readonly<Record<SafetyWord, string>>;
export type ProblemWords = Readonly<Record<ProblemCode, Told>>;

export interface Messages {
  line: LineWords;
  door: DoorWords;
  people: PeopleWords;
  keys: KeysWords;
  orders: OrdersWords;
  repair: RepairWords;
  audit: AuditWords;
  events: EventWords;
  outcomes: OutcomeWords;
  failures: FailureWords;
  /** Failures in a word or two. Nothing in English, where the code itself is made of words. */
  causes: CauseWords | undefined;
  safety: SafetyWords;
  /** Nothing in English: there the station's own sentence stands, which has the path or the number in it. */
  problems: ProblemWords | undefined;
}
