// The work orders: which there are, the one whose page is open, and what becomes of it.

import type { NewOrder } from "../bindings/NewOrder";
import type { OrderLine } from "../bindings/OrderLine";
import type { OrderPage } from "../bindings/OrderPage";
import type { Problem } from "../bindings/Problem";
import { actions } from "../actions";
import type { Line } from "../line.svelte";
import { Approving } from "../people/approving.svelte";
import type { Session } from "../session.svelte";
import { tried, type Door, type OrderBook } from "../shell";

/** What a supervisor does to a work order. */
export type Deed = "close" | "scrap" | "raise";

/** The order of the list: what is made now, what can be, what was. */
const STATES: readonly OrderLine["state"][] = ["open", "waiting", "closed"];

/** A work order whose devices are in a list. */
export class OrderDraft {
  id = $state("");
  customer = $state("");
  profile = $state("");
  quantity = $state("");
  from = $state("");
  until = $state("");
  key = $state("");
  checkValue = $state("");

  /** Nothing while a field is empty that has to be filled. */
  get parts(): NewOrder | undefined {
    const { id, customer, profile, from, until, key, checkValue } = this;
    const given = { id, customer, profile, from, until, key, checkValue };
    const texts = Object.fromEntries(
      Object.entries(given).map(([name, text]) => [name, text.trim()]),
    ) as typeof given;
    const quantity = whole(this.quantity);
    if (Object.values(texts).includes("") || (this.quantity.trim() !== "" && quantity === undefined))
      return undefined;
    return { ...texts, quantity: quantity ?? null };
  }

  clear(): void {
    this.id = this.customer = this.profile = this.quantity = "";
    this.from = this.until = this.key = this.checkValue = "";
  }
}

/** A whole number from 1 on. */
function whole(text: string): number | undefined {
  const digits = text.replace(/\s/g, "");
  return /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : undefined;
}

export class Orders {
  list: OrderLine[] | undefined = $state();
  /** The order whose page is open. */
  page: OrderPage | undefined = $state();
  /** A new one is made. */
  making = $state(false);
  /** A file is being chosen, outside of the page. */
  asking = $state(false);
  /** Nobody chose one. */
  cancelled = $state(false);
  deed: Deed | undefined = $state();
  reason = $state("");
  /** The device that is scrap, as it was scanned or typed. */
  device = $state("");
  /** Not one device, but all that nobody saw. */
  unseen = $state(false);
  /** So many devices from now on. */
  quantity = $state("");
  problem: Problem | undefined = $state();
  readonly draft = new OrderDraft();
  readonly approving: Approving;

  readonly #shell: Door & OrderBook;
  readonly #session: Session;
  readonly #line: Line;
  /** Counts the readings: a later answer may be faster. */
  #turn = 0;

  constructor(shell: Door & OrderBook, session: Session, line: Line) {
    this.#shell = shell;
    this.#session = session;
    this.#line = line;
    this.approving = new Approving(shell);
  }

  /** What is made now first; of the others, the latest ID. */
  get sorted(): OrderLine[] {
    const rank = ({ state }: OrderLine) => STATES.indexOf(state);
    return [...(this.list ?? [])].sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? 1 : -1));
  }

  get makes(): boolean {
    return this.#session.may("create-order");
  }

  /** Whether the person may make devices under the order whose page is open, and nobody does. */
  get opens(): boolean {
    return this.page?.order.state === "waiting" && this.#session.may("open-order");
  }

  /** What the person may do to it. */
  get deeds(): Deed[] {
    const { page } = this;
    if (!page || page.order.state === "closed" || !this.#session.may("close-order")) return [];
    // Its customer signed how many.
    return page.order.signer === "" ? ["close", "scrap", "raise"] : ["close", "scrap"];
  }

  async show(): Promise<void> {
    await this.#do(() => this.#read());
  }

  /** The log has grown: reads again what is shown, unless something is wrong, which would not get better by it. */
  async follow(): Promise<void> {
    if (this.list && !this.problem && !this.asking) await this.show();
  }

  async open(id: string): Promise<void> {
    this.close();
    await this.#do(async () => {
      this.page = await this.#shell.order(id);
    });
  }

  /** Back to the list. */
  close(): void {
    this.page = this.problem = undefined;
    this.making = this.cancelled = false;
    this.draft.clear();
    this.choose(undefined);
  }

  make(): void {
    this.close();
    this.making = true;
  }

  /** Begins to do something to the order, or nothing. */
  choose(deed: Deed | undefined, device = ""): void {
    this.deed = deed;
    this.device = device;
    this.reason = this.quantity = "";
    this.unseen = false;
    this.problem = undefined;
    this.approving.cancel();
  }

  /** A barcode that was scanned in the room: shows the order, and opens the one that is shown. */
  async scanned(text: string | undefined): Promise<void> {
    const { page } = this;
    if (page && page.order.id === text && this.opens && !this.deed) {
      await this.begin();
      return;
    }
    const known = this.list?.find(({ id }) => id === text);
    if (known) await this.open(known.id);
    else this.problem = unknown;
  }

  /** Makes devices under the order from now on. */
  async begin(): Promise<void> {
    const { page } = this;
    if (!page || !this.opens) return;
    await this.#changed(() => this.#shell.openOrder(page.order.id));
  }

  /** Whether what the deed asks for is there. */
  get ready(): boolean {
    const { page, deed } = this;
    if (!page || !deed) return false;
    const said = this.reason.trim() !== "";
    if (deed === "close") return said || page.short === 0;
    if (deed === "scrap") return said && (this.unseen || this.device.trim() !== "");
    return said && whole(this.quantity) !== undefined;
  }

  /** Does it, or asks the second person. */
  async ask(): Promise<void> {
    const { page, deed } = this;
    if (!page || !deed || !this.ready) return;
    const { id } = page.order;
    const reason = this.reason.trim();
    if (deed === "close") await this.#changed(() => this.#shell.closeOrder(id, reason));
    else if (deed === "scrap") {
      const device = this.unseen ? null : this.device.trim();
      await this.#changed(() => this.#shell.scrapDevice(id, device, reason));
    } else {
      const quantity = whole(this.quantity) ?? 0;
      this.approving.ask(actions.raiseQuota, `${id} ${quantity}`, reason, (approval) =>
        this.#changed(() => this.#shell.raiseQuota(id, quantity, reason, approval)),
      );
    }
  }

  /** Has a file chosen outside of the page: the order itself, or the list of the one that is described here. */
  async create(from: "file" | "list"): Promise<void> {
    const parts = from === "list" ? this.draft.parts : null;
    if (parts === undefined || this.asking) return;
    this.asking = true;
    this.cancelled = false;
    await this.#do(async () => {
      const { id } = await this.#shell.createOrder(parts);
      this.cancelled = id === null;
      if (id === null) return;
      await this.#read();
      await this.open(id);
    });
    this.asking = false;
  }

  async #read(): Promise<void> {
    const turn = ++this.#turn;
    const id = this.page?.order.id;
    const [list, page] = await Promise.all([
      this.#shell.orders(),
      id === undefined ? undefined : this.#shell.order(id),
    ]);
    if (turn !== this.#turn) return;
    this.list = list;
    if (id !== undefined && this.page?.order.id === id) this.page = page;
  }

  async #changed(call: () => Promise<unknown>): Promise<void> {
    await this.#do(async () => {
      await call();
      this.choose(undefined);
      await this.#read();
      await this.#line.refresh();
    });
  }

  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = await tried(call);
  }
}

const unknown: Problem = {
  code: "order-unknown",
  sentence: "No work order here has this barcode.",
  remedy: ["Look in Orders what there is."],
};
