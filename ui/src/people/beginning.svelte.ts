// First start: two people become the administrators, one after the other, each with a PIN that the other does not see.

import type { NewPerson } from "../bindings/NewPerson";
import { Draft } from "./people.svelte";

export type Seat = 0 | 1;

export class Beginning {
  readonly drafts: readonly [Draft, Draft] = [this.#draft(), this.#draft()];
  /** Who is being described; nobody when both are. */
  at: Seat | undefined = $state(0);
  /** The PIN is typed now. */
  typing = $state(false);

  readonly #submit: (first: NewPerson, second: NewPerson) => Promise<boolean>;

  constructor(submit: (first: NewPerson, second: NewPerson) => Promise<boolean>) {
    this.#submit = submit;
  }

  /** Describes this one, and with a new PIN. */
  edit(seat: Seat): void {
    this.drafts[seat].pin.reset();
    this.at = seat;
    this.typing = false;
  }

  /** The person is described: now the PIN. */
  described(): void {
    this.typing = this.at !== undefined && this.drafts[this.at].user.trim() !== "";
  }

  async begin(): Promise<void> {
    const [first, second] = this.drafts;
    // What the station refuses is mended here; the PINs are gone then, and typed again.
    if (!(await this.#submit(person(first), person(second)))) this.edit(0);
  }

  #draft(): Draft {
    return new Draft(() => {
      this.typing = false;
      const next = this.drafts.findIndex(({ ready }) => !ready);
      this.at = next === -1 ? undefined : next === 0 ? 0 : 1;
    });
  }
}

function person({ user, name, badge, pin }: Draft): NewPerson {
  return { user: user.trim(), name: name.trim(), badge: badge ?? null, pin: pin.take() };
}
