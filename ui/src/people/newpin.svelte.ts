// A PIN that is chosen: typed, and typed again, for nobody sees what was typed.

import type { Sentence } from "../text/people";
import { words } from "../words.svelte";
import { Digits } from "./digits.svelte";
import { SCANNED, type Stroke } from "./wedge";

export class NewPin {
  stage: "first" | "again" | "set" = $state("first");
  slip: "scanner" | "differ" | undefined = $state();
  readonly digits = new Digits();

  #first = "";
  /** Told when the two were the same. */
  readonly #done: () => void;

  constructor(done: () => void = () => undefined) {
    this.#done = done;
  }

  /** What is wrong with what was typed. */
  get said(): Sentence | undefined {
    return this.slip && { sentence: words.door.newPin[this.slip], steps: [] };
  }

  stroke(stroke: Stroke): boolean {
    if (stroke.kind === "scan" || (stroke.kind === "character" && stroke.run >= SCANNED)) {
      this.digits.clear();
      this.slip = "scanner";
    } else if (stroke.kind === "enter") this.enter();
    else if (stroke.kind === "erase") this.digits.erase();
    else if (/^[0-9]$/.test(stroke.character)) this.digit(stroke.character);
    else return false;
    return true;
  }

  digit(digit: string): void {
    if (this.stage === "set") return;
    this.slip = undefined;
    this.digits.type(digit);
  }

  erase(): void {
    this.digits.erase();
  }

  enter(): void {
    if (!this.digits.enough || this.stage === "set") return;
    const typed = this.digits.take();
    if (this.stage === "first") {
      this.#first = typed;
      this.stage = "again";
    } else if (typed === this.#first) {
      this.stage = "set";
      this.#done();
    } else {
      this.reset();
      this.slip = "differ";
    }
  }

  reset(): void {
    this.#first = "";
    this.digits.clear();
    this.slip = undefined;
    this.stage = "first";
  }

  /** The PIN, which is gone from here then. */
  take(): string {
    const pin = this.#first;
    this.reset();
    return pin;
  }
}
