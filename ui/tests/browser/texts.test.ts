// Five hundred texts that a browser would do something with, wherever the window shows what others said: they are text.

import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { places } from "../../src/scenes-text";
import { Bench } from "./bench";

const VECTORS = new URL("../../../tests/vectors/hostile.json", import.meta.url);

let bench: Bench;
let texts: string[];
/** What the page does beyond showing: requests, dialogs, complaints. */
let noise: string[] = [];

beforeAll(async () => {
  bench = await Bench.open();
  const { page } = bench;
  page.on("request", (request) => {
    // A face of the window's own that was not needed before.
    const own = URL.parse("/assets/", page.url())?.href;
    const face = request.resourceType() === "font" && own !== undefined && request.url().startsWith(own);
    if (!face) noise.push(request.url().slice(0, 200));
  });
  page.on("dialog", (dialog) => {
    noise.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("console", (message) => noise.push(message.text().slice(0, 200)));
  page.on("pageerror", (error) => noise.push(error.message.slice(0, 200)));
  const read = JSON.parse(await readFile(VECTORS, "utf8")) as [string, string, number][];
  texts = read.map(([kind, text, times]) =>
    // The escape of a surrogate stands for one that is alone, which JavaScript has and a JSON reader may refuse.
    kind === "surrogate" ? (JSON.parse(`"${text}"`) as string) : text.repeat(times),
  );
  expect(texts).toHaveLength(500);
});

afterAll(() => bench.close());

/** What stands on the page after a text: the kinds of its elements, what could act, and what a person sees. */
interface Seen {
  kinds: string[];
  acts: string[];
  hidden: string[];
  shown: boolean;
}

/** Says the texts one after the other, and looks at the page after each. */
async function saying(said: string[]): Promise<Seen[]> {
  const page = globalThis as unknown as { say: (text: string) => Promise<void> };
  const seen: Seen[] = [];
  // A task of its own comes after all that a text set going, as with a timer, which would wait for 4 ms each time.
  const { port1, port2 } = new MessageChannel();
  for (const text of said) {
    await page.say(text);
    await new Promise((done) => {
      port1.onmessage = done;
      port2.postMessage(undefined);
    });
    const elements = [...document.querySelectorAll("html, head *, body, body *")];
    const attributes = elements.flatMap((element) =>
      [...element.attributes].map((found) => [element, found] as const),
    );
    const shown = document.body.innerText;
    seen.push({
      kinds: [...new Set(elements.map((element) => element.tagName))].sort(),
      acts: attributes
        .filter(
          ([, { name, value }]) => /^on|^srcdoc$/i.test(name) || /^\s*(javascript|data|https?):/i.test(value),
        )
        .map(([element]) => element.outerHTML.slice(0, 200)),
      hidden:
        shown.match(
          // eslint-disable-next-line no-control-regex
          /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
        ) ?? [],
      shown: shown.replace(/\s/g, "").includes(text.slice(0, 20).replace(/\s/g, "")),
    });
  }
  return seen;
}

test.each(Object.keys(places))(
  "%s: five hundred texts are text",
  async (place) => {
    const page = await bench.place(place);
    noise = []; // What came until now opened the page.
    const title = await page.title();
    const [plain] = await page.evaluate(saying, ["SN-plain-text-12345"]);
    expect(plain?.shown, "it is where a text is seen").toBe(true);

    const seen = await page.evaluate(saying, texts);
    // What a page asks for comes a moment later.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
    const known = new Set(plain?.kinds);
    const foreign = seen.flatMap(({ kinds, acts, hidden }, index) => {
      const found = new Set([...kinds.filter((kind) => !known.has(kind)), ...acts, ...hidden]);
      return found.size > 0 ? [[texts[index]?.slice(0, 80), ...found]] : [];
    });
    expect(foreign).toEqual([]);
    expect(seen.filter(({ shown }) => shown).length, "most are seen as they are").toBeGreaterThan(200);
    expect(noise, "no script, no network, no complaint").toEqual([]);
    expect(await page.title()).toBe(title);
  },
  300_000,
);
