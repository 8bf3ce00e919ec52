// Labels at the line: a scanner that is a keyboard, and hands that press keys beside it.

import { describe, expect, test, vi } from "vitest";

import { click, closeWindow, inStillTime, openWindow, press, scan, settle, strokes, text } from "./bench";
import { failing, FakeShell, good, station } from "./fake";
import { SCANNER } from "./keyboard";
import { as } from "./scenes-people";

const slots = [1, 2].map((number) => ({ number, port: "", profile: "", scans: true }));
const scanning = { ...station, locked: false, slots };

let shell: FakeShell;

inStillTime("Date");

async function open(overview = scanning): Promise<void> {
  shell = new FakeShell(overview);
  await openWindow(shell);
}

/** Until it is sure that no second code hangs on. */
async function pause(): Promise<void> {
  await new Promise((done) => setTimeout(done, SCANNER + 10));
  await settle();
}

async function label(code: string): Promise<void> {
  await scan(code);
  await pause();
}

const card = (slot: number) => document.querySelector(`[data-slot="${slot}"]`);
const says = (slot: number) => card(slot)?.textContent.replace(/\s+/g, " ") ?? "";
const alert = () => document.querySelector("[role=alert]")?.textContent ?? "";

describe("a label", () => {
  test("is asked for, waits for the next device, and is the one of the slot that takes it", async () => {
    await open();
    expect(says(1)).toContain("Scan the label");
    await label(good.serial);
    for (const slot of [1, 2]) expect(says(slot)).toContain("Plug in a device Label …-abc");
    shell.pace = () => new Promise(() => undefined);
    void shell.plug(2, good);
    await settle();
    expect(says(2)).toContain("Label …-abc");
    expect(says(1)).toContain("Scan the label");
  });

  test("is for the slot whose code came before it", async () => {
    await open();
    await label("slot:2");
    expect(says(2)).toContain("of the device for this slot");
    await label(good.serial);
    expect(says(2)).toContain("Label …-abc");
    expect(says(1)).toContain("Scan the label");
    await shell.plug(1, good);
    await settle();
    expect(says(1)).toContain("FAIL");
    expect(text()).toContain("no-label");
  });

  test("shows no more than its end: it could be a badge", async () => {
    await open();
    await label("KS:op-0121");
    expect(says(1)).toContain("…0121");
    expect(document.body.innerHTML).not.toContain("KS:op");
  });

  test.each([
    ["x".repeat(300).split(""), "label-long"],
    [["S", "F1", "N", "-", "1"], "label-character"],
    [["F1", "S", "N"], "label-character"],
    ["slot:7".split(""), "label-no-slot"],
  ])("that can be none is refused in words: %#", async (code, why) => {
    await open();
    strokes([...code, "Enter"]);
    await pause();
    expect(alert()).toContain(why);
    expect(says(1)).toContain("Scan the label");
    await press("Escape");
    expect(alert()).toBe("");
  });

  test("that was refused stays dismissed while devices come, until another code is refused", async () => {
    await open();
    await label("SN-1");
    await label("slot:7");
    await press("Escape");
    await shell.plug(1, good);
    await settle();
    expect(says(1)).toContain("PASS");
    expect(shell.labels.shown.refused?.code).toBe("label-no-slot");
    expect(alert()).toBe("");
    await label("slot:7");
    expect(alert()).toContain("label-no-slot");
    await press("Escape");
    await label("slot:2");
    await label("slot:7");
    expect(alert()).toContain("label-no-slot");
  });

  test("that another one hangs on is seen, and neither is taken", async () => {
    await open();
    strokes([..."SN-0001".split(""), "Enter", ..."SN-0002".split(""), "Enter"]);
    await pause();
    expect(alert()).toContain("label-two");
    expect(says(1)).toContain("Scan the label");
    await label("SN-0003");
    expect(alert()).toBe("");
    expect(says(1)).toContain("…0003");
  });

  test("that another one hangs on without an end is seen as well", async () => {
    await open();
    strokes([..."SN-0001".split(""), "Enter", ..."SN-0".split("")]);
    await pause();
    expect(alert()).toContain("label-two");
    expect(says(1)).toContain("Scan the label");
  });

  test("of a scanner that ends with CR and LF is one label", async () => {
    await open();
    strokes([..."SN-0001".split(""), "Enter", "Enter"]);
    await pause();
    expect(alert()).toBe("");
    expect(says(1)).toContain("…0001");
  });

  test("is not what somebody types by hand, or holds down", async () => {
    await open();
    for (const key of ["a", "b", "c", "Enter"]) await press(key);
    for (let turn = 0; turn < 9; turn++) await press("Enter", { repeat: true, after: 30 });
    await pause();
    expect(says(1)).toContain("Scan the label");
    expect(alert()).toBe("");
  });
});

describe("what a scanner types", () => {
  test.each([
    ["Enter", {}],
    ["F1", {}],
    ["l", { ctrlKey: true }],
    ["h", { ctrlKey: true }],
  ])("triggers nothing by %s, at whichever place of the code it is", async (key, how) => {
    for (const at of [0, 2, 5]) {
      await open();
      await shell.plug(1, failing);
      shell.unplug(1);
      await settle();
      const code: (string | [string, KeyboardEventInit])[] = [..."SN-77".split("")];
      code.splice(at, 0, [key, how]);
      strokes([...code, "Enter"]);
      await pause();
      expect(says(1), `at ${at}`).toContain("FAIL");
      expect(document.querySelector("[data-stage]"), `at ${at}`).toBeNull();
      await closeWindow();
    }
  });

  test("presses no button that has the focus", async () => {
    await open({ ...scanning, locked: true });
    const button = card(1)?.querySelector("button");
    button?.focus();
    const pressed = vi.spyOn(shell, "unlock");
    const events = strokes([..."SN 0001".split(""), "Enter"]);
    await pause();
    // The first character may be a hand's; a blank or Enter behind it is the scanner's.
    expect(events.slice(1).every((event) => event.defaultPrevented)).toBe(true);
    expect(pressed).not.toHaveBeenCalled();
  });
});

describe("a FAIL", () => {
  test("is not acknowledged by a scanner that presses its button", async () => {
    await open();
    await shell.plug(1, failing);
    await shell.plug(2, failing);
    await settle();
    for (const code of [
      [..."SN-0001".split(""), "Enter", "Enter"],
      [" ", "S", "N", "Enter"],
      ["Enter", "S", "N", "Enter"],
    ]) {
      card(2)?.querySelector("button")?.focus();
      const events = strokes(code);
      await pause();
      for (const event of events)
        expect(["Enter", " "].includes(event.key) && !event.defaultPrevented, event.key).toBe(false);
      for (const slot of [1, 2]) expect(says(slot)).toContain("FAIL");
    }
  });

  test("is acknowledged by a blank on its button", async () => {
    await open();
    await shell.plug(1, failing);
    await shell.plug(2, failing);
    await settle();
    card(2)?.querySelector("button")?.focus();
    await press(" ");
    await pause();
    expect(says(1)).toContain("FAIL");
    expect(says(2)).toContain("Unplug the device");
  });
});

describe("a slot that is out", () => {
  const outs = { ...as("sv-0004", scanning), slots };

  test("is put back by a supervisor with Enter, after every FAIL", async () => {
    await open(outs);
    await label("SN-1");
    await shell.plug(1, failing);
    shell.out(2);
    await settle();
    expect(says(2)).toContain("contact was lost 6 times");
    await press("Enter");
    expect(says(1)).toContain("Unplug the device");
    expect(says(2)).toContain("Slot taken out");
    await press("Enter");
    expect(says(2)).toContain("Scan the label");
    expect(text()).toContain("Slot put back");
  });

  test("is put back by its key, its button, or Enter after its code", async () => {
    await open(outs);
    for (const how of ["key", "button", "code"]) {
      shell.out(1);
      shell.out(2);
      await settle();
      if (how === "key") await press("F2");
      else if (how === "button") {
        card(2)?.querySelector("button")?.click();
        await settle();
      } else {
        await label("slot:2");
        await press("Enter");
      }
      expect(says(2), how).toContain("Scan the label");
      expect(says(1), how).toContain("Slot taken out");
    }
  });

  test("stays out for whoever may not, who is not offered it", async () => {
    await open();
    shell.out(1);
    await settle();
    const asked = vi.spyOn(shell, "putBack");
    for (const key of ["Enter", "F1"]) await press(key);
    expect(says(1)).toContain("A supervisor puts the slot back.");
    expect(card(1)?.querySelector("button")).toBeNull();
    expect(asked).not.toHaveBeenCalled();
    expect(
      document.querySelector("[data-health]"),
      "how the slot is, is for whoever can do something",
    ).toBeNull();
    await click("Lock");
    expect(says(1)).toContain("Slot taken out");
  });

  test("says to a supervisor what it made, and how worn its contact is", async () => {
    await open({ ...as("sv-0004", scanning) });
    shell.out(1);
    await settle();
    expect(document.querySelector('[data-health="1"]')?.textContent).toContain(
      "Yield 97.1 % · retried 2 · contact lost 6 · contacts so far 10\u00a0422",
    );
  });
});
