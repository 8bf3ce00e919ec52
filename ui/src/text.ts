// Records, times and numbers as the language of the window has them.

import type { RecordLine } from "./bindings/RecordLine";
import { LANGUAGES } from "./messages/languages";
import { words } from "./words.svelte";

/** What a record says, in words. An event that this window does not know is shown by its name. */
export function recordWords({ event, outcome, holds }: RecordLine): string {
  const because = words.outcome(outcome);
  const { records } = words.line;
  switch (event) {
    case "inject.result":
      return outcome === "ok" ? "PASS" : records.fail(because);
    case "inject.resolve":
      // Only what the device is known to hold closes its intent.
      if (holds !== "new" && holds !== "old") return records.stillOpen(because);
      return outcome === "ok" ? records.settledPass : records.settled(because);
    default:
      return words.event(event);
  }
}

/** `12 min ago`, from two times in milliseconds. */
export function age(then: number, now: number): string {
  const { ago } = words.line;
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return ago.now;
  if (minutes < 60) return ago.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? ago.hours(hours) : ago.days(Math.floor(hours / 24));
}

/** The tag that dates and numbers are formatted by. */
export function dates(): string {
  return LANGUAGES[words.language].dates;
}

const parts: Intl.DateTimeFormatOptions = {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  numberingSystem: "latn",
};

/** Hours and minutes on the bench: no AM and PM to mistake. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString(dates(), parts);
}

/** When a record was made, in UTC, as `keystation audit show` has it. */
export function recordTime(time: number): string {
  return new Date(time).toLocaleTimeString(dates(), { ...parts, second: "2-digit", timeZone: "UTC" });
}

/**
 * `5 127`, `98,4`: the sign before the decimals is that of the language, the groups have a space that does not break
 * in every language (ISO 80000-1). A comma or a point would mean the opposite to the next reader of the same screen.
 */
export function count(value: number): string {
  return decimal(value, 0);
}

/** Made once each: to make one takes longer than all else that a card needs. */
const formats = new Map<string, Intl.NumberFormat>();

function numbers(language: string, decimals: number): Intl.NumberFormat {
  const name = `${language} ${decimals}`;
  const made =
    formats.get(name) ??
    new Intl.NumberFormat(language, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      numberingSystem: "latn",
      useGrouping: "always",
    });
  formats.set(name, made);
  return made;
}

/** The same with so many decimals. */
export function decimal(value: number, decimals: number): string {
  return numbers(dates(), decimals)
    .formatToParts(value)
    .map(({ type, value: text }) => (type === "group" ? "\u00a0" : text))
    .join("");
}
