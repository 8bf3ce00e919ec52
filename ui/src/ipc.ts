// The only file that knows Tauri. One line a command; their names are in `src-tauri/build.rs`.

import { Channel, invoke } from "@tauri-apps/api/core";

import type { CardUpdate } from "./bindings/CardUpdate";
import type { ScanLine } from "./bindings/ScanLine";
import type { VerifyProgress } from "./bindings/VerifyProgress";
import type { Shell } from "./shell";

export const shell: Shell = {
  overview: () => invoke("overview"),
  recent: (count) => invoke("recent", { count }),
  watch: (onCard, onScan) =>
    invoke("watch", { channel: new Channel<CardUpdate>(onCard), scans: new Channel<ScanLine>(onScan) }),
  scan: (text) => invoke("scan", { text }),
  putBack: (slot) => invoke("put_back", { slot }),
  acknowledge: (slot) => invoke("acknowledge", { slot }),
  unlock: () => invoke("unlock"),
  lock: () => invoke("lock"),
  search: (text, before, limit) => invoke("search", { text, before, limit }),
  device: (id) => invoke("device", { id }),
  saveProof: (id) => invoke("save_proof", { id }),
  verify: (onProgress) => invoke("verify", { channel: new Channel<VerifyProgress>(onProgress) }),
  cancelVerify: () => invoke("cancel_verify"),
  figures: (from, until, job) => invoke("figures", { from, until, job }),
  denials: (before, limit) => invoke("denials", { before, limit }),
  review: () => invoke("review"),
  signReview: (reviewer, to, remark) => invoke("sign_review", { reviewer, to, remark }),
  checkPlaces: () => invoke("check_places"),
  checkDevice: (port, profile) => invoke("check_device", { port, profile }),
  shiftReport: () => invoke("shift_report"),
  saveShiftReport: () => invoke("save_shift_report"),
  signIn: (who, pin) => invoke("sign_in", { who, pin }),
  signOut: () => invoke("sign_out"),
  away: () => invoke("away"),
  touch: () => invoke("touch"),
  changePin: (old, pin) => invoke("change_pin", { old, pin }),
  beginPeople: (first, second) => invoke("begin_people", { first, second }),
  approve: (request, who, pin) => invoke("approve", { request, who, pin }),
  people: () => invoke("people"),
  addPerson: (person, approval) => invoke("add_person", { person, approval }),
  setRoles: (user, roles, approval) => invoke("set_roles", { user, roles, approval }),
  disablePerson: (user, reason, approval) => invoke("disable_person", { user, reason, approval }),
  enablePerson: (user, reason, approval) => invoke("enable_person", { user, reason, approval }),
  resetPin: (user, pin, approval) => invoke("reset_pin", { user, pin, approval }),
  setBadge: (user, badge, approval) => invoke("set_badge", { user, badge, approval }),
  setName: (user, name) => invoke("set_name", { user, name }),
  forgetName: (user) => invoke("forget_name", { user }),
  keys: () => invoke("keys"),
  custodies: () => invoke("custodies"),
  keyDevices: (label, after) => invoke("key_devices", { label, after }),
  activateKey: (label, reason, checkValue, approval) =>
    invoke("activate_key", { label, reason, checkValue, approval }),
  suspendKey: (label, reason) => invoke("suspend_key", { label, reason }),
  destroyKey: (label, reason, approval) => invoke("destroy_key", { label, reason, approval }),
  importKey: (key, checkValue, approval) => invoke("import_key", { key, checkValue, approval }),
  recipient: () => invoke("recipient"),
  takeTransfer: (key, checkValue, approval) => invoke("take_transfer", { key, checkValue, approval }),
  ceremony: () => invoke("ceremony"),
  ceremonyBegin: (key, checkValue) => invoke("ceremony_begin", { key, checkValue }),
  ceremonySignIn: (side, who, pin) => invoke("ceremony_sign_in", { side, who, pin }),
  ceremonyComponent: (side) => invoke("ceremony_component", { side }),
  ceremonyConfirm: (side, checkValue) => invoke("ceremony_confirm", { side, checkValue }),
  ceremonyFinish: (checkValue) => invoke("ceremony_finish", { checkValue }),
  ceremonyAbort: () => invoke("ceremony_abort"),
};
