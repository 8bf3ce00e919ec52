// A language for tests: English, with every word 40 % longer. Nothing of it ships.

import type { Messages } from "./messages/words";

export function longer(messages: Messages): Messages {
  return stretched(messages) as Messages;
}

function stretched(value: unknown): unknown {
  if (typeof value === "string")
    return value.replace(/\p{L}{2,}/gu, (word) => word + word.slice(0, Math.ceil(word.length * 0.4)));
  if (typeof value === "function")
    return (...given: unknown[]) => stretched((value as (...given: unknown[]) => string)(...given));
  if (Array.isArray(value)) return value.map(stretched);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, message]) => [name, stretched(message)]));
  return value;
}
