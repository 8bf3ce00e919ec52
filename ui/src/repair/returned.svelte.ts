// A device that came back: looked at or looked up, then one act by two people.

import type { RekeyOutcome } from "../bindings/RekeyOutcome";
import type { RekeyWhy } from "../bindings/RekeyWhy";
import { NEEDS_NEW_KEY, REASONS } from "../bindings/Policy";
import type { Problem } from "../bindings/Problem";
import type { RepairDevice } from "../bindings/RepairDevice";
import type { RepairPlaces } from "../bindings/RepairPlaces";
import type { RepairProfile } from "../bindings/RepairProfile";
import type { TakenOutLine } from "../bindings/TakenOutLine";
import type { TakeOutAsked } from "../bindings/TakeOutAsked";
import type { Line } from "../line.svelte";
import type { Act } from "../messages/en/repair";
import type { Approving } from "../people/approving.svelte";
import { tried, type RepairShop } from "../shell";

/** What came of an act. */
export type Came =
  { act: "rekey"; outcome: RekeyOutcome } | { act: Exclude<Act, "rekey">; taken: TakenOutLine };

export class Returned {
  places: RepairPlaces | undefined = $state();
  /** File of the profile that a device is held against, and re-keyed by. */
  profile = $state("");
  device: RepairDevice | undefined = $state();
  /** What somebody typed or scanned to find a record. */
  word = $state("");
  act: Act | undefined = $state();
  reason = $state("");
  note = $state("");
  /** Somebody knows that the same key heals nothing. */
  sameKey = $state(false);
  /** The board that comes in. */
  mac = $state("");
  destroyed = $state("");
  came: Came | undefined = $state();
  /** A device is being asked, or written to. */
  busy: "look" | "act" | undefined = $state();
  problem: Problem | undefined = $state();

  readonly #shop: RepairShop;
  readonly #line: Line;
  readonly #approving: Approving;

  constructor(shop: RepairShop, line: Line, approving: Approving) {
    this.#shop = shop;
    this.#line = line;
    this.#approving = approving;
  }

  get reasons(): readonly string[] {
    return this.act ? REASONS[this.act] : [];
  }

  get chosen(): RepairProfile | undefined {
    return this.places?.profiles.find(({ file }) => file === this.profile);
  }

  /** Whether the reason asks for another key, and this profile writes the same one. */
  get sameAgain(): boolean {
    return (
      this.act === "rekey" &&
      NEEDS_NEW_KEY.includes(this.reason) &&
      this.device?.parent != null &&
      this.device.parent.label === this.chosen?.key
    );
  }

  /** What can become of the device. */
  get acts(): Act[] {
    const { device } = this;
    if (!device) return [];
    const known = device.life !== null;
    // What was replaced is blocked with the list for the cloud: its ID may be that of the board in its place.
    if (device.out) return device.out.how === "scrapped" ? ["restore", "revoke"] : [];
    const acts: Act[] = known ? ["replace", "scrap", "revoke"] : ["revoke"];
    return device.seen ? ["rekey", ...acts] : acts;
  }

  /** Whether what the act asks for is there. */
  get ready(): boolean {
    if (!this.act || this.busy || this.reason === "") return false;
    if (this.reason === "other" && this.note.trim() === "") return false;
    return this.act !== "replace" || this.chosen !== undefined;
  }

  async show(): Promise<void> {
    await this.#do(async () => {
      this.places = await this.#shop.repairPlaces();
      const { slots, profiles } = this.places;
      if (!this.chosen) this.profile = slots[0]?.profile ?? profiles[0]?.file ?? "";
    });
  }

  async look(slot: number): Promise<void> {
    this.forget();
    const { profile } = this;
    await this.#busy("look", async () => {
      this.device = await this.#shop.look(slot, profile);
    });
  }

  async find(word = this.word.trim()): Promise<void> {
    if (word === "") return;
    this.forget();
    this.word = word;
    await this.#busy("look", async () => {
      this.device = await this.#shop.lookUp(word);
    });
  }

  choose(act: Act | undefined): void {
    this.act = act;
    this.reason = this.note = this.mac = this.destroyed = "";
    this.sameKey = false;
    this.came = this.problem = undefined;
    this.#approving.cancel();
  }

  /** Back from a FAIL: to the same form, where nothing was written, with what was chosen. */
  again(): void {
    if (this.device?.seen) this.came = undefined;
    else this.choose(undefined);
  }

  /** Another device. */
  forget(): void {
    this.choose(undefined);
    this.device = undefined;
    this.word = "";
  }

  /** Asks the second person; then does it. */
  async ask(): Promise<void> {
    const { act, device } = this;
    if (!act || !device || !this.ready) return;
    if (act === "rekey") await this.#rekey(device);
    else await this.#takeOut(act, device);
  }

  async #rekey({ id, seen }: RepairDevice): Promise<void> {
    if (!seen) return;
    // Before the approval, which is good for a minute.
    if (this.#line.locked) await this.#line.unlock();
    if (this.#line.locked) return;
    const asked = { slot: seen.slot, device: id, profile: this.profile, why: this.#why() };
    await this.#do(async () => {
      const request = await this.#shop.askRekey(asked);
      this.#approving.bring(request, (approval) =>
        this.#busy("act", async () => {
          const outcome = await this.#shop.rekeyDevice(asked, approval);
          await this.#done({ act: "rekey", outcome });
        }),
      );
    });
  }

  async #takeOut(act: TakeOutAsked["act"], { id, mac, serial }: RepairDevice): Promise<void> {
    const { reason, profile, destroyed } = this;
    const board = act === "replace" ? { profile, mac: this.mac.trim(), destroyed: destroyed.trim() } : null;
    // This board: its registration ID may have been another one's.
    const device = [id, mac, serial].filter((word) => word !== "").join(" ");
    const asked = { device, act, reason, note: this.note.trim(), board };
    await this.#do(async () => {
      const request = await this.#shop.askTakeOut(asked);
      this.#approving.bring(request, (approval) =>
        this.#busy("act", async () => {
          await this.#done({ act, taken: await this.#shop.takeOut(asked, approval) });
        }),
      );
    });
  }

  /** Says what came of it, beside what the log has of the device now. */
  async #done(came: Came): Promise<void> {
    const { device } = this;
    await this.#line.refresh();
    if (device) {
      const { life, out, parent } = await this.#shop.lookUp(device.id).catch(() => device);
      // What it said before is not what it holds now, unless nothing was written.
      const untouched =
        came.act !== "rekey" || (came.outcome.outcome === "fail" && came.outcome.safety === "untouched");
      this.device = { ...device, life, out, parent, seen: untouched ? device.seen : null };
    }
    // What was chosen stays for whoever goes back from a FAIL.
    if (came.act !== "rekey" || came.outcome.outcome === "pass") this.choose(undefined);
    this.came = came;
  }

  #why(): RekeyWhy {
    return { reason: this.reason, note: this.note.trim(), sameKey: this.sameKey };
  }

  async #busy(what: "look" | "act", call: () => Promise<void>): Promise<void> {
    this.busy = what;
    await this.#do(call);
    this.busy = undefined;
  }

  async #do(call: () => Promise<void>): Promise<void> {
    this.problem = await tried(call);
  }
}
