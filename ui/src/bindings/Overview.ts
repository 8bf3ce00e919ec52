import type { Counts } from "./Counts";
import type { KeyLine } from "./KeyLine";
import type { SlotLine } from "./SlotLine";
export type Overview = { station: string, operator: string, job: string, profile: string, key: KeyLine | null, locked: boolean, records: number, openIntents: number, counts: Counts, slots: Array<SlotLine>, };
