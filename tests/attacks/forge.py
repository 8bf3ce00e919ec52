#!/usr/bin/env python3
"""Logs and bundles as docs/audit-format.md describes them, by whoever has a key: a station, or somebody who forges one.

Records, tree and tiles are those of tests/vectors/make_audit.py and make_audit_bundle.py, which share no code with the station.
`forge.py RECORDS DIR` writes the whole bundle of a log of that many records.
"""
import base64
import functools
import json
import os
import random
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors"))
import make_audit  # noqa: E402
from make_audit import canonical, checkpoint_text, leaf, line, node, record  # noqa: E402,F401
from make_audit_bundle import HEADER, entries, path, tile_path, tiles  # noqa: E402,F401

OTHER_SCRIPTS = ["Prüfplatz 7", "線 3", "\u202eright to left", 'a "quoted\\" word', "tab\tand\x9bcontrol", "🔑", ""]


class Key:
    """The key of a log (kind 1) or of a witness (kind 4)."""

    def __init__(self, name, seed, kind=1):
        self.name, self.private = name, Ed25519PrivateKey.from_private_bytes(seed)
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = make_audit.hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"

    @classmethod
    def of_file(cls, text):
        """The key file of a station: `PRIVATE+KEY+<origin>+<key ID>+<Base64 of (01 ‖ seed)>`."""
        _, _, name, _, encoded = text.strip().split("+", 4)
        return cls(name, base64.b64decode(encoded)[1:])

    def sign(self, text):
        return text + "\n" + line(self.name, self.id, self.private.sign(text.encode()))

    def cosign(self, text, at):
        message = f"cosignature/v1\ntime {at}\n{text}".encode()
        return line(self.name, self.id, struct.pack(">Q", at) + self.private.sign(message))


def root(hashes):
    """Of the first complete subtrees, level by level: as RFC 6962 has it, without its recursion over slices."""
    peaks = []
    for at, found in enumerate(hashes):
        while at & 1:
            found, at = node(peaks.pop(), found), at >> 1
        peaks.append(found)
    found = peaks.pop()
    while peaks:
        found = node(peaks.pop(), found)
    return found


class Log:
    """Records, and the keys that sign them."""

    def __init__(self, bodies, key, witness=None):
        self.bodies, self.key, self.witness = bodies, key, witness
        self.leaves = [leaf(body) for body in bodies]
        self.notes = {}

    @property
    def size(self):
        return len(self.bodies)

    @functools.cached_property
    def tiles(self):
        return tiles(self.leaves)

    @classmethod
    def example(cls, size):
        """The worked example of the document, continued."""
        key = Key(make_audit.ORIGIN, make_audit.SEED)
        bodies = [body.encode() for body in make_audit.example()["records"]][:size]
        rng = random.Random(1)
        bodies += [another(rng, key, seq) for seq in range(len(bodies), size)]
        return cls(bodies, key, Key("witness.example.com/qa", rng.randbytes(32), 4))

    @classmethod
    def random(cls, rng, size):
        origin = f"keylog.{rng.choice(['example.com', 'a-b.example', 'x'])}/{rng.choice(['p.1', 'plant7'])}/s-{rng.randrange(99)}/{rng.choice([1, 1, 2, 4294967295])}"
        key = Key(origin, rng.randbytes(32))
        witness = Key(rng.choice(["witness.example.com/qa", "zeuge/ü"]), rng.randbytes(32), 4)
        first = epoch(rng, key, min(size - 1, rng.choice([0, 0, 0, 1, 4])))
        return cls([*first, *(another(rng, key, seq) for seq in range(len(first), size))], key, witness)

    def text(self, size=None):
        size = size or self.size
        return checkpoint_text(size, root(self.leaves[:size]), self.key.name)

    def checkpoint(self, size=None):
        size = size or self.size
        if size not in self.notes:
            self.notes[size] = self.key.sign(self.text(size))
        return self.notes[size]

    def cosignature(self, size=None, at=1795313700):
        return self.witness.cosign(self.text(size), at)

    def cut(self, size):
        return Log(self.bodies[:size], self.key, self.witness)

    def fork(self, at, size=None):
        """The same key, another past from record `at` on."""
        fields = json.loads(self.bodies[at])
        changed = canonical(fields | {"mono": fields["mono"] ^ 1})
        return Log([*self.bodies[:at], changed, *self.bodies[at + 1:]][:size or self.size], self.key, self.witness)

    # What is handed out.

    def frame(self, cosigned):
        note = self.checkpoint() + (self.cosignature() if cosigned else "")
        witnesses = self.witness.vkey + "\n" if self.witness and cosigned else ""
        return {"checkpoint": note.encode(), "log.vkey": (self.key.vkey + "\n").encode(), "witness.vkeys": witnesses.encode(),
                "README": b"See docs/audit-format.md.\n"}

    def whole(self, cosigned=False, earlier=()):
        files = self.frame(cosigned) | self.tiles | entries(self.bodies)
        for size in earlier:
            files[f"checkpoints/{size}"] = (self.checkpoint(size) + (self.cosignature(size) if cosigned else "")).encode()
        return files

    def selection(self, chosen, cosigned=False):
        chosen = sorted({0, *chosen})
        every = self.tiles
        wanted = {name for name in every if ".p/" in name}
        wanted |= {tile_path(level, seq >> 8 * (level + 1), 256) for seq in chosen for level in range(3)} & every.keys()
        return self.frame(cosigned) | {name: every[name] for name in wanted} | \
            {f"records/{seq}.json": self.bodies[seq] for seq in chosen}

    def devices(self):
        """Of each registration ID the numbers of its records, the first dozen."""
        found = {}
        for seq, body in enumerate(self.bodies[:3000]):
            if rid := json.loads(body).get("rid"):
                found.setdefault(rid, []).append(seq)
        return {rid: seqs[:12] for rid, seqs in found.items()}

    def proof(self, chosen):
        b64 = lambda data: base64.b64encode(data).decode()
        return "".join(
            f"{HEADER}extra {b64(self.bodies[seq])}\nindex {seq}\n{''.join(b64(h) + chr(10) for h in path(seq, self.leaves))}\n"
            + self.checkpoint() for seq in [0, *chosen])


def genesis(key):
    own = record(0, "2026-11-22T02:14:03.123Z", 81233412, "log.genesis", role="station", op="", vkey=key.vkey)
    return canonical(own | {"log": key.name})


def epoch(rng, key, carried):
    """The first records of a log that takes so many accounts over, or none."""
    first = genesis(key)
    if not carried:
        return [first]
    says = dict(prev=key.name + "0", prev_size=9, prev_root="5a" * 32, reason="disk replaced", carried=carried, carried_size=9,
                carried_root="5a" * 32, carried_lost=0)
    return [canonical(json.loads(first) | says), *(account(rng, key, seq) for seq in range(1, carried + 1))]


def account(rng, key, seq):
    """What record `seq` carries over; they ascend."""
    own = dict(user=f"op-{seq:07}", roles="operator", active=1, cred=1, once=0, tries=rng.randrange(9), try_boot="", try_mono=0, was=seq)
    made = record(seq, "2026-11-22T02:14:03.123Z", seq, "carry.account", op="ad-1", role="administrator")
    return canonical(made | own | {"log": key.name})


def another(rng, key, seq):
    """Record `seq`, like those that a station writes: mostly devices."""
    t = f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:00.{rng.randrange(1000):03}Z"
    rid = f"sn-{rng.randrange(10):04}"
    kind = rng.random()
    if kind < 0.45:
        own = dict(ev="inject.intent", rid=rid, mac=rng.randbytes(6).hex(), sn=rng.choice(OTHER_SCRIPTS), fw="2.4.1", gk="gk-2026a",
                   gkcv="9B5BDBEC8B", group="line-7", scope="0ne00EMU001", slot="primary", port="usb-1-1.4/0403:6001/FT9X2",
                   endpoint="global.azure-devices-provisioning.net", dkfp=rng.randbytes(12).hex(), profile="example",
                   job="WO-44192", mode="new", prior=-1) | {"try": rng.randrange(1, 5)}
    elif kind < 0.9:
        own = dict(ev="inject.result", rc=rng.choice(["ok", "verify_mismatch"]), rid=rid, ref=rng.randrange(seq), holds="new",
                   vmode="challenge", code="")
    elif kind < 0.95:
        own = dict(ev="log.open", version="keystation 0.1.0", sqlite="3.54.1", os="linux x86_64", config="00" * 32, open=0)
    elif kind < 0.99:
        own = dict(ev="future.event", aa=rng.choice(OTHER_SCRIPTS), zz=rng.choice([0, 2**53 - 1, 1 - 2**53]))
    else:
        own = dict(ev="future.long", zz="x" * rng.randrange(3700))
    made = dict(record(seq, t, rng.randrange(2**40), own.pop("ev"), op=rng.choice(["op-0117", "op-2"]))) | own
    return canonical(made | {"log": key.name})


def write(folder, files):
    for name, data in files.items():
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(data)


def main():
    size, folder = int(sys.argv[1]), sys.argv[2]
    write(folder, Log.random(random.Random(0), size).whole())


if __name__ == "__main__":
    main()
