export type KeyLine = { label: string, checkValue: string | null, };
