#!/usr/bin/env python3
"""Makes audit-device.json from docs/audit-format.md, section 11, alone.

The log is that of make_audit.py. Run it in this folder; `--check` only compares.
"""
import json
import struct
import sys

from make_audit import ORIGIN, OTHER_PUBLIC, PUBLIC, example, key_id, leaf, root

RID = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"


def anchor(leaves, size, log=key_id(ORIGIN, PUBLIC)):
    return log + struct.pack(">Q", size) + root(leaves[:size])[:8]


def cases():
    leaves = [bytes.fromhex(h) for h in example()["leaves"]]
    true = anchor(leaves, 3)
    longer = [*leaves, leaf(b"{}"), leaf(b"{}")]
    forked = [*leaves[:2], leaf(b"{}"), *leaves[3:]]
    rows = [
        ("the device of record 2", RID, true, "agrees"),
        ("the log had one record more than it has", RID, anchor(longer, 6), "log-cut-back"),
        ("the log had two records more than it has", RID, anchor(longer, 7), "log-cut-back"),
        ("another root at the same size", RID, anchor(forked, 3), "log-replaced"),
        ("another root at the size that the log has now", RID, anchor(forked, 5), "log-replaced"),
        ("a root that is not that of this size", RID, true[:12] + root(leaves[:4])[:8], "log-replaced"),
        ("one bit of the root", RID, true[:19] + bytes([true[19] ^ 1]), "log-replaced"),
        ("another key ID", RID, anchor(leaves, 3, key_id(ORIGIN, OTHER_PUBLIC)), "other-log"),
        ("the key ID of the next epoch", RID, anchor(leaves, 3, key_id(ORIGIN[:-1] + "2", PUBLIC)), "other-log"),
        ("another log that is longer", RID, anchor(longer, 7, key_id(ORIGIN, OTHER_PUBLIC)), "other-log"),
        ("another device", RID[:-1] + "7", true, "not-its-intent"),
        ("a record that is no intent", RID, anchor(leaves, 2), "not-its-intent"),
        ("the result in place of the intent", RID, anchor(leaves, 4), "not-its-intent"),
        ("no records", RID, true[:4] + bytes(8) + true[12:], "anchor-void"),
        ("2^53 records", RID, true[:4] + struct.pack(">Q", 1 << 53) + true[12:], "anchor-void"),
        ("2^64 - 1 records", RID, true[:4] + b"\xff" * 8 + true[12:], "anchor-void"),
        ("nothing but zeros", RID, bytes(20), "other-log"),
    ]
    return {
        "about": "Made by make_audit_device.py: what a verifier makes of the anchor of a device, docs/audit-format.md, "
                 "section 11. The log is that of audit-log.json.",
        "anchor": true.hex(),
        "cases": [{"name": name, "rid": rid, "anchor": value.hex(), "verdict": verdict}
                  for name, rid, value, verdict in rows],
    }


text = json.dumps(cases(), indent=1) + "\n"
if sys.argv[1:] == ["--check"]:
    sys.exit(0 if open("audit-device.json").read() == text else "audit-device.json is not current")
open("audit-device.json", "w").write(text)
