// The room of work orders: what is there, what is open, how one comes in and goes.

import { describe, expect, test, vi } from "vitest";

import {
  button,
  click,
  field,
  fill,
  identify,
  inStillTime,
  openWindow,
  press,
  scan,
  settle,
  states,
  strokes,
  text,
} from "../bench";
import { failing, FakeShell, good } from "../fake";
import { SCANNER } from "../keyboard";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

let rooms: Rooms;
let shell: FakeShell;

inStillTime();

async function open(user = "sv-0004"): Promise<void> {
  shell = new FakeShell({ ...as(user), locked: false });
  rooms = await openWindow(shell);
  rooms.go("orders");
  await settle();
}

const order = (id: string) => shell.book.pages.find((page) => page.order.id === id)?.order;
const alert = () => document.querySelector("[role=alert]")?.textContent.replace(/\s+/g, " ") ?? "";
const strip = () => document.querySelector("header")?.textContent.replace(/\s+/g, " ") ?? "";
const cards = () =>
  [...document.querySelectorAll(".cards .card")].map((card) => card.textContent.replace(/\s+/g, " "));

describe("the list", () => {
  test("has what is made now first, with the numbers of the boxes", async () => {
    await open();
    const [first, second, third] = cards();
    for (const part of ["WO-44192", "Open", "412 of 500", "3 failed", "1 open", "2 scrap", "83 places left"])
      expect(first).toContain(part);
    expect(second).toContain("WO-44207");
    expect(third).toMatch(/WO-43988.*Closed/);
    expect(third).not.toContain("places left");
    const passed = document.querySelector("rect.passed")?.getAttribute("width");
    expect(passed).toBe("82.4%");
  });

  test("follows the line", async () => {
    await open();
    await shell.plug(1, good);
    await settle();
    expect(cards()[0]).toContain("413 of 500");
    expect(strip()).toContain("413 of 500 · 3 failed");
    shell.unplug(1);
    await shell.plug(1, failing);
    await settle();
    expect(cards()[0]).toContain("4 failed");
  });

  test("is asked for once more only when the log has grown, and not while something is wrong", async () => {
    await open();
    const asked = vi.spyOn(shell.book, "list");
    await rooms.line.refresh();
    await settle();
    expect(asked).not.toHaveBeenCalled();
    await scan("KS:op-0117");
    await shell.plug(1, good);
    await settle();
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("a barcode", () => {
  test("shows its order, and opens it when it is scanned again", async () => {
    await open("op-0121");
    await scan("WO-44207");
    expect(states()).toContain("order-waiting");
    expect(order("WO-44207")?.state).toBe("waiting");
    await scan("WO-44207");
    expect(order("WO-44207")?.state).toBe("open");
    expect(order("WO-44192")?.state).toBe("waiting");
    expect(strip()).toContain("WO-44207");
    // Once more it is open already, and nothing happens.
    const before = shell.book.pages.map((page) => page.order.state);
    await scan("WO-44207");
    expect(shell.book.pages.map((page) => page.order.state)).toEqual(before);
  });

  test("that is none of an order says so and shows nothing", async () => {
    await open();
    await scan("KS:op-0117");
    expect(alert()).toContain("No work order here has this barcode");
    expect(states()).toContain("orders");
    await press("Escape");
    expect(alert()).toBe("");
  });

  test("in a field is text, and its Enter does nothing", async () => {
    await open();
    await scan("WO-44192");
    await click("Scrap…");
    await fill("Reason", "It fell");
    field("serial number").focus();
    await scan("sn-007-888-abd-mac-a1-b2-c3-d4-e5-f7");
    expect(field("serial number").value).toBe("sn-007-888-abd-mac-a1-b2-c3-d4-e5-f7");
    expect(order("WO-44192")?.scrapped).toBe(2);
    await click("Put down as scrap");
    expect(order("WO-44192")?.scrapped).toBe(3);
  });

  test("with blanks presses no button", async () => {
    await open("op-0121");
    await scan("WO-44207");
    expect(document.activeElement?.textContent).toContain("Open this work order");
    await scan("a b c d");
    expect(order("WO-44207")?.state).toBe("waiting");
  });

  test.each([
    ["ends with two Enters", [..."KS:op-0117".split(""), "Enter", "Enter"]],
    ["begins with a blank", [..." KS:op".split(""), "Enter"]],
    ["begins with Enter", ["Enter", ..."KS:op".split(""), "Enter"]],
    ["has two characters", ["K", "S", "Enter"]],
  ])("that %s presses no button", async (_, code) => {
    await open("op-0121");
    await scan("WO-44207");
    const first = button("Open this work order");
    expect(document.activeElement).toBe(first);
    const events = strokes(code);
    await new Promise((done) => setTimeout(done, SCANNER + 10));
    await settle();
    for (const { key, defaultPrevented } of events)
      expect(["Enter", " "].includes(key) && !defaultPrevented, key).toBe(false);
    expect(order("WO-44207")?.state).toBe("waiting");
  });

  test.each(["Enter", " "])("is not what a hand presses: %j on a button presses it, once", async (key) => {
    await open("op-0121");
    await scan("WO-44207");
    const begun = vi.spyOn(rooms.orders, "begin");
    await press(key);
    await new Promise((done) => setTimeout(done, SCANNER + 10));
    await settle();
    // What has the focus now is another button: a key that is still held is not for it.
    expect(document.activeElement?.textContent).toContain("Back");
    const [held] = strokes([[key, { repeat: true }]]);
    expect(held?.defaultPrevented).toBe(true);
    await new Promise((done) => setTimeout(done, SCANNER + 10));
    await settle();
    expect(states()).toContain("order-open");
    expect(begun).toHaveBeenCalledOnce();
    expect(order("WO-44207")?.state).toBe("open");
  });
});

describe("an order", () => {
  test("is opened by Enter, by an operator who can do no more with it", async () => {
    await open("op-0121");
    await click(/^WO-44207/);
    for (const name of [/^Close/, /^Scrap/, /^Allow/]) expect(() => button(name)).toThrow();
    expect(text()).toContain("A supervisor closes it");
    (document.activeElement as HTMLElement).click();
    await settle();
    expect(order("WO-44207")?.state).toBe("open");
  });

  test("says which devices are not accounted for, and is closed when they are", async () => {
    await open();
    await click(/^WO-44192/);
    expect(text()).toContain("86 devices short of the quantity");
    await click("Close…");
    expect(button("Close it for good").disabled).toBe(true);
    await fill("Reason", "The customer takes fewer");
    await click("Close it for good");
    expect(alert()).toContain("4 devices of the work order WO-44192 are not accounted for");
    await press("Escape");
    for (let left = 4; left > 0; left--) {
      await click(/^Put sn-.* down as scrap$/);
      await fill("Reason", "The connector broke");
      await click("Put down as scrap");
    }
    expect(text()).toContain("Every device that was begun is accounted for");
    await click("Close…");
    await fill("Reason", "The customer takes fewer");
    await click("Close it for good");
    expect(states()).toContain("order-closed");
    expect(strip()).not.toContain("WO-44192");
  });

  test("whose list nobody saw is accounted for at once", async () => {
    await open();
    await click(/^WO-44207/);
    expect(text()).toContain("and 2 more");
    expect(() => button(/^Allow/)).toThrow();
    await click("Scrap…");
    await fill("Reason", "Never delivered");
    expect(button("Put down as scrap").disabled).toBe(true);
    field("nobody saw").click();
    await settle();
    await click("Put down as scrap");
    expect(order("WO-44207")?.scrapped).toBe(12);
  });

  test("takes more devices when another person approves it", async () => {
    await open();
    await click(/^WO-44192/);
    await click("Allow more…");
    await fill("Reason", "Spare parts");
    await fill("So many devices", "none");
    expect(button("Ask the second person").disabled).toBe(true);
    await fill("So many devices", "510");
    await click("Ask the second person");
    expect(text()).toContain("Allow 510 devices under work order WO-44192");
    await identify("KS:sv-0004", "161803");
    expect(alert()).toContain("same person");
    await identify("KS:ad-0001", "314159");
    expect(order("WO-44192")?.quantity).toBe(510);
    expect(strip()).toContain("412 of 510");
  });
});

describe("a new order", () => {
  test("comes from a file that is chosen outside of the page", async () => {
    await open();
    await click("New work order");
    await click("Choose the file");
    expect(states()).toContain("order-waiting");
    expect(text()).toContain("SN-100 – SN-149");
    expect(order("WO-44300")?.by).toBe("sv-0004");
  });

  test("comes from a list, once everything else is said", async () => {
    await open();
    await click("New work order");
    expect(button("Choose the list").disabled).toBe(true);
    for (const [label, value] of [
      ["ID of the work order", " WO-44310 "],
      ["Customer", "Contoso"],
      ["product profile", "env-sensor.toml"],
      ["Label of the group key", "gk-2026a"],
      ["Check value", "7C1D0-A4E91"],
      ["First day", "2026-11-26"],
      ["Last day", "2026-12-24"],
    ] as const)
      await fill(label, value);
    await fill("Devices; empty", "many");
    expect(button("Choose the list").disabled).toBe(true);
    await fill("Devices; empty", "");
    await click("Choose the list");
    expect(order("WO-44310")?.quantity).toBe(50);
    expect(text()).toContain("50 devices of a list");
  });

  test("that is refused says what is wrong with the list, and keeps what was typed", async () => {
    await open();
    await click("New work order");
    await fill("Customer", "Contoso");
    shell.book.dialog = { code: "order-list", sentence: "Row 3, column A.", remedy: ["Mend the row."] };
    await click("Choose the file");
    expect(alert()).toContain("Row 3, column A.");
    expect(field("Customer").value).toBe("Contoso");
    shell.book.dialog = "cancelled";
    await click("Choose the file");
    expect(text()).toContain("No file was chosen");
  });

  test("is for supervisors", async () => {
    await open("op-0121");
    expect(() => button("New work order")).toThrow();
  });
});

test("whoever takes over does not begin where the one before was", async () => {
  await open();
  await click(/^WO-44192/);
  await click("Scrap…");
  await click("Hand over");
  await identify("KS:op-0121", "356237");
  expect(states()).toContain("orders");
  expect(rooms.orders.deed).toBeUndefined();
});

test("whoever leaves leaves nothing half done", async () => {
  await open();
  await click(/^WO-44192/);
  await click("Scrap…");
  await fill("Reason", "It fell");
  await rooms.session.away();
  await settle();
  expect(rooms.orders.deed).toBeUndefined();
  expect(rooms.orders.reason).toBe("");
});
