// A session from hand-over to hand-over: the lock, the report of the shift, a training.

import { describe, expect, test } from "vitest";

import {
  alert,
  button,
  click,
  closeWindow,
  identify,
  inStillTime,
  openWindow,
  pass,
  press,
  scan,
  settle,
  slot,
  states,
  strip,
  text,
} from "../bench";
import type { Overview } from "../bindings/Overview";
import { failing, FakeShell, good, nobody, station } from "../fake";
import { longShift } from "../fake/shift";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

const shut: Overview = { ...station, session: nobody };
const unlocked: Overview = { ...station, locked: false };

let rooms: Rooms;

inStillTime("Date");

async function open(overview = shut, shell = new FakeShell(overview)): Promise<FakeShell> {
  rooms = await openWindow(shell);
  return shell;
}

const stage = () => document.querySelector<HTMLElement>("[data-stage]")?.dataset.stage;

/** Answers whatever the window asks until this person is here, and says what that took: no dialog may come, and no other question. */
async function takenOver(user: string, badge: string, pin: string) {
  const took = { keys: 0, scans: 0, screens: 0 };
  while (!strip().includes(user)) {
    took.screens++;
    expect(slot(), "the slots are in sight on every screen").toBe("PASS");
    if (stage() === undefined) {
      took.keys++;
      await press("h", { ctrlKey: true });
    } else if (stage() === "who") {
      took.scans++;
      await scan(badge);
    } else if (stage() === "pin") {
      for (const key of [...pin.split(""), "Enter"]) {
        took.keys++;
        await press(key);
      }
      await settle();
    } else throw new Error(`a question more: ${stage()}`);
    expect(took.screens, alert()).toBeLessThan(9);
  }
  return took;
}

describe("handing over", () => {
  test("is one key, one badge, a PIN of six digits and Enter; and the next device is made at once", async () => {
    const shell = await open(unlocked);
    await shell.plug(1, good);
    await settle();
    // From the line by way of the badge to the PIN.
    expect(await takenOver("op-0121", "KS:op-0121", "356237")).toEqual({ keys: 8, scans: 1, screens: 3 });
    shell.unplug(1);
    await shell.plug(1, good);
    await settle();
    expect(stage()).toBeUndefined();
    expect([slot(), alert()]).toEqual(["PASS", ""]);
  });

  test("keeps the line running, and each shift has its own counts", async () => {
    const shell = await open(unlocked);
    await shell.plug(1, good);
    await press("h", { ctrlKey: true });
    expect(slot()).toBe("PASS");
    expect(text()).toContain("This shift: 413 done · 3 failed");
    shell.unplug(1);
    await shell.plug(1, failing);
    await settle();
    expect(slot()).toBe("FAIL");
    shell.passphrase = "unlocked";
    await identify("KS:op-0121", "356237");
    expect(strip()).toContain("op-0121");
    expect(strip()).toContain("413 of 500 · 4 failed");
    expect(slot()).toBe("FAIL");
    expect(text()).toContain("Shift of op-0117: 413 done · 4 failed");
    await press("Escape");
    expect(text()).not.toContain("Shift of");
    shell.unplug(1);
    await press("Enter");
    for (const device of [good, good]) {
      await shell.plug(1, device);
      shell.unplug(1);
    }
    await settle();
    await press("h", { ctrlKey: true });
    expect(text()).toContain("This shift: 2 done · 0 failed");
    await identify("KS:op-0117", "141421");
    expect(text()).toContain("Shift of op-0121: 2 done · 0 failed");
    // Whoever comes back begins anew, too.
    await press("h", { ctrlKey: true });
    expect(text()).toContain("This shift: 0 done · 0 failed");
  });

  test("to oneself, or coming back after a lock, begins no shift, and signing in again does", async () => {
    const shell = await open(unlocked);
    shell.passphrase = "unlocked";
    await press("l", { ctrlKey: true });
    await identify("KS:op-0117", "141421");
    await shell.plug(1, good);
    await settle();
    await press("h", { ctrlKey: true });
    expect(text()).toContain("This shift: 413 done · 3 failed");
    await identify("KS:op-0117", "141421");
    await press("h", { ctrlKey: true });
    expect(text()).toContain("This shift: 413 done · 3 failed");
    await click("Sign out");
    await identify("KS:op-0117", "141421");
    await press("h", { ctrlKey: true });
    expect(text()).toContain("This shift: 0 done · 0 failed");
    await click("Report of my shift");
    expect(document.querySelector("main")?.textContent).toContain("PASS 0");
  });

  test("is given up by Escape, and nothing is left of the badge", async () => {
    await open(unlocked);
    await click("Hand over");
    await scan("KS:op-0121");
    await press("Escape");
    expect(states()).toContain("waiting");
    await click("Hand over");
    expect(stage()).toBe("who");
    expect(rooms.session.now?.user).toBe("op-0117");
  });

  test("with a wrong PIN leaves the one who is there", async () => {
    await open(unlocked);
    await click("Hand over");
    await identify("KS:op-0121", "000000");
    expect(rooms.session.now?.user).toBe("op-0117");
    expect(alert()).toContain("tries are left");
  });
});

describe("the lock", () => {
  test("covers what can be done, and leaves the slots in sight; the same person comes back", async () => {
    const shell = await open(unlocked);
    await shell.plug(1, failing);
    await settle();
    await press("l", { ctrlKey: true });
    expect(text()).toContain("not kept over the restart");
    expect(() => button(/Enter: seen/)).toThrow();
    expect(() => button("Lock")).toThrow();
    await identify("KS:op-0117", "141421");
    expect(button(/Enter: seen/)).toBeDefined();
    expect(strip()).toContain("412 of 500 · 4 failed");
  });

  test("warns half a minute before, and a key or a finger puts it off", async () => {
    const shell = await open(unlocked);
    await pass(271_000);
    expect(strip()).toContain("Locks in 29 s");
    await press("a");
    await settle();
    expect(strip()).not.toContain("Locks in");
    await pass(275_000);
    expect(strip()).toContain("Locks in 25 s");
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    await settle();
    expect(strip()).not.toContain("Locks in");
    await pass(301_000);
    expect(states()).toContain("door-away");
    expect((await shell.overview()).locked).toBe(true);
  });

  test("of a session that ends by its age is not put off by a touch", async () => {
    const shell = await open(unlocked);
    const end = shell.staff.now() + 12 * 3_600_000;
    shell.staff.now = () => end - 29_000;
    await shell.touch();
    await rooms.line.refresh();
    await press("a");
    await settle();
    expect(strip()).toContain("Session ends in 29 s: hand over");
    expect(strip()).not.toContain("press a key");
    shell.staff.now = () => end;
    await rooms.line.refresh();
    await settle();
    expect(states()).toContain("door-expired");
    expect((await shell.overview()).locked).toBe(true);
  });

  test("never falls while a device is written to", async () => {
    const shell = await open(unlocked);
    let release: () => void = () => undefined;
    shell.pace = () => new Promise((done) => (release = done));
    void shell.plug(1, good);
    await pass(600_000);
    expect(states()).toContain("working");
    expect(rooms.session.now?.state).toBe("open");
    expect(strip()).not.toContain("Locks in");
    shell.pace = () => Promise.resolve();
    release();
    await pass(2_000);
    expect(states()).toContain("door-away");
    expect(slot()).toBe("PASS");
  });

  test("a window that only reads asks nobody", async () => {
    await open({ ...station, rooms: ["audit"], readOnly: true, slots: [], key: null, session: nobody });
    expect(document.querySelector("[role=search]")).not.toBeNull();
  });
});

describe("the report of a shift", () => {
  const figures = () => [...document.querySelectorAll("dl dd")].map((figure) => figure.textContent);

  test("is a page before the hand-over, with what the station counted", async () => {
    const shell = await open(unlocked);
    shell.shift = longShift(unlocked);
    await press("h", { ctrlKey: true });
    await click("Report of my shift");
    const main = document.querySelector("main")?.textContent.replace(/\s+/g, " ") ?? "";
    for (const figure of ["PASS 412", "FAIL 9", "Refused 8", "Not settled 2", "436", "13"])
      expect(main).toContain(figure);
    expect(main).toContain("Do not ship: 3.");
    expect(main).toContain("records 4\u00a0012 to 5\u00a0124".replaceAll("\u00a0", " "));
    expect(main).toContain("not kept over the restart");
    await press("Escape");
    expect(states()).toContain("hand-over");
    expect(figures()).not.toContain("412");
  });

  test("is saved where the person says, and not at all if they give up", async () => {
    const shell = await open(unlocked);
    await press("h", { ctrlKey: true });
    await click("Report of my shift");
    shell.folder = undefined;
    await click("Save, signed");
    expect(document.querySelector("[role=status]")).toBeNull();
    shell.folder = "/media/usb";
    await click("Save, signed");
    expect(document.querySelector("[role=status]")?.textContent).toContain("/media/usb/shift-op-0117.pdf");
  });

  test("says why there is none", async () => {
    const shell = await open(unlocked);
    shell.shift = { code: "log-unreadable", sentence: "The log cannot be read.", remedy: ["Call QA."] };
    await press("h", { ctrlKey: true });
    await click("Report of my shift");
    expect(alert()).toContain("The log cannot be read.");
    await click("Back to the hand-over");
    expect(states()).toContain("hand-over");
  });

  test("is offered to whoever had a shift", async () => {
    for (const [user, offered] of [
      ["op-0117", true],
      ["sv-0004", true],
      ["qa-0007", false],
      ["ad-0001", false],
    ] as const) {
      await open(as(user, unlocked));
      await press("h", { ctrlKey: true });
      expect(text().includes("Report of my shift"), user).toBe(offered);
      await closeWindow();
    }
  });

  test("is gone with the shift", async () => {
    await open(unlocked);
    await press("h", { ctrlKey: true });
    await click("Report of my shift");
    await press("l", { ctrlKey: true });
    expect(states()).not.toContain("shift");
    await identify("KS:op-0121", "356237");
    expect(states()).not.toContain("shift");
    expect(rooms.session.shift.report).toBeUndefined();
  });
});

describe("a training", () => {
  const training = { training: true, example: { user: "trainee", pin: "274190" } };
  const mark = () => document.querySelector("pattern text")?.textContent;

  test("is marked on every page, and says who may sign in", async () => {
    await open({ ...shut, ...training });
    expect(mark()).toBe("TRAINING");
    expect(text()).toContain("User ID trainee, PIN 274190");
    await closeWindow();
    await open({ ...as("ad-0001", unlocked), ...training });
    for (const room of rooms.all) {
      rooms.go(room);
      await settle();
      expect(mark(), room).toBe("TRAINING");
      expect(strip(), room).toContain("counts for nothing");
    }
  });

  test("is what production is not", async () => {
    await open();
    expect(mark()).toBeUndefined();
    expect(text()).not.toContain("PIN 274190");
  });
});
