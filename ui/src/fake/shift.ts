// What a shift made, as the station would count it from its log: here every device has one attempt.

import type { Counts } from "../bindings/Counts";
import type { ShiftCount } from "../bindings/ShiftCount";
import type { ShiftReport } from "../bindings/ShiftReport";

export function shiftOf(
  operator: string,
  order: string,
  began: number,
  { done, failed }: Counts,
): ShiftReport {
  const all = done + failed;
  const total: ShiftCount = {
    devices: { all, passed: done, failed, open: 0, refused: 0, doNotShip: 0, unnamed: 0 },
    attempts: all,
    passed: done,
    failed,
    open: 0,
    retried: 0,
    settledPassed: 0,
    settledFailed: 0,
    failedBy: failed
      ? [{ code: "not-kept", sentence: "The key was not kept over the restart.", count: failed }]
      : [],
    refusedBy: [],
  };
  return { operator, began, first: 1, last: 1 + 2 * all, total, orders: [{ order, count: total }] };
}
