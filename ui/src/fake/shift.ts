// What a shift made, as the station would count it from its log: here every device has one attempt.

import type { Counts } from "../bindings/Counts";
import type { Overview } from "../bindings/Overview";
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

/** A shift in which everything happened, and an order of which the device says no name. */
export function longShift({ session, order }: Overview): ShiftReport {
  const devices = { all: 431, passed: 412, failed: 9, open: 2, refused: 8, doNotShip: 3, unnamed: 4 };
  const total: ShiftCount = {
    ...{ devices, attempts: 436, passed: 412, failed: 22, open: 2, retried: 13 },
    ...{ settledPassed: 2, settledFailed: 1 },
    failedBy: [
      { code: "not-kept", sentence: "The key was not kept over the restart.", count: 12 },
      { code: "unplugged", sentence: "The device was unplugged.", count: 10 },
    ],
    refusedBy: [
      { code: "wrong-label", sentence: "This is not the device whose label was scanned.", count: 12 },
    ],
  };
  const orders = [
    "",
    order?.id ?? "WO-44192",
    "WO-44193 for <b>Contoso</b>\u202e",
    "WO-44194",
    "WO-44195",
    "WO-44196",
  ];
  return {
    operator: session.user,
    began: Date.UTC(2026, 10, 21, 6, 2),
    first: 4012,
    last: 5124,
    total,
    orders: orders.map((order) => ({ order, count: total })),
  };
}
