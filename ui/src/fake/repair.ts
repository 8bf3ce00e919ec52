// Devices that come back to the station that does not exist. What a native dialog would answer is set by hand.

import type { ApprovalRequest } from "../bindings/ApprovalRequest";
import type { CleanupLine } from "../bindings/CleanupLine";
import type { DeviceLife } from "../bindings/DeviceLife";
import type { LifeEvent } from "../bindings/LifeEvent";
import { NEEDS_NEW_KEY } from "../bindings/Policy";
import type { Problem } from "../bindings/Problem";
import type { RekeyAsked } from "../bindings/RekeyAsked";
import type { RekeyOutcome } from "../bindings/RekeyOutcome";
import type { RepairDevice } from "../bindings/RepairDevice";
import type { RepairPlaces } from "../bindings/RepairPlaces";
import type { TakenOutLine } from "../bindings/TakenOutLine";
import type { TakeOutAsked } from "../bindings/TakeOutAsked";
import type { Action } from "../actions";
import { FakeBatches } from "./batches";
import { good } from "./bench";
import { checkValueOf } from "./log";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";

const KEY = "gk-2026a";

function record(seq: number, event: string, more: Partial<LifeEvent> = {}): LifeEvent {
  return {
    seq,
    time: Date.UTC(2026, 10, 20, 8, seq % 60),
    event,
    outcome: "",
    code: "",
    sentence: "",
    operator: "op-0117",
    role: "operator",
    approver: "",
    job: "WO-44192",
    mode: "new",
    port: "/dev/ttyUSB0",
    holds: "",
    verified: "",
    key: KEY,
    checkValue: checkValueOf(KEY),
    reason: "",
    firmware: "2.4.1",
    refersTo: null,
    ...more,
  };
}

function life(): DeviceLife {
  return {
    id: good.id,
    mac: good.mac.replaceAll(":", ""),
    serial: good.serial,
    standing: "keyed",
    key: KEY,
    checkValue: checkValueOf(KEY),
    fingerprint: "4c1d09a27be35f8810aa6d21",
    keyedRecord: 4711,
    securedTo: null,
    events: [
      record(4710, "inject.intent"),
      record(4711, "inject.result", { outcome: "ok", holds: "new", verified: "challenge", refersTo: 4710 }),
    ],
  };
}

/** The device that lies on the repair bench. */
export function returned(): RepairDevice {
  return {
    id: good.id,
    mac: good.mac,
    serial: good.serial,
    seen: {
      slot: 5,
      state: "keyed",
      generation: 1,
      firmware: "2.4.1",
      scope: "0ne00EMU001",
      endpoint: "global.azure-devices-provisioning.net",
      holding: "as-recorded",
      record: 5123,
    },
    life: life(),
    out: null,
    parent: { label: KEY, checkValue: checkValueOf(KEY), state: "active" },
  };
}

const ACTIONS: Readonly<Record<TakeOutAsked["act"], Action>> = {
  scrap: "scrap-device",
  revoke: "revoke-device",
  replace: "replace-device",
  restore: "restore-device",
};
const OUT = { scrap: "scrapped", revoke: "revoked", replace: "replaced" } as const;
const EVENTS: Readonly<Record<TakeOutAsked["act"], string>> = {
  scrap: "device.scrap",
  revoke: "device.revoke",
  replace: "device.replace",
  restore: "device.restore",
};

export class FakeRepair {
  places: RepairPlaces = {
    slots: [{ number: 5, port: "/dev/ttyUSB4", profile: "env-sensor.toml" }],
    profiles: [
      { file: "env-sensor.toml", title: "env-sensor 2", key: KEY },
      { file: "env-sensor-b.toml", title: "env-sensor 2, second key", key: "gk-2026b" },
    ],
  };
  /** What lies in the slot; a problem is what the station says to a look. */
  device: RepairDevice | Problem = returned();
  /** What comes of the next re-key; made of key and reason where it is not said. */
  outcome: RekeyOutcome | undefined;
  /** Whether the person chooses a list in the native dialog. */
  chooses = true;
  readonly batches: FakeBatches;

  readonly #people: FakePeople;
  readonly #append: (event: string, id: string) => number;

  constructor(people: FakePeople, append: (event: string, id: string) => number) {
    this.#people = people;
    this.#append = append;
    this.batches = new FakeBatches(this, people, append);
  }

  show(): Promise<RepairPlaces> {
    return Promise.resolve(structuredClone(this.places));
  }

  look(slot: number): Promise<RepairDevice> {
    const { device } = this;
    if ("code" in device) return refuse(device);
    const seen = this.#append("rekey.look", device.id);
    return Promise.resolve({
      ...structuredClone(device),
      seen: { ...(device.seen ?? none), slot, record: seen },
    });
  }

  lookUp(word: string): Promise<RepairDevice> {
    const { device } = this;
    if ("code" in device || ![device.id, device.serial, device.mac].includes(word)) return refuse(unknown);
    return Promise.resolve({ ...structuredClone(device), seen: null });
  }

  askRekey({ device, profile, why }: RekeyAsked): Promise<ApprovalRequest> {
    const wrong = reasonless(why.reason, why.note);
    if (wrong) return refuse(wrong);
    const key = this.places.profiles.find(({ file }) => file === profile)?.key ?? KEY;
    const same = why.sameKey ? " same-key" : "";
    return Promise.resolve({
      action: "rekey",
      subject: `${device} ${key} ${checkValueOf(key)}${same}`,
      reason: reasonOf(why.reason, why.note),
    });
  }

  async rekey(asked: RekeyAsked, approval: number): Promise<RekeyOutcome> {
    const { subject, reason } = await this.askRekey(asked);
    const spent = this.#people.spend(approval, "rekey", subject, reason);
    if ("code" in spent) return refuse(spent);
    if (this.outcome) return this.outcome;
    const { device } = this;
    if ("code" in device) return refuse(device);
    const key = this.places.profiles.find(({ file }) => file === asked.profile)?.key ?? KEY;
    const same = device.parent?.label === key;
    if (same && NEEDS_NEW_KEY.includes(asked.why.reason) && !asked.why.sameKey) return sameKey(device);
    const intent = this.#append("inject.intent", device.id);
    const result = this.#append("inject.result", device.id);
    const follows = device.life?.keyedRecord ?? null;
    device.parent = { label: key, checkValue: checkValueOf(key), state: "active" };
    if (device.life) {
      const by = { mode: "rekey", operator: this.#people.session.user, approver: spent.by, key, job: "" };
      const checkValue = checkValueOf(key);
      Object.assign(device.life, { key, checkValue, keyedRecord: result });
      device.life.events.push(
        record(intent, "inject.intent", { ...by, checkValue, reason }),
        record(result, "inject.result", {
          ...by,
          checkValue,
          outcome: "ok",
          holds: "new",
          verified: "challenge",
          refersTo: intent,
        }),
      );
    }
    return { outcome: "pass", id: device.id, record: result, effect: same ? "same" : "new", follows };
  }

  askTakeOut({ device, act, reason, note, board }: TakeOutAsked): Promise<ApprovalRequest> {
    const wrong = reasonless(reason, note);
    if (wrong) return refuse(wrong);
    const [id = "", mac = "–", serial = "–"] = device.split(" ");
    let subject = `${id} (MAC ${mac}, S/N ${serial})`;
    if (act === "restore") subject += ", scrap of record 14";
    if (act === "replace") {
      if (!board || board.mac === "") return refuse(noBoard);
      subject = `${subject} by ${successor(board.mac)} (${board.mac})`;
      if (board.destroyed !== "") subject += `, old board destroyed: ${board.destroyed}`;
    }
    return Promise.resolve({ action: ACTIONS[act], subject, reason: reasonOf(reason, note) });
  }

  async takeOut(asked: TakeOutAsked, approval: number): Promise<TakenOutLine> {
    const { subject, reason } = await this.askTakeOut(asked);
    const { act, board } = asked;
    const spent = this.#people.spend(approval, ACTIONS[act], subject, reason);
    if ("code" in spent) return refuse(spent);
    const { device } = this;
    if ("code" in device) return refuse(device);
    const seq = this.#append(EVENTS[act], device.id);
    device.out = act === "restore" ? null : { how: OUT[act], record: seq };
    device.life?.events.push(
      record(seq, EVENTS[act], { operator: this.#people.session.user, approver: spent.by, reason, job: "" }),
    );
    return { record: seq, successor: board ? successor(board.mac) : null };
  }

  saveCleanup(folder: string | undefined): Promise<CleanupLine | null> {
    if (folder === undefined) return Promise.resolve(null);
    const to = this.#append("cleanup.list", "");
    return Promise.resolve({ devices: 3, to, path: `${folder}/cleanup-${to}.csv` });
  }

  askCleanedUp(): Promise<ApprovalRequest | null> {
    return Promise.resolve(this.chooses ? done : null);
  }

  cleanedUp(approval: number): Promise<CleanupLine> {
    const spent = this.#people.spend(approval, "cleaned-up", done.subject, "");
    if ("code" in spent) return refuse(spent);
    this.#append("cleanup.done", "");
    return Promise.resolve({ devices: 3, to: 5124, path: null });
  }
}

const none = { ...(returned().seen ?? never()), state: "empty", holding: "nothing" } as const;
const done: ApprovalRequest = {
  action: "cleaned-up",
  subject: `3 identities up to record 5124, list ${"5a".repeat(32)}`,
  reason: "",
};

/** What the recipe of the product makes of another board. */
function successor(mac: string): string {
  return `sn-${good.serial}-mac-${mac.toLowerCase().replaceAll(":", "-")}`;
}

export function reasonOf(reason: string, note: string): string {
  return note === "" ? reason : `${reason}: ${note}`;
}

export function reasonless(reason: string, note: string): Problem | undefined {
  if (reason !== "" && (reason !== "other" || note !== "")) return undefined;
  return {
    code: "rekey-reason",
    sentence: "Overwriting a key needs a reason.",
    remedy: ["Say why, by one of these words."],
  };
}

function sameKey({ id, serial, mac }: RepairDevice): RekeyOutcome {
  return {
    outcome: "fail",
    code: "same-key",
    safety: "untouched",
    id,
    serial,
    mac,
    record: 5126,
    detail: null,
    gone: false,
  };
}

const unknown: Problem = {
  code: "no-device",
  sentence: "The log knows no such device.",
  remedy: ["Search for its MAC address or serial number.", "Was it keyed at another station?"],
};
const noBoard: Problem = {
  code: "successor",
  sentence: "This is no MAC address.",
  remedy: ["Scan or type the MAC address that stands on the new board."],
};

function never(): never {
  throw new Error("the device lies in the slot");
}
