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

/** The script that looks for barriers. */
export function axe(): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
}

export class Bench {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #url: string;

  private constructor(browser: Browser, server: Server, url: string) {
    this.#browser = browser;
    this.#server = server;
    this.#url = url;
  }

  static async open(): Promise<Bench> {
    const { url, server } = await serve();
    // The tests' own machine may run them as root, which Chromium's sandbox refuses.
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", chromiumSandbox: false });
    return new Bench(browser, server, url);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }

  /** The window in this state. */
  show(state: string, theme: "light" | "dark", viewport = BENCH): Promise<Page> {
    return this.#open(`state=${state}`, theme, viewport);
  }

  /** The window at a place where texts can be said: `say` of the page. */
  place(place: string): Promise<Page> {
    return this.#open(`place=${place}`, "light", BENCH);
  }

  /** A line of so many slots, all of them at work. */
  running(slots: number): Promise<Page> {
    return this.#open(`running=${slots}`, "light", LARGE);
  }

  /** The window in this state and language, at a time that stands still: the same picture each time. */
  still(state: string, language: string, theme: "light" | "dark", viewport: typeof BENCH): Promise<Page> {
    return this.#open(
      `state=${state}&language=${language}`,
      theme,
      viewport,
      new Date("2026-11-24T14:02:00Z"),
    );
  }

  /** A page of our own, with nothing on it and no rules. */
  blank(): Promise<Page> {
    return this.#browser.newPage();
  }

  async #open(query: string, theme: "light" | "dark", viewport: typeof BENCH, now?: Date): Promise<Page> {
    const page = await this.#browser.newPage({ colorScheme: theme, viewport, timezoneId: "UTC" });
    if (now) await page.clock.setFixedTime(now);
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    // As the shell does with `freezePrototype`: a library that gives an object its own `constructor`, say, fails there.
    await page.addInitScript("Object.freeze(Object.prototype)");
    // When the last key came, by the browser's own time stamp: before any handler of the page can keep it to itself.
    await page.addInitScript(() => {
      const keep = ({ timeStamp }: Event) => {
        document.documentElement.dataset.struck = String(timeStamp);
      };
      addEventListener("keydown", keep, { capture: true });
    });
    await page.goto(`${this.#url}/states.html?${query}`);
    await page.locator("html[data-stands]").waitFor();
    await page.locator("[data-state]").first().waitFor();
    await page.evaluate("document.fonts.ready");
    expect(complaints, "scripts, styles and fonts are all the window's own").toEqual([]);
    return page;
  }
}
