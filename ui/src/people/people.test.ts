// The administrators' room: two of them for every change, in place.

import { beforeEach, describe, expect, test, vi } from "vitest";

import {
  button,
  choose,
  click,
  fill,
  identify,
  inStillTime,
  openWindow,
  press,
  scan,
  settle,
  states,
  text,
  type,
} from "../bench";
import { FakeShell } from "../fake";
import type { Rooms } from "../rooms.svelte";
import { as } from "../scenes-people";

const SECOND = ["KS:ad-0002", "265358"] as const;

let rooms: Rooms;
let shell: FakeShell;

inStillTime("Date");

beforeEach(async () => {
  shell = new FakeShell(as("ad-0001"));
  rooms = await openWindow(shell);
  rooms.go("people");
  await settle();
});

const account = (user: string) => shell.staff.accounts.find((known) => known.user === user);
const alert = () => document.querySelector("[role=alert]")?.textContent.replace(/\s+/g, " ") ?? "";

describe("the list", () => {
  test("has everybody with roles and what is wrong with the account, and no badge", () => {
    const row = (user: string) =>
      [...document.querySelectorAll("tbody tr")].find((tr) => tr.textContent.includes(user))?.textContent;
    expect(row("cu-0301")).toContain("Custodian · Supervisor");
    expect(row("op-0098")).toContain("Disabled");
    expect(row("op-0133")).toContain("One-time PIN");
    expect(document.body.innerHTML).not.toContain("KS:");
  });

  test("says that two administrators are too few, until there are three", async () => {
    expect(document.querySelector("[role=status].few")?.textContent).toContain(
      "Fewer than three administrators",
    );
    const third = account("op-0121");
    if (third) third.roles = ["administrator"];
    await rooms.people.show();
    await settle();
    expect(document.querySelector(".few")).toBeNull();
  });

  test("is reached and left by the keyboard", async () => {
    button("Open op-0121").focus();
    await click("Open op-0121");
    expect(document.activeElement?.textContent).toContain("Back");
    await press("Escape");
    expect(states()).toContain("people");
  });
});

describe("a badge", () => {
  test("is taken away by two administrators, and the user ID is left", async () => {
    await click("Open op-0117");
    await click("New badge");
    expect(button("Ask the second administrator").disabled).toBe(true);
    await choose("No badge");
    await click("Ask the second administrator");
    expect(text()).toContain("Give op-0117 another badge, or none");
    expect(account("op-0117")?.badge).not.toBe("");
    await identify(...SECOND);
    expect(account("op-0117")?.badge).toBe("");
    expect(text()).toContain("No badge");
    await click("Give a badge");
    expect(text()).not.toContain("sign in with the user ID");
  });
});

describe("adding a person", () => {
  async function describePerson(): Promise<void> {
    await click("Add a person");
    await fill("User ID", "op-0140");
    await choose("Operator");
    await scan("KS:op-0140");
    await click("Next: one-time PIN");
    for (let time = 0; time < 2; time++) {
      await type("880168");
      await press("Enter");
    }
    await settle();
  }

  test("takes the second administrator, and the PIN is a one-time PIN", async () => {
    await describePerson();
    await click("Ask the second administrator");
    expect(text()).toContain("Add op-0140 as Operator");
    expect(account("op-0140")).toBeUndefined();
    await identify(...SECOND);
    expect(account("op-0140")).toMatchObject({ roles: ["operator"], badge: "KS:op-0140", once: true });
    expect(states()).toContain("person");
    expect(rooms.session.now?.user).toBe("ad-0001");
  });

  test.each([
    ["the same person", "KS:ad-0001", "314159", "same person"],
    ["somebody of another role", "KS:sv-0004", "161803", "another administrator"],
  ])("is not approved by %s", async (_, badge, pin, said) => {
    await describePerson();
    await click("Ask the second administrator");
    await identify(badge, pin);
    expect(alert()).toContain(said);
    expect(account("op-0140")).toBeUndefined();
    expect(states()).toContain("approval");
  });

  test("is not approved by an approval that is a minute old", async () => {
    await describePerson();
    const add = vi.spyOn(shell, "addPerson");
    const now = Date.now();
    add.mockImplementation((person, approval) => {
      shell.staff.now = () => now + 61_000;
      return shell.staff.addPerson(person, approval);
    });
    await click("Ask the second administrator");
    await identify(...SECOND);
    expect(alert()).toContain("older than a minute");
    expect(account("op-0140")).toBeUndefined();
  });

  test("cannot be asked for with roles that do not stand together", async () => {
    await click("Add a person");
    await fill("User ID", "qa-0008");
    await choose("QA");
    expect(button("Next: one-time PIN").disabled).toBe(false);
    await choose("Administrator");
    expect(button("Next: one-time PIN").disabled).toBe(true);
    expect(alert()).toContain("QA stands alone");
  });

  test("is forgotten by Escape while the second one is waited for, and by Escape again altogether", async () => {
    await describePerson();
    await click("Ask the second administrator");
    await press("Escape");
    expect(states()).toContain("add-person");
    await press("Escape");
    expect(states()).toContain("people");
    await click("Add a person");
    expect(rooms.people.draft.user).toBe("");
    expect(rooms.people.draft.badge).toBeUndefined();
  });
});

describe("changing an account", () => {
  test.each([
    ["roles", "Change roles"],
    ["standing", "Disable"],
  ])("%s: nothing is done before the second administrator approved", async (_, deed) => {
    const before = structuredClone(account("op-0121"));
    await click("Open op-0121");
    await click(deed);
    if (deed === "Disable") await fill("Reason", "Left");
    else await choose("Repair");
    await click("Ask the second administrator");
    expect(account("op-0121")).toEqual(before);
    await identify(...SECOND);
    expect(account("op-0121")).not.toEqual(before);
    expect(text()).toContain("put down in the log");
  });

  test("a reset PIN ends a lock-out and is a one-time PIN", async () => {
    let now = Date.now();
    shell.staff.now = () => (now += 61_000);
    for (let time = 0; time < 10; time++) shell.staff.check({ user: "op-0121" }, "000000");
    shell.staff.now = () => Date.now();
    await rooms.people.show();
    await settle();
    expect(text()).toContain("Locked: ten wrong PINs");
    await click("Open op-0121");
    await click("Reset PIN");
    for (let time = 0; time < 2; time++) {
      await type("880168");
      await press("Enter");
    }
    await click("Ask the second administrator");
    await identify(...SECOND);
    expect(account("op-0121")).toMatchObject({ pin: "880168", once: true });
    expect(shell.staff.check({ user: "op-0121" }, "880168").answer.outcome).toBe("open");
  });

  test("the last two administrators stay what they are", async () => {
    await click("Open ad-0001");
    await click("Disable");
    await fill("Reason", "Left");
    await click("Ask the second administrator");
    await identify(...SECOND);
    expect(alert()).toContain("Two active administrators");
    expect(account("ad-0001")?.active).toBe(true);
  });

  test("a lock takes the PIN, the badge and the approval that were half given", async () => {
    await click("Open op-0121");
    await click("Reset PIN");
    for (let time = 0; time < 2; time++) {
      await type("880168");
      await press("Enter");
    }
    await click("Ask the second administrator");
    await scan(SECOND[0]);
    await type("26");
    await press("l", { ctrlKey: true });
    expect(rooms.people.approving.request).toBeUndefined();
    expect(rooms.people.approving.entry.digits.count).toBe(0);
    expect(rooms.people.pin.stage).toBe("first");
  });

  test("another administrator finds nothing half done", async () => {
    await click("Open op-0121");
    await click("Disable");
    await fill("Reason", "Left");
    await press("l", { ctrlKey: true });
    await identify(...SECOND);
    rooms.go("people");
    await settle();
    expect(rooms.people.reason).toBe("");
    expect(states()).toContain("people");
  });
});

describe("a name", () => {
  const name = () => account("op-0121")?.name;

  test("is kept and erased by one administrator, and is in no record", async () => {
    const approve = vi.spyOn(shell, "approve");
    await click("Open op-0121");
    await click("Change the name");
    await fill("Name", "  Night shift  ");
    await click("Keep the name");
    expect(name()).toBe("Night shift");
    expect(text()).toContain("The name is kept, beside the log.");
    await click("Change the name");
    await click("Erase the name");
    expect(name()).toBe("");
    expect(text()).toContain("still have it");
    await click("Give a name");
    expect(() => button("Erase the name")).toThrow();
    expect(button("Keep the name").disabled).toBe(true);
    expect(approve).not.toHaveBeenCalled();
    expect((await shell.recent(50)).map(({ event }) => event)).not.toContain("user.name");
  });
});
