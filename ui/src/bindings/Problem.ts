export type Problem = { code: string, sentence: string, remedy: Array<string>, };
