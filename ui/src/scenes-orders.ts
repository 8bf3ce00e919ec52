// The room of work orders in every state that it can be in.

import type { FakeShell } from "./fake";
import type { Orders } from "./orders/orders.svelte";
import type { Scene } from "./scenes";
import { as, identify, scene } from "./scenes-people";

function room(
  act: (orders: Orders, fake: FakeShell) => unknown = () => undefined,
  user = "sv-0004",
): () => Promise<Scene> {
  return scene({ ...as(user), locked: false }, async (rooms, fake) => {
    rooms.go("orders");
    await rooms.orders.show();
    await act(rooms.orders, fake);
  });
}

function describe({ draft }: Orders): void {
  Object.assign(draft, {
    id: "WO-44310",
    customer: "Contoso Environmental Sensors",
    profile: "env-sensor.toml",
    key: "gk-2026a",
    checkValue: "7C1D0-A4E91",
    from: "2026-11-26",
    until: "2026-12-24",
  });
}

const evil = "<b onclick=alert(1)>\u202e";

export const orderScenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  orders: room(),
  "orders-operator": room(undefined, "op-0121"),
  "orders-none": room(async (orders, fake) => {
    fake.book.pages = [];
    await orders.show();
  }),
  "orders-unknown": room((orders) => orders.scanned("KS:op-0117")),
  "order-open": room((orders) => orders.open("WO-44192")),
  "order-waiting": room((orders) => orders.open("WO-44207")),
  "order-waiting-operator": room((orders) => orders.open("WO-44207"), "op-0121"),
  "order-closed": room((orders) => orders.open("WO-43988")),
  "order-altered": room(async (orders, fake) => {
    const [first] = fake.book.pages;
    if (first)
      Object.assign(first, {
        customer: null,
        problem: {
          code: "order-altered",
          sentence: "The work order WO-44192 is not what was created: orders/WO-44192.toml was changed.",
          remedy: [
            "Make nothing under it.",
            "Bring the file back as it came, or close the order.",
            "Tell QA.",
          ],
        },
      });
    await orders.open("WO-44192");
  }),
  "order-complete": room(async (orders, fake) => {
    const [first] = fake.book.pages;
    if (first) Object.assign(first.order, { quantity: 417, passed: 417, failed: 0, open: 0, scrapped: 0 });
    if (first) Object.assign(first, { missing: [], missingCount: 0, short: 0 });
    await orders.open("WO-44192");
  }),
  "order-scrap": room(async (orders) => {
    await orders.open("WO-44192");
    orders.choose("scrap", "sn-007-888-abd-mac-a1-b2-c3-d4-e5-f7");
    orders.reason = "The connector broke";
  }),
  "order-scrap-unseen": room(async (orders) => {
    await orders.open("WO-44207");
    orders.choose("scrap");
  }),
  "order-close-refused": room(async (orders) => {
    await orders.open("WO-44192");
    orders.choose("close");
    orders.reason = "The customer takes fewer";
    await orders.ask();
  }),
  "order-raise": room(async (orders) => {
    await orders.open("WO-44192");
    orders.choose("raise");
    orders.quantity = "510";
    orders.reason = "Spare parts";
  }),
  "approval-order": room(async (orders) => {
    await orders.open("WO-44192");
    orders.choose("raise");
    orders.quantity = "510";
    orders.reason = "Spare parts";
    await orders.ask();
  }),
  "approval-order-role": room(async (orders) => {
    await orders.open("WO-44192");
    orders.choose("raise");
    orders.quantity = "510";
    orders.reason = "Spare parts";
    await orders.ask();
    await identify(orders.approving.entry, "KS:op-0121", "356237");
  }),
  "order-new": room((orders) => {
    orders.make();
    describe(orders);
  }),
  "order-new-asking": room((orders) => {
    orders.make();
    orders.asking = true;
  }),
  "order-new-cancelled": room(async (orders, fake) => {
    orders.make();
    fake.book.dialog = "cancelled";
    await orders.create("file");
  }),
  "order-new-refused": room(async (orders, fake) => {
    orders.make();
    describe(orders);
    fake.book.dialog = {
      code: "order-list",
      sentence: "List.csv: row 3, column A (serial): it begins as a formula does.",
      remedy: ["Mend the row and import the list again: nothing of it was taken."],
    };
    await orders.create("list");
  }),
  "orders-hostile": room(async (orders, fake) => {
    const [first] = fake.book.pages;
    if (first) {
      Object.assign(first, { customer: `${evil}${"9".repeat(90)}`, missing: [`${evil}device`] });
      Object.assign(first.order, { id: `${evil}${"W".repeat(20)}`, profile: `${evil}profile`, by: evil });
      await orders.show();
      await orders.open(first.order.id);
    }
  }),
};
