// The work orders: which there are, what is open, where their devices are.

import type { OrderState } from "../../bindings/OrderState";
import { plurals } from "../plural";

const plural = plurals("en");

const states: Record<OrderState, string> = { waiting: "Waiting", open: "Open", closed: "Closed" };

const means: Record<OrderState, string> = {
  waiting: "Nothing is made under it now.",
  open: "Every new device is made under it.",
  closed: "It is closed for good.",
};

export const orders = {
  states,
  means,
  title: "Work orders",
  none: "There is no work order yet.",
  scan: "Scan the barcode of a work order, or choose one.",
  of: (passed: string, quantity: string) => `${passed} of ${quantity}`,
  bar: (passed: string, quantity: string) => `${passed} of ${quantity} devices passed`,
  counts: {
    left: (n: string) => `${n} places left`,
    failed: (n: string) => `${n} failed`,
    open: (n: string) => `${n} open`,
    scrapped: (n: string) => `${n} scrap`,
  },
  page: {
    title: "Work order",
    customer: "Customer",
    profile: "Profile",
    days: "Days, UTC",
    key: "Group key",
    devices: "Devices",
    signed: "Signed by",
    notSigned: "nobody",
    by: "Brought by",
    any: "every device",
    maker: (list: string) => `maker ${list}`,
    form: (form: string) => `serial number ${form}`,
    listed: (n: number, shown: string) =>
      plural(n, { one: `${shown} device of a list`, other: `${shown} devices of a list` }),
    supervisor: "A supervisor closes it, puts devices down as scrap and allows more.",
  },
  missing: {
    title: "Not accounted for",
    begun: "Begun, and neither passed nor scrap",
    neverSeen: "On the list, and never seen",
    more: (n: string) => `and ${n} more`,
    none: "Every device that was begun is accounted for.",
    short: (n: number, shown: string) =>
      plural(n, {
        one: `${shown} device short of the quantity`,
        other: `${shown} devices short of the quantity`,
      }),
    scrap: (device: string) => `Put ${device} down as scrap`,
  },
  open: "Open this work order",
  scanAgain: "Enter opens it, or the same barcode again. The one that is open now waits.",
  reason: "Reason, for the log",
  deeds: {
    close: {
      name: "Close",
      title: "Close this work order",
      says: "It stays closed. Fewer devices than ordered take a reason.",
      ask: "Close it for good",
    },
    scrap: {
      name: "Scrap",
      title: "Put a device down as scrap",
      says: "Nothing is made of it under this order any more.",
      ask: "Put down as scrap",
    },
    raise: {
      name: "Allow more",
      title: "Allow more devices",
      says: "Another person approves it here. Nothing lowers the quantity again.",
      ask: "Ask the second person",
    },
  },
  device: "Registration ID, MAC address or serial number: scan or type it",
  unseen: "All of the list that nobody saw",
  quantity: "So many devices from now on",
  making: {
    name: "New work order",
    title: "New work order",
    file: {
      title: "From its file",
      says: "The text of the order, or the note that its customer signed.",
      deed: "Choose the file",
    },
    list: {
      title: "From a list of devices",
      says: "A spreadsheet as CSV, with the columns serial and mac, or one of them.",
      deed: "Choose the list",
    },
    asking: "Choose the file in its own window",
    cancelled: "No file was chosen: there is no new work order.",
    id: "ID of the work order",
    customer: "Customer",
    profile: "File of the product profile",
    key: "Label of the group key",
    checkValue: "Check value, from the paper",
    from: "First day, UTC",
    until: "Last day, UTC",
    quantity: "Devices; empty: as many as are listed",
  },
};
