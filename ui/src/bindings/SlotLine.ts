export type SlotLine = { number: number, port: string, profile: string, };
