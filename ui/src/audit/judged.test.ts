// What QA judges in the audit room: a finished device, the whole log, the week.

import { describe, expect, test, vi } from "vitest";

import {
  button,
  click,
  fill as type,
  inStillTime,
  openWindow,
  press,
  settle,
  states as state,
  text,
} from "../bench";
import type { Overview } from "../bindings/Overview";
import { FakeShell, operator, station } from "../fake";
import { foreign } from "../fake/finished";
import type { Rooms } from "../rooms.svelte";

const big: Overview = { ...station, locked: false, records: 6004 };
/** QA, at the station. */
const quality: Overview = {
  ...big,
  session: { ...operator, user: "qa-0012", name: "", roles: ["qa"] },
  rooms: ["audit"],
  slots: [],
};
const reading: Overview = { ...big, rooms: ["audit"], readOnly: true, slots: [], key: null };

/** QA, at a station with slots. */
const withSlots: Overview = {
  ...quality,
  slots: [{ number: 1, port: "usb-1-1.4", profile: "thermostat/1", scans: false }],
};

let rooms: Rooms;

inStillTime();

async function open(overview = big, shell = new FakeShell(overview)): Promise<FakeShell> {
  rooms = await openWindow(shell);
  return shell;
}

/** Opens the window and goes to the audit room by its key. */
async function audit(overview = big, shell = new FakeShell(overview)): Promise<FakeShell> {
  await open(overview, shell);
  if (overview.rooms.length > 1) await press("4", { ctrlKey: true });
  return shell;
}

describe("a finished device", () => {
  const picks = () => [...document.querySelectorAll<HTMLSelectElement>("select")];
  const points = () =>
    [...document.querySelectorAll("[data-point]")].map((point) => point.textContent.replace(/\s+/g, " "));

  test("is looked at on a port of a slot, by the profile of that slot, and found as it should be", async () => {
    const shell = await audit(withSlots);
    const asked = vi.spyOn(shell, "checkDevice");
    await click("Device");
    expect(picks().map(({ value }) => value)).toEqual(["usb-1-1.4", "thermostat/1.toml"]);
    expect(text()).toContain("Slot 1: usb-1-1.4");
    await click("Check the device");
    expect(asked).toHaveBeenCalledWith("usb-1-1.4", "thermostat/1.toml");
    expect(state()).toContain("check-pass");
    expect(points()).toHaveLength(5);
    expect(text()).toContain("The device is as it should be");
    expect(points()[2]).toContain("Key: as it should be It proved the key of gk-2026a");
    expect(text()).toContain("What was found is a record of the log.");
  });

  test("that does not prove its key is not shipped, and what to do is said", async () => {
    const shell = await audit(withSlots);
    shell.archive.look = () => Promise.resolve(foreign);
    await click("Device");
    await click("Check the device");
    expect(state()).toContain("check-fail");
    expect(text()).toContain("Do not ship this device");
    expect(points()[2]).toMatch(/Key: not as it should be.*Keep the device apart\./);
    expect(points()[4]).toContain("Log: nothing to compare with");
  });

  test("is not looked at where nobody opens the custody, and what the station refuses is said", async () => {
    const shell = await audit(withSlots);
    shell.archive.look = () => Promise.resolve(null);
    await click("Device");
    await click("Check the device");
    expect(text()).toContain("nothing was checked");
    shell.archive.look = () =>
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      Promise.reject({
        code: "port-unavailable",
        sentence: "The port is in use.",
        remedy: ["Check the cable."],
      });
    await click("Check the device");
    expect(document.querySelector("[role=alert]")?.textContent).toContain("Check the cable.");
    expect(state()).toContain("check-idle");
  });

  test("is not looked at from a window that only reads, which says where it is", async () => {
    await audit(reading);
    await click("Device");
    expect(state()).toContain("check-read-only");
    expect(() => button("Check the device")).toThrow();
    expect(text()).toContain("in the station’s own window");
  });
});

describe("verify", () => {
  const bar = () => document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow");

  test("shows how far it is, and answers in a sentence", async () => {
    const shell = await audit({
      ...big,
      anchor: { state: "fresh", record: 6000, time: Date.UTC(2026, 10, 21, 9, 30), open: 4 },
    });
    const seen: (string | null | undefined)[] = [];
    shell.archive.pace = async () => {
      await settle();
      seen.push(bar());
    };
    await click("Verify");
    await click("Verify the log");
    await vi.waitFor(() => {
      expect(text()).toContain("Complete and unaltered: 6\u00a0005 records, up to checkpoint K7Q2A-4TNXD.");
    });
    expect(text()).toContain("Seen by witness QA-2 up to record 6\u00a0000, on 21 Nov 2026, 09:30 UTC.");
    expect(text()).toContain("The 4 newer records have only this machine’s word.");
    expect(seen.map(Number)).toEqual([...seen.map(Number)].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(10);
  });

  test("is cancelled by its button, and then says nothing about the log", async () => {
    const shell = await audit();
    let release: () => void = () => undefined;
    shell.archive.pace = () => new Promise((done) => (release = done));
    await click("Verify");
    await click("Verify the log");
    expect(state()).toContain("verify-running");
    await click("Cancel");
    release();
    await settle();
    expect(text()).toContain("Cancelled after");
    expect(text()).not.toContain("unaltered");
  });

  test("goes on while one looks at other pages, and a second one is not begun", async () => {
    const shell = await audit();
    const verify = vi.spyOn(shell.archive, "verify");
    let release: () => void = () => undefined;
    shell.archive.pace = () => new Promise((done) => (release = done));
    await click("Verify");
    await click("Verify the log");
    await click("Search");
    await click("Verify");
    expect(state()).toContain("verify-running");
    await rooms.audit.check.start();
    expect(verify).toHaveBeenCalledTimes(1);
    shell.archive.pace = () => Promise.resolve();
    release();
    await vi.waitFor(() => {
      expect(text()).toContain("Complete and unaltered");
    });
  });

  test("is where a window that only looks opens when the log cannot be read", async () => {
    const sentence = "The audit log was changed or damaged.";
    await audit({ ...reading, damage: { sentence, remedy: [], code: "log-unreadable" } });
    expect(document.querySelector("header")?.className).toContain("red");
    expect(document.querySelector("[data-state=verify-idle]")).not.toBeNull();
    expect(text()).toContain(sentence);
    await click("Search");
    expect(document.querySelector("[data-state=verify-idle]")).toBeNull();
  });

  test("says what is wrong, from which record on, and what to do", async () => {
    const shell = await audit();
    const remedy = ["Stop: nothing more may be injected.", "Give both to QA."];
    shell.archive.damage = {
      state: "damaged",
      findings: [
        { sentence: "A table does not agree.", record: null, remedy: ["No record is affected."] },
        { sentence: "Record 5127 was changed after it was written.", record: 5127, remedy },
      ],
      more: 3,
    };
    await click("Verify");
    await click("Verify the log");
    for (const part of ["Damaged from record 5\u00a0127 on.", "was changed", ...remedy, "And 3 more."])
      expect(text()).toContain(part);
    expect(text()).not.toContain("unaltered");
  });
});

describe("the weekly review", () => {
  test("is due on the rail, is signed with a name, and is no longer due then", async () => {
    const shell = await audit({ ...quality, reviewDue: true });
    const strip = () => document.querySelector("header .amber")?.textContent;
    expect(strip()).toMatch(/Review\s+is due/);
    await click("Review");
    expect(text()).toContain("Review is due");
    await type("Remark", "Looks right.");
    await click("Sign review");
    expect(shell.archive.reviewed).toMatchObject({ reviewer: "qa-0012", remark: "Looks right." });
    expect(text()).toMatch(/qa-0012.*Looks right\./s);
    expect(strip()).toBeUndefined();
  });

  test("is due on the rail for who has other rooms too, and is signed by QA only", async () => {
    await audit({ ...big, reviewDue: true });
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).toContain("Review due");
    await click("Review");
    expect(() => button("Sign review")).toThrow();
    expect(text()).toContain("Sign in as QA");
  });

  test("has no button in a window that only reads, and says why; the strip says that it is due", async () => {
    await audit({ ...reading, reviewDue: true });
    await click("Review");
    expect(() => button("Sign review")).toThrow();
    expect(text()).toContain("opened the log only to read it");
    expect(document.querySelector("header .amber")?.textContent).toMatch(/Review\s+is due/);
  });

  test("says what the station says when it cannot be signed", async () => {
    const shell = await audit(quality);
    vi.spyOn(shell.archive, "signReview").mockImplementation(() =>
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      Promise.reject({ code: "log-failed", sentence: "The audit log cannot be written.", remedy: ["Stop."] }),
    );
    await click("Review");
    await click("Sign review");
    expect(document.querySelector("[role=alert]")?.textContent).toContain("cannot be written");
  });
});
