export type UnlockOutcome = "unlocked" | "cancelled";
