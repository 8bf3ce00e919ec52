// Who is at the station, and how that changes: sign-in, hand-over, lock, a PIN of one's own.

import { may } from "./actions";
import type { OPEN_TO } from "./bindings/Policy";
import type { Counts } from "./bindings/Counts";
import type { Problem } from "./bindings/Problem";
import type { SessionLine } from "./bindings/SessionLine";
import type { Soon } from "./bindings/Soon";
import type { Line } from "./line.svelte";
import { Beginning } from "./people/beginning.svelte";
import { Entry } from "./people/entry.svelte";
import { Pinning } from "./people/pinning.svelte";
import { Shift } from "./people/shift.svelte";
import { problemOf, type Door } from "./shell";

/** A touch is told to the station once in so many milliseconds: it waits for minutes. */
const TOLD = 5_000;

export class Session {
  /** Somebody takes over, or the one who is here looks after the own account. */
  handingOver = $state(false);
  /** The person changes the own PIN. */
  changing = $state(false);
  problem: Problem | undefined = $state();
  /** The shift before this one, and what it made. */
  before: { user: string; counts: Counts } | undefined = $state();
  readonly entry: Entry;
  readonly pinning: Pinning;
  readonly beginning: Beginning;
  readonly shift: Shift;

  readonly #door: Door;
  readonly #line: Line;
  #told = -Infinity;
  /** What this window had made when the session began: the station counts from when it was started. */
  #base: Counts = $state.raw({ done: 0, failed: 0 });

  constructor(door: Door, line: Line) {
    this.#door = door;
    this.#line = line;
    this.shift = new Shift(door);
    this.entry = new Entry(async (who, pin) => {
      const left = line.overview;
      const answer = await door.signIn(who, pin);
      if (answer.outcome === "open") {
        await line.arrive();
        this.#arrived(left?.session);
      }
      return answer;
    });
    this.pinning = new Pinning(async (old, pin) => {
      const answer = await door.changePin(old, pin);
      if (answer.outcome === "open") {
        this.changing = false;
        await line.arrive();
      }
      return answer;
    });
    this.beginning = new Beginning(async (first, second) => {
      await this.#do(() => door.beginPeople(first, second));
      return this.problem === undefined;
    });
  }

  get now(): SessionLine | undefined {
    return this.#line.overview?.session;
  }

  /** What was made in this session. */
  get counts(): Counts {
    const { done, failed } = this.#line.overview?.counts ?? this.#base;
    return { done: done - this.#base.done, failed: failed - this.#base.failed };
  }

  /** Whether somebody is signed in and may act; a window that only reads asks nobody. */
  get open(): boolean {
    return this.#line.overview?.readOnly === true || (this.now?.state === "open" && !this.now.mustChangePin);
  }

  /** Whether the person may ask for this. Without a button for it nobody asks in vain; the station refuses all the same. */
  may(action: keyof typeof OPEN_TO): boolean {
    return may(this.now?.roles ?? [], action);
  }

  /** Whether the page asks for a person now, and so keys are for that. */
  get asking(): boolean {
    return !this.open || this.handingOver || this.changing;
  }

  /** Seconds until the session is locked or ends, and why, when that is soon. */
  get soon(): { seconds: number; reason: Soon } | undefined {
    const { state, secondsLeft = null, reason = null } = this.now ?? {};
    return state === "open" && secondsLeft !== null && reason ? { seconds: secondsLeft, reason } : undefined;
  }

  /** A key, a finger, a scanner. */
  async touch(now: number): Promise<void> {
    if (this.now?.state !== "open") return;
    const soon = this.soon?.reason === "idle";
    if (!soon && now - this.#told < TOLD) return;
    this.#told = now;
    await this.#do(() => this.#door.touch(), soon);
  }

  handOver(): void {
    if (this.now?.state !== "open") return;
    this.entry.reset();
    this.problem = undefined;
    this.handingOver = true;
  }

  changePin(): void {
    this.pinning.reset();
    this.handingOver = false;
    this.changing = true;
  }

  /** Back to the room. */
  stay(): void {
    this.shift.close();
    this.handingOver = this.changing = false;
    this.entry.reset();
    this.pinning.reset();
  }

  /** What was said has been read. */
  dismiss(): void {
    this.problem = this.before = undefined;
  }

  async away(): Promise<void> {
    if (this.now?.state !== "open") return;
    this.stay();
    await this.#do(() => this.#door.away());
  }

  async signOut(): Promise<void> {
    this.stay();
    await this.#do(() => this.#door.signOut());
  }

  #arrived(left: SessionLine | undefined): void {
    this.handingOver = false;
    this.shift.close();
    const other = left?.user !== this.now?.user;
    if (left && left.user !== "" && other) this.before = { user: left.user, counts: this.counts };
    // Who comes back after a lock, or takes over from oneself, has the same session.
    const same = !other && (left?.state === "away" || left?.state === "open");
    const { counts } = this.#line.overview ?? {};
    if (counts && !same) this.#base = counts;
  }

  async #do(call: () => Promise<void>, look = true): Promise<void> {
    try {
      await call();
      this.problem = undefined;
      if (look) await this.#line.refresh();
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}
