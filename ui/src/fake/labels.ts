// Labels and codes of slots, by the rules of the real station.

import type { Problem } from "../bindings/Problem";
import type { ScanLine } from "../bindings/ScanLine";

/** Characters of a label at most, and those that are shown. */
const LONGEST = 128;
const SHOWN = 4;

/** Why this is no label. */
function wrong(text: string, slots: ReadonlySet<number>): Problem | undefined {
  if (/[\r\n]/.test(text))
    return no("label-two", "Two codes came at once: scan again.", [
      "Scan one label again, then plug its device in.",
    ]);
  const at = Array.from(text).findIndex((character) => !/^[ -~]$/.test(character));
  if (at >= 0)
    return no("label-character", `Character ${at + 1} of the code cannot stand on a label.`, [
      "Scan the label again.",
      "Again: the label or the scanner is wrong. Call the supervisor.",
    ]);
  if (text.length > LONGEST)
    return no("label-long", "The code has more than 128 characters: it is no label.", [
      "Scan the label of the device, and only that.",
    ]);
  const slot = /^slot:(\d+)$/.exec(text)?.[1];
  if (slot !== undefined && !slots.has(Number(slot)))
    return no("label-no-slot", `There is no slot ${slot} in this line.`, [
      "Scan the code of a slot of this line.",
    ]);
  return undefined;
}

function no(code: string, sentence: string, remedy: string[]): Problem {
  return { code, sentence, remedy };
}

export class FakeLabels {
  shown: ScanLine = { named: null, next: null, slots: [], taken: [], refused: null, scanner: null };
  tell: (scans: ScanLine) => void = () => undefined;

  readonly #slots: ReadonlySet<number>;

  constructor(slots: ReadonlySet<number>) {
    this.#slots = slots;
  }

  scan(text: string): void {
    const refused = wrong(text, this.#slots) ?? null;
    this.#set({ refused });
    if (refused) return;
    const slot = /^slot:(\d+)$/.exec(text)?.[1];
    const { named, slots } = this.shown;
    const label = text.slice(-SHOWN);
    if (slot !== undefined) this.#set({ named: Number(slot) });
    else if (named !== null)
      this.#set({ named: null, slots: [...slots.filter((of) => of.slot !== named), { slot: named, label }] });
    else this.#set({ next: label });
  }

  /** A device came into a slot: whether there was a label for it. */
  take(slot: number): boolean {
    const { next, slots, taken } = this.shown;
    const own = slots.find((of) => of.slot === slot)?.label;
    const label = own ?? next;
    const others = taken.filter((of) => of.slot !== slot);
    this.#set({
      next: own === undefined ? null : next,
      slots: slots.filter((of) => of.slot !== slot),
      taken: label === null ? others : [...others, { slot, label }],
    });
    return label !== null;
  }

  /** The serial scanner is not there. */
  unplug(): void {
    this.#set({
      scanner: no("scanner-away", "The scanner was unplugged.", [
        "Plug the scanner in: it is used at once.",
        "Again: call the administrator.",
      ]),
    });
  }

  #set(changed: Partial<ScanLine>): void {
    this.shown = { ...this.shown, ...changed };
    this.tell(this.shown);
  }
}
