// Repair, in words.

import type { ApprovalRequest } from "../bindings/ApprovalRequest";
import { count } from "../text";
import { words } from "../words.svelte";

/** A reason of a closed list, or the word itself. */
export function reasonSaid(word: string): string {
  const table: Readonly<Record<string, string>> = words.repair.reasons;
  return (Object.hasOwn(table, word) ? table[word] : undefined) ?? word;
}

/** `leaked-key: the paper was lost`, in words. */
export function whySaid(reason: string): string {
  const [word = "", ...note] = reason.split(": ");
  const said = reasonSaid(word);
  return note.length === 0 ? said : `${said}: ${note.join(": ")}`;
}

/** What is approved, as a sentence to the second person; nothing for what is none of repair. */
export function repairAsked({ action, subject }: ApprovalRequest): string | undefined {
  const said = words.repair.asked;
  switch (action) {
    case "rekey":
      return rekeyAsked(subject);
    case "restore-device": {
      const [, device, listed] =
        /^(.+), scrap of record \d+(?:, listed for the cloud in record (\d+))?$/.exec(subject) ?? [];
      if (device === undefined) return subject;
      return [said[action](device), listed && said.listed(count(Number(listed)))].filter(Boolean).join(" · ");
    }
    case "scrap-device":
    case "revoke-device": {
      const [device = "", unknown] = subject.split(", which this log ");
      return [said[action](device), unknown && said.neverBegun].filter(Boolean).join(" · ");
    }
    case "replace-device": {
      const [, device, id, mac, destroyed] =
        /^(.+?) by (\S+) \((.*?)\)(?:, old board destroyed: (.*))?$/.exec(subject) ?? [];
      if (device === undefined || id === undefined || mac === undefined) return subject;
      return [said.replace(device, id, mac), destroyed && said.destroyed(destroyed)]
        .filter(Boolean)
        .join(" · ");
    }
    case "cleaned-up": {
      const [, devices, to] = /^(\d+) identities up to record (\d+), /.exec(subject) ?? [];
      if (devices === undefined || to === undefined) return subject;
      return said["cleaned-up"](Number(devices), count(Number(devices)), count(Number(to)));
    }
    default:
      return undefined;
  }
}

function rekeyAsked(subject: string): string {
  const said = words.repair.asked;
  const [first = "", second = "", third = "", fourth = "", ...rest] = subject.split(" ");
  const batch = /^\d+$/.test(second);
  const [key, checkValue, more] = batch ? [third, fourth, rest] : [second, third, [fourth, ...rest]];
  const parts = batch
    ? [
        said.batch(Number(second), count(Number(second)), key, checkValue),
        first === "any" ? said.anyDevice : said.ofList(first.slice(0, 8)),
      ]
    : [said.one(first, key, checkValue)];
  const from = more.indexOf("from");
  if (from >= 0) parts.push(said.from(more[from + 1] ?? ""));
  if (more.includes("same-key")) parts.push(said.sameKey);
  return parts.join(" · ");
}
