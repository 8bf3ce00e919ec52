// Who is there, as a person at the bench meets it: a badge, a PIN, and what the station says.

import { describe, expect, test, vi } from "vitest";

import {
  alert,
  button,
  click,
  field,
  fill,
  identify,
  inStillTime,
  openWindow,
  pass,
  press,
  scan,
  settle,
  slot,
  states,
  strip,
  text,
  type,
} from "../bench";
import type { Overview } from "../bindings/Overview";
import { failing, FakeShell, good, nobody, operator, station } from "../fake";
import type { Rooms } from "../rooms.svelte";

const shut: Overview = { ...station, session: nobody };
const unlocked: Overview = { ...station, locked: false };

let rooms: Rooms;

inStillTime("Date");

async function open(overview = shut, shell = new FakeShell(overview)): Promise<FakeShell> {
  rooms = await openWindow(shell);
  return shell;
}

const stage = () => document.querySelector<HTMLElement>("[data-stage]")?.dataset.stage;
const typed = () => document.querySelector<HTMLElement>("[data-digits]")?.dataset.digits;

describe("signing in", () => {
  test("is a badge, six digits and Enter, without a field touched, and asks for the vault then", async () => {
    const shell = await open(shut, new FakeShell(shut, "unlocked"));
    expect(document.querySelector("nav[aria-label=Rooms]")).toBeNull();
    await identify("KS:op-0121", "356237");
    expect(strip()).toContain("op-0121");
    expect(strip()).toContain("Operator");
    expect(slot()).toBe("Plug in a device");
    await shell.plug(1, good);
    await settle();
    expect(slot()).toBe("PASS");
  });

  test("takes the user ID too, from the field that has the focus", async () => {
    await open();
    expect(document.activeElement).toBe(field("User ID"));
    await type("op-0121");
    await press("Enter");
    expect(text()).toContain("op-0121");
    await type("356237");
    await press("Enter");
    await settle();
    expect(strip()).toContain("op-0121");
  });

  test("is done on the pad alone after the badge", async () => {
    await open();
    await scan("KS:op-0121");
    expect(button("Enter").disabled).toBe(true);
    for (const digit of "3562377") await click(digit);
    await click("Erase");
    await click("Enter");
    expect(strip()).toContain("op-0121");
  });

  test("an operator has the line and its orders, a custodian has the rooms of a custodian", async () => {
    await open();
    await identify("KS:op-0121", "356237");
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).toMatch(/^\s*Line\s*Orders\s*$/);
    await rooms.session.signOut();
    await settle();
    await identify("KS:cu-0302", "182845");
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).toMatch(/Line.*Keys/s);
    expect(document.querySelector("nav[aria-label=Rooms]")?.textContent).not.toMatch(/Audit|People/);
  });

  test("shows dots, and the digits nowhere in the page", async () => {
    await open();
    await scan("KS:op-0121");
    await type("987654");
    expect(typed()).toBe("6");
    const page = document.documentElement.outerHTML;
    expect(page).not.toMatch(/9.?8.?7.?6.?5.?4/);
    expect(page).not.toContain("KS:op-0121");
    await press("Enter");
    await settle();
    expect(typed()).toBe("0");
    expect(localStorage.length + sessionStorage.length).toBe(0);
  });

  test("sends no PIN that is too short", async () => {
    const shell = await open();
    const signIn = vi.spyOn(shell, "signIn");
    await scan("KS:op-0121");
    await type("35623");
    await press("Enter");
    expect(signIn).not.toHaveBeenCalled();
    expect(typed()).toBe("5");
  });
});

describe("a wrong PIN", () => {
  test("shows the tries that are left, and says the same of a user who does not exist", async () => {
    await open();
    await identify("KS:op-0121", "000000");
    const known = alert();
    expect(known).toContain("9 tries are left.");
    await click("Other person");
    await type("op-9999");
    await press("Enter");
    await type("000000");
    await press("Enter");
    await settle();
    expect(alert()).toBe(known);
  });

  test("has to be waited for from the third one on, and the pad is closed so long", async () => {
    await open();
    await identify("KS:op-0121", "000000");
    for (let time = 0; time < 2; time++) {
      await type("000000");
      await press("Enter");
      await settle();
    }
    expect(text()).toContain("Wait 30 s");
    expect(button("5").disabled).toBe(true);
    await type("356237");
    expect(typed()).toBe("0");
    await pass(12_000);
    expect(text()).toContain("Wait 18 s");
    await pass(19_000);
    expect(text()).not.toContain("Wait");
    await type("356237");
    await press("Enter");
    await settle();
    expect(strip()).toContain("op-0121");
  });

  test("locks the account with the tenth, also for the right PIN, and says who helps", async () => {
    const shell = await open();
    for (let time = 0; time < 10; time++) {
      shell.staff.check({ user: "op-0121" }, "000000");
      await pass(61_000);
    }
    await identify("KS:op-0121", "356237");
    expect(alert()).toContain("Two administrators");
    expect(stage()).toBe("who");
    expect(rooms.session.now?.state).toBe("none");
  });
});

describe("a scanner", () => {
  test("that types while the PIN is asked for gives no PIN and no command", async () => {
    const shell = await open();
    const signIn = vi.spyOn(shell, "signIn");
    await scan("KS:op-0121");
    await scan("356237");
    expect(signIn).not.toHaveBeenCalled();
    expect(typed()).toBe("0");
    expect(alert()).toContain("Type the PIN by hand");
  });

  test("gives no PIN without its Enter either, nor behind digits by hand", async () => {
    const shell = await open();
    const signIn = vi.spyOn(shell, "signIn");
    await scan("KS:op-0121");
    for (const [at, key] of "356237".split("").entries()) await press(key, { after: at === 0 ? 1000 : 8 });
    expect(typed()).toBe("0");
    await type("35");
    await scan("6237");
    expect(typed()).toBe("0");
    expect(signIn).not.toHaveBeenCalled();
  });

  test("two scans in one breath are the badge, and no PIN", async () => {
    await open();
    await scan("KS:op-0121");
    for (const key of ["K", "S", ":", "o", "p", "Enter"]) await press(key, { after: 8 });
    expect(stage()).toBe("pin");
    expect(typed()).toBe("0");
    await type("356237");
    await press("Enter");
    await settle();
    expect(strip()).toContain("op-0121");
  });

  test.each([
    ["is too long", "x".repeat(200)],
    ["is four kilobytes", "7".repeat(4096)],
  ])("a barcode that %s is no badge", async (_, code) => {
    await open();
    await scan(code);
    expect(stage()).toBe("who");
    expect(alert()).toContain("no badge");
  });

  test("a barcode with control characters is no badge, and triggers nothing", async () => {
    await open(unlocked);
    await press("a");
    for (const key of ["l", "h", "2"]) await press(key, { after: 8, ctrlKey: true });
    await press("Escape", { after: 8 });
    await press("Enter", { after: 8 });
    expect(states()).toContain("waiting");
    await press("h", { ctrlKey: true });
    expect(states()).toContain("hand-over");
    await press("K");
    await press("r", { after: 8, ctrlKey: true });
    for (const key of ["S", ":", "x", "Enter"]) await press(key, { after: 8 });
    expect(stage()).toBe("who");
    expect(alert()).toContain("no badge");
  });

  test("in a room of a person who is signed in means nothing", async () => {
    const shell = await open(unlocked);
    await shell.plug(1, failing);
    await scan("KS:op-0121");
    expect(slot()).toBe("FAIL");
    expect(rooms.session.now?.user).toBe("op-0117");
  });
});

describe("a one-time PIN", () => {
  const once: Overview = { ...station, session: { ...operator, user: "op-0133", mustChangePin: true } };

  test("is changed before anything else", async () => {
    await open(once);
    expect(states()).toContain("change-pin");
    expect(document.querySelector("nav[aria-label=Rooms]")).toBeNull();
    await type("309504");
    await press("Enter");
    for (let time = 0; time < 2; time++) {
      await type("880168");
      await press("Enter");
    }
    await settle();
    expect(states()).not.toContain("change-pin");
    expect(rooms.session.now?.mustChangePin).toBe(false);
  });

  test("is asked for again where the two new ones differ, or are too easy", async () => {
    await open(once);
    await type("309504");
    await press("Enter");
    await type("880168");
    await press("Enter");
    await type("880169");
    await press("Enter");
    expect(alert()).toContain("not the same");
    for (let time = 0; time < 2; time++) {
      await type("123456");
      await press("Enter");
    }
    await settle();
    expect(alert()).toContain("guessed too easily");
    expect(rooms.session.now?.mustChangePin).toBe(true);
  });
});

describe("first start", () => {
  const empty: Overview = { ...station, session: { ...nobody, state: "first-start" } };

  async function describePerson(user: string, badge: string, pin: string): Promise<void> {
    await fill("User ID", user);
    await scan(badge);
    await click("Next: PIN");
    for (let time = 0; time < 2; time++) {
      await type(pin);
      await press("Enter");
    }
    await settle();
  }

  test("makes two administrators, who sign in then", async () => {
    const shell = await open(empty);
    await describePerson("ad-0001", "KS:one", "314159");
    await describePerson("ad-0002", "KS:two", "265358");
    await click(/Begin with/);
    expect(states()).toContain("door-none");
    expect(shell.staff.accounts.map(({ user, roles, badge }) => [user, roles, badge])).toEqual([
      ["ad-0001", ["administrator"], "KS:one"],
      ["ad-0002", ["administrator"], "KS:two"],
    ]);
    await identify("KS:one", "314159");
    expect(rooms.all).toEqual(["audit", "keys", "people"]);
  });

  test("does not take one person for both", async () => {
    const shell = await open(empty);
    await describePerson("ad-0001", "KS:one", "314159");
    await describePerson("ad-0001", "KS:two", "265358");
    await click(/Begin with/);
    expect(alert()).toContain("same person");
    expect(shell.staff.accounts).toEqual([]);
  });

  test("a badge that is scanned into a field does not stay there", async () => {
    await open(empty);
    field("User ID").focus();
    await type("ad-1");
    await scan("KS:one");
    expect(field("User ID").value).toBe("ad-1");
    expect(text()).toContain("Badge read");
    expect(document.body.innerHTML).not.toContain("KS:one");
  });
});
