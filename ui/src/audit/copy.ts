// A row for a spreadsheet: text separated by tabs, which no spreadsheet takes for a formula.

import type { AttemptLine } from "../bindings/AttemptLine";

/**
 * A cell that begins like this is calculated by a spreadsheet (OWASP ASVS 1.2.10), also in its wide forms. One that
 * begins with an apostrophe gets a second, as in `docs/exports.md`.
 */
const FORMULA = /^\s*[=+\-@|%＝＋－＠]|^'/u;
/** Characters that would begin a new cell or line, or that nobody sees. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line, without a newline at its end: record, time, identity, and what came of it. */
export function tabSeparated(row: AttemptLine): string {
  const time = new Date(row.time);
  const cells = [
    row.seq,
    Number.isNaN(time.getTime()) ? row.time : time.toISOString(),
    row.serial,
    row.mac,
    row.id,
    row.outcome,
    row.code,
    row.job,
    row.operator,
    row.key,
    row.mode,
    row.verified,
    row.port,
    row.cycleMs ?? "",
    row.outcomeRecord ?? "",
  ];
  return cells.map((value) => cell(String(value))).join("\t");
}

function cell(text: string): string {
  const plain = text.replace(UNSEEN, "\ufffd");
  return FORMULA.test(plain) ? `'${plain}` : plain;
}
