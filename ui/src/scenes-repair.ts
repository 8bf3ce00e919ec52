// The room of repair in every state that it can be in.

import type { FakeShell } from "./fake";
import type { Repair } from "./repair/repair.svelte";
import type { Scene } from "./scenes";
import { as, identify, scene } from "./scenes-people";

function room(act: (repair: Repair, fake: FakeShell) => unknown = () => undefined): () => Promise<Scene> {
  return scene({ ...as("op-0117"), locked: false }, async (rooms, fake) => {
    rooms.go("repair");
    await rooms.repair.show();
    await act(rooms.repair, fake);
  });
}

/** A look, then an act with a reason. */
function begun(
  act: Parameters<Repair["returned"]["choose"]>[0],
  reason: string,
  then: (repair: Repair, fake: FakeShell) => unknown = () => undefined,
): () => Promise<Scene> {
  return room(async (repair, fake) => {
    await repair.returned.look(5);
    repair.returned.choose(act);
    repair.returned.reason = reason;
    await then(repair, fake);
  });
}

async function approve(repair: Repair): Promise<void> {
  await repair.returned.ask();
  await identify(repair.approving.entry, "KS:sv-0004", "161803");
}

const evil = "<b onclick=alert(1)>\u202e";

export const repairScenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  repair: room(),
  "repair-no-slot": room(async (repair, fake) => {
    fake.shop.places.slots = [];
    await repair.show();
  }),
  "repair-no-answer": room(async (repair, fake) => {
    fake.shop.device = {
      code: "no-answer",
      sentence: "The device does not answer.",
      remedy: ["Plug the device in again.", "Again: try another slot."],
    };
    await repair.returned.look(5);
  }),
  "repair-unknown": room((repair) => repair.scanned("KS:op-0117")),
  "repair-device": room((repair) => repair.returned.look(5)),
  "repair-found": room((repair) => repair.returned.find("007-888-abc")),
  "repair-foreign": room(async (repair, fake) => {
    const { device } = fake.shop;
    if ("id" in device && device.seen)
      Object.assign(device, { life: null, parent: null, seen: { ...device.seen, holding: "foreign" } });
    await repair.returned.look(5);
  }),
  "repair-scrapped": room(async (repair, fake) => {
    const { device } = fake.shop;
    if ("id" in device) device.out = { how: "scrapped", record: 5017 };
    await repair.returned.look(5);
  }),
  "repair-revoked": room(async (repair, fake) => {
    const { device } = fake.shop;
    if ("id" in device) device.out = { how: "revoked", record: 5017 };
    await repair.returned.find("007-888-abc");
  }),
  "repair-rekey": begun("rekey", "returned"),
  "repair-rekey-same": begun("rekey", "leaked-key"),
  "repair-scrap": begun("scrap", "broken"),
  "repair-replace": begun("replace", "board-failed", ({ returned }) => {
    returned.mac = "a1:b2:c3:d4:e5:99";
  }),
  "repair-came-same": begun("rekey", "returned", approve),
  "repair-came-new": begun("rekey", "leaked-key", async (repair) => {
    repair.returned.profile = "env-sensor-b.toml";
    await approve(repair);
  }),
  "repair-came-refused": begun("rekey", "leaked-key", approve),
  "repair-came-scrap": begun("scrap", "broken", approve),
  "repair-came-replace": begun("replace", "board-failed", async (repair) => {
    repair.returned.mac = "a1:b2:c3:d4:e5:99";
    await approve(repair);
  }),
  "approval-rekey": begun("rekey", "returned", (repair) => repair.returned.ask()),
  "approval-replace": begun("replace", "other", async (repair) => {
    Object.assign(repair.returned, { mac: "a1:b2:c3:d4:e5:99", note: "The antenna broke off" });
    await repair.returned.ask();
  }),
  batches: room((repair) => repair.show("batches")),
  "batches-none": room(async (repair, fake) => {
    fake.shop.batches.lines = [];
    await repair.show("batches");
  }),
  "batch-new": room(async (repair) => {
    await repair.show("batches");
    repair.batches.make();
  }),
  "batch-new-rotation": room((repair) => repair.rotate("gk-2026a")),
  "approval-batch": room(async (repair) => {
    await repair.rotate("gk-2026a");
    repair.returned.profile = "env-sensor-b.toml";
    await repair.batches.ask();
  }),
  "batch-open": room(async (repair) => {
    await repair.show("batches");
    await repair.batches.open("RK-2");
  }),
  "batch-running": room(async (repair, fake) => {
    await repair.show("batches");
    await repair.batches.open("RK-2");
    fake.shop.places.slots = [5, 6, 7, 8].map((number) => ({
      number,
      port: `/dev/ttyUSB${number}`,
      profile: "",
    }));
    await repair.batches.start();
    const { now } = fake.shop.batches;
    const states = ["working", "passed", "failed", "waiting"] as const;
    now?.slots.forEach((slot, at) => {
      slot.state = states[at] ?? "waiting";
    });
    const failed = now?.slots[2];
    const passed = now?.slots[1];
    if (passed) Object.assign(passed, { device: "sn-007-888-ab1-mac-a1-b2-c3-d4-e5-01" });
    if (failed) Object.assign(failed, { device: "sn-007-888-ab2-mac-a1-b2-c3-d4-e5-02", code: "not-kept" });
    await repair.batches.follow();
  }),
  "batch-paused": room(async (repair) => {
    await repair.show("batches");
    await repair.batches.open("RK-2");
    await repair.batches.start();
    await repair.batches.pause(true);
  }),
  "batch-closing": room(async (repair) => {
    await repair.show("batches");
    await repair.batches.open("RK-2");
    await repair.batches.end();
  }),
  "batch-done": room(async (repair, fake) => {
    await repair.show("batches");
    Object.assign(fake.shop.batches, { odd: [], done: 1842 });
    await repair.batches.open("RK-2");
  }),
  "batch-closed-done": room(async (repair, fake) => {
    await repair.show("batches");
    Object.assign(fake.shop.batches, { odd: [], done: 1842 });
    await repair.batches.open("RK-2");
    await repair.batches.end();
  }),
  "batch-closed": room(async (repair) => {
    await repair.show("batches");
    await repair.batches.open("RK-1");
    await repair.batches.save();
  }),
  cleanup: room((repair) => repair.show("cleanup")),
  "cleanup-saved": room(async (repair) => {
    await repair.show("cleanup");
    await repair.cleanup.save();
  }),
  "approval-cleanup": room(async (repair) => {
    await repair.show("cleanup");
    await repair.cleanup.done();
  }),
  "repair-hostile": room(async (repair, fake) => {
    const { device } = fake.shop;
    if ("id" in device && device.seen) {
      Object.assign(device, { id: `${evil}${"9".repeat(90)}`, serial: `${evil}serial`, mac: evil });
      Object.assign(device.seen, { firmware: evil, scope: evil });
    }
    await repair.returned.look(5);
  }),
};
