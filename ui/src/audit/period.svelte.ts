// Figures of a period, of one work order or of all.

import type { Figures } from "../bindings/Figures";
import type { Problem } from "../bindings/Problem";
import { problemOf, type Archive } from "../shell";

/** Days that can be chosen; `null` is everything. */
export const periods = [7, 30, 90, null] as const;
export type Days = (typeof periods)[number];

const DAY = 86_400_000;

export class Period {
  days: Days = $state(30);
  /** Work order; empty for all. */
  job = $state("");
  figures: Figures | undefined = $state();
  problem: Problem | undefined = $state();
  /** Numbers instead of pictures. */
  numbers = $state(false);

  readonly #archive: Archive;
  #turn = 0;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  async choose(days: Days): Promise<void> {
    this.days = days;
    await this.read();
  }

  async read(): Promise<void> {
    const turn = ++this.#turn;
    // Whole days of UTC, today among them: a day that is cut looks like a bad one.
    const until = (Math.floor(Date.now() / DAY) + 1) * DAY;
    const from = this.days === null ? 0 : until - this.days * DAY;
    try {
      const figures = await this.#archive.figures(from, until, this.job.trim() || null);
      if (turn !== this.#turn) return; // A later answer was faster.
      this.figures = figures;
      this.problem = undefined;
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    }
  }
}
