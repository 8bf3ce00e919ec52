// The rooms of the window, and in which of them one is.

import { Audit } from "./audit/audit.svelte";
import type { Room } from "./bindings/Room";
import { Line } from "./line.svelte";
import type { Shell } from "./shell";
import type { Sound } from "./sound";

export class Rooms {
  readonly line: Line;
  readonly audit: Audit;
  #chosen: Room | undefined = $state();

  constructor(shell: Shell, sound: Sound) {
    this.line = new Line(shell, sound);
    this.audit = new Audit(shell);
  }

  /** What this window has; nothing until the station answered. */
  get all(): readonly Room[] {
    return this.line.overview?.rooms ?? [];
  }

  get here(): Room | undefined {
    return this.all.find((room) => room === this.#chosen) ?? this.all[0];
  }

  go(room: Room): void {
    this.#chosen = room;
  }
}
