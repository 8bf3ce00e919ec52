// Who asked the station that does not exist for what is not permitted.

import type { DenialLine } from "../bindings/DenialLine";

const CASES = [
  ["op-0121", "operator", "search-room", "search the log in the window", "", "role"],
  [
    "op-0117",
    "operator+repair",
    "import-key",
    "import a group key in one piece",
    "gk-2026c sealed-file",
    "role",
  ],
  ["", "", "unlock", "open the custody", "", "no-session"],
  [
    "cu-0302",
    "custodian",
    "activate-key",
    "activate a group key",
    "gk-2026b 91D4C-0B7FE",
    "approval-same-person",
  ],
  ["ad-0001", "administrator", "reset-pin", "set a one-time PIN", "op-0133", "approval-expired"],
] as const;

/** Refusals among so many records, newest first: a few a day. */
export function denied(records: number, now: number): DenialLine[] {
  const count = Math.min(120, Math.floor(records / 420));
  return Array.from({ length: count }, (_, at) => {
    const [operator, role, action, meaning, what, why] = CASES[at % CASES.length] ?? CASES[0];
    const seq = records - 3 - 410 * at;
    return { seq, time: now - 7_100_000 * (at + 1), operator, role, action, meaning, what, why };
  });
}
