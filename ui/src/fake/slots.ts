// The slots of the station that does not exist: what each shows, and what is plugged into it.

import type { Card } from "../bindings/Card";
import type { CardUpdate } from "../bindings/CardUpdate";
import { STEPS } from "../steps";
import type { FakeDevice } from "./bench";

interface Slot {
  card: Card;
  plugged: FakeDevice | undefined;
}

/** Waits for the next step of an injection. */
export type Pace = () => Promise<void>;

export class FakeSlots {
  /** How long a step takes. */
  pace: Pace = () => Promise.resolve();

  readonly #slots: Map<number, Slot>;
  #told: (update: CardUpdate) => void = () => undefined;

  constructor(numbers: readonly number[]) {
    this.#slots = new Map(
      numbers.map((number) => [number, { card: { state: "waiting" }, plugged: undefined }]),
    );
  }

  get working(): boolean {
    return [...this.#slots.values()].some(({ card }) => card.state === "working");
  }

  /** Tells every card at once, then each change. */
  watch(told: (update: CardUpdate) => void): void {
    this.#told = told;
    for (const [slot, { card }] of this.#slots) told({ slot, card });
  }

  card(number: number): Card {
    return this.#at(number).card;
  }

  show(slot: number, card: Card): void {
    this.#at(slot).card = card;
    this.#told({ slot, card });
  }

  /** A device lies in the slot now. Whether the slot may begin it: none is touched while a FAIL stands. */
  lay(slot: number, device: FakeDevice): boolean {
    const at = this.#at(slot);
    at.plugged = device;
    return at.card.state === "waiting" || at.card.state === "locked";
  }

  /** Shows the steps. Whether the device was there to their end. */
  async work(slot: number, device: FakeDevice): Promise<boolean> {
    for (const step of STEPS) {
      this.show(slot, { state: "working", step });
      await this.pace();
      if (this.#at(slot).plugged !== device) return false;
    }
    return true;
  }

  /** Pulls the device out. A FAIL stays. */
  pull(slot: number): void {
    const { card } = this.#at(slot);
    this.#at(slot).plugged = undefined;
    this.show(slot, card.state === "fail" ? { ...card, gone: true } : { state: "waiting" });
  }

  /** Devices that wait for the vault, and their slots. */
  locked(): [number, FakeDevice][] {
    return [...this.#slots].flatMap(([number, { card, plugged }]) =>
      card.state === "locked" && plugged ? [[number, plugged] satisfies [number, FakeDevice]] : [],
    );
  }

  #at(number: number): Slot {
    const slot = this.#slots.get(number);
    if (!slot) throw new RangeError(`no slot ${number}`);
    return slot;
  }
}
