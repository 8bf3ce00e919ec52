// Every state of the window in every language, accessible, with nothing cut off. A file of its own: files run beside one another.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { LANGUAGES } from "../../src/messages/languages";
import { scenes } from "../../src/scenes";
import { axe, barriers, Bench, BENCH, LARGE } from "./bench";
import { drawn, misfits } from "./fit";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

test.each(Object.keys(scenes))(
  "%s is accessible and fits in every language, and 40 percent longer",
  async (state) => {
    const page = await bench.show(state, "light");
    await page.evaluate(await axe());
    for (const size of [LARGE, BENCH]) {
      await page.setViewportSize(size);
      for (const language of [...Object.keys(LANGUAGES), "longer"]) {
        await speak(page, language);
        const wrong = await page.evaluate(misfits, 16);
        expect(wrong, `${language}, ${size.width} × ${size.height}`).toEqual([]);
        // English was looked at in states.test.ts.
        if (size === LARGE || language === "en" || language === "longer") continue;
        expect(await page.evaluate("document.documentElement.lang")).toBe(language);
        // Colours are the same in every language: both themes were looked at in English.
        expect(await barriers(page), language).toEqual([]);
      }
    }
  },
);

async function speak(page: Page, language: string): Promise<void> {
  await page.evaluate((detail) => dispatchEvent(new CustomEvent("language", { detail })), language);
  await drawn(page);
}
