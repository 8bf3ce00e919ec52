// The line: strip, slots, records, rail.

import type { AnchorState } from "../../bindings/AnchorState";
import type { Room } from "../../bindings/Room";
import type { Step } from "../../bindings/Step";
import { plurals } from "../plural";

const plural = plurals("en");

/** The six steps of the flow: the word under the dot and the word while it runs. */
const steps: Record<Step, { name: string; running: string }> = {
  read: { name: "Read", running: "Reading…" },
  derive: { name: "Derive", running: "Deriving…" },
  write: { name: "Write", running: "Writing…" },
  restart: { name: "Restart", running: "Restarting…" },
  prove: { name: "Prove", running: "Proving…" },
  record: { name: "Record", running: "Recording…" },
};

const rooms: Record<Room, string> = {
  line: "Line",
  orders: "Orders",
  repair: "Repair",
  audit: "Audit",
  keys: "Keys",
  people: "People",
};

/** How far the log is secured outside of this machine: what the rules say. */
const secured: Record<AnchorState, string> = {
  none: "Secured",
  fresh: "Secured",
  due: "Secured · witness due",
  overdue: "Secured · witness overdue, no new jobs",
};

/** Why a printer takes no label, or the outbox delivers no record: the words of the records. */
const why = {
  away: "it cannot be reached. Is it on?",
  "not-ready": "paper, ribbon, an open head, or a pause. Look at it.",
  cut: "the connection is cut again and again.",
  silent: "it does not answer. Is it on?",
  garbled: "what it answers is none of its answers.",
  disk: "the file or folder cannot be written.",
  tls: "it does not prove who it is.",
  busy: "it says that it is busy.",
  refused: "it refuses the record.",
  "other-record": "it has another record in this place.",
};

export const line = {
  steps,
  rooms,
  strip: {
    thisWindow: "This window",
    readOnly: "Read-only",
    locked: "Locked",
    signedIn: "Signed in",
    nobody: "nobody",
    devices: "Devices",
    counts: (done: string, failed: string) => `${done} done · ${failed} failed`,
    order: (passed: string, quantity: string, failed: string) =>
      `${passed} of ${quantity} · ${failed} failed`,
    complete: (order: string) => `${order} · complete`,
    profile: "Profile",
    key: "Key",
    keyVaultLocked: "Key · vault locked",
    noKey: "none",
    notInVault: "is not in the vault",
    log: "Log",
    unreadable: "Cannot be read: verify it",
    unwritable: "Cannot be written: stop",
    logged: "Logged",
    unsettled: (intents: string) => `Logged · ${intents} unsettled: plug in again`,
    more: (intents: string) => `and ${intents} more`,
    toRecord: (record: string) => `to record ${record}`,
    nothingYet: "nothing yet",
    secured,
    onlyHere: "not outside this machine",
    review: "Review",
    due: "is due",
    training: "Training",
    forNothing: "counts for nothing",
    handOver: "Hand over",
    lock: "Lock",
  },
  slots: {
    name: "Slots",
    none: "No slot is set up: add a [[slot]] section to station.toml and start again.",
    slot: (number: string) => `Slot ${number}`,
    locked: "Locked",
    signIn: "Sign in to go on",
    vaultLocked: "Vault locked",
    passphrase: "Enter the passphrase in its own window",
    unlock: "Press Enter to unlock",
    plugIn: "Plug in a device",
    scanLabel: "Scan the label",
    labelHere: "of the device for this slot",
    thenPlugIn: "then plug the device in",
    label: "Label",
    keepIn: "Keep the device plugged in",
    unplug: "Unplug the device",
    record: (record: string) => `record ${record}`,
    stopped: "Slot stopped",
    out: "Slot taken out",
    putBack: "Enter: put back",
    health: (yielded: string, again: string, lost: string, contacts: string) =>
      `Yield ${yielded} % · retried ${again} · contact lost ${lost} · contacts so far ${contacts}`,
    seen: "Enter: seen",
    signInToSee: "Sign in to say that it was seen",
  },
  shiftOf: (user: string, done: string, failed: string) =>
    `Shift of ${user}: ${done} done · ${failed} failed`,
  records: {
    title: "Last records",
    record: "Record",
    time: "Time (UTC)",
    what: "What",
    id: "Registration ID",
    operator: "Operator",
    fail: (because: string) => `FAIL: ${because}`,
    stillOpen: (because: string) => `Still open: ${because}`,
    settledPass: "PASS, settled",
    settled: (because: string) => `Settled: ${because}`,
  },
  after: {
    title: "Labels and delivery",
    labels: (n: number, shown: string, printer: string) =>
      plural(n, {
        one: `Printer ${printer}: ${shown} label waits`,
        other: `Printer ${printer}: ${shown} labels wait`,
      }),
    off: (printer: string, why: string) => `Printer ${printer} takes no label: ${why}`,
    records: (n: number, shown: string) =>
      plural(n, { one: `${shown} record waits for delivery`, other: `${shown} records wait for delivery` }),
    behind: (why: string) => `No record is delivered: ${why}`,
    stopped: "No record is delivered: the other side has records that this log does not have. Call QA.",
    gone: "Files of an older log are gone: what waits of it cannot be delivered. Call QA.",
    why,
  },
  rail: {
    name: "Rooms",
    reviewDue: "Review due",
    fails: (slots: string) => `${slots} FAIL`,
  },
  refused: {
    title: "The station does not work",
    // The page may have been loaded in the middle of a shift: what the slots did since is not known there.
    caution: "Ship no device whose PASS you have not seen.",
  },
  ago: {
    now: "just now",
    minutes: (n: number) => `${n} min ago`,
    hours: (n: number) => `${n} h ago`,
    days: (n: number) => plural(n, { one: `${n} day ago`, other: `${n} days ago` }),
  },
  language: "Language",
};
