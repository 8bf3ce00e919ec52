import { FAILURES as failures, SAFETY as safety } from "../../bindings/Codes";
import type { Messages } from "../words";
import { door } from "./door";
import { events, outcomes } from "./events";
import { line } from "./line";

export const en: Messages = { line, door, events, outcomes, failures, safety, problems: undefined };
