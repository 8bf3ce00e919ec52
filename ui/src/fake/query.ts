// The query language of the search, as the station reads it.

import type { AttemptLine } from "../bindings/AttemptLine";
import type { Problem } from "../bindings/Problem";

const DAY = 86_400_000;

type Column = (row: AttemptLine) => string;

const columns: Readonly<Record<string, Column>> = {
  mac: (row) => row.mac,
  id: (row) => row.id,
  sn: (row) => row.serial,
  job: (row) => row.job,
  key: (row) => row.key,
  op: (row) => row.operator,
  outcome: (row) => row.outcome,
};

export interface Query {
  terms: { column: Column; value: string }[];
  /** A word whose field has to be found out. */
  word: string | undefined;
  from: number;
  until: number;
}

/** Reads what was typed, or says what is wrong with it. */
export function parse(text: string): Query | Problem {
  const query: Query = { terms: [], word: undefined, from: -Infinity, until: Infinity };
  for (const part of text.split(/\s+/).filter(Boolean)) {
    const [, name, value] = /^([^:]*):(.*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      if (query.word !== undefined) return problem(`“${part}” is one too many: one word without a field.`);
      query.word = part;
    } else if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(part)) {
      query.terms.push({ column: (row) => row.mac, value: digits(part) });
    } else if (value === "") {
      return problem(`“${name}:” needs a value behind the colon.`);
    } else if (name === "from" || name === "to") {
      const day = Date.parse(`${value}T00:00:00Z`);
      if (Number.isNaN(day)) return problem(`“${value}” is not a day: write it as 2026-11-22.`);
      if (name === "from") query.from = day;
      else query.until = day + DAY;
    } else {
      const column = columns[name];
      if (!column) return problem(`There is no field “${name}:”.`);
      query.terms.push({ column, value: name === "mac" ? digits(value) : value });
    }
  }
  return query;
}

/** Whether a row is looked for; the word may stand in any field. */
export function matches(query: Query, row: AttemptLine): boolean {
  const { terms, word, from, until } = query;
  if (row.time < from || row.time >= until) return false;
  if (!terms.every(({ column, value }) => column(row) === value)) return false;
  if (word === undefined) return true;
  return row.mac === digits(word) || Object.values(columns).some((column) => column(row) === word);
}

function digits(mac: string): string {
  return mac.replace(/[^0-9a-f]/gi, "").toLowerCase();
}

function problem(sentence: string): Problem {
  return {
    code: "query",
    sentence,
    remedy: ["Fields are mac, sn, id, job, op, key, outcome, from and to."],
  };
}
