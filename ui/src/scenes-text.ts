// Where the window shows what a device, a file or a person said, with any text there: for the test that says five hundred of
// them. `states.html?place=pass` puts `say` on the page.

import type { AttemptLine } from "./bindings/AttemptLine";
import { failing, FakeShell, station } from "./fake";
import { foreign } from "./fake/finished";
import type { Rooms } from "./rooms.svelte";
import { as } from "./scenes-people";

/** A shell, and how a text comes to be on its window. */
export interface Place {
  shell: FakeShell;
  say: (rooms: Rooms, text: string) => Promise<void>;
}

const open = { ...station, locked: false };

function line(fails: boolean): Place {
  const shell = new FakeShell(open);
  const say = async (rooms: Rooms, text: string) => {
    await shell.acknowledge(1);
    shell.unplug(1);
    // Sentence and safety are the station's own; what a device said is in the detail.
    const broken = failing.fails && { ...failing.fails, detail: text };
    await shell.plug(1, { id: text, serial: text, mac: text, ...(fails && broken ? { fails: broken } : {}) });
    rooms.go("line");
  };
  return { shell, say };
}

/** An attempt of which every text is `text`. */
function attempt(text: string): AttemptLine {
  return {
    ...{
      seq: 700_000,
      time: Date.now(),
      id: text,
      mac: text,
      serial: text,
      job: text,
      operator: text,
      key: text,
    },
    ...{ port: text, mode: text, outcome: text, code: text, sentence: text, holds: text, verified: text },
    ...{ cycleMs: 1, outcomeRecord: 700_001 },
  };
}

function audit(then: (rooms: Rooms, shell: FakeShell, text: string) => Promise<void>): Place {
  const shell = new FakeShell(open);
  const say = async (rooms: Rooms, text: string) => {
    shell.archive.log.since.splice(0, Infinity, attempt(text));
    rooms.go("audit");
    await then(rooms, shell, text);
  };
  return { shell, say };
}

const found = async ({ audit: room }: Rooms) => {
  room.text = "";
  await room.search();
};

export const places: Readonly<Record<string, () => Place>> = {
  pass: () => line(false),
  fail: () => line(true),
  found: () => audit(found),
  device: () =>
    audit(async (rooms, _, text) => {
      await found(rooms);
      await rooms.audit.open(text);
    }),
  denials: () =>
    audit(async ({ audit: room }, shell, text) => {
      const said = { operator: text, role: text, action: text, meaning: text, what: text, why: text };
      shell.archive.denied = shell.archive.denied.slice(0, 1).map((line) => ({ ...line, ...said }));
      await room.show("refusals");
    }),
  check: () =>
    audit(async ({ audit: room }, { archive }, text) => {
      const points = foreign.points.map((point) => ({ ...point, sentence: text, remedy: [text] }));
      archive.look = () => Promise.resolve({ ...foreign, id: text, serial: text, points });
      await room.show("check");
      await room.inspection.start();
    }),
  review: () =>
    audit(async ({ audit: room }, { archive }, text) => {
      if (archive.reviewed) archive.reviewed = { ...archive.reviewed, reviewer: text, remark: text };
      await room.show("review");
    }),
  people: () => {
    const shell = new FakeShell(as("ad-0001"));
    const say = async (rooms: Rooms, text: string) => {
      const [first] = shell.staff.accounts;
      if (first) Object.assign(first, { name: text, user: text });
      rooms.go("people");
      await rooms.people.show();
    };
    return { shell, say };
  },
  orders: () => {
    const shell = new FakeShell({ ...as("sv-0004"), locked: false });
    const say = async (rooms: Rooms, text: string) => {
      const [first] = shell.book.pages;
      if (first) {
        Object.assign(first, { customer: text, missing: [text], neverSeen: [text] });
        Object.assign(first.order, { id: text, profile: text, by: text, signer: text });
      }
      rooms.go("orders");
      await rooms.orders.show();
      await rooms.orders.open(text);
    };
    return { shell, say };
  },
  keys: () => {
    const shell = new FakeShell(as("ad-0001"));
    const say = async (rooms: Rooms, text: string) => {
      const [first] = shell.ring.cards;
      if (first) Object.assign(first, { group: text, label: text, importedBy: text });
      rooms.go("keys");
      await rooms.keys.show();
    };
    return { shell, say };
  },
};
