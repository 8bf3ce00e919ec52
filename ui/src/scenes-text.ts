// Where the window shows what a device, a file or a person said, with any text there: for the test that says five hundred of
// them. `states.html?place=pass` puts `say` on the page.

import type { AttemptLine } from "./bindings/AttemptLine";
import type { Ceremony } from "./bindings/Ceremony";
import { failing, FakeShell, good, station } from "./fake";
import { FakeArchive } from "./fake/archive";
import { foreign } from "./fake/finished";
import { refuse } from "./fake/refuse";
import { longShift } from "./fake/shift";
import type { Rooms } from "./rooms.svelte";
import { as } from "./scenes-people";
import { lived, repairPlaces, wrong } from "./scenes-text-repair";

/** A shell, and how a text comes to be on its window. */
export interface Place {
  shell: FakeShell;
  say: (rooms: Rooms, text: string) => Promise<void>;
}

const open = { ...station, locked: false };
const slot = { number: 1, port: "/dev/ttyUSB0", profile: "env-sensor 2" };

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

/** A key ceremony in which every text is `text`. */
function ceremony(phase: Ceremony["phase"]): Place {
  const shell = new FakeShell(as("cu-0301"));
  const say = async (rooms: Rooms, text: string) => {
    const key = { label: text, group: text, scope: text, slot: "primary", custody: "pkcs11" } as const;
    const side = { user: text, checkValue: text };
    const now: Ceremony = {
      ...{ id: text, key, checkValue: text, phase: "components", problem: wrong("ceremony-aborted", text) },
      sides: [
        { ...side, confirmed: true },
        { ...side, confirmed: false },
      ],
    };
    shell.ceremony = () => Promise.resolve(now);
    shell.ceremonyConfirm = () => refuse(wrong("check-value", text));
    rooms.go("keys");
    await rooms.keys.show("ceremony");
    // The page of one that has ended is for whoever saw it under way.
    now.phase = phase;
    rooms.keys.table.typed = text;
    await rooms.keys.table.confirm();
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
    audit(async (rooms, { archive }, text) => {
      archive.device = async (id) => {
        const life = await FakeArchive.prototype.device.call(archive, id);
        const events = life.events.map((event) => ({ ...event, ...lived(text) }));
        return { ...life, key: text, checkValue: text, fingerprint: text, events };
      };
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
  ceremony: () => ceremony("components"),
  "ceremony-aborted": () => ceremony("aborted"),
  "ceremony-done": () => ceremony("done"),
  labels: () => {
    const slots = [1, 2].map((number) => ({ ...slot, number, scans: true }));
    const shell = new FakeShell({ ...open, slots });
    shell.pace = () => new Promise(() => undefined);
    void shell.plug(2, good);
    const say = (rooms: Rooms, text: string) => {
      const { labels } = shell;
      const [refused, scanner] = [wrong("label-character", text), wrong("scanner-away", text)];
      const taken = [{ slot: 2, label: text }];
      labels.shown = { named: null, next: text, slots: [], taken, refused, scanner };
      labels.tell(labels.shown);
      rooms.go("line");
      return Promise.resolve();
    };
    return { shell, say };
  },
  shift: () => {
    const shell = new FakeShell(open);
    const say = async ({ session }: Rooms, text: string) => {
      const report = longShift(open);
      const by = [{ code: text, sentence: text, count: 12 }];
      const total = { ...report.total, failedBy: by, refusedBy: by };
      shell.shift = { ...report, operator: text, total, orders: [{ order: text, count: total }] };
      shell.saveShiftReport = () => Promise.resolve({ path: text });
      session.handOver();
      await session.shift.show();
      await session.shift.save();
    };
    return { shell, say };
  },
  ...repairPlaces,
};
