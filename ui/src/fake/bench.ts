// What lies on the bench of the station that does not exist, and who stands at it.

import type { AttemptLine } from "../bindings/AttemptLine";
import { FAILURES } from "../bindings/Codes";
import type { Failed } from "../bindings/Failed";
import type { Overview } from "../bindings/Overview";
import type { SessionLine } from "../bindings/SessionLine";
import type { Stopped } from "../bindings/Stopped";
import { current } from "./orders";

/** A device to plug in: it passes, or fails as it says. */
export interface FakeDevice {
  id: string;
  serial: string;
  mac: string;
  fails?: Pick<Failed, "code" | "safety"> & { detail?: string };
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
    safety: "not-keyed",
  },
};

/** The operator of the early shift. */
export const operator: SessionLine = {
  state: "open",
  user: "op-0117",
  name: "Early shift, bench 3",
  roles: ["operator", "repair"],
  mustChangePin: false,
  secondsLeft: null,
  reason: null,
};

/** Without anybody. */
export const nobody: SessionLine = {
  state: "none",
  user: "",
  name: "",
  roles: [],
  mustChangePin: false,
  secondsLeft: null,
  reason: null,
};

export const station: Overview = {
  station: "station-03",
  operator: "op-0117",
  order: current,
  profile: "env-sensor 2",
  key: { label: "gk-2026a", checkValue: "7C1D0-A4E91" },
  locked: true,
  records: 5124,
  openIntents: 0,
  unsettled: [],
  counts: { done: 412, failed: 3 },
  anchor: { state: "none", record: null, time: null, open: 5124 },
  notices: [],
  slots: [{ number: 1, port: "/dev/ttyUSB0", profile: "env-sensor 2", scans: false }],
  health: [],
  after: null,
  rooms: ["line", "orders", "repair", "audit"],
  readOnly: false,
  training: false,
  example: null,
  reviewDue: false,
  damage: null,
  session: operator,
};

/** Why a slot is out. */
export const flapping: Stopped = {
  safety: null,
  code: "slot-out",
  sentence: "The slot was taken out: its contact was lost 6 times within a minute.",
  remedy: [
    "Go on with the other slots.",
    "Check cable, contact and adapter.",
    "A supervisor puts the slot back.",
  ],
};

/** What the log has of a device that was on a port. */
export function attempt(
  { order, operator, key, slots }: Overview,
  { id, serial, mac, fails }: FakeDevice,
  seq: number,
  outcomeRecord: number,
  outcome: string,
): AttemptLine {
  return {
    seq,
    time: Date.now(),
    id,
    mac: mac.replaceAll(":", ""),
    serial,
    job: order?.id ?? "",
    operator,
    key: key?.label ?? "",
    port: slots[0]?.port ?? "",
    mode: "new",
    outcome,
    code: fails?.code ?? "",
    sentence: fails ? FAILURES[fails.code].sentence : "",
    holds: fails ? "old" : "new",
    verified: fails ? "none" : "challenge",
    cycleMs: 2400,
    outcomeRecord,
  };
}
