// The keys room: what is there, what becomes of it, and how a key comes in without passing the page.

import { describe, expect, test, vi } from "vitest";

import {
  button,
  choose,
  click,
  field,
  fill,
  identify,
  inStillTime,
  openWindow,
  press,
  settle,
  states,
  text,
} from "../bench";
import { FakeShell } from "../fake";
import { newCheckValue } from "../fake/keys";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

const LEFT = ["KS:cu-0301", "271828"] as const;
const RIGHT = ["KS:cu-0302", "182845"] as const;

let rooms: Rooms;
let shell: FakeShell;

inStillTime();

async function open(user = "cu-0301"): Promise<void> {
  shell = new FakeShell(as(user));
  rooms = await openWindow(shell);
  rooms.go("keys");
  await settle();
}

const card = (label: string) => shell.ring.cards.find((known) => known.label === label);
const alert = () => document.querySelector("[role=alert]")?.textContent.replace(/\s+/g, " ") ?? "";

describe("a card", () => {
  test("says what the key is, where it lies, who brought it, and how many devices carry it", async () => {
    await open();
    const first = document.querySelector(".cards button")?.textContent.replace(/\s+/g, " ");
    for (const part of [
      "gk-2026a",
      "7C1D0-A4E91",
      "Active",
      "Primary key of env-sensors",
      "0ne00EMU001",
      "Sealed file",
      "Ceremony of cu-0301 and cu-0302",
      "1 842 devices",
    ])
      expect(first).toContain(part);
  });

  test("opens on the devices that die with the key, and more of them when asked", async () => {
    await open();
    await click(/^gk-2026a/);
    expect(document.querySelectorAll("ol li")).toHaveLength(201);
    await click("Show more");
    expect(document.querySelectorAll("ol li")).toHaveLength(401);
    await press("Escape");
    expect(states()).toContain("keys");
  });
});

describe("a key", () => {
  test("is activated by two custodians", async () => {
    await open();
    await click(/^gk-2026b/);
    await click("Activate");
    expect(button("Ask the second custodian").disabled).toBe(true);
    await fill("Reason", "New work order");
    expect(button("Ask the second custodian").disabled).toBe(true);
    expect(text()).not.toContain("91D4C-0B7FE");
    await fill("Check value", "91d4c0b7fe");
    await click("Ask the second custodian");
    expect(text()).toContain("Activate group key gk-2026b, check value 91D4C-0B7FE");
    await identify(...LEFT);
    expect(alert()).toContain("same person");
    expect(card("gk-2026b")?.state).toBe("imported");
    await identify(...RIGHT);
    expect(card("gk-2026b")?.state).toBe("active");
    expect(states()).toContain("key");
  });

  test("is not activated where its paper has another check value", async () => {
    await open();
    await click(/^gk-2026b/);
    await click("Activate");
    await fill("Reason", "New work order");
    await fill("Check value", "91D4C-0B7F3");
    await click("Ask the second custodian");
    await identify(...RIGHT);
    expect(alert()).toContain("another check value than was typed");
    expect(card("gk-2026b")?.state).toBe("imported");
  });

  test("is suspended at once by a supervisor, who can do no more with it", async () => {
    await open("sv-0004");
    expect(document.querySelector("nav[aria-label=Pages]")).toBeNull();
    await click(/^gk-2026a/);
    expect(() => button(/Destroy/)).toThrow();
    await click("Suspend");
    await fill("Reason", "Paper is missing");
    await click("Suspend now");
    expect(card("gk-2026a")?.state).toBe("suspended");
    expect(() => button("Activate")).toThrow();
  });

  test("is destroyed only with its label typed, a reason and a second custodian", async () => {
    await open();
    await click(/^gk-2025b/);
    await click(/Destroy/);
    await fill("Reason", "Rotated");
    await fill("Type the label", "gk-2025");
    expect(button("Ask the second custodian").disabled).toBe(true);
    await fill("Type the label", "gk-2025b");
    await click("Ask the second custodian");
    expect(card("gk-2025b")?.state).toBe("suspended");
    await identify(...RIGHT);
    expect(card("gk-2025b")?.state).toBe("destroyed");
    expect(text()).toContain("gone from this station for good");
  });
});

describe("an import", () => {
  async function describeKey(): Promise<void> {
    await click("Import");
    await fill("Label", "gk-2027a");
    await fill("Enrollment group", "env-sensors");
    await fill("ID scope", "0ne00EMU001");
    await choose("PKCS#11 token");
    expect(button("Ask the second custodian").disabled).toBe(true);
    await fill("Check value", newCheckValue.replace("-", "").toLowerCase());
  }

  test("asks for the key in a window of its own, and shows the check value", async () => {
    await open();
    const bring = vi.spyOn(shell, "importKey");
    await describeKey();
    expect(document.querySelector("input[type=password], textarea")).toBeNull();
    await click("Ask the second custodian");
    expect(bring).not.toHaveBeenCalled();
    const all = `gk-2027a: group env-sensors, ID scope 0ne00EMU001, primary, check value ${newCheckValue}, into: PKCS#11 token`;
    expect(text(), "who approves sees all that is approved").toContain(all);
    await identify(...RIGHT);
    expect(states()).toContain("import-done");
    expect(text()).toContain(newCheckValue);
    await click("Open the key");
    expect(text()).toContain("Not active yet");
    expect(card("gk-2027a")).toMatchObject({ importedBy: "cu-0301", approver: "cu-0302", how: "single" });
  });

  test("says that nothing was imported when that window was closed, and keeps what was described", async () => {
    await open();
    shell.ring.dialog = "cancelled";
    await describeKey();
    await click("Ask the second custodian");
    await identify(...RIGHT);
    expect(alert()).toContain("Nothing was imported");
    expect(field("Label").value).toBe("gk-2027a");
    expect(card("gk-2027a")).toBeUndefined();
  });

  test("says what the station says", async () => {
    await open();
    await describeKey();
    await fill("Label", "gk-2026a");
    await click("Ask the second custodian");
    await identify(...RIGHT);
    expect(alert()).toContain("There is a group key of this label already.");
    expect(alert()).toContain("key-exists");
  });

  test("takes the only custody there is, and no other by itself", async () => {
    await open();
    await click("Import");
    expect(rooms.keys.draft.custody).toBeUndefined();
    shell.ring.held = ["tpm"];
    await click("Import");
    expect(rooms.keys.draft.custody).toBe("tpm");
  });

  test("from a transfer file shows whom to seal it to", async () => {
    await open();
    await click("Transfer file");
    expect(text()).toContain("age1");
    await fill("Label", "gk-2027a");
    await fill("Enrollment group", "env-sensors");
    await fill("ID scope", "0ne00EMU001");
    await choose("TPM");
    await fill("Check value", newCheckValue);
    await click("Ask the second custodian");
    await identify(...RIGHT);
    expect(card("gk-2027a")).toMatchObject({ how: "transfer", custody: "tpm" });
  });
});

describe("a ceremony", () => {
  async function begin(checkValue: string = newCheckValue): Promise<void> {
    await open();
    await click("Ceremony");
    await fill("Label", "gk-2027a");
    await fill("Enrollment group", "env-sensors");
    await fill("ID scope", "0ne00EMU001");
    await choose("Sealed file");
    await fill("Check value", checkValue);
    await click("Begin the ceremony");
  }

  /** The left custodian signs in; the right one does when the left one is done. */
  async function seat(): Promise<void> {
    await begin();
    await identify(...LEFT);
  }

  async function seatRight(): Promise<void> {
    await click("Next: right");
    await identify(...RIGHT);
  }

  async function later(seconds: number): Promise<void> {
    const now = shell.staff.now() + seconds * 1000;
    shell.staff.now = () => now;
    // Whoever types into the native dialog is there.
    await shell.touch();
  }

  async function give(paper: string): Promise<void> {
    await click("Give my component");
    await fill("Check value on my paper", paper);
    await click("Compare");
  }

  const side = (seat: 0 | 1) =>
    document.querySelector(`[data-side="${seat}"]`)?.textContent.replace(/\s+/g, " ") ?? "";

  test("is two people, a component each, and the key has the check value of the paper", async () => {
    await seat();
    expect(side(0)).toContain("cu-0301");
    await give("5e01b2");
    await seatRight();
    expect(side(1)).toContain("cu-0302");
    await give("C94A77");
    expect(states()).toContain("ceremony-result");
    expect(field("Check value of the key").value).toBe("");
    await fill("Check value of the key", newCheckValue);
    await click("Put the key together");
    expect(states()).toContain("ceremony-done");
    expect(card("gk-2027a")).toMatchObject({ how: "ceremony", state: "imported" });
  });

  test("does not take one person on both sides", async () => {
    await seat();
    await give("5E01B2");
    await click("Next: right");
    await identify(...LEFT);
    expect(alert()).toContain("The other side has this person already.");
    expect(() => button("Give my component")).toThrow();
  });

  test("shows a check value only after it was typed from paper, and only to whose it is", async () => {
    await seat();
    await click("Give my component");
    expect(document.body.innerHTML).not.toContain("5E01B2");
    await fill("Check value on my paper", "5E01B2");
    await click("Compare");
    expect(side(0)).toContain("5E01B2");
    await seatRight();
    expect(document.body.innerHTML).not.toContain("5E01B2");
    expect(side(0)).toContain("Agrees with the paper");
  });

  test("ends where the check value of a component is another than the paper's", async () => {
    await seat();
    await give("5E01B3");
    expect(states()).toContain("ceremony-aborted");
    expect(text()).toContain("the component does not have the check value that was typed");
    expect(text()).toContain("There is no new key.");
    await click("Begin anew");
    expect(states()).toContain("ceremony-begin");
  });

  test("asks for the sign-in again when it has run out, and goes on from there", async () => {
    await seat();
    await later(301);
    await click("Give my component");
    expect(alert()).toContain("The custodian of component 1 has to sign in.");
    expect(() => button("Give my component")).toThrow();
    await identify(...LEFT);
    expect(alert()).toBe("");
    await give("5E01B2");
    expect(side(0)).toContain("Agrees");
  });

  test("does not let the sign-in of the one run out while the other types", async () => {
    await seat();
    await later(299);
    await give("5E01B2");
    await later(299);
    await seatRight();
    await give("C94A77");
    expect(states()).toContain("ceremony-result");
  });

  test("shows that it has ended when its step finds that out", async () => {
    await seat();
    vi.spyOn(shell, "ceremonyComponent").mockImplementation(async () => {
      await shell.ceremonyAbort();
      throw { code: "ceremony-aborted", sentence: "It took too long.", remedy: [] } as unknown as Error;
    });
    await click("Give my component");
    expect(states()).toContain("ceremony-aborted");
  });

  test("goes on when the window of the component was closed without one", async () => {
    await seat();
    shell.ring.dialog = "cancelled";
    await click("Give my component");
    expect(alert()).toContain("without a component");
    shell.ring.dialog = "given";
    await give("5E01B2");
    expect(side(0)).toContain("Agrees");
  });

  test("ends without a key where the whole has another check value", async () => {
    await seat();
    await give("5E01B2");
    await seatRight();
    await give("C94A77");
    await fill("Check value of the key", "3F9A2-77C11");
    await click("Put the key together");
    expect(states()).toContain("ceremony-aborted");
    expect(text()).toContain("There is no new key.");
    expect(card("gk-2027a")).toBeUndefined();
  });

  test("stays where it is when one looks at another room, and is aborted by its button", async () => {
    await seat();
    rooms.go("line");
    await settle();
    rooms.go("keys");
    await settle();
    expect(states()).toContain("ceremony-components");
    await click("Abort the ceremony");
    expect(text()).toContain("What was given was wiped.");
    await click("Begin anew");
    expect(states()).toContain("ceremony-begin");
  });
});
