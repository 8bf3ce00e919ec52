// The whole of a shift is done with these keys; none is needed for a good device.

/**
 * What Enter, or the key of a slot, is for at the line. It is taken when the key goes down: what happens while it is not
 * sure yet that no scanner typed it is not what the person answered.
 */
export type Aim = { acknowledge: number } | { putBack: number } | "unlock" | "nothing";

/** A key that is aimed: Enter, or that of a slot. */
export type Aimed = "enter" | { slot: number };

export type Intent = "lock" | "hand-over" | "dismiss" | { aim: Aim } | { room: number };

/** Barcode scanners type faster than this, in milliseconds between two keys, and end with Enter. */
export const SCANNER = 40;

/** Keys that only change others, and so are pressed together with them. */
const MODIFIERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]);

export function isModifier(key: string): boolean {
  return MODIFIERS.has(key);
}

/**
 * Reads keys, and says what one would mean. A key that repeats because it is held down, or that a scanner typed, means nothing:
 * a barcode can hold control characters too. It can begin with one, so `act` is called only when no other key followed in a
 * hurry. Slots have the function keys, rooms a number with Ctrl. `aim` says what an aimed key is for now.
 */
export function keyReader(
  aim: (key: Aimed) => Aim,
  act: (intent: Intent) => void,
): (event: KeyboardEvent) => Intent | undefined {
  let before = -Infinity;
  let due: (() => void) | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;
  return (event) => {
    if (isModifier(event.key) || event.repeat) return undefined;
    const hurried = event.timeStamp - before < SCANNER;
    before = event.timeStamp;
    clearTimeout(pause);
    // By hand, and the machine was too busy to act in between.
    if (!hurried) due?.();
    due = undefined;
    const intent = hurried ? undefined : meant(event, aim);
    if (intent === undefined) return undefined;
    due = () => {
      due = undefined;
      act(intent);
    };
    pause = setTimeout(due, SCANNER);
    return intent;
  };
}

function meant(event: KeyboardEvent, aim: (key: Aimed) => Aim): Intent | undefined {
  if (event.altKey || event.metaKey) return undefined;
  if (event.ctrlKey) return controlled(event.key);
  if (event.key === "Enter") return { aim: aim("enter") };
  if (event.key === "Escape") return "dismiss";
  const slot = /^F([1-9]|1[0-2])$/.exec(event.key);
  return slot ? { aim: aim({ slot: Number(slot[1]) }) } : undefined;
}

function controlled(key: string): Intent | undefined {
  if (key.toLowerCase() === "l") return "lock";
  if (key.toLowerCase() === "h") return "hand-over";
  return /^[1-9]$/.test(key) ? { room: Number(key) } : undefined;
}
