export type Passed = { id: string, serial: string | null, mac: string | null, record: number, };
