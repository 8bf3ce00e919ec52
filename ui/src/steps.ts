import type { Step } from "./bindings/Step";

/** The six steps of the flow, in its order. */
export const STEPS = [
  "read",
  "derive",
  "write",
  "restart",
  "prove",
  "record",
] as const satisfies readonly Step[];
