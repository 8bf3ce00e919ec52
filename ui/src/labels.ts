// A label scanner that is a keyboard, at the line. What it types reaches the station as one text, or as a text that can be no
// label: nothing of it is a command, wherever the focus is.

import { SCANNER } from "./keyboard";
import { isButton } from "./people/strokes";
import { wedge } from "./people/wedge";

/** Two codes that came without a pause: the station says of them what they are. */
const BOTH = "\n";

/**
 * Tells codes from fingers and gives them to `take`, once it is sure that no second one hangs on the first. Says of each key
 * whether it was the scanner's, so that it presses no button.
 */
export function labelReader(take: (text: string) => void): (event: KeyboardEvent) => boolean {
  const read = wedge();
  /** What was scanned and waits for the pause behind it. */
  let held: string | undefined;
  let last = -Infinity;
  let pause: ReturnType<typeof setTimeout> | undefined;

  function release(): void {
    clearTimeout(pause);
    if (held !== undefined) take(held);
    held = undefined;
  }

  return (event) => {
    if (event.repeat) return false;
    const hangsOn = held !== undefined && event.timeStamp - last < SCANNER;
    last = event.timeStamp;
    if (!hangsOn) release();
    const stroke = read(event);
    if (stroke?.kind === "scan") held = held === undefined ? stroke.text : held + BOTH + stroke.text;
    else if (stroke?.kind !== "swallowed" && held !== undefined && hangsOn && !held.includes(BOTH))
      held += BOTH;
    clearTimeout(pause);
    if (held !== undefined) pause = setTimeout(release, SCANNER);
    const target = event.target instanceof Element ? event.target : undefined;
    if (stroke?.kind === "scan" || stroke?.kind === "swallowed") return true;
    return stroke?.kind === "character" && stroke.run > 1 && isButton(target);
  };
}
