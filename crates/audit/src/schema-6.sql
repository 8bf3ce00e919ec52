CREATE TABLE log (
    seq  INTEGER PRIMARY KEY CHECK (seq >= 0),
    body BLOB NOT NULL CHECK (length(body) BETWEEN 2 AND 4096),
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

-- Also keeps INSERT OR REPLACE out, which deletes without asking a DELETE trigger.
CREATE TRIGGER log_in_order BEFORE INSERT ON log
WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM log)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_no_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_no_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Roots of complete subtrees of 2^level leaves; level 0 is log.leaf.
CREATE TABLE node (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 52),
    idx   INTEGER NOT NULL CHECK (idx >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER node_in_order BEFORE INSERT ON node
WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM node WHERE level = NEW.level)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER node_no_update BEFORE UPDATE ON node
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER node_no_delete BEFORE DELETE ON node
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- The newest checkpoint, and older ones that a witness signed or that were anchored elsewhere.
CREATE TABLE checkpoint (
    size    INTEGER PRIMARY KEY CHECK (size > 0),
    note    TEXT NOT NULL,
    cosig   TEXT,
    anchors TEXT
) STRICT;

-- Derived from log: where the records are that say who may do what: user.…, auth.…, gk.…, carry.…, order.…, device.…, cleanup.…. Of the bytes of a record
-- only its own key is `"ev":"`, for within a text a quote is escaped. SQLite keeps it, whoever writes.
CREATE INDEX log_said ON log (seq)
WHERE substr(body, instr(body, x'226576223a22') + 6, 3) IN (x'757365', x'617574', x'676b2e', x'636172', x'6f7264', x'646576', x'636c65');

-- Derived from log: a device that was on a port. One row for each intent and each refusal.
CREATE TABLE sighting (
    seq  INTEGER PRIMARY KEY,
    t    INTEGER NOT NULL,  -- UTC, milliseconds since 1970
    mono INTEGER NOT NULL,  -- milliseconds since the machine was started
    rid  TEXT NOT NULL,     -- empty, as the next two, where the device could not say
    mac  TEXT NOT NULL,
    sn   TEXT NOT NULL,
    job  TEXT NOT NULL,
    op   TEXT NOT NULL,
    gk   TEXT NOT NULL,
    port TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('new', 'rekey', 'refused')),
    code TEXT NOT NULL,     -- of a refusal
    rc   TEXT NOT NULL,     -- of the last outcome; `open` while there is none
    dkfp TEXT NOT NULL,     -- fingerprint of the key of an intent; empty of a refusal
    live INTEGER NOT NULL CHECK (live IN (0, 1)) -- its set is the one that the device proved last
) STRICT;

-- Each ends with the time, so that any page of any search is read in its order and from where it begins.
CREATE INDEX sighting_t   ON sighting (t);
CREATE INDEX sighting_rid ON sighting (rid, t);
CREATE INDEX sighting_mac ON sighting (mac, t);
CREATE INDEX sighting_sn  ON sighting (sn, t);
CREATE INDEX sighting_job ON sighting (job, t);
CREATE INDEX sighting_op  ON sighting (op, t);
CREATE INDEX sighting_gk  ON sighting (gk, t);
CREATE INDEX sighting_rc  ON sighting (rc, t);

-- The devices that hang on a group key.
CREATE INDEX sighting_live ON sighting (gk) WHERE live = 1;

-- Two registration IDs that would have one key.
CREATE INDEX sighting_dkfp ON sighting (dkfp) WHERE dkfp <> '';

-- Derived from log: what came of an intent; the last one counts.
CREATE TABLE outcome (
    intent INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    holds  TEXT NOT NULL CHECK (holds IN ('new', 'old', 'unknown')),
    rc     TEXT NOT NULL,
    code   TEXT NOT NULL,
    vmode  TEXT NOT NULL,
    mono   INTEGER NOT NULL,
    later  INTEGER NOT NULL CHECK (later IN (0, 1)), -- found out later: inject.resolve
    PRIMARY KEY (intent, seq)
) STRICT, WITHOUT ROWID;

-- Derived from log: how many records there are of each event and outcome, and the newest of them.
CREATE TABLE tally (
    ev      TEXT NOT NULL,
    rc      TEXT NOT NULL,
    records INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (ev, rc)
) STRICT, WITHOUT ROWID;

-- Derived from log: intents whose outcome is not known.
CREATE TABLE open_intent (
    rid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (rid, seq)
) STRICT, WITHOUT ROWID;

-- Derived from log: devices that QA looked at when they were finished.
CREATE TABLE checked (
    rid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (rid, seq)
) STRICT, WITHOUT ROWID;

-- Derived from log: the people who may sign in. IDs only.
CREATE TABLE account (
    user     TEXT NOT NULL PRIMARY KEY,
    roles    TEXT NOT NULL,
    active   INTEGER NOT NULL CHECK (active IN (0, 1)),
    cred     INTEGER NOT NULL, -- number of the credential that counts
    once     INTEGER NOT NULL CHECK (once IN (0, 1)), -- its PIN has to be changed
    tries    INTEGER NOT NULL, -- wrong PINs since the last right one
    try_boot TEXT,             -- when the last of them was
    try_mono INTEGER,
    seq      INTEGER NOT NULL  -- the last record that changed the account; auth.… does not count
) STRICT, WITHOUT ROWID;

-- Derived from log: group keys, by the label under which they were imported last.
CREATE TABLE group_key (
    gk       TEXT NOT NULL PRIMARY KEY,
    gkcv     TEXT NOT NULL,
    grp      TEXT NOT NULL,
    scope    TEXT NOT NULL,
    slot     TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    custody  TEXT NOT NULL,
    how      TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('imported', 'active', 'suspended', 'destroyed')),
    op       TEXT NOT NULL,    -- who imported it, and the second person
    op2      TEXT NOT NULL,
    imported INTEGER NOT NULL,
    changed  INTEGER NOT NULL  -- the last record that changed the state
) STRICT, WITHOUT ROWID;

-- Derived from log: who gave which component of a group key.
CREATE TABLE component (
    seq   INTEGER PRIMARY KEY,
    cer   TEXT NOT NULL,
    gk    TEXT NOT NULL,
    gkcv  TEXT NOT NULL,
    grp   TEXT NOT NULL,
    scope TEXT NOT NULL,
    slot  TEXT NOT NULL,
    part  INTEGER NOT NULL,
    user  TEXT NOT NULL
) STRICT;

-- Derived from log: work orders.
CREATE TABLE work_order (
    job      TEXT NOT NULL PRIMARY KEY,
    sha256   TEXT NOT NULL,
    qty      INTEGER NOT NULL,
    gk       TEXT NOT NULL,
    gkcv     TEXT NOT NULL,
    profile  TEXT NOT NULL,
    since    TEXT NOT NULL,    -- first and last day
    until    TEXT NOT NULL,
    signer   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'closed')),
    begun    INTEGER NOT NULL, -- devices with an intent under it, and those of them that proved their key
    passed   INTEGER NOT NULL,
    scrapped INTEGER NOT NULL,
    op       TEXT NOT NULL,    -- who created it
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL  -- the last record that changed state or quantity
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX work_order_open ON work_order (state) WHERE state = 'open';

-- Derived from log: devices of work orders that were put down as scrap.
CREATE TABLE scrap (
    job TEXT NOT NULL,
    rid TEXT NOT NULL,
    mac TEXT NOT NULL,
    sn  TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (job, rid, mac, sn)
) STRICT, WITHOUT ROWID;

-- Derived from log: devices that were taken out. A row counts while `restored` is NULL.
CREATE TABLE retired (
    seq      INTEGER PRIMARY KEY,
    how      TEXT NOT NULL CHECK (how IN ('scrap', 'revoke', 'replace')),
    rid      TEXT NOT NULL, -- empty of scrap that was never begun
    mac      TEXT NOT NULL,
    sn       TEXT NOT NULL,
    new_rid  TEXT NOT NULL, -- of the board that takes its place
    new_mac  TEXT NOT NULL,
    restored INTEGER        -- the record that took a scrap back
) STRICT;

CREATE INDEX retired_rid ON retired (rid) WHERE rid <> '';
CREATE INDEX retired_mac ON retired (mac) WHERE mac <> '';
CREATE INDEX retired_sn  ON retired (sn) WHERE sn <> '';
CREATE INDEX retired_new ON retired (new_rid) WHERE new_rid <> '';

-- Derived from log: lists of identities to be cleaned up in the cloud.
CREATE TABLE cleanup (
    seq     INTEGER PRIMARY KEY,
    done    INTEGER NOT NULL CHECK (done IN (0, 1)), -- it was done: else it was made
    sha256  TEXT NOT NULL,
    devices INTEGER NOT NULL,
    upto    INTEGER NOT NULL -- the last record that it was made of
) STRICT;
