// The words of the keys room.

import type { Custody } from "../bindings/Custody";
import type { KeyCard } from "../bindings/KeyCard";
import type { KeyState } from "../bindings/KeyState";
import type { NewKey } from "../bindings/NewKey";

export const views = {
  keys: "Keys",
  import: "Import",
  ceremony: "Ceremony",
  transfer: "Transfer file",
} as const;

export const custodies: Readonly<Record<Custody, string>> = {
  "sealed-file": "Sealed file",
  pkcs11: "PKCS#11 token",
  tpm: "TPM of this station",
};

export const kept: Readonly<Record<Custody, string>> = {
  "sealed-file": "sealed on this disk",
  pkcs11: "never leaves the token",
  tpm: "never leaves this machine",
};

export const states: Readonly<Record<KeyState, string>> = {
  imported: "Not active yet",
  active: "Active",
  suspended: "Suspended",
  destroyed: "Destroyed",
};

export const means: Readonly<Record<KeyState, string>> = {
  imported: "No device is made with it before two custodians activate it.",
  active: "Devices are made with it.",
  suspended: "No device is made with it. It can be activated again.",
  destroyed: "It is gone from this station for good.",
};

export const slots: Readonly<Record<NewKey["slot"], string>> = { primary: "Primary", secondary: "Secondary" };

/** How a key came here, and by whom. */
export function brought({ how, importedBy, approver }: KeyCard): string {
  const by = approver === "" ? importedBy : `${importedBy} and ${approver}`;
  switch (how) {
    case "single":
      return `One key, by ${by}`;
    case "ceremony":
      return `Ceremony of ${by}`;
    case "transfer":
      return `Transfer file, by ${by}`;
    default:
      return by === "" ? "Not known" : `By ${by}`;
  }
}

export const changes = {
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
} as const;

export const dying = {
  title: "Which devices die if this key goes?",
  none: "No device carries it.",
  says: "When the portal no longer has this key, these devices cannot reach it any more:",
} as const;

export const importing = {
  title: "One key from the portal",
  says: "The key is typed or scanned into a window of its own, never into this page. Two custodians are needed.",
  asking: "Enter the key in its own window",
  cancelled: "Nothing was imported: the window was closed without a key.",
  compare: "Compare this check value with the paper, then activate the key.",
  deed: "Ask the second custodian",
} as const;

export const transfer = {
  title: "Transfer file",
  says: "The owner of the key seals it to this station. Nobody at the factory sees it.",
  steps: [
    "Send this address to the owner of the key, who compares it with you over another way.",
    "The owner makes the file as docs/vault-format.md, section 9, shows.",
    "Put the sealed file on this station as transfer/<label>.age in its data folder.",
  ],
  recipient: "Address of this station",
  deed: "Ask the second custodian",
} as const;

export const ceremony = {
  begin: "Two custodians, a component each",
  says: "Both are here, each with the own paper. Nobody sees both components. Type the check value of the whole key, which stands on a further paper.",
  deed: "Begin the ceremony",
  sides: ["Left", "Right"],
  covered: "The other custodian’s turn",
  turn: "Take the turn",
  give: "Give my component",
  asking: "Enter the component in its own window",
  cancelled: "The window was closed without a component.",
  typed: "Check value on my paper",
  agrees: "Agrees with the paper",
  result: "Both components agree with their papers. Type the check value of the key, from its own paper.",
  finish: "Put the key together",
  abort: "Abort the ceremony",
  aborted: "The ceremony was aborted",
  wiped: "What was given was wiped. There is no new key.",
  done: "The key is in this station",
  next: "It is not active yet: two custodians activate it on its page.",
} as const;
