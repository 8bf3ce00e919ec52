export type KeyLine = { label: string, group: string, checkValue: string, };
