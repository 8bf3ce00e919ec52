// The people of the station that does not exist. Their PINs are digits of well-known numbers.

import { may } from "../actions";
import type { Role } from "../bindings/Role";
import type { Room } from "../bindings/Room";

export interface Account {
  user: string;
  name: string;
  roles: Role[];
  active: boolean;
  badge: string;
  pin: string;
  /** The PIN is a one-time PIN. */
  once: boolean;
}

function person(
  user: string,
  name: string,
  roles: Role[],
  pin: string,
  more: Partial<Account> = {},
): Account {
  return { user, name, roles, active: true, badge: `KS:${user}`, pin, once: false, ...more };
}

export function roster(): Account[] {
  return [
    person("ad-0001", "Plant IT, first", ["administrator"], "314159"),
    person("ad-0002", "Plant IT, second", ["administrator"], "265358"),
    person("cu-0301", "Key custodian, left safe", ["custodian", "supervisor"], "271828"),
    person("cu-0302", "Key custodian, right safe", ["custodian"], "182845"),
    person("op-0098", "", ["operator"], "904523", { active: false }),
    person("op-0117", "Early shift, bench 3", ["operator", "repair"], "141421"),
    person("op-0121", "Late shift, bench 3", ["operator"], "356237"),
    person("op-0133", "", ["operator"], "309504", { once: true, badge: "" }),
    person("qa-0007", "Quality", ["qa"], "577215"),
    person("sv-0004", "Shift lead", ["supervisor", "operator"], "161803"),
  ];
}

/** The rooms that a person of these roles may enter, in the order of the rail. */
export function roomsOf(roles: readonly Role[]): Room[] {
  const open: readonly [Room, boolean][] = [
    ["line", may(roles, "inject") || may(roles, "unlock")],
    ["orders", may(roles, "orders")],
    ["repair", may(roles, "rekey")],
    ["audit", may(roles, "search-room")],
    ["keys", may(roles, "keys")],
    ["people", may(roles, "people")],
  ];
  return open.filter(([, enters]) => enters).map(([room]) => room);
}
