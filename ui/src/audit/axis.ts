// What the charts show of the figures: how many days a point stands for, and where an axis begins.

import { nice } from "d3-array";

import type { TallyLine } from "../bindings/TallyLine";

/** More points than this are not told apart. */
const POINTS = 100;
const WEEK = 7;
const DAY = 86_400_000;

/** Days, added up to weeks where there are too many to be told apart. */
export function points(days: readonly TallyLine[]): { by: "day" | "week"; lines: TallyLine[] } {
  if (days.length <= POINTS) return { by: "day", lines: [...days] };
  const weeks = new Map<string, TallyLine>();
  for (const day of days) {
    const monday = mondayOf(day.name);
    weeks.set(monday, sum([weeks.get(monday) ?? empty(monday), day], monday));
  }
  return { by: "week", lines: [...weeks.values()] };
}

/** The Monday of the week of a day such as `2026-11-22`. */
function mondayOf(day: string): string {
  const time = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time)) return day;
  const since = (new Date(time).getUTCDay() + WEEK - 1) % WEEK;
  return new Date(time - since * DAY).toISOString().slice(0, 10);
}

export function sum(lines: readonly TallyLine[], name = ""): TallyLine {
  const total = empty(name);
  for (const { passed, failed, refused, open } of lines) {
    total.passed += passed;
    total.failed += failed;
    total.refused += refused;
    total.open += open;
  }
  return total;
}

function empty(name: string): TallyLine {
  return { name, passed: 0, failed: 0, refused: 0, open: 0 };
}

/** Where an axis of percent begins, so that yields which are all good can be told apart. */
export function floor(percents: readonly number[]): number {
  const least = Math.min(100, ...percents);
  return [98, 96, 90, 80, 50].find((start) => start < least) ?? 0;
}

/** Maps the numbers from `from` to `to` to percent of a length. Of one number alone, to its middle. */
export function percentOf(from: number, to: number): (value: number) => number {
  return (value) => (to === from ? 50 : (100 * (value - from)) / (to - from));
}

/** Where an axis that begins at 0 ends, so that a tick is there. */
export function end(greatest: number, ticks: number): number {
  return nice(0, greatest, ticks)[1];
}
