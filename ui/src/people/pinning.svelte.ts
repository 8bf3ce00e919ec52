// A PIN is changed: the old one, then the new one twice.

import type { Problem } from "../bindings/Problem";
import type { SignIn } from "../bindings/SignIn";
import { problemOf } from "../shell";
import { answerWords } from "../text/people";
import { Digits } from "./digits.svelte";
import { NewPin } from "./newpin.svelte";
import type { Stroke } from "./wedge";

export class Pinning {
  stage: "old" | "new" = $state("old");
  busy = $state(false);
  answer: SignIn | undefined = $state();
  problem: Problem | undefined = $state();
  slip: string | undefined = $state();
  readonly old = new Digits();
  readonly chosen: NewPin;

  readonly #submit: (old: string, pin: string) => Promise<SignIn>;
  #old = "";

  constructor(submit: (old: string, pin: string) => Promise<SignIn>) {
    this.#submit = submit;
    this.chosen = new NewPin(() => void this.#change());
  }

  /** What is being typed. */
  get digits(): Digits {
    return this.stage === "old" ? this.old : this.chosen.digits;
  }

  get said(): { sentence: string; steps: readonly string[]; code?: string } | undefined {
    if (this.problem) return { ...this.problem, steps: this.problem.remedy };
    const slip = this.slip ?? this.chosen.slip;
    if (slip !== undefined) return { sentence: slip, steps: [] };
    return this.answer && answerWords(this.answer);
  }

  stroke(stroke: Stroke): boolean {
    if (this.busy) return true;
    if (this.stage === "new" || stroke.kind === "scan") {
      if (this.stage === "old") this.old.clear();
      return this.chosen.stroke(stroke);
    }
    if (stroke.kind === "enter") this.enter();
    else if (stroke.kind === "erase") this.erase();
    else if (/^[0-9]$/.test(stroke.character)) this.digit(stroke.character);
    else return false;
    return true;
  }

  digit(digit: string): void {
    this.chosen.slip = undefined;
    if (this.stage === "old") this.old.type(digit);
    else this.chosen.digit(digit);
  }

  erase(): void {
    this.digits.erase();
  }

  enter(): void {
    if (this.stage === "new") this.chosen.enter();
    else if (this.old.enough) {
      this.answer = this.problem = this.slip = undefined;
      this.#old = this.old.take();
      this.stage = "new";
    }
  }

  reset(): void {
    this.#old = "";
    this.old.clear();
    this.chosen.reset();
    this.stage = "old";
    this.answer = this.problem = this.slip = undefined;
  }

  async #change(): Promise<void> {
    const old = this.#old;
    const pin = this.chosen.take();
    this.reset();
    this.busy = true;
    try {
      const answer = await this.#submit(old, pin);
      if (answer.outcome !== "open") this.answer = answer;
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.busy = false;
    }
  }
}
