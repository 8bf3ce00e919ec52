import type { Failed } from "./Failed";
import type { Problem } from "./Problem";
import type { Passed } from "./Passed";
import type { Step } from "./Step";
export type Card = { "state": "waiting" } | { "state": "locked" } | { "state": "working", step: Step, } | { "state": "pass" } & Passed | { "state": "fail" } & Failed | { "state": "remove", safety: string, } | { "state": "stopped" } & Problem;
