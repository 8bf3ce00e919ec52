import type { KeyCard } from "../bindings/KeyCard";
import { words } from "../words.svelte";

/** How a key came here, and by whom. */
export function brought({ how, importedBy, approver }: KeyCard): string {
  const { and, brought: said } = words.keys;
  const by = approver === "" ? importedBy : `${importedBy}${and}${approver}`;
  if (how === "single" || how === "ceremony" || how === "transfer") return said[how](by);
  return by === "" ? said.unknown : said.other(by);
}
