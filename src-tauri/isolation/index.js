// Every IPC message of the window passes here, in a frame that the window's own scripts cannot reach.
// A message that this file does not know is sent on under a name that no command has, and so is refused by the
// access list; throwing would leave the caller waiting for ever.

const isWholeNumber = (value) => Number.isInteger(value) && value >= 0;
const isText = (value, limit) => typeof value === "string" && [...value].length <= limit;
const isNothing = (value) => value === null || value === undefined;
const isObject = (value) => typeof value === "object" && value !== null;
const isUser = (value) => isText(value, 32);
const isBadge = (value) => isText(value, 128);
const isReason = (value) => isText(value, 200);
const isPin = (value) => typeof value === "string" && /^[0-9]{6,12}$/.test(value);
const isWho = (value) =>
  isObject(value) && Object.keys(value).length === 1 && (isBadge(value.badge) || isUser(value.user));
const isNewPerson = (value) =>
  isObject(value) &&
  isUser(value.user) &&
  isText(value.name, 100) &&
  (isNothing(value.badge) || isBadge(value.badge)) &&
  isPin(value.pin);
const areRoles = (value) =>
  Array.isArray(value) && value.length > 0 && value.length <= 6 && value.every((role) => isText(role, 16));
const isApproval = (value) => isWholeNumber(value);
const isLabel = (value) => isText(value, 32);
const isCheckValue = (value) => isText(value, 16);
const isSide = (value) => value === 0 || value === 1;
const isNewKey = (value) =>
  isObject(value) &&
  isLabel(value.label) &&
  isText(value.group, 128) &&
  isText(value.scope, 32) &&
  isText(value.slot, 16) &&
  isText(value.custody, 16);
const isKeyChange = ({ label, reason, approval }) =>
  isLabel(label) && isReason(reason) && (isNothing(approval) || isApproval(approval));
const isOrder = (value) => isText(value, 32);
const isNewOrder = (value) =>
  isObject(value) &&
  isOrder(value.id) &&
  isText(value.customer, 100) &&
  isText(value.profile, 64) &&
  (isNothing(value.quantity) || isWholeNumber(value.quantity)) &&
  isText(value.from, 10) &&
  isText(value.until, 10) &&
  isLabel(value.key) &&
  isText(value.checkValue, 32);
const isWhy = (value) =>
  isObject(value) &&
  isText(value.reason, 32) &&
  isText(value.note, 200) &&
  typeof value.sameKey === "boolean";
const isRekey = (value) =>
  isObject(value) &&
  isWholeNumber(value.slot) &&
  value.slot <= 64 &&
  isText(value.device, 128) &&
  isText(value.profile, 1024) &&
  isWhy(value.why);
const isBoard = (value) =>
  isObject(value) && isText(value.profile, 1024) && isText(value.mac, 32) && isText(value.destroyed, 200);
const isTakeOut = (value) =>
  isObject(value) &&
  isText(value.device, 128) &&
  isText(value.act, 16) &&
  isText(value.reason, 32) &&
  isText(value.note, 200) &&
  (isNothing(value.board) || isBoard(value.board));
const isBatchFrom = (value) =>
  value === "list" ||
  (isObject(value) &&
    Object.keys(value).length === 1 &&
    (isWholeNumber(value.count) || isLabel(value.under)));
const isPersonChange = ({ user, reason, approval }) =>
  isUser(user) && isReason(reason) && isApproval(approval);

/** What each command takes beside its name. */
const commands = {
  overview: () => true,
  recent: ({ count }) => isWholeNumber(count) && count <= 500,
  watch: ({ channel, scans }) => channel !== undefined && scans !== undefined,
  acknowledge: ({ slot }) => isWholeNumber(slot) && slot <= 64,
  scan: ({ text }) => isText(text, 256),
  put_back: ({ slot }) => isWholeNumber(slot) && slot <= 64,
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
  denials: ({ before, limit }) =>
    (isNothing(before) || isWholeNumber(before)) && isWholeNumber(limit) && limit <= 500,
  review: () => true,
  check_places: () => true,
  check_device: ({ port, profile }) => isText(port, 256) && isText(profile, 1024),
  sign_review: ({ reviewer, remark }) => isText(reviewer, 32) && isText(remark, 500),
  shift_report: () => true,
  save_shift_report: () => true,
  sign_in: ({ who, pin }) => isWho(who) && isPin(pin),
  sign_out: () => true,
  away: () => true,
  touch: () => true,
  change_pin: ({ old, pin }) => isPin(old) && isPin(pin),
  begin_people: ({ first, second }) => isNewPerson(first) && isNewPerson(second),
  approve: ({ request, who, pin }) =>
    isObject(request) &&
    isText(request.action, 32) &&
    isText(request.subject, 640) &&
    isText(request.reason, 240) &&
    isWho(who) &&
    isPin(pin),
  people: () => true,
  add_person: ({ person, approval }) => isNewPerson(person) && areRoles(person.roles) && isApproval(approval),
  set_roles: ({ user, roles, approval }) => isUser(user) && areRoles(roles) && isApproval(approval),
  disable_person: isPersonChange,
  enable_person: isPersonChange,
  reset_pin: ({ user, pin, approval }) => isUser(user) && isPin(pin) && isApproval(approval),
  set_badge: ({ user, badge, approval }) =>
    isUser(user) && (isNothing(badge) || isBadge(badge)) && isApproval(approval),
  set_name: ({ user, name }) => isUser(user) && isText(name, 100),
  forget_name: ({ user }) => isUser(user),
  orders: () => true,
  order: ({ id }) => isOrder(id),
  create_order: ({ parts }) => isNothing(parts) || isNewOrder(parts),
  open_order: ({ id }) => isOrder(id),
  close_order: ({ id, reason }) => isOrder(id) && isReason(reason),
  scrap_device: ({ id, device, reason }) =>
    isOrder(id) && (isNothing(device) || isText(device, 128)) && isReason(reason),
  raise_quota: ({ id, quantity, reason, approval }) =>
    isOrder(id) && isWholeNumber(quantity) && isReason(reason) && isApproval(approval),
  repair_places: () => true,
  look: ({ slot, profile }) => isWholeNumber(slot) && slot <= 64 && isText(profile, 1024),
  look_up: ({ device }) => isText(device, 128),
  ask_rekey: ({ asked }) => isRekey(asked),
  rekey_device: ({ asked, approval }) => isRekey(asked) && isApproval(approval),
  ask_take_out: ({ asked }) => isTakeOut(asked),
  take_out: ({ asked, approval }) => isTakeOut(asked) && isApproval(approval),
  batches: () => true,
  batch: ({ id }) => isOrder(id),
  batch_now: () => true,
  ask_batch: ({ from, profile, why }) => isBatchFrom(from) && isText(profile, 1024) && isWhy(why),
  open_batch: ({ approval }) => isApproval(approval),
  start_batch: ({ id }) => isOrder(id),
  pause_batch: ({ paused }) => typeof paused === "boolean",
  stop_batch: () => true,
  close_batch: ({ id }) => isOrder(id),
  save_batch: ({ id }) => isOrder(id),
  save_cleanup: ({ all }) => typeof all === "boolean",
  ask_cleaned_up: () => true,
  cleaned_up: ({ approval }) => isApproval(approval),
  keys: () => true,
  custodies: () => true,
  key_devices: ({ label, after }) => isLabel(label) && (isNothing(after) || isWholeNumber(after)),
  activate_key: ({ checkValue, ...change }) => isKeyChange(change) && isCheckValue(checkValue),
  suspend_key: ({ label, reason }) => isLabel(label) && isReason(reason),
  destroy_key: isKeyChange,
  import_key: ({ key, checkValue, approval }) =>
    isNewKey(key) && isCheckValue(checkValue) && isApproval(approval),
  recipient: () => true,
  take_transfer: ({ key, checkValue, approval }) =>
    isNewKey(key) && isCheckValue(checkValue) && isApproval(approval),
  ceremony: () => true,
  ceremony_begin: ({ key, checkValue }) => isNewKey(key) && isCheckValue(checkValue),
  ceremony_sign_in: ({ side, who, pin }) => isSide(side) && isWho(who) && isPin(pin),
  ceremony_component: ({ side }) => isSide(side),
  ceremony_confirm: ({ side, checkValue }) => isSide(side) && isCheckValue(checkValue),
  ceremony_finish: ({ checkValue }) => isCheckValue(checkValue),
  ceremony_abort: () => true,
};

window.__TAURI_ISOLATION_HOOK__ = (message) => {
  const { cmd, payload } = message;
  const known = Object.hasOwn(commands, cmd) && commands[cmd](payload ?? {});
  return known ? message : { ...message, cmd: "refused", payload: {} };
};
