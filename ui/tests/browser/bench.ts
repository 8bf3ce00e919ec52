// A browser in front of the bundle with the fake.

import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";

import { chromium, type Browser, type Page } from "playwright-core";
import { expect } from "vitest";

import { serve } from "./server";

export const BENCH = { width: 1280, height: 800 };
export const LARGE = { width: 1920, height: 1080 };
export const SIZES = [BENCH, { width: 1024, height: 768 }, LARGE];

export type Theme = "light" | "dark";

/** The script that looks for barriers. */
export function axe(): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
}

/** What looks for barriers, beyond its default: only what is wrong is gathered and comes back, which takes a third of the time. */
const BARRIERS = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`;

/** Every barrier of the page, where {@link axe} was evaluated: the rule, and the elements that break it. */
export function barriers(page: Page): Promise<string[][]> {
  return page.evaluate<string[][]>(BARRIERS);
}

/**
 * A browser with one page, which goes from state to state. A page of its own for each is a window of the browser with all that
 * frames it: three times the work of the state itself.
 */
export class Bench {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #url: string;
  /** The page. */
  readonly page: Page;
  /** What the page complained of since it was opened on a state. */
  #complaints: string[] = [];

  private constructor(browser: Browser, server: Server, url: string, page: Page) {
    this.#browser = browser;
    this.#server = server;
    this.#url = url;
    this.page = page;
    page.on("console", (message) => this.#complaints.push(message.text()));
    page.on("pageerror", (error) => this.#complaints.push(error.message));
  }

  static async open(): Promise<Bench> {
    const { url, server } = await serve();
    // The tests' own machine may run them as root, which Chromium's sandbox refuses.
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", chromiumSandbox: false });
    const page = await browser.newPage({ timezoneId: "UTC" });
    // As the shell does with `freezePrototype`: a library that gives an object its own `constructor`, say, fails there.
    await page.addInitScript("Object.freeze(Object.prototype)");
    return new Bench(browser, server, url, page);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }

  /** The window in this state. What was shown before is gone. */
  show(state: string, theme: Theme, viewport = BENCH): Promise<Page> {
    return this.#open(`state=${state}`, theme, viewport);
  }

  /** The window at a place where texts can be said: `say` of the page. */
  place(place: string): Promise<Page> {
    return this.#open(`place=${place}`, "light", BENCH);
  }

  /** The window in this state and language, at a time that stands still from then on: the same picture each time. */
  async still(state: string, language: string, theme: Theme, viewport: typeof BENCH): Promise<Page> {
    await this.page.clock.setFixedTime(new Date("2026-11-24T14:02:00Z"));
    return this.#open(`state=${state}&language=${language}`, theme, viewport);
  }

  /** A page of our own, with nothing on it and no rules. */
  blank(): Promise<Page> {
    return this.#browser.newPage();
  }

  async #open(query: string, theme: Theme, viewport: typeof BENCH): Promise<Page> {
    const page = this.page;
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize(viewport);
    this.#complaints = [];
    await page.goto(`${this.#url}/states.html?${query}`);
    await page.locator("html[data-stands]").waitFor();
    await page.locator("[data-state]").first().waitFor();
    await page.evaluate("document.fonts.ready");
    expect(this.#complaints, "scripts, styles and fonts are all the window's own").toEqual([]);
    return page;
  }
}
