import { open } from "./open";
import { shell } from "./ipc";

open(shell);
