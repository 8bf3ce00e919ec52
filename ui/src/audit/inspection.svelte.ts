// QA's look at a finished device: on which port, against which profile, and what was found.

import type { CheckPlaces } from "../bindings/CheckPlaces";
import type { CheckReport } from "../bindings/CheckReport";
import type { Problem } from "../bindings/Problem";
import { problemOf, type Archive } from "../shell";

export class Inspection {
  places: CheckPlaces | undefined = $state();
  /** The port that was chosen, and the file of the profile. */
  port = $state("");
  profile = $state("");
  running = $state(false);
  report: CheckReport | undefined = $state();
  /** Nobody opened the custody. */
  cancelled = $state(false);
  problem: Problem | undefined = $state();

  readonly #archive: Archive;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** Asks which ports and profiles there are; what was chosen stays, as long as it is there. */
  async read(): Promise<void> {
    try {
      const places = await this.#archive.checkPlaces();
      this.places = places;
      this.problem = undefined;
      if (!places.ports.some(({ port }) => port === this.port)) this.choose(places.ports[0]?.port ?? "");
    } catch (error) {
      this.places = undefined;
      this.problem = problemOf(error);
    }
  }

  /** Chooses a port, with the profile of its slot. */
  choose(port: string): void {
    this.port = port;
    const known = this.places?.ports.find((place) => place.port === port)?.profile ?? "";
    if (known !== "") this.profile = known;
    else if (!this.places?.profiles.some(({ file }) => file === this.profile))
      this.profile = this.places?.profiles[0]?.file ?? "";
  }

  get ready(): boolean {
    return !this.running && this.port !== "" && this.profile !== "";
  }

  async start(): Promise<void> {
    if (!this.ready) return;
    this.running = true;
    this.report = this.problem = undefined;
    this.cancelled = false;
    try {
      const report = await this.#archive.checkDevice(this.port, this.profile);
      if (report === null) this.cancelled = true;
      else this.report = report;
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.running = false;
    }
  }
}
