// The keys room: what group keys there are, what becomes of them, and how a new one comes in.

import type { Custody } from "../bindings/Custody";
import type { KeyCard } from "../bindings/KeyCard";
import type { KeyDevice } from "../bindings/KeyDevice";
import type { NewKey } from "../bindings/NewKey";
import type { Problem } from "../bindings/Problem";
import { actions } from "../actions";
import { Approving } from "../people/approving.svelte";
import type { Session } from "../session.svelte";
import { tried, type Door, type KeyRing } from "../shell";
import { CeremonyTable } from "./ceremony.svelte";

/** The pages of the room, in the order of their buttons. */
export const views = ["keys", "import", "ceremony", "transfer"] as const;
export type View = (typeof views)[number];

/** What becomes of a key. */
export type Change = "activate" | "suspend" | "destroy";

/** A key that is described before it is brought. */
export class KeyDraft {
  label = $state("");
  group = $state("");
  scope = $state("");
  slot: NewKey["slot"] = $state("primary");
  custody: Custody | undefined = $state();
  /** The check value on the paper of the key's owner, where it is asked for with the rest. */
  checkValue = $state("");

  get ready(): boolean {
    return this.label.trim() !== "" && this.group.trim() !== "" && this.scope.trim() !== "" && !!this.custody;
  }

  get key(): NewKey | undefined {
    const { slot, custody } = this;
    if (!custody) return undefined;
    return { label: this.label.trim(), group: this.group.trim(), scope: this.scope.trim(), slot, custody };
  }

  clear(): void {
    this.label = this.group = this.scope = this.checkValue = "";
    this.slot = "primary";
    this.custody = undefined;
  }
}

/** A check value as the station spells it. What is none stays what was typed: the station says what is wrong with it. */
function spelled(typed: string): string {
  const digits = typed.replace(/[\s-]/g, "").toUpperCase();
  return /^[0-9A-F]{10}$/.test(digits) ? `${digits.slice(0, 5)}-${digits.slice(5)}` : typed.trim();
}

export class Keys {
  view: View = $state("keys");
  cards: KeyCard[] | undefined = $state();
  custodies: readonly Custody[] = $state([]);
  /** The key whose page is open. */
  chosen: string | undefined = $state();
  /** Devices under it, as far as they were read. */
  devices: KeyDevice[] = $state([]);
  /** Where the next ones begin. */
  next: number | null = $state(null);
  change: Change | undefined = $state();
  reason = $state("");
  /** The label, typed to destroy the key; its check value, typed from the paper to activate it. */
  typed = $state("");
  /** The station's public key. */
  recipient: string | undefined = $state();
  /** What came of the last import: a check value, or that it was cancelled. */
  came: { label: string; checkValue: string } | "cancelled" | undefined = $state();
  /** The key is being asked for, outside of the page. */
  bringing = $state(false);
  problem: Problem | undefined = $state();
  readonly draft = new KeyDraft();
  readonly approving: Approving;
  readonly table: CeremonyTable;

  readonly #shell: Door & KeyRing;
  readonly #session: Session;
  #user = "";

  constructor(shell: Door & KeyRing, session: Session) {
    this.#shell = shell;
    this.#session = session;
    this.approving = new Approving(shell);
    this.table = new CeremonyTable(shell);
  }

  get card(): KeyCard | undefined {
    return this.cards?.find(({ label }) => label === this.chosen);
  }

  /** Whether the person brings keys; a supervisor only stops them. */
  get custodian(): boolean {
    return this.#session.may("import-key");
  }

  /** Whether the person stops a key in an emergency. */
  get stops(): boolean {
    return this.#session.may("suspend-key");
  }

  /** Whether the person opens the custodies. */
  get unlocks(): boolean {
    return this.#session.may("unlock");
  }

  /** Opens a page and lets it read what it shows. */
  async show(view: View = this.view): Promise<void> {
    const user = this.#session.now?.user ?? "";
    if (user !== this.#user) this.#forget();
    this.#user = user;
    if (view !== this.view) this.#forget();
    this.view = view;
    await this.#do(async () => {
      this.cards = await this.#shell.keys();
      if (view === "keys" || !this.custodian) return;
      this.custodies = await this.#shell.custodies();
      // One custody is no choice; of several none is better than the others.
      if (this.custodies.length === 1) this.draft.custody = this.custodies[0];
      if (view === "ceremony") await this.table.read();
      if (view === "transfer") this.recipient = await this.#shell.recipient();
    });
  }

  async open(label: string): Promise<void> {
    this.#forget();
    this.chosen = label;
    await this.more();
  }

  close(): void {
    this.#forget();
  }

  /** Reads more of the devices under the key. */
  async more(): Promise<void> {
    const { chosen } = this;
    if (chosen === undefined) return;
    await this.#do(async () => {
      const { devices, next } = await this.#shell.keyDevices(chosen, this.next);
      if (chosen !== this.chosen) return;
      this.devices.push(...devices);
      this.next = next;
    });
  }

  /** Begins a change of the key, or none. */
  choose(change: Change | undefined): void {
    this.change = change;
    this.reason = this.typed = "";
    this.problem = undefined;
    this.approving.cancel();
  }

  /** Whether reason and label are there. */
  get ready(): boolean {
    const { card, change } = this;
    if (!card || !change || this.reason.trim() === "") return false;
    const typed = this.typed.trim();
    return change === "suspend" || (change === "activate" ? typed !== "" : typed === card.label);
  }

  /** Asks the second custodian; an emergency stop asks nobody. */
  async ask(): Promise<void> {
    const { card, change } = this;
    if (!card || !change || !this.ready) return;
    const { label, checkValue } = card;
    const reason = this.reason.trim();
    if (change === "suspend") {
      await this.#changed(() => this.#shell.suspendKey(label, reason));
      return;
    }
    const subject = `${label} ${checkValue}`;
    if (change === "activate") {
      const typed = this.typed.trim();
      this.approving.ask(actions.activateKey, subject, reason, (approval) =>
        this.#changed(() => this.#shell.activateKey(label, reason, typed, approval)),
      );
    } else {
      this.approving.ask(actions.destroyKey, subject, reason, (approval) =>
        this.#changed(() => this.#shell.destroyKey(label, reason, approval)),
      );
    }
  }

  /** Asks the second custodian for an import, from the native dialog or from the transfer file. */
  bring(how: "import" | "transfer"): void {
    const { key, checkValue: typed } = this.draft;
    if (!key) return;
    this.came = this.problem = undefined;
    const action = how === "import" ? actions.importKey : actions.takeTransfer;
    const { label, group, scope, slot, custody } = key;
    const subject = [label, group, scope, slot, spelled(typed), custody].join(" ");
    this.approving.ask(action, subject, "", async (approval) => {
      this.bringing = true;
      await this.#do(async () => {
        const { outcome, checkValue } =
          how === "import"
            ? await this.#shell.importKey(key, typed, approval)
            : await this.#shell.takeTransfer(key, typed, approval);
        this.came = outcome === "imported" ? { label: key.label, checkValue } : "cancelled";
        if (outcome !== "imported") return;
        this.draft.clear();
        this.cards = await this.#shell.keys();
      });
      this.bringing = false;
    });
  }

  #forget(): void {
    this.chosen = this.came = undefined;
    this.devices = [];
    this.next = null;
    this.draft.clear();
    this.choose(undefined);
  }

  async #changed(call: () => Promise<void>): Promise<void> {
    await this.#do(async () => {
      await call();
      this.choose(undefined);
      this.cards = await this.#shell.keys();
    });
  }

  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = await tried(call);
  }
}
