// The audit room's side of the station that does not exist.

import type { AttemptLine } from "../bindings/AttemptLine";
import type { CheckPlaces } from "../bindings/CheckPlaces";
import type { CheckReport } from "../bindings/CheckReport";
import type { DenialLine } from "../bindings/DenialLine";
import type { DenialPage } from "../bindings/DenialPage";
import type { DeviceLife } from "../bindings/DeviceLife";
import type { Figures } from "../bindings/Figures";
import type { LifeEvent } from "../bindings/LifeEvent";
import type { Overview } from "../bindings/Overview";
import type { Problem } from "../bindings/Problem";
import type { Review } from "../bindings/Review";
import type { ReviewLine } from "../bindings/ReviewLine";
import type { Saved } from "../bindings/Saved";
import type { SearchPage } from "../bindings/SearchPage";
import type { TallyLine } from "../bindings/TallyLine";
import type { VerifyProgress } from "../bindings/VerifyProgress";
import type { VerifyVerdict } from "../bindings/VerifyVerdict";
import type { Archive } from "../shell";
import { denied } from "./denied";
import { finished } from "./finished";
import { checkValueOf, FakeLog } from "./log";
import { matches, parse } from "./query";
import { refuse } from "./refuse";

const WEEK = 7 * 86_400_000;

/** Appends a record and says its number. */
export type Append = (event: string, operator: string) => number;

export class FakeArchive implements Archive {
  readonly log: FakeLog;
  /** What is found to be wrong with the log, if anything is. */
  damage: Extract<VerifyVerdict, { state: "damaged" }> | undefined;
  /** How long a check takes for each twentieth of the log. */
  pace: (progress: VerifyProgress) => Promise<void> = () => Promise.resolve();
  /** The last review; none since the log was begun where it is missing. */
  reviewed: ReviewLine | undefined;

  /** What a look at a device finds; `null` where nobody opens the custody. */
  look: () => Promise<CheckReport | null> = () => Promise.resolve(finished);

  /** Who asked for what is not permitted, newest first. */
  denied: DenialLine[] = [];

  readonly #overview: Overview;
  readonly #append: Append;
  readonly #proofs = new Map<string, number>();
  /** The check that runs. */
  #check: { cancelled: boolean } | undefined;

  constructor(overview: Overview, append: Append, now = Date.now()) {
    this.#overview = overview;
    this.#append = append;
    this.log = new FakeLog(overview.records, now);
    this.denied = denied(overview.records, now);
    const to = Math.max(0, overview.records - 6000);
    this.reviewed = {
      seq: to + 1,
      time: now - (overview.reviewDue ? 9 : 3) * 86_400_000,
      reviewer: "qa-0007",
      from: Math.max(0, to - 7400),
      to,
      remark: "Slot 3 fails more often than the others: cable changed.",
    };
  }

  search(text: string, before: number | null, limit: number): Promise<SearchPage> {
    const query = parse(text);
    if ("code" in query) return refuse(query);
    const rows: AttemptLine[] = [];
    const start = before === null ? this.log.attempts : this.log.before(before);
    for (let number = start - 1; number >= 0; number--) {
      const row = this.log.attempt(number);
      if (row.time < query.from) break;
      if (!matches(query, row)) continue;
      if (rows.length === limit) return Promise.resolve({ rows, more: true });
      rows.push(row);
    }
    return Promise.resolve({ rows, more: false });
  }

  device(id: string): Promise<DeviceLife> {
    const attempts = this.log.of(id);
    const last = attempts.at(-1);
    if (!last) return refuse(noDevice);
    const keyed = attempts.findLast(({ outcome }) => outcome === "ok");
    const open = last.holds === "open" || last.holds === "unknown";
    const key = keyed?.key ?? "";
    return Promise.resolve({
      id,
      mac: last.mac,
      serial: last.serial,
      standing: open ? "open" : keyed ? "keyed" : last.mode === "refused" ? "refused" : "not-keyed",
      key,
      checkValue: checkValueOf(key),
      fingerprint: keyed ? fingerprint(id + key) : "",
      keyedRecord: keyed?.outcomeRecord ?? null,
      securedTo: this.#overview.anchor.record,
      events: attempts.flatMap(events),
    });
  }

  saveProof(id: string): Promise<Saved> {
    if (this.#overview.readOnly) return refuse(readOnly);
    if (this.log.of(id).length === 0) return refuse(noDevice);
    const name = id.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    const copies = (this.#proofs.get(name) ?? 0) + 1;
    this.#proofs.set(name, copies);
    const copy = copies === 1 ? "" : `-${copies}`;
    return Promise.resolve({ path: `/var/lib/keystation/exports/${name}${copy}.tlog-proof` });
  }

  async verify(onProgress: (progress: VerifyProgress) => void): Promise<VerifyVerdict> {
    if (this.#check) return refuse(busy);
    const check: { cancelled: boolean } = { cancelled: false };
    this.#check = check;
    const of = this.#overview.records;
    let done = 0;
    while (done < of && !check.cancelled) {
      onProgress({ done, of });
      await this.pace({ done, of });
      done = Math.min(of, done + Math.ceil(of / 20));
    }
    this.#check = undefined;
    if (check.cancelled) return { state: "cancelled", done };
    const { record, time } = this.#overview.anchor;
    const secured = record === null || time === null ? null : { witness: "QA-2", record, time };
    return this.damage ?? { state: "intact", records: of, root: "K7Q2A-4TNXD", head: of, secured };
  }

  cancelVerify(): Promise<void> {
    if (this.#check) this.#check.cancelled = true;
    return Promise.resolve();
  }

  figures(from: number, until: number, job: string | null): Promise<Figures> {
    const days = new Map<string, TallyLine>();
    const jobs = new Map<string, TallyLine>();
    const slots = new Map<string, TallyLine>();
    const times = new Map<string, number[]>();
    const causes = new Map<string, { code: string; sentence: string; count: number }>();
    for (let number = this.log.attempts - 1; number >= 0; number--) {
      const row = this.log.attempt(number);
      if (row.time < from) break;
      if (row.time >= until || (job !== null && row.job !== job)) continue;
      tally(days, new Date(row.time).toISOString().slice(0, 10), row);
      tally(jobs, row.job, row);
      tally(slots, row.port, row);
      if (row.outcome === "ok" && row.cycleMs !== null) within(times, row.port, () => []).push(row.cycleMs);
      const { code, sentence } = row;
      if (code !== "") within(causes, code, () => ({ code, sentence, count: 0 })).count++;
    }
    const byName = (a: TallyLine, b: TallyLine) => (a.name < b.name ? -1 : 1);
    return Promise.resolve({
      days: [...days.values()].sort(byName),
      jobs: [...jobs.values()].sort(byName),
      slots: [...slots.values()]
        .sort(byName)
        .map((line) => ({ tally: line, medianMs: median(times.get(line.name) ?? []) })),
      causes: [...causes.values()].sort((a, b) => b.count - a.count),
    });
  }

  denials(before: number | null, limit: number): Promise<DenialPage> {
    const older = this.denied.filter(({ seq }) => before === null || seq < before);
    const rows = older.slice(0, limit);
    return Promise.resolve({ rows, next: older.length > limit ? (rows.at(-1)?.seq ?? null) : null });
  }

  review(): Promise<Review> {
    const from = this.reviewed ? this.reviewed.to + 1 : 0;
    const to = this.#overview.records - 1;
    const attempts = new Map([["", empty("")]]);
    for (let number = this.log.attempts - 1; number >= 0; number--) {
      const row = this.log.attempt(number);
      if (row.seq < from) break;
      tally(attempts, "", row);
    }
    const due = this.#overview.reviewDue;
    return Promise.resolve({
      last: this.reviewed ?? null,
      due,
      from,
      to,
      attempts: attempts.get("") ?? empty(""),
      denials: this.denied.filter(({ seq }) => seq >= from).length,
    });
  }

  signReview(reviewer: string, to: number, remark: string): Promise<ReviewLine> {
    if (this.#overview.readOnly) return refuse(readOnly);
    const from = this.reviewed ? this.reviewed.to + 1 : 0;
    const seq = this.#append("review.signed", reviewer);
    this.reviewed = { seq, time: Date.now(), reviewer, from, to, remark };
    this.#overview.reviewDue = Date.now() - this.reviewed.time > WEEK;
    return Promise.resolve(this.reviewed);
  }

  checkPlaces(): Promise<CheckPlaces> {
    if (this.#overview.readOnly) return refuse(readOnly);
    const slots = this.#overview.slots.map(({ number, port, profile }) => ({
      port,
      slot: number,
      profile: `${profile}.toml`,
    }));
    const titles = [...new Set(this.#overview.slots.map(({ profile }) => profile))];
    const ports = [...slots, { port: "/dev/ttyUSB7", slot: null, profile: "" }];
    return Promise.resolve({ ports, profiles: titles.map((title) => ({ file: `${title}.toml`, title })) });
  }

  async checkDevice(): Promise<CheckReport | null> {
    const report = await this.look();
    if (report) this.#append("check.result", this.#overview.session.user);
    return report;
  }
}

/** The records of an attempt. */
function events(row: AttemptLine): LifeEvent[] {
  const common = {
    code: "",
    sentence: "",
    operator: row.operator,
    approver: "",
    role: "operator",
    key: row.key,
    checkValue: checkValueOf(row.key),
    job: row.job,
    port: row.port,
    firmware: "",
    mode: "",
    reason: "",
    holds: "",
    verified: "",
    refersTo: null,
  };
  const outcome = { outcome: row.outcome, code: row.code, sentence: row.sentence, holds: row.holds };
  if (row.mode === "refused")
    return [{ ...common, ...outcome, seq: row.seq, time: row.time, event: "inject.refuse" }];
  const again = row.mode === "rekey";
  const intent: LifeEvent = {
    ...common,
    seq: row.seq,
    time: row.time,
    event: "inject.intent",
    outcome: "",
    approver: again ? "sv-0004" : "",
    firmware: "2.4.1",
    mode: row.mode,
    reason: again ? "returned: key rotation" : "",
  };
  if (row.outcomeRecord === null) return [intent];
  const result: LifeEvent = {
    ...common,
    ...outcome,
    seq: row.outcomeRecord,
    time: row.time + (row.cycleMs ?? 0),
    event: "inject.result",
    verified: row.verified,
    refersTo: row.seq,
  };
  return [intent, result];
}

function tally(lines: Map<string, TallyLine>, name: string, { outcome }: AttemptLine): void {
  const line = within(lines, name, () => empty(name));
  line[outcome === "ok" ? "passed" : outcome === "refused" || outcome === "open" ? outcome : "failed"]++;
}

function empty(name: string): TallyLine {
  return { name, passed: 0, failed: 0, refused: 0, open: 0 };
}

function within<T>(map: Map<string, T>, name: string, make: () => T): T {
  const known = map.get(name) ?? make();
  map.set(name, known);
  return known;
}

function median(times: number[]): number | null {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? null;
}

/** 24 hexadecimal digits that look like a fingerprint. */
function fingerprint(text: string): string {
  let mixed = 7;
  return Array.from({ length: 24 }, (_, at) => {
    mixed = (Math.imul(mixed, 31) + (text.charCodeAt(at % text.length) || 1)) >>> 0;
    return ((mixed >>> 5) % 16).toString(16);
  }).join("");
}

const noDevice: Problem = {
  code: "no-device",
  sentence: "The log has no device of this registration ID.",
  remedy: ["Compare the ID with the label.", "Search for its MAC address or serial number."],
};

const busy: Problem = {
  code: "busy",
  sentence: "The log is being checked already.",
  remedy: ["Wait for the verdict, or cancel."],
};

const readOnly: Problem = {
  code: "read-only",
  sentence: "This window only reads the log.",
  remedy: ["Use the station's own window."],
};
