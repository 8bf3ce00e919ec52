// The line with one slot, with eight and with thirty-two, in the middle of a shift: for photographs, and for the bench that
// measures how long the window takes to answer while all of them work.

import type { AfterLine } from "./bindings/AfterLine";
import type { Step } from "./bindings/Step";
import { failing, FakeShell, station, type FakeDevice } from "./fake";
import { STEPS } from "./steps";

/** Where a slot of the picture is. */
type At = Step | "pass" | "fail" | "waiting" | "remove" | "out";

/** What the slots of a line are at, one after the other and again from the first. */
const ROUND: readonly At[] = [
  ...["pass", "write", "waiting", "fail", "prove", "pass", "read", "waiting"],
  ...["pass", "record", "pass", "derive", "waiting", "pass", "remove", "restart"],
  ...["pass", "waiting", "prove", "pass", "write", "pass", "out", "read"],
  ...["waiting", "pass", "fail", "pass", "restart", "pass", "waiting", "prove"],
] as readonly At[];

/** Labels and records go out; and they do not. */
export const goes: AfterLine = {
  printers: [{ name: "bench", waiting: 0, trouble: null }],
  outbox: { waiting: 2, stopped: false, gone: false, trouble: null },
};
export const stalls: AfterLine = {
  printers: [
    { name: "bench", waiting: 12, trouble: { time: "2026-11-26T13:41:00Z", why: "away" } },
    { name: "pack-2", waiting: 0, trouble: null },
  ],
  outbox: {
    waiting: 1204,
    stopped: false,
    gone: false,
    trouble: { time: "2026-11-26T12:05:00Z", why: "tls" },
  },
};

function device(number: number, fails: boolean): FakeDevice {
  const serial = `007-889-${String(100 + number)}`;
  const mac = `a1:b2:c3:d4:e6:${number.toString(16).padStart(2, "0")}`;
  const id = `sn-${serial}-mac-${mac.replaceAll(":", "-")}`;
  return { id, serial, mac, ...(fails && failing.fails ? { fails: failing.fails } : {}) };
}

function line(count: number): FakeShell {
  const slots = Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    port: `usb 1-${1 + Math.floor(index / 8)}.${1 + (index % 8)}`,
    profile: "env-sensor 2",
    scans: false,
  }));
  return new FakeShell({ ...station, locked: false, slots });
}

/** A line that stands still. */
export function still(count: number, round = ROUND): () => Promise<FakeShell> {
  return async () => {
    const shell = line(count);
    for (let index = 0; index < count; index++) {
      const at = round[index % round.length] ?? "waiting";
      const number = index + 1;
      if (at === "waiting") continue;
      if (at === "out") shell.out(number);
      else if (at === "pass") await shell.plug(number, device(number, false));
      else if (at === "fail" || at === "remove") await shell.plug(number, device(number, true));
      else {
        let left = STEPS.indexOf(at);
        shell.pace = () => (left-- > 0 ? Promise.resolve() : new Promise<void>(() => undefined));
        void shell.plug(number, device(number, false));
        // Its steps are microtasks, all of them before the next task.
        await new Promise((done) => setTimeout(done));
        shell.pace = () => Promise.resolve();
      }
      if (at === "remove") await shell.acknowledge(number);
    }
    return shell;
  };
}

export const manyScenes: Readonly<Record<string, () => FakeShell | Promise<FakeShell>>> = {
  "one-slot": still(1),
  "eight-slots": still(8),
  "thirty-two-slots": still(32),
  "sixty-four-slots": still(64),
};
