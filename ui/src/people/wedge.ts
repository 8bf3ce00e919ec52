// A badge scanner is a keyboard: it types the badge faster than fingers can, and then Enter. What it typed must reach
// the page as a badge or not at all, wherever the focus is: never as a PIN, never as a command.

import { isModifier, SCANNER } from "../keyboard";

/** So many keys in a hurry before Enter are a scanner's; two can be a finger that slides. */
const SCAN = 3;
/** So many digits in a hurry are a scanner's, also when no Enter follows. */
export const SCANNED = 6;
/** Characters of a badge at most. */
const LONGEST = 128;

/** What a key was. */
export type Stroke =
  /** A character by hand, or so far only perhaps a scanner's: `run` of them came in a hurry, this one included. */
  | { kind: "character"; character: string; run: number }
  | { kind: "erase" }
  /** Enter by hand. */
  | { kind: "enter" }
  /**
   * The end of a scan. `badge` is `undefined` where no badge can be that: too long, or with control characters in it. `text` is
   * the first so many characters, with U+FFFD for each key that is no character.
   */
  | { kind: "scan"; badge: string | undefined; text: string };

/** Enter that is neither by hand nor the end of a scan: the second one of a scanner that sends CR and LF. It does nothing. */
export interface Swallowed {
  kind: "swallowed";
}

/** Stands for a key that is no character, in what was scanned. */
const NO_CHARACTER = "\uFFFD";

/** Tells a scanner from fingers. */
export function wedge(): (event: KeyboardEvent) => Stroke | Swallowed | undefined {
  let before = -Infinity;
  let run = "";
  let clean = true;
  return (event) => {
    const { key, timeStamp } = event;
    if (isModifier(key) || event.repeat) return undefined;
    const hurried = timeStamp - before < SCANNER;
    before = timeStamp;
    if (!hurried) {
      run = "";
      clean = true;
    }
    if (key === "Enter") {
      const scanned = run;
      const dirty = !clean;
      run = "";
      clean = true;
      if (!hurried) return { kind: "enter" };
      if (scanned.length < SCAN && !dirty) return { kind: "swallowed" };
      return { kind: "scan", badge: dirty || scanned.length > LONGEST ? undefined : scanned, text: scanned };
    }
    if (event.ctrlKey || event.altKey || event.metaKey || key.length !== 1) {
      // A key that is no character, in the middle of a scan or before it: that barcode is no badge.
      clean = false;
      if (run.length <= LONGEST) run += NO_CHARACTER;
      return key === "Backspace" && !hurried ? { kind: "erase" } : undefined;
    }
    // A barcode of four kilobytes is not kept, only known to be too long.
    if (run.length <= LONGEST) run += key;
    return { kind: "character", character: key, run: run.length };
  };
}
