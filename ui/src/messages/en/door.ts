// Sign-in, hand-over, lock, a PIN of one's own, first start. A remedy names a role, never a person.

import type { Role } from "../../bindings/Role";
import type { Soon } from "../../bindings/Soon";
import { plurals } from "../plural";

const plural = plurals("en");

const roles: Record<Role, string> = {
  operator: "Operator",
  repair: "Repair",
  supervisor: "Supervisor",
  custodian: "Custodian",
  qa: "QA",
  administrator: "Administrator",
};

/** What is about to happen to the session, and what helps. */
const ending: Record<Soon, { title: string; left: (seconds: number) => string }> = {
  idle: { title: "Touch, or press a key", left: (seconds) => `Locks in ${seconds} s` },
  hours: { title: "A touch does not help", left: (seconds) => `Session ends in ${seconds} s: hand over` },
};

export const door = {
  roles,
  ending,
  none: { title: "Sign in", help: "Scan your badge, or type your user ID." },
  away: { title: "Locked", help: "The same person or the next one: scan a badge, or type a user ID." },
  expired: { title: "Sign in again", help: "A session lasts 12 hours at most. Scan your badge." },
  handOver: { title: "Hand over", help: "Who takes over scans the badge. The line keeps running." },
  approve: { title: "Second person", help: "Another person scans the badge, or types the user ID." },
  atStation: "At the station",
  wasAtStation: "Was at the station",
  thisShift: (done: string, failed: string) => `This shift: ${done} done · ${failed} failed`,
  changeMyPin: "Change my PIN",
  signOut: "Sign out",
  cancel: "Cancel",
  back: "Back",
  entry: {
    scanned: "Badge read",
    pin: "Type your PIN",
    pinName: "PIN",
    noBadge: "That was no badge. Scan it again.",
    scanInPin: "That was the scanner. Type the PIN by hand.",
    checking: "Checking…",
    next: "Next",
    other: "Other person",
    id: "User ID",
    digits: "Digits",
    erase: "Erase",
    enter: "Enter",
    typed: (label: string, n: number) =>
      plural(n, { one: `${label}: ${n} digit typed`, other: `${label}: ${n} digits typed` }),
    scanBadge: "Scan the badge",
    forget: "Forget",
  },
  answer: {
    wrong: "Badge, user ID or PIN is wrong.",
    wait: "Too many wrong PINs.",
    lockedOut: "Ten wrong PINs: this account is locked.",
    lockedOutStep: "Two administrators give a new one-time PIN.",
    refused: "Not accepted.",
    triesLeft: (n: number) => plural(n, { one: `${n} try is left.`, other: `${n} tries are left.` }),
    waitMinutes: (n: number) => `Wait ${n} min`,
    waitSeconds: (n: number) => `Wait ${n} s`,
  },
  newPin: {
    first: "New PIN: 6 to 12 digits",
    again: "The same PIN again",
    differ: "The two were not the same. Begin again.",
    rule: "No run, no repeated digit, not your own number.",
    set: "PIN set",
    scanner: "That was the scanner. Type the PIN by hand.",
  },
  changing: {
    title: "Change PIN",
    must: "Your PIN is a one-time PIN. Choose one that only you know.",
    own: "Choose a PIN that only you know.",
    old: "Your PIN until now",
  },
  begin: {
    title: "First start",
    help: "This station has no account. Two people become its administrators, both here, each with a PIN of their own.",
    first: "First administrator",
    second: "Second administrator",
    deed: "Begin with these two administrators",
    nextPin: "Next: PIN",
    noBadgeYet: "No badge yet",
    change: "Change",
    later: "Comes next",
  },
  fields: {
    name: "Name, outside of the log",
    badge: "Scan the badge, or give one later",
  },
  training: (user: string, pin: string) => `Training. User ID ${user}, PIN ${pin}`,
  shift: {
    title: "Report of my shift",
    since: (time: string) => `since ${time}`,
    records: (first: string, last: string) => `records ${first} to ${last}`,
    devices: "Devices",
    passed: "PASS",
    failed: "FAIL",
    refused: "Refused",
    open: "Not settled",
    doNotShip: (devices: string) => `Do not ship: ${devices}. Nobody knows what they hold.`,
    unnamed: (times: string) => `Refused without saying who they are: ${times}`,
    settled: (passed: string, failed: string) => `Settled of others: ${passed} PASS · ${failed} FAIL`,
    details: "By work order, and why not",
    order: "Work order",
    noOrder: "none",
    attempts: "Attempts",
    again: "Again",
    why: "Why not",
    times: "Times",
    save: "Save, signed",
    saving: "Choose a folder in its own window",
    saved: "Saved:",
    back: "Back to the hand-over",
  },
  tones: { title: "Hear the three tones", call: "Call the supervisor" },
};
