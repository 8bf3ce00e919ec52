// What the log says of devices and of itself, in words. Times are UTC: months later nobody knows where the reader sits.

import type { AttemptLine } from "../bindings/AttemptLine";
import { FAILURES, type FailureCode } from "../bindings/Codes";
import type { DeviceLife } from "../bindings/DeviceLife";
import type { LifeEvent } from "../bindings/LifeEvent";
import type { Secured } from "../bindings/Secured";
import type { TallyLine } from "../bindings/TallyLine";
import type { VerifyVerdict } from "../bindings/VerifyVerdict";
import type { Knowledge } from "../messages/en/audit";
import { count, dates, decimal } from "../text";
import { words } from "../words.svelte";

export type { Knowledge };

/** All of them, as the legend has them. */
export const KNOWLEDGE = [
  "observed",
  "failed",
  "intended",
  "unknown",
  "refused",
] as const satisfies readonly Knowledge[];

/** The text of a word that came from the log; where this window does not know it, the word itself. */
function named(table: Readonly<Record<string, string>>, word: string): string {
  return (Object.hasOwn(table, word) ? table[word] : undefined) ?? word;
}

/** What came of an attempt: how it is known, and in words. */
export function attempt({ mode, outcome, holds }: AttemptLine): { known: Knowledge; word: string } {
  const said = words.audit.attempt;
  if (outcome === "ok") return { known: "observed", word: mode === "rekey" ? said.rekeyed : "PASS" };
  if (outcome === "open") return { known: "unknown", word: said.open };
  if (outcome === "refused") return { known: "refused", word: said.refused };
  // Not known when it failed; what came of the device since then is on its page.
  const known = holds === "unknown" ? "unknown" : "failed";
  return { known, word: said.fail(words.outcome(outcome)) };
}

/** How an event of a device's life is known, and what happened. */
export function lived(event: LifeEvent, life: readonly LifeEvent[]): { known: Knowledge; word: string } {
  const { event: name, outcome, holds } = event;
  // An intent speaks for itself: what it refers to is the key of before.
  const of = name === "inject.intent" ? undefined : life.find(({ seq }) => seq === event.refersTo);
  const about = of ?? event;
  const again = about.mode === "rekey";
  const because = words.outcome(outcome);
  const said = words.audit.lived;
  switch (name) {
    case "inject.intent":
      return { known: "intended", word: again ? said.aboutToRekey : said.aboutToWrite };
    case "inject.refuse":
      return { known: "refused", word: said.refused };
    case "inject.result":
    case "inject.resolve": {
      const settled = (word: string) => (name === "inject.resolve" ? said.settled(word) : word);
      if (outcome === "ok") {
        const word = again ? said.rekeyed : said.keyed;
        return { known: proven(event) ? "observed" : "intended", word: settled(word) };
      }
      if (holds === "unknown") return { known: "unknown", word: said.outcomeUnknown(because) };
      return { known: "failed", word: settled(said.failed(because)) };
    }
    default:
      return { known: "observed", word: words.event(name) };
  }
}

function proven({ verified }: LifeEvent): boolean {
  return verified !== "" && verified !== "none";
}

/** How that was verified, and what the device holds then. Empty where there was nothing to verify. */
export function verified(
  { seq, event, verified: how, holds }: LifeEvent,
  life: readonly LifeEvent[],
): { how: string; holds: string } {
  const { held, lived: said, verifications } = words.audit;
  const holding = named(held, holds);
  if (event === "inject.intent") {
    const outcome = life.some(({ refersTo }) => refersTo === seq);
    return { how: outcome ? said.outcomeBelow : said.noOutcome, holds: "" };
  }
  if (event !== "inject.result" && event !== "inject.resolve") return { how: "", holds: holding };
  if (holds === "unknown") return { how: said.unknown, holds: holding };
  return { how: how === "" ? verifications.none : named(verifications, how), holds: holding };
}

/** What happened, by its code; of a code that this window does not know what the log has said. */
export function happened({ code, sentence }: { code: string; sentence: string }): string {
  return Object.hasOwn(FAILURES, code) ? words.failures[code as FailureCode].sentence : sentence;
}

/** Whether somebody outside of this machine vouches for the records of a device. */
export function vouched({ securedTo, keyedRecord, events: life }: DeviceLife): string {
  const said = words.audit.device;
  if (securedTo === null) return said.noWitness;
  const last = Math.max(keyedRecord ?? 0, ...life.map(({ seq }) => seq));
  return last <= securedTo ? said.allSecured(count(securedTo)) : said.partSecured(count(securedTo));
}

/** The verdict on a log, in a sentence, and how far others vouch for it. */
export function verdict(came: VerifyVerdict): { sentence: string; more: string[] } {
  const said = words.audit.verify;
  switch (came.state) {
    case "intact": {
      const more = [vouchedFor(came.secured, came.records)];
      if (came.head < came.records) more.push(said.behind(count(came.head)));
      return { sentence: said.intact(count(came.records), came.root), more };
    }
    case "damaged": {
      const first = Math.min(...came.findings.map(({ record }) => record ?? Infinity));
      return { sentence: Number.isFinite(first) ? said.damagedFrom(count(first)) : said.damaged, more: [] };
    }
    case "cancelled":
      return { sentence: said.cancelled(count(came.done)), more: [said.cancelledSays] };
  }
}

function vouchedFor(secured: Secured | null, records: number): string {
  const said = words.audit.verify;
  if (!secured) return said.noWitness;
  const { witness, record, time } = secured;
  const rest = records - 1 - record;
  const seen = said.seen(witness, count(record), date(time));
  return rest <= 0 ? seen : `${seen} ${said.rest(rest, count(rest))}`;
}

/** `2026-11-21 14:02:07`. */
export function moment(time: number): string {
  return iso(time).slice(0, 19).replace("T", " ");
}

/** `21 Nov 2026, 14:02 UTC`. */
export function date(time: number): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "?";
  const day = at.toLocaleDateString(dates(), {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day}, ${iso(time).slice(11, 16)} UTC`;
}

function iso(time: number): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? "?" : at.toISOString();
}

/** `98.4 %` of the devices that were written to; `undefined` where there was none. */
export function yieldOf({ passed, failed }: TallyLine): number | undefined {
  return passed + failed === 0 ? undefined : (100 * passed) / (passed + failed);
}

export function percent(value: number | undefined, digits = 1): string {
  return value === undefined ? "–" : `${decimal(value, digits)}\u00a0%`;
}

export function seconds(ms: number | null): string {
  return ms === null ? "–" : `${decimal(ms / 1000, 1)}\u00a0s`;
}

/** An address as it stands on a label: `a1:b2:c3:d4:e5:f6`. */
export function macOf(digits: string): string {
  return /^[0-9a-f]{12}$/i.test(digits) ? digits.replace(/..(?!$)/g, "$&:") : digits;
}
