// The room of repair: look first, then one act by two people; batches; the clean-up.

import { beforeEach, describe, expect, test } from "vitest";

import {
  button,
  choose,
  click,
  closeWindow,
  fill,
  identify,
  inStillTime,
  openWindow,
  press,
  scan,
  settle,
  text,
} from "../bench";
import { FakeShell, good } from "../fake";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

let rooms: Rooms;
let shell: FakeShell;

inStillTime();

async function open(user = "op-0117"): Promise<void> {
  shell = new FakeShell({ ...as(user), locked: false });
  rooms = await openWindow(shell);
  rooms.go("repair");
  await settle();
}

beforeEach(() => open());

const shown = () => document.querySelector("[data-state]:not(header)")?.getAttribute("data-state");
/** What stands on the page, with every blank the same. */
const said = () => text().replace(/\s+/g, " ");
const events = async () => (await shell.recent(50)).map(({ event }) => event);

async function approved(): Promise<void> {
  await identify("KS:sv-0004", "161803");
  await settle();
}

async function look(): Promise<void> {
  await click("Look at slot 5");
  await settle();
}

test("only those may enter who may re-key", () => {
  expect(rooms.all).toContain("repair");
  for (const [user, may] of [
    ["op-0121", false],
    ["sv-0004", true],
    ["qa-0007", false],
    ["ad-0001", false],
  ] as const)
    expect(as(user).rooms.includes("repair")).toBe(may);
});

test("a look shows device and record on one page, and writes nothing", async () => {
  await look();
  for (const part of [
    "ALIVE",
    good.serial,
    "in slot 5",
    "gk-2026a",
    "generation 1",
    "It says that it holds the key",
  ])
    expect(said()).toContain(part);
  expect(await events()).not.toContain("inject.intent");
});

test("a record is found by what stands on the label, and offers no re-key without the device", async () => {
  await fill("Or find its record", good.serial);
  await click("Find");
  await settle();
  expect(said()).toContain("from the log");
  expect(rooms.repair.returned.acts).toEqual(["replace", "scrap", "revoke"]);
});

test("a barcode that is scanned in the room finds the record", async () => {
  await scan(good.serial);
  await settle();
  expect(said()).toContain("ALIVE");
});

test("nothing is asked without a reason, and other takes a note", async () => {
  await look();
  await click("Re-key…");
  expect(button("Ask the second person").disabled).toBe(true);
  await choose("Other: say it below");
  expect(button("Ask the second person").disabled).toBe(true);
  await fill("Note, for the log: say which", "fell into the sea");
  expect(button("Ask the second person").disabled).toBe(false);
});

test("the same key says plainly that it is the same", async () => {
  await look();
  await click("Re-key…");
  await choose("Came back, goes out again");
  await click("Ask the second person");
  await settle();
  expect(said()).toContain(`Re-key ${good.id} under group key gk-2026a`);
  expect(said()).toContain("Came back, goes out again");
  await approved();
  expect(shown()).toBe("repair-came-pass");
  expect(said()).toContain("Same key rewritten");
  expect(said()).toContain("Whoever knew the key of this device still knows it");
  expect(said()).toContain("follows record 4 711");
});

test("a leaked key is not healed by the same one, unless somebody says that they know", async () => {
  await look();
  await click("Re-key…");
  await choose("Somebody else may know its key");
  expect(said()).toContain("nothing is healed");
  await click("Ask the second person");
  await settle();
  await approved();
  expect(shown()).toBe("repair-came-fail");
  expect(said()).toContain("Nothing was written to the device");
  await click("Back");
  await choose("Write the same key all the same");
  await click("Ask the second person");
  await settle();
  expect(said()).toContain("the same key is written again");
  await approved();
  expect(said()).toContain("Same key rewritten");
});

test("another group key is a new key", async () => {
  await look();
  await click("Re-key…");
  await choose("Somebody else may know its key");
  await choose("gk-2026b");
  expect(said()).not.toContain("nothing is healed");
  await click("Ask the second person");
  await settle();
  await approved();
  expect(said()).toContain("New key");
});

test("scrap takes two people, and can be put back", async () => {
  await look();
  await click("Scrap…");
  await choose("Broken");
  await click("Ask the second person");
  await settle();
  // With what stands on the board in hand: its registration ID may have been another one's.
  expect(said()).toContain(`Put ${good.id} (MAC ${good.mac}, S/N ${good.serial}) down as scrap`);
  await press("Escape");
  expect(await events()).not.toContain("device.scrap");
  await click("Ask the second person");
  await settle();
  await approved();
  expect(shown()).toBe("repair-came-scrap");
  expect(await events()).toContain("device.scrap");
  await click("Next device");
  await look();
  expect(said()).toContain("SCRAP");
  expect(rooms.repair.returned.acts).toEqual(["restore", "revoke"]);
});

test("a board swap names the new identity, and the clean-up is one step away", async () => {
  await look();
  await click("Board swap…");
  await choose("The board failed");
  await fill("MAC address of the new board", "a1:b2:c3:d4:e5:99");
  await click("Ask the second person");
  await settle();
  expect(said()).toContain("Replace");
  await approved();
  expect(said()).toContain("sn-007-888-abc-mac-a1-b2-c3-d4-e5-99 takes its place");
  await click("Next: the clean-up list");
  await settle();
  expect(shown()).toBe("cleanup");
});

describe("batches", () => {
  test("all under a group key: asked, opened, worked on, paused, closed, in numbers that add up", async () => {
    await rooms.repair.rotate("gk-2026a");
    rooms.repair.returned.profile = "env-sensor-b.toml";
    await settle();
    await click("Ask the second person");
    await settle();
    expect(said()).toContain("Re-key 1 842 devices under group key gk-2026b");
    expect(said()).toContain("they leave group key gk-2026a");
    await approved();
    expect(shown()).toBe("batch-open");
    await click("Work on it");
    await settle();
    expect(shown()).toBe("batch-running");
    await click("Pause");
    await settle();
    expect(shown()).toBe("batch-paused");
    await click("Stop for today");
    await settle();
    // What was not done is said before it is closed for good.
    await click("Close…");
    expect(shown()).toBe("batch-open");
    expect(said()).toContain("1 842 devices are not done");
    await press("Escape");
    expect(said()).not.toContain("are not done");
    await click("Close…");
    await click("Close it for good");
    await settle();
    expect(shown()).toBe("batch-closed");
    const { asked, done, failed, missing } = rooms.repair.batches.page?.sums ?? {};
    expect((done ?? 0) + (failed ?? 0) + (missing ?? 0)).toBe(asked);
  });

  test("the second click of a double one presses nothing that has come in the place of the first", async () => {
    const twice = async (first: string, second: string) => {
      for (const [detail, name] of [
        [1, first],
        [2, second],
      ] as const) {
        button(name).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail }));
        await settle();
      }
    };
    await rooms.repair.show("batches");
    await rooms.repair.batches.open("RK-2");
    await settle();
    await twice("Work on it", "Pause");
    expect(shown()).toBe("batch-running");
    await click("Stop for today");
    await settle();
    await twice("Close…", "Close it for good");
    expect(shown()).toBe("batch-open");
    expect(await events()).not.toContain("rekey.close");
  });

  test("a batch whose last device is done closes by itself, and says so; one that could not asks for it", async () => {
    await rooms.repair.show("batches");
    await rooms.repair.batches.open("RK-2");
    await rooms.repair.batches.start();
    Object.assign(shell.shop.batches, { odd: [], done: 1842, now: undefined });
    await rooms.repair.batches.follow();
    await settle();
    expect(said()).toContain("Nothing is left but to close it");
    expect(() => button("Work on it")).toThrow();
    // What the station does on a thread of its own is seen at the next look.
    await shell.closeBatch("RK-2");
    await rooms.repair.batches.follow();
    await settle();
    expect(shown()).toBe("batch-closed");
    expect(said()).toContain("Every device is done");
    expect(said()).toMatch(/Closed by record \d/);
  });

  test("a list that nobody chose is none", async () => {
    shell.shop.chooses = false;
    await rooms.repair.show("batches");
    await settle();
    await click("New batch");
    await choose("Came back, goes out again");
    await click("Choose the list");
    await settle();
    expect(said()).toContain("Nothing was chosen");
    expect(rooms.repair.approving.request).toBeUndefined();
  });
});

test("the clean-up list is saved, and put down as done by two people", async () => {
  await rooms.repair.show("cleanup");
  await settle();
  await click("Save the list");
  await settle();
  expect(said()).toContain("3 identities to block");
  await click("Choose the list that was done");
  await settle();
  expect(said()).toContain("Everything was done for 3 identities");
  await approved();
  expect(said()).toContain("3 identities are put down as cleaned up");
});

test("which devices hang on a key leads to a batch that moves them", async () => {
  await closeWindow();
  await open("cu-0301");
  rooms.go("keys");
  await settle();
  await rooms.keys.open("gk-2026a");
  await settle();
  await click("Move them to another key…");
  await settle();
  expect(rooms.here).toBe("repair");
  expect(shown()).toBe("batch-new");
  expect(rooms.repair.batches.label).toBe("gk-2026a");
  expect(rooms.repair.batches.reason).toBe("key-rotation");
});

test("what is half done is gone with the person", async () => {
  await look();
  await click("Scrap…");
  await choose("Broken");
  await click("Ask the second person");
  await settle();
  await shell.away();
  await rooms.line.refresh();
  await settle();
  expect(rooms.repair.approving.request).toBeUndefined();
  expect(rooms.repair.returned.device).toBeUndefined();
});
