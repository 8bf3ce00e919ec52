// What a search found: rows by their place, however many there are. The shell gives pages from a row on; this keeps
// where each page begins and only the pages near the one that is looked at.

import { SvelteMap, SvelteSet } from "svelte/reactivity";

import type { AttemptLine } from "../bindings/AttemptLine";
import type { Problem } from "../bindings/Problem";
import { problemOf, type Archive } from "../shell";

/** Rows of a page. */
export const PAGE = 200;
/** Pages that are kept beside the first. */
const KEPT = 8;

export class Found {
  /** Rows that are known to be there. */
  known = $state(0);
  /** Whether there are older ones. */
  more = $state(false);
  /** The row at the top of the table. */
  first = $state(0);
  /** The row that a key acts on. */
  selected = $state(0);
  /** Rows that the table has room for. */
  room = $state(1);
  /** Something was looked for. */
  asked = $state(false);
  searching = $state(false);
  problem: Problem | undefined = $state();

  readonly #archive: Archive;
  readonly #pages = new SvelteMap<number, AttemptLine[]>();
  /** The record that each page comes after; `null` for the first. */
  #after: (number | null)[] = [null];
  readonly #loading = new SvelteSet<number>();
  #text = "";
  /** Counts the searches: an answer to an earlier one is no answer. */
  #turn = 0;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  async begin(text: string): Promise<void> {
    this.#turn++;
    this.#text = text;
    this.#after = [null];
    this.#pages.clear();
    this.#loading.clear();
    this.known = this.first = this.selected = 0;
    this.more = false;
    this.problem = undefined;
    this.asked = this.searching = true;
    const turn = this.#turn;
    await this.#load(0);
    if (turn === this.#turn) this.searching = false;
  }

  /** The row at this place; `undefined` while it is being read. */
  row(index: number): AttemptLine | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Moves the selection, and the table with it. */
  async select(index: number): Promise<void> {
    this.selected = clamp(index, 0, this.known - 1);
    if (this.selected < this.first) this.first = this.selected;
    if (this.selected >= this.first + this.room) this.first = this.selected - this.room + 1;
    await this.#fill();
  }

  /** Moves the table, and leaves the selection where it is. */
  async scroll(first: number): Promise<void> {
    this.first = clamp(first, 0, this.known - this.room);
    await this.#fill();
  }

  /** Reads the pages that are looked at, and the next one before its rows are needed. */
  async #fill(): Promise<void> {
    const needed = [this.first, this.first + this.room - 1].map((row) => Math.floor(row / PAGE));
    if (this.more && this.first + this.room + PAGE / 2 > this.known) needed.push(this.#after.length - 1);
    await Promise.all(needed.map((page) => this.#load(page)));
  }

  async #load(page: number): Promise<void> {
    const after = this.#after[page];
    if (after === undefined || this.#pages.has(page) || this.#loading.has(page)) return;
    const turn = this.#turn;
    this.#loading.add(page);
    try {
      const { rows, more } = await this.#archive.search(this.#text, after, PAGE);
      if (turn !== this.#turn) return;
      this.problem = undefined;
      this.#pages.set(page, rows);
      this.#forget(page);
      const end = page * PAGE + rows.length;
      if (end > this.known || page === this.#after.length - 1) {
        this.known = end;
        this.more = more;
      }
      const last = rows.at(-1);
      if (more && last && page === this.#after.length - 1) this.#after.push(last.seq);
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    } finally {
      if (turn === this.#turn) this.#loading.delete(page);
    }
  }

  /** Lets go of the pages that are farthest from this one. The first stays: read again, it would hold newer rows. */
  #forget(near: number): void {
    const others = [...this.#pages.keys()].filter((page) => page !== 0);
    others.sort((a, b) => Math.abs(a - near) - Math.abs(b - near));
    for (const page of others.slice(KEPT)) this.#pages.delete(page);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
