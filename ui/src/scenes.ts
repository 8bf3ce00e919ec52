// Every state that the window can be in, by name: for people who look, and for tests that photograph.

import type { SlotLine } from "./bindings/SlotLine";
import type { Step } from "./bindings/Step";
import { failing, FakeShell, good, station, type FakeDevice } from "./fake";
import type { Rooms } from "./rooms.svelte";
import { auditScenes } from "./scenes-audit";
import { keyScenes } from "./scenes-keys";
import { goes, manyScenes, stalls } from "./scenes-many";
import { orderScenes } from "./scenes-orders";
import { repairScenes } from "./scenes-repair";
import { as, peopleScenes } from "./scenes-people";
import { STEPS } from "./steps";

/** A shell, and what a person did in the window since it was opened on it. */
export interface Scene {
  shell: FakeShell;
  act?: (rooms: Rooms) => Promise<void>;
}

/** Never: an injection that stands still at a step. */
const stuck = () => new Promise<void>(() => undefined);

const open = { ...station, locked: false };

function shell(overview = open): FakeShell {
  return new FakeShell(overview);
}

function stopsAt(step: Step): FakeShell {
  let left = STEPS.indexOf(step);
  const fake = shell();
  fake.pace = () => (left-- > 0 ? Promise.resolve() : stuck());
  void fake.plug(1, good);
  return fake;
}

async function with_(device: FakeDevice, then: (fake: FakeShell) => unknown = () => undefined) {
  const fake = shell();
  await fake.plug(1, device);
  await then(fake);
  return fake;
}

/** Four slots, with labels or without. */
function four(scans: boolean): SlotLine[] {
  return [1, 2, 3, 4].map((number) => ({
    number,
    port: `/dev/ttyUSB${number - 1}`,
    profile: "env-sensor 2",
    scans,
  }));
}

function scans(then: (fake: FakeShell) => void = () => undefined): FakeShell {
  const fake = shell({ ...open, slots: four(true) });
  then(fake);
  return fake;
}

const hostile: FakeDevice = {
  id: "<img src=x onerror=alert(1)>\u202e\u0000=cmd|' /C calc'!A0",
  serial: "</bdi><script>document.title='owned'</script>\u001b[2J",
  mac: "a1:b2:c3:d4:e5:f6",
};

const logFailed: FakeDevice = {
  ...failing,
  fails: {
    code: "log-failed",
    safety: "unrecorded",
    detail: "the audit log cannot be written: disk I/O error",
  },
};

/** The line: what devices and operators did. */
const lineScenes: Readonly<Record<string, () => FakeShell | Promise<FakeShell>>> = {
  waiting: () => shell(),
  locked: () => shell(station),
  ...Object.fromEntries(STEPS.map((step) => [step, () => stopsAt(step)])),
  pass: () => with_(good),
  fail: () => with_(failing),
  "fail-unplugged": () =>
    with_(failing, (fake) => {
      fake.unplug(1);
    }),
  remove: () => with_(failing, (fake) => fake.acknowledge(1)),
  "fail-locked": () => with_(failing, (fake) => fake.lock()),
  "log-failed": () => with_(logFailed),
  unsettled: () => shell({ ...open, openIntents: 4, unsettled: [good.id, failing.id, "sn-007-888-abe"] }),
  "witness-due": () =>
    shell({ ...open, anchor: { state: "due", record: 5120, time: Date.now() - 9 * 3_600_000, open: 4 } }),
  "witness-overdue": () =>
    shell({
      ...open,
      anchor: { state: "overdue", record: 124, time: Date.now() - 26 * 3_600_000, open: 5000 },
    }),
  "disk-and-clock": () =>
    shell({
      ...open,
      notices: [
        {
          code: "space-warning",
          sentence: "The disk of the audit log is getting full: 1800 MiB are left.",
          remedy: ["Call the administrator: make room before it is needed."],
        },
        {
          code: "clock-doubted",
          sentence: "The clock of this station went back: no new device is begun.",
          remedy: [
            "Keep the device.",
            "Call the administrator: set the clock right.",
            "The administrator and another person then accept the time.",
          ],
        },
      ],
    }),
  "goes-out": () => shell({ ...as("sv-0004", open), after: goes }),
  "goes-out-stalled": () => shell({ ...as("sv-0004", open), after: stalls }),
  "goes-out-stopped": () =>
    shell({
      ...as("sv-0004", open),
      after: { printers: [], outbox: { waiting: 0, stopped: true, gone: true, trouble: null } },
    }),
  "no-key": () => shell({ ...open, key: { label: "gk-2026a", checkValue: null } }),
  "no-order": () => shell({ ...open, order: null }),
  "no-slot": () => shell({ ...open, key: null, profile: "", slots: [] }),
  stopped: () => {
    const fake = shell();
    fake.stop(1, {
      safety: "unknown",
      code: "slot-stopped",
      sentence: "Too many open files.",
      remedy: ["Close the window.", "Start the station again.", "Again: call the administrator."],
    });
    return fake;
  },
  hostile: () => with_(hostile),
  "hostile-fail": () =>
    with_({
      ...hostile,
      fails: { ...(failing.fails ?? never()), detail: "</p><b>\u202e" + "9".repeat(400) },
    }),
  four: async () => {
    const fake = shell({ ...open, slots: four(false) });
    await fake.plug(1, good);
    await fake.plug(3, failing);
    await fake.plug(4, failing);
    await fake.acknowledge(4);
    return fake;
  },
  "label-wanted": () => scans(),
  "label-waits": () =>
    scans((fake) => {
      fake.labels.scan(good.serial);
    }),
  "label-taken": () =>
    scans((fake) => {
      fake.labels.scan("slot:2");
      fake.labels.scan(good.serial);
      fake.pace = stuck;
      void fake.plug(2, good);
      fake.labels.scan("slot:3");
    }),
  "label-refused": () =>
    scans((fake) => {
      fake.labels.scan("007-888-\u001bc");
    }),
  "scanner-away": () =>
    scans((fake) => {
      fake.labels.unplug();
    }),
  "slot-out": () =>
    scans((fake) => {
      fake.out(2);
    }),
  "slot-out-supervisor": async () => {
    const fake = shell({ ...as("sv-0004", open), slots: four(false) });
    await fake.plug(1, good);
    fake.out(2);
    return fake;
  },
  refused: () => {
    const fake = shell();
    fake.broken = {
      code: "log-integrity",
      sentence: "The audit log does not agree with its signed checkpoint.",
      remedy: ["Leave everything as it is.", "Call QA: run `keystation audit verify`."],
    };
    return fake;
  },
};

/** Builds a state. */
export const scenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  ...Object.fromEntries(
    Object.entries({ ...lineScenes, ...manyScenes }).map(([name, build]) => [
      name,
      async () => ({ shell: await build() }),
    ]),
  ),
  ...peopleScenes,
  ...keyScenes,
  ...orderScenes,
  ...repairScenes,
  ...auditScenes,
};

function never(): never {
  throw new Error("the failing device fails");
}
