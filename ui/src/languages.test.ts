// Which language is spoken, to whom, and that each has everything to say.

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { closeWindow, click, identify, openWindow, settle, text } from "./bench";
import { FakeShell, failing, nobody, station } from "./fake";
import { LANGUAGES, type Language } from "./messages/languages";
import type { Messages } from "./messages/words";
import { age, clock, count, decimal } from "./text";
import { words } from "./words.svelte";

const unlocked = { ...station, locked: false };
/** Every text of more than one word, without those that take a value. */
function sentences(messages: unknown): string[] {
  if (typeof messages === "string") return messages.includes(" ") ? [messages] : [];
  return typeof messages === "object" && messages !== null ? Object.values(messages).flatMap(sentences) : [];
}

const languages = Object.keys(LANGUAGES) as Language[];

beforeEach(() => {
  localStorage.clear();
});

afterEach(async () => {
  await closeWindow();
  words.speak("en");
});

describe("the language", () => {
  test("is chosen at the door, each named in itself, and the document says which it is", async () => {
    await openWindow(new FakeShell({ ...station, session: nobody }));
    for (const tag of languages) {
      await click(LANGUAGES[tag].name);
      expect(document.documentElement.lang).toBe(tag);
      expect(text()).toContain(LANGUAGES[tag].messages.door.none.help);
    }
  });

  test("is the station's for whoever comes, and each person's own after that", async () => {
    const shell = new FakeShell({ ...station, session: nobody }, "unlocked");
    await openWindow(shell);
    await click("Deutsch");
    await identify("KS:op-0117", "141421");
    expect(text()).toContain("Gerät einstecken");
    await shell.signOut();
    await closeWindow();
    // Another person reads Spanish; the next one finds that, the first one does not.
    await openWindow(new FakeShell({ ...station, session: nobody }, "unlocked"));
    expect(document.documentElement.lang).toBe("de");
    await click("Español");
    await closeWindow();
    await openWindow(new FakeShell({ ...station, session: nobody }, "unlocked"));
    expect(document.documentElement.lang).toBe("es");
    await identify("KS:op-0117", "141421");
    expect(document.documentElement.lang).toBe("de");
  });

  test("is the next person's when it is chosen at the hand-over, and comes back when nobody takes over", async () => {
    const rooms = await openWindow(new FakeShell(unlocked));
    rooms.session.handOver();
    await settle();
    await click("Tiếng Việt");
    expect(document.documentElement.lang).toBe("vi");
    await click("Hủy");
    expect(document.documentElement.lang).toBe("en");
  });
});

describe.each(languages)("in %s", (tag) => {
  test("a failure says what happened, whether the device is safe and what to do", async () => {
    localStorage.setItem("language", tag);
    const shell = new FakeShell(unlocked);
    await openWindow(shell);
    await shell.plug(1, failing);
    await settle();
    const { failures, safety } = LANGUAGES[tag].messages;
    for (const part of [
      "FAIL",
      failures["not-kept"].sentence,
      safety["not-keyed"],
      ...failures["not-kept"].remedy,
    ])
      expect(text()).toContain(part);
  });

  test("no message is empty, and no failure has more than three steps", () => {
    const messages: Messages = LANGUAGES[tag].messages;
    const { failures, problems, ...rest } = messages;
    for (const { sentence, remedy } of [...Object.values(failures), ...Object.values(problems ?? failures)]) {
      expect(sentence).toMatch(/[.。]$/u);
      expect(remedy.length).toBeLessThanOrEqual(3);
      expect(remedy.length).toBeGreaterThanOrEqual(1);
    }
    expect(JSON.stringify(rest)).not.toMatch(/:""/);
  });

  test("nothing was left in English", () => {
    const foreign = new Set(tag === "en" ? [] : sentences(LANGUAGES.en.messages));
    expect(sentences(LANGUAGES[tag].messages).filter((sentence) => foreign.has(sentence))).toEqual([]);
  });

  test("numbers have a space between groups, and the clock has 24 hours", () => {
    words.speak(tag);
    const time = new Date(2026, 10, 22, 15, 4).getTime();
    expect([count(1_024_331), clock(time)]).toEqual(["1\u00a0024\u00a0331", "15:04"]);
    expect(decimal(98.4, 1)).toBe(tag === "en" || tag === "zh-Hans" ? "98.4" : "98,4");
    expect(age(0, 720_000)).toMatch(/12/);
  });
});

test("a problem that the window does not know, and every problem in English, is said as the station says it", () => {
  const problem = { code: "disk", sentence: "/x cannot be written: no space left.", remedy: ["Check /x."] };
  expect(words.problem(problem)).toEqual({ sentence: problem.sentence, remedy: problem.remedy });
  words.speak("de");
  expect(words.problem(problem)).toMatchObject({
    sentence: "Es lässt sich nicht schreiben.",
    detail: problem.sentence,
  });
  expect(words.problem({ ...problem, code: "later" }).sentence).toBe(problem.sentence);
  expect(words.problem({ ...problem, code: "constructor" }).sentence).toBe(problem.sentence);
});
