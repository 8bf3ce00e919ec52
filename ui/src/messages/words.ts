// What a language has to say. English is the source: a message that is missing in another language, or that English
// does not have, is an error of the type check.

import type { FailureCode, ProblemCode, SafetyWord } from "../bindings/Codes";
import type { door } from "./en/door";
import type { events, outcomes } from "./en/events";
import type { line } from "./en/line";
import type { Told } from "./told";

export type LineWords = typeof line;
export type DoorWords = typeof door;
export type EventWords = typeof events;
export type OutcomeWords = typeof outcomes;
export type FailureWords = Readonly<Record<FailureCode, Told>>;
export type SafetyWords = Readonly<Record<SafetyWord, string>>;
export type ProblemWords = Readonly<Record<ProblemCode, Told>>;

export interface Messages {
  line: LineWords;
  door: DoorWords;
  events: EventWords;
  outcomes: OutcomeWords;
  failures: FailureWords;
  safety: SafetyWords;
  /** Nothing in English: there the station's own sentence stands, which has the path or the number in it. */
  problems: ProblemWords | undefined;
}
