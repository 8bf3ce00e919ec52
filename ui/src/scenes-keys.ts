// The keys room in every state that it can be in.

import type { NewKey } from "./bindings/NewKey";
import type { Problem } from "./bindings/Problem";
import type { FakeShell } from "./fake";
import { newCheckValue } from "./fake/keys";
import type { Keys } from "./keys/keys.svelte";
import type { Scene } from "./scenes";
import { as, identify, scene } from "./scenes-people";

const LEFT = ["KS:cu-0301", "271828"] as const;
const RIGHT = ["KS:cu-0302", "182845"] as const;

function room(
  act: (keys: Keys, fake: FakeShell) => unknown = () => undefined,
  user = "cu-0301",
): () => Promise<Scene> {
  return scene(as(user), async (rooms, fake) => {
    rooms.go("keys");
    await rooms.keys.show();
    await act(rooms.keys, fake);
  });
}

const fresh: NewKey = {
  label: "gk-2027a",
  group: "env-sensors",
  scope: "0ne00EMU001",
  slot: "primary",
  custody: "pkcs11",
};

function describe(keys: Keys, key = fresh): void {
  Object.assign(keys.draft, key, { checkValue: newCheckValue });
}

async function importing(keys: Keys, fake: FakeShell, dialog: FakeShell["ring"]["dialog"]): Promise<void> {
  await keys.show("import");
  fake.ring.dialog = dialog;
  describe(keys);
  keys.bring("import");
  await identify(keys.approving.entry, ...RIGHT);
}

/** A ceremony as far as its left custodian is signed in. */
async function seated(keys: Keys): Promise<void> {
  await keys.show("ceremony");
  describe(keys);
  keys.table.checkValue = newCheckValue;
  await keys.table.begin(fresh);
  await identify(keys.table.entries[0], ...LEFT);
}

async function given(keys: Keys, fake: FakeShell, side: 0 | 1): Promise<void> {
  await keys.table.give();
  keys.table.typed = fake.ring.papers[side];
  await keys.table.confirm();
}

/** And as far as the left one has given its component, and the right one is at the table. */
async function second(keys: Keys, fake: FakeShell): Promise<void> {
  await seated(keys);
  await given(keys, fake, 0);
  keys.table.sit(1);
}

async function agreed(keys: Keys, fake: FakeShell): Promise<void> {
  await second(keys, fake);
  await identify(keys.table.entries[1], ...RIGHT);
  await given(keys, fake, 1);
}

/** The custodian who is at the table signed in too long ago. */
async function expired(keys: Keys, fake: FakeShell): Promise<void> {
  const now = Date.now() + 301_000;
  fake.staff.now = () => now;
  await fake.touch();
  await keys.table.give();
}

const tokenGone: Problem = {
  code: "token-gone",
  sentence: "The token does not answer.",
  remedy: ["Plug the token in again.", "Again: call the administrator."],
};

const evil = "<b onclick=alert(1)>\u202e";

export const keyScenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  keys: room(),
  "keys-supervisor": room(undefined, "sv-0004"),
  "keys-none": room(async (keys, fake) => {
    fake.ring.cards = [];
    await keys.show();
  }),
  "key-active": room((keys) => keys.open("gk-2026a")),
  "key-imported": room((keys) => keys.open("gk-2026b")),
  "key-suspended": room((keys) => keys.open("gk-2025b")),
  "key-destroyed": room((keys) => keys.open("gk-2024.1")),
  "key-supervisor": room((keys) => keys.open("gk-2025b"), "sv-0004"),
  "key-suspend": room(async (keys) => {
    await keys.open("gk-2026a");
    keys.choose("suspend");
    keys.reason = "Paper of the left safe is missing";
  }, "sv-0004"),
  "key-activate": room(async (keys) => {
    await keys.open("gk-2026b");
    keys.choose("activate");
    keys.reason = "New work order";
    keys.typed = "91D4C-0B7FE";
  }),
  "key-activate-other": room(async (keys) => {
    await keys.open("gk-2026b");
    keys.choose("activate");
    keys.reason = "New work order";
    keys.typed = "91D4C-0B7F3";
    await keys.ask();
    await identify(keys.approving.entry, ...RIGHT);
  }),
  "key-destroy": room(async (keys) => {
    await keys.open("gk-2025b");
    keys.choose("destroy");
    keys.reason = "Rotated in the portal";
    keys.typed = "gk-2025b";
  }),
  "approval-key": room(async (keys) => {
    await keys.open("gk-2025b");
    keys.choose("destroy");
    keys.reason = "Rotated in the portal";
    keys.typed = "gk-2025b";
    await keys.ask();
    keys.approving.entry.badge(RIGHT[0]);
    keys.approving.entry.digit("1");
  }),
  import: room(async (keys) => {
    await keys.show("import");
    describe(keys);
  }),
  "import-no-custody": room(async (keys, fake) => {
    fake.ring.held = [];
    await keys.show("import");
  }),
  "import-asking": room(async (keys) => {
    await keys.show("import");
    keys.bringing = true;
  }),
  "import-cancelled": room((keys, fake) => importing(keys, fake, "cancelled")),
  "import-done": room((keys, fake) => importing(keys, fake, "given")),
  "import-refused": room((keys, fake) => importing(keys, fake, tokenGone)),
  transfer: room((keys) => keys.show("transfer")),
  ceremony: room(async (keys) => {
    await keys.show("ceremony");
    describe(keys);
    keys.table.checkValue = newCheckValue;
  }),
  "ceremony-sign-in": room(async (keys) => {
    await keys.show("ceremony");
    keys.table.checkValue = newCheckValue;
    await keys.table.begin(fresh);
  }),
  "ceremony-right": room(async (keys, fake) => {
    await second(keys, fake);
    keys.table.entries[1].badge(RIGHT[0]);
    keys.table.entries[1].digit("1");
  }),
  "ceremony-same-person": room(async (keys, fake) => {
    await second(keys, fake);
    await identify(keys.table.entries[1], ...LEFT);
  }),
  "ceremony-expired": room(async (keys, fake) => {
    await seated(keys);
    await expired(keys, fake);
  }),
  "ceremony-expired-right": room(async (keys, fake) => {
    await second(keys, fake);
    await identify(keys.table.entries[1], ...RIGHT);
    await expired(keys, fake);
  }),
  "ceremony-components": room(seated),
  "ceremony-asking": room(async (keys) => {
    await seated(keys);
    keys.table.asking = true;
  }),
  "ceremony-compare": room(async (keys) => {
    await seated(keys);
    await keys.table.give();
    keys.table.typed = "5E01";
  }),
  "ceremony-differs": room(async (keys) => {
    await seated(keys);
    await keys.table.give();
    keys.table.typed = "5E01B3";
    await keys.table.confirm();
  }),
  "ceremony-agrees": room(async (keys, fake) => {
    await seated(keys);
    await given(keys, fake, 0);
  }),
  "ceremony-second": room(async (keys, fake) => {
    await second(keys, fake);
    await identify(keys.table.entries[1], ...RIGHT);
  }),
  "ceremony-result": room(agreed),
  "ceremony-done": room(async (keys, fake) => {
    await agreed(keys, fake);
    keys.table.checkValue = newCheckValue;
    await keys.table.finish();
  }),
  "ceremony-mismatch": room(async (keys, fake) => {
    await agreed(keys, fake);
    keys.table.checkValue = "3F9A2-77C11";
    await keys.table.finish();
  }),
  "ceremony-aborted": room(async (keys) => {
    await seated(keys);
    await keys.table.abort();
  }),
  "keys-hostile": room(async (keys, fake) => {
    const [first] = fake.ring.cards;
    if (first)
      Object.assign(first, { group: `${evil}group${"9".repeat(110)}`, label: evil, importedBy: `${evil}by` });
    await keys.show();
  }),
};
