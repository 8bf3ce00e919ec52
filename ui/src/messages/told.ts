/** What happened, and what to do now: one to three steps. */
export interface Told {
  readonly sentence: string;
  readonly remedy: readonly string[];
}

export function told(sentence: string, ...remedy: string[]): Told {
  return { sentence, remedy };
}
