// What takes a second person. The policy is the station's: `bindings/Policy.ts` is generated from it.

import { APPROVERS, OPEN_TO } from "./bindings/Policy";
import type { Role } from "./bindings/Role";

export type Action = keyof typeof APPROVERS;

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
  raiseQuota: "raise-quota",
} as const satisfies Readonly<Record<string, Action>>;

/** The station's words for what the page asks a second person for. */
export type Asked = (typeof actions)[keyof typeof actions];

/** In which roles one asks for it, and another approves it; none where nobody does. */
export function approvers(action: string): readonly Role[] {
  return Object.hasOwn(APPROVERS, action) ? APPROVERS[action as Action] : [];
}

/** Whether somebody with these roles may ask for it; whether they get it the station decides each time. */
export function may(roles: readonly Role[], action: keyof typeof OPEN_TO): boolean {
  const open: readonly Role[] = OPEN_TO[action];
  return roles.some((role) => open.includes(role));
}
