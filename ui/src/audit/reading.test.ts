// What QA reads beside the devices: refusals, accounts, keys; and that there is nothing to press there.

import { describe, expect, test, vi } from "vitest";

import { button, click, inStillTime, openWindow, settle, states, text } from "../bench";
import type { Overview } from "../bindings/Overview";
import { FakeShell, nobody, station } from "../fake";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

const big: Overview = { ...station, locked: false, records: 60_000 };
const reading: Overview = {
  ...big,
  rooms: ["audit", "keys", "people"],
  readOnly: true,
  operator: "",
  slots: [],
  key: null,
  session: nobody,
};

let rooms: Rooms;
let shell: FakeShell;

inStillTime();

async function open(overview: Overview): Promise<void> {
  shell = new FakeShell(overview);
  rooms = await openWindow(shell);
}

async function enter(room: "audit" | "keys" | "people"): Promise<void> {
  rooms.go(room);
  await settle();
}

/** What can be pressed in the room that is open. */
const deeds = () =>
  [...document.querySelectorAll("main button")].map((button) =>
    button.textContent.replace(/\s+/g, " ").trim(),
  );

describe("refusals", () => {
  const rows = () => document.querySelectorAll("tbody tr");

  test("say who asked for what, and why not, newest first, and older ones are fetched", async () => {
    await open(as("qa-0007", big));
    await click("Refusals");
    expect(rows()).toHaveLength(50);
    expect(rows()[1]?.textContent).toMatch(
      /op-0117.*Operator · Repair.*import a group key.*gk-2026c.*None of the person’s roles may.*role/s,
    );
    expect(rows()[2]?.textContent).toContain("nobody signed in");
    await click(/Show older than record/);
    await click(/Show older than record/);
    expect(rows()).toHaveLength(120);
    expect(() => button(/Show older/)).toThrow();
    const seen = [...rows()].map((row) => row.querySelector("td")?.textContent);
    expect(new Set(seen).size).toBe(120);
  });

  test("are counted on the review page, which leads to them", async () => {
    await open(as("qa-0007", big));
    await click("Review");
    expect(text()).toMatch(/15 times somebody asked for what is not permitted/);
    await click("Show refusals");
    expect(states()).toContain("denials");
  });

  test("that there are none is said", async () => {
    await open(as("qa-0007", big));
    shell.archive.denied = [];
    await click("Refusals");
    expect(text()).toContain("Nobody was refused anything.");
    await click("Review");
    expect(text()).toContain("0 times");
    expect(() => button("Show refusals")).toThrow();
  });

  test("that cannot be read are a problem with what to do", async () => {
    await open(as("qa-0007", big));
    const problem = { code: "log-unreadable", sentence: "The log cannot be read.", remedy: ["Call QA."] };
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    vi.spyOn(shell.archive, "denials").mockImplementation(() => Promise.reject(problem));
    await click("Refusals");
    expect(document.querySelector("[role=alert]")?.textContent).toContain("cannot be read");
  });
});

describe.each([
  ["QA", as("qa-0007", big)],
  ["a window that only reads", reading],
])("%s", (_, overview) => {
  test("sees accounts with roles, state and last change, and changes none", async () => {
    await open(overview);
    await enter("people");
    const row = [...document.querySelectorAll("tbody tr")].find((tr) => tr.textContent.includes("op-0098"));
    expect(row?.textContent).toMatch(/Operator.*Disabled.*6 Nov 2026/s);
    expect(deeds().filter((name) => name !== "Open")).toEqual([]);
    await click("Open op-0098");
    expect(text()).toMatch(/Last change: Account disabled by ad-0001 with ad-0002, 6 Nov 2026, .*record 24/);
    expect(deeds()).toEqual(["Back"]);
  });

  test("sees keys and the devices that die with one, and changes none", async () => {
    await open(overview);
    await enter("keys");
    expect(deeds()).toHaveLength(4);
    await click(/^gk-2026a/);
    expect(text()).toContain("1\u00a0842");
    expect(deeds()).toEqual(["Back", "Show more"]);
    expect(text()).toContain("A custodian changes this key.");
  });
});

test("a window that only reads says nothing of badges: it opens no credentials", async () => {
  await open(reading);
  await enter("people");
  await click("Open op-0117");
  expect(text()).not.toMatch(/Has a badge|No badge/);
});
