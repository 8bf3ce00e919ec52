import { FAILURES as failures, SAFETY as safety } from "../../bindings/Codes";
import type { Messages } from "../words";
import { audit } from "./audit";
import { door } from "./door";
import { events, outcomes } from "./events";
import { keys } from "./keys";
import { line } from "./line";
import { orders } from "./orders";
import { people } from "./people";
import { repair } from "./repair";

export const en: Messages = {
  line,
  door,
  people,
  keys,
  orders,
  repair,
  audit,
  events,
  outcomes,
  failures,
  safety,
  causes: undefined,
  problems: undefined,
};
