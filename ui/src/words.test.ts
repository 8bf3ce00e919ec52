import { expect, test, vi } from "vitest";

import { columns } from "./grid";
import { groups, visible } from "./identifier";
import { age, clock, count, recordTime, recordWords } from "./text";

test("identifiers are shown in groups of four, and those with separators as they are", () => {
  expect(groups("A1B2C3D4E5")).toEqual(["A1B2", "C3D4", "E5"]);
  expect(groups("ABCD")).toEqual(["ABCD"]);
  expect(groups("007-888-abc")).toEqual(["007-888-abc"]);
  expect(groups("a1:b2:c3:d4:e5:f6")).toEqual(["a1:b2:c3:d4:e5:f6"]);
  for (const text of ["", "-", "12345678-123456789", "é€𝄞xyz12345"]) expect(groups(text).join("")).toBe(text);
});

test("a character that does not show stands as its number", () => {
  expect(visible("a\u202eb\u0000c\u200bd\u001b[2J\ud800\u2028")).toBe(
    "a[U+202E]b[U+0000]c[U+200B]d[U+001B][2J[U+D800][U+2028]",
  );
  expect(visible("Zürich 007-888-abc №5")).toBe("Zürich 007-888-abc №5");
  expect(visible("9".repeat(70_000))).toHaveLength(161);
});

test("slots fill the screen in whole rows where they can", () => {
  const wide = 1280 / 560;
  expect([1, 2, 4, 8, 16, 32, 64].map((slots) => columns(slots, wide))).toEqual([1, 2, 2, 4, 4, 8, 11]);
  expect(columns(4, 4)).toBe(4);
  expect(columns(2, 0.5)).toBe(1);
});

test("ages and counts are read at a glance", () => {
  const minutes = (n: number) => age(0, n * 60_000);
  expect([0, 1, 59, 60, 2879, 2880].map(minutes)).toEqual([
    "just now",
    "1 min ago",
    "59 min ago",
    "1 h ago",
    "47 h ago",
    "2 days ago",
  ]);
  expect([7, 5127, 1_024_331].map(count)).toEqual(["7", "5\u00a0127", "1\u00a0024\u00a0331"]);
});

test("a record has the time that the headless program says, wherever the bench is", () => {
  vi.stubEnv("TZ", "Asia/Tokyo");
  const time = Date.parse("2026-11-22T18:14:03.250Z");
  expect([clock(time), recordTime(time)]).toEqual(["03:14", "18:14:03"]);
  vi.unstubAllEnvs();
});

test("a record is said in words, an unknown one by its name", () => {
  const words = (event: string, outcome = "", holds = "") =>
    recordWords({ seq: 1, time: "", event, outcome, holds, id: "", operator: "" });
  expect(words("inject.result", "ok")).toBe("PASS");
  expect(words("inject.result", "verify_mismatch")).toBe("FAIL: not proven");
  expect(words("inject.resolve", "ok", "new")).toBe("PASS, settled");
  expect(words("inject.resolve", "aborted", "old")).toBe("Settled: stopped");
  expect(words("inject.resolve", "timeout", "unknown")).toBe("Still open: no answer");
  expect(words("inject.resolve", "timeout", "later")).toBe("Still open: no answer");
  expect(words("inject.result", "news")).toBe("FAIL: news");
  expect(words("later.event")).toBe("later.event");
});
