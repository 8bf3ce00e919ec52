// The room of repair with any text where a device, a file or a person said something; beside `scenes-text.ts`.

import type { LifeEvent } from "./bindings/LifeEvent";
import type { Problem } from "./bindings/Problem";
import { FakeShell } from "./fake";
import { rotation } from "./fake/batches";
import { refuse } from "./fake/refuse";
import { returned } from "./fake/repair";
import type { Rooms } from "./rooms.svelte";
import { as } from "./scenes-people";
import type { Place } from "./scenes-text";

/** What the station says of a text that is not what it asked for. */
export function wrong(code: string, text: string): Problem {
  return { code, sentence: text, remedy: [text] };
}

function repair(say: (rooms: Rooms, shell: FakeShell, text: string) => Promise<void>): Place {
  const shell = new FakeShell({ ...as("op-0117"), locked: false });
  return {
    shell,
    say: async (rooms, text) => {
      // A profile is a file; of its name and of the key that it names nobody here knows more.
      shell.shop.places.profiles.forEach((profile) => Object.assign(profile, { title: text, key: text }));
      rooms.repair.returned.choose(undefined);
      rooms.go("repair");
      await say(rooms, shell, text);
    },
  };
}

/** A device in the slot of which every text is `text`, on its page. */
async function looked({ repair }: Rooms, shell: FakeShell, text: string): Promise<void> {
  const { shop } = shell;
  const device = returned();
  const said = { id: text, mac: text, serial: text };
  if (device.seen) Object.assign(device.seen, { firmware: text, scope: text, endpoint: text });
  if (device.parent) Object.assign(device.parent, { label: text, checkValue: text });
  device.life?.events.forEach((event) => {
    Object.assign(event, lived(text));
  });
  shop.device = { ...device, ...said, life: device.life && { ...device.life, ...said, key: text } };
  await repair.show("device");
  repair.returned.device = await shell.look(5, text);
}

/** The texts of a record, all of them `text`. */
export function lived(text: string): Partial<LifeEvent> {
  const who = { operator: text, approver: text, role: text, job: text, port: text, firmware: text };
  const what = { event: text, outcome: text, code: text, sentence: text, holds: text, verified: text };
  return { ...who, ...what, key: text, checkValue: text, mode: text, reason: text };
}

export const repairPlaces: Readonly<Record<string, () => Place>> = {
  look: () =>
    repair(async ({ repair: room }, { shop }, text) => {
      shop.device = wrong("no-answer", text);
      await room.show("device");
      await room.returned.look(5);
    }),
  returned: () =>
    repair(async (rooms, shell, text) => {
      await looked(rooms, shell, text);
      rooms.repair.returned.came = { act: "replace", taken: { record: 5124, successor: text } };
    }),
  "returned-fails": () =>
    repair(async (rooms, shell, text) => {
      await looked(rooms, shell, text);
      const device = { id: text, serial: text, mac: text, record: 5124, gone: false };
      const outcome = { code: "not-kept", safety: "unknown", detail: text, ...device } as const;
      rooms.repair.returned.came = { act: "rekey", outcome: { outcome: "fail", ...outcome } };
    }),
  "returned-rekey": () =>
    repair(async (rooms, shell, text) => {
      await looked(rooms, shell, text);
      rooms.repair.returned.choose("rekey");
    }),
  approval: () =>
    repair(async (rooms, shell, text) => {
      await looked(rooms, shell, text);
      const { returned } = rooms.repair;
      returned.choose("revoke");
      Object.assign(returned, { reason: "other", note: text });
      await returned.ask();
    }),
  batches: () =>
    repair(async ({ repair: room }, { shop }, text) => {
      shop.batches.lines = [{ ...rotation, ...batch(text) }];
      await room.show("batches");
    }),
  "batch-list": () =>
    repair(async ({ repair: room }, shell, text) => {
      shell.askBatch = () => refuse(wrong("rekey-list", text));
      await room.show("batches");
      room.batches.make();
      room.batches.reason = "returned";
      await room.batches.ask();
    }),
  batch: () =>
    repair(async ({ repair: room }, shell, text) => {
      const { batches } = shell.shop;
      shell.saveBatch = () => Promise.resolve({ path: text });
      batches.lines = [{ ...rotation, ...batch(text) }];
      batches.odd = [true, false].map((unexpected) => ({ device: text, unexpected, code: text }));
      await room.show("batches");
      await room.batches.open(text);
      await room.batches.start();
      batches.now?.slots.forEach((slot) =>
        Object.assign(slot, { state: "failed", device: text, code: text }),
      );
      await room.batches.follow();
      await room.batches.save();
    }),
  cleanup: () =>
    repair(async ({ repair: room }, shell, text) => {
      shell.saveCleanup = () => Promise.resolve({ devices: 3, to: 5124, path: text });
      await room.show("cleanup");
      await room.cleanup.save();
      room.cleanup.problem = wrong("cleanup-list", text);
    }),
};

/** What a batch says of itself, all of it `text`. */
function batch(text: string) {
  const said = { by: text, approver: text, reason: text, note: text };
  return { id: text, key: text, checkValue: text, from: text, ...said };
}
