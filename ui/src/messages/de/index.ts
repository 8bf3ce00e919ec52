import type { Messages } from "../words";
import { audit } from "./audit";
import { door } from "./door";
import { events, outcomes } from "./events";
import { causes, failures, safety } from "./failures";
import { keys } from "./keys";
import { line } from "./line";
import { orders } from "./orders";
import { people } from "./people";
import { problems } from "./problems";
import { repair } from "./repair";

export const de: Messages = {
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
  causes,
  safety,
  problems,
};
