// The words that the station's policy has for what takes a second person, and whose approval it is.

import type { Role } from "./bindings/Role";

export const actions = {
  addPerson: "add-person",
  setRoles: "set-roles",
  disablePerson: "disable-person",
  enablePerson: "enable-person",
  resetPin: "reset-pin",
  setBadge: "set-badge",
  importKey: "import-key",
  takeTransfer: "take-transfer",
  activateKey: "activate-key",
  destroyKey: "destroy-key",
} as const;

export type Action = (typeof actions)[keyof typeof actions];

/** Who asks for it, and another of whom approves it. */
export function approvers(action: string): Role {
  return action.endsWith("-key") || action === actions.takeTransfer ? "custodian" : "administrator";
}
