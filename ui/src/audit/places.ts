// Which rows of a long table are in sight.
//
// The virtual lists that there are for Svelte place rows by their pixels, and a browser's scroll area ends at some 33
// million of them: at 40 pixels a row that is 800 thousand rows, and an audit log holds ten million. So the scroll bar
// of a very long list stands for parts of the list, and keys and wheel move by rows.

/** Heights in pixels: of a row, and of the line of column names. */
export const ROW = 40;
export const HEAD = 36;
/** The longest scroll area, well below what any browser allows. */
const LONGEST = 8_000_000;
/** Rows that are there in any case, also before the window has told its size. */
const LEAST = 4;

export class Places {
  /** Rows that fit. */
  readonly room: number;
  /** Height of the whole, in pixels. */
  readonly length: number;
  /** Whether a pixel of the scroll bar is more than a pixel of the list. */
  readonly shortened: boolean;
  readonly #last: number;
  readonly #range: number;

  /** Of `known` rows, in a view of `height` pixels. */
  constructor(known: number, height: number) {
    this.room = Math.max(LEAST, Math.floor((height - HEAD) / ROW));
    this.length = Math.min(HEAD + known * ROW, LONGEST);
    this.shortened = HEAD + known * ROW > LONGEST;
    this.#last = Math.max(0, known - this.room);
    this.#range = Math.max(1, this.length - height);
  }

  /** The first row in sight when this much is scrolled away. */
  rowAt(offset: number): number {
    const row = this.shortened ? (offset / this.#range) * this.#last : offset / ROW;
    // Up: or the end of the scroll bar would not reach the last row. Screens round to parts of a pixel.
    return Math.max(0, Math.min(this.#last, Math.ceil(row - 0.02)));
  }

  /** How much is scrolled away when this row is the first in sight. */
  offsetOf(row: number): number {
    return this.shortened ? (row / Math.max(1, this.#last)) * this.#range : row * ROW;
  }

  /** Whether this row is the first in sight there; a scroll bar stands on whole pixels only. */
  agrees(row: number, offset: number): boolean {
    return this.rowAt(offset) === row || Math.abs(offset - this.offsetOf(row)) <= 1;
  }
}
