// The group keys of the station that does not exist. What a native dialog would answer is set by hand.

import type { Ceremony } from "../bindings/Ceremony";
import type { Custody } from "../bindings/Custody";
import type { Imported } from "../bindings/Imported";
import type { KeyCard } from "../bindings/KeyCard";
import type { KeyDevices } from "../bindings/KeyDevices";
import type { KeyOrigin } from "../bindings/KeyOrigin";
import type { KeyState } from "../bindings/KeyState";
import type { NewKey } from "../bindings/NewKey";
import type { Problem } from "../bindings/Problem";
import { actions, type Action } from "../actions";
import { checkValueOf, idOf } from "./log";
import type { FakePeople } from "./people";
import { refuse } from "./refuse";

/** Devices that are told at once. */
const PAGE = 200;
/** Until a ceremony or an import says what its key has. */
const NEW = "3F9A2-77C10";

const group = { group: "env-sensors", scope: "0ne00EMU001", bytes: 32 } as const;

export function safe(): KeyCard[] {
  const day = (back: number) => new Date(Date.UTC(2026, 10, 20, 8, 12) - back * 86_400_000).toISOString();
  return [
    {
      ...group,
      label: "gk-2026a",
      slot: "primary",
      custody: "sealed-file",
      checkValue: checkValueOf("gk-2026a"),
      state: "active",
      how: "ceremony",
      importedBy: "cu-0301",
      approver: "cu-0302",
      importedAt: day(120),
      devices: 1842,
    },
    {
      ...group,
      label: "gk-2026b",
      slot: "secondary",
      custody: "pkcs11",
      checkValue: "91D4C-0B7FE",
      state: "imported",
      how: "single",
      importedBy: "cu-0302",
      approver: "cu-0301",
      importedAt: day(2),
      devices: 0,
    },
    {
      ...group,
      label: "gk-2025b",
      slot: "secondary",
      custody: "tpm",
      checkValue: checkValueOf("gk-2025b"),
      state: "suspended",
      how: "",
      importedBy: "cu-0301",
      approver: "",
      importedAt: day(410),
      devices: 5310,
    },
    {
      ...group,
      group: "door-locks",
      label: "gk-2024.1",
      slot: "primary",
      custody: "sealed-file",
      checkValue: "C0FFE-E1D2A",
      state: "destroyed",
      how: "transfer",
      importedBy: "cu-0302",
      approver: "cu-0301",
      importedAt: day(700),
      devices: 12,
    },
  ];
}

export class FakeKeys {
  cards: KeyCard[] = safe();
  held: Custody[] = ["sealed-file", "pkcs11", "tpm"];
  /** What a person answers in the native dialogs for a key or a component; a problem is what the station says to it. */
  dialog: "given" | "cancelled" | Problem = "given";
  /** What stands on the papers of the two custodians, and on both. */
  papers: readonly [string, string] = ["5E01B2", "C94A77"];
  current: Ceremony | null = null;

  readonly #people: FakePeople;
  readonly #append: (event: string, outcome: string, operator: string) => void;

  constructor(people: FakePeople, append: (event: string, outcome: string, operator: string) => void) {
    this.#people = people;
    this.#append = append;
  }

  keys(): Promise<KeyCard[]> {
    return Promise.resolve(structuredClone(this.cards));
  }

  devices(label: string, after: number | null): Promise<KeyDevices> {
    const card = this.#card(label);
    if (!card) return refuse(noKey);
    const start = after ?? 0;
    const end = Math.min(card.devices, start + PAGE);
    const devices = Array.from({ length: end - start }, (_, at) => ({
      id: idOf(start + at),
      record: 4 + 2 * (start + at) + 1,
    }));
    return Promise.resolve({ devices, next: end < card.devices ? end : null });
  }

  activate(label: string, reason: string, checkValue: string, approval: number | null): Promise<void> {
    const card = this.#card(label);
    const other = card && bare(checkValue) !== bare(card.checkValue) ? otherValue : undefined;
    return this.change(label, "active", actions.activateKey, reason, approval, other);
  }

  change(
    label: string,
    state: KeyState,
    action: Action | null,
    reason: string,
    approval: number | null,
    wrong?: Problem,
  ): Promise<void> {
    const card = this.#card(label);
    if (!card) return refuse(noKey);
    if (card.state === "destroyed") return refuse(gone);
    if (action !== null) {
      const spent = this.#people.spend(approval, action, `${label} ${card.checkValue}`, reason);
      if ("code" in spent) return refuse(spent);
    }
    if (wrong) return refuse(wrong);
    card.state = state;
    const event = state === "active" ? "gk.activate" : state === "suspended" ? "gk.suspend" : "gk.destroy";
    this.#append(event, "", this.#people.session.user);
    return Promise.resolve();
  }

  bring(key: NewKey, how: "single" | "transfer", checkValue: string, approval: number): Promise<Imported> {
    const action = how === "single" ? actions.importKey : actions.takeTransfer;
    const { group, scope, slot, custody } = key;
    const digits = bare(checkValue);
    const spelled = `${digits.slice(0, 5)}-${digits.slice(5)}`;
    const subject = [key.label, group, scope, slot, spelled, custody].join(" ");
    const spent = this.#people.spend(approval, action, subject);
    if ("code" in spent) return refuse(spent);
    const wrong = this.unfit(key);
    if (wrong) return refuse(wrong);
    if (typeof this.dialog === "object") return refuse(this.dialog);
    if (this.dialog === "cancelled" && how === "single")
      return Promise.resolve({ outcome: "cancelled", checkValue: "" });
    if (bare(checkValue) !== bare(NEW)) return refuse(otherValue);
    this.put(key, how, this.#people.session.user, spent.by);
    return Promise.resolve({ outcome: "imported", checkValue: NEW });
  }

  /** A key that the station does not take. */
  unfit(key: NewKey): Problem | undefined {
    if (!/^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$/.test(key.label)) return label;
    return this.#card(key.label) ? known : undefined;
  }

  put(key: NewKey, how: KeyOrigin, by: string, approver: string): void {
    const importedAt = new Date(this.#people.now()).toISOString();
    this.#append("gk.import", "", by);
    this.cards.push({
      ...key,
      checkValue: NEW,
      bytes: 32,
      state: "imported",
      how,
      importedBy: by,
      approver,
      importedAt,
      devices: 0,
    });
  }

  #card(label: string): KeyCard | undefined {
    return this.cards.find((card) => card.label === label);
  }
}

/** A check value without what only makes it easier to read. */
export function bare(checkValue: string): string {
  return checkValue.replace(/[^0-9a-z]/gi, "").toUpperCase();
}

/** The check value of every key that is brought to this station. */
export const newCheckValue = NEW;

export const recipient = "age1q0keystation7demo8recipient9not0a1real2key3but4of5the6right7lengt";

const noKey: Problem = { code: "no-key", sentence: "There is no group key of this label.", remedy: [] };

const otherValue: Problem = {
  code: "key-check-value",
  sentence: "The key has another check value than was typed.",
  remedy: [
    "Do not activate it.",
    "Compare with the paper of its owner.",
    "If it is another key: destroy it.",
  ],
};

const gone: Problem = {
  code: "key-destroyed",
  sentence: "This group key was destroyed.",
  remedy: ["Import it again, under another label."],
};

const known: Problem = {
  code: "key-exists",
  sentence: "There is a group key of this label already.",
  remedy: ["Choose another label: a label is never used again."],
};

const label: Problem = {
  code: "key-label",
  sentence: "That is no label.",
  remedy: ["Use 1 to 32 of a-z 0-9 - . only, with a letter or digit at both ends."],
};
