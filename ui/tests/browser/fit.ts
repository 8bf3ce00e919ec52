// Whether what is said fits.

import type { Page } from "playwright-core";

/** Texts below `least` pixels, and boxes whose content does not fit. */
export function misfits(least: number): string[] {
  const found: string[] = [];
  // What stands in an area with a scroll bar can be reached; the area itself must be in sight.
  function scrolls(element: Element | null): boolean {
    if (!element || element === document.body) return false;
    return /auto|scroll/.test(getComputedStyle(element).overflowY) || scrolls(element.parentElement);
  }
  for (const element of document.querySelectorAll<HTMLElement>("body :not(svg, svg *, .unseen)")) {
    // Text as a person sees it takes a layout of its own: only what does not fit needs it.
    const name = () => `${element.tagName}.${element.className} "${element.innerText.slice(0, 40)}"`;
    const own = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
    );
    if (own && parseFloat(getComputedStyle(element).fontSize) < least) found.push(`too small: ${name()}`);
    if (
      element.scrollWidth > element.clientWidth + 1 &&
      element.matches("main, header, section, h2, p, dd, div, button")
    )
      found.push(`too wide: ${name()}`);
    if (!own || element.closest("table") || scrolls(element.parentElement)) continue;
    const text = element.getBoundingClientRect();
    if (text.width === 0) continue; // not shown on a small card
    const box = (element.closest("[data-slot]") ?? document.documentElement).getBoundingClientRect();
    if (text.left < box.left || text.right > box.right || text.top < box.top || text.bottom > box.bottom)
      found.push(`cut off: ${name()}`);
  }
  return found;
}

/** The grid of the slots follows in the next frame, and once more when a face came that was not needed before. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    if (document.fonts.status === "loaded") return;
    await document.fonts.ready;
    await frame();
    await frame();
  });
}
