// Ten million rows, of which a few hundred are in memory.

import { describe, expect, test } from "vitest";

import type { AttemptLine } from "../bindings/AttemptLine";
import type { SearchPage } from "../bindings/SearchPage";
import { FakeShell, station } from "../fake";
import { Found, PAGE } from "./found.svelte";
import { HEAD, Places, ROW } from "./places";

const sample = new FakeShell(station).archive.log.attempt(0);

/** A search over `total` rows, numbered downwards to 1. It counts what it gave, and can be held or fail. */
class Rows {
  asked: (number | null)[] = [];
  hold: Promise<void> = Promise.resolve();
  fails = false;
  total: number;

  constructor(total: number) {
    this.total = total;
  }

  async search(_text: string, before: number | null, limit: number): Promise<SearchPage> {
    this.asked.push(before);
    const { fails, total } = this;
    await this.hold;
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (fails) throw { code: "log-failed", sentence: "The log cannot be read.", remedy: [] };
    const newest = before === null ? total : before - 1;
    const count = Math.min(limit, newest);
    const rows = Array.from({ length: count }, (_, at): AttemptLine => ({ ...sample, seq: newest - at }));
    return { rows, more: newest > count };
  }
}

function found(total: number): { rows: Rows; found: Found } {
  const rows = new Rows(total);
  const archive = Object.assign(new FakeShell(station).archive, { search: rows.search.bind(rows) });
  const list = new Found(archive);
  list.room = 12;
  return { rows, found: list };
}

async function toTheEnd(list: Found): Promise<void> {
  while (list.more) await list.select(list.known - 1);
}

describe("the pages of a search", () => {
  test("follow one another without a gap or a row twice", async () => {
    const { found: list } = found(3 * PAGE + 7);
    await list.begin("");
    const seen: number[] = [];
    for (let row = 0; row < list.known; row++) {
      await list.select(row);
      seen.push(list.row(row)?.seq ?? -1);
    }
    expect(seen).toEqual(Array.from({ length: 3 * PAGE + 7 }, (_, at) => 3 * PAGE + 7 - at));
    expect(list.more).toBe(false);
  });

  test("are read before their rows are needed, and each once", async () => {
    const { rows, found: list } = found(10 * PAGE);
    await list.begin("");
    expect(rows.asked).toEqual([null]);
    await list.select(PAGE / 2);
    expect(rows.asked).toEqual([null, 9 * PAGE + 1]);
    await list.select(PAGE / 2 + 1);
    expect(rows.asked).toHaveLength(2);
  });

  test("are let go of when they are far away, and read again from the same row", async () => {
    const { rows, found: list } = found(30 * PAGE);
    await list.begin("");
    await toTheEnd(list);
    expect(list.known).toBe(30 * PAGE);
    const asked = rows.asked.length;
    expect(list.row(2 * PAGE)).toBeUndefined();
    await list.select(2 * PAGE);
    expect(list.row(2 * PAGE)?.seq).toBe(28 * PAGE);
    expect(rows.asked.length).toBeGreaterThan(asked);
    expect(list.known).toBe(30 * PAGE);
  });

  test("stay where they are when newer rows are made meanwhile", async () => {
    const { rows, found: list } = found(30 * PAGE);
    await list.begin("");
    await toTheEnd(list);
    rows.total += 50;
    await list.select(0);
    expect(list.row(0)?.seq).toBe(30 * PAGE);
    await list.select(PAGE);
    expect(list.row(PAGE)?.seq).toBe(29 * PAGE);
  });

  test("of an earlier search come too late", async () => {
    const { rows, found: list } = found(5);
    let release: () => void = () => undefined;
    rows.hold = new Promise((done) => (release = done));
    const earlier = list.begin("a");
    rows.hold = Promise.resolve();
    rows.total = 3;
    await list.begin("b");
    rows.total = 5;
    release();
    await earlier;
    expect(list.known).toBe(3);
    expect(list.searching).toBe(false);
  });

  test("that cannot be read are a problem, and are tried again", async () => {
    const { rows, found: list } = found(2 * PAGE);
    await list.begin("");
    rows.fails = true;
    await list.select(PAGE - 1);
    expect(list.problem?.code).toBe("log-failed");
    rows.fails = false;
    await list.select(PAGE - 1);
    expect(list.known).toBe(2 * PAGE);
    expect(list.problem).toBeUndefined();
  });

  test("keep the selection inside the list and in sight", async () => {
    const { found: list } = found(30);
    await list.begin("");
    await list.select(-5);
    expect([list.selected, list.first]).toEqual([0, 0]);
    await list.select(20);
    expect([list.selected, list.first]).toEqual([20, 9]);
    await list.select(99);
    expect([list.selected, list.first]).toEqual([29, 18]);
    await list.scroll(99);
    expect([list.selected, list.first]).toEqual([29, 18]);
  });
});

describe("the scroll bar", () => {
  const HEIGHT = 12 * ROW + HEAD + 17;

  test.each([0, 1, 12, 13, 5_000, 199_000, 250_000, 10_000_000])("reaches every end of %i rows", (known) => {
    const places = new Places(known, HEIGHT);
    const last = Math.max(0, known - 12);
    expect(places.room).toBe(12);
    expect(places.rowAt(0)).toBe(0);
    expect(places.rowAt(Math.max(0, places.length - HEIGHT))).toBe(last);
    expect(places.length).toBeLessThanOrEqual(8_000_000);
  });

  test.each([5_000, 10_000_000])("agrees with the row that a key went to, of %i rows", (known) => {
    const places = new Places(known, HEIGHT);
    for (const row of [0, 1, 2, 777, known / 2, known - 13, known - 12])
      expect(places.agrees(row, Math.round(places.offsetOf(row)))).toBe(true);
    expect(places.agrees(0, 300)).toBe(false);
  });
});
