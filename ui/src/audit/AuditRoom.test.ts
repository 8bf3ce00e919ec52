// The audit room as a QA engineer meets it: keys in, words out.

import { describe, expect, test, vi } from "vitest";

import { click, closeWindow, inStillTime, openWindow, press, settle, states as state, text } from "../bench";
import type { Overview } from "../bindings/Overview";
import { failing, FakeShell, good, station } from "../fake";
import type { Rooms } from "../rooms.svelte";

const big: Overview = { ...station, locked: false, records: 6004 };
const reading: Overview = { ...big, rooms: ["audit"], readOnly: true, slots: [], key: null };

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

async function search(text: string): Promise<void> {
  const field = box();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.form?.requestSubmit();
  await settle();
}

const box = () => {
  const found = document.querySelector<HTMLInputElement>("[role=search] input");
  if (!found) throw new Error("no search box");
  return found;
};
const table = () => document.querySelector<HTMLElement>("[role=grid]");
const selected = () => document.querySelector<HTMLElement>("[aria-selected=true]")?.textContent ?? "";
describe("the rooms", () => {
  test("are on a rail, but not for who has one only", async () => {
    await open();
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).toMatch(/Line.*Audit/s);
    await closeWindow();
    await open({ ...big, rooms: ["line"] });
    expect(document.querySelector("nav[aria-label=Rooms]")).toBeNull();
    await press("4", { ctrlKey: true });
    expect(document.querySelector("[role=search]")).toBeNull();
  });

  test("are entered by Ctrl and their number, and the search box takes what is typed then", async () => {
    await open();
    expect(document.querySelector("[role=search]")).toBeNull();
    await press("4", { ctrlKey: true });
    expect(document.activeElement).toBe(box());
    await press("1", { ctrlKey: true });
    expect(document.querySelector("[data-slot]")).not.toBeNull();
  });

  test("a FAIL is not acknowledged from the audit room, and the rail says that it stands", async () => {
    const shell = await audit();
    await shell.plug(1, failing);
    for (const key of ["Enter", "F1"]) await press(key);
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).toContain("1 FAIL");
    await press("1", { ctrlKey: true });
    expect(document.querySelector("[data-slot] h2")?.textContent).toBe("FAIL");
  });

  test("lock is a key everywhere, also with the search box focused", async () => {
    await audit();
    await press("l", { ctrlKey: true });
    expect(state()).toContain("door-away");
  });

  test("a window that only reads neither asks for the passphrase nor watches slots", async () => {
    const shell = new FakeShell(reading, "unlocked");
    const unlock = vi.spyOn(shell, "unlock");
    const watch = vi.spyOn(shell, "watch");
    await audit(reading, shell);
    expect(document.activeElement).toBe(box());
    expect(unlock).not.toHaveBeenCalled();
    expect(watch).not.toHaveBeenCalled();
    expect(document.querySelector("header")?.textContent).toContain("Read-only");
  });
});

describe("search", () => {
  test("shows the newest first, what was keyed a moment ago among them", async () => {
    const shell = new FakeShell(big);
    await shell.plug(1, good);
    await audit(big, shell);
    expect(document.querySelector("tbody tr")?.textContent).toMatch(/PASS.*007-888-abc.*WO-44192/s);
    expect(text()).toContain("of 200 or more");
  });

  test("Enter goes to the results, Enter again opens the device, Escape leads back to its row", async () => {
    await audit();
    await search("outcome:ok");
    expect(document.activeElement).toBe(table());
    await press("ArrowDown");
    const row = selected();
    await press("Enter");
    expect(document.querySelector("section[aria-label=Device] h2")?.textContent).toBe("KEYED");
    await press("Escape");
    expect(selected()).toBe(row);
    expect(document.activeElement).toBe(table());
  });

  test.each([
    ["ArrowDown", 1],
    ["PageDown", 4],
    ["End", 199],
  ])("%s moves the selection from the first row to row %i, and back by its opposite", async (key, row) => {
    await audit();
    await press("ArrowDown");
    await press(key);
    expect(rooms.audit.found.selected).toBe(row);
    expect(selected()).not.toBe("");
    await press({ ArrowDown: "ArrowUp", PageDown: "PageUp", End: "Home" }[key] ?? "");
    expect(rooms.audit.found.selected).toBe(0);
  });

  test("the arrow up from the first row, Escape and the slash lead to the search box", async () => {
    await audit();
    for (const key of ["ArrowUp", "Escape", "/"]) {
      await press("ArrowDown");
      expect(document.activeElement).toBe(table());
      await press(key);
      expect(document.activeElement).toBe(box());
    }
  });

  test("says under the box what is wrong with a query, and finds again when it is mended", async () => {
    await audit();
    await search("mak:1");
    expect(document.querySelector("#query-says")?.textContent).toContain("no field “mak:”");
    expect(box().getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).not.toBe(table());
    await search("outcome:ok");
    expect(box().getAttribute("aria-invalid")).toBeNull();
    expect(state()).toContain("results");
  });

  test.each(["A1-B2-C3-00-00-07", "a1:b2:c3:00:00:07", "mac:a1b2c3000007", "000-007-abc"])(
    "finds a device by %s",
    async (query) => {
      await audit();
      await search(query);
      expect(document.querySelector("tbody tr")?.textContent).toContain("000-007-abc");
      expect(text()).toContain("1 to 1 of 1");
    },
  );

  test("says that nothing was found, and that a new log has nothing yet", async () => {
    await audit();
    await search("sn:none");
    expect(text()).toContain("Nothing was found.");
    await closeWindow();
    await audit({ ...big, records: 4 });
    expect(text()).toContain("No device was on a port yet.");
  });

  test("copies the selected row as text that no spreadsheet calculates", async () => {
    const shell = new FakeShell(big);
    await shell.plug(1, { ...good, serial: "=1+1\t\u202e" });
    await audit(big, shell);
    await press("ArrowDown");
    const copied = new DataTransfer();
    const event = new ClipboardEvent("copy", { clipboardData: copied, bubbles: true, cancelable: true });
    document.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    const cells = copied.getData("text/plain").split("\t");
    expect(cells.slice(2, 6)).toEqual(["'=1+1\ufffd\ufffd", "a1b2c3d4e5f6", good.id, "ok"]);
    expect(cells).toHaveLength(15);
  });

  test("leaves copying alone where a person marked something else", async () => {
    await audit();
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), cancelable: true });
    document.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });
});

describe("a device", () => {
  const life = () =>
    [...document.querySelectorAll("ol > li")].map((li) => li.textContent.replace(/\s+/g, " "));
  const marks = () =>
    [...document.querySelectorAll<HTMLElement>("ol [data-known]")].map((mark) => mark.dataset.known);

  test("shows its life from the first record on, what was meant apart from what was seen", async () => {
    const shell = new FakeShell(big);
    await shell.plug(1, failing);
    await shell.acknowledge(1);
    shell.unplug(1);
    await shell.plug(1, { id: failing.id, serial: failing.serial, mac: failing.mac });
    await audit(big, shell);
    await press("ArrowDown");
    await press("Enter");
    expect(marks()).toEqual(["intended", "failed", "intended", "observed"]);
    const [begun, failed, , keyed] = life();
    expect(begun).toMatch(/About to write.*Intended.*gk-2026a 7C1D0-A4E91.*op-0117/);
    expect(failed).toMatch(/Failed: not proven.*not kept over the restart.*holds what it held before/);
    expect(keyed).toMatch(/Keyed.*Proved by challenge.*holds the new key.*record/);
    expect(document.querySelector("[data-state=device-keyed] h2")?.textContent).toBe("KEYED");
  });

  test("that is open says that it must not be shipped", async () => {
    const shell = new FakeShell(big);
    await audit(big, shell);
    await search("outcome:open");
    await press("Enter");
    expect(document.querySelector("h2")?.textContent).toBe("OPEN: do not ship");
    expect(life().at(-1)).toContain("no outcome is recorded");
    expect(text()).toContain("No witness has seen this log");
  });

  test("whose outcome nobody knows has a mark of its own", async () => {
    const shell = new FakeShell(big);
    await shell.plug(1, { ...failing, fails: { code: "unplugged", safety: "unknown" } });
    const row = shell.archive.log.since[0];
    if (row) row.holds = "unknown";
    await audit(big, shell);
    await press("ArrowDown");
    await press("Enter");
    expect(marks()).toEqual(["intended", "unknown"]);
    expect(life().at(-1)).toMatch(/Outcome unknown.*may hold either key/);
  });

  test("has a proof that is saved, and says where; a second one stands beside it", async () => {
    await audit();
    await search("outcome:ok");
    await press("Enter");
    await click("Save proof");
    expect(text()).toMatch(/Proof saved: \/.*exports\/[a-z0-9-]+\.tlog-proof/);
    await click("Save proof");
    expect(text()).toMatch(/-2\.tlog-proof/);
  });

  test("that the log does not know is a problem over the results, with what to do", async () => {
    await audit();
    await rooms.audit.open("sn-none");
    await settle();
    expect(document.querySelector("[role=alert]")?.textContent).toContain(
      "no device of this registration ID",
    );
    expect(table()).not.toBeNull();
  });

  test("what it sends is text on every page", async () => {
    const evil = "<img src=x onerror='window.owned=1'>\u202e";
    const shell = new FakeShell(big);
    await shell.plug(1, { id: `${evil}id`, serial: `${evil}sn`, mac: `${evil}mac` });
    await audit(big, shell);
    expect(selected()).toContain("<img src=x onerror='window.owned=1'>[U+202E]sn");
    await press("ArrowDown");
    await press("Enter");
    expect(document.querySelector(".serial")?.textContent).toContain("[U+202E]sn");
    expect(document.querySelector("img")).toBeNull();
  });
});

describe("figures", () => {
  test("are read for the period and the work order that were chosen", async () => {
    const shell = await audit();
    const figures = vi.spyOn(shell.archive, "figures");
    await click("Figures");
    const asked = () => {
      const [from, until, job] = figures.mock.lastCall ?? [];
      return [Math.round(((until ?? 0) - (from ?? 0)) / 86_400_000), job];
    };
    expect(asked()).toEqual([30, null]);
    document.querySelector<HTMLInputElement>("fieldset input")?.click();
    await settle();
    expect(asked()).toEqual([7, null]);
    rooms.audit.period.job = " WO-44192 ";
    await rooms.audit.period.read();
    expect(asked()).toEqual([7, "WO-44192"]);
  });

  test("have their numbers as tables, for screen readers always and for eyes when asked", async () => {
    await audit();
    await click("Figures");
    const regions = () => [...document.querySelectorAll("figure [role=region]")];
    expect(regions().map((region) => region.querySelector("tbody")?.childElementCount ?? 0)).not.toContain(0);
    expect(regions().every((region) => region.classList.contains("unseen"))).toBe(true);
    document.querySelector<HTMLInputElement>("[type=checkbox]")?.click();
    await settle();
    expect(regions().some((region) => region.classList.contains("unseen"))).toBe(false);
    expect(document.querySelector("figure svg")).toBeNull();
  });

  test("say so where a period has none", async () => {
    await audit();
    rooms.audit.period.job = "WO-1";
    await click("Figures");
    expect(text().match(/Nothing in this period/g)).toHaveLength(4);
  });
});
