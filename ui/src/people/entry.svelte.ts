// One person at the pad: who it is, then the PIN. The same for signing in, taking over, approving and a ceremony.

import type { Problem } from "../bindings/Problem";
import type { SignIn } from "../bindings/SignIn";
import type { Who } from "../bindings/Who";
import { problemOf } from "../shell";
import { answerWords, problemSentence, type Sentence } from "../text/people";
import { words } from "../words.svelte";
import { Digits } from "./digits.svelte";
import { SCANNED, type Stroke } from "./wedge";

export class Entry {
  /** What is asked for now. */
  stage: "who" | "pin" = $state("who");
  /** What stands in the field of the user ID. */
  id = $state("");
  /** The PIN is being checked. */
  busy = $state(false);
  /** What is wrong with what came in last. */
  slip: "noBadge" | "scanInPin" | undefined = $state();
  answer: SignIn | undefined = $state();
  problem: Problem | undefined = $state();
  /** Seconds before the next try counts. */
  wait = $state(0);
  /** Who was named, to be shown: the user ID; nothing where a badge was scanned, whose text is never shown. */
  shown: string | undefined = $state();
  readonly digits = new Digits();

  readonly #submit: (who: Who, pin: string) => Promise<SignIn>;
  #who: Who | undefined;
  #until = 0;

  constructor(submit: (who: Who, pin: string) => Promise<SignIn>) {
    this.#submit = submit;
  }

  /** A badge was scanned. */
  badge(badge: string | undefined): void {
    this.id = "";
    if (this.stage === "pin") {
      this.digits.clear();
      this.slip = "scanInPin";
    } else if (badge === undefined) this.slip = "noBadge";
    else this.#name({ badge }, undefined);
  }

  /** The user ID in the field is complete. */
  named(): void {
    const user = this.id.trim();
    if (user === "") return;
    this.#name({ user }, user);
    this.id = "";
  }

  /** A key, while the PIN is asked for. Whether it was one for the PIN. */
  stroke(stroke: Stroke): boolean {
    if (stroke.kind === "scan") this.badge(stroke.badge);
    else if (stroke.kind === "enter") void this.enter();
    else if (stroke.kind === "erase") this.erase();
    else if (stroke.run >= SCANNED) this.badge(undefined);
    else if (/^[0-9]$/.test(stroke.character)) this.digit(stroke.character);
    else return false;
    return true;
  }

  digit(digit: string): void {
    if (this.busy || this.wait > 0) return;
    this.slip = undefined;
    this.digits.type(digit);
  }

  erase(): void {
    this.digits.erase();
  }

  /** Enter: the PIN is complete. */
  async enter(): Promise<void> {
    const who = this.#who;
    if (!who || this.busy || this.wait > 0 || !this.digits.enough) return;
    this.busy = true;
    this.answer = this.problem = this.slip = undefined;
    try {
      this.#came(await this.#submit(who, this.digits.take()));
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.busy = false;
    }
  }

  /** Back to the badge, with nothing left of this person. */
  reset(): void {
    this.#who = undefined;
    this.stage = "who";
    this.id = "";
    this.shown = undefined;
    this.digits.clear();
    this.slip = this.answer = this.problem = undefined;
    this.wait = this.#until = 0;
  }

  /** The time that is left to wait. */
  tick(now = Date.now()): void {
    this.wait = Math.max(0, Math.ceil((this.#until - now) / 1000));
    if (this.wait === 0 && this.answer?.outcome === "wait") this.answer = undefined;
  }

  /** What the page says of the last try. */
  get said(): Sentence | undefined {
    if (this.problem) return problemSentence(this.problem);
    if (this.slip !== undefined) return { sentence: words.door.entry[this.slip], steps: [] };
    return this.answer && answerWords(this.answer);
  }

  #name(who: Who, shown: string | undefined): void {
    this.reset();
    this.#who = who;
    this.shown = shown;
    this.stage = "pin";
  }

  #came(answer: SignIn): void {
    if (answer.outcome === "open") {
      this.reset();
      return;
    }
    if (answer.outcome === "locked-out" || answer.outcome === "refused") this.reset();
    this.answer = answer;
    if (answer.waitSeconds === null) return;
    this.#until = Date.now() + answer.waitSeconds * 1000;
    this.tick();
  }
}
