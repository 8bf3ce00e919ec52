// A second person approves one request, here, while the first one stays signed in.

import type { ApprovalRequest } from "../bindings/ApprovalRequest";
import type { Action } from "../actions";
import type { Door } from "../shell";
import { Entry } from "./entry.svelte";

export class Approving {
  /** What is asked for; nothing while nobody is asked. */
  request: ApprovalRequest | undefined = $state();
  readonly entry: Entry;
  #deed: (approval: number) => Promise<void> = () => Promise.resolve();

  constructor(door: Door) {
    this.entry = new Entry(async (who, pin) => {
      const { request } = this;
      if (!request) throw new Error("nothing is asked for");
      const { approval, signIn } = await door.approve(request, who, pin);
      if (approval !== null && this.request === request) {
        this.request = undefined;
        await this.#deed(approval);
      }
      return signIn;
    });
  }

  /** Asks; `deed` is done with the approval, once. It answers for its own errors. */
  ask(action: Action, subject: string, reason: string, deed: (approval: number) => Promise<void>): void {
    this.entry.reset();
    this.#deed = deed;
    this.request = { action, subject, reason };
  }

  /** The same for what the station said that is to be approved. */
  bring(request: ApprovalRequest, deed: (approval: number) => Promise<void>): void {
    this.entry.reset();
    this.#deed = deed;
    this.request = request;
  }

  cancel(): void {
    this.request = undefined;
    this.entry.reset();
  }
}
