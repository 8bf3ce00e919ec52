// What the page knows of the program around it. `ipc.ts` is the real one, `fake.ts` the one for trying and testing.

import type { AddedPerson } from "./bindings/AddedPerson";
import type { Approval } from "./bindings/Approval";
import type { ApprovalRequest } from "./bindings/ApprovalRequest";
import type { BatchFrom } from "./bindings/BatchFrom";
import type { BatchLine } from "./bindings/BatchLine";
import type { BatchNow } from "./bindings/BatchNow";
import type { BatchPage } from "./bindings/BatchPage";
import type { BatchRequest } from "./bindings/BatchRequest";
import type { CardUpdate } from "./bindings/CardUpdate";
import type { Ceremony } from "./bindings/Ceremony";
import type { CheckPlaces } from "./bindings/CheckPlaces";
import type { CheckReport } from "./bindings/CheckReport";
import type { CleanupLine } from "./bindings/CleanupLine";
import type { ComponentOutcome } from "./bindings/ComponentOutcome";
import type { CreatedOrder } from "./bindings/CreatedOrder";
import type { Custody } from "./bindings/Custody";
import type { DenialPage } from "./bindings/DenialPage";
import type { DeviceLife } from "./bindings/DeviceLife";
import type { Figures } from "./bindings/Figures";
import type { Imported } from "./bindings/Imported";
import type { KeyCard } from "./bindings/KeyCard";
import type { KeyDevices } from "./bindings/KeyDevices";
import type { NewKey } from "./bindings/NewKey";
import type { NewOrder } from "./bindings/NewOrder";
import type { NewPerson } from "./bindings/NewPerson";
import type { OrderLine } from "./bindings/OrderLine";
import type { OrderPage } from "./bindings/OrderPage";
import type { Overview } from "./bindings/Overview";
import type { PersonLine } from "./bindings/PersonLine";
import type { Problem } from "./bindings/Problem";
import type { RecordLine } from "./bindings/RecordLine";
import type { RekeyAsked } from "./bindings/RekeyAsked";
import type { RekeyOutcome } from "./bindings/RekeyOutcome";
import type { RekeyWhy } from "./bindings/RekeyWhy";
import type { RepairDevice } from "./bindings/RepairDevice";
import type { RepairPlaces } from "./bindings/RepairPlaces";
import type { Review } from "./bindings/Review";
import type { ReviewLine } from "./bindings/ReviewLine";
import type { Role } from "./bindings/Role";
import type { Saved } from "./bindings/Saved";
import type { ScanLine } from "./bindings/ScanLine";
import type { SearchPage } from "./bindings/SearchPage";
import type { ShiftReport } from "./bindings/ShiftReport";
import type { SignIn } from "./bindings/SignIn";
import type { TakenOutLine } from "./bindings/TakenOutLine";
import type { TakeOutAsked } from "./bindings/TakeOutAsked";
import type { UnlockOutcome } from "./bindings/UnlockOutcome";
import type { VerifyProgress } from "./bindings/VerifyProgress";
import type { VerifyVerdict } from "./bindings/VerifyVerdict";
import type { Who } from "./bindings/Who";

/** What the audit room asks. Every method rejects with a {@link Problem}. */
export interface Archive {
  /** Devices that were on a port, newest first, at most `limit` of them, older than record `before`. */
  search(text: string, before: number | null, limit: number): Promise<SearchPage>;
  /** Everything that the log holds of a registration ID; `no-device` where it holds nothing. */
  device(id: string): Promise<DeviceLife>;
  /** Writes the inclusion proof of a device to a file, never over another. */
  saveProof(id: string): Promise<Saved>;
  /** Checks the whole log. One check at a time. */
  verify(onProgress: (progress: VerifyProgress) => void): Promise<VerifyVerdict>;
  /** Ends the check that runs; its verdict is `cancelled` then. */
  cancelVerify(): Promise<void>;
  /** Figures from `from` on and before `until`, UTC, milliseconds since 1970, of one work order or all. */
  figures(from: number, until: number, job: string | null): Promise<Figures>;
  /** Who asked for what is not permitted, newest first, at most `limit` of them, before record `before`. */
  denials(before: number | null, limit: number): Promise<DenialPage>;
  /** The last review, and what one that is signed now would cover. */
  review(): Promise<Review>;
  /** Appends the review to the log; `read-only` where this window cannot. */
  signReview(reviewer: string, to: number, remark: string): Promise<ReviewLine>;
  /** Where a finished device can be looked at, and by which profiles. */
  checkPlaces(): Promise<CheckPlaces>;
  /** Looks at the device on a port; the custody is asked for in a dialog, and `null` says that nobody opened it. */
  checkDevice(port: string, profile: string): Promise<CheckReport | null>;
}

/** Who is at the station. A PIN passes here and is kept nowhere. Every method rejects with a {@link Problem}. */
export interface Door {
  /** Signs in; takes over from who is signed in, or comes back after a lock. */
  signIn(who: Who, pin: string): Promise<SignIn>;
  /** What the person who is signed in made in this session: before they leave or hand over. */
  shiftReport(): Promise<ShiftReport>;
  /** Asks for a folder outside of the page, and writes the same there as a signed file; null if the person gave up. */
  saveShiftReport(): Promise<Saved | null>;
  signOut(): Promise<void>;
  /** Locks the session and wipes the keys; the same person comes back, or another takes over. */
  away(): Promise<void>;
  /** Somebody is here. */
  touch(): Promise<void>;
  /** A PIN of one's own instead of the old one, or of the one-time PIN. */
  changePin(old: string, pin: string): Promise<SignIn>;
  /** First start: two people become the administrators. */
  beginPeople(first: NewPerson, second: NewPerson): Promise<void>;
  /** A second person approves this one request. */
  approve(request: ApprovalRequest, who: Who, pin: string): Promise<Approval>;
}

/** Who has an account. What takes an approval is refused without. Every method rejects with a {@link Problem}. */
export interface Staff {
  people(): Promise<PersonLine[]>;
  addPerson(person: AddedPerson, approval: number): Promise<void>;
  setRoles(user: string, roles: Role[], approval: number): Promise<void>;
  disablePerson(user: string, reason: string, approval: number): Promise<void>;
  enablePerson(user: string, reason: string, approval: number): Promise<void>;
  /** Gives a one-time PIN and ends a lock-out. */
  resetPin(user: string, pin: string, approval: number): Promise<void>;
  /** Another badge, or none any more. */
  setBadge(user: string, badge: string | null, approval: number): Promise<void>;
  /** The name behind an ID: it stands outside of the log, and nobody approves it. */
  setName(user: string, name: string): Promise<void>;
  /** Erases the name behind an ID; whether there was one. */
  forgetName(user: string): Promise<boolean>;
}

/** The group keys. None of them, and no component, passes here. Every method rejects with a {@link Problem}. */
export interface KeyRing {
  keys(): Promise<KeyCard[]>;
  /** Where a new key can lie. */
  custodies(): Promise<Custody[]>;
  /** Devices that die with a key, those after record `after` first. */
  keyDevices(label: string, after: number | null): Promise<KeyDevices>;
  /** `checkValue` is what somebody typed from the paper; another one than the key's is refused. */
  activateKey(label: string, reason: string, checkValue: string, approval: number | null): Promise<void>;
  /** The emergency stop: nobody approves it. */
  suspendKey(label: string, reason: string): Promise<void>;
  destroyKey(label: string, reason: string, approval: number | null): Promise<void>;
  /** Asks for the key outside of the page. It has to have `checkValue`, which stands on the paper of its owner. */
  importKey(key: NewKey, checkValue: string, approval: number): Promise<Imported>;
  /** The station's public key that a group key is sealed to; made when it is asked for first. */
  recipient(): Promise<string>;
  /** Takes the sealed file of that label. */
  takeTransfer(key: NewKey, checkValue: string, approval: number): Promise<Imported>;
  /** The ceremony that is under way, or came to its end last. */
  ceremony(): Promise<Ceremony | null>;
  /** `checkValue` is what the key has to have: it stands on the paper of both. */
  ceremonyBegin(key: NewKey, checkValue: string): Promise<Ceremony>;
  ceremonySignIn(side: 0 | 1, who: Who, pin: string): Promise<SignIn>;
  /** Asks for the component outside of the page. */
  ceremonyComponent(side: 0 | 1): Promise<ComponentOutcome>;
  /** Whether the check value on the paper is that of the component. If it is not, the ceremony has ended. */
  ceremonyConfirm(side: 0 | 1, checkValue: string): Promise<boolean>;
  ceremonyFinish(checkValue: string): Promise<Ceremony>;
  ceremonyAbort(): Promise<void>;
}

/** The work orders. Every method rejects with a {@link Problem}. */
export interface OrderBook {
  /** All of them, by ID. */
  orders(): Promise<OrderLine[]>;
  order(id: string): Promise<OrderPage>;
  /** Asks for a file outside of the page: the order, or with `parts` the list of its devices. */
  createOrder(parts: NewOrder | null): Promise<CreatedOrder>;
  /** Makes devices under it from now on; the one that was open waits. */
  openOrder(id: string): Promise<void>;
  /** Closes it for good; `reason` says why fewer than ordered, or is empty. */
  closeOrder(id: string, reason: string): Promise<void>;
  /** Puts a device down as scrap; without one, every device of the list that nobody saw. How many. */
  scrapDevice(id: string, device: string | null, reason: string): Promise<number>;
  /** Allows more devices. Another person approves it. */
  raiseQuota(id: string, quantity: number, reason: string, approval: number): Promise<void>;
}

/** Devices that come back. What is asked for says what a second person approves. Every method rejects with a {@link Problem}. */
export interface RepairShop {
  repairPlaces(): Promise<RepairPlaces>;
  /** Looks at the device in a slot of repair; nothing is written to it. */
  look(slot: number, profile: string): Promise<RepairDevice>;
  /** The record of a device, by its registration ID, MAC address or serial number. */
  lookUp(device: string): Promise<RepairDevice>;
  askRekey(asked: RekeyAsked): Promise<ApprovalRequest>;
  rekeyDevice(asked: RekeyAsked, approval: number): Promise<RekeyOutcome>;
  askTakeOut(asked: TakeOutAsked): Promise<ApprovalRequest>;
  takeOut(asked: TakeOutAsked, approval: number): Promise<TakenOutLine>;
  /** The newest first. */
  batches(): Promise<BatchLine[]>;
  batch(id: string): Promise<BatchPage>;
  batchNow(): Promise<BatchNow | null>;
  /** Asks for the list outside of the page; null if the person gave up. */
  askBatch(from: BatchFrom, profile: string, why: RekeyWhy): Promise<BatchRequest | null>;
  /** Opens the one that was asked for last. Its ID. */
  openBatch(approval: number): Promise<string>;
  /** Has the slots of repair work on it. */
  startBatch(id: string): Promise<void>;
  pauseBatch(paused: boolean): Promise<void>;
  /** Gives the slots back. */
  stopBatch(): Promise<void>;
  /** Closes it for good. */
  closeBatch(id: string): Promise<void>;
  /** Asks for a folder outside of the page, and writes the reconciliation there; null if the person gave up. */
  saveBatch(id: string): Promise<Saved | null>;
  /** The same for the list of what is to be blocked in the cloud. */
  saveCleanup(all: boolean): Promise<CleanupLine | null>;
  /** Asks for a list that was done outside of the page; null if the person gave up. */
  askCleanedUp(): Promise<ApprovalRequest | null>;
  cleanedUp(approval: number): Promise<CleanupLine>;
}

/** Every method rejects with a {@link Problem}. */
export interface Shell extends Archive, Door, Staff, KeyRing, OrderBook, RepairShop {
  /** Station, session, key, counts, slots. */
  overview(): Promise<Overview>;
  /** The last `count` records, newest first. */
  recent(count: number): Promise<RecordLine[]>;
  /**
   * Tells the card of every slot and what was scanned at once, then each change of either. A second call replaces the first.
   */
  watch(onCard: (update: CardUpdate) => void, onScan: (scans: ScanLine) => void): Promise<void>;
  /** What a scanner typed: a label, or the code of a slot. */
  scan(text: string): Promise<void>;
  /** Puts a slot back that was taken out. */
  putBack(slot: number): Promise<void>;
  /** The operator has seen the FAIL of a slot. */
  acknowledge(slot: number): Promise<void>;
  /** Asks for the passphrase outside of the page, and unlocks the vault with it. */
  unlock(): Promise<UnlockOutcome>;
  /** Wipes the keys. */
  lock(): Promise<void>;
}

/** What went wrong, also when it is not the shell that says so. */
export function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  return {
    code: "window-failed",
    sentence: "The window cannot talk to the station.",
    remedy: ["Close the window.", "Start the station again.", "Again: call the administrator."],
  };
}

/** Does `call`, and gives what went wrong with it, if something did. */
export async function tried(call: () => Promise<void>): Promise<Problem | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

function isProblem(error: unknown): error is Problem {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    "sentence" in error &&
    "remedy" in error &&
    Array.isArray(error.remedy)
  );
}
