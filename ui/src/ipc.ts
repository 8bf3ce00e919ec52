// The only file that knows Tauri. One line a command; their names are in `src-tauri/build.rs`.

import { Channel, invoke } from "@tauri-apps/api/core";

import type { CardUpdate } from "./bindings/CardUpdate";
import type { Shell } from "./shell";

export const shell: Shell = {
  overview: () => invoke("overview"),
  recent: (count) => invoke("recent", { count }),
  watch: (onCard) => invoke("watch", { channel: new Channel<CardUpdate>(onCard) }),
  acknowledge: (slot) => invoke("acknowledge", { slot }),
  unlock: () => invoke("unlock"),
  lock: () => invoke("lock"),
};
