import type { Messages } from "../words";
import { door } from "./door";
import { events, outcomes } from "./events";
import { failures, safety } from "./failures";
import { line } from "./line";
import { problems } from "./problems";

export const de: Messages = { line, door, events, outcomes, failures, safety, problems };
