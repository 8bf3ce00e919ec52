// Batches of repair: which there are, the one whose page is open, a new one.

import type { BatchFrom } from "../bindings/BatchFrom";
import type { BatchLine } from "../bindings/BatchLine";
import type { BatchPage } from "../bindings/BatchPage";
import type { Problem } from "../bindings/Problem";
import { REASONS } from "../bindings/Policy";
import type { Line } from "../line.svelte";
import type { Approving } from "../people/approving.svelte";
import { tried, type RepairShop } from "../shell";
import type { Returned } from "./returned.svelte";

export const SOURCES = ["list", "count", "under"] as const;

export class Batches {
  list: BatchLine[] | undefined = $state();
  page: BatchPage | undefined = $state();
  making = $state(false);
  from: (typeof SOURCES)[number] = $state("list");
  count = $state("");
  label = $state("");
  reason = $state("");
  note = $state("");
  sameKey = $state(false);
  /** A list or a folder is being chosen, outside of the page. */
  asking = $state(false);
  cancelled = $state(false);
  /** Somebody is about to close one with devices that are not done. */
  closing = $state(false);
  /** It was open already, and goes on without another approval. */
  resumed = $state(false);
  /** Where the report was written. */
  saved: string | undefined = $state();
  problem: Problem | undefined = $state();
  readonly reasons = REASONS.rekey;

  readonly #shop: RepairShop;
  readonly #line: Line;
  readonly #approving: Approving;
  readonly #returned: Returned;

  constructor(shop: RepairShop, line: Line, approving: Approving, returned: Returned) {
    this.#shop = shop;
    this.#line = line;
    this.#approving = approving;
    this.#returned = returned;
  }

  get ready(): boolean {
    const said = this.reason !== "" && (this.reason !== "other" || this.note.trim() !== "");
    const source = this.#source();
    return said && source !== undefined && this.#returned.chosen !== undefined && !this.asking;
  }

  async show(): Promise<void> {
    await this.#do(() => this.#read());
  }

  /** Whether every device of the batch that is shown is done. */
  get complete(): boolean {
    const sums = this.page?.now?.sums ?? this.page?.sums;
    return sums !== undefined && sums.done === sums.asked;
  }

  /** Reads again what is shown, while slots are at work on it: the station closes it when the last device is done. */
  async follow(): Promise<void> {
    const ends = this.complete && !this.page?.batch.closed;
    if (!(this.page?.now ?? ends) || this.problem || this.asking) return;
    await this.#do(() => this.#read());
  }

  async open(id: string): Promise<void> {
    this.close();
    await this.#do(async () => {
      this.page = await this.#shop.batch(id);
    });
  }

  close(): void {
    this.page = this.problem = this.saved = undefined;
    this.making = this.cancelled = this.sameKey = this.closing = this.resumed = false;
    this.reason = this.note = this.count = this.label = "";
    this.#approving.cancel();
  }

  /** A new one; with a label, of all that hang on that group key. */
  make(under?: string): void {
    this.close();
    this.making = true;
    this.from = under === undefined ? "list" : "under";
    this.label = under ?? "";
    if (under !== undefined) this.reason = "key-rotation";
  }

  async ask(): Promise<void> {
    const from = this.#source();
    if (!from || !this.ready) return;
    const why = { reason: this.reason, note: this.note.trim(), sameKey: this.sameKey };
    await this.#outside(async () => {
      const asked = await this.#shop.askBatch(from, this.#returned.profile, why);
      this.cancelled = asked === null;
      if (!asked) return;
      if (asked.resumes !== null) {
        await this.#shown(asked.resumes);
        this.resumed = true;
        return;
      }
      this.#approving.bring(asked.request, async (approval) => {
        await this.#do(async () => {
          await this.#shown(await this.#shop.openBatch(approval));
        });
      });
    });
  }

  /** Has the slots work on it: the custody is opened first. */
  async start(): Promise<void> {
    const id = this.page?.batch.id;
    if (id === undefined) return;
    // What was saved says nothing of what is done from now on.
    this.saved = undefined;
    if (this.#line.locked) await this.#line.unlock();
    await this.#changed(() => this.#shop.startBatch(id));
  }

  async pause(paused: boolean): Promise<void> {
    await this.#changed(() => this.#shop.pauseBatch(paused));
  }

  async stop(): Promise<void> {
    await this.#changed(() => this.#shop.stopBatch());
  }

  /** Closes it for good. With devices that are not done that is said first. */
  async end(): Promise<void> {
    const id = this.page?.batch.id;
    if (id === undefined) return;
    if (!this.complete && !this.closing) {
      this.closing = true;
      return;
    }
    this.closing = false;
    await this.#changed(() => this.#shop.closeBatch(id));
  }

  async save(): Promise<void> {
    const id = this.page?.batch.id;
    if (id === undefined || this.asking) return;
    await this.#outside(async () => {
      const saved = await this.#shop.saveBatch(id);
      this.saved = saved?.path;
    });
  }

  #source(): BatchFrom | undefined {
    if (this.from === "list") return "list";
    if (this.from === "under") {
      const label = this.label.trim();
      return label === "" ? undefined : { under: label };
    }
    const digits = this.count.replace(/\s/g, "");
    return /^[1-9][0-9]{0,6}$/.test(digits) ? { count: Number(digits) } : undefined;
  }

  async #shown(id: string): Promise<void> {
    this.close();
    this.page = await this.#shop.batch(id);
    await this.#line.refresh();
  }

  async #changed(call: () => Promise<unknown>): Promise<void> {
    await this.#do(async () => {
      await call();
      await this.#read();
      await this.#line.refresh();
    });
  }

  async #read(): Promise<void> {
    const id = this.page?.batch.id;
    const [list, page] = await Promise.all([
      this.#shop.batches(),
      id === undefined ? undefined : this.#shop.batch(id),
    ]);
    this.list = list;
    if (id !== undefined && this.page?.batch.id === id) this.page = page;
  }

  async #outside(call: () => Promise<void>): Promise<void> {
    this.asking = true;
    this.cancelled = false;
    await this.#do(call);
    this.asking = false;
  }

  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = await tried(call);
  }
}
