// The report of the shift that is about to end.

import type { Problem } from "../bindings/Problem";
import type { ShiftReport } from "../bindings/ShiftReport";
import { tried, type Door } from "../shell";

export class Shift {
  /** Whether it is in front of the person. */
  open = $state(false);
  report: ShiftReport | undefined = $state.raw();
  problem: Problem | undefined = $state();
  /** The folder is being asked for, outside of the page. */
  saving = $state(false);
  /** Where the file is. */
  saved: string | undefined = $state();

  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async show(): Promise<void> {
    this.open = true;
    await this.#do(async () => {
      this.report = await this.#door.shiftReport();
    });
  }

  async save(): Promise<void> {
    if (this.saving) return;
    this.saving = true;
    await this.#do(async () => {
      const saved = await this.#door.saveShiftReport();
      // What was saved has a record, and the page shows what the log has.
      if (saved) {
        this.saved = saved.path;
        this.report = await this.#door.shiftReport();
      }
    });
    this.saving = false;
  }

  close(): void {
    this.open = false;
    this.report = this.problem = this.saved = undefined;
  }

  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = await tried(call);
  }
}
