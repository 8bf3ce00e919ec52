import { expect, test } from "vitest";

import type { TallyLine } from "../bindings/TallyLine";
import { end, floor, percentOf, points, sum } from "./axis";
import { tabSeparated } from "./copy";
import { cycles, pareto, yields } from "./rows";
import { FakeShell, station } from "../fake";

const line = (name: string, passed: number, failed: number): TallyLine => ({
  name,
  passed,
  failed,
  refused: 0,
  open: 0,
});

test("days become weeks from Monday when there are too many, and nothing is lost by it", () => {
  const days = Array.from({ length: 140 }, (_, day) =>
    line(new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10), day, 1),
  );
  expect(points(days.slice(0, 100))).toEqual({ by: "day", lines: days.slice(0, 100) });
  const { by, lines } = points(days);
  expect(by).toBe("week");
  expect(lines.slice(0, 2).map(({ name }) => name)).toEqual(["2025-12-29", "2026-01-05"]);
  expect(sum(lines)).toEqual(sum(days));
});

test("an axis begins below the lowest yield", () => {
  expect([[99.2], [98, 99], [97.1], [91], [42], []].map(floor)).toEqual([98, 96, 96, 90, 0, 98]);
});

test("causes are shares that add up, and what there is no room for is one row", () => {
  const causes = [50, 20, 10, 8, 5, 4, 3].map((count, at) => ({ code: `code-${at}`, sentence: "", count }));
  const rows = pareto(causes);
  expect(rows.map(({ name, value }) => [name, value])).toEqual([
    ["Code 0", 50],
    ["Code 1", 20],
    ["Code 2", 10],
    ["Code 3", 8],
    ["Code 4", 5],
    ["2 other causes", 7],
  ]);
  expect(rows.map(({ cumulative }) => cumulative)).toEqual([50, 70, 80, 88, 93, 100]);
  expect(pareto(causes.slice(0, 6))).toHaveLength(6);
  expect(pareto([])).toEqual([]);
});

test("the slowest slots and the worst work orders are those that are seen", () => {
  const slots = Array.from({ length: 9 }, (_, at) => ({
    tally: line(`usb-1-${at}/0403:6001/FT${at}`, 1, 0),
    medianMs: at === 8 ? null : 1000 + 100 * at,
  }));
  expect(cycles(slots).map(({ name }) => name)).toEqual([2, 3, 4, 5, 6, 7].map((at) => `usb-1-${at}`));
  const twins = slots.slice(0, 2).map((slot) => ({ ...slot, tally: line(`usb-1/${slot.tally.name}`, 1, 0) }));
  expect(cycles(twins)[0]?.name).toBe("usb-1/usb-1-0/0403:6001/FT0");
  const jobs = Array.from({ length: 9 }, (_, at) => line(`WO-${at}`, 90 + at, 10));
  expect(yields([...jobs, line("", 1, 1), line("WO-none", 0, 0)]).map(({ name }) => name)).toEqual([
    "without work order",
    "WO-0",
    "WO-1",
    "WO-2",
    "WO-3",
    "WO-4",
  ]);
});

test("a copied cell is never calculated, and never begins a cell or a line of its own", () => {
  const row = new FakeShell(station).archive.log.attempt(0);
  const cells = (serial: string) => tabSeparated({ ...row, serial }).split("\t");
  for (const serial of ["=1", "+1", "-1", "@x", "|x", "%x", " =1", "＝1", "'x"])
    expect(cells(serial)[2]).toBe(`'${serial}`);
  expect(cells("007-888-abc")[2]).toBe("007-888-abc");
  expect(cells("a\tb\nc\r\u2028d")).toHaveLength(15);
  expect(cells("a\tb")[2]).toBe("a\ufffdb");
});

test("a place on an axis is percent of it, either way round, and the middle where there is one number", () => {
  expect([50, 75, 100].map(percentOf(50, 100))).toEqual([0, 50, 100]);
  expect([50, 75].map(percentOf(100, 50))).toEqual([100, 50]);
  expect(percentOf(3, 3)(3)).toBe(50);
  expect([3.1, 17, 40].map((greatest) => end(greatest, 4))).toEqual([4, 20, 40]);
});
