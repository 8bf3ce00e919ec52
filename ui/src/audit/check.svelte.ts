// A check of the whole log.

import type { Problem } from "../bindings/Problem";
import type { VerifyProgress } from "../bindings/VerifyProgress";
import type { VerifyVerdict } from "../bindings/VerifyVerdict";
import { problemOf, type Archive } from "../shell";

export class Check {
  running = $state(false);
  /** How far it is; `undefined` until the first word. */
  progress: VerifyProgress | undefined = $state();
  verdict: VerifyVerdict | undefined = $state();
  problem: Problem | undefined = $state();

  readonly #archive: Archive;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  async start(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.progress = this.verdict = this.problem = undefined;
    try {
      this.verdict = await this.#archive.verify((progress) => {
        this.progress = progress;
      });
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.running = false;
    }
  }

  /** Asks the check to end; its verdict says when it has. */
  async cancel(): Promise<void> {
    if (!this.running) return;
    try {
      await this.#archive.cancelVerify();
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}
