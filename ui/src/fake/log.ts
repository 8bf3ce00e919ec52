// The devices of a log, made anew from their number whenever they are asked for: two years of a line take no memory.

import type { AttemptLine } from "../bindings/AttemptLine";

/** Attempts of a working day, one each so many milliseconds. */
const DAILY = 612;
const PACE = 78_000;
const DAY = 86_400_000;
/** Attempts of a work order. */
const ORDER = 1500;
/** Every so many attempts a device comes back that was keyed so many before. */
const RETURN = 997;
const BACK = 5000;
/** Records before the first attempt. */
const PREAMBLE = 4;

export const causes: Readonly<Record<string, { outcome: string; sentence: string }>> = {
  "not-proven": { outcome: "verify_mismatch", sentence: "The device could not prove that it holds the key." },
  silent: { outcome: "timeout", sentence: "The device does not answer." },
  unplugged: { outcome: "unplugged", sentence: "The device was unplugged." },
  "storage-failed": { outcome: "write_fail", sentence: "The device could not store the key." },
  "not-kept": { outcome: "verify_mismatch", sentence: "The key was not kept over the restart." },
  garbled: { outcome: "proto_error", sentence: "The device answers, but not as the protocol says." },
  swapped: { outcome: "swapped", sentence: "Another device answered after the write." },
  "already-keyed": { outcome: "refused", sentence: "The device already holds a key." },
  "no-identity": { outcome: "refused", sentence: "The device has no usable MAC address or serial number." },
};
/** How often each is met, in hundredths of all failures. */
const FAILURES = [
  ["not-proven", 41],
  ["silent", 63],
  ["unplugged", 79],
  ["storage-failed", 88],
  ["not-kept", 94],
  ["garbled", 98],
  ["swapped", 100],
] as const;

const OPERATORS = ["op-0117", "op-0121", "op-0098", "op-0133"];

export class FakeLog {
  /** Attempts that were there before the window was opened. */
  readonly made: number;
  /** Those since then, oldest first. */
  readonly since: AttemptLine[] = [];
  readonly #now: number;

  /** A log of `records` records at the time `now`, in milliseconds since 1970. */
  constructor(records: number, now: number) {
    this.made = Math.max(0, Math.floor((records - PREAMBLE) / 2));
    this.#now = now;
  }

  get attempts(): number {
    return this.made + this.since.length;
  }

  /** An attempt, by its number from 0, oldest first. */
  attempt(number: number): AttemptLine {
    const lately = this.since[number - this.made];
    if (lately) return lately;
    const fate = this.#fate(number);
    const device = this.#device(number);
    const seq = PREAMBLE + 2 * number;
    const refused = fate === "already-keyed" || fate === "no-identity";
    const cause = causes[fate];
    const nameless = fate === "no-identity";
    return {
      seq,
      time: this.#time(number),
      id: nameless ? "" : idOf(device),
      mac: nameless ? "" : macOf(device),
      serial: nameless ? "" : serialOf(device),
      job: `WO-${44192 - Math.floor((this.made - 1 - number) / ORDER)}`,
      operator: OPERATORS[(Math.floor(number / (DAILY / 2)) * 7) % OPERATORS.length] ?? "",
      key: refused ? "" : this.#key(number),
      port: port(number),
      mode: refused ? "refused" : this.#returns(number) ? "rekey" : "new",
      outcome: fate === "ok" || fate === "open" ? fate : (cause?.outcome ?? ""),
      code: cause ? fate : "",
      sentence: cause?.sentence ?? "",
      holds: refused ? "untouched" : fate === "ok" ? "new" : fate === "open" ? "open" : holds(fate),
      verified: fate === "ok" ? "challenge" : "none",
      cycleMs: refused || fate === "open" ? null : 1840 + 130 * (number % 4) + (hash(number + 7) % 900),
      outcomeRecord: refused || fate === "open" ? null : seq + 1,
    };
  }

  /** How many attempts there are before this record. */
  before(record: number): number {
    const late = this.since.findIndex(({ seq }) => seq >= record);
    if (late > 0) return this.made + late;
    return Math.min(this.made, Math.ceil((record - PREAMBLE) / 2));
  }

  /** The attempts on a device, oldest first. */
  of(id: string): AttemptLine[] {
    const numbers = new Set<number>();
    const device = numberOf(id);
    if (device !== undefined && device < this.made) {
      for (const start of [device, device + BACK]) {
        for (let at = start; at < this.made && this.#device(at) === device; at++) numbers.add(at);
      }
    }
    const rows = [...numbers].map((number) => this.attempt(number)).filter((row) => row.id === id);
    return [...rows, ...this.since.filter((row) => row.id === id)];
  }

  /** What came of an attempt: `ok`, `open`, or the code of a failure. */
  #fate(number: number): string {
    const chance = hash(number) % 1000;
    if (this.#returns(number)) return "ok";
    // Some weeks are worse than others, and so is a slot.
    const bad = 10 + (hash(Math.floor(number / (DAILY * 5))) % 9) + (number % 4 === 2 ? 5 : 0);
    if (chance < bad) {
      const kind = hash(number + 1) % 100;
      return FAILURES.find(([, most]) => kind < most)?.[0] ?? "swapped";
    }
    if (chance === 997) return "already-keyed";
    if (chance === 998 && hash(number + 2) % 3 === 0) return "no-identity";
    // The older ones were settled long ago.
    return chance === 999 && number > this.made - 3000 ? "open" : "ok";
  }

  /** The device of an attempt: one that failed is tried again at once. */
  #device(number: number): number {
    let at = this.#returns(number) ? number - BACK : number;
    while (
      at > 0 &&
      !this.#returns(at - 1) &&
      causes[this.#fate(at - 1)] &&
      this.#fate(at - 1) !== "no-identity"
    )
      at--;
    return at;
  }

  #returns(number: number): boolean {
    return number > BACK && number % RETURN === 500;
  }

  #key(number: number): string {
    return this.made - number < 60_000 ? "gk-2026a" : "gk-2025b";
  }

  /** Working days only, backwards from now. */
  #time(number: number): number {
    const back = this.made - 1 - number;
    const days = Math.floor(back / DAILY);
    const today = new Date(this.#now).getUTCDay() || 7;
    const weekends = Math.floor((days + Math.max(0, 5 - today)) / 5);
    return this.#now - (days + 2 * weekends) * DAY - (back % DAILY) * PACE - 60_000;
  }
}

export function checkValueOf(key: string): string {
  return key === "" ? "" : key === "gk-2026a" ? "7C1D0-A4E91" : "E03B6-9D27F";
}

function holds(code: string): string {
  return code === "not-proven" || code === "unplugged" ? "unknown" : "old";
}

function port(number: number): string {
  return `usb-1-1.${(number % 4) + 1}/0403:6001/FT9X${(number % 4) + 2}`;
}

export function idOf(device: number): string {
  return `sn-${serialOf(device)}-mac-${macOf(device).replace(/..(?!$)/g, "$&-")}`;
}

function serialOf(device: number): string {
  const digits = String(device % 1_000_000).padStart(6, "0");
  return `${digits.slice(0, 3)}-${digits.slice(3)}-${["abc", "abd", "abe"][Math.floor(device / 1_000_000)] ?? "abf"}`;
}

function macOf(device: number): string {
  return `a1b2c3${device.toString(16).padStart(6, "0")}`;
}

function numberOf(id: string): number | undefined {
  const [, mac] = /-mac-a1-b2-c3-((?:[0-9a-f]{2}-?){3})$/.exec(id) ?? [];
  return mac === undefined ? undefined : parseInt(mac.replaceAll("-", ""), 16);
}

/** Mixes a number well enough that nobody sees a pattern in the figures. */
function hash(number: number): number {
  let mixed = Math.imul(number + 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
