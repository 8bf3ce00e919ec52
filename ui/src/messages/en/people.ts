// Accounts, and what is approved by a second person. A remedy names a role, never a person.

import type { Asked } from "../../actions";
import type { Role } from "../../bindings/Role";
import { plurals } from "../plural";

const plural = plurals("en");

const may: Record<Role, string> = {
  operator: "makes devices on the line",
  repair: "looks into devices, makes them again",
  supervisor: "answers for a shift, stops a key",
  custodian: "brings group keys, activates and destroys them",
  qa: "checks, reads the log, signs reviews",
  administrator: "adds people, sets clock and log right",
};

/** What is approved: `who` or the label of the key, then what else is approved with it. */
const asked: Record<Asked, (subject: string, more: string) => string> = {
  "add-person": (user, roles) => `Add ${user} as ${roles}`,
  "set-roles": (user, roles) => `Let ${user} be ${roles}`,
  "disable-person": (user) => `Disable ${user}`,
  "enable-person": (user) => `Enable ${user}`,
  "reset-pin": (user) => `Give ${user} a one-time PIN`,
  "set-badge": (user) => `Give ${user} another badge, or none`,
  "import-key": (key, announced) => `Import group key ${key}: ${announced}`,
  "take-transfer": (key, announced) => `Import group key ${key} from its transfer file: ${announced}`,
  "activate-key": (key, checkValue) => `Activate group key ${key}, check value ${checkValue}`,
  "destroy-key": (key, checkValue) => `Destroy group key ${key}, check value ${checkValue}`,
  "raise-quota": (order, more) => `Allow ${more} devices under work order ${order}`,
};

export const people = {
  title: "People",
  may,
  asked,
  and: " and ",
  or: " or ",
  announced: (group: string, scope: string, slot: string, checkValue: string, custody: string) =>
    `group ${group}, ID scope ${scope}, ${slot.toLowerCase()}, check value ${checkValue}, into: ${custody}`,
  fetch: (roles: string) =>
    `Another ${roles.toLowerCase()} approves this here, with badge and PIN. It is good for one minute.`,
  reason: (text: string) => `Reason: ${text}`,
  qaAlone: "QA stands alone: who checks does not make.",
  administratorAlone: "An administrator makes no devices: alone, or with Custodian.",
  disabled: "Disabled",
  lockedOut: "Locked: ten wrong PINs",
  oneTimePin: "One-time PIN",
  few: "Fewer than three administrators are active: one who forgets the PIN can get no other. Make a third one now.",
  reading: "Two administrators change accounts, in the window of the station.",
  changed: (what: string, by: string, time: string, record: string) =>
    `Last change: ${what}${by === "" ? "" : ` by ${by}`}, ${time}, record ${record}`,
  with: " with ",
  count: (n: number, shown: string) => plural(n, { one: `${shown} person`, other: `${shown} people` }),
  add: "Add a person",
  everybody: "Everybody with an account",
  table: {
    user: "User ID",
    name: "Name",
    roles: "Roles",
    badge: "Badge",
    account: "Account",
    changed: "Last change",
    open: "Open",
    hasBadge: "yes",
    noBadge: "none",
  },
  openPerson: (user: string) => `Open ${user}`,
  oneTime: "One-time PIN: 6 to 12 digits",
  tellOnly: "Tell it to the person only. It must be changed at the first sign-in.",
  askSecond: "Ask the second administrator",
  nextOneTime: "Next: one-time PIN",
  person: {
    giveName: "Give a name",
    changeName: "Change the name",
    keepName: "Keep the name",
    eraseName: "Erase the name",
    nameSays:
      "The log has the ID only. The name is kept beside it and can be erased when its owner asks for that.",
    nameKept: "The name is kept, beside the log.",
    nameGone: "The name is erased here. Copies of names.db in backups, and printed reports, still have it.",
    title: "Person",
    changeRoles: "Change roles",
    newBadge: "New badge",
    giveBadge: "Give a badge",
    resetPin: "Reset PIN",
    hasBadge: "Has a badge",
    noBadge: "No badge",
    own: "This is you. Others change your account; your PIN you change under “Hand over”.",
    mayDisable: "A person who left, or whose badge is lost: nothing more can be done with this account.",
    mayEnable: "The account is as it was, with its PIN and badge.",
    disable: "Disable",
    enable: "Enable",
    tellOnly: "Tell it to the person only. A lock after ten wrong PINs ends.",
    scanNew: "Scan the new badge",
    withoutBadge: "No badge: sign in with the user ID",
    oldBadge: "The badge until now is no badge any more.",
    reason: "Reason, for the log",
    added: "Added.",
    done: "Done, and put down in the log.",
  },
};
