// The group keys: cards, import, ceremony, what dies with a key.

import type { Custody } from "../../bindings/Custody";
import type { KeyState } from "../../bindings/KeyState";
import type { NewKey } from "../../bindings/NewKey";
import { plurals } from "../plural";

const plural = plurals("en");

const custodies: Record<Custody, string> = {
  "sealed-file": "Sealed file",
  pkcs11: "PKCS#11 token",
  tpm: "TPM of this station",
};

const kept: Record<Custody, string> = {
  "sealed-file": "sealed on this disk",
  pkcs11: "never leaves the token",
  tpm: "never leaves this machine",
};

const states: Record<KeyState, string> = {
  imported: "Not active yet",
  active: "Active",
  suspended: "Suspended",
  destroyed: "Destroyed",
};

const means: Record<KeyState, string> = {
  imported: "No device is made with it before two custodians activate it.",
  active: "Devices are made with it.",
  suspended: "No device is made with it. It can be activated again.",
  destroyed: "It is gone from this station for good.",
};

const slots: Record<NewKey["slot"], string> = { primary: "Primary", secondary: "Secondary" };

export const keys = {
  views: { keys: "Keys", import: "Import", ceremony: "Ceremony", transfer: "Transfer file" },
  custodies,
  kept,
  states,
  means,
  slots,
  pages: "Pages",
  asking: "Enter the secret in its own window",
  unlock: "Unlock the vault",
  lock: "Lock the vault",
  grid: "Group keys",
  cards: "Cards",
  none: "No group key is in this station.",
  slotOf: (slot: string, group: string) => `${slot} key of ${group}`,
  scope: (scope: string) => `ID scope ${scope}`,
  carry: (n: number, shown: string) =>
    plural(n, { one: `${shown} device carries it`, other: `${shown} devices carry it` }),
  and: " and ",
  brought: {
    single: (by: string) => `One key, by ${by}`,
    ceremony: (by: string) => `Ceremony of ${by}`,
    transfer: (by: string) => `Transfer file, by ${by}`,
    other: (by: string) => `By ${by}`,
    unknown: "Not known",
  },
  fields: {
    label: "Label: the station’s name for it",
    group: "Enrollment group",
    scope: "ID scope",
    slot: "Slot in the enrollment group",
    custody: "Where it will lie",
    noCustody: "This station can keep no key: its settings name no custody that works.",
    checkValue: "Check value of the key",
    checkValueOfOwner: "Check value of the key, from the paper of its owner",
  },
  page: {
    title: "Group key",
    group: "Enrollment group",
    scopeAndSlot: "ID scope · slot",
    lies: "Lies in",
    came: (time: string) => `Came here · ${time} UTC`,
    bytes: (n: number) => `${n} bytes`,
    ids: "Registration IDs",
    more: "Show more",
    reason: "Reason, for the log",
    checkValue: "Check value, from the paper",
    label: "Type the label to confirm",
    custodian: "A custodian changes this key.",
    open: "Open the key",
  },
  changes: {
    activate: {
      name: "Activate",
      title: "Activate this key",
      says: "From then on devices of its profile are made with it. Type its check value from the paper of its owner: another one is refused.",
      ask: "Ask the second custodian",
    },
    suspend: {
      name: "Suspend",
      title: "Suspend this key",
      says: "No further device is made with it from now on. This is the emergency stop and takes no second person.",
      ask: "Suspend now",
    },
    destroy: {
      name: "Destroy",
      title: "Destroy this key",
      says: "The key is erased here and no device can be made with it again. Devices that carry it keep working until the portal's key is changed.",
      ask: "Ask the second custodian",
    },
  },
  dying: {
    title: "Which devices die if this key goes?",
    none: "No device carries it.",
    says: "When the portal no longer has this key, these devices cannot reach it any more:",
  },
  importing: {
    title: "One key from the portal",
    says: "The key is typed or scanned into a window of its own, never into this page. Two custodians are needed.",
    asking: "Enter the key in its own window",
    cancelled: "Nothing was imported: the window was closed without a key.",
    came: (label: string) => `${label} is in this station`,
    compare: "Compare this check value with the paper, then activate the key.",
    deed: "Ask the second custodian",
  },
  transfer: {
    title: "Transfer file",
    says: "The owner of the key seals it to this station. Nobody at the factory sees it.",
    steps: [
      "Send this address to the owner of the key, who compares it with you over another way.",
      "The owner makes the file as docs/vault-format.md, section 9, shows.",
      "Put the sealed file on this station as transfer/<label>.age in its data folder.",
    ],
    recipient: "Address of this station",
    deed: "Ask the second custodian",
  },
  ceremony: {
    title: "Key ceremony",
    begin: "Two custodians, a component each",
    says: "Both are here, each with the own paper. Nobody sees both components. Type the check value of the whole key, which stands on a further paper.",
    deed: "Begin the ceremony",
    left: "Left",
    right: "Right",
    next: { left: "Next: left", right: "Next: right" },
    custodian: "Custodian",
    covered: "The other custodian’s turn",
    turn: "Take the turn",
    give: "Give my component",
    asking: "Enter the component in its own window",
    cancelled: "The window was closed without a component.",
    typed: "Check value on my paper",
    compare: "Compare",
    agrees: "Agrees with the paper",
    result: "Both components agree with their papers. Type the check value of the key, from its own paper.",
    finish: "Put the key together",
    abort: "Abort the ceremony",
    aborted: "The ceremony was aborted",
    wiped: "What was given was wiped. There is no new key.",
    done: "The key is in this station",
    notActive: "It is not active yet: two custodians activate it on its page.",
    another: "Another ceremony",
    anew: "Begin anew",
  },
};
