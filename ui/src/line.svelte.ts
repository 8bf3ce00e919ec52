// What the page shows: the last word of the shell, kept, and the few things an operator can do.

import { SvelteMap } from "svelte/reactivity";

import { may } from "./actions";
import type { Card } from "./bindings/Card";
import type { CardUpdate } from "./bindings/CardUpdate";
import type { Overview } from "./bindings/Overview";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { SlotHealth } from "./bindings/SlotHealth";
import type { ScanLine } from "./bindings/ScanLine";
import type { Aim, Aimed, Intent } from "./keyboard";
import { problemOf, type Shell } from "./shell";
import type { Heard, Sound } from "./sound";

/** Records that are shown, newest first. */
const RECORDS = 5;

/** Nothing was scanned. */
const noScan: ScanLine = { named: null, next: null, slots: [], taken: [], refused: null, scanner: null };

/** What is told with the refusal of a code. */
function beside(scans: ScanLine): string {
  return JSON.stringify({ ...scans, refused: null });
}

export class Line {
  /** `undefined` until the station answered. */
  overview: Overview | undefined = $state.raw();
  records: RecordLine[] = $state.raw([]);
  /** Why the station cannot work at all; there is nothing else to show then. */
  refused: Problem | undefined = $state();
  /** What an operator's own command came to; stays until the next one succeeds. */
  notice: Problem | undefined = $state();
  /** The passphrase is being asked for, outside of the page. */
  unlocking = $state(false);
  readonly cards = new SvelteMap<number, Card>();
  /** Labels that wait for their devices. */
  scans: ScanLine = $state.raw(noScan);

  /** Slots whose FAIL stands, in the order they failed. */
  #standing: readonly number[] = $state.raw([]);
  /** The refusal of a code that somebody has read, as JSON: the shell tells it again with all that changes beside it. */
  #dismissed: string | undefined;
  readonly #shell: Shell;
  readonly #sound: Sound;
  #started: Promise<void> | undefined;
  /** Counts the readings of overview and records. */
  #turn = 0;
  #changed = false;
  #looking = false;

  constructor(shell: Shell, sound: Sound) {
    this.#shell = shell;
    this.#sound = sound;
  }

  /** Asks the station for everything, once. */
  start(): Promise<void> {
    return (this.#started ??= this.#begin());
  }

  async #begin(): Promise<void> {
    try {
      await this.#read();
      if (!this.#made) return;
      await this.#shell.watch(
        (update) => {
          this.#show(update);
        },
        (scans) => {
          this.#hear(scans);
        },
      );
      await this.#unlockAtOnce();
    } catch (error) {
      this.refused = problemOf(error);
    }
  }

  /** Somebody signed in. */
  async arrive(): Promise<void> {
    await this.refresh();
    void this.#unlockAtOnce();
  }

  /** The audit log did not take a record: nothing can be made until somebody looked. */
  get logFailed(): boolean {
    return [...this.cards.values()].some((card) => card.state === "fail" && card.code === "log-failed");
  }

  /** Slots whose FAIL nobody has seen yet. */
  get failed(): number {
    return [...this.cards.values()].filter((card) => card.state === "fail").length;
  }

  /** Plays a tone for whoever wants to know whether it can be heard. */
  hear(tone: Heard): void {
    this.#sound(tone);
  }

  get locked(): boolean {
    return this.overview?.locked ?? false;
  }

  async perform(intent: Intent): Promise<void> {
    if (!this.overview) return;
    if (typeof intent === "object") {
      if ("aim" in intent) await this.#take(intent.aim);
    } else if (intent === "dismiss") {
      this.notice = undefined;
      if (this.scans.refused) this.#dismissed = JSON.stringify(this.scans.refused);
      this.scans = { ...this.scans, refused: null };
    }
  }

  /**
   * What a person has to see first: a FAIL, or else a slot that does not work. Of FAILs it is the one that stands longest: one
   * that comes while another is read does not take its place.
   */
  get foremost(): { slot: number; card: Extract<Card, { state: "fail" | "stopped" }> } | undefined {
    // The one whose code was scanned comes before the others.
    const slots = [this.scans.named ?? 0, ...this.#standing, ...this.cards.keys()];
    const wrong = slots.flatMap((slot) => {
      const card = this.cards.get(slot);
      return card?.state === "fail" || card?.state === "stopped" ? [{ slot, card }] : [];
    });
    return (
      wrong.find(({ card }) => card.state === "fail") ??
      wrong.find(({ slot }) => this.isOut(slot)) ??
      wrong[0]
    );
  }

  /** The end of the label that waits for the device of this slot. */
  waits(slot: number): string | undefined {
    const { slots, next } = this.scans;
    return slots.find((of) => of.slot === slot)?.label ?? next ?? undefined;
  }

  /** What this key is for now. Enter: a FAIL that stands comes first, then a slot that is out, then the vault. */
  aim(key: Aimed): Aim {
    if (key !== "enter") return this.isOut(key.slot) ? { putBack: key.slot } : this.#seen(key.slot);
    const first = this.foremost;
    if (first?.card.state === "fail") return { acknowledge: first.slot };
    const slots = [this.scans.named ?? 0, ...this.cards.keys()];
    const out = this.mayPutBack ? slots.find((slot) => this.isOut(slot)) : undefined;
    if (out !== undefined) return { putBack: out };
    return this.locked ? "unlock" : "nothing";
  }

  #seen(slot: number): Aim {
    return this.cards.get(slot)?.state === "fail" ? { acknowledge: slot } : "nothing";
  }

  async #take(aim: Aim): Promise<void> {
    if (aim === "nothing") return;
    if (aim === "unlock") await this.unlock();
    else if ("putBack" in aim) await this.putBack(aim.putBack);
    else await this.acknowledge(aim.acknowledge);
  }

  acknowledge = async (slot: number): Promise<void> => {
    if (this.cards.get(slot)?.state !== "fail") return;
    await this.#command(() => this.#shell.acknowledge(slot));
  };

  /** Whether the slot was taken out, and the person who is here can put it back. */
  isOut(slot: number): boolean {
    const card = this.cards.get(slot);
    return card?.state === "stopped" && card.code === "slot-out";
  }

  /** How a slot is, for whoever can do something about it. */
  healthOf(slot: number): SlotHealth | undefined {
    return this.mayPutBack ? this.overview?.health.find(({ number }) => number === slot) : undefined;
  }

  get mayPutBack(): boolean {
    return may(this.overview?.session.roles ?? [], "put-back");
  }

  putBack = async (slot: number): Promise<void> => {
    if (!this.isOut(slot) || !this.mayPutBack) return;
    await this.#command(async () => {
      await this.#shell.putBack(slot);
      await this.#read();
    });
  };

  /** A scanner typed this. Whether it is a label the station says, by way of `scans`. */
  async scan(text: string): Promise<void> {
    await this.#command(() => this.#shell.scan(text));
  }

  async unlock(): Promise<void> {
    if (this.unlocking) return;
    this.unlocking = true;
    await this.#command(async () => {
      await this.#shell.unlock();
      await this.#read();
    });
    this.unlocking = false;
  }

  async lock(): Promise<void> {
    if (this.locked || !this.#made) return;
    await this.#command(async () => {
      await this.#shell.lock();
      await this.#read();
    });
  }

  /** Reads station and counts again. */
  async refresh(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.notice = problemOf(error);
    }
  }

  /** Whether devices are made here: a window that only reads the log has no slot and no vault. */
  get #made(): boolean {
    return this.overview?.readOnly === false;
  }

  /** Without the vault there is nothing to do: who comes to the line is asked at once. */
  async #unlockAtOnce(): Promise<void> {
    const { session, rooms } = this.overview ?? {};
    const here = session?.state === "open" && !session.mustChangePin && rooms?.includes("line");
    if (here && this.locked) await this.unlock();
  }

  async #command(call: () => Promise<void>): Promise<void> {
    try {
      await call();
      this.notice = undefined;
    } catch (error) {
      this.notice = problemOf(error);
    }
  }

  async #read(): Promise<void> {
    const turn = ++this.#turn;
    const overview = await this.#shell.overview();
    const here = overview.session.state === "open" && overview.rooms.includes("line");
    const records = here ? await this.#shell.recent(RECORDS) : [];
    if (turn !== this.#turn) return; // A later answer was faster.
    // Each result is a reading: what has not changed stays what it was, or every card would be worked out anew for it.
    const slots = this.overview?.slots;
    const same = slots && JSON.stringify(slots) === JSON.stringify(overview.slots);
    this.overview = same ? { ...overview, slots } : overview;
    this.records = records;
  }

  #hear(scans: ScanLine): void {
    // Where nothing else has changed another code was refused, for the same reason.
    const again = beside(scans) === beside(this.scans);
    const read = scans.refused !== null && JSON.stringify(scans.refused) === this.#dismissed;
    if (read && !again) this.scans = { ...scans, refused: null };
    else {
      this.#dismissed = undefined;
      this.scans = scans;
    }
  }

  #show({ slot, card }: CardUpdate): void {
    const before = this.cards.get(slot);
    this.cards.set(slot, card);
    if (before?.state === card.state) return;
    const others = this.#standing.filter((failed) => failed !== slot);
    this.#standing = card.state === "fail" ? [...others, slot] : others;
    if (before && (card.state === "pass" || card.state === "fail")) this.#sound(card.state);
    // A slot that does not work any more is for the supervisor.
    if (card.state === "stopped") this.#sound("call");
    // There is a new record, or other words for the vault.
    if (!["pass", "fail", "locked", "stopped"].includes(card.state)) return;
    void this.#look();
  }

  /** Counts and records have changed. What changes while they are read is read together: 32 slots are done in one second. */
  async #look(): Promise<void> {
    this.#changed = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#changed) {
        this.#changed = false;
        await this.#read();
      }
    } catch (error) {
      this.notice = problemOf(error);
    } finally {
      this.#looking = false;
    }
  }
}
