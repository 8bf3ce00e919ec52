// What the tests of components share: a window on the fake, and the hands of a person in front of it.

import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, vi } from "vitest";

import App from "./App.svelte";
import type { FakeShell } from "./fake";
import { SCANNER } from "./keyboard";
import { Rooms } from "./rooms.svelte";
import type { Sound } from "./sound";

/** So long a person needs from one key to the next, in milliseconds; and so long a scanner needs. */
const BY_HAND = 1000;
const BY_SCANNER = 8;

let app: Record<string, unknown> | undefined;
let clock = 0;

/** Opens the window on `shell`. */
export async function openWindow(shell: FakeShell, sound: Sound = () => undefined): Promise<Rooms> {
  const rooms = new Rooms(shell, sound);
  app = mount(App, { target: document.body, props: { rooms } });
  await settle();
  return rooms;
}

export async function closeWindow(): Promise<void> {
  if (app) await unmount(app);
  app = undefined;
}

/** In each test of the file intervals, and the time of day if `also` says so, go on only where the test says; its window is closed in the end. */
export function inStillTime(...also: "Date"[]): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", ...also] });
  });
  afterEach(async () => {
    await closeWindow();
    vi.useRealTimers();
  });
}

/** Lets every promise that waits for nothing but its turn come to its end. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((done) => setTimeout(done, 0));
    flushSync();
  }
}

interface Press extends KeyboardEventInit {
  /** Milliseconds since the key before. */
  after?: number;
  target?: EventTarget;
}

/** Presses a key where the focus is, and waits until the window knows that it was no scanner. */
export async function press(key: string, how: Press = {}): Promise<void> {
  strike(key, how);
  const acts = key.length > 1 || how.ctrlKey === true;
  if (acts && !how.repeat) await new Promise((done) => setTimeout(done, SCANNER));
  await settle(1);
}

/** A character goes into a field, as in a browser. */
function strike(key: string, { after = BY_HAND, target, ...more }: Press): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  Object.defineProperty(event, "timeStamp", { value: (clock += after) });
  (target ?? document.activeElement ?? document.body).dispatchEvent(event);
  const field = document.activeElement;
  const plain = key.length === 1 && !event.ctrlKey && !event.defaultPrevented;
  if (plain && (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) {
    field.value += key;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  return event;
}

/** Keys as fast as a scanner types them. */
export function strokes(keys: (string | [string, KeyboardEventInit])[]): KeyboardEvent[] {
  return keys.map((stroke, at) => {
    const [key, how] = typeof stroke === "string" ? [stroke, {}] : stroke;
    return strike(key, { ...how, after: at === 0 ? BY_HAND : BY_SCANNER });
  });
}

/** Types by hand. */
export async function type(text: string): Promise<void> {
  for (const key of text) await press(key);
}

/** Scans a barcode: its characters faster than by hand, and Enter. */
export async function scan(text: string): Promise<void> {
  strokes([...text.split(""), "Enter"]);
  await settle();
}

/** The button of this name. */
export function button(name: string | RegExp): HTMLButtonElement {
  const named = (element: Element) =>
    element.getAttribute("aria-label") ?? element.textContent.replace(/\s+/g, " ").trim();
  const found = [...document.querySelectorAll("button")].find((element) =>
    typeof name === "string" ? named(element) === name : name.test(named(element)),
  );
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

export async function click(name: string | RegExp): Promise<void> {
  button(name).click();
  await settle();
}

/** The field under this label. */
export function field(label: string): HTMLInputElement | HTMLTextAreaElement {
  const found = [...document.querySelectorAll("label")]
    .find((element) => element.textContent.includes(label))
    ?.querySelector<HTMLInputElement>("input, textarea");
  if (!found) throw new Error(`no field ${label}`);
  return found;
}

/** Fills the field under this label. */
export async function fill(label: string, text: string): Promise<void> {
  const into = field(label);
  into.value = text;
  into.dispatchEvent(new Event("input", { bubbles: true }));
  await settle();
}

/** Takes a radio button or a box, by its text. */
export async function choose(label: string): Promise<void> {
  field(label).click();
  await settle();
}

/** Badge and PIN, as a person gives them. */
export async function identify(badge: string, pin: string): Promise<void> {
  await scan(badge);
  await type(pin);
  await press("Enter");
  await settle();
}

/** What the page says, with the line ends of its source as blanks. */
export function text(): string {
  return document.body.textContent.replace(/[ \n]+/g, " ");
}

export function states(): (string | undefined)[] {
  return [...document.querySelectorAll<HTMLElement>("[data-state]")].map((element) => element.dataset.state);
}

/** The strip on top. */
export function strip(): string {
  return document.querySelector("header")?.textContent.replace(/\s+/g, " ") ?? "";
}

/** What is said out loud. */
export function alert(): string {
  return document.querySelector("[role=alert]")?.textContent.replace(/\s+/g, " ") ?? "";
}

/** The word of the first slot. */
export function slot(): string | undefined {
  return document.querySelector("[data-slot] h2")?.textContent;
}

/** Lets time pass, for the station and for the page. */
export async function pass(milliseconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + milliseconds - 1000);
  // The page looks at its clocks once a second.
  await vi.advanceTimersByTimeAsync(1000);
  await settle();
}
