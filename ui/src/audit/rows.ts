// The rows of a chart, and which of them there is room for.

import type { Cause } from "../bindings/Cause";
import type { SlotTally } from "../bindings/SlotTally";
import type { TallyLine } from "../bindings/TallyLine";
import { count } from "../text";
import { percent, seconds, yieldOf } from "../text/audit";
import { words } from "../words.svelte";

/** A line of a chart: its name, how far it reaches on the axis, and the same in words. */
export interface Row {
  name: string;
  value: number | undefined;
  text: string;
  /** The sum up to this row, in the same unit. */
  cumulative?: number;
}

/** Rows that can be read from a metre away. */
export const ROWS = 6;

/** Shares of all failures in percent, most frequent first; what there is no room for is one last row. */
export function pareto(causes: readonly Cause[]): Row[] {
  const all = causes.reduce((sum, cause) => sum + cause.count, 0);
  const cut = causes.length > ROWS ? ROWS - 1 : ROWS;
  const rest = causes.slice(cut);
  const shown = causes.slice(0, cut).map(({ code, count: times }) => ({ name: words.cause(code), times }));
  if (rest.length > 0)
    shown.push({
      name: words.audit.figures.otherCauses(rest.length),
      times: rest.reduce((sum, cause) => sum + cause.count, 0),
    });
  let sum = 0;
  return shown.map(({ name, times }) => {
    sum += times;
    const value = (100 * times) / all;
    return { name, value, text: `${count(times)} · ${percent(value, 0)}`, cumulative: (100 * sum) / all };
  });
}

/** Median seconds of a pass, the slowest slots where there are more than there is room for. */
export function cycles(slots: readonly SlotTally[]): Row[] {
  const timed = slots.filter(({ medianMs }) => medianMs !== null);
  // The part of the USB path is what stands on the bench; the rest of the name only tells two adapters of one place apart.
  const paths = slots.map(({ tally }) => tally.name.split("/")[0] ?? "");
  const told = paths.every((path, index) => path !== "" && paths.indexOf(path) === index);
  const slowest = [...timed].sort((a, b) => (b.medianMs ?? 0) - (a.medianMs ?? 0)).slice(0, ROWS);
  return timed
    .filter((slot) => slowest.includes(slot))
    .map(({ tally, medianMs }) => ({
      name: told ? (tally.name.split("/")[0] ?? "") : tally.name,
      value: (medianMs ?? 0) / 1000,
      text: seconds(medianMs),
    }));
}

/** Yield in percent, the lowest where there are more work orders than there is room for. */
export function yields(jobs: readonly TallyLine[]): Row[] {
  const known = jobs.filter((job) => yieldOf(job) !== undefined);
  const lowest = [...known].sort((a, b) => (yieldOf(a) ?? 0) - (yieldOf(b) ?? 0)).slice(0, ROWS);
  return lowest.map((job) => ({
    name: job.name === "" ? words.audit.figures.noJob : job.name,
    value: yieldOf(job),
    text: percent(yieldOf(job)),
  }));
}
