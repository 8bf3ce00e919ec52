#!/usr/bin/env python3
"""Makes audit-witness.json from docs/audit-format.md, section 8, alone.

The log is that of make_audit.py, the witness that of make_audit_bundle.py. `state` is what the witness remembers of the log:
the checkpoint that it cosigned last, or nothing. Run it in this folder; `--check` only compares.
"""
import json
import os
import sys

from make_audit import ORIGIN, OTHER_PUBLIC, OTHER_SEED, PUBLIC, checkpoint_text, example, leaf, line, node, note, root, vkey
from make_audit_bundle import WITNESS, WITNESS_SEED, b64, cosignature, witness_id, witness_vkey

OTHER_LOG = "keylog.example.com/plant7/stn04/1"


def subproof(old, leaves, whole=True):
    """RFC 6962, section 2.1.2, word for word."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if old <= k:
        return subproof(old, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(old - k, leaves[k:], False) + [root(leaves[:k])]


def request(old, proof, signed):
    return "old %s\n%s\n%s" % (old, "".join(b64(h) + "\n" for h in proof), signed)


def cases():
    leaves = [bytes.fromhex(h) for h in example()["leaves"]]
    text = {n: checkpoint_text(n, root(leaves[:n])) for n in range(1, 6)}
    signed = {n: note(text[n]) for n in text}
    cosigned = {n: signed[n] + cosignature(text[n]) for n in text}
    forked = [*leaves[:2], leaf(b"{}"), *leaves[3:]]
    fork = note(checkpoint_text(5, root(forked)))
    fork3 = note(checkpoint_text(3, root(forked[:3])))
    good = request(3, subproof(3, leaves), signed[5])
    proof = subproof(3, leaves)
    remembers = cosigned[3]
    # What is signed by the witness at the time of its state is signed again at the same time.
    must_pass = [
        ("the first checkpoint of a log", None, request(0, [], signed[5])),
        ("a log that has grown", remembers, good),
        ("a log that has not grown", cosigned[5], request(5, [], signed[5])),
        ("an old size that is a power of two", cosigned[4], request(4, subproof(4, leaves), signed[5])),
        ("another witness has signed before", remembers, request(3, proof, signed[5] + line("witness.example.com/other", b"abcd", bytes(72)))),
        ("the witness itself has signed before", cosigned[5], request(5, [], cosigned[5])),
    ]
    must_fail = [
        ("form", "empty", remembers, ""),
        ("form", "only a checkpoint", remembers, signed[5]),
        ("form", "no old size", remembers, good[len("old 3\n"):]),
        ("form", "an old size with a leading zero", remembers, good.replace("old 3", "old 03")),
        ("form", "an old size with a plus sign", remembers, good.replace("old 3", "old +3")),
        ("form", "an empty old size", remembers, good.replace("old 3", "old ")),
        ("form", "an old size beyond 2^53", remembers, good.replace("old 3", "old %d" % 2**53)),
        ("form", "carriage returns", remembers, good.replace("\n", "\r\n")),
        ("form", "a hash of 31 bytes", remembers, good.replace(b64(proof[0]), b64(proof[0][:31]))),
        ("form", "a hash that is not Base64", remembers, good.replace(b64(proof[0]), "x")),
        ("form", "64 hashes", remembers, request(3, proof[:1] * 64, signed[5])),
        ("form", "nothing behind the empty line", remembers, "old 3\n\n"),
        ("unknown", "another log", remembers, request(0, [], note(text[5].replace(ORIGIN, OTHER_LOG), name=OTHER_LOG))),
        ("unknown", "a name that no log can have", remembers, request(0, [], note(text[5].replace(ORIGIN, "../../x"), name="../../x"))),
        ("checkpoint", "signed by another key", remembers, request(3, proof, note(text[5], seed=OTHER_SEED, public=OTHER_PUBLIC))),
        ("checkpoint", "the signature is of another text", remembers, request(3, proof, text[5] + "\n" + signed[4].split("\n\n")[1])),
        ("checkpoint", "an extension line", remembers, request(3, proof, note(text[5] + "x\n"))),
        ("cosignature", "a wrong line under the name of the witness", remembers, request(3, proof, signed[5] + cosignature(text[4]))),
        ("rolled-back", "the witness signed it and does not remember", remembers, request(3, proof, cosigned[5])),
        ("rolled-back", "the witness signed it and remembers nothing", None, request(0, [], cosigned[5])),
        ("smaller", "fewer records", cosigned[5], request(3, [], signed[3])),
        ("smaller", "fewer records, and the old size says so", cosigned[5], request(5, [], signed[3])),
        ("forked", "as many records, another root", cosigned[5], request(5, [], fork)),
        ("conflict", "the first request once more", remembers, request(0, [], signed[5])),
        ("conflict", "a smaller old size", remembers, request(2, subproof(2, leaves), signed[5])),
        ("conflict", "an old size that the witness never signed", remembers, request(4, subproof(4, leaves), signed[5])),
        ("proof", "a fork with the proof of the log", remembers, request(3, proof, fork)),
        ("proof", "a fork with its own proof", remembers, request(3, subproof(3, forked), fork)),
        ("proof", "no proof", remembers, request(3, [], signed[5])),
        ("proof", "a hash too few", remembers, request(3, proof[:-1], signed[5])),
        ("proof", "a hash too many", remembers, request(3, proof + proof[:1], signed[5])),
        ("proof", "a proof where nothing was signed before", None, request(0, proof, signed[5])),
        ("proof", "a proof where nothing has grown", cosigned[5], request(5, proof, signed[5])),
        ("clock", "the clock is behind the last cosignature", remembers, good),
    ]
    assert node(leaves[0], leaves[1]) in proof and fork3 != signed[3]
    return {
        "request": good,
        "response": signed[5] + cosignature(text[5]),
        "must_pass": [{"name": n, "state": s, "request": r, "response": r.split("\n\n", 1)[1] + cosignature(text[5])} for n, s, r in must_pass],
        "must_fail": [{"why": w, "name": n, "state": s, "request": r} for w, n, s, r in must_fail],
        # Two checkpoints that the key of one log signed, and that no one log can have.
        "clone": [{"name": "as many records, another root", "checkpoints": [signed[5], fork]},
                  {"name": "one is no beginning of the other", "checkpoints": [fork3, signed[5]], "proof": [b64(h) for h in proof]}],
    }


def main():
    made = {"about": "Requests to a witness: what it must cosign, and what it must refuse.", "log": vkey(ORIGIN, PUBLIC),
            "witness": witness_vkey().strip(), "time": 1795313700,
            "key": "PRIVATE+KEY+%s+%s+%s" % (WITNESS, witness_id().hex(), b64(b"\x04" + WITNESS_SEED))} | cases()
    text = json.dumps(made, indent=1, ensure_ascii=True) + "\n"
    if sys.argv[1:] == ["--check"]:
        return 0 if os.path.exists("audit-witness.json") and open("audit-witness.json").read() == text else 1
    open("audit-witness.json", "w").write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
