"""What attackers make of a log: each function of MUTATIONS makes one mutant of one log, or None where that log has not what it takes.

A mutant is never a log that is as good as the one it came from: what only takes away the line of a witness, or a record of a
selection, is nothing that a verifier could know of, and is not made here.
"""
import base64
import json
from dataclasses import dataclass, field

import forge
from forge import Log, canonical, checkpoint_text, entries, leaf, tile_path, tiles


@dataclass
class Evidence:
    """What a verifier is given."""
    files: dict = field(default_factory=dict)  # of a bundle, by name
    proof: bytes = None  # or a proof file
    vkey: str = None  # the key that the user knows
    seen: list = field(default_factory=list)  # checkpoints that left the machine before


# Records from which on there are tiles of level 2. Only mutations that ask for so many are made of such a log: it takes seconds to verify.
DEEP = 65536 + 1

MUTATIONS = {}


def mutation(share, needs=2, signs=False):
    """`share` of all mutants are of this kind; it takes a log of `needs` records, and its key if it signs."""
    def added(function):
        MUTATIONS[function.__name__] = (function, share, needs, signs)
        return function
    return added


def rebuilt(base, bodies, note=None):
    """The bundle of `base` with other records, all hashes computed anew, and a checkpoint that was not signed anew."""
    kept = {name: data for name, data in base.clean.items() if not name.startswith("tile/")}
    files = kept | tiles([leaf(body) for body in bodies]) | entries(bodies)
    return files if note is None else files | {"checkpoint": note}


def rebuilt_below(base, bodies, top):
    """The bundle of `base` with other records, and their hashes up to the tiles of level `top`: what is above is as it was."""
    new = tiles([leaf(body) for body in bodies])
    return base.clean | entries(bodies) | {name: data for name, data in new.items() if int(name.split("/")[1]) <= top}


def unsigned(base, bodies):
    """The checkpoint of other records under the signature of the old ones."""
    _, signatures = base.clean["checkpoint"].split(b"\n\n", 1)
    root = forge.root([leaf(body) for body in bodies])
    return checkpoint_text(len(bodies), root, base.log.key.name).encode() + b"\n" + signatures


def either(rng, base, bodies):
    """As often with the old checkpoint as with one that says what the records are and is not signed."""
    return Evidence(rebuilt(base, bodies, rng.choice([None, unsigned(base, bodies)])))


def flipped(rng, data, end=None):
    at, bit = rng.randrange(len(data) if end is None else end), rng.randrange(8)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]


def named(base, start):
    return sorted(name for name in base.clean if name.startswith(start))


def renumbered(body, seq):
    return canonical(json.loads(body) | {"seq": seq})


def edited(rng, body):
    """Another value of one field, canonical, and of a kind that the field can have."""
    fields = json.loads(body)
    key = rng.choice([k for k in fields if k not in ("v", "seq", "log", "ev", "boot", "t", "vkey")])
    value = fields[key]
    if isinstance(value, int):
        return canonical(fields | {key: value - 1 if value > 0 else value + 1})
    return canonical(fields | {key: value + "x" if key != "rc" or value != "ok" else "no"})


def own_end(note):
    """Where the signature line of the log ends: behind it there are lines of witnesses, which a verifier may not know."""
    return note.index(b"\n", note.index(b"\n\n") + 2) + 1


# --- whoever has no key -----------------------------------------------------------------------------------------------


@mutation(600, needs=1)
def edit_bytes(rng, base):
    """A byte of a record, and nothing else."""
    bodies = list(base.log.bodies)
    seq = rng.randrange(len(bodies))
    at = rng.randrange(len(bodies[seq]))
    other = rng.choice([byte for byte in range(256) if byte != bodies[seq][at]])
    bodies[seq] = bodies[seq][:at] + bytes([other]) + bodies[seq][at + 1:]
    return Evidence(base.clean | entries(bodies))


@mutation(600, needs=1)
def edit_field(rng, base):
    """A field of a record, with every hash computed anew."""
    bodies = list(base.log.bodies)
    seq = rng.randrange(len(bodies))
    bodies[seq] = edited(rng, bodies[seq])
    return Evidence(rebuilt(base, bodies))


@mutation(200, needs=257)
def edit_field_and_leaf(rng, base):
    """The same, with the hash in the tile of leaves, and nothing above it."""
    bodies = list(base.log.bodies)
    seq = rng.randrange(len(bodies) // 256 * 256)
    bodies[seq] = edited(rng, bodies[seq])
    return Evidence(rebuilt_below(base, bodies, 0))


@mutation(4, needs=DEEP)
def deep_edit(rng, base):
    """The same in a log whose tiles have three levels, with the hashes up to the first or the second."""
    bodies = list(base.log.bodies)
    seq = rng.randrange(65536)
    bodies[seq] = edited(rng, bodies[seq])
    return Evidence(rebuilt_below(base, bodies, rng.randrange(2)))


@mutation(300, needs=1)
def edit_field_and_checkpoint(rng, base):
    """The same, and the root in the checkpoint."""
    bodies = list(base.log.bodies)
    seq = rng.randrange(len(bodies))
    bodies[seq] = edited(rng, bodies[seq])
    return Evidence(rebuilt(base, bodies, unsigned(base, bodies)))


@mutation(400, needs=3)
def swap(rng, base):
    bodies = list(base.log.bodies)
    a, b = rng.sample(range(1, len(bodies)), 2)
    bodies[a], bodies[b] = bodies[b], bodies[a]
    if rng.random() < 0.5:
        bodies[a], bodies[b] = renumbered(bodies[a], a), renumbered(bodies[b], b)
    return either(rng, base, bodies)


@mutation(350, needs=1)
def insert(rng, base):
    bodies = base.log.bodies
    at = rng.randrange(1, len(bodies) + 1)
    new = forge.another(rng, base.log.key, at)
    return either(rng, base, bodies[:at] + [new] + [renumbered(body, at + 1 + i) for i, body in enumerate(bodies[at:])])


@mutation(350)
def delete(rng, base):
    bodies = base.log.bodies
    at = rng.randrange(1, len(bodies))
    behind = bodies[at + 1:]
    if rng.random() < 0.8:
        behind = [renumbered(body, at + i) for i, body in enumerate(behind)]
    return either(rng, base, bodies[:at] + behind)


@mutation(500)
def cut_tail(rng, base):
    """The last 1 to n - 1 records: one as often as many."""
    size = base.log.size
    gone = rng.choice([1, rng.randrange(1, size), rng.randrange(1, min(size, 10))]) if size > 2 else 1
    return either(rng, base, base.log.bodies[:size - gone])


@mutation(150)
def database_of_yesterday(rng, base):
    """Records of an older copy beside the newest checkpoint."""
    return Evidence(rebuilt(base, base.log.bodies[:rng.randrange(1, base.log.size)]))


@mutation(200, needs=257)
def tiles_moved(rng, base):
    """Two files of tiles or of entries in each other's place, one that is gone, or one that is there twice."""
    kind = rng.choice(["tile/0/", "tile/entries/", "tile/"])
    files = dict(base.clean)
    a, b = rng.sample(named(base, kind), 2)
    how = rng.randrange(4)
    if how == 0:
        files[a], files[b] = files[b], files[a]
    elif how == 1:
        del files[a]
    elif how == 2:
        files[a] = files[b]
    else:
        files[tile_path(rng.choice([0, 1, 2, "entries"]), rng.randrange(1, 2000), rng.choice([1, 256]))] = files.pop(a)
    return Evidence(files)


@mutation(750, needs=0)
def bit_flip(rng, base):
    """A bit of a file: of every kind of file as often."""
    kinds = ["checkpoint", "log.vkey", "witness.vkeys", "tile/0/", "tile/1/", "tile/entries/", "records/", "checkpoints/"]
    names = named(base, rng.choice([kind for kind in kinds if any(base.clean[name] for name in named(base, kind))]))
    name = rng.choice(names)
    data = base.clean[name]
    end = own_end(data) if name.startswith("checkpoint") else None
    return Evidence(base.clean | {name: flipped(rng, data, end)})


@mutation(100, needs=0)
def length_of_a_file(rng, base):
    name = rng.choice(named(base, "tile/"))
    data = base.clean[name]
    cut = rng.randrange(1, 40)
    return Evidence(base.clean | {name: data + rng.randbytes(cut) if rng.random() < 0.5 else data[:-cut]})


@mutation(50, needs=1)
def checkpoint_of_another_log(rng, base):
    """Two stations' logs confused: the files of the one with the checkpoint, or also the key, of the other."""
    other = Log.random(rng, base.log.size)
    taken = ["checkpoint"] if rng.random() < 0.5 else ["checkpoint", "log.vkey"]
    return Evidence(base.clean | {name: other.frame(False)[name] for name in taken})


@mutation(150, needs=1)
def forged_key(rng, base):
    """Everything signed by the forger's own key: only who knows the right one can tell."""
    key = forge.Key(base.log.key.name, rng.randbytes(32))
    own = canonical(json.loads(base.log.bodies[0]) | {"vkey": key.vkey})
    forged = Log([own, *base.log.bodies[1:]], key)
    return Evidence(forged.whole(), vkey=base.log.key.vkey)


@mutation(100, needs=1)
def forged_checkpoint(rng, base):
    """The checkpoint and the vkey by the forger's key, the genesis by the right one."""
    forged = Log(base.log.bodies, forge.Key(base.log.key.name, rng.randbytes(32)))
    taken = ["checkpoint"] if rng.random() < 0.5 else ["checkpoint", "log.vkey"]
    return Evidence(base.clean | {name: forged.frame(False)[name] for name in taken})


# --- whoever has the key too ------------------------------------------------------------------------------------------


@mutation(250, signs=True)
def database_and_head_of_yesterday(rng, base):
    """An older copy of everything: a checkpoint that left the machine since tells."""
    size = rng.randrange(1, base.log.size)
    seen = rng.randrange(size + 1, base.log.size + 1)
    return Evidence(base.log.cut(size).whole(), seen=[base.log.checkpoint(seen)])


@mutation(450, signs=True)
def fork(rng, base):
    """Another past under the right key, from any record on, longer or shorter: a checkpoint that left the machine tells."""
    at = rng.randrange(base.log.size)
    if at == 0:
        at = rng.randrange(base.log.size)
    seen = rng.randrange(at + 1, base.log.size + 1)
    forked = base.log.fork(at, rng.choice([base.log.size, rng.randrange(at + 1, base.log.size + 1)]))
    older = rng.randrange(1, at + 1) if at else None
    return Evidence(forked.whole(), seen=[base.log.checkpoint(size) for size in [older, seen] if size])


@mutation(100, signs=True)
def earlier_checkpoint_of_a_fork(rng, base):
    """The log itself is as it was: a checkpoint in the bundle shows that its key signed another one."""
    at = rng.randrange(base.log.size - 1)
    size = rng.randrange(at + 1, base.log.size)
    return Evidence(base.clean | {f"checkpoints/{size}": base.log.fork(at).checkpoint(size).encode()})


@mutation(100, signs=True)
def carried_elsewhere(rng, base):
    """An account that comes in as if an epoch had taken it over: behind its beginning, or in place of nothing that it says."""
    bodies = list(base.log.bodies)
    carried = json.loads(bodies[0]).get("carried", 0)
    at = rng.randrange(carried + 1, len(bodies) + 1)
    bodies[at:at] = [forge.account(rng, base.log.key, at)]
    bodies[at + 1:] = [renumbered(body, seq) for seq, body in enumerate(bodies[at + 1:], at + 1)]
    return Evidence(Log(bodies, base.log.key).whole())


@mutation(100, signs=True)
def carried_less(rng, base):
    """A record 0 that says of more or fewer records that they carry something over than do."""
    genesis = json.loads(base.log.bodies[0])
    says = rng.choice([n for n in range(-1, base.log.size + 1) if n != genesis.get("carried", 0)][:300])
    named = dict(prev=base.log.key.name + "0", carried=says, carried_size=9, carried_root="5a" * 32)
    return Evidence(Log([canonical(genesis | named), *base.log.bodies[1:]], base.log.key).whole())


@mutation(100, needs=1, signs=True)
def wrong_cosignature(rng, base):
    """A line of a witness that is known, over another text or at another time."""
    log = base.log
    text = log.text() if rng.random() < 0.5 else log.fork(0).text()
    line = log.witness.cosign(text, 1795313700)
    raw = base64.b64decode(line.split()[-1])
    if text == log.text():
        raw = raw[:4] + flipped(rng, raw[4:])
    line = forge.line(log.witness.name, raw[:4], raw[4:])
    return Evidence(base.clean | {"checkpoint": (log.checkpoint() + line).encode(), "witness.vkeys": (log.witness.vkey + "\n").encode()})


# --- selections and proof files: beside the mutants of whole logs -----------------------------------------------------

PARTIAL = {}


def partial(share, needs=3, signs=True):
    def added(function):
        PARTIAL[function.__name__] = (function, share, needs, signs)
        return function
    return added


def selected(rng, base):
    return base.log.selection(rng.sample(range(base.log.size), rng.randrange(1, min(base.log.size, 6))))


@partial(100)
def selection_edit(rng, base):
    files = selected(rng, base)
    name = rng.choice([name for name in files if name.startswith("records/")])
    body = edited(rng, files[name]) if rng.random() < 0.5 else flipped(rng, files[name])
    return Evidence(files | {name: body})


@partial(50)
def selection_swap(rng, base):
    a, b = rng.sample(range(base.log.size), 2)
    files = base.log.selection([a, b])
    seqs = {f"records/{a}.json": base.log.bodies[b], f"records/{b}.json": base.log.bodies[a]}
    if rng.random() < 0.5:
        seqs = {f"records/{a}.json": renumbered(base.log.bodies[b], a), f"records/{b}.json": renumbered(base.log.bodies[a], b)}
    return Evidence(files | seqs)


@partial(100)
def selection_flip(rng, base):
    files = selected(rng, base)
    name = rng.choice([name for name in files if name.startswith("tile/") or name in ("checkpoint", "log.vkey")])
    return Evidence(files | {name: flipped(rng, files[name])})


@partial(100, needs=257)
def selection_edit_and_leaf(rng, base):
    """Also the hash in the tile of leaves, and nothing above it."""
    return edited_selection(rng, base, 0)


@partial(15, needs=DEEP)
def deep_selection_edit(rng, base):
    """The same in a log whose tiles have three levels, with the hashes up to the first or the second."""
    return edited_selection(rng, base, rng.randrange(2))


def edited_selection(rng, base, top):
    chosen = rng.sample(range(base.log.size), 3)
    bodies = list(base.log.bodies)
    seq = rng.choice([seq for seq in [0, *chosen] if seq < base.log.size // 256 ** (top + 1) * 256 ** (top + 1)])
    bodies[seq] = edited(rng, bodies[seq])
    files = base.log.selection(chosen)
    edited_files = rebuilt_below(base, bodies, top) | {f"records/{seq}.json": bodies[seq]}
    return Evidence({name: edited_files.get(name, data) for name, data in files.items()})


@partial(15, needs=DEEP)
def deep_selection_flip(rng, base):
    return selection_flip(rng, base)


@partial(50)
def selection_of_a_fork(rng, base):
    forked = base.log.fork(rng.randrange(base.log.size))
    return Evidence(selected(rng, Given(forked)), seen=[base.log.checkpoint()])


@partial(50)
def selection_without_a_tile(rng, base):
    files = selected(rng, base)
    name = rng.choice([name for name in files if name.startswith("tile/")])
    files.pop(name)
    return Evidence(files)


def proof_of(rng, base):
    devices = base.log.devices()
    if not (devices and base.signs):
        return None
    return base.log.proof(devices[rng.choice(sorted(devices))]).encode()


@partial(200, needs=0, signs=False)
def proof_flip(rng, base):
    proof = rng.choice(base.proofs) if base.proofs else proof_of(rng, base)
    return proof and Evidence(proof=flipped(rng, proof))


@partial(50)
def proof_of_a_fork(rng, base):
    proof = proof_of(rng, Given(base.log.fork(rng.randrange(base.log.size))))
    return proof and Evidence(proof=proof, seen=[base.log.checkpoint()])


@partial(50)
def proof_of_an_edited_record(rng, base):
    """The forger computes the whole proof anew, and has the old checkpoint."""
    devices = base.log.devices()
    if not devices:
        return None
    chosen = devices[rng.choice(sorted(devices))]
    bodies = list(base.log.bodies)
    seq = rng.choice(chosen)
    bodies[seq] = canonical(json.loads(bodies[seq]) | {"op": "op-1"})
    forged = Log(bodies, base.log.key)
    forged.notes[forged.size] = base.log.checkpoint()
    return Evidence(proof=forged.proof(chosen).encode())


class Given:
    """A log with its clean bundle, the proof files that came with it, and whether its key is there to sign with."""

    def __init__(self, log, clean=None, signs=True, proofs=()):
        self.log, self.signs, self.proofs = log, signs, proofs
        self.clean = log.whole() if clean is None else clean
