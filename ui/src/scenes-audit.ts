// The audit room in every state that it can be in.

import type { Audit } from "./audit/audit.svelte";
import type { AttemptLine } from "./bindings/AttemptLine";
import type { Overview } from "./bindings/Overview";
import { FakeShell, station } from "./fake";
import { foreign } from "./fake/finished";
import type { Rooms } from "./rooms.svelte";
import type { Scene } from "./scenes";

/** Two years of a line. */
const big: Overview = {
  ...station,
  locked: false,
  records: 600_124,
  counts: { done: 412, failed: 3 },
  anchor: { state: "fresh", record: 600_020, time: Date.now() - 12 * 60_000, open: 104 },
};

/** A window that was opened to look only. */
const reading: Overview = {
  ...big,
  rooms: ["audit", "keys", "people"],
  readOnly: true,
  operator: "",
  order: null,
  key: null,
  slots: [],
};

const never = () => new Promise<void>(() => undefined);

function room(act: (audit: Audit, fake: FakeShell) => unknown, overview = big): () => Promise<Scene> {
  return () => {
    const shell = new FakeShell(overview);
    return Promise.resolve({
      shell,
      act: async (rooms) => {
        rooms.go("audit");
        await act(rooms.audit, shell);
      },
    });
  };
}

/** Another room of the window that only looks. */
function beside(which: "people" | "keys"): () => Promise<Scene> {
  return () => {
    const act = async (rooms: Rooms) => {
      rooms.go(which);
      await rooms[which].show();
    };
    return Promise.resolve({ shell: new FakeShell(reading), act });
  };
}

async function search(audit: Audit, text: string): Promise<void> {
  audit.text = text;
  await audit.search();
}

/** The newest row that is looked for. */
async function newest(audit: Audit, text: string): Promise<AttemptLine> {
  await search(audit, text);
  const row = audit.found.row(0);
  if (!row) throw new Error(`nothing is found for ${text}`);
  return row;
}

/** The page of the device that this search finds first. */
function device(text: string, then: (audit: Audit) => unknown = () => undefined) {
  return room(async (audit) => {
    const { id } = await newest(audit, text);
    await audit.open(id);
    await then(audit);
  });
}

const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);

const damage = {
  state: "damaged" as const,
  findings: [
    "Record 5 127 was changed after it was written.",
    "A hash over records 5 120 to 5 127 does not agree with them (level 3).",
    "The records are not those that the checkpoint in the database was signed for.",
  ].map((sentence, index) => ({
    sentence,
    record: [5127, 5120, null][index] ?? null,
    remedy: [
      "Stop: nothing more may be injected.",
      "Leave database and head as they are.",
      "Give both to QA, with the last checkpoint that left this machine.",
    ],
  })),
  more: 12,
};

const unreadable = {
  code: "log-integrity",
  sentence: "The audit log does not agree with its signed checkpoint.",
  remedy: ["Leave everything as it is.", "Verify: the verdict says from which record on."],
};

const evil = "<img src=x onerror=\"document.title='owned'\">\u202e\u0000";

/** Rows in which every text is an attack. */
function attack(fake: FakeShell): void {
  for (const [index, outcome] of ["ok", "open", "refused", `${evil}rc`].entries())
    fake.archive.log.since.push({
      seq: 700_000 + 10 * index,
      time: Date.now() + index,
      id: `${evil}id`,
      mac: `${evil}mac`,
      serial: index === 2 ? "" : `=cmd|' /C calc'!A0${evil}${"9".repeat(300)}`,
      job: `${evil}job`,
      operator: `${evil}op`,
      key: `${evil}key`,
      port: `${evil}port`,
      mode: outcome === "refused" ? "refused" : "rekey",
      outcome,
      code: `${evil}code`,
      sentence: `${evil}sentence`,
      holds: `${evil}holds`,
      verified: `${evil}verified`,
      cycleMs: 1,
      outcomeRecord: outcome === "open" ? null : 700_001 + 10 * index,
    });
}

export const auditScenes: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  "line-only": () => ({ shell: new FakeShell({ ...station, locked: false, rooms: ["line"] }) }),
  "line-review-due": () => ({ shell: new FakeShell({ ...station, locked: false, reviewDue: true }) }),
  "audit-results": room((audit) => search(audit, "")),
  "audit-failures": room((audit) => search(audit, `outcome:verify_mismatch from:${day(20)} to:${day(0)}`)),
  "audit-open": room((audit) => search(audit, "outcome:open")),
  "audit-deep": room(async (audit) => {
    await search(audit, "");
    for (let page = 0; page < 12; page++) await audit.found.select(audit.found.known - 1);
  }),
  "audit-empty": room((audit) => search(audit, ""), { ...big, records: 4 }),
  "audit-none": room((audit) => search(audit, "sn:000-000-zzz")),
  "audit-query-error": room((audit) => search(audit, "mak:a1-b2-c3-00-00-01")),
  "audit-unknown-device": room(async (audit) => {
    await search(audit, "");
    await audit.open("sn-000-000-zzz");
  }),
  "device-keyed": device("outcome:ok"),
  "device-proof-saved": device("outcome:ok", (audit) => audit.saveProof()),
  "device-open": device("outcome:open"),
  "device-rekeyed": room(async (audit) => {
    await search(audit, "");
    for (let index = 0; index < 1400; index += 1) {
      if (index + 200 > audit.found.known) await audit.found.select(audit.found.known - 1);
      const row = audit.found.row(index);
      if (row?.mode !== "rekey") continue;
      await audit.open(row.id);
      break;
    }
  }),
  "device-failed": room(async (audit, fake) => {
    await fake.plug(1, { id: "sn-9", serial: "007-888-abd", mac: "a1:b2:c3:d4:e5:f7", fails: kept });
    await search(audit, "007-888-abd");
    await audit.open("sn-9");
  }),
  "device-refused": room(async (audit, fake) => {
    const row = await newest(audit, "outcome:refused");
    fake.archive.log.since.push({ ...row, seq: 700_000, id: "sn-x1", serial: "X1", mac: "" });
    await audit.open("sn-x1");
  }),
  "verify-idle": room((audit) => audit.show("verify")),
  "verify-running": room(async (audit, fake) => {
    fake.archive.pace = ({ done, of }) => (done / of > 0.6 ? never() : Promise.resolve());
    await audit.show("verify");
    void audit.check.start();
  }),
  "verify-intact": room(async (audit) => {
    await audit.show("verify");
    await audit.check.start();
  }),
  "verify-damaged": room(async (audit, fake) => {
    fake.archive.damage = damage;
    await audit.show("verify");
    await audit.check.start();
  }),
  "verify-cancelled": room(async (audit, fake) => {
    fake.archive.pace = ({ done, of }) => (done / of > 0.3 ? audit.check.cancel() : Promise.resolve());
    await audit.show("verify");
    await audit.check.start();
  }),
  "check-idle": room((audit) => audit.show("check")),
  "check-running": room(async (audit, fake) => {
    fake.archive.look = () => new Promise(() => undefined);
    await audit.show("check");
    void audit.inspection.start();
  }),
  "check-pass": room(async (audit) => {
    await audit.show("check");
    await audit.inspection.start();
  }),
  "check-fail": room(async (audit, fake) => {
    fake.archive.look = () => Promise.resolve(foreign);
    await audit.show("check");
    await audit.inspection.start();
  }),
  "check-cancelled": room(async (audit, fake) => {
    fake.archive.look = () => Promise.resolve(null);
    await audit.show("check");
    await audit.inspection.start();
  }),
  "check-hostile": room(async (audit, fake) => {
    const points = foreign.points.map((point) => ({ ...point, sentence: evil + "9".repeat(200) }));
    fake.archive.look = () => Promise.resolve({ ...foreign, id: `${evil}id`, serial: `${evil}sn`, points });
    await audit.show("check");
    await audit.inspection.start();
  }),
  "check-read-only": room((audit) => audit.show("check"), reading),
  denials: room((audit) => audit.show("refusals")),
  "denials-none": room((audit, fake) => {
    fake.archive.denied = [];
    return audit.show("refusals");
  }),
  "denials-hostile": room((audit, fake) => {
    fake.archive.denied = fake.archive.denied.map((line) => ({
      ...line,
      operator: evil,
      role: evil,
      action: `${evil}action`,
      meaning: "",
      what: evil + "9".repeat(200),
      why: `${evil}why`,
    }));
    return audit.show("refusals");
  }),
  "people-read-only": beside("people"),
  "keys-read-only": beside("keys"),
  figures: room((audit) => audit.show("figures")),
  "figures-90-days": room(async (audit) => {
    await audit.show("figures");
    await audit.period.choose(90);
  }),
  "figures-all": room(async (audit) => {
    await audit.show("figures");
    await audit.period.choose(null);
  }),
  "figures-numbers": room(async (audit) => {
    audit.period.numbers = true;
    await audit.show("figures");
  }),
  "figures-one-job": room(async (audit) => {
    audit.period.job = "WO-44192";
    await audit.show("figures");
  }),
  "figures-empty": room(async (audit) => {
    audit.period.job = "WO-1";
    await audit.show("figures");
  }),
  review: room((audit) => audit.show("review")),
  "review-due": room((audit) => audit.show("review"), { ...big, reviewDue: true }),
  "review-never": room(
    (audit, fake) => {
      fake.archive.reviewed = undefined;
      return audit.show("review");
    },
    { ...big, reviewDue: true },
  ),
  "review-none": room(async (audit) => {
    await audit.show("review");
    await audit.reviewing.sign("qa-0007");
  }),
  "review-read-only": room((audit) => audit.show("review"), { ...reading, reviewDue: true }),
  "audit-read-only": room((audit) => search(audit, ""), reading),
  "audit-damaged": room((audit) => search(audit, ""), { ...reading, records: 0, damage: unreadable }),
  "audit-hostile": room(async (audit, fake) => {
    attack(fake);
    await search(audit, "");
  }),
  "device-hostile": room(async (audit, fake) => {
    attack(fake);
    await search(audit, "");
    await audit.open(`${evil}id`);
    await audit.saveProof();
  }),
  "figures-hostile": room(async (audit, fake) => {
    attack(fake);
    await audit.show("figures");
    await audit.period.choose(7);
  }),
  "review-hostile": room((audit, fake) => {
    const { reviewed } = fake.archive;
    if (reviewed) fake.archive.reviewed = { ...reviewed, reviewer: evil, remark: evil + "9".repeat(900) };
    return audit.show("review");
  }),
};

const kept = { code: "not-kept", safety: "not-keyed" } as const;
