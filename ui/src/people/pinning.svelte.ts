// A PIN is changed: the old one, then the new one twice.

import type { Problem } from "../bindings/Problem";
import type { SignIn } from "../bindings/SignIn";
import { problemOf } from "../shell";
import { answerWords, problemSentence, type Sentence } from "../text/people";
import { Digits } from "./digits.svelte";
import { NewPin } from "./newpin.svelte";
import type { Stroke } from "./wedge";

export class Pinning {
  stage: "old" | "new" = $state("old");
  busy = $state(false);
  answer: SignIn | undefined = $state();
  problem: Problem | undefined = $state();
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

  get said(): Sentence | undefined {
    if (this.problem) return problemSentence(this.problem);
    return this.chosen.said ?? (this.answer && answerWords(this.answer));
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
      this.answer = this.problem = undefined;
      this.#old = this.old.take();
      this.stage = "new";
    }
  }

  reset(): void {
    this.#old = "";
    this.old.clear();
    this.chosen.reset();
    this.stage = "old";
    this.answer = this.problem = undefined;
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
