// The words of the audit room. Times are UTC there: months later nobody knows where the reader sits.

import type { AttemptLine } from "../bindings/AttemptLine";
import type { DeviceLife } from "../bindings/DeviceLife";
import type { LifeEvent } from "../bindings/LifeEvent";
import type { Secured } from "../bindings/Secured";
import type { TallyLine } from "../bindings/TallyLine";
import type { VerifyVerdict } from "../bindings/VerifyVerdict";
import { count } from "../text";
import { words } from "../words.svelte";

export const views = { search: "Search", figures: "Figures", verify: "Verify", review: "Review" } as const;

export const searching = {
  placeholder: "MAC, serial, ID, work order, or op:op-0117 from:2026-11-01",
  help: "A value in any spelling, or fields: mac: sn: id: job: op: key: outcome: from: to:",
  none: "Nothing was found.",
  nothing: "No device was on a port yet.",
  keys: "↑ ↓ select · Enter opens · Ctrl+C copies the row · / search",
} as const;

/** How something is known: seen, only meant, or not known. Each has a shape of its own. */
export type Knowledge = "observed" | "intended" | "unknown" | "refused" | "failed";

export const knowledge: Readonly<Record<Knowledge, string>> = {
  observed: "Observed",
  failed: "Failed, observed",
  intended: "Intended, or not verified",
  unknown: "Unknown",
  refused: "Refused, nothing written",
};

/** What came of an attempt: how it is known, and in words. */
export function attempt({ mode, outcome, holds }: AttemptLine): { known: Knowledge; word: string } {
  if (outcome === "ok") return { known: "observed", word: mode === "rekey" ? "Re-keyed" : "PASS" };
  if (outcome === "open") return { known: "unknown", word: "OPEN" };
  if (outcome === "refused") return { known: "refused", word: "Refused" };
  // Not known when it failed; what came of the device since then is on its page.
  const known = holds === "unknown" ? "unknown" : "failed";
  return { known, word: `FAIL: ${words.outcome(outcome)}` };
}

const verifications: Readonly<Record<string, string>> = {
  challenge: "Proved by challenge",
  digest: "Digest compared",
  "read-back": "Read back and compared",
  none: "Not verified",
  "": "Not verified",
};

const held: Readonly<Record<string, string>> = {
  new: "holds the new key",
  old: "holds what it held before",
  unknown: "may hold either key",
  untouched: "was not written to",
};

/** How an event of a device's life is known, and what happened. */
export function lived(event: LifeEvent, life: readonly LifeEvent[]): { known: Knowledge; word: string } {
  const { event: name, outcome, holds } = event;
  const about = life.find(({ seq }) => seq === event.refersTo) ?? event;
  const again = about.mode === "rekey";
  const because = words.outcome(outcome);
  switch (name) {
    case "inject.intent":
      return { known: "intended", word: again ? "About to re-key" : "About to write" };
    case "inject.refuse":
      return { known: "refused", word: "Refused" };
    case "inject.result":
    case "inject.resolve": {
      const settled = name === "inject.resolve" ? "Settled: " : "";
      if (outcome === "ok") {
        const word = again ? "Re-keyed" : "Keyed";
        return { known: proven(event) ? "observed" : "intended", word: settled + word };
      }
      if (holds === "unknown") return { known: "unknown", word: `Outcome unknown: ${because}` };
      return { known: "failed", word: `${settled}Failed: ${because}` };
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
  const holding = held[holds] ?? holds;
  if (event === "inject.intent") {
    const outcome = life.some(({ refersTo }) => refersTo === seq);
    return { how: outcome ? "Intended: outcome below" : "Intended: no outcome is recorded", holds: "" };
  }
  if (event !== "inject.result" && event !== "inject.resolve") return { how: "", holds: holding };
  if (holds === "unknown") return { how: "Unknown", holds: holding };
  return { how: verifications[how] ?? how, holds: holding };
}

/** The word that is read from a metre away, and what it means. */
export const standings: Readonly<Record<DeviceLife["standing"], { word: string; means: string }>> = {
  keyed: { word: "KEYED", means: "It proved that it holds this key." },
  open: {
    word: "OPEN: do not ship",
    means: "A write was begun, and nobody knows what came of it. Plug it in again to settle it.",
  },
  "not-keyed": { word: "NOT KEYED", means: "No write to it came to a good end." },
  refused: { word: "REFUSED", means: "It was seen, and nothing was written to it." },
};

/** Whether somebody outside of this machine vouches for the records of a device. */
export function vouched({ securedTo, keyedRecord, events: life }: DeviceLife): string {
  if (securedTo === null) return "No witness has seen this log: only this machine vouches for it.";
  const last = Math.max(keyedRecord ?? 0, ...life.map(({ seq }) => seq));
  const to = `Secured to record ${count(securedTo)} by a witness`;
  if (last <= securedTo) return `${to}: all of this.`;
  return `${to}: what is newer has only this machine’s word.`;
}

/** The verdict on a log, in a sentence, and how far others vouch for it. */
export function verdict(said: VerifyVerdict): { sentence: string; more: string[] } {
  switch (said.state) {
    case "intact": {
      const more = [vouchedFor(said.secured, said.records)];
      if (said.head < said.records)
        more.push(
          `The head beside the database covers ${count(said.head)} records: the station was stopped while it wrote, or is at work.`,
        );
      return {
        sentence: `Complete and unaltered: ${count(said.records)} records, up to checkpoint ${said.root}.`,
        more,
      };
    }
    case "damaged": {
      const first = Math.min(...said.findings.map(({ record }) => record ?? Infinity));
      const whole = Number.isFinite(first) ? `Damaged from record ${count(first)} on.` : "Not in order.";
      return { sentence: whole, more: [] };
    }
    case "cancelled":
      return {
        sentence: `Cancelled after ${count(said.done)} records.`,
        more: ["What was checked says nothing about the rest: verify again before you rely on the log."],
      };
  }
}

function vouchedFor(secured: Secured | null, records: number): string {
  if (!secured) return "No witness has seen it: only this machine vouches for it.";
  const { witness, record, time } = secured;
  const rest = records - 1 - record;
  const seen = `Seen by witness ${witness} up to record ${count(record)}, on ${date(time)}.`;
  if (rest <= 0) return seen;
  return `${seen} The ${count(rest)} newer ${rest === 1 ? "record has" : "records have"} only this machine’s word.`;
}

/** `2026-11-21 14:02:07`. */
export function moment(time: number): string {
  return iso(time).slice(0, 19).replace("T", " ");
}

/** `21 Nov 2026, 14:02 UTC`. */
export function date(time: number): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "?";
  const day = at.toLocaleDateString("en-GB", {
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
  return value === undefined ? "–" : `${value.toFixed(digits)}\u00a0%`;
}

export function seconds(ms: number | null): string {
  return ms === null ? "–" : `${(ms / 1000).toFixed(1)}\u00a0s`;
}

/** An address as it stands on a label: `a1:b2:c3:d4:e5:f6`. */
export function macOf(digits: string): string {
  return /^[0-9a-f]{12}$/i.test(digits) ? digits.replace(/..(?!$)/g, "$&:") : digits;
}

/** A code, such as `not-proven`, as a short name. */
export function nameOf(code: string): string {
  const words = code.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
