// The whole of a shift is done with these keys; none is needed for a good device.

export type Intent = "enter" | "lock" | "dismiss" | { slot: number } | { room: number };

/** Barcode scanners type faster than this, in milliseconds between two keys, and end with Enter. */
const SCANNER = 60;

/**
 * Reads keys. A key that repeats because it is held down, or that a scanner typed, means nothing. Slots have the
 * function keys, rooms a number with Ctrl: no barcode holds one.
 */
export function keyReader(): (event: KeyboardEvent) => Intent | undefined {
  let before = -Infinity;
  return (event) => {
    const hurried = event.timeStamp - before < SCANNER;
    before = event.timeStamp;
    if (event.repeat || event.altKey || event.metaKey) return undefined;
    if (event.ctrlKey) return controlled(event.key);
    if (event.key === "Enter") return hurried ? undefined : "enter";
    if (event.key === "Escape") return "dismiss";
    const slot = /^F([1-9]|1[0-2])$/.exec(event.key);
    return slot ? { slot: Number(slot[1]) } : undefined;
  };
}

function controlled(key: string): Intent | undefined {
  if (key.toLowerCase() === "l") return "lock";
  return /^[1-9]$/.test(key) ? { room: Number(key) } : undefined;
}
