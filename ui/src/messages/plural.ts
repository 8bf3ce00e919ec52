/** Forms of a text by the number in it; `other` is for every number that has no form of its own. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** A function that takes the form which the grammar of a language asks for. */
export function plurals(language: string): (number: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  return (number, forms) => forms[rules.select(number)] ?? forms.other;
}
