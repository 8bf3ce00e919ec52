// The only file that knows Tauri. One line a command; their names are in `src-tauri/build.rs`.

import { Channel, invoke } from "@tauri-apps/api/core";

import type { CardUpdate } from "./bindings/CardUpdate";
import type { VerifyProgress } from "./bindings/VerifyProgress";
import type { Shell } from "./shell";

export const shell: Shell = {
  overview: () => invoke("overview"),
  recent: (count) => invoke("recent", { count }),
  watch: (onCard) => invoke("watch", { channel: new Channel<CardUpdate>(onCard) }),
  acknowledge: (slot) => invoke("acknowledge", { slot }),
  unlock: () => invoke("unlock"),
  lock: () => invoke("lock"),
  search: (text, before, limit) => invoke("search", { text, before, limit }),
  device: (id) => invoke("device", { id }),
  saveProof: (id) => invoke("save_proof", { id }),
  verify: (onProgress) => invoke("verify", { channel: new Channel<VerifyProgress>(onProgress) }),
  cancelVerify: () => invoke("cancel_verify"),
  figures: (from, until, job) => invoke("figures", { from, until, job }),
  review: () => invoke("review"),
  signReview: (reviewer, to, remark) => invoke("sign_review", { reviewer, to, remark }),
};
