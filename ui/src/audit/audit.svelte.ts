// The audit room: what was made here, and whether the log of it can be believed.

import type { DeviceLife } from "../bindings/DeviceLife";
import type { Problem } from "../bindings/Problem";
import { problemOf, type Archive } from "../shell";
import { Check } from "./check.svelte";
import { Denied } from "./denied.svelte";
import { Found } from "./found.svelte";
import { Inspection } from "./inspection.svelte";
import { Period } from "./period.svelte";
import { Reviewing } from "./reviewing.svelte";

/** The pages of the room, in the order of their buttons. */
export const views = ["search", "check", "figures", "verify", "refusals", "review"] as const;
export type View = (typeof views)[number];

export class Audit {
  view: View = $state("search");
  /** What stands in the search box. */
  text = $state("");
  /** The device whose page is open, over the results. */
  life: DeviceLife | undefined = $state();
  /** Where its proof was written. */
  saved: string | undefined = $state();
  /** What opening a device, or writing its proof, came to. */
  problem: Problem | undefined = $state();
  readonly found: Found;
  readonly check: Check;
  readonly inspection: Inspection;
  readonly period: Period;
  readonly denied: Denied;
  readonly reviewing: Reviewing;

  readonly #archive: Archive;
  #turn = 0;

  constructor(archive: Archive) {
    this.#archive = archive;
    this.found = new Found(archive);
    this.check = new Check(archive);
    this.inspection = new Inspection(archive);
    this.period = new Period(archive);
    this.denied = new Denied(archive);
    this.reviewing = new Reviewing(archive);
  }

  /** Opens a page and lets it read what it shows. */
  async show(view: View): Promise<void> {
    this.view = view;
    if (view === "figures") await this.period.read();
    else if (view === "check") await this.inspection.read();
    else if (view === "refusals") await this.denied.read();
    else if (view === "review") await this.reviewing.read();
    else if (view === "search" && !this.found.asked) await this.search();
  }

  /** Looks for what stands in the search box. */
  async search(): Promise<void> {
    this.close();
    this.view = "search";
    await this.found.begin(this.text.trim());
  }

  /** Opens the page of a device. */
  async open(id: string): Promise<void> {
    const turn = ++this.#turn;
    this.saved = this.problem = undefined;
    try {
      const life = await this.#archive.device(id);
      if (turn === this.#turn) this.life = life;
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    }
  }

  /** Back to the results. */
  close(): void {
    this.#turn++;
    this.life = this.saved = this.problem = undefined;
  }

  async saveProof(): Promise<void> {
    const { life } = this;
    if (!life) return;
    this.saved = this.problem = undefined;
    try {
      const { path } = await this.#archive.saveProof(life.id);
      if (this.life === life) this.saved = path;
    } catch (error) {
      if (this.life === life) this.problem = problemOf(error);
    }
  }
}
