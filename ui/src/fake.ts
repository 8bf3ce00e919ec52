// A station without a station: the same rules, made of values. For trying the window, for photographs and tests.

import type { Card } from "./bindings/Card";
import type { CardUpdate } from "./bindings/CardUpdate";
import type { Counts } from "./bindings/Counts";
import type { Overview } from "./bindings/Overview";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { ScanLine } from "./bindings/ScanLine";
import type { Saved } from "./bindings/Saved";
import type { Stopped } from "./bindings/Stopped";
import type { SessionLine } from "./bindings/SessionLine";
import type { ShiftReport } from "./bindings/ShiftReport";
import type { UnlockOutcome } from "./bindings/UnlockOutcome";
import { actions, may } from "./actions";
import { FakeArchive } from "./fake/archive";
import { attempt, flapping, station, type FakeDevice } from "./fake/bench";
import { FakeCeremony } from "./fake/ceremony";
import { FakeKeys, recipient } from "./fake/keys";
import { FakeLabels } from "./fake/labels";
import { causes } from "./fake/log";
import { FakeOrders } from "./fake/orders";
import { FakePeople } from "./fake/people";
import { FakeRepair } from "./fake/repair";
import { noSession, notYours, refuse } from "./fake/refuse";
import { roomsOf, roster } from "./fake/roster";
import { shiftOf } from "./fake/shift";
import { FakeSlots, type Pace } from "./fake/slots";
import type { Archive, Door, KeyRing, OrderBook, RepairShop, Shell, Staff } from "./shell";

export { failing, good, nobody, operator, station, type FakeDevice } from "./fake/bench";

/** How long nobody may touch an open station, and how long before its lock it warns, in milliseconds. */
const IDLE = 300_000;
const WARNING = 30_000;
/** How long a session may be, in milliseconds. */
const SESSION = 12 * 3_600_000;

/** What every slot made, and how often its contact closed. */
const used = { devices: 104, passed: 101, retries: 2, lost: 6, cycles: 10_422 };

export class FakeShell implements Shell {
  /** What the operator answers in the passphrase dialog; a problem is what the station answers to it. */
  passphrase: UnlockOutcome | Problem;
  /** What the log has of the shift, or why it has nothing; made of the counts where it is not said. */
  shift: ShiftReport | Problem | undefined;
  /** The folder that the person chooses for a file; none if they give up. */
  folder: string | undefined = "/media/usb";
  /** The station cannot start. */
  broken: Problem | undefined;
  /** The log of this station, as the audit room asks for it. */
  readonly archive: FakeArchive;
  /** Accounts and session. */
  readonly staff: FakePeople;
  /** The group keys. */
  readonly ring: FakeKeys;
  /** The work orders. */
  readonly book: FakeOrders;
  /** Devices that come back. */
  readonly shop: FakeRepair;
  readonly labels: FakeLabels;
  readonly #ceremony: FakeCeremony;

  readonly #overview: Overview;
  /** What there was when the session began. */
  #before: Counts = { done: 0, failed: 0 };
  #touched: number;
  #began: number;
  readonly #records: RecordLine[] = [];
  readonly #slots: FakeSlots;

  constructor(overview: Overview = station, passphrase: UnlockOutcome | Problem = "cancelled") {
    this.#overview = structuredClone(overview);
    this.passphrase = passphrase;
    const numbers = overview.slots.map(({ number }) => number);
    this.#slots = new FakeSlots(numbers);
    this.labels = new FakeLabels(new Set(numbers));
    this.archive = new FakeArchive(this.#overview, (event, operator) =>
      this.#append(event, "", "", operator),
    );
    const append = (event: string, outcome: string, user: string) => {
      this.#append(event, outcome, "", user);
    };
    const { session } = this.#overview;
    if (session.state !== "open" && !overview.readOnly) this.#overview.rooms = [];
    this.staff = new FakePeople(session.state === "first-start" ? [] : roster(), session, append);
    this.staff.looking = overview.readOnly;
    this.ring = new FakeKeys(this.staff, append);
    this.book = new FakeOrders(this.staff, append);
    this.shop = new FakeRepair(this.staff, (event, id) => this.#append(event, "", id));
    if (overview.order === null)
      this.book.pages = this.book.pages.filter(({ order }) => order.state !== "open");
    this.#ceremony = new FakeCeremony(this.ring, this.staff, append);
    this.#touched = this.#began = this.staff.now();
    this.#append("log.open", "", "");
  }

  /** How long a step takes. */
  set pace(pace: Pace) {
    this.#slots.pace = pace;
  }

  overview(): Promise<Overview> {
    if (this.broken) return refuse(this.broken);
    this.#idle();
    const { key, locked } = this.#overview;
    // Without the vault nobody knows a check value.
    return Promise.resolve({
      ...structuredClone(this.#overview),
      health: this.#overview.slots.map(({ number }) => ({ number, ...used })),
      after: this.#looksAfter ? structuredClone(this.#overview.after) : null,
      order: structuredClone(this.book.open ?? null),
      key: key && locked ? { ...key, checkValue: null } : key,
    });
  }

  recent(count: number): Promise<RecordLine[]> {
    return this.broken ? refuse(this.broken) : Promise.resolve(this.#records.slice(0, count));
  }

  watch(onCard: (update: CardUpdate) => void, onScan: (scans: ScanLine) => void): Promise<void> {
    if (this.broken) return refuse(this.broken);
    this.labels.tell = onScan;
    onScan(this.labels.shown);
    this.#slots.watch(onCard);
    return Promise.resolve();
  }

  acknowledge(slot: number): Promise<void> {
    const card = this.#slots.card(slot);
    if (card.state === "fail") {
      this.#slots.show(
        slot,
        card.gone
          ? { state: "waiting" }
          : { state: "remove", safety: card.safety, serial: card.serial, mac: card.mac },
      );
    }
    return Promise.resolve();
  }

  scan(text: string): Promise<void> {
    if (this.staff.session.state !== "open") return refuse(noSession);
    this.labels.scan(text);
    return Promise.resolve();
  }

  putBack(slot: number): Promise<void> {
    const card = this.#slots.card(slot);
    if (!may(this.staff.session.roles, "put-back")) return refuse(notYours);
    if (card.state === "stopped" && card.code === "slot-out") {
      this.#append("slot.back", "", "");
      this.#slots.show(slot, { state: "waiting" });
    }
    return Promise.resolve();
  }

  async unlock(): Promise<UnlockOutcome> {
    if (typeof this.passphrase === "object") return refuse(this.passphrase);
    if (this.staff.session.state !== "open") return refuse(noSession);
    if (this.passphrase === "cancelled") return "cancelled";
    this.#overview.locked = false;
    this.#append("auth.unlock", "", "");
    for (const [number, device] of this.#slots.locked()) void this.plug(number, device);
    return Promise.resolve("unlocked");
  }

  lock(): Promise<void> {
    if (!this.#overview.locked) this.#append("auth.lock", "", "");
    this.#overview.locked = true;
    return Promise.resolve();
  }

  signIn: Door["signIn"] = (who, pin) => {
    const before = this.staff.session;
    const answer = this.staff.signIn(who, pin);
    if (answer.outcome === "open") this.#arrive(before);
    return Promise.resolve(answer);
  };

  shiftReport(): Promise<ShiftReport> {
    const { session } = this.staff;
    if (session.state !== "open") return refuse(noSession);
    if (this.shift) return "code" in this.shift ? refuse(this.shift) : Promise.resolve(this.shift);
    const { done, failed } = this.#overview.counts;
    const counts = { done: done - this.#before.done, failed: failed - this.#before.failed };
    return Promise.resolve(shiftOf(session.user, this.book.open?.id ?? "", this.#began, counts));
  }

  async saveShiftReport(): Promise<Saved | null> {
    const { operator } = await this.shiftReport();
    if (this.folder === undefined) return null;
    this.#append("export.report", "", "");
    return { path: `${this.folder}/shift-${operator}.pdf` };
  }

  async signOut(): Promise<void> {
    this.staff.leave();
    this.#overview.rooms = [];
    await this.lock();
  }

  async away(): Promise<void> {
    this.staff.away();
    this.#overview.rooms = [];
    await this.lock();
  }

  touch(): Promise<void> {
    this.#touched = this.staff.now();
    return Promise.resolve();
  }

  changePin: Door["changePin"] = (old, pin) => {
    const answer = this.staff.changePin(old, pin);
    return "code" in answer ? refuse(answer) : Promise.resolve(answer);
  };

  beginPeople: Door["beginPeople"] = (...two) => {
    const wrong = this.staff.begin(...two);
    return wrong ? refuse(wrong) : Promise.resolve();
  };

  approve: Door["approve"] = (...asked) => Promise.resolve(this.staff.approve(...asked));

  people: Staff["people"] = () => this.staff.people();
  addPerson: Staff["addPerson"] = (...person) => this.staff.addPerson(...person);
  setRoles: Staff["setRoles"] = (...roles) => this.staff.setRoles(...roles);
  disablePerson: Staff["disablePerson"] = (...person) => this.staff.disablePerson(...person);
  enablePerson: Staff["enablePerson"] = (...person) => this.staff.enablePerson(...person);
  resetPin: Staff["resetPin"] = (...pin) => this.staff.resetPin(...pin);
  setBadge: Staff["setBadge"] = (...badge) => this.staff.setBadge(...badge);
  setName: Staff["setName"] = (...name) => this.staff.setName(...name);
  forgetName: Staff["forgetName"] = (user) => this.staff.forgetName(user);

  keys: KeyRing["keys"] = () => this.ring.keys();
  custodies: KeyRing["custodies"] = () => Promise.resolve([...this.ring.held]);
  keyDevices: KeyRing["keyDevices"] = (...asked) => this.ring.devices(...asked);
  activateKey: KeyRing["activateKey"] = (...typed) => this.ring.activate(...typed);
  suspendKey: KeyRing["suspendKey"] = (label, reason) =>
    this.ring.change(label, "suspended", null, reason, null);
  destroyKey: KeyRing["destroyKey"] = (label, reason, approval) =>
    this.ring.change(label, "destroyed", actions.destroyKey, reason, approval);
  importKey: KeyRing["importKey"] = (key, checkValue, approval) =>
    this.ring.bring(key, "single", checkValue, approval);
  recipient: KeyRing["recipient"] = () => Promise.resolve(recipient);
  takeTransfer: KeyRing["takeTransfer"] = (key, checkValue, approval) =>
    this.ring.bring(key, "transfer", checkValue, approval);
  ceremony: KeyRing["ceremony"] = () => Promise.resolve(this.#ceremony.read());
  ceremonyBegin: KeyRing["ceremonyBegin"] = (...begun) => this.#ceremony.begin(...begun);
  ceremonySignIn: KeyRing["ceremonySignIn"] = (...signed) => this.#ceremony.signIn(...signed);
  ceremonyComponent: KeyRing["ceremonyComponent"] = (side) => this.#ceremony.component(side);
  ceremonyConfirm: KeyRing["ceremonyConfirm"] = (...typed) => this.#ceremony.confirm(...typed);
  ceremonyFinish: KeyRing["ceremonyFinish"] = (typed) => this.#ceremony.finish(typed);
  ceremonyAbort(): Promise<void> {
    this.#ceremony.abort();
    return Promise.resolve();
  }

  orders: OrderBook["orders"] = () => this.book.list();
  order: OrderBook["order"] = (id) => this.book.order(id);
  createOrder: OrderBook["createOrder"] = (parts) => this.book.create(parts);
  openOrder: OrderBook["openOrder"] = (id) => this.book.begin(id);
  closeOrder: OrderBook["closeOrder"] = (id, reason) => this.book.close(id, reason);
  scrapDevice: OrderBook["scrapDevice"] = (id, device) => this.book.scrap(id, device);
  raiseQuota: OrderBook["raiseQuota"] = (...asked) => this.book.raise(...asked);

  repairPlaces: RepairShop["repairPlaces"] = () => this.shop.show();
  look: RepairShop["look"] = (slot) => this.shop.look(slot);
  lookUp: RepairShop["lookUp"] = (device) => this.shop.lookUp(device);
  askRekey: RepairShop["askRekey"] = (asked) => this.shop.askRekey(asked);
  rekeyDevice: RepairShop["rekeyDevice"] = (...asked) => this.shop.rekey(...asked);
  askTakeOut: RepairShop["askTakeOut"] = (asked) => this.shop.askTakeOut(asked);
  takeOut: RepairShop["takeOut"] = (...asked) => this.shop.takeOut(...asked);
  batches: RepairShop["batches"] = () => this.shop.batches.list();
  batch: RepairShop["batch"] = (id) => this.shop.batches.show(id);
  batchNow: RepairShop["batchNow"] = () => Promise.resolve(this.shop.batches.now ?? null);
  askBatch: RepairShop["askBatch"] = (...asked) => this.shop.batches.ask(...asked);
  openBatch: RepairShop["openBatch"] = (approval) => this.shop.batches.open(approval);
  startBatch: RepairShop["startBatch"] = (id) => this.shop.batches.start(id);
  pauseBatch: RepairShop["pauseBatch"] = (paused) => this.shop.batches.pause(paused);
  stopBatch: RepairShop["stopBatch"] = () => this.shop.batches.stop();
  closeBatch: RepairShop["closeBatch"] = (id) => this.shop.batches.close(id);
  saveBatch: RepairShop["saveBatch"] = (id) =>
    Promise.resolve(this.folder === undefined ? null : { path: `${this.folder}/${id}-5124.pdf` });
  saveCleanup: RepairShop["saveCleanup"] = () => this.shop.saveCleanup(this.folder);
  askCleanedUp: RepairShop["askCleanedUp"] = () => this.shop.askCleanedUp();
  cleanedUp: RepairShop["cleanedUp"] = (approval) => this.shop.cleanedUp(approval);

  search: Archive["search"] = (...query) => this.archive.search(...query);
  device: Archive["device"] = (id) => this.archive.device(id);
  saveProof: Archive["saveProof"] = (id) => this.archive.saveProof(id);
  verify: Archive["verify"] = (onProgress) => this.archive.verify(onProgress);
  cancelVerify: Archive["cancelVerify"] = () => this.archive.cancelVerify();
  figures: Archive["figures"] = (...period) => this.archive.figures(...period);
  denials: Archive["denials"] = (...asked) => this.archive.denials(...asked);
  review: Archive["review"] = () => this.archive.review();
  signReview: Archive["signReview"] = (...signature) => this.archive.signReview(...signature);
  checkPlaces: Archive["checkPlaces"] = () => this.archive.checkPlaces();
  checkDevice: Archive["checkDevice"] = () => this.archive.checkDevice();

  /** Plugs a device in and resolves when its card is PASS or FAIL, or when the slot does not take it. */
  async plug(slot: number, device: FakeDevice): Promise<void> {
    if (!this.#slots.lay(slot, device)) return;
    if (this.#overview.locked) {
      this.#slots.show(slot, { state: "locked" });
      return;
    }
    const labelled =
      !this.#overview.slots.some((one) => one.number === slot && one.scans) || this.labels.take(slot);
    if (!(await this.#slots.work(slot, device))) return;
    const fails = { code: "no-label", safety: "untouched" } as const;
    this.#slots.show(slot, this.#outcome(labelled ? device : { ...device, fails }));
  }

  /** Pulls the device out. A FAIL stays. */
  unplug(slot: number): void {
    this.#slots.pull(slot);
  }

  /** The slot does not work any more. */
  stop(slot: number, why: Stopped): void {
    this.#slots.show(slot, { state: "stopped", ...why });
  }

  /** The slot was taken out: six contacts were lost in a minute. */
  out(slot: number): void {
    this.#append("slot.out", "", "", "");
    this.stop(slot, flapping);
  }

  /** Whether who is here looks after what goes out. */
  get #looksAfter(): boolean {
    const { roles } = this.staff.session;
    return this.#overview.readOnly || roles.includes("supervisor") || roles.includes("qa");
  }

  /** Somebody signed in: the rooms are that person's. */
  #arrive(before: SessionLine): void {
    const { session } = this.staff;
    this.#overview.rooms = roomsOf(session.roles);
    this.#overview.operator = session.user;
    this.#touched = this.staff.now();
    // Who comes back after a lock, or takes over from oneself, has the same session.
    if (!["away", "open"].includes(before.state) || before.user !== session.user) {
      this.#began = this.#touched;
      this.#before = { ...this.#overview.counts };
    }
    if (before.state === "open" && before.user !== session.user)
      this.#append("auth.logout", "", "", before.user);
  }

  /** Locks a station that nobody touches and ends a session that is too old, but never while it writes to a device. */
  #idle(): void {
    const { session } = this.staff;
    const now = this.staff.now();
    const ends = this.#began + SESSION - now;
    const locks = this.#overview.locked ? Infinity : this.#touched + IDLE - now;
    const left = Math.min(ends, locks);
    session.secondsLeft = session.reason = null;
    if (session.state === "open" && !this.#slots.working) {
      if (ends <= 0) this.#end();
      else if (locks <= 0) void this.away();
      else if (left <= WARNING) {
        session.secondsLeft = Math.ceil(left / 1000);
        session.reason = ends <= locks ? "hours" : "idle";
      }
    }
    this.#overview.session = this.staff.session;
  }

  #end(): void {
    this.staff.expire();
    this.#overview.locked = true;
  }

  #outcome(device: FakeDevice): Card {
    const { id, serial, mac, fails } = device;
    const intent = this.#append("inject.intent", "", id);
    const outcome = fails ? (causes[fails.code]?.outcome ?? "aborted") : "ok";
    const record = this.#append("inject.result", outcome, id);
    const order = this.book.open ?? null;
    this.archive.log.since.push(attempt({ ...this.#overview, order }, device, intent, record, outcome));
    this.book.made(!fails, id);
    if (!fails) {
      this.#overview.counts.done++;
      return { state: "pass", id, serial, mac, record };
    }
    this.#overview.counts.failed++;
    return { state: "fail", ...fails, id, serial, mac, record, detail: fails.detail ?? null, gone: false };
  }

  #append(event: string, outcome: string, id: string, operator = this.#overview.operator): number {
    const holds = event !== "inject.result" ? "" : outcome === "ok" ? "new" : "old";
    const seq = this.#overview.records++;
    this.#records.unshift({ seq, time: new Date().toISOString(), event, outcome, holds, id, operator });
    return seq;
  }
}
