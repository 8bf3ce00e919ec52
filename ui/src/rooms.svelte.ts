// The rooms of the window, and in which of them one is.

import { Audit } from "./audit/audit.svelte";
import type { Room } from "./bindings/Room";
import { Keys } from "./keys/keys.svelte";
import { Languages, type Store } from "./languages.svelte";
import { Line } from "./line.svelte";
import { Orders } from "./orders/orders.svelte";
import { People } from "./people/people.svelte";
import { Repair } from "./repair/repair.svelte";
import { Session } from "./session.svelte";
import type { Shell } from "./shell";
import type { Sound } from "./sound";

export class Rooms {
  readonly line: Line;
  readonly session: Session;
  readonly audit: Audit;
  readonly keys: Keys;
  readonly orders: Orders;
  readonly people: People;
  readonly repair: Repair;
  readonly languages: Languages;
  #chosen: Room | undefined = $state();

  constructor(shell: Shell, sound: Sound, store: Store = localStorage) {
    this.line = new Line(shell, sound);
    this.session = new Session(shell, this.line);
    this.audit = new Audit(shell);
    this.keys = new Keys(shell, this.session);
    this.orders = new Orders(shell, this.session, this.line);
    this.people = new People(shell, this.session);
    this.repair = new Repair(shell, this.line);
    this.languages = new Languages(store);
  }

  /** Those that the person may enter; none until the station answered. */
  get all(): readonly Room[] {
    return this.line.overview?.rooms ?? [];
  }

  get here(): Room | undefined {
    return this.all.find((room) => room === this.#chosen) ?? this.all[0];
  }

  /** Nothing half done is left: no PIN, no badge, no approval. */
  close(): void {
    this.people.close();
    this.keys.close();
    this.orders.close();
    this.repair.close();
  }

  go(room: Room): void {
    this.#chosen = room;
  }
}
