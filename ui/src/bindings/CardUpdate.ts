import type { Card } from "./Card";
export type CardUpdate = { slot: number, card: Card, };
