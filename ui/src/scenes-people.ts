// Who is there, and who has an account, in every state of it.

import type { Overview } from "./bindings/Overview";
import type { SessionLine } from "./bindings/SessionLine";
import { failing, FakeShell, good, nobody, operator, station } from "./fake";
import { roomsOf, roster } from "./fake/roster";
import { longShift } from "./fake/shift";
import type { Entry } from "./people/entry.svelte";
import type { Rooms } from "./rooms.svelte";
import type { Scene } from "./scenes";

const open: Overview = { ...station, locked: false };

/** The station with this person of the roster at it. */
export function as(user: string, overview = open): Overview {
  const account = roster().find((known) => known.user === user);
  if (!account) throw new Error(`nobody is called ${user}`);
  const { name, roles, once } = account;
  const session: SessionLine = { ...operator, user, name, roles, mustChangePin: once };
  return { ...overview, operator: user, session, rooms: roomsOf(roles) };
}

/** The station with nobody at it, or nobody who may act. */
function shut(state: SessionLine["state"]): Overview {
  return {
    ...station,
    session: state === "away" || state === "expired" ? { ...operator, state } : { ...nobody, state },
  };
}

/** What only a training has. */
const training = {
  station: "keylog.example.com/keystation/training",
  training: true,
  example: { user: "trainee", pin: "274190" },
};

type Act = (rooms: Rooms, fake: FakeShell) => unknown;

export function scene(overview: Overview, act: Act = () => undefined): () => Promise<Scene> {
  return () => {
    const shell = new FakeShell(overview);
    return Promise.resolve({
      shell,
      act: async (rooms) => {
        await act(rooms, shell);
      },
    });
  };
}

function digits(entry: { digit: (digit: string) => void }, pin: string): void {
  for (const digit of pin) entry.digit(digit);
}

export async function identify(entry: Entry, badge: string, pin: string): Promise<void> {
  entry.badge(badge);
  digits(entry, pin);
  await entry.enter();
}

/** So many wrong PINs, without the waiting. */
async function wrong(rooms: Rooms, fake: FakeShell, times: number): Promise<void> {
  let now = Date.now();
  fake.staff.now = () => now;
  for (let time = 0; time < times; time++) {
    now += 61_000;
    await identify(rooms.session.entry, "KS:op-0117", "000000");
    rooms.session.entry.tick(Infinity);
  }
}

const evil = "<b onclick=alert(1)>\u202e";

/** The administrators' room, and what one of them does there. */
function people(act: Act = () => undefined, overview = as("ad-0001")): () => Promise<Scene> {
  return scene(overview, async (rooms, fake) => {
    rooms.go("people");
    await rooms.people.show();
    await act(rooms, fake);
  });
}

export const peopleScenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  "first-start": scene(shut("first-start")),
  "first-start-pin": scene(shut("first-start"), ({ session: { beginning } }) => {
    beginning.drafts[0].user = "ad-0001";
    beginning.described();
    digits(beginning.drafts[0].pin, "3141");
  }),
  "first-start-second": scene(shut("first-start"), ({ session: { beginning } }) => {
    chosen(beginning.drafts[0], "ad-0001", "314159");
  }),
  "first-start-ready": scene(shut("first-start"), ({ session: { beginning } }) => {
    chosen(beginning.drafts[0], "ad-0001", "314159");
    chosen(beginning.drafts[1], "ad-0002", "265358");
  }),
  "first-start-refused": scene(shut("first-start"), async ({ session: { beginning } }) => {
    chosen(beginning.drafts[0], "ad-0001", "314159");
    chosen(beginning.drafts[1], "ad-0002", "123456");
    await beginning.begin();
  }),
  "sign-in": scene(shut("none")),
  "sign-in-no-slot": scene({ ...shut("none"), slots: [], key: null }),
  "sign-in-id": scene(shut("none"), ({ session }) => {
    session.entry.id = "op-0117";
  }),
  "sign-in-pin": scene(shut("none"), ({ session }) => {
    session.entry.badge("KS:op-0117");
    digits(session.entry, "1414");
  }),
  "sign-in-no-badge": scene(shut("none"), ({ session }) => {
    session.entry.badge(undefined);
  }),
  "sign-in-scan-in-pin": scene(shut("none"), ({ session }) => {
    session.entry.badge("KS:op-0117");
    session.entry.badge("007888");
  }),
  "sign-in-wrong": scene(shut("none"), (rooms, fake) => wrong(rooms, fake, 2)),
  "sign-in-wait": scene(shut("none"), async (rooms, fake) => {
    await wrong(rooms, fake, 3);
    await identify(rooms.session.entry, "KS:op-0117", "000000");
  }),
  "sign-in-locked-out": scene(shut("none"), (rooms, fake) => wrong(rooms, fake, 10)),
  "sign-in-four": scene({ ...shut("none"), slots: four() }, async (rooms, fake) => {
    await fake.signIn({ user: "op-0117" }, "141421");
    fake.passphrase = "unlocked";
    await fake.unlock();
    await fake.plug(1, good);
    await fake.plug(3, failing);
    await fake.away();
    await rooms.line.refresh();
  }),
  away: scene(shut("away")),
  "away-fail": scene(open, async ({ session }, fake) => {
    await fake.plug(1, failing);
    await session.away();
  }),
  "away-pass": scene(open, async ({ session }, fake) => {
    await fake.plug(1, good);
    await session.away();
  }),
  expired: scene(shut("expired")),
  soon: scene(open, async ({ line }, fake) => {
    const now = Date.now() + 277_000;
    fake.staff.now = () => now;
    await line.refresh();
  }),
  "soon-hours": scene(open, async ({ line }, fake) => {
    const now = Date.now() + 12 * 3_600_000 - 23_000;
    fake.staff.now = () => now;
    await fake.touch();
    await line.refresh();
  }),
  "hand-over": scene(open, ({ session }) => {
    session.handOver();
  }),
  "hand-over-pin": scene(open, ({ session }, fake) => {
    fake.pace = () => new Promise(() => undefined);
    void fake.plug(1, good);
    session.handOver();
    session.entry.badge("KS:op-0121");
    digits(session.entry, "35");
  }),
  "handed-over": scene(open, async ({ session }) => {
    session.handOver();
    await identify(session.entry, "KS:op-0121", "356237");
  }),
  "hand-over-hostile": scene(
    { ...open, session: { ...operator, name: `${evil}name`, user: `${evil}user` } },
    ({ session }) => {
      session.handOver();
    },
  ),
  "change-pin": scene(as("op-0133")),
  "change-pin-again": scene(as("op-0133"), ({ session: { pinning } }) => {
    digits(pinning, "309504");
    pinning.enter();
    digits(pinning, "880168");
    pinning.enter();
    digits(pinning, "88");
  }),
  "change-pin-weak": scene(as("op-0133"), async ({ session }, fake) => {
    const { pinning } = session;
    for (const pin of ["309504", "111111", "111111"]) {
      digits(pinning, pin);
      pinning.enter();
    }
    await fake.touch();
  }),
  people: people(),
  "people-locked-out": people(async ({ people: room }, fake) => {
    let now = Date.now();
    fake.staff.now = () => (now += 61_000);
    for (let time = 0; time < 10; time++) fake.staff.check({ user: "op-0121" }, "000000");
    await room.show();
    room.open("op-0121");
  }),
  person: people(({ people: room }) => {
    room.open("op-0117");
  }),
  "person-own": people(({ people: room }) => {
    room.open("ad-0001");
  }),
  "person-disabled": people(({ people: room }) => {
    room.open("op-0098");
  }),
  "person-roles": people(({ people: room }) => {
    room.open("op-0121");
    room.choose("roles");
  }),
  "person-clash": people(({ people: room }) => {
    room.open("qa-0007");
    room.choose("roles");
    room.roles = ["qa", "administrator"];
  }),
  "person-badge": people(({ people: room }) => {
    room.open("op-0133");
    room.choose("badge");
  }),
  "person-no-badge": people(({ people: room }) => {
    room.open("op-0117");
    room.choose("badge");
    room.noBadge = true;
  }),
  "person-pin": people(({ people: room }) => {
    room.open("op-0121");
    room.choose("pin");
    digits(room.pin, "5");
  }),
  "person-disable": people(({ people: room }) => {
    room.open("op-0117");
    room.choose("standing");
    room.reason = "Badge lost";
  }),
  "approval-person": people(({ people: room }) => {
    room.open("op-0117");
    room.choose("standing");
    room.reason = "Badge lost";
    room.ask();
  }),
  "approval-same-person": people(async ({ people: room }) => {
    room.open("op-0117");
    room.choose("standing");
    room.reason = "Badge lost";
    room.ask();
    await identify(room.approving.entry, "KS:ad-0001", "314159");
  }),
  "approval-pin": people(({ people: room }) => {
    room.open("op-0117");
    room.choose("standing");
    room.reason = "Badge lost";
    room.ask();
    room.approving.entry.badge("KS:ad-0002");
    digits(room.approving.entry, "2653");
  }),
  "person-done": people(async ({ people: room }) => {
    room.open("op-0121");
    room.choose("roles");
    room.roles = ["operator", "repair"];
    room.ask();
    await identify(room.approving.entry, "KS:ad-0002", "265358");
  }),
  "person-refused": people(async ({ people: room }) => {
    room.open("ad-0001");
    room.choose("standing");
    room.reason = "Left";
    room.ask();
    await identify(room.approving.entry, "KS:ad-0002", "265358");
  }),
  "add-person": people(({ people: room }) => {
    room.add();
    room.draft.user = "op-0140";
    room.draft.roles = ["operator"];
  }),
  "add-person-pin": people(({ people: room }) => {
    room.add();
    room.draft.user = "op-0140";
    room.draft.roles = ["operator"];
    room.typing = true;
    digits(room.draft.pin, "880");
  }),
  "add-person-ready": people(({ people: room }) => {
    room.add();
    chosen(room.draft, "op-0140", "880168");
    room.draft.badge = "KS:op-0140";
    room.draft.roles = ["operator", "repair"];
  }),
  "people-hostile": people(async ({ people: room }, fake) => {
    const [first] = fake.staff.accounts;
    if (first) Object.assign(first, { name: `${evil}name${"9".repeat(90)}`, user: evil.slice(0, 30) });
    await room.show();
  }),
  "training-door": scene({ ...shut("none"), ...training }),
  training: scene({ ...open, ...training }),
  "hand-over-training": scene({ ...open, ...training }, ({ session }) => {
    session.handOver();
  }),
  shift: scene(open, async ({ session }) => {
    session.handOver();
    await session.shift.show();
  }),
  "shift-saved": scene(open, async ({ session }, fake) => {
    fake.shift = longShift(open);
    session.handOver();
    await session.shift.show();
    await session.shift.save();
  }),
  "shift-unknown": scene({ ...open, counts: { done: 0, failed: 0 } }, async ({ session }, fake) => {
    fake.shift = {
      code: "log-unreadable",
      sentence: "The log cannot be read: disk I/O error.",
      remedy: ["Call QA: Audit, Verify says what is wrong.", "Call the administrator."],
    };
    session.handOver();
    await session.shift.show();
  }),
};

/** A person whose PIN is chosen. */
function chosen(draft: Rooms["people"]["draft"], user: string, pin: string): void {
  draft.user = user;
  for (let time = 0; time < 2; time++) {
    digits(draft.pin, pin);
    draft.pin.enter();
  }
}

function four(): Overview["slots"] {
  return [1, 2, 3, 4].map((number) => ({
    number,
    port: `/dev/ttyUSB${number - 1}`,
    profile: "env-sensor 2",
    scans: false,
  }));
}
