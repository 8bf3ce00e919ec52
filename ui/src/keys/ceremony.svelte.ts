// The table of the key ceremony: two people sit at it, and each sees the own side only.

import type { Ceremony } from "../bindings/Ceremony";
import type { NewKey } from "../bindings/NewKey";
import type { Problem } from "../bindings/Problem";
import { Entry } from "../people/entry.svelte";
import { problemOf, type KeyRing } from "../shell";

export type Seat = 0 | 1;

export class CeremonyTable {
  now: Ceremony | undefined = $state();
  /** Whose turn it is: the other side is covered. */
  seat: Seat = $state(0);
  /** The check value of the key, from the paper: typed at the beginning, and again at the end. */
  checkValue = $state("");
  /** The check value of a component, from the paper. */
  typed = $state("");
  /** The component is being asked for, outside of the page. */
  asking = $state(false);
  /** The window was closed without a component. */
  closed = $state(false);
  problem: Problem | undefined = $state();
  readonly entries: readonly [Entry, Entry];

  readonly #shell: KeyRing;

  constructor(shell: KeyRing) {
    this.#shell = shell;
    this.entries = [this.#entry(0), this.#entry(1)];
  }

  /** Whether a ceremony is under way. */
  get running(): boolean {
    return this.now !== undefined && this.now.phase !== "done" && this.now.phase !== "aborted";
  }

  async read(): Promise<void> {
    const now = await this.#shell.ceremony();
    // What came to its end before this page was opened is no news.
    if (this.now || (now && now.phase !== "done" && now.phase !== "aborted")) this.now = now ?? undefined;
  }

  /** Puts the last ceremony away. */
  clear(): void {
    this.now = this.problem = undefined;
    this.closed = false;
    this.checkValue = this.typed = "";
    this.seat = 0;
    for (const entry of this.entries) entry.reset();
  }

  async begin(key: NewKey): Promise<void> {
    const { checkValue } = this;
    this.problem = undefined;
    try {
      const begun = await this.#shell.ceremonyBegin(key, checkValue.trim());
      this.clear();
      this.now = begun;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** The other one comes to the table. */
  sit(seat: Seat): void {
    this.seat = seat;
    this.typed = "";
    this.problem = undefined;
    this.closed = false;
  }

  /** Asks for the component of this side. */
  async give(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    this.closed = false;
    await this.#do(async () => {
      this.closed = (await this.#shell.ceremonyComponent(this.seat)) === "cancelled";
    });
    this.asking = false;
  }

  /** Compares the paper with the component. */
  async confirm(): Promise<void> {
    const { typed, seat } = this;
    if (typed.trim() === "") return;
    this.closed = false;
    await this.#do(async () => {
      // Another value has ended the ceremony, and that is what it says of itself.
      await this.#shell.ceremonyConfirm(seat, typed.trim());
      this.typed = "";
    });
  }

  async finish(): Promise<void> {
    const { checkValue } = this;
    if (checkValue.trim() === "") return;
    await this.#do(async () => {
      this.now = await this.#shell.ceremonyFinish(checkValue.trim());
    });
  }

  async abort(): Promise<void> {
    await this.#do(() => this.#shell.ceremonyAbort());
  }

  #entry(seat: Seat): Entry {
    return new Entry(async (who, pin) => {
      const answer = await this.#shell.ceremonySignIn(seat, who, pin);
      if (answer.outcome === "open") {
        await this.#again();
        this.sit(seat);
      }
      return answer;
    });
  }

  async #again(): Promise<void> {
    const before = this.now?.phase;
    this.now = (await this.#shell.ceremony()) ?? undefined;
    // The value of the beginning is typed again, from the paper.
    if (this.now?.phase !== before) this.checkValue = "";
  }

  /** What did not work may have changed the ceremony, too: a sign-in has run out, or all of it has ended. */
  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = undefined;
    try {
      await call();
    } catch (error) {
      this.problem = problemOf(error);
    }
    try {
      await this.#again();
    } catch (error) {
      this.problem ??= problemOf(error);
    }
  }
}
