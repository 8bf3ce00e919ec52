// The room of repair: one device, batches of them, what is to be cleaned up.

import type { Line } from "../line.svelte";
import { Approving } from "../people/approving.svelte";
import type { Door, RepairShop } from "../shell";
import { Batches } from "./batches.svelte";
import { Cleanup } from "./cleanup.svelte";
import { Returned } from "./returned.svelte";

export const views = ["device", "batches", "cleanup"] as const;
export type View = (typeof views)[number];

export class Repair {
  view: View = $state("device");
  readonly approving: Approving;
  readonly returned: Returned;
  readonly batches: Batches;
  readonly cleanup: Cleanup;

  constructor(shell: Door & RepairShop, line: Line) {
    this.approving = new Approving(shell);
    this.returned = new Returned(shell, line, this.approving);
    this.batches = new Batches(shell, line, this.approving, this.returned);
    this.cleanup = new Cleanup(shell, line, this.approving);
  }

  async show(view: View = this.view): Promise<void> {
    if (view !== this.view) {
      this.batches.close();
      this.cleanup.close();
    }
    this.view = view;
    await this.returned.show();
    if (view === "batches") await this.batches.show();
  }

  /** Goes to the batches, with a new one of all that hang on a group key. */
  async rotate(label: string): Promise<void> {
    await this.show("batches");
    this.batches.make(label);
  }

  /** A code that was scanned in the room names a device. */
  async scanned(text: string | undefined): Promise<void> {
    if (text === undefined || this.view !== "device" || this.returned.busy) return;
    await this.returned.find(text);
  }

  close(): void {
    this.returned.forget();
    this.batches.close();
    this.cleanup.close();
  }
}
