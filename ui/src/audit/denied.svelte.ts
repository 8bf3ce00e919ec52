// Who asked for what is not permitted: a page at a time, newest first.

import type { DenialLine } from "../bindings/DenialLine";
import type { Problem } from "../bindings/Problem";
import { problemOf, type Archive } from "../shell";

/** Rows of a page. */
const PAGE = 50;

export class Denied {
  rows: DenialLine[] | undefined = $state();
  /** Where older ones begin; `null` where there is nothing older. */
  next: number | null = $state(null);
  reading = $state(false);
  problem: Problem | undefined = $state();

  readonly #archive: Archive;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** Reads the newest anew. */
  async read(): Promise<void> {
    await this.#load(null);
  }

  async older(): Promise<void> {
    if (this.next !== null) await this.#load(this.next);
  }

  async #load(before: number | null): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      const { rows, next } = await this.#archive.denials(before, PAGE);
      this.rows = before === null ? rows : [...(this.rows ?? []), ...rows];
      this.next = next;
      this.problem = undefined;
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.reading = false;
    }
  }
}
