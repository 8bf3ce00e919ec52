// What the page knows of the program around it. `ipc.ts` is the real one, `fake.ts` the one for trying and testing.

import type { CardUpdate } from "./bindings/CardUpdate";
import type { DeviceLife } from "./bindings/DeviceLife";
import type { Figures } from "./bindings/Figures";
import type { Overview } from "./bindings/Overview";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { Review } from "./bindings/Review";
import type { ReviewLine } from "./bindings/ReviewLine";
import type { Saved } from "./bindings/Saved";
import type { SearchPage } from "./bindings/SearchPage";
import type { UnlockOutcome } from "./bindings/UnlockOutcome";
import type { VerifyProgress } from "./bindings/VerifyProgress";
import type { VerifyVerdict } from "./bindings/VerifyVerdict";

/** What the audit room asks. Every method rejects with a {@link Problem}. */
export interface Archive {
  /** Devices that were on a port, newest first, at most `limit` of them, older than record `before`. */
  search(text: string, before: number | null, limit: number): Promise<SearchPage>;
  /** Everything that the log holds of a registration ID; `no-device` where it holds nothing. */
  device(id: string): Promise<DeviceLife>;
  /** Writes the inclusion proof of a device to a file, never over another. */
  saveProof(id: string): Promise<Saved>;
  /** Checks the whole log. One check at a time. */
  verify(onProgress: (progress: VerifyProgress) => void): Promise<VerifyVerdict>;
  /** Ends the check that runs; its verdict is `cancelled` then. */
  cancelVerify(): Promise<void>;
  /** Figures from `from` on and before `until`, UTC, milliseconds since 1970, of one work order or all. */
  figures(from: number, until: number, job: string | null): Promise<Figures>;
  /** The last review, and what one that is signed now would cover. */
  review(): Promise<Review>;
  /** Appends the review to the log; `read-only` where this window cannot. */
  signReview(reviewer: string, to: number, remark: string): Promise<ReviewLine>;
}

/** Every method rejects with a {@link Problem}. */
export interface Shell extends Archive {
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
