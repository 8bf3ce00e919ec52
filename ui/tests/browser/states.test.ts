// Every state of the window, in a real browser under the window's own content security policy: accessible, legible
// from three metres, nothing cut off; in English. Photographs go to `screenshots/`.

import { mkdir } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { scenes } from "../../src/scenes";
import { axe, barriers, Bench, BENCH, LARGE, SIZES } from "./bench";
import { drawn, misfits } from "./fit";

const PHOTOGRAPHS = new URL("../../screenshots/", import.meta.url).pathname;

let bench: Bench;
const show = (...shown: Parameters<Bench["show"]>) => bench.show(...shown);

beforeAll(async () => {
  bench = await Bench.open();
  await mkdir(PHOTOGRAPHS, { recursive: true });
});

afterAll(() => bench.close());

test.each(Object.keys(scenes))("%s is accessible in both themes, and fits every screen", async (state) => {
  const page = await show(state, "dark");
  await page.evaluate(await axe());
  for (const theme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const size of [LARGE, BENCH]) {
      await page.setViewportSize(size);
      await page.screenshot({ path: `${PHOTOGRAPHS}${state}-${theme}-${size.width}.png` });
    }
    expect(await barriers(page), theme).toEqual([]);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await drawn(page);
      expect(await page.evaluate(misfits, 16), `${theme}, ${size.width} × ${size.height}`).toEqual([]);
    }
  }
});

test.each(["pass", "fail"])(
  "%s is a word of 72 px or more, in colours that survive grey print",
  async (state) => {
    for (const size of SIZES) {
      const page = await show(state, "light", size);
      const seen = await page.locator(`[data-state=${state}]`).evaluate((card) => {
        const word = card.querySelector("h2");
        if (!word) return undefined;
        const { fontSize, color } = getComputedStyle(word);
        return {
          word: word.innerText,
          size: parseFloat(fontSize),
          color,
          ground: getComputedStyle(card).backgroundColor,
        };
      });
      expect(seen?.word).toBe(state.toUpperCase());
      expect(seen?.size).toBeGreaterThanOrEqual(72);
      expect([seen?.ground, seen?.color]).toEqual(
        state === "pass" ? ["rgb(0, 77, 64)", "rgb(255, 255, 255)"] : ["rgb(255, 138, 80)", "rgb(0, 0, 0)"],
      );
    }
  },
);

test("the smallest card says which device it is, and whether it is safe", async () => {
  const page = await show("four", "light", { width: 1024, height: 768 });
  const card = page.locator("[data-state=remove]");
  expect(await card.innerText()).toContain("did not take the new key");
  expect(await card.innerText()).toContain("007-888-abd");
});

const HOSTILE = Object.keys(scenes).filter((name) => name.includes("hostile"));

test.each(HOSTILE)("%s: what a device sends is text", async (state) => {
  const page = await show(state, "light");
  expect(await page.title()).toBe("Keystation: all states");
  expect(await page.locator(":is(main, aside) :is(script, img, b, i)").count()).toBe(0);
  const text = (await page.locator("main, aside").allInnerTexts()).join();
  expect(text).toContain("[U+202E]");
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e]/);
});

test("a row is copied by Ctrl+C, and only where the table has the focus", async () => {
  const page = await show("audit-results", "light");
  const box = page.locator("[role=search] input");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const record = await page.locator("[aria-selected=true] td").first().innerText();
  await page.keyboard.press("Control+c");
  await page.keyboard.press("/");
  await page.keyboard.press("Control+v");
  const cells = (await box.inputValue()).split("\t");
  expect(cells).toHaveLength(15);
  expect(cells[0]).toBe(record.replace(/\D/g, ""));
  await box.fill("mark me");
  await box.selectText();
  await page.keyboard.press("Control+c");
  await box.fill("");
  await page.keyboard.press("Control+v");
  expect(await box.inputValue()).toBe("mark me");
});

test("wheel, scroll bar and keys move the same table", async () => {
  const page = await show("audit-results", "light");
  const view = page.locator(".view");
  const first = async () => Number((await page.locator("tbody td").first().innerText()).replace(/\D/g, ""));
  const top = await first();
  await view.hover();
  await page.mouse.wheel(0, 4000);
  await expect.poll(first).toBeLessThan(top - 150);
  const active = page.locator("table[role=grid]");
  expect(await active.getAttribute("aria-activedescendant"), "its row is not there").toBeNull();
  await view.evaluate((element) => {
    element.scrollTop = 0;
  });
  await expect.poll(first).toBe(top);
  await page.keyboard.press("ArrowDown");
  for (let turn = 0; turn < 3; turn++) await page.keyboard.press("End");
  await expect.poll(first).toBeLessThan(top - 300);
  const selected = page.locator("[aria-selected=true]");
  const inside = await selected.evaluate((row) => {
    const frame = row.closest(".view")?.getBoundingClientRect();
    const { top: above, bottom } = row.getBoundingClientRect();
    return frame !== undefined && above >= frame.top && bottom <= frame.bottom;
  });
  expect(inside).toBe(true);
  expect(await active.getAttribute("aria-activedescendant")).toBe(await selected.getAttribute("id"));
  await page.keyboard.press("Home");
  await expect.poll(first).toBe(top);
});

test("the operator's faces are used", async () => {
  const page = await show("pass", "light");
  const loaded = await page.evaluate(() =>
    [...document.fonts].filter((f) => f.status === "loaded").map((f) => f.family),
  );
  expect(loaded.join()).toMatch(/Hyperlegible Next.*Hyperlegible Mono|Hyperlegible Mono.*Hyperlegible Next/);
});
