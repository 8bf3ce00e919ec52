export type RecordLine = { seq: number, time: string, event: string, outcome: string, id: string, operator: string, };
