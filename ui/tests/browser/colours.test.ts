// PASS and FAIL stay apart for whoever sees no red or no green, and in grey print: measured on the pixels of the page.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Bench } from "./bench";
import { apart, seenAs, SIGHTS, type Colour } from "./sight";

/** CIE 1976 colour difference. Two patches side by side are told apart from about 2.3 on (Mahy 1994); this is from across a hall. */
const APART = 40;
/** From the empty slot beside it, which has no frame: PASS has a white one, FAIL a black one. */
const BESIDE = 10;

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

/** The colour that most pixels of this card have, as it was photographed. */
async function ground(page: Page, state: string): Promise<Colour> {
  const png = await page.locator(`[data-state=${state}]`).first().screenshot();
  const dark = await bench.blank();
  const colour = await dark.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const { width, height } = image;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      context?.drawImage(image, 0, 0);
      const { data } = context?.getImageData(0, 0, width, height) ?? { data: [] };
      const counts = new Map<number, number>();
      for (let at = 0; at < data.length; at += 4) {
        const key = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const [most] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), [0, 0]);
      return [most >> 16, (most >> 8) & 255, most & 255] as [number, number, number];
    },
    `data:image/png;base64,${png.toString("base64")}`,
  );
  await dark.close();
  return colour;
}

test.each(["light", "dark"] as const)(
  "PASS, FAIL and an empty slot are three colours to everybody, %s",
  async (theme) => {
    const page = await bench.show("four", theme);
    const pass = await ground(page, "pass");
    const fail = await ground(page, "fail");
    const empty = await ground(page, "waiting");
    expect([pass, fail]).toEqual([
      [0, 77, 64],
      [255, 138, 80],
    ]);
    for (const sight of SIGHTS) {
      const seen = { pass: seenAs(pass, sight), fail: seenAs(fail, sight), empty: seenAs(empty, sight) };
      const between = (one: Colour, other: Colour) => Math.round(apart(one, other));
      expect(between(seen.pass, seen.fail), `${sight}: PASS and FAIL`).toBeGreaterThanOrEqual(APART);
      expect(between(seen.pass, seen.empty), `${sight}: PASS and empty`).toBeGreaterThanOrEqual(BESIDE);
      expect(between(seen.fail, seen.empty), `${sight}: FAIL and empty`).toBeGreaterThanOrEqual(BESIDE);
    }
  },
);

test("the measure finds what cannot be told apart", () => {
  // The red and the green of a traffic light of a screen.
  const [red, green]: [Colour, Colour] = [
    [205, 92, 0],
    [115, 130, 0],
  ];
  expect(apart(red, green)).toBeGreaterThan(60);
  expect(apart(seenAs(red, "deuteranopia"), seenAs(green, "deuteranopia"))).toBeLessThan(APART);
  expect(apart([255, 255, 255], [0, 0, 0])).toBeCloseTo(100, 1);
  for (const sight of SIGHTS)
    for (const grey of [0, 128, 255])
      expect(apart(seenAs([grey, grey, grey], sight), [grey, grey, grey]), sight).toBeLessThan(1);
});
