import { mount } from "svelte";

import "./style.css";
import App from "./App.svelte";
import { Rooms } from "./rooms.svelte";
import type { Shell } from "./shell";
import type { Store } from "./languages.svelte";
import { speaker, type Sound } from "./sound";

/** Opens the window's page on a shell. */
export function open(shell: Shell, sound: Sound = speaker(), store: Store = localStorage): Rooms {
  // The web view's own menu offers to reload and to go back; a station's page has nothing to go back to.
  document.addEventListener("contextmenu", (event) => {
    event.preventDefault();
  });
  const rooms = new Rooms(shell, sound, store);
  mount(App, { target: document.body, props: { rooms } });
  return rooms;
}
