export type Counts = { done: number, failed: number, };
