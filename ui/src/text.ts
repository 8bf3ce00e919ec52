// Every word of the window that does not come from the station, in one place.

import type { AnchorState } from "./bindings/AnchorState";
import type { RecordLine } from "./bindings/RecordLine";
import type { Room } from "./bindings/Room";
import type { Step } from "./bindings/Step";

/** The six steps of the flow, in its order: the word under the dot and the word while it runs. */
export const steps: readonly { step: Step; name: string; running: string }[] = [
  { step: "read", name: "Read", running: "Reading" },
  { step: "derive", name: "Derive", running: "Deriving" },
  { step: "write", name: "Write", running: "Writing" },
  { step: "restart", name: "Restart", running: "Restarting" },
  { step: "prove", name: "Prove", running: "Proving" },
  { step: "record", name: "Record", running: "Recording" },
];

/** The rooms, on the rail. */
export const rooms: Readonly<Record<Room, string>> = {
  line: "Line",
  audit: "Audit",
  keys: "Keys",
  people: "People",
};

/** A record that is no attempt, in words. */
export const events: Readonly<Record<string, string>> = {
  "log.genesis": "Log begun",
  "log.open": "Station started",
  "log.close": "Station stopped",
  "auth.unlock": "Vault unlocked",
  "auth.lock": "Vault locked",
  "auth.fail": "Passphrase refused",
  "auth.ok": "Signed in",
  "auth.refuse": "PIN refused",
  "auth.lockout": "Account locked: ten wrong PINs",
  "auth.away": "Session locked",
  "auth.logout": "Signed out",
  "policy.refuse": "Not allowed",
  "user.add": "Person added",
  "user.roles": "Roles changed",
  "user.disable": "Account disabled",
  "user.enable": "Account enabled",
  "user.cred": "PIN or badge changed",
  "space.low": "Disk getting full",
  "space.ok": "Room on the disk again",
  "clock.jump": "Clock was set",
  "clock.accept": "Time accepted by two people",
  "gk.import": "Group key imported",
  "gk.component": "Key component given",
  "gk.abort": "Key ceremony aborted",
  "gk.activate": "Group key activated",
  "gk.suspend": "Group key suspended",
  "gk.destroy": "Group key destroyed",
  "gk.recipient": "Transfer key made",
  "check.result": "Device checked",
  "cp.anchor": "Secured by a witness",
  "integrity.fail": "Another log of this name was found",
  "inject.intent": "About to write",
  "inject.refuse": "Not written",
  "review.signed": "Reviewed",
  "export.report": "Report made",
};

/** The class of a failure, in words. */
export const outcomes: Readonly<Record<string, string>> = {
  ok: "key proven",
  unplugged: "unplugged",
  timeout: "no answer",
  proto_error: "wrong answer",
  write_fail: "not stored",
  verify_mismatch: "not proven",
  swapped: "other device",
  refused: "refused",
  aborted: "stopped",
};

/** How far the log is secured outside of this machine: what the rules say. */
export const secured: Readonly<Record<AnchorState, string>> = {
  none: "Secured",
  fresh: "Secured",
  due: "Secured · witness due",
  overdue: "Secured · witness overdue, no new jobs",
};

/** What a record says, in words. An event that this window does not know is shown by its name. */
export function recordWords({ event, outcome, holds }: RecordLine): string {
  const because = outcomes[outcome] ?? outcome;
  switch (event) {
    case "inject.result":
      return outcome === "ok" ? "PASS" : `FAIL: ${because}`;
    case "inject.resolve":
      // Only what the device is known to hold closes its intent.
      if (holds !== "new" && holds !== "old") return `Still open: ${because}`;
      return outcome === "ok" ? "PASS, settled" : `Settled: ${because}`;
    default:
      return events[event] ?? event;
  }
}

/** `12 min ago`, from two times in milliseconds. */
export function age(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

const parts: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** Hours and minutes on the bench: no AM and PM to mistake. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString("en", parts);
}

/** When a record was made, in UTC, as `keystation audit show` has it. */
export function recordTime(time: number): string {
  return new Date(time).toLocaleTimeString("en", { ...parts, second: "2-digit", timeZone: "UTC" });
}

/** `5 127`, with a space that does not break. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}
