// The list of what has to be cleaned up in the cloud.

import type { CleanupLine } from "../bindings/CleanupLine";
import type { Problem } from "../bindings/Problem";
import type { Line } from "../line.svelte";
import type { Approving } from "../people/approving.svelte";
import { tried, type RepairShop } from "../shell";

export class Cleanup {
  /** Also what was done before. */
  all = $state(false);
  /** A file or a folder is being chosen, outside of the page. */
  asking = $state(false);
  cancelled = $state(false);
  /** The list that was written, or put down as done. */
  came: CleanupLine | undefined = $state();
  problem: Problem | undefined = $state();

  readonly #shop: RepairShop;
  readonly #line: Line;
  readonly #approving: Approving;

  constructor(shop: RepairShop, line: Line, approving: Approving) {
    this.#shop = shop;
    this.#line = line;
    this.#approving = approving;
  }

  close(): void {
    this.came = this.problem = undefined;
    this.all = this.cancelled = false;
    this.#approving.cancel();
  }

  async save(): Promise<void> {
    await this.#outside(async () => {
      const listed = await this.#shop.saveCleanup(this.all);
      this.cancelled = listed === null;
      this.came = listed ?? undefined;
      await this.#line.refresh();
    });
  }

  async done(): Promise<void> {
    await this.#outside(async () => {
      const request = await this.#shop.askCleanedUp();
      this.cancelled = request === null;
      if (!request) return;
      this.#approving.bring(request, async (approval) => {
        this.problem = await tried(async () => {
          this.came = await this.#shop.cleanedUp(approval);
          await this.#line.refresh();
        });
      });
    });
  }

  async #outside(call: () => Promise<void>): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    this.came = undefined;
    this.problem = await tried(call);
    this.asking = false;
  }
}
