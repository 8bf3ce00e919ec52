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

-- Derived from log: which records concern a registration ID, and what they say of the device.
CREATE TABLE device_record (
    rid  TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('intent', 'new', 'old', 'unknown', 'refused')),
    PRIMARY KEY (rid, seq)
) STRICT, WITHOUT ROWID;

-- Derived from log: how many records there are of each event and outcome.
CREATE TABLE tally (
    ev      TEXT NOT NULL,
    rc      TEXT NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (ev, rc)
) STRICT, WITHOUT ROWID;

-- Derived from log: intents whose outcome is not known.
CREATE TABLE open_intent (
    rid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (rid, seq)
) STRICT, WITHOUT ROWID;
