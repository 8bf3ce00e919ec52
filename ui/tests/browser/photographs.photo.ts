// The pictures of docs/screen.md: `npm run photographs` makes all of them anew.

import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";

import { test } from "vitest";

import { Bench, BENCH, LARGE } from "./bench";

const FOLDER = new URL("../../../docs/screen/", import.meta.url).pathname;
const STATES = { 1: "one-slot", 8: "eight-slots", 32: "thirty-two-slots" } as const;
/** The room of repair, in states of `scenes-repair.ts`. */
const REPAIR = { repair: "repair-device", batch: "batch-running" } as const;
const LANGUAGES = ["en", "zh-Hans"] as const;
const THEMES = ["light", "dark"] as const;

/** The picture as WebP without loss, a third of a PNG. ImageMagick takes the pictures of the demo, too. */
function save(png: Buffer, file: string): void {
  const { status, stderr } = spawnSync("convert", ["png:-", "-define", "webp:lossless=true", file], {
    input: png,
  });
  if (status !== 0) throw new Error(`convert: ${stderr.toString()}`);
}

for (const [slots, state] of Object.entries(STATES)) {
  test(`${slots} slots`, async () => {
    const bench = await Bench.open();
    await mkdir(FOLDER, { recursive: true });
    for (const viewport of [BENCH, LARGE])
      for (const language of LANGUAGES)
        for (const theme of THEMES) {
          const page = await bench.still(state, language, theme, viewport);
          const name = `${slots}-${viewport.width}-${language}-${theme}.webp`;
          save(await page.screenshot(), `${FOLDER}${name}`);
        }
    await bench.close();
  });
}

test("repair", async () => {
  const bench = await Bench.open();
  for (const [name, state] of Object.entries(REPAIR))
    for (const theme of THEMES) {
      const page = await bench.still(state, "en", theme, BENCH);
      save(await page.screenshot(), `${FOLDER}${name}-${BENCH.width}-en-${theme}.webp`);
    }
  await bench.close();
});
