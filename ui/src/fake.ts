// A station without a station: the same rules, made of values. For trying the window, for photographs and tests.

import type { Card } from "./bindings/Card";
import type { CardUpdate } from "./bindings/CardUpdate";
import type { Failed } from "./bindings/Failed";
import type { Overview } from "./bindings/Overview";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { UnlockOutcome } from "./bindings/UnlockOutcome";
import { causes } from "./fake/log";
import { FakeArchive, refuse } from "./fake/archive";
import type { Archive, Shell } from "./shell";
import { steps } from "./text";

/** A device to plug in: it passes, or fails as it says. */
export interface FakeDevice {
  id: string;
  serial: string;
  mac: string;
  fails?: Pick<Failed, "code" | "sentence" | "safety" | "remedy"> & { detail?: string };
}

export const good: FakeDevice = {
  id: "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6",
  serial: "007-888-abc",
  mac: "a1:b2:c3:d4:e5:f6",
};

export const failing: FakeDevice = {
  id: "sn-007-888-abd-mac-a1-b2-c3-d4-e5-f7",
  serial: "007-888-abd",
  mac: "a1:b2:c3:d4:e5:f7",
  fails: {
    code: "not-kept",
    sentence: "The key was not kept over the restart.",
    safety: "The device did not take the new key.",
    remedy: ["Plug the device in again.", "Again: to repair."],
  },
};

export const station: Overview = {
  station: "station-03",
  operator: "op-0117",
  job: "WO-44192",
  profile: "env-sensor 2",
  key: { label: "gk-2026a", checkValue: "7C1D0-A4E91" },
  locked: true,
  records: 5124,
  openIntents: 0,
  unsettled: [],
  counts: { done: 412, failed: 3 },
  anchor: { state: "none", record: null, time: null, open: 5124 },
  notices: [],
  slots: [{ number: 1, port: "/dev/ttyUSB0", profile: "env-sensor 2" }],
  rooms: ["line", "audit"],
  readOnly: false,
  reviewDue: false,
  damage: null,
};

/** One slot: what it shows, and what is plugged in. */
interface Slot {
  card: Card;
  plugged: FakeDevice | undefined;
}

/** Waits for the next step of an injection. */
export type Pace = () => Promise<void>;

export class FakeShell implements Shell {
  /** How long a step takes. */
  pace: Pace = () => Promise.resolve();
  /** What the operator answers in the passphrase dialog; a problem is what the station answers to it. */
  passphrase: UnlockOutcome | Problem;
  /** The station cannot start. */
  broken: Problem | undefined;
  /** The log of this station, as the audit room asks for it. */
  readonly archive: FakeArchive;

  readonly #overview: Overview;
  readonly #records: RecordLine[] = [];
  readonly #slots: Map<number, Slot>;
  #told: (update: CardUpdate) => void = () => undefined;

  constructor(overview: Overview = station, passphrase: UnlockOutcome | Problem = "cancelled") {
    this.#overview = structuredClone(overview);
    this.passphrase = passphrase;
    const empty = (): Slot => ({ card: { state: "waiting" }, plugged: undefined });
    this.#slots = new Map(overview.slots.map(({ number }) => [number, empty()]));
    this.archive = new FakeArchive(this.#overview, (event, operator) =>
      this.#append(event, "", "", operator),
    );
    this.#append("log.open", "", "");
  }

  overview(): Promise<Overview> {
    if (this.broken) return refuse(this.broken);
    const { key, locked } = this.#overview;
    // Without the vault nobody knows a check value.
    return Promise.resolve({
      ...structuredClone(this.#overview),
      key: key && locked ? { ...key, checkValue: null } : key,
    });
  }

  recent(count: number): Promise<RecordLine[]> {
    return this.broken ? refuse(this.broken) : Promise.resolve(this.#records.slice(0, count));
  }

  watch(onCard: (update: CardUpdate) => void): Promise<void> {
    if (this.broken) return refuse(this.broken);
    this.#told = onCard;
    for (const [slot, { card }] of this.#slots) onCard({ slot, card });
    return Promise.resolve();
  }

  acknowledge(slot: number): Promise<void> {
    const { card } = this.#slot(slot);
    if (card.state === "fail") {
      this.#show(
        slot,
        card.gone
          ? { state: "waiting" }
          : { state: "remove", safety: card.safety, serial: card.serial, mac: card.mac },
      );
    }
    return Promise.resolve();
  }

  async unlock(): Promise<UnlockOutcome> {
    if (typeof this.passphrase === "object") return refuse(this.passphrase);
    if (this.passphrase === "cancelled") return "cancelled";
    this.#overview.locked = false;
    this.#append("auth.unlock", "", "");
    for (const [number, { card, plugged }] of this.#slots) {
      if (card.state === "locked" && plugged) void this.plug(number, plugged);
    }
    return Promise.resolve("unlocked");
  }

  lock(): Promise<void> {
    this.#overview.locked = true;
    this.#append("auth.lock", "", "");
    return Promise.resolve();
  }

  search: Archive["search"] = (...query) => this.archive.search(...query);
  device: Archive["device"] = (id) => this.archive.device(id);
  saveProof: Archive["saveProof"] = (id) => this.archive.saveProof(id);
  verify: Archive["verify"] = (onProgress) => this.archive.verify(onProgress);
  cancelVerify: Archive["cancelVerify"] = () => this.archive.cancelVerify();
  figures: Archive["figures"] = (...period) => this.archive.figures(...period);
  review: Archive["review"] = () => this.archive.review();
  signReview: Archive["signReview"] = (...signature) => this.archive.signReview(...signature);

  /** Plugs a device in and resolves when its card is PASS or FAIL, or when the slot does not take it. */
  async plug(slot: number, device: FakeDevice): Promise<void> {
    const { card } = this.#slot(slot);
    this.#slot(slot).plugged = device;
    // No device is touched while a FAIL stands.
    if (card.state !== "waiting" && card.state !== "locked") return;
    if (this.#overview.locked) {
      this.#show(slot, { state: "locked" });
      return;
    }
    for (const { step } of steps) {
      this.#show(slot, { state: "working", step });
      await this.pace();
      if (this.#slot(slot).plugged !== device) return;
    }
    this.#show(slot, this.#outcome(device));
  }

  /** Pulls the device out. A FAIL stays. */
  unplug(slot: number): void {
    const { card } = this.#slot(slot);
    this.#slot(slot).plugged = undefined;
    this.#show(slot, card.state === "fail" ? { ...card, gone: true } : { state: "waiting" });
  }

  /** The slot does not work any more. */
  stop(slot: number, problem: Problem): void {
    this.#show(slot, { state: "stopped", ...problem });
  }

  #outcome(device: FakeDevice): Card {
    const { id, serial, mac, fails } = device;
    const intent = this.#append("inject.intent", "", id);
    const outcome = fails ? (causes[fails.code]?.outcome ?? "aborted") : "ok";
    const record = this.#append("inject.result", outcome, id);
    this.#keep(device, intent, record, outcome);
    if (!fails) {
      this.#overview.counts.done++;
      return { state: "pass", id, serial, mac, record };
    }
    this.#overview.counts.failed++;
    return { state: "fail", ...fails, id, serial, mac, record, detail: fails.detail ?? null, gone: false };
  }

  #keep({ id, serial, mac, fails }: FakeDevice, seq: number, outcomeRecord: number, outcome: string): void {
    const { job, operator, key, slots } = this.#overview;
    this.archive.log.since.push({
      seq,
      time: Date.now(),
      id,
      mac: mac.replaceAll(":", ""),
      serial,
      job,
      operator,
      key: key?.label ?? "",
      port: slots[0]?.port ?? "",
      mode: "new",
      outcome,
      code: fails?.code ?? "",
      sentence: fails?.sentence ?? "",
      holds: fails ? "old" : "new",
      verified: fails ? "none" : "challenge",
      cycleMs: 2400,
      outcomeRecord,
    });
  }

  #append(event: string, outcome: string, id: string, operator = this.#overview.operator): number {
    const holds = event !== "inject.result" ? "" : outcome === "ok" ? "new" : "old";
    const seq = this.#overview.records++;
    this.#records.unshift({ seq, time: new Date().toISOString(), event, outcome, holds, id, operator });
    return seq;
  }

  #slot(number: number): Slot {
    const slot = this.#slots.get(number);
    if (!slot) throw new RangeError(`no slot ${number}`);
    return slot;
  }

  #show(slot: number, card: Card): void {
    this.#slot(slot).card = card;
    this.#told({ slot, card });
  }
}
