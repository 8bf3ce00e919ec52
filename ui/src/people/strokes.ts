// Keys on their way to a PIN or a badge, before anything else of the page sees them.

import { wedge, type Stroke } from "./wedge";

/** A handler for the capturing phase of the window. What `take` takes goes no further. */
export function strokes(
  take: (stroke: Stroke, target: Element | undefined) => boolean,
): (event: KeyboardEvent) => void {
  const read = wedge();
  return (event) => {
    const stroke = read(event);
    const target = event.target instanceof Element ? event.target : undefined;
    if (!stroke || (stroke.kind !== "swallowed" && !take(stroke, target))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
}

export function isField(target: Element | undefined): boolean {
  return target?.matches("input, textarea") ?? false;
}

export function isButton(target: Element | undefined): boolean {
  return target?.matches("button, [type=checkbox], [type=radio]") ?? false;
}
