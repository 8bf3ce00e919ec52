// No component has a text of its own: what is seen or read aloud comes from the messages.

import { readdirSync, readFileSync } from "node:fs";

import { parse } from "svelte/compiler";
import { expect, test } from "vitest";

/** The same in every language: the marks on the box, the product, the form of a check value. */
const NAMES = ["PASS", "FAIL", "Keystation", "XXXXXX", "XXXXX"];
/** Attributes that a person reads or hears. */
const SPOKEN = [
  "aria-label",
  "aria-description",
  "aria-roledescription",
  "placeholder",
  "title",
  "alt",
  "label",
  "help",
];

const components = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".svelte"),
);

interface Node {
  type: string;
  name?: string;
  data?: string;
  value?: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Texts in the markup under `node`. `spoken` is whether an attribute or an expression is seen. */
function literals(node: unknown, spoken: boolean, found: string[]): string[] {
  if (Array.isArray(node)) for (const child of node) literals(child, spoken, found);
  if (!isNode(node)) return found;
  if (node.type === "Text" && spoken && words(node.data ?? "")) found.push(node.data?.trim() ?? "");
  // In an expression a single word is a name, of a state or a class; a sentence or a capital is a text.
  if (
    node.type === "Literal" &&
    spoken &&
    typeof node.value === "string" &&
    /\p{L} |^\p{Lu}/u.test(node.value)
  )
    if (words(node.value)) found.push(node.value);
  if (node.type === "TemplateElement" && spoken) {
    const { raw } = node.value as { raw: string };
    if (/\p{L}{2,}/u.test(raw)) found.push(raw);
  }
  if (node.type === "BinaryExpression" || node.type === "CallExpression") spoken = false;
  if (node.type === "Attribute") spoken = SPOKEN.includes(node.name ?? "");
  if (/Directive$|^(Spread|Script|Style|Css)/.test(node.type)) return found;
  for (const [name, child] of Object.entries(node))
    if (name !== "test" && name !== "key") literals(child, spoken, found);
  return found;
}

function words(text: string): boolean {
  return NAMES.reduce((rest, name) => rest.replaceAll(name, ""), text).match(/\p{L}{2,}/u) !== null;
}

function texts(source: string): string[] {
  return literals(parse(source, { modern: true }).fragment, true, []);
}

test.each(components)("%s has no text of its own", (file) => {
  expect(texts(readFileSync(`src/${file}`, "utf8"))).toEqual([]);
});

test("a text is found in markup, attribute, expression and template", () => {
  expect(texts('<p class="a b">Plug <b>in</b></p>')).toEqual(["Plug", "in"]);
  expect(texts('<i aria-label="Close" data-x="Close"></i>')).toEqual(["Close"]);
  expect(texts('<p>{a ? "No badge" : "x"}</p>')).toEqual(["No badge"]);
  expect(texts("<p>{`${n} done`}</p>")).toEqual([" done"]);
  expect(texts("{#if a === 'Not Text'}<p>PASS {b('A name')}</p>{/if}")).toEqual([]);
});
