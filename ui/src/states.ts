// `states.html?state=pass` is the window in that state; without one, all of them side by side. `language=de` sets the
// language; `language=longer` is English with every message 40 % longer.

import { longer } from "./longer";
import { isLanguage } from "./messages/languages";
import { open } from "./open";
import { scenes } from "./scenes";
import { places } from "./scenes-text";
import { words } from "./words.svelte";

const asked = new URLSearchParams(location.search);
const language = asked.get("language");
const place = places[asked.get("place") ?? ""]?.();
const name = asked.get("state");
const scene = name === null ? undefined : scenes[name];

if (scene) {
  const { shell, act } = await scene();
  if (language === "longer") words.through = longer;
  const store = { getItem: () => language, setItem: () => undefined };
  const rooms = open(shell, () => undefined, store);
  await rooms.line.start();
  await act?.(rooms);
  // So a test looks at the same state in one language after the other.
  addEventListener("language", (event) => {
    const { detail } = event as CustomEvent<string>;
    words.through = detail === "longer" ? longer : (messages) => messages;
    words.speak(isLanguage(detail) ? detail : "en");
  });
  // For whoever photographs.
  document.documentElement.dataset.stands = name ?? "";
} else if (place) {
  const rooms = open(place.shell, () => undefined);
  await rooms.line.start();
  Object.assign(globalThis, { say: (text: string) => place.say(rooms, text) });
  document.documentElement.dataset.stands = asked.get("place") ?? "";
} else {
  const { body } = document;
  body.style.cssText = "display: flex; flex-wrap: wrap; gap: 24px; padding: 24px; font-family: sans-serif";
  for (const state of Object.keys(scenes)) {
    const figure = document.createElement("figure");
    figure.style.cssText = "width: 640px; margin: 0";
    const frame = document.createElement("iframe");
    frame.src = `?state=${state}`;
    frame.title = state;
    frame.style.cssText = "width: 1280px; height: 800px; zoom: 0.5; border: 1px solid";
    const caption = document.createElement("figcaption");
    caption.textContent = state;
    figure.append(frame, caption);
    body.append(figure);
  }
}
