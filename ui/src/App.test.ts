// The window as an operator meets it: keys in, words out.

import { beforeEach, describe, expect, test, vi } from "vitest";

import { closeWindow, identify, inStillTime, openWindow, press, settle, text } from "./bench";
import { failing, FakeShell, good, station } from "./fake";
import { goes, stalls } from "./scenes-many";
import { as } from "./scenes-people";

const unlocked = { ...station, locked: false };
let sounds: string[];

inStillTime("Date");

beforeEach(() => {
  sounds = [];
});

/** Opens the window on `shell`. */
async function open(shell: FakeShell): Promise<FakeShell> {
  await openWindow(shell, (result) => sounds.push(result));
  return shell;
}

const word = () => document.querySelector("[data-slot] h2")?.textContent ?? "";
const state = (slot = 1) => document.querySelector<HTMLElement>(`[data-slot="${slot}"]`)?.dataset.state;

describe("a good device", () => {
  test("passes without a key pressed, and its PASS clears when it is unplugged", async () => {
    const shell = await open(new FakeShell(unlocked));
    expect(word()).toBe("Plug in a device");
    await shell.plug(1, good);
    await settle();
    expect(word()).toBe("PASS");
    expect(text()).toContain("007-888-abc");
    expect(sounds).toEqual(["pass"]);
    shell.unplug(1);
    await settle();
    expect(word()).toBe("Plug in a device");
  });

  test("shows its six steps in order, each marked as the current one in its turn", async () => {
    const seen: string[] = [];
    const shell = await open(new FakeShell(unlocked));
    shell.pace = async () => {
      await settle();
      seen.push(document.querySelector("[aria-current=step]")?.textContent.trim() ?? "none");
    };
    await shell.plug(1, good);
    expect(seen).toEqual(["Read", "Derive", "Write", "Restart", "Prove", "Record"]);
  });

  test("keeps its PASS when Enter, Escape or the slot's key is pressed", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, good);
    for (const key of ["Enter", "Escape", "F1"]) await press(key);
    expect(word()).toBe("PASS");
  });

  test("moves the counts and the last records", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, good);
    await settle();
    expect(text()).toContain("413 of 500");
    expect(document.querySelector("tbody tr")?.textContent).toContain("PASS");
    expect(text()).toContain("to record 5\u00a0126");
  });
});

describe("a failing device", () => {
  test("says what happened, whether it is safe and what to do, with code and record", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    await settle();
    expect(word()).toBe("FAIL");
    for (const part of [
      "not kept over the restart",
      "did not take the new key",
      "Plug the device in again.",
      "not-kept",
      "5\u00a0126",
      "007-888-abd",
    ])
      expect(text()).toContain(part);
    expect(sounds).toEqual(["fail"]);
  });

  test("does not go away by unplugging, by time, or by other keys", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    shell.unplug(1);
    vi.setSystemTime(Date.now() + 10 * 60 * 1000);
    await vi.advanceTimersByTimeAsync(5000);
    for (const key of ["Escape", " ", "a", "1", "F2"]) await press(key);
    expect(word()).toBe("FAIL");
  });

  test.each(["Enter", "F1"])("goes away when %s says that it was seen", async (key) => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    shell.unplug(1);
    await press(key);
    expect(word()).toBe("Plug in a device");
  });

  test("asks to be unplugged when it was seen while still plugged in", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    await press("Enter");
    expect(word()).toBe("Unplug the device");
    for (const part of ["007-888-abd", "did not take the new key"]) expect(text()).toContain(part);
    shell.unplug(1);
    await settle();
    expect(word()).toBe("Plug in a device");
  });

  test("holds the slot: the next device is not touched before it was seen", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    shell.unplug(1);
    await shell.plug(1, good);
    await settle();
    expect(word()).toBe("FAIL");
  });

  test("is not acknowledged by a held Enter or by a barcode that ends with Enter", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    await press("Enter", { repeat: true });
    await press("7");
    await press("Enter", { after: 8 });
    expect(word()).toBe("FAIL");
  });

  test("says it in one slot only, and Enter takes one FAIL at a time", async () => {
    const slots = [1, 2].map((number) => ({ number, port: "", profile: "", scans: false }));
    const shell = await open(new FakeShell({ ...unlocked, slots }));
    await shell.plug(1, failing);
    await shell.plug(2, failing);
    await press("Enter");
    expect([state(1), state(2)]).toEqual(["remove", "fail"]);
    await press("F2");
    expect(state(2)).toBe("remove");
  });
});

describe("the vault", () => {
  test("is asked for at the start, without a key pressed", async () => {
    await open(new FakeShell(station, "unlocked"));
    expect(word()).toBe("Plug in a device");
    expect(document.querySelector("header")?.textContent).toContain("7C1D0-A4E91");
  });

  test("is unlocked by Enter, and the device that waits is keyed then", async () => {
    const shell = await open(new FakeShell(station));
    await shell.plug(1, good);
    await settle();
    expect(word()).toBe("Vault locked");
    shell.passphrase = "unlocked";
    await press("Enter");
    expect(word()).toBe("PASS");
  });

  test("stays locked when the dialog is cancelled, without a complaint", async () => {
    await open(new FakeShell(station, "cancelled"));
    await press("Enter");
    expect(word()).toBe("Vault locked");
    expect(document.querySelector("[role=alert]")).toBeNull();
  });

  test("says why it cannot be unlocked, until it is", async () => {
    const shell = new FakeShell(station, {
      code: "vault-failed",
      sentence: "The vault file is damaged.",
      remedy: ["Call the custodian."],
    });
    await open(shell);
    expect(document.querySelector("[role=alert]")?.textContent).toContain("The vault file is damaged.");
    shell.passphrase = "unlocked";
    await press("Enter");
    expect(document.querySelector("[role=alert]")).toBeNull();
  });

  test("is locked by Ctrl+L, but not by L", async () => {
    await open(new FakeShell(unlocked));
    await press("l");
    expect(word()).toBe("Plug in a device");
    await press("l", { ctrlKey: true });
    expect(word()).toBe("Locked");
    expect(document.querySelector("[aria-label=Locked]")).not.toBeNull();
  });

  test("comes after a FAIL that stands, which only a person who is signed in has seen", async () => {
    const shell = await open(new FakeShell(unlocked));
    await shell.plug(1, failing);
    shell.unplug(1);
    await press("l", { ctrlKey: true });
    for (const key of ["Enter", "F1"]) await press(key);
    expect(word()).toBe("FAIL");
    await identify("KS:op-0117", "141421");
    expect(word()).toBe("FAIL");
    await press("Enter");
    expect(word()).toBe("Vault locked");
    shell.passphrase = "unlocked";
    await press("Enter");
    expect(word()).toBe("Plug in a device");
  });
});

describe("the page", () => {
  test("names the devices whose outcome is not known", async () => {
    await open(new FakeShell({ ...unlocked, openIntents: 3, unsettled: [good.id, failing.id] }));
    for (const part of [good.id, failing.id, "and 1 more"])
      expect(document.querySelector("header")?.textContent).toContain(part);
  });

  test("shows why the station cannot start, and nothing else", async () => {
    const shell = new FakeShell(station);
    shell.broken = { code: "in-use", sentence: "Another program holds the station.", remedy: ["Close it."] };
    await open(shell);
    expect(text()).toContain("Another program holds the station.");
    expect(text()).toContain("Close it.");
    expect(document.querySelector("[data-slot]")).toBeNull();
  });

  test("says that a slot stopped, and that no Enter mends it", async () => {
    const shell = await open(new FakeShell(unlocked));
    shell.stop(1, {
      safety: "unknown",
      code: "slot-stopped",
      sentence: "Too many open files.",
      remedy: ["Close the window."],
    });
    await press("Enter");
    expect(word()).toBe("Slot stopped");
    expect(sounds).toEqual(["call"]);
    for (const part of ["Too many open files.", "may hold a key", "Close the window."])
      expect(text()).toContain(part);
  });

  test("says so when the settings have no slot", async () => {
    await open(new FakeShell({ ...unlocked, slots: [] }));
    expect(text()).toContain("station.toml");
  });

  test("turns the strip red when the log cannot be written", async () => {
    const shell = await open(new FakeShell(unlocked));
    const { fails } = failing;
    if (!fails) throw new Error("the failing device fails");
    await shell.plug(1, { ...failing, fails: { ...fails, code: "log-failed" } });
    await settle();
    expect(document.querySelector("header .red")?.textContent).toContain("Cannot be written");
  });

  test("shows what a device sends as text, with nothing hidden in it", async () => {
    const shell = await open(new FakeShell(unlocked));
    const serial = "<img src=x onerror='window.owned=1'>\u202egpj\u0000";
    await shell.plug(1, { ...good, serial });
    await settle();
    expect(document.querySelector("main img")).toBeNull();
    expect(text()).toContain("<img src=x onerror='window.owned=1'>[U+202E]gpj[U+0000]");
  });
});

describe("disk and clock", () => {
  test("what a person has to see stays in sight, each with its steps", async () => {
    const notice = (code: string) => ({ code, sentence: `Look at ${code}.`, remedy: ["Call somebody."] });
    await open(new FakeShell({ ...unlocked, notices: [notice("space-warning"), notice("clock-jumped")] }));
    const seen = [...document.querySelectorAll('[role="alert"]')].map((alert) => alert.textContent);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatch(/Look at space-warning\.\s*Call somebody\.\s*space-warning/);
    expect(seen[1]).toContain("clock-jumped");
  });
});

describe("what goes out after a PASS", () => {
  const outgoing = () => document.querySelector(".outgoing")?.textContent.replace(/\s+/g, " ");

  test("is one quiet line to whoever looks after it, and nothing to an operator", async () => {
    await open(new FakeShell({ ...as("sv-0004", unlocked), after: goes }));
    expect(outgoing()).toContain("Printer bench: 0 labels wait · 2 records wait for delivery");
    expect(document.querySelector("[data-after=stalled]")).toBeNull();
    await closeWindow();
    await open(new FakeShell({ ...as("op-0121", unlocked), after: stalls }));
    expect(outgoing()).toBeUndefined();
  });

  test("says plainly what does not go out, and why", async () => {
    vi.setSystemTime(new Date("2026-11-26T14:02:00Z"));
    await open(new FakeShell({ ...as("sv-0004", unlocked), after: stalls }));
    expect(outgoing()).toMatch(
      /Printer bench takes no label: it cannot be reached\. Is it on\? \(21 min ago\)/,
    );
    expect(outgoing()).toMatch(/No record is delivered: it does not prove who it is\. \(1 h ago\)/);
    expect(outgoing()).toContain("Printer bench: 12 labels wait · Printer pack-2: 0 labels wait");
    expect(outgoing()).toContain("1 204 records wait for delivery");
    // QA has no line, and sees it in the room that they have.
    await closeWindow();
    await open(new FakeShell({ ...as("qa-0007", unlocked), after: stalls }));
    expect(document.querySelector("main[aria-label=Audit] .outgoing, .room .outgoing")).not.toBeNull();
    expect(outgoing()).toContain("takes no label");
  });

  test("a word that this window does not know is said as the record has it", async () => {
    const [bench] = stalls.printers;
    const trouble = { time: "never", why: "<b>on fire" };
    const printers = bench ? [{ ...bench, trouble }] : [];
    await open(new FakeShell({ ...as("sv-0004", unlocked), after: { printers, outbox: null } }));
    expect(outgoing()).toContain("Printer bench takes no label: <b>on fire");
  });
});

describe("how far the log is secured outside of this machine", () => {
  const cell = () =>
    [...document.querySelectorAll("header dl > div")].find((div) => div.textContent.includes("Secured"));
  const strip = async (state: "none" | "fresh" | "due" | "overdue", hours: number | null) => {
    const time = hours === null ? null : Date.now() - hours * 3_600_000;
    const record = hours === null ? null : 5120;
    await open(new FakeShell({ ...unlocked, anchor: { state, record, time, open: 4 } }));
    return cell();
  };

  test("names the record and the age, and warns by colour only when the rules do", async () => {
    const fresh = await strip("fresh", 2);
    expect(fresh?.textContent).toMatch(/Secured\s+· 2 h ago\s+to record 5\u00a0120/);
    expect(fresh?.classList.contains("amber") || fresh?.classList.contains("red")).toBe(false);
  });

  test("is amber when the witness is due", async () => {
    const due = await strip("due", 9);
    expect(due?.textContent).toContain("witness due");
    expect(due?.classList.contains("amber")).toBe(true);
  });

  test("is red when no new job is begun", async () => {
    const overdue = await strip("overdue", 26);
    expect(overdue?.textContent).toContain("no new jobs");
    expect(overdue?.classList.contains("red")).toBe(true);
  });

  test("says so when there is no witness", async () => {
    expect((await strip("none", null))?.textContent).toContain("not outside this machine");
  });
});

describe("many slots", () => {
  const many = Array.from({ length: 32 }, (_, index) => ({
    number: index + 1,
    port: "",
    profile: "",
    scans: false,
  }));
  const below = () => document.querySelector(".foremost")?.textContent.replace(/\s+/g, " ");

  test("are tiles, and the FAIL that Enter is for is said in full below them", async () => {
    const shell = await open(new FakeShell({ ...unlocked, slots: many }));
    expect(below()).toBeUndefined();
    shell.out(3);
    await shell.plug(20, failing);
    await shell.plug(7, failing);
    await settle();
    expect([3, 7, 20, 21].map((slot) => state(slot))).toEqual(["stopped", "fail", "fail", "waiting"]);
    for (const part of ["Slot 20", "007-888-abd", "not kept over the restart", "did not take", "to repair"])
      expect(below()).toContain(part);
    await press("Enter");
    expect([state(7), state(20)]).toEqual(["fail", "remove"]);
    expect(below()).toContain("Slot 7");
    await press("Enter");
    // Whoever may not put it back sees why it is out, and the records again once it is back.
    expect(below()).toContain("contact was lost 6 times");
    await press("Enter");
    expect(state(3)).toBe("stopped");
  });

  test("a FAIL that comes while a key is pressed, or another FAIL is read, is not acknowledged", async () => {
    const shell = await open(new FakeShell({ ...unlocked, slots: many }));
    await shell.plug(20, failing);
    await settle();
    for (const [key, stands] of [
      ["Enter", "remove"],
      ["F7", "remove"],
    ] as const) {
      const pressed = press(key);
      await shell.plug(7, failing);
      await pressed;
      expect([state(20), state(7)], key).toEqual([stands, "fail"]);
      await press("F7");
      expect(state(7), key).toBe("remove");
      shell.unplug(7);
      await settle();
    }
  });

  test("a double click on what stands below answers one FAIL, and puts no slot back", async () => {
    const shell = await open(new FakeShell({ ...as("sv-0004", unlocked), slots: many }));
    await shell.plug(20, failing);
    await shell.plug(7, failing);
    shell.out(3);
    await settle();
    const twice = async () => {
      for (const detail of [1, 2]) {
        const seen = document.querySelector(".foremost button");
        seen?.dispatchEvent(new MouseEvent("click", { bubbles: true, detail }));
        await settle();
      }
    };
    const first = document.querySelector(".foremost button");
    await twice();
    expect([state(20), state(7), state(3)]).toEqual(["remove", "fail", "stopped"]);
    // What had the focus is gone: Enter is for the window, and not for a button whose meaning has changed.
    expect(first?.isConnected).toBe(false);
    await twice();
    expect([state(7), state(3)]).toEqual(["remove", "stopped"]);
    await twice();
    expect(state(3)).toBe("waiting");
  });
});
