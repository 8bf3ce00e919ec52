export type Step = "read" | "derive" | "write" | "restart" | "prove" | "record";
