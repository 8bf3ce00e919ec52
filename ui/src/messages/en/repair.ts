// Devices that come back: the look, what becomes of one, batches, the clean-up.

import type { BatchSlot } from "../../bindings/BatchSlot";
import type { DeviceOut } from "../../bindings/DeviceOut";
import type { REASONS } from "../../bindings/Policy";
import type { SeenDevice } from "../../bindings/SeenDevice";
import { plurals } from "../plural";

const plural = plurals("en");

/** What can become of a device. */
export type Act = keyof typeof REASONS;
/** Why. */
export type ReasonWord = (typeof REASONS)[Act][number];

/** What a device says that it holds, beside what the log says. */
const holding: Record<SeenDevice["holding"], string> = {
  "as-recorded": "It says that it holds the key that the log has of it.",
  another: "It says that it holds another key than the log has of it.",
  foreign: "It holds a key, and no record here says which.",
  lost: "It says that it holds no key, and the log says that it was keyed.",
  nothing: "It holds no key, and was never keyed here.",
  unsettled: "A write on it was begun and never settled: it may hold either key.",
};

const states: Record<SeenDevice["state"], string> = { empty: "Empty", keyed: "Keyed", locked: "Locked" };

const out: Record<DeviceOut["how"], { word: string; means: string }> = {
  scrapped: { word: "SCRAP", means: "It was put down as scrap. No slot keys it." },
  revoked: { word: "REVOKED", means: "Its identity must not register any more, for good." },
  replaced: { word: "REPLACED", means: "Another board took its place." },
};

const reasons: Record<ReasonWord, string> = {
  returned: "Came back, goes out again",
  "leaked-key": "Somebody else may know its key",
  "key-rotation": "The group key is rolled",
  "wrong-scope": "Keyed for another ID scope or endpoint",
  "board-repair": "Its board was mended",
  "firmware-lost-key": "Its firmware lost the key",
  broken: "Broken",
  "test-failed": "Failed a test",
  lost: "Lost",
  "end-of-life": "End of life",
  "key-leaked": "Its key is known to others",
  stolen: "Stolen",
  cloned: "A second device has its identity",
  "board-failed": "The board failed",
  upgrade: "A newer board",
  mistake: "It was a mistake",
  found: "It was found again",
  other: "Other: say it below",
};

const slotStates: Record<BatchSlot["state"], string> = {
  waiting: "Plug in a device",
  locked: "Locked",
  working: "At work…",
  passed: "PASS: unplug",
  failed: "FAIL: unplug",
  out: "Taken out",
  broken: "Stopped",
};

export const repair = {
  title: "Repair",
  pages: "Pages of repair",
  views: { device: "Device", batches: "Batches", cleanup: "Clean-up" },
  holding,
  states,
  out,
  reasons,
  alive: { word: "ALIVE", means: "It proved a key, and may be used." },
  look: {
    title: "Look first",
    says: "Plug the device into a slot of repair. Nothing is written to it.",
    deed: (slot: string) => `Look at slot ${slot}`,
    again: (slot: string) => `Look at slot ${slot} again`,
    looking: "Looking…",
    none: 'This station has no slot of repair: add use = "repair" to a [[slot]] of station.toml and start again.',
    profile: "Product profile",
    search: "Or find its record: registration ID, MAC address or serial number",
    find: "Find",
  },
  device: {
    title: "Device",
    inSlot: (slot: string) => `in slot ${slot}`,
    onlyRecord: "from the log: no device was asked",
    id: "Registration ID",
    mac: "MAC address",
    parent: "Group key",
    keyIs: (state: string) => `now: ${state}`,
    keyGone: "not in this station",
    set: "Its set",
    setOf: (state: string, generation: string) => `${state}, generation ${generation}`,
    firmware: "Firmware",
    scope: "ID scope",
    record: "Keyed in record",
    outRecord: (record: string) => `Record ${record}`,
    unknown: "The log has nothing of it.",
    life: "Its records",
    back: "Another device",
  },
  acts: {
    rekey: {
      name: "Re-key",
      title: "Re-key this device",
      says: "Its key is overwritten. Under the same group key and registration ID that is the same key again.",
      done: "Re-keyed",
    },
    replace: {
      name: "Board swap",
      title: "Put another board in its place",
      says: "The new board gets an identity of its own; the old one is listed for blocking.",
      done: "Replaced",
    },
    scrap: {
      name: "Scrap",
      title: "Put it down as scrap",
      says: "No slot keys it any more, and its identity is listed for blocking.",
      done: "Scrap",
    },
    revoke: {
      name: "Revoke",
      title: "Revoke its identity",
      says: "For good. It can register until somebody does what the clean-up list says.",
      done: "Revoked",
    },
    restore: {
      name: "Put back",
      title: "Put it back",
      says: "The scrap was a mistake. It can be keyed again.",
      done: "Put back",
    },
  } satisfies Record<Act, unknown>,
  needsSlot: "To re-key it, plug it into a slot of repair and look at it there.",
  reason: "Reason",
  note: "Note, for the log",
  noteNeeded: "Note, for the log: say which",
  under: "Under the group key of",
  sameKey: {
    warn: "This writes the same key again. Whoever knows it still knows it: nothing is healed.",
    accept: "I know. Write the same key all the same.",
  },
  mac: "MAC address of the new board",
  destroyed: "Where it is written down that the old board was destroyed",
  destroyedWhy: "Only where the new board gets the same registration ID.",
  ask: "Ask the second person",
  working: "Keep the device plugged in…",
  effects: {
    same: {
      word: "Same key rewritten",
      means:
        "Group key and registration ID are those of before. Whoever knew the key of this device still knows it.",
    },
    new: { word: "New key", means: "The one that the device held is not used any more." },
    unknown: {
      word: "Key written",
      means: "No record here says which key the device held: whether this is another one nobody can say.",
    },
    none: {
      word: "Nothing overwritten",
      means: "A write of before was found complete, and is settled now. To re-key it, ask again.",
    },
  },
  recorded: (record: string) => `Record ${record}`,
  follows: (record: string) => `follows record ${record}`,
  successor: (id: string) => `${id} takes its place and may be keyed.`,
  sameIdentity: "The new board gets the same key: no leak is healed by it.",
  next: { cleanup: "Next: the clean-up list", device: "Next device" },
  asked: {
    one: (id: string, key: string, checkValue: string) =>
      `Re-key ${id} under group key ${key}, check value ${checkValue}`,
    batch: (n: number, shown: string, key: string, checkValue: string) =>
      plural(n, {
        one: `Re-key ${shown} device under group key ${key}, check value ${checkValue}`,
        other: `Re-key ${shown} devices under group key ${key}, check value ${checkValue}`,
      }),
    ofList: (hash: string) => `list ${hash}…`,
    anyDevice: "whichever are plugged in",
    from: (key: string) => `they leave group key ${key}`,
    sameKey: "the same key is written again",
    "scrap-device": (device: string) => `Put ${device} down as scrap`,
    "revoke-device": (device: string) => `Revoke ${device}, for good`,
    "restore-device": (device: string) => `Put ${device} back: it is no scrap`,
    replace: (device: string, id: string, mac: string) => `Replace ${device} by ${id} (${mac})`,
    listed: (record: string) =>
      `record ${record} has it on a list for the cloud: where that was run it stays blocked until its individual enrollment is deleted`,
    destroyed: (where: string) => `You saw that the old board was destroyed: ${where}`,
    neverBegun: "this log never began it: check the spelling",
    "cleaned-up": (n: number, shown: string, record: string) =>
      plural(n, {
        one: `Everything was done for ${shown} identity, up to record ${record}`,
        other: `Everything was done for ${shown} identities, up to record ${record}`,
      }),
  },
  batches: {
    title: "Batches",
    none: "No batch was opened yet.",
    make: "New batch",
    rotate: "Move them to another key…",
    which: "Which devices",
    from: { list: "Those of a list", count: "So many, whichever come", under: "All under a group key" },
    listSays: "A spreadsheet as CSV, with the columns id, mac, serial, or some of them.",
    count: "How many devices",
    label: "Label of the group key that they leave",
    chooseList: "Choose the list",
    asking: "Choose in its own window",
    cancelled: "Nothing was chosen.",
    of: (done: string, asked: string) => `${done} of ${asked}`,
    bar: (done: string, asked: string) => `${done} of ${asked} devices done`,
    left: (minutes: string) => `about ${minutes} min left`,
    soon: "less than a minute left",
    states: { open: "Open", closed: "Closed", running: "At work", paused: "Pause" },
    sums: {
      asked: "Asked",
      done: "Done",
      failed: "Failed",
      missing: "Never seen",
      unexpected: "Not of the batch",
    },
    adds: "Asked = done + failed + never seen",
    by: (by: string, approver: string) => `${by}, approved by ${approver}`,
    start: "Work on it",
    pause: "Pause",
    goOn: "Go on",
    stop: "Stop for today",
    end: "Close…",
    close: "Close it for good",
    closing: (n: number, shown: string) =>
      plural(n, {
        one: `${shown} device is not done. It takes another batch then, with an approval of its own.`,
        other: `${shown} devices are not done. They take another batch then, with an approval of its own.`,
      }),
    allDone: "Every device is done. Unplug what is still in a slot.",
    allDoneOpen: "Every device is done. Nothing is left but to close it.",
    ended: (record: string) => `Closed by record ${record}`,
    still: (n: number, shown: string, key: string) =>
      plural(n, {
        one: `${shown} device still hangs on group key ${key}`,
        other: `${shown} devices still hang on group key ${key}`,
      }),
    days: "Day by day",
    day: (date: string, done: string, percent: string) => `${date}: ${done} done, ${percent} % by then`,
    save: "Save the report",
    saved: "Saved:",
    odd: "Failed, or not of the batch",
    noOdd: "Nothing failed so far.",
    unexpected: "not of the batch",
    slots: "Slots of repair",
    slot: (slot: string) => `Slot ${slot}`,
    slotStates,
    noSlot: "No slot of repair is set up: the batch is worked on by the headless program.",
    goes: "It is open already: it goes on without another approval.",
    back: "All batches",
  },
  cleanup: {
    title: "Clean-up in the cloud",
    says: "Identities that were scrapped, revoked or replaced can register until somebody blocks them. The list is a CSV and a script for the Azure CLI; this station holds no key of the service.",
    all: "Also what was put down as done before",
    save: "Save the list",
    saved: (n: number, shown: string, record: string) =>
      plural(n, {
        one: `${shown} identity to block, up to record ${record}`,
        other: `${shown} identities to block, up to record ${record}`,
      }),
    doneTitle: "It was done",
    doneSays: "Choose the CSV that was done. A supervisor approves it; the next list begins behind it.",
    done: "Choose the list that was done",
    put: (n: number, shown: string) =>
      plural(n, {
        one: `${shown} identity is put down as cleaned up.`,
        other: `${shown} identities are put down as cleaned up.`,
      }),
  },
};
