// The whole of a shift is done with these keys; none is needed for a good device.

export type Intent = "enter" | "lock" | "dismiss" | { slot: number };

/** Barcode scanners type faster than this, in milliseconds between two keys, and end with Enter. */
const SCANNER = 60;

/**
 * Reads keys. A key that repeats because it is held down, or that a scanner typed, means nothing. Slots have the
 * function keys: no barcode holds one.
 */
export function keyReader(): (event: KeyboardEvent) => Intent | undefined {
  let before = -Infinity;
  return (event) => {
    const hurried = event.timeStamp - before < SCANNER;
    before = event.timeStamp;
    if (event.repeat || event.altKey || event.metaKey) return undefined;
    if (event.ctrlKey) return event.key.toLowerCase() === "l" ? "lock" : undefined;
    if (event.key === "Enter") return hurried ? undefined : "enter";
    if (event.key === "Escape") return "dismiss";
    const slot = /^F([1-9]|1[0-2])$/.exec(event.key);
    return slot ? { slot: Number(slot[1]) } : undefined;
  };
}
