export type Failed = { code: string, sentence: string, safety: string, remedy: Array<string>, record: number | null, detail: string | null, gone: boolean, };
