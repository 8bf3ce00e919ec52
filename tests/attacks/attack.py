#!/usr/bin/env python3
"""Clean logs must be accepted and mutants refused, by both verifiers: 1,000 and 5,000, and what is cut out of logs besides.

  attack.py                 logs of its own, of 1 to 3,000 records
  attack.py --from DIR      what a station wrote: each folder of DIR is a bundle, DIR/<name>.key its station.key if it is there (only
                            with it can the attacks of whoever has the key be made), each DIR/*.tlog-proof a proof file

Every case has a name like `fork-17`; with --seed and --only it is made again, and --keep DIR leaves its files there. The control at the
end weakens a check, and must see mutants pass: else the attacks would not reach that check. Ends with `N passed, N failed`.
"""
import argparse
import collections
import contextlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "verify-python"))
import forge  # noqa: E402
import keylog_verify as kv  # noqa: E402
from mutations import DEEP, MUTATIONS, PARTIAL, Evidence, Given  # noqa: E402

MUTANTS, CLEAN, RECORDS, NOTES, CONTROL = 5000, 1000, 20000, 5000, 25
# A log below one tile, at its border, over it, of several tiles. Most are small, so that there can be many.
BORDERS = [1, 2, 3, 4, 255, 256, 257, 511, 512, 513, 768]
POOL = 96  # logs that mutants are made of


def some_size(rng):
    kind = rng.random()
    return rng.randrange(1, 48) if kind < 0.78 else rng.choice(BORDERS) if kind < 0.93 else int(3000 ** rng.uniform(0.7, 1.0))


def some_log(rng):
    log = forge.Log.random(rng, some_size(rng))
    cosigned = rng.random() < 0.3
    earlier = rng.sample(range(1, log.size), min(log.size - 1, rng.randrange(4)))
    return Given(log, log.whole(cosigned, earlier))


# --- the two verifiers ------------------------------------------------------------------------------------------------


class Go:
    """One process that answers line by line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def judge(self, kind, name, vkey, seen):
        return self.ask(kind, name, vkey or "-", *seen)

    def ask(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n").split("\t")
        if answer[0] not in ("accepted", "refused"):
            raise RuntimeError(f"the Go verifier stopped at {words}")
        return answer[1] if answer[0] == "refused" else None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def judge_in_python(kind, name, vkey, seen):
    trusted = kv.given_key(vkey, kv.LOG) if vkey else None
    notes = [kv.given(note) for note in seen]
    try:
        if kind == "bundle":
            kv.Bundle(name, trusted, notes).verify()
        else:
            kv.verify_proof(kv.given(name), trusted, notes)
    except kv.Refused as refused:
        return refused.part
    return None


def put(folder, evidence):
    """Writes what a verifier is given: kind, name, file of the key, files of checkpoints."""
    kind = "bundle" if evidence.proof is None else "proof"
    name = os.path.join(folder, kind)
    if kind == "bundle":
        forge.write(name, evidence.files)
    else:
        forge.write(folder, {"proof": evidence.proof})
    forge.write(folder, {f"seen-{at}": note.encode() for at, note in enumerate(evidence.seen)})
    vkey = None
    if evidence.vkey:
        vkey = os.path.join(folder, "vkey")
        forge.write(folder, {"vkey": evidence.vkey.encode()})
    return kind, name, vkey, [os.path.join(folder, f"seen-{at}") for at in range(len(evidence.seen))]


# --- cases ------------------------------------------------------------------------------------------------------------


def rng_of(seed, *names):
    return random.Random("-".join(map(str, [seed, *names])))


def fit(job, needs, signs):
    """The logs that a kind of mutation can be made of."""
    limit = DEEP if needs < DEEP and not job.given else float("inf")
    return [base for base in job.bases if needs <= base.log.size < limit and (base.signs or not signs)]


def mutant(job, kind, at):
    """Evidence that must be refused; the same for the same seed, kind and number."""
    function, _, needs, signs = (MUTATIONS | PARTIAL)[kind]
    rng = rng_of(job.seed, kind, at)
    bases = fit(job, needs, signs)
    for _ in range(100 if bases else 0):
        base = rng.choice(bases)
        evidence = function(rng, base)
        # What changes nothing is no mutant.
        if evidence and (evidence.seen or evidence.vkey or evidence.proof or evidence.files != base.clean):
            return evidence
    return None


def clean(job, at):
    """Evidence of one log that must be accepted: its bundle, at times a selection or a proof file of it besides."""
    rng = rng_of(job.seed, "clean", at)
    base = job.bases[at % len(job.bases)] if job.given else job.bases[-1] if at == 0 else some_log(rng)
    log, found = base.log, []
    vkey = log.key.vkey if rng.random() < 0.5 else None
    seen = []
    if base.signs:
        seen = [log.checkpoint(rng.randrange(1, log.size + 1)) for _ in range(rng.randrange(3))]
    extra = rng.choice([{}, {}, {"notes.txt": b"of the auditor"}])
    found.append(Evidence(base.clean | extra, vkey=vkey, seen=seen))
    if base.signs and rng.random() < 0.3:
        chosen = rng.sample(range(log.size), rng.randrange(min(log.size, 9)))
        found.append(Evidence(log.selection(chosen, rng.random() < 0.5), vkey=vkey, seen=[log.checkpoint()] * rng.randrange(2)))
    devices = log.devices() if base.signs and rng.random() < 0.3 else {}
    if devices:
        proof = log.proof(devices[rng.choice(sorted(devices))]).encode()
        found.append(Evidence(proof=proof, vkey=vkey, seen=[log.checkpoint()] * rng.randrange(2)))
    return found


class Job:
    """What every worker knows."""

    def __init__(self, options, go):
        self.seed, self.go, self.keep, self.given = options.seed, go, options.keep, bool(options.source)
        self.proofs = []
        if options.source:
            self.bases, self.proofs = read_given(options.source)
        else:
            rng = rng_of(self.seed, "pool")
            self.bases = [some_log(rng) for _ in range(POOL)]
            for size in [3, *BORDERS, 1025, 3000, DEEP + 300]:
                log = forge.Log.random(rng, size)
                self.bases.append(Given(log, log.whole(True, [1] if size > 1 else [])))


def read_given(folder):
    bases, proofs = [], []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".tlog-proof"):
            with open(path, "rb") as file:
                proofs.append(file.read())
        if not os.path.isdir(path):
            continue
        files = {}
        for where, _, found in os.walk(path):
            for file in found:
                full = os.path.join(where, file)
                with open(full, "rb") as opened:
                    files[os.path.relpath(full, path)] = opened.read()
        bodies = []
        for part in sorted((f for f in files if f.startswith("tile/entries/")), key=lambda f: (f.count("/x"), f)):
            data = files[part]
            while data:
                end = 2 + int.from_bytes(data[:2], "big")
                bodies.append(data[2:end])
                data = data[end:]
        witness = forge.Key("witness.example.com/qa", bytes(32), 4)
        try:
            with open(path + ".key", encoding="utf-8") as file:
                key = forge.Key.of_file(file.read())
            signs = bool(bodies)
        except FileNotFoundError:
            vkey = files["log.vkey"].decode().strip()
            key = forge.Key(vkey.split("+")[0], bytes(32))
            key.vkey = vkey  # it never signs
            signs = False
        bases.append(Given(forge.Log(bodies, key, witness), files, signs, proofs))
    if not bases:
        sys.exit(f"{folder} holds no bundle")
    return bases, proofs


JOB = None


def judged(evidence, name):
    """What each verifier says: None if it accepts."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        given = put(folder, evidence)
        if JOB.keep:
            shutil.copytree(folder, os.path.join(JOB.keep, name), dirs_exist_ok=True)
        global GO
        if GO is None:
            GO = Go(JOB.go)
        return GO.judge(*given), judge_in_python(*given)


GO, SCRATCH = None, None


def roomy():
    """A folder in memory, if there is one with room: ten thousand small folders are made and removed."""
    memory = "/dev/shm"
    with contextlib.suppress(OSError):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize > 512 * 2**20 and os.access(memory, os.W_OK | os.X_OK):
            return memory
    return None


def begin(job, scratch):
    global JOB, SCRATCH
    JOB, SCRATCH = job, scratch


def work(case):
    """A case, how often evidence was judged, and what went wrong with it."""
    try:
        return judge_case(*case)
    except Exception as error:  # a verifier that stops is none that refuses
        return case, 1, [f"{case[0]}-{case[1]}: {error!r}"]


def judge_case(kind, at):
    case = kind, at
    if kind == "clean":
        every = clean(JOB, at)
        faults = [f"{kind}-{at} is clean and was refused: Go {go}, Python {python}"
                  for go, python in (judged(evidence, f"{kind}-{at}") for evidence in every) if go or python]
        return case, len(every), faults
    if kind == "given proof":
        go, python = judged(Evidence(proof=JOB.proofs[at]), f"{kind}-{at}")
        return case, 1, [f"{kind}-{at} was refused: Go {go}, Python {python}"] if go or python else []
    evidence = mutant(JOB, kind, at)
    if evidence is None:
        return case, 0, []
    go, python = judged(evidence, f"{kind}-{at}")
    faults = [f"{kind}-{at} was accepted by {which}" for which, part in [("Go", go), ("Python", python)] if part is None]
    return case, 1, faults


# --- one record, one note ---------------------------------------------------------------------------------------------

# What a reader of JSON, and one of notes, is easily wrong about.
PIECES = [piece.encode() for piece in [
    "\\u0000", "\\u001f", "\\u0020", "\\u007f", "\\u0080", "\\u009f", "\\u00a0", "\\u001F", "\\n", "\\/", '\\"', "\\\\", '"', "\x7f", "\x80", "\x9f",
    "\xa0", "\ufeff", "\U0010ffff", "\n", "\0", " ", ",", ":", "{", "}", "[]", "null", "true", "0", "-0", "-1", "00", "1.0", "1e3", "+1",
    "9007199254740991", "9007199254740992", "-9007199254740991", "-9007199254740992", "99999999999999999999", '"a":1,', ',"zz":""',
    ',"zz":0', "keylog.example.com/plant7/stn03/1", "0000-02-29", "2100-02-29", "23:59:60", "_", "."]]
PIECES += [b"\xed\xa0\x80", b"\xc0\x80", b"\xff", b"\xf4\x90\x80\x80"]


NAMES = ["\u0085", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff", "\u180e", "\u2028", "\u202e", "\x7f", "\x9f", "\x1f", "\t", "+", " ", "", "\u2014", "w"]
LINES = [piece.encode() for piece in ["\n", "\n\n", "\r\n", "\u2014 w AAAA\n", "\u2014 w AAAAAAA=\n", "\u2014 w AAAAAAB=\n", "\u2014 w AAAAAAAAAA==\n", "=", "-", "x\n"]
         + [f"\u2014 w{name}w AAAAAAA=\n" for name in NAMES] + [f"\u2014 {name} AAAAAAA=\n" for name in NAMES]]


def odd(rng, text, pieces, marks):
    """`text` with odd pieces in it: between two tokens as often as anywhere."""
    for _ in range(rng.choice([1, 1, 1, 2])):
        borders = [i for i, byte in enumerate(text) if byte in marks] or [0]
        start = rng.choice(borders) + rng.randrange(2) if rng.random() < 0.5 else rng.randrange(len(text) + 1)
        text = text[:start] + rng.choice(pieces) + text[start + rng.choice([0, 0, 1, 2, rng.randrange(20)]):]
    return text


def disagreements(job):
    """Records and notes with odd pieces in them: the two must say the same of each. How many they accept, how many they refuse, faults."""
    rng = rng_of(job.seed, "odd")
    bodies = [body for base in job.bases[:20] for body in base.log.bodies[:50]]
    notes = [(base.clean["checkpoint"], base.log.key.vkey) for base in job.bases]
    go, counts, faults = Go(job.go), collections.Counter(), []
    for at in range(RECORDS + NOTES):
        if at < RECORDS:
            data, vkey = odd(rng, rng.choice(bodies), PIECES, b'":,{}'), []
            read = lambda: kv.parse_record(data)
        else:
            note, key = rng.choice(notes)
            many = rng.choice([0, 0, 0, 90, 100, 200, 900])
            data, vkey = odd(rng, note + b"\xe2\x80\x94 w AAAAAAA=\n" * many, LINES, b"\n"), [key]
            read = lambda: kv.open_checkpoint(data, kv.Key(key, kv.LOG))
        says = [go.ask("record" if at < RECORDS else "note", data.hex(), *vkey) is None, True]
        try:
            read()
        except kv.Refused:
            says[1] = False
        counts[says[0]] += 1
        if says[0] != says[1]:
            faults.append(f"odd {at}: {'Go' if says[0] else 'Python'} alone accepts {data.hex()}")
    go.close()
    return counts[True], counts[False], faults


# --- the control ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def without(name, weak):
    """The Python verifier without one of its checks."""
    strict = getattr(kv, name)
    setattr(kv, name, weak)
    try:
        yield
    finally:
        setattr(kv, name, strict)


def agree(*_):
    return True


class Anywhere:
    check = complete = agree


CONTROLS = [
    ("hashes and roots", "same_hash", agree, ["edit_field", "proof_of_an_edited_record"]),
    ("leaves", "same_leaf", agree, ["selection_edit"]),
    ("signatures", "signature_is_valid", agree, ["edit_field_and_checkpoint", "wrong_cosignature"]),
    ("checkpoints that were seen", "open_seen", lambda *_: [],
     ["fork", "database_and_head_of_yesterday", "selection_of_a_fork", "proof_of_a_fork"]),
    ("the key that the user knows", "check_trusted", agree, ["forged_key"]),
    ("the place of what was carried over", "Beginning", Anywhere, ["carried_elsewhere", "carried_less"]),
]


def control(job):
    """How many weakened verifiers let mutants pass, and which did not."""
    good, faults = 0, []

    def passes(judge, kind):
        count = 0
        for at in range(CONTROL):
            evidence = mutant(job, kind, at)
            with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
                count += evidence is not None and judge(*put(folder, evidence)) is None
        return count

    def expect(what, kind, count):
        nonlocal good
        print(f"  without {what:<28} {kind:<32} {count:>3} of {CONTROL} pass", flush=True)
        if count:
            good += 1
        else:
            faults.append(f"without {what} no mutant of {kind} passes: it is not what refuses them")

    for what, name, weak, kinds in CONTROLS:
        with without(name, weak):
            for kind in kinds:
                if job.given and all(mutant(job, kind, at) is None for at in range(3)):
                    continue  # nothing of what the station wrote is fit for it
                expect(what, kind, passes(judge_in_python, kind))
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        go = Go(build(folder, "weakened"))
        expect("the tree, in Go", "edit_field", passes(go.judge, "edit_field"))
        go.close()
    return good, faults


def build(folder, tags=""):
    """The verifier in Go, out of what Debian has and without a network."""
    program = os.path.join(folder, "keylog-verify")
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-tags", tags, "-o", program, "."], check=True, env=environment, cwd=os.path.join(HERE, "..", "verify-go"))
    return program


# --- the run ----------------------------------------------------------------------------------------------------------


def cases(options, job):
    shares = {kind: share for kind, (_, share, needs, signs) in MUTATIONS.items() if fit(job, needs, signs)}
    scale = options.mutants / sum(shares.values())
    wanted = {kind: round(share * scale) for kind, share in shares.items()}
    wanted["edit_bytes"] += options.mutants - sum(wanted.values())  # what the rounding took
    wanted |= {kind: round(share * options.mutants / MUTANTS) for kind, (_, share, _, _) in PARTIAL.items()}
    wanted |= {"clean": options.clean, "given proof": len(job.proofs)}
    every = [(kind, at) for kind, number in wanted.items() for at in range(number)]
    if options.only:
        kind, _, at = options.only.rpartition("-")
        return [(kind, int(at))]
    # Mixed, so that both processors have as much to do at any time.
    random.Random(0).shuffle(every)
    return every


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", metavar="DIR")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--mutants", type=int, default=MUTANTS)
    parser.add_argument("--clean", type=int, default=CLEAN)
    parser.add_argument("--only", metavar="CASE")
    parser.add_argument("--keep", metavar="DIR")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=roomy()) as scratch:
        job = Job(options, build(scratch))
        begin(job, scratch)
        print(f"seed {options.seed}, {len(job.bases)} logs to mutate, of {min(b.log.size for b in job.bases)} to "
              f"{max(b.log.size for b in job.bases)} records", flush=True)
        tried, faults = collections.Counter(), []
        todo = cases(options, job)
        with multiprocessing.get_context("fork").Pool(os.cpu_count(), begin, (job, scratch)) as pool:
            for (kind, _), judged_, wrong in pool.imap_unordered(work, todo, chunksize=8):
                tried[kind] += judged_
                faults += wrong
        for kind in [*MUTATIONS, *PARTIAL, "clean", "given proof"]:
            print(f"  {kind:<32} {tried[kind]:>5}")
        mutants = sum(tried[kind] for kind in MUTATIONS)
        cut = sum(tried[kind] for kind in PARTIAL)
        logs = sum(kind == "clean" for kind, _ in todo)
        print(f"{mutants} mutated logs and {cut} mutated selections and proof files, {logs} clean logs ({tried['clean']} files of theirs)")
        if not options.only and mutants < options.mutants:
            faults.append(f"only {mutants} of {options.mutants} mutants could be made")
        good = 0
        if not options.only:
            accepted, refused, differing = disagreements(job)
            print(f"{accepted + refused} records and notes with odd pieces in them: both accept {accepted}, both refuse {refused}, {len(differing)} in dispute")
            if min(accepted, refused) < RECORDS // 50:
                differing.append("odd records and notes are nearly all alike: they try nothing")
            good, blunt = control(job)
            good += accepted + refused
            faults += differing + blunt
        print(f"in {time.monotonic() - start:.0f} s")
        for fault in faults:
            print("FAILED:", fault)
        print(f"{sum(tried.values()) + good - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
