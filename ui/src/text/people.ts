// The words of sign-in, session and accounts. A remedy names a role, never a person.

import type { AccountChange } from "../bindings/AccountChange";
import type { Custody } from "../bindings/Custody";
import type { PersonLine } from "../bindings/PersonLine";
import { ROLE_SETS, ROLES } from "../bindings/Policy";
import type { Role } from "../bindings/Role";
import type { SignIn } from "../bindings/SignIn";
import type { Soon } from "../bindings/Soon";
import { actions, approvers } from "../actions";
import { visible } from "../identifier";
import { count, events } from "../text";
import { date } from "./audit";
import { custodies } from "./keys";

export const roles: Readonly<Record<Role, string>> = {
  operator: "Operator",
  repair: "Repair",
  supervisor: "Supervisor",
  custodian: "Custodian",
  qa: "QA",
  administrator: "Administrator",
};

export const may: Readonly<Record<Role, string>> = {
  operator: "makes devices on the line",
  repair: "looks into devices, makes them again",
  supervisor: "answers for a shift, stops a key",
  custodian: "brings group keys, activates and destroys them",
  qa: "checks, reads the log, signs reviews",
  administrator: "adds people, sets clock and log right",
};

export function roleWords(held: readonly Role[]): string {
  return held.map((role) => roles[role]).join(" · ");
}

/** Why these roles do not stand together; nothing where they do, or where there are none yet. */
export function together(held: readonly Role[]): string | undefined {
  if (held.length === 0 || ROLE_SETS.includes(ordered(held).join("+"))) return undefined;
  return held.includes("qa")
    ? "QA stands alone: who checks does not make."
    : "An administrator makes no devices: alone, or with Custodian.";
}

/** In the order in which the log has them: an approval is for that text. */
export function ordered(held: readonly Role[]): Role[] {
  return ROLES.filter((role) => held.includes(role));
}

export const door = {
  none: { title: "Sign in", help: "Scan your badge, or type your user ID." },
  away: { title: "Locked", help: "The same person or the next one: scan a badge, or type a user ID." },
  expired: { title: "Sign in again", help: "A session lasts 12 hours at most. Scan your badge." },
  handOver: { title: "Hand over", help: "Who takes over scans the badge. The line keeps running." },
  approve: { title: "Second person", help: "Another person scans the badge, or types the user ID." },
} as const;

/** What is about to happen to the session, and what helps. */
export const ending: Readonly<Record<Soon, { title: string; left: (seconds: number) => string }>> = {
  idle: { title: "Touch, or press a key", left: (seconds) => `Locks in ${seconds} s` },
  hours: {
    title: "A touch does not help",
    left: (seconds) => `Session ends in ${seconds} s: hand over`,
  },
};

export const entry = {
  scanned: "Badge read",
  pin: "Type your PIN",
  noBadge: "That was no badge. Scan it again.",
  scanInPin: "That was the scanner. Type the PIN by hand.",
  checking: "Checking…",
  next: "Next",
  other: "Other person",
  id: "User ID",
} as const;

/** What the station said to a PIN, in words: what happened, and what to do. */
export function answerWords({ outcome, triesLeft, problem }: SignIn): { sentence: string; steps: string[] } {
  const left =
    triesLeft === null ? [] : [triesLeft === 1 ? "1 try is left." : `${triesLeft} tries are left.`];
  switch (outcome) {
    case "wrong":
      return { sentence: "Badge, user ID or PIN is wrong.", steps: left };
    case "wait":
      return { sentence: "Too many wrong PINs.", steps: left };
    case "locked-out":
      return {
        sentence: "Ten wrong PINs: this account is locked.",
        steps: ["Two administrators give a new one-time PIN."],
      };
    default:
      return { sentence: problem?.sentence ?? "Not accepted.", steps: problem?.remedy ?? [] };
  }
}

/** How long to wait, read at a glance. */
export function waiting(seconds: number): string {
  return seconds > 90 ? `Wait ${Math.ceil(seconds / 60)} min` : `Wait ${seconds} s`;
}

export const newPin = {
  first: "New PIN: 6 to 12 digits",
  again: "The same PIN again",
  differ: "The two were not the same. Begin again.",
  rule: "No run, no repeated digit, not your own number.",
  set: "PIN set",
  scanner: "That was the scanner. Type the PIN by hand.",
} as const;

export const changing = {
  must: "Your PIN is a one-time PIN. Choose one that only you know.",
  own: "Choose a PIN that only you know.",
  old: "Your PIN until now",
} as const;

export const begin = {
  title: "First start",
  help: "This station has no account. Two people become its administrators, both here, each with a PIN of their own.",
  people: ["First administrator", "Second administrator"],
  deed: "Begin with these two administrators",
} as const;

/** What is wrong with an account, in a word; empty where nothing is. */
export function standing({ active, lockedOut, mustChangePin }: PersonLine): string {
  if (!active) return "Disabled";
  if (lockedOut) return "Locked: ten wrong PINs";
  return mustChangePin ? "One-time PIN" : "";
}

/** Where a PIN that is forgotten could be given to nobody any more. */
export const few =
  "Fewer than three administrators are active: one who forgets the PIN can get no other. Make a third one now.";

/** Of the name behind an ID. */
export const names = {
  says: "The log has the ID only. The name is kept beside it and can be erased when its owner asks for that.",
  kept: "The name is kept, beside the log.",
  gone: "The name is erased here. Copies of names.db in backups, and printed reports, still have it.",
  logged: "Done, and put down in the log.",
} as const;

/** To whom only looks. */
export const reading = "Two administrators change accounts, in the window of the station.";

/** What changed an account last, by whom, when. */
export function changedLast({ seq, time, event, operator, approver }: AccountChange): string {
  const by = [operator, approver].filter((user) => user !== "").map(visible);
  const what = events[event] ?? visible(event);
  return `Last change: ${what}${by.length > 0 ? ` by ${by.join(" with ")}` : ""}, ${date(time)}, record ${count(seq)}`;
}

/** What is approved, as a sentence to the second person. */
export function asked(action: string, subject: string): string {
  const [first = "", second = "", ...rest] = subject.split(" ");
  const wide = second.split("+").map((role) => roles[role as Role]);
  switch (action) {
    case actions.addPerson:
      return `Add ${first} as ${wide.join(" and ")}`;
    case actions.setRoles:
      return `Let ${first} be ${wide.join(" and ")}`;
    case actions.disablePerson:
      return `Disable ${first}`;
    case actions.enablePerson:
      return `Enable ${first}`;
    case actions.resetPin:
      return `Give ${first} a one-time PIN`;
    case actions.setBadge:
      return `Give ${first} another badge, or none`;
    case actions.importKey:
      return `Import group key ${first}: ${announced(second, rest)}`;
    case actions.takeTransfer:
      return `Import group key ${first} from its transfer file: ${announced(second, rest)}`;
    case actions.activateKey:
      return `Activate group key ${first}, check value ${second}`;
    default:
      return `Destroy group key ${first}, check value ${second}`;
  }
}

/** What a key that is to come in is said to be: all that is approved with it. */
function announced(group: string, [scope = "", slot = "", checkValue = "", custody = ""]: string[]): string {
  const place = custodies[custody as Custody];
  return `group ${group}, ID scope ${scope}, ${slot}, check value ${checkValue}, into: ${place}`;
}

/** Who has to come. */
export function fetch(action: string): string {
  const who = approvers(action).map((role) => roles[role].toLowerCase());
  return `Another ${who.join(" or ")} approves this here, with badge and PIN. It is good for one minute.`;
}
