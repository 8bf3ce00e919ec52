// Work orders, in words.

import type { OrderPage } from "../bindings/OrderPage";
import { count } from "../text";
import { words } from "../words.svelte";

/** Which devices an order is for. */
export function expected({ ouis, form, range, listed }: OrderPage): string {
  const said = words.orders.page;
  const parts = [
    ouis.length > 0 ? said.maker(ouis.join(", ")) : undefined,
    form === null ? undefined : said.form(form),
    range?.join(" – "),
    listed === null ? undefined : said.listed(listed, count(listed)),
  ].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(" · ") : said.any;
}
