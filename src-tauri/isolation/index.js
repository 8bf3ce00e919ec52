// Every IPC message of the window passes here, in a frame that the window's own scripts cannot reach.
// A message that this file does not know is sent on under a name that no command has, and so is refused by the
// access list; throwing would leave the caller waiting for ever.

const isWholeNumber = (value) => Number.isInteger(value) && value >= 0;

/** What each command takes beside its name. */
const commands = {
  overview: () => true,
  recent: ({ count }) => isWholeNumber(count) && count <= 1000,
  watch: ({ channel }) => channel !== undefined,
  acknowledge: ({ slot }) => isWholeNumber(slot) && slot <= 64,
  unlock: () => true,
  lock: () => true,
};

window.__TAURI_ISOLATION_HOOK__ = (message) => {
  const { cmd, payload } = message;
  const known = Object.hasOwn(commands, cmd) && commands[cmd](payload ?? {});
  return known ? message : { ...message, cmd: "refused", payload: {} };
};
