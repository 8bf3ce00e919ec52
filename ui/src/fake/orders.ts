// The work orders of the station that does not exist. What a native dialog would answer is set by hand.

import type { CreatedOrder } from "../bindings/CreatedOrder";
import type { NewOrder } from "../bindings/NewOrder";
import type { OrderLine } from "../bindings/OrderLine";
import type { OrderPage } from "../bindings/OrderPage";
import type { Problem } from "../bindings/Problem";
import { actions } from "../actions";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";

const key = { key: "gk-2026a", checkValue: "7C1D0-A4E91" } as const;

function line(id: string, more: Partial<OrderLine> = {}): OrderLine {
  return {
    id,
    state: "waiting",
    quantity: 500,
    begun: 0,
    passed: 0,
    failed: 0,
    open: 0,
    scrapped: 0,
    profile: "env-sensor.toml",
    from: "2026-11-20",
    until: "2026-12-24",
    ...key,
    signer: "",
    by: "sv-0004",
    ...more,
  };
}

/** The order that is open at the station of the scenes. */
export const current = line("WO-44192", {
  state: "open",
  begun: 417,
  passed: 412,
  failed: 3,
  open: 1,
  scrapped: 2,
});

function page(order: OrderLine, more: Partial<OrderPage> = {}): OrderPage {
  return {
    order,
    customer: "Contoso Environmental Sensors",
    ouis: [],
    form: null,
    range: null,
    listed: null,
    missing: [],
    missingCount: 0,
    neverSeen: [],
    neverSeenCount: 0,
    short: Math.max(0, order.quantity - order.passed - order.scrapped),
    problem: null,
    ...more,
  };
}

function book(): OrderPage[] {
  return [
    page(structuredClone(current), {
      ouis: ["a1:b2:c3"],
      form: "007-888-???",
      missing: [
        "sn-007-888-abd-mac-a1-b2-c3-d4-e5-f7",
        "sn-007-888-ab2-mac-a1-b2-c3-d4-e5-02",
        "sn-007-888-ab3-mac-a1-b2-c3-d4-e5-03",
        "sn-007-888-ab4-mac-a1-b2-c3-d4-e5-04",
      ],
      missingCount: 4,
    }),
    page(line("WO-44207", { quantity: 12, signer: "orders.contoso.example.com" }), {
      listed: 12,
      neverSeen: ["SN-0001", "SN-0002", "SN-0003", "SN-0004", "SN-0005"].flatMap((sn) => [sn, `${sn}-B`]),
      neverSeenCount: 12,
    }),
    page(line("WO-43988", { state: "closed", quantity: 200, begun: 200, passed: 198, scrapped: 2 })),
  ];
}

export class FakeOrders {
  pages: OrderPage[] = book();
  /** What a person answers in the native dialog for a file: the order that is in it; a problem is what the station says to it. */
  dialog: OrderPage | "cancelled" | Problem = page(line("WO-44300", { quantity: 50 }), {
    range: ["SN-100", "SN-149"],
  });

  readonly #people: FakePeople;
  readonly #append: (event: string, outcome: string, operator: string) => void;

  constructor(people: FakePeople, append: (event: string, outcome: string, operator: string) => void) {
    this.#people = people;
    this.#append = append;
  }

  /** The one that is open. */
  get open(): OrderLine | undefined {
    return this.pages.find(({ order }) => order.state === "open")?.order;
  }

  /** A device was made under it. */
  made(passed: boolean, id: string): void {
    const current = this.pages.find(({ order }) => order.state === "open");
    if (!current) return;
    const { order } = current;
    order.begun++;
    if (passed) order.passed++;
    else {
      order.failed++;
      current.missingCount++;
      if (current.missing.length < 10) current.missing.push(id);
    }
  }

  list(): Promise<OrderLine[]> {
    return Promise.resolve(this.pages.map(({ order }) => ({ ...order })));
  }

  order(id: string): Promise<OrderPage> {
    const found = this.#find(id);
    return found ? Promise.resolve(structuredClone(found)) : refuse(unknown(id));
  }

  create(parts: NewOrder | null): Promise<CreatedOrder> {
    const { dialog } = this;
    if (dialog === "cancelled") return Promise.resolve({ id: null });
    if ("code" in dialog) return refuse(dialog);
    const made = structuredClone(dialog);
    if (parts) {
      const { id, profile, from, until, quantity } = parts;
      Object.assign(made.order, { id, profile, from, until, quantity: quantity ?? made.order.quantity });
      Object.assign(made, { customer: parts.customer, range: null, listed: made.order.quantity });
    }
    const { id } = made.order;
    if (this.#find(id)) return refuse(known(id));
    made.order.by = this.#people.session.user;
    this.pages.push(made);
    this.#note("order.create");
    return Promise.resolve({ id });
  }

  begin(id: string): Promise<void> {
    const found = this.#find(id);
    if (!found) return refuse(unknown(id));
    if (found.order.state !== "waiting") return refuse(state(found.order));
    const before = this.open;
    if (before) before.state = "waiting";
    found.order.state = "open";
    this.#note("order.open");
    return Promise.resolve();
  }

  close(id: string, reason: string): Promise<void> {
    const found = this.#find(id);
    if (!found) return refuse(unknown(id));
    const { order, missing, missingCount, neverSeen, neverSeenCount, short } = found;
    if (missingCount > 0) return refuse(unaccounted(id, missingCount, missing));
    if (short > 0 && neverSeenCount > 0) return refuse(unseen(id, neverSeenCount, neverSeen));
    if (short > 0 && reason === "") return refuse(tooFew(id, short));
    order.state = "closed";
    this.#note("order.close");
    return Promise.resolve();
  }

  scrap(id: string, device: string | null): Promise<number> {
    const found = this.#find(id);
    if (!found) return refuse(unknown(id));
    const { order } = found;
    const put = (count: number) => {
      order.scrapped += count;
      found.short = Math.max(0, found.short - count);
      this.#note("order.scrap");
      return Promise.resolve(count);
    };
    if (device === null) {
      const count = found.neverSeenCount;
      Object.assign(found, { neverSeen: [], neverSeenCount: 0 });
      return put(count);
    }
    const begun = found.missing.find((name) => name === device);
    if (begun === undefined && !found.neverSeen.includes(device)) return refuse(noDevice(id, device));
    if (begun === undefined) {
      found.neverSeen = found.neverSeen.filter((name) => name !== device);
      found.neverSeenCount--;
      return put(1);
    }
    found.missing = found.missing.filter((name) => name !== device);
    found.missingCount--;
    if (order.failed > 0) order.failed--;
    else order.open--;
    return put(1);
  }

  raise(id: string, quantity: number, reason: string, approval: number): Promise<void> {
    const found = this.#find(id);
    if (!found) return refuse(unknown(id));
    const spent = this.#people.spend(approval, actions.raiseQuota, `${id} ${quantity}`, reason);
    if ("code" in spent) return refuse(spent);
    if (quantity <= found.order.quantity) return refuse(notMore(found.order));
    found.short += quantity - found.order.quantity;
    found.order.quantity = quantity;
    this.#note("order.quota");
    return Promise.resolve();
  }

  #find(id: string): OrderPage | undefined {
    return this.pages.find(({ order }) => order.id === id);
  }

  #note(event: string): void {
    this.#append(event, "", this.#people.session.user);
  }
}

function problem(code: string, sentence: string, ...remedy: string[]): Problem {
  return { code, sentence, remedy };
}

const unknown = (id: string) =>
  problem("order-unknown", `The log knows no work order ${id}.`, "Look in Orders what there is.");
const known = (id: string) =>
  problem(
    "order-known",
    `The log knows the work order ${id} already; an ID is given once.`,
    "Give the new order an ID of its own.",
  );
const state = ({ id, state }: OrderLine) =>
  problem("order-state", `The work order ${id} is ${state} already.`, "Look in Orders what there is.");
const unaccounted = (id: string, count: number, devices: string[]) =>
  problem(
    "order-unaccounted",
    `${count} devices of the work order ${id} are not accounted for: ${devices.join(", ")}.`,
    "Plug in those that were begun: what is open is settled by it.",
    "Lost or broken: put them down as scrap.",
  );
const unseen = (id: string, count: number, devices: string[]) =>
  problem(
    "order-unaccounted",
    `${count} devices of the work order ${id} were never seen: ${devices.join(", ")}, ….`,
    "Make those that nobody saw.",
    "Lost or broken: put them down as scrap.",
  );
const tooFew = (id: string, short: number) =>
  problem(
    "order-short",
    `The work order ${id} is ${short} devices short: closing it takes a reason.`,
    "Make the rest, or say why not.",
  );
const noDevice = (id: string, device: string) =>
  problem(
    "order-device",
    `The work order ${id} has no device ${device}.`,
    "Give it as the list or its label has it.",
  );
const notMore = ({ id, quantity }: OrderLine) =>
  problem(
    "order-quantity",
    `The work order ${id} is for ${quantity} devices already.`,
    "A quantity is only raised: name a greater one.",
  );
