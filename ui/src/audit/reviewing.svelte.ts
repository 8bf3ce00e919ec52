// The weekly review: what nobody has reviewed yet, and the signature under it.

import type { Problem } from "../bindings/Problem";
import type { Review } from "../bindings/Review";
import { problemOf, type Archive } from "../shell";

export class Reviewing {
  review: Review | undefined = $state();
  problem: Problem | undefined = $state();
  remark = $state("");
  signing = $state(false);

  readonly #archive: Archive;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  async read(): Promise<void> {
    try {
      this.review = await this.#archive.review();
      this.problem = undefined;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Whether a signature has something to stand under. */
  get ready(): boolean {
    return !this.signing && this.review !== undefined;
  }

  async sign(reviewer: string): Promise<boolean> {
    const shown = this.review;
    if (!this.ready || !shown) return false;
    this.signing = true;
    try {
      // What the page showed is signed, whatever the line did meanwhile.
      await this.#archive.signReview(reviewer, shown.to, this.remark.trim());
      this.remark = "";
      await this.read();
      return true;
    } catch (error) {
      this.problem = problemOf(error);
      return false;
    } finally {
      this.signing = false;
    }
  }
}
