// A button that has the focus, and Enter or a blank. A barcode can begin with either, and end with more than one Enter.

import { isModifier, SCANNER } from "../keyboard";
import { isButton } from "./strokes";

export interface Presses {
  /** Every key, before anything else of the page takes it. */
  hear: (event: KeyboardEvent) => void;
  /** A key that nobody took: whether it was one for a button. The browser must not press it then. */
  take: (event: KeyboardEvent) => boolean;
}

/** Presses the button that has the focus once it is sure that no scanner did: when the key did not come in a hurry, and none follows. */
export function presses(): Presses {
  let before = -Infinity;
  let hurried = false;
  let due: (() => void) | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;
  return {
    hear(event) {
      if (isModifier(event.key) || event.repeat) return;
      hurried = event.timeStamp - before < SCANNER;
      before = event.timeStamp;
      clearTimeout(pause);
      // By hand, and the machine was too busy to press in between.
      if (!hurried) due?.();
      due = undefined;
    },
    take(event) {
      const { target, key } = event;
      if (event.ctrlKey || event.altKey || event.metaKey || !(target instanceof HTMLElement)) return false;
      // On a box Enter is for its form.
      if (!(key === "Enter" ? target.matches("button") : key === " " && isButton(target))) return false;
      // A key that is held down presses once.
      if (event.repeat || hurried) return true;
      due = () => {
        due = undefined;
        if (target.isConnected) target.click();
      };
      pause = setTimeout(due, SCANNER);
      return true;
    },
  };
}

/**
 * A click in the capturing phase: whether it is the further one of a double click, on something else than the first one hit. What
 * has taken the place of a button that did its work nobody has read by then.
 */
export function clicks(): (event: MouseEvent) => boolean {
  let first: Element | null = null;
  return ({ target, detail }) => {
    const hit = target instanceof Element ? (target.closest("label") ?? target.closest("button")) : null;
    // 0 is a click that a key or the page made.
    if (detail > 1) return hit !== null && hit !== first;
    if (detail === 1) first = hit;
    return false;
  };
}
