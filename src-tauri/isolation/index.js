// Every IPC message of the window passes here, in a frame that the window's own scripts cannot reach.
// A message that this file does not know is sent on under a name that no command has, and so is refused by the
// access list; throwing would leave the caller waiting for ever.

const isWholeNumber = (value) => Number.isInteger(value) && value >= 0;
const isText = (value, limit) => typeof value === "string" && [...value].length <= limit;
const isNothing = (value) => value === null || value === undefined;

/** What each command takes beside its name. */
const commands = {
  overview: () => true,
  recent: ({ count }) => isWholeNumber(count) && count <= 500,
  watch: ({ channel }) => channel !== undefined,
  acknowledge: ({ slot }) => isWholeNumber(slot) && slot <= 64,
  unlock: () => true,
  lock: () => true,
  search: ({ text, before, limit }) =>
    isText(text, 200) && (isNothing(before) || isWholeNumber(before)) && isWholeNumber(limit) && limit <= 500,
  device: ({ id }) => isText(id, 128),
  save_proof: ({ id }) => isText(id, 128),
  verify: ({ channel }) => channel !== undefined,
  cancel_verify: () => true,
  figures: ({ from, until, job }) =>
    Number.isInteger(from) && Number.isInteger(until) && (isNothing(job) || isText(job, 64)),
  review: () => true,
  sign_review: ({ reviewer, remark }) => isText(reviewer, 32) && isText(remark, 500),
};

window.__TAURI_ISOLATION_HOOK__ = (message) => {
  const { cmd, payload } = message;
  const known = Object.hasOwn(commands, cmd) && commands[cmd](payload ?? {});
  return known ? message : { ...message, cmd: "refused", payload: {} };
};
