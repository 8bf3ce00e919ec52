// Batches of repair at the station that does not exist.

import type { BatchFrom } from "../bindings/BatchFrom";
import type { BatchLine } from "../bindings/BatchLine";
import type { BatchNow } from "../bindings/BatchNow";
import type { BatchPage } from "../bindings/BatchPage";
import type { BatchRequest } from "../bindings/BatchRequest";
import type { OddDevice } from "../bindings/OddDevice";
import type { RekeyWhy } from "../bindings/RekeyWhy";
import { checkValueOf } from "./log";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";
import { reasonless, reasonOf, type FakeRepair } from "./repair";

const closed: BatchLine = {
  id: "RK-1",
  time: Date.UTC(2026, 10, 12, 7, 30),
  by: "op-0117",
  approver: "sv-0004",
  reason: "leaked-key",
  note: "",
  devices: 240,
  key: "gk-2026b",
  checkValue: "91D4C-0B7FE",
  from: null,
  closed: { asked: 240, done: 236, failed: 1, missing: 3, unexpected: 2 },
  end: 4981,
};

export const rotation: BatchLine = {
  ...closed,
  id: "RK-2",
  time: Date.UTC(2026, 10, 24, 6, 5),
  reason: "key-rotation",
  devices: 1842,
  from: "gk-2026a",
  closed: null,
  end: null,
};

export const odd: OddDevice[] = [
  { device: "sn-007-888-ab2-mac-a1-b2-c3-d4-e5-02", unexpected: false, code: "not-kept" },
  { device: "sn-009-114-ff1-mac-a1-b2-c3-d4-77-10", unexpected: true, code: "not-of-batch" },
];

export class FakeBatches {
  lines: BatchLine[] = [rotation, closed];
  now: BatchNow | undefined;
  odd: OddDevice[] = odd;
  done = 1204;

  readonly #shop: FakeRepair;
  readonly #people: FakePeople;
  readonly #append: (event: string, id: string) => number;
  #asked: { line: BatchLine; request: BatchRequest["request"] } | undefined;

  constructor(shop: FakeRepair, people: FakePeople, append: (event: string, id: string) => number) {
    this.#shop = shop;
    this.#people = people;
    this.#append = append;
  }

  list(): Promise<BatchLine[]> {
    return Promise.resolve(structuredClone(this.lines));
  }

  show(id: string): Promise<BatchPage> {
    const batch = this.lines.find((line) => line.id === id);
    if (!batch) return refuse({ code: "rekey-batch", sentence: `The log knows no batch ${id}.`, remedy: [] });
    const sums = batch.closed ?? this.#sums(batch);
    const { done, asked } = sums;
    const before = Math.floor(done / 3);
    const percent = (devices: number) => Math.floor((100 * devices) / asked);
    const days = [
      { day: "2026-11-24", done: before, percent: percent(before) },
      { day: "2026-11-25", done: done - before, percent: percent(done) },
    ].filter((day) => day.done > 0);
    const left = batch.from === null ? null : asked - done;
    return Promise.resolve({ batch: { ...batch }, sums, odd: this.odd, days, left, now: this.now ?? null });
  }

  ask(from: BatchFrom, profile: string, why: RekeyWhy): Promise<BatchRequest | null> {
    if (from === "list" && !this.#shop.chooses) return Promise.resolve(null);
    const wrong = reasonless(why.reason, why.note);
    if (wrong) return refuse(wrong);
    const key = this.#shop.places.profiles.find(({ file }) => file === profile)?.key ?? "gk-2026a";
    const devices = from === "list" ? 120 : "count" in from ? from.count : 1842;
    const leaves = from !== "list" && "under" in from ? from.under : null;
    const list = from !== "list" && "count" in from ? "any" : "5a".repeat(32);
    const checkValue = checkValueOf(key);
    const request = {
      action: "rekey",
      subject: `${list} ${devices} ${key} ${checkValue}${leaves === null ? "" : ` from ${leaves}`}`,
      reason: reasonOf(why.reason, why.note),
    };
    const { reason, note } = why;
    const by = this.#people.session.user;
    const line = {
      ...closed,
      id: `RK-${this.lines.length + 1}`,
      time: Date.now(),
      by,
      reason,
      note,
      devices,
    };
    this.#asked = { line: { ...line, key, checkValue, from: leaves, closed: null, end: null }, request };
    return Promise.resolve({ devices, request, resumes: null });
  }

  open(approval: number): Promise<string> {
    const asked = this.#asked;
    if (!asked) return refuse({ code: "batch-not-asked", sentence: "Nobody asked.", remedy: [] });
    const spent = this.#people.spend(approval, "rekey", asked.request.subject, asked.request.reason);
    if ("code" in spent) return refuse(spent);
    this.#append("rekey.open", "");
    this.lines.unshift({ ...asked.line, approver: spent.by });
    [this.odd, this.done] = [[], 0];
    return Promise.resolve(asked.line.id);
  }

  start(id: string): Promise<void> {
    const batch = this.lines.find((line) => line.id === id);
    if (!batch) return refuse({ code: "rekey-batch", sentence: `The log knows no batch ${id}.`, remedy: [] });
    this.now = {
      sums: this.#sums(batch),
      secondsLeft: 1500,
      paused: false,
      slots: this.#shop.places.slots.map(({ number }) => ({
        number,
        state: "waiting",
        device: null,
        code: null,
      })),
    };
    return Promise.resolve();
  }

  pause(paused: boolean): Promise<void> {
    if (this.now) this.now = { ...this.now, paused };
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.now = undefined;
    return Promise.resolve();
  }

  close(id: string): Promise<void> {
    const batch = this.lines.find((line) => line.id === id);
    this.now = undefined;
    const end = this.#append("rekey.close", "");
    if (batch) Object.assign(batch, { closed: this.#sums(batch), end });
    return Promise.resolve();
  }

  #sums({ devices }: BatchLine): BatchNow["sums"] {
    const failed = this.odd.filter(({ unexpected }) => !unexpected).length;
    const missing = Math.max(0, devices - this.done - failed);
    return { asked: devices, done: this.done, failed, missing, unexpected: this.odd.length - failed };
  }
}
