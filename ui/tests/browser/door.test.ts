// Hands in gloves, a keyboard and a scanner, in a real browser.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Bench, SIZES } from "./bench";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

/** So long a person needs from one key to the next, in milliseconds. */
const BY_HAND = 90;

/** A scanner: no pause between two keys, however busy this machine is. */
function scan(page: Page, text: string): Promise<void> {
  return page.evaluate((keys) => {
    for (const key of [...keys.split(""), "Enter"]) {
      const target = document.activeElement ?? document.body;
      target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }
  }, text);
}

test.each([
  "sign-in-pin",
  "hand-over-pin",
  "approval-pin",
  "ceremony-right",
  "change-pin",
  "first-start-pin",
])("%s: keys of 20 mm, and 8 mm between two, on every screen", async (state) => {
  for (const size of SIZES) {
    const page = await bench.show(state, "light", size);
    const boxes = await page.locator(".pad button").evaluateAll((keys) =>
      keys.map((key) => {
        const { left, right, top, bottom } = key.getBoundingClientRect();
        return { left, right, top, bottom };
      }),
    );
    expect(boxes).toHaveLength(12);
    for (const box of boxes) {
      expect(box.right - box.left).toBeGreaterThanOrEqual(76);
      expect(box.bottom - box.top).toBeGreaterThanOrEqual(76);
      expect(box.top, `in sight on ${size.width}`).toBeGreaterThanOrEqual(0);
      expect(box.bottom, `in sight on ${size.width}`).toBeLessThanOrEqual(size.height);
      for (const other of boxes) {
        if (other === box) continue;
        const across = Math.max(other.left - box.right, box.left - other.right);
        const down = Math.max(other.top - box.bottom, box.top - other.bottom);
        expect(Math.max(across, down)).toBeGreaterThanOrEqual(30);
      }
    }
  }
});

test("badge, six digits and Enter sign in, on a keyboard, and the page never holds the PIN", async () => {
  const page = await bench.show("sign-in", "light");
  await scan(page, "KS:op-0121");
  await page.locator("[data-stage=pin]").waitFor();
  await page.keyboard.type("356237", { delay: BY_HAND });
  expect(await page.content()).not.toMatch(/3562|KS:op/);
  await page.waitForTimeout(BY_HAND);
  await page.keyboard.press("Enter");
  await page.locator("header").getByText("op-0121").waitFor();
  expect(await page.content()).not.toContain("356237");
});

test("a scan in the middle of the PIN is no PIN", async () => {
  const page = await bench.show("sign-in-pin", "light");
  await scan(page, "141421");
  expect(await page.locator("[role=alert]").innerText()).toContain("by hand");
  expect(await page.locator("[data-digits]").getAttribute("data-digits")).toBe("0");
});

test("a key that was touched does not take the focus: Enter ends the PIN", async () => {
  const page = await bench.show("sign-in", "light");
  await page.keyboard.type("op-0121", { delay: BY_HAND });
  await page.waitForTimeout(BY_HAND);
  await page.keyboard.press("Enter");
  for (const digit of "356237") await page.getByRole("button", { name: digit, exact: true }).click();
  await page.waitForTimeout(BY_HAND);
  await page.keyboard.press("Enter");
  await page.locator("header").getByText("op-0121").waitFor();
});

test.each(["keys", "key-destroy", "import", "people", "person", "add-person", "hand-over", "first-start"])(
  "%s is walked through by Tab, and what has the focus shows it",
  async (state) => {
    const page = await bench.show(state, "light");
    const seen = new Set<string>();
    for (let turn = 0; turn < 60; turn++) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return undefined;
        // A box that is drawn by its label shows the focus there.
        const shown = element.matches(".choice input") ? element.nextElementSibling : element;
        const { outlineStyle, outlineWidth } = getComputedStyle(shown ?? element);
        const all = [...document.querySelectorAll("button, input, textarea, [tabindex='0']")];
        return {
          at: String(all.indexOf(element)),
          ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 3,
        };
      });
      // Past the last one, before the first.
      if (!here) continue;
      expect(here.ring, `element ${here.at}`).toBe(true);
      seen.add(here.at);
    }
    const reachable = await page
      .locator("button:not(:disabled, [tabindex='-1']), input:not([type=radio])")
      .count();
    expect(seen.size).toBeGreaterThanOrEqual(reachable);
  },
);

test("what is done with gloves is 20 mm high", async () => {
  for (const state of ["person", "key-destroy", "approval-person", "ceremony-components", "hand-over"]) {
    const page = await bench.show(state, "light", { width: 1024, height: 768 });
    const heights = await page
      .locator(".deed, header button")
      .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height));
    expect(heights.length).toBeGreaterThan(2);
    for (const height of heights) expect(height).toBeGreaterThanOrEqual(76);
  }
});

test("Enter and a blank press a button as they always did, once it is sure that no scanner typed them", async () => {
  for (const key of ["Enter", "Space"]) {
    const page = await bench.show("order-waiting-operator", "light");
    const first = page.getByRole("button", { name: "Open this work order" });
    await first.evaluate((button) => {
      button.addEventListener("click", () => {
        document.body.dataset.clicks = `${document.body.dataset.clicks ?? ""}x`;
      });
    });
    await first.focus();
    await page.keyboard.press(key);
    await page.locator("[data-state=order-open]").waitFor();
    expect(await page.locator("body").getAttribute("data-clicks"), key).toBe("x");
  }
});
