// Identifiers and other text that a device, a file or an operator brought in.

/** Characters that are shown as more than themselves, or not at all: control, format, surrogate, separators. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** More than any identifier of this program has (a registration ID has at most 128). */
const LIMIT = 160;

/**
 * The text as a person can trust it: a character that does not show, or that turns the others around, stands as its
 * number. Svelte makes text nodes of it; this is about the eyes.
 */
export function visible(text: string): string {
  const shown = text.replace(UNSEEN, (c) => `[U+${hex(c)}]`);
  return shown.length > LIMIT ? `${shown.slice(0, LIMIT)}…` : shown;
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/**
 * The text cut into groups of at most four, so that it can be compared with a label; what separators of its own
 * keep short stays whole. Joined, the groups are the text.
 */
export function groups(text: string): string[] {
  return text.split(/(?<=(?<![^-:._/ ])(?:[^-:._/ ]{4})+)(?=[^-:._/ ])/u);
}
