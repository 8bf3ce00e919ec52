// What the page knows of the program around it. `ipc.ts` is the real one, `fake.ts` the one for trying and testing.

import type { CardUpdate } from "./bindings/CardUpdate";
import type { Overview } from "./bindings/Overview";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { UnlockOutcome } from "./bindings/UnlockOutcome";

/** Every method rejects with a {@link Problem}. */
export interface Shell {
  /** Station, operator, key, counts, slots. */
  overview(): Promise<Overview>;
  /** The last `count` records, newest first. */
  recent(count: number): Promise<RecordLine[]>;
  /** Tells the card of every slot at once, then each card that changes. A second call replaces the first. */
  watch(onCard: (update: CardUpdate) => void): Promise<void>;
  /** The operator has seen the FAIL of a slot. */
  acknowledge(slot: number): Promise<void>;
  /** Asks for the passphrase outside of the page, and unlocks the vault with it. */
  unlock(): Promise<UnlockOutcome>;
  /** Wipes the keys. */
  lock(): Promise<void>;
}

/** What went wrong, also when it is not the shell that says so. */
export function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  return {
    code: "window-failed",
    sentence: "The window cannot talk to the station.",
    remedy: ["Close the window.", "Start the station again.", "Again: call the administrator."],
  };
}

function isProblem(error: unknown): error is Problem {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    "sentence" in error &&
    "remedy" in error &&
    Array.isArray(error.remedy)
  );
}
