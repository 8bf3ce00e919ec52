#!/usr/bin/env python3
"""Verifies what a Keystation writes down, without any code of it: written from docs/audit-format.md alone.

  keylog_verify.py bundle DIR [--vkey FILE] [--seen NOTE]...     a bundle, whole or a selection (sections 6 and 3)
  keylog_verify.py proof FILE [--vkey FILE] [--seen NOTE]...     a proof file (section 7)
  keylog_verify.py database DIR [--vkey FILE] [--seen NOTE]...   a station's own files, at rest (section 4)
  keylog_verify.py compare NOTE NOTE --vkey FILE [--proof FILE]  two checkpoints of one log (section 8)
  keylog_verify.py request FILE --vkey FILE --witness FILE [--state NOTE] [--time SECONDS]   would a witness cosign it?

It exits with 0 if what it was given is accepted, 1 if it is refused, and 2 if it was called wrongly or could not read. Without
--vkey the key that is found is printed: compare it with the one that you know. Python 3.11 and `cryptography` are all it needs
(Debian 12: python3, python3-cryptography). It writes nothing but what it prints.
"""
import argparse
import base64
import binascii
import collections
import contextlib
import hashlib
import json
import operator
import os
import re
import shutil
import sqlite3
import stat
import struct
import sys
import tempfile
import time
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LIMIT = 2**53 - 1  # the greatest number in a record, and of records
RECORD_BYTES = 4096
NOTE_BYTES = 16 * 1024
PROOF_BYTES = 16 * 1024 * 1024
WIDTH = 256  # hashes in a tile
LOG, WITNESS = 1, 4  # types of keys


class Refused(Exception):
    """What is wrong, in one sentence. `part` is what the vectors in tests/vectors call it."""

    def __init__(self, part, why):
        self.part, self.why = part, printable(why)
        super().__init__(self.why)


def printable(text):
    """Escapes what a terminal would obey or turn around: names come from whoever made the files."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextlib.contextmanager
def part_is(part):
    """What is wrong with a checkpoint that was seen is wrong with what was seen."""
    try:
        yield
    except Refused as refused:
        raise Refused(part, refused.why) from None


# --- the record: section 1 ------------------------------------------------------------------------------------------

# There is one way to match each of these, so that what does not match is found out in one pass. The possessive quantifiers that
# Python 3.11 has would say the same, and are wrong in the 3.11.2 of Debian 12: they let a record end in `"v":}`.
PLAIN = r'[^"\\\x00-\x1f\x7f-\x9f]*'
TEXT = rf'"{PLAIN}(?:\\(?:["\\]|u00(?:[01][0-9a-f]|7f|[89][0-9a-f])){PLAIN})*"'
FIELD = rf'"[a-z][a-z0-9_]*":(?:{TEXT}|0|-?[1-9][0-9]{{0,15}})'
RECORD = re.compile(rf"\{{(?:{FIELD}(?:,{FIELD})*)?\}}")
LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
WORD = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
ORIGIN = re.compile(rf"keylog(?:\.{LABEL})+/{WORD}/{WORD}/([1-9][0-9]{{0,9}})")
TIME = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-([0-3][0-9])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
EVENT = re.compile(r"[a-z]+(?:\.[a-z]+)*")
OUTCOME = re.compile(r"[a-z_]*")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_origin(name):
    form = ORIGIN.fullmatch(name)
    return form is not None and len(name) <= 128 and int(form[1]) < 2**32


def is_time(text):
    form = TIME.fullmatch(text)
    if form is None:
        return False
    year, month, day = map(int, form.groups())
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= DAYS[month - 1] + leap


def count(value):
    return type(value) is int and value >= 0


def text_like(form):
    return lambda value: type(value) is str and form(value)


ORIGINS = set()  # those that were found good: one, as a rule


def known_origin(name):
    if name not in ORIGINS:
        if not is_origin(name):
            return False
        ORIGINS.clear()
        ORIGINS.add(name)
    return True


any_text = text_like(lambda _: True)


def flag(value):
    return type(value) is int and value in (0, 1)


COMMON = {
    "boot": text_like(UUID.fullmatch), "ev": text_like(EVENT.fullmatch), "log": text_like(known_origin), "mono": count,
    "op": any_text, "op2": any_text, "rc": text_like(OUTCOME.fullmatch), "role": any_text, "seq": count,
    "ses": any_text, "t": text_like(is_time), "v": lambda value: type(value) is int and value == 1,
}


def parse_record(body):
    """The fields of a record. Its form is a regular expression: what fits that and has ascending keys is canonical."""
    if not 2 <= len(body) <= RECORD_BYTES:
        raise Refused("record", f"it has {len(body)} bytes, a record has 2 to {RECORD_BYTES}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("record", "it is not UTF-8") from None
    if RECORD.fullmatch(text) is None:
        raise Refused("record", "it is not canonical JSON")
    try:
        pairs = json.loads(text, object_pairs_hook=list) if text != "{}" else []
    except ValueError:
        raise Refused("record", "it is not JSON") from None
    keys = [key for key, _ in pairs]
    if not all(map(operator.lt, keys, keys[1:])):
        raise Refused("record", "its keys are out of order, or one stands twice")
    fields = dict(pairs)
    if any(type(value) is int and not -LIMIT <= value <= LIMIT for value in fields.values()):
        raise Refused("record", "a number in it is beyond 2^53")
    for key, holds in COMMON.items():
        if key not in fields or not holds(fields[key]):
            raise Refused("record", f"its field {key} is missing or has a value that it cannot have")
    return fields


def check_place(seq, body, key, beginning):
    """A record of the log of this key, with this number, and the genesis and what an epoch took over where they belong."""
    try:
        fields = parse_record(body)
    except Refused as refused:
        raise Refused("record", f"record {seq} is no record: {refused.why}") from None
    if fields["seq"] != seq:
        raise Refused("record", f"record {seq} says that it is record {fields['seq']}")
    if fields["log"] != key.name:
        raise Refused("record", f"record {seq} is of the log {fields['log']}")
    if (fields["ev"] == "log.genesis") != (seq == 0):
        raise Refused("record", f"record {seq} is {fields['ev']}: record 0 is log.genesis, and no other")
    if seq == 0 and fields.get("vkey") != key.text:
        raise Refused("record", "record 0 names another key than log.vkey")
    beginning.check(seq, fields)
    return fields


class Beginning:
    """Holds what an epoch took over from the one before to its place: section 4, "What an epoch takes over". It is told of record 0
    and then of others, ascending; not of all."""

    ORDER = {"carry.account": "user", "carry.component": "was", "carry.device": "was", "carry.key": "gk"}
    FIELDS = {
        "carry.account": {"user": any_text, "cred": count, "tries": count, "active": flag, "once": flag, "was": count},
        "carry.component": {"was": count},
        "carry.device": {"was": count, "how": any_text, "rid": any_text, "mac": any_text, "sn": any_text,
                         "cloud": text_like({"none", "listed", "done"}.__contains__)},
        "carry.key": {"gk": any_text, "was": count, "state": text_like({"imported", "active", "suspended", "destroyed"}.__contains__)},
    }

    def __init__(self):
        self.carried, self.before = 0, None
        self.follows = None  # what record 0 says of the log before, for people

    def check(self, seq, fields):
        if seq == 0:
            self.open(fields)
            return
        event = fields["ev"]
        carries = event.startswith("carry.")
        if carries != (seq <= self.carried):
            raise Refused("record", f"record {seq} is {event}: records 1 to {self.carried} carry over what the epoch took over, no other does")
        if event not in self.ORDER:
            return  # none that carries over, or one of a later program
        for name, holds in self.FIELDS[event].items():
            unsaid = name == "cloud" and name not in fields  # an older program did not say
            if not unsaid and (name not in fields or not holds(fields[name])):
                raise Refused("record", f"record {seq} carries something over, and its field {name} is missing or has a value that it cannot have")
        whose = fields[self.ORDER[event]]
        place = event, whose.encode() if type(whose) is str else whose
        if self.before is not None and self.before >= place:
            raise Refused("record", f"record {seq} carries something over out of order, or twice")
        self.before = place

    def open(self, fields):
        if fields.get("prev", "") != "":
            carried = fields.get("carried", 0)
            what = f"{carried} accounts, components and keys over" if carried else "NOTHING over: accounts, keys and components began anew"
            unproven = "; NOBODY PROVED who began it" if fields["role"] == "unproven" else ""
            self.follows = f"{fields['prev']}, of which it took {what}{unproven}"
        if "carried" not in fields:
            return  # it follows no log, or an older program wrote it
        carried, root = fields["carried"], fields.get("carried_root")
        named = fields.get("prev", "") != "" and count(fields.get("carried_size")) and fields["carried_size"] > 0 \
            and type(root) is str and re.fullmatch("[0-9a-f]{64}", root) is not None
        if not count(carried) or carried > 0 and not named:
            raise Refused("record", "record 0 does not say how many records carry something over, and of what they were made")
        self.carried = carried

    def complete(self, size):
        if size <= self.carried:
            raise Refused("record", f"it has {size} records, and {self.carried} behind the first would carry over what the epoch took over")


# --- the tree: section 2 --------------------------------------------------------------------------------------------


def leaf_hash(body):
    return hashlib.sha256(b"\0" + body).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def subtree(hashes):
    """The root of 2^k hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def root_of(levels):
    """The root of a log whose partial tiles have these hashes, the lowest level first: RFC 6962, section 2.1."""
    peaks = []
    for hashes in reversed(levels):
        at = 0
        for width in (256, 128, 64, 32, 16, 8, 4, 2, 1):
            if len(hashes) & width:
                peaks.append(subtree(hashes[at:at + width]))
                at += width
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def same_hash(found, claimed):
    return found == claimed


def split_hashes(data):
    return [data[i:i + 32] for i in range(0, len(data), 32)]


# --- keys and checkpoints: section 3 --------------------------------------------------------------------------------

Signature = collections.namedtuple("Signature", "name time")
Checkpoint = collections.namedtuple("Checkpoint", "size root witnesses")


def base64_of(text):
    """Base64 in its only spelling, or nothing."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def number(text):
    """A decimal number of 0 to 2^53 - 1 in its only spelling, or nothing."""
    if re.fullmatch(r"0|[1-9][0-9]{0,15}", text) is None or int(text) > LIMIT:
        return None
    return int(text)


def is_name(name):
    return name != "" and not any(c.isspace() or c == "+" for c in name)


class Key:
    """A vkey of one type."""

    def __init__(self, text, kind):
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = base64_of(encoded)
        if not is_name(name) or re.fullmatch("[0-9a-f]{8}", key_id) is None or raw is None:
            raise Refused("key", f"{text[:60]} is not of the form <name>+<key ID>+<Base64>")
        if len(raw) != 33 or raw[0] != kind or kind == LOG and not is_origin(name):
            raise Refused("key", f"{text[:60]} is not an Ed25519 key of type {kind:02} under a name that it can have")
        if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
            raise Refused("key", f"the key ID of {name} does not belong to its name and key")
        try:
            self.public = Ed25519PublicKey.from_public_bytes(raw[1:])
        except ValueError:
            raise Refused("key", f"the key of {name} is no public key") from None
        self.text, self.name, self.id, self.kind = text, name, bytes.fromhex(key_id), kind

    def verify(self, text, value):
        """Of a witness the time, of a log nothing; Refused if the signature is wrong."""
        at, message = None, text.encode()
        if self.kind == WITNESS:
            if len(value) < 8:
                raise Refused("witness", f"the signature of {self.name} is too short")
            at, value = struct.unpack(">Q", value[:8])[0], value[8:]
            message = b"cosignature/v1\ntime %d\n" % at + message
        if not signature_is_valid(self.public, value, message):
            part = "witness" if self.kind == WITNESS else "checkpoint"
            raise Refused(part, f"the signature of {self.name} does not belong to its text")
        return at


def signature_is_valid(public, value, message):
    try:
        public.verify(value, message)
    except InvalidSignature:
        return False
    return True


def open_note(data, key, witnesses=()):
    """The text of a note that `key` signed, and which of `witnesses` signed it. Every line of theirs must be right."""
    def malformed(why):
        return Refused("checkpoint", "it is not a signed note: " + why)

    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("it is not UTF-8") from None
    if len(data) > NOTE_BYTES or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise malformed("it is too long, or holds a control character")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise malformed("there is no signature line behind an empty line")
    text += "\n"
    signed, cosigned = False, []
    for line in lines[:-1].split("\n"):
        form = re.fullmatch(r"\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)", line)
        raw = form and base64_of(form[2])
        if not raw or len(raw) < 5 or not is_name(form[1]):
            raise malformed("a signature line is malformed")
        for signer in (key, *witnesses):
            if (signer.name, signer.id) == (form[1], raw[:4]):
                at = signer.verify(text, raw[4:])
                if signer is key:
                    signed = True
                else:
                    cosigned.append(Signature(signer.name, at))
    if not signed:
        raise Refused("checkpoint", f"it is not signed by the key {key.text}")
    return text, cosigned


def open_checkpoint(data, key, witnesses=()):
    text, cosigned = open_note(data, key, witnesses)
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "":
        raise Refused("checkpoint", "its text has not exactly three lines")
    if lines[0] != key.name:
        raise Refused("checkpoint", f"it is of the log {lines[0]}, and its key is of {key.name}")
    size, root = number(lines[1]), base64_of(lines[2])
    if not size:
        raise Refused("checkpoint", f"{lines[1]} is no number of records")
    if root is None or len(root) != 32:
        raise Refused("checkpoint", "its root is not Base64 of 32 bytes")
    return Checkpoint(size, root, cosigned)


def open_seen(notes, key, log, whole):
    """Checkpoints that left the machine before: those that are smaller than `log`, once the others fit it."""
    smaller = []
    for note in notes:
        with part_is("seen"):
            seen = open_checkpoint(note, key)
        if seen.size > log.size:
            raise Refused("seen", f"the log has {log.size} records, and had {seen.size} when it was seen: "
                                  f"records {log.size} and up are gone")
        if seen.size == log.size and not same_hash(seen.root, log.root):
            raise Refused("seen", "the log had another root when it was seen with as many records: there are two logs")
        if seen.size < log.size:
            if not whole:
                raise Refused("seen", f"a checkpoint of {seen.size} records cannot be compared with one of {log.size} "
                                      "without the whole bundle")
            smaller.append(seen)
    return smaller


# --- files ----------------------------------------------------------------------------------------------------------


def read_regular(path, limit, part="file"):
    """A file that is no link and has at most `limit` bytes."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(part, f"{path} is missing") from None
    if not stat.S_ISREG(info.st_mode):
        raise Refused(part, f"{path} is not a file")
    if info.st_size > limit:
        raise Refused(part, f"{path} is too long")
    with open(path, "rb") as file:
        return file.read()


def files_below(folder, name):
    """The names of the files below folder/name. Folders without files are as good as none; links are refused."""
    path = os.path.join(folder, name)
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise Refused("file", f"{name} is not a folder")
    except FileNotFoundError:
        return
    with os.scandir(path) as entries:
        for entry in entries:
            below = f"{name}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(folder, below)
            elif entry.is_file(follow_symlinks=False):
                yield below
            else:
                raise Refused("file", f"{below} is neither a file nor a folder")


def read_keys(path, kind):
    data = read_regular(path, 2**20, "key")
    if data and not data.endswith(b"\n"):
        raise Refused("key", f"the last line of {path} does not end")
    try:
        return [Key(line, kind) for line in data.decode("utf-8").split("\n")[:-1]]
    except UnicodeDecodeError:
        raise Refused("key", f"{path} is not UTF-8") from None


# --- the bundle: section 6 ------------------------------------------------------------------------------------------

TILE = re.compile(r"tile/(entries|[0-9])/((?:x[0-9]{3}/)*[0-9]{3})(\.p/[1-9][0-9]{0,2})?")


def tile_path(level, n, width):
    digits = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        digits = f"x{n % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == WIDTH else f".p/{width}")


def tile_width(level, n, size):
    """Hashes in a tile, or records in a file of entries, of a log of `size` records. 0: there is no such file."""
    below = size if level == "entries" else size >> 8 * level
    return max(0, min(WIDTH, below - WIDTH * n))


def parse_tile(path, size):
    """Level and index of a tile that a log of `size` records has under this name."""
    form = TILE.fullmatch(path)
    if form is not None:
        level = form[1] if form[1] == "entries" else int(form[1])
        n = int(form[2].replace("x", "").replace("/", ""))
        width = tile_width(level, n, size)
        if width and tile_path(level, n, width) == path:
            return level, n, width
    raise Refused("file", f"a log of {size} records has no {path}")


class Bundle:
    """A bundle that is being verified. `key` is the one that it was found to be signed with."""

    def __init__(self, folder, trusted, seen, devices=None):
        self.folder, self.devices, self.batches = folder, devices or DevicesOut(), Batches()
        keys = read_keys(os.path.join(folder, "log.vkey"), LOG)
        if len(keys) != 1:
            raise Refused("key", f"log.vkey has {len(keys)} keys, a log has one")
        self.key = keys[0]
        check_trusted(self.key, trusted)
        self.witnesses = read_keys(os.path.join(folder, "witness.vkeys"), WITNESS)
        self.checkpoint = self.open("checkpoint", "checkpoint")
        self.size = self.checkpoint.size
        self.beginning = Beginning()
        # This also tells that `tile` is a folder.
        entries = any(name.startswith("tile/entries/") for name in files_below(folder, "tile"))
        records = any(True for _ in files_below(folder, "records"))
        if entries == records:
            raise Refused("file", "it must have either tile/entries or records")
        self.whole = entries
        self.seen = open_seen(seen, self.key, self.checkpoint, self.whole)

    def open(self, name, part):
        data = read_regular(os.path.join(self.folder, name), NOTE_BYTES, part)
        return open_checkpoint(data, self.key, self.witnesses)

    def tile(self, level, n):
        width = tile_width(level, n, self.size)
        path = tile_path(level, n, width)
        data = read_regular(os.path.join(self.folder, path), 32 * width)
        if len(data) != 32 * width:
            raise Refused("file", f"{path} is too short")
        return data

    def verify(self):
        """How many records were shown."""
        shown = self.verify_whole() if self.whole else self.verify_selection()
        self.beginning.complete(self.size)
        return shown

    # A whole bundle is built anew from its records, and must be what was built.

    def verify_whole(self):
        for name in files_below(self.folder, "tile"):
            parse_tile(name, self.size)
        levels = [[]]  # of each level the hashes that no full tile has taken yet
        earlier = collections.deque(self.earlier())
        for n in range(-(-self.size // WIDTH)):
            first = n * WIDTH
            leaves = self.leaves(n)
            while earlier and earlier[0][0].size <= first + len(leaves):
                checkpoint, part = earlier.popleft()
                found = root_of([leaves[:checkpoint.size - first], *levels[1:]])
                if not same_hash(found, checkpoint.root):
                    raise Refused(part, f"its first {checkpoint.size} records are not those that it had at an earlier "
                                        "checkpoint: it has another past")
            levels[0] = leaves
            self.carry(levels, n)
        for level, hashes in enumerate(levels[1:], 1):
            if hashes and not same_hash(b"".join(hashes), self.tile(level, (self.size >> 8 * level) // WIDTH)):
                raise Refused("tile", f"the last tile of level {level} has not the hashes of what is under it")
        if not same_hash(root_of(levels), self.checkpoint.root):
            raise Refused("tree", f"the root of its {self.size} records is not that of the checkpoint: these are not "
                                  "the records that were signed")
        return self.size

    def carry(self, levels, n):
        """Takes full tiles up, level by level."""
        level = 0
        while len(levels[level]) == WIDTH:
            if level > 0 and not same_hash(b"".join(levels[level]), self.tile(level, n)):
                last = (n + 1) << 8 * (level + 1)
                raise Refused("tile", f"a tile of level {level} has not the hashes of the records before {last}")
            if level + 1 == len(levels):
                levels.append([])
            levels[level + 1].append(subtree(levels[level]))
            levels[level] = []
            level, n = level + 1, n // WIDTH

    def leaves(self, n):
        """The hashes of up to 256 records, once the records are good and the tile has the same."""
        first, width = n * WIDTH, tile_width("entries", n, self.size)
        path = tile_path("entries", n, width)
        data = read_regular(os.path.join(self.folder, path), width * (2 + RECORD_BYTES))
        leaves, at = [], 0
        for seq in range(first, first + width):
            end = at + 2 + int.from_bytes(data[at:at + 2], "big")
            if len(data) < at + 2 or len(data) < end:
                raise Refused("file", f"{path} ends within record {seq}")
            body = data[at + 2:end]
            fields = check_place(seq, body, self.key, self.beginning)
            leaves.append(leaf_hash(body))
            self.devices.add(fields)
            self.batches.add(fields)
            at = end
        if at != len(data):
            raise Refused("file", f"{path} goes on behind record {first + width - 1}")
        for seq, (leaf, claimed) in enumerate(zip(leaves, split_hashes(self.tile(0, n))), first):
            if not same_leaf(leaf, claimed):
                raise Refused("record", f"record {seq} is not the one whose hash the tree has")
        return leaves

    def earlier(self):
        """Smaller checkpoints: of the bundle, and those that were seen."""
        found = [(checkpoint, "seen") for checkpoint in self.seen]
        for name in files_below(self.folder, "checkpoints"):
            size = number(name.removeprefix("checkpoints/"))
            if not size or size >= self.size:
                raise Refused("file", f"{name} is not named after a smaller number of records")
            checkpoint = self.open(name, "file")
            if checkpoint.size != size:
                raise Refused("file", f"{name} is a checkpoint of {checkpoint.size} records")
            found.append((checkpoint, "tree"))
        return sorted(found, key=lambda pair: pair[0].size)

    # Of a selection the tiles are believed from the root downwards, and then the records.

    def verify_selection(self):
        chosen = sorted(self.chosen())
        if not chosen or chosen[0] != 0:
            raise Refused("file", "records/0.json is missing")
        if any(True for _ in files_below(self.folder, "checkpoints")):
            raise Refused("file", "a selection has no earlier checkpoints")
        top = next(level for level in range(8) if self.size >> 8 * (level + 1) == 0)
        wanted = [{seq >> 8 * (level + 1) for seq in chosen} for level in range(top + 1)]
        for name in files_below(self.folder, "tile"):
            level, n, width = parse_tile(name, self.size)
            if width == WIDTH and n not in wanted[level]:
                raise Refused("file", f"{name} is not called for")
        partial = [(self.size >> 8 * level) // WIDTH for level in range(top + 1)]
        levels = [split_hashes(self.tile(level, n)) if tile_width(level, n, self.size) else []
                  for level, n in enumerate(partial)]
        if not same_hash(root_of(levels), self.checkpoint.root):
            raise Refused("tree", "its tiles do not lead to the root of the checkpoint")
        above = {}
        for level in range(top, -1, -1):
            believed = {partial[level]: levels[level]}
            for n in sorted(wanted[level] - {partial[level]}):
                hashes = split_hashes(self.tile(level, n))
                if not same_hash(subtree(hashes), above[n // WIDTH][n % WIDTH]):
                    raise Refused("tile", f"a tile of level {level} above record {n << 8 * (level + 1)} does not hang on the root")
                believed[n] = hashes
            above = believed
        for seq in chosen:
            body = read_regular(os.path.join(self.folder, f"records/{seq}.json"), 2**20)
            check_place(seq, body, self.key, self.beginning)
            if not same_leaf(leaf_hash(body), above[seq // WIDTH][seq % WIDTH]):
                raise Refused("record", f"record {seq} is not the one whose hash the tree has")
        return len(chosen)

    def chosen(self):
        for name in files_below(self.folder, "records"):
            seq = number(name.removeprefix("records/").removesuffix(".json"))
            if seq is None or seq >= self.size or name != f"records/{seq}.json":
                raise Refused("file", f"a log of {self.size} records has no {name}")
            yield seq


# --- the devices of a group key: sections 12 and 14 -------------------------------------------------------------------


class DevicesOut:
    """Told of every record of a log, in order: which devices were taken out. Remembers those, and what is scrap of work orders."""

    def __init__(self):
        self.out = {}  # registration ID: number, how, whether the ID goes on, whether of a work order; in order
        self.scraps = {}  # number of a scrap that is in force: registration ID
        self.orders = {}  # work order: what is scrap of it, or None once it is closed

    def add(self, fields):
        event = fields["ev"]
        try:
            if event == "inject.intent" and self.out:
                self.begun(fields["seq"], fields["rid"])
            elif event in ("order.create", "order.close", "order.scrap"):
                self.order(event, fields)
            elif event == "carry.device":
                how, rid = fields["how"], fields["rid"]
                self.take_out(fields["seq"], rid, how, how == "replace" and fields["new_rid"] == rid)
            elif event == "device.restore":
                self.restore(fields["seq"], fields["ref"])
            elif event in ("device.scrap", "device.revoke", "device.replace"):
                self.device(event.removeprefix("device."), fields)
        except KeyError as missing:
            raise Refused("record", f"record {fields['seq']} has no {missing.args[0]}") from None

    def device(self, how, fields):
        seq, rid = fields["seq"], fields["rid"]
        if not all(type(fields[key]) is str for key in ("rid", "mac", "sn")) or rid == "":
            raise Refused("record", f"record {seq} takes a device out that it does not name")
        stays = how == "replace" and fields["new_rid"] == rid
        for _, before, _, _ in self.in_force(rid):
            if not (before == "scrap" and how != "scrap" or before == "revoke" and how == "replace" and not stays):
                raise Refused("record", f"record {seq} takes {rid} out, which is out")
        self.take_out(seq, rid, how, stays)

    def take_out(self, seq, rid, how, stays=False, by_order=False):
        self.out.setdefault(rid, []).append((seq, how, stays, by_order))
        if how == "scrap":
            self.scraps[seq] = rid

    def restore(self, seq, scrap):
        if scrap not in self.scraps:
            raise Refused("record", f"record {seq} takes back what is no scrap in force")
        rid = self.scraps.pop(scrap)
        self.out[rid] = [row for row in self.out[rid] if row[0] != scrap]

    def order(self, event, fields):
        """Scrap of an order that is not closed, each device once."""
        job = fields["job"]
        if event == "order.create":
            self.orders.setdefault(job, set())
        elif event == "order.close" and job in self.orders:
            self.orders[job] = None
        elif event == "order.scrap" and self.orders.get(job) is not None:
            device = (fields["rid"], fields["mac"], fields["sn"])
            if device not in self.orders[job]:
                self.orders[job].add(device)
                self.take_out(fields["seq"], fields["rid"], "scrap", by_order=True)

    def in_force(self, rid):
        """What counts of a registration ID. What was said before a board took its place under the same one was said of the old board, but
        what was revoked stays so."""
        rows = self.out.get(rid, []) if rid else []
        since = max((at for at, (_, _, stays, _) in enumerate(rows) if stays), default=-1)
        return [row for at, row in enumerate(rows) if at > since or row[1] == "revoke"]

    def begun(self, seq, rid):
        if any(not by_order for _, _, _, by_order in self.in_force(rid)):
            raise Refused("record", f"record {seq} begins {rid}, which is out")


# --- batches of repair: section 13 ------------------------------------------------------------------------------------

TERMS = ("gk", "gkcv", "group", "scope", "slot", "endpoint", "profile_sha256", "reason", "note", "same_key", "op2")
NAMES = {"id": "rid", "mac": "mac", "serial": "sn"}
hash_like = text_like(re.compile("[0-9a-f]{64}").fullmatch)


class Batch:
    """One that was opened, as far as it is known."""

    def __init__(self, fields):
        self.opened, self.closed, self.quantity = fields["seq"], False, fields["qty"]
        self.terms = {key: fields[key] for key in TERMS} if "profile_sha256" in fields else None
        self.root = bytes.fromhex(fields["list_root"]) if fields.get("list_root") else None
        self.begun = {}  # registration ID: whether it is done
        self.rows = {}  # row of the list: registration ID


class Batches:
    """Told of every record of a log, in order. Remembers batches, the devices of those that are open, and the IDs of work orders."""

    def __init__(self):
        self.known, self.orders = {}, set()
        self.intents = {}  # number of an intent of an open batch: the batch and the registration ID
        self.newest = {"rekey.open": -1, "rekey.close": -1}

    def add(self, fields):
        event = fields["ev"]
        try:
            if event == "inject.intent":
                self.intent(fields)
            elif event in ("inject.result", "inject.resolve"):
                if fields["holds"] == "new" and fields["ref"] in self.intents:
                    batch, rid = self.intents.pop(fields["ref"])
                    batch.begun[rid] = True
            elif event == "order.create":
                self.orders.add(fields["job"])
                if fields["job"] in self.known:
                    raise Refused("record", f"record {fields['seq']} creates a work order with the ID of a batch")
            elif event == "rekey.open":
                self.open(fields)
            elif event == "rekey.close":
                self.close(fields)
        except KeyError as missing:
            raise Refused("record", f"record {fields['seq']} has no {missing.args[0]}") from None

    def follows(self, fields):
        seq, event = fields["seq"], fields["ev"]
        before, self.newest[event] = self.newest[event], seq
        if fields["prior"] != before:
            raise Refused("record", f"record {seq} does not name the {event} before it, which is {before}")

    def open(self, fields):
        seq, job = fields["seq"], fields["job"]
        if job in self.known or job in self.orders:
            raise Refused("record", f"record {seq} opens a batch under the ID {job}, which was given before")
        self.follows(fields)
        whole = count(fields["qty"]) and fields["qty"] > 0
        if "profile_sha256" in fields:  # or an older program opened it, and nothing is asked of its devices
            lists = fields["sha256"], fields["list_root"]
            whole = whole and flag(fields["same_key"]) and hash_like(fields["profile_sha256"]) \
                and (lists == ("", "") or all(map(hash_like, lists))) and fields["op2"] not in ("", fields["op"]) \
                and all(any_text(fields[key]) and (fields[key] or key == "note") for key in TERMS if key != "same_key")
        if not whole:
            raise Refused("record", f"record {seq} opens a batch, and does not say for what, or nobody else approved it")
        self.known[job] = Batch(fields)

    def intent(self, fields):
        seq, rid, job, rekeys = fields["seq"], fields["rid"], fields["job"], fields["mode"] == "rekey"
        if rekeys and "profile_sha256" in fields and fields.get("same_key") == 0 \
                and fields.get("reason") in ("leaked-key", "key-rotation") and fields.get("effect") != "new-key":
            raise Refused("record", f"record {seq} re-keys for a reason that asks for another key, and says that it is none")
        batch = self.known.get(job)
        if batch is None:
            if rekeys and "effect" in fields and job != "":
                raise Refused("record", f"record {seq} is of the batch {job}, which was never opened")
            return
        if batch.terms is not None:
            self.admit(batch, fields)
        if rekeys and not batch.closed:
            batch.begun.setdefault(rid, False)
            if batch.root is not None:
                batch.rows[fields["row"]] = rid
            self.intents[seq] = batch, rid

    def admit(self, batch, fields):
        seq, rid, job = fields["seq"], fields["rid"], fields["job"]
        if batch.closed:
            raise Refused("record", f"record {seq} is of the batch {job}, which was closed")
        other = [key for key in TERMS if fields.get(key) != batch.terms[key]]
        if other or fields["mode"] != "rekey":
            raise Refused("record", f"record {seq} is of the batch {job}, which was approved with another {other or 'mode'}")
        if fields["op"] == fields["op2"]:
            raise Refused("record", f"record {seq} is of the batch {job}, and of one person alone")
        if batch.begun.get(rid):
            raise Refused("record", f"record {seq} re-keys {rid} a second time in the batch {job}")
        if batch.root is None:
            if "row" in fields or rid not in batch.begun and len(batch.begun) >= batch.quantity:
                raise Refused("record", f"record {seq} begins one device more than the batch {job} was approved for")
        elif not is_listed(batch, fields) or batch.rows.get(fields["row"], rid) != rid:
            raise Refused("record", f"record {seq} begins {rid}, which is not on the list of the batch {job}, or whose row another has")

    def close(self, fields):
        seq, batch = fields["seq"], self.known.get(fields["job"])
        if batch is None or batch.closed or fields["ref"] != batch.opened:
            raise Refused("record", f"record {seq} closes the batch {fields['job']}, which is not open")
        self.follows(fields)
        batch.closed = True
        self.intents = {seq: (of, rid) for seq, (of, rid) in self.intents.items() if of is not batch}
        if batch.terms is None:
            return
        sums = [fields[key] for key in ("asked", "done", "failed", "missing")]
        done = sum(batch.begun.values())
        if not all(map(count, sums)) or sums[0] != batch.quantity or sums[0] != sum(sums[1:]) or sums[1] != done \
                or sums[2] < len(batch.begun) - done:
            raise Refused("record", f"record {seq} closes the batch {fields['job']} with sums that are not those of its records")


def is_listed(batch, fields):
    """Whether a row of the list of a batch is what an intent says of its device."""
    row, named = fields.get("row"), fields.get("named")
    if not count(row) or row >= batch.quantity or not any_text(named) or not any_text(fields.get("path")):
        return False
    said = [name for name in NAMES if name in named.split("+")]
    path = base64_of(fields["path"])
    if not said or "+".join(said) != named or path is None or len(path) % 32:
        return False
    text = ",".join(fields[key] if name in said else "" for name, key in NAMES.items())
    proof = Proof(None, row, [path[at:at + 32] for at in range(0, len(path), 32)], None)
    return proves(proof, leaf_hash(text.encode()), batch.quantity, batch.root)


class Devices(DevicesOut):
    """The same, and which registration IDs hang on which group key. Remembers every intent."""

    def __init__(self):
        super().__init__()
        self.intents = {}  # number: registration ID and label
        self.proved = {}  # registration ID: number and label of the intent whose set it proved last

    def add(self, fields):
        super().add(fields)
        event = fields["ev"]
        if event == "inject.intent":
            self.intents[fields["seq"]] = (fields["rid"], fields["gk"])
        elif event in ("inject.result", "inject.resolve") and fields["holds"] == "new" and fields["ref"] in self.intents:
            rid, label = self.intents[fields["ref"]]
            self.proved[rid] = (fields["ref"], label)

    def under(self, label):
        """How many devices hang on a key, and how many of them are out, by how."""
        count = collections.Counter()
        for rid, (intent, of) in self.proved.items():
            if of != label:
                continue
            count["devices"] += 1
            rows = self.out.get(rid, [])
            if rows and not rows[-1][2]:
                count[rows[-1][1]] += 1
            elif any(stays and seq > intent for seq, _, stays, _ in rows):
                count["replace"] += 1
        return count


def same_leaf(found, claimed):
    return found == claimed


def check_trusted(key, trusted):
    if trusted is not None and trusted.text != key.text:
        raise Refused("key", f"it is of the key {key.text}, which is not the one that you trust")


# --- the proof file: section 7 --------------------------------------------------------------------------------------

HEADER = "c2sp.org/tlog-proof@v1\n"
PROOF = re.compile(r"extra ([A-Za-z0-9+/=]+)\nindex ([0-9]+)\n((?:[A-Za-z0-9+/]{43}=\n)*)\n(.*)", re.DOTALL)
Proof = collections.namedtuple("Proof", "body index path checkpoint")


def parse_proofs(data):
    if len(data) > PROOF_BYTES:
        raise Refused("file", "it is longer than 16 MiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("file", "it is not UTF-8") from None
    if not text.startswith(HEADER) or not text.endswith("\n"):
        raise Refused("file", f"it does not begin with {HEADER.strip()}, or its last line does not end")
    proofs = []
    for part in re.split("^" + re.escape(HEADER), text, flags=re.MULTILINE)[1:]:
        form = PROOF.fullmatch(part)
        body = form and base64_of(form[1])
        index = form and number(form[2])
        path = form and [base64_of(line) for line in form[3].split("\n")[:-1]]
        if body is None or index is None or None in path:
            raise Refused("file", f"proof {len(proofs)} is not of the form extra, index, hashes, empty line, checkpoint")
        if index != 0 if not proofs else index <= proofs[-1].index:
            raise Refused("file", "it must begin with record 0, and the others must ascend")
        proofs.append(Proof(body, index, path, form[4]))
    if len(proofs) < 2:
        raise Refused("file", "it shows no record of a device")
    return proofs


def proves(proof, leaf, size, root):
    """RFC 9162, section 2.1.3.2."""
    if proof.index >= size:
        return False
    fn, sn, found = proof.index, size - 1, leaf
    for sibling in proof.path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(sibling, found)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and same_hash(found, root)


def verify_proof(data, trusted, seen):
    """Key, checkpoint, number of records and beginning of a proof file."""
    proofs = parse_proofs(data)
    for proof in proofs:
        if proof.checkpoint != proofs[0].checkpoint:
            raise Refused("checkpoint", f"the proof of record {proof.index} has another checkpoint than that of record 0")
    genesis = parse_record(proofs[0].body)
    if genesis["seq"] != 0 or genesis["ev"] != "log.genesis" or type(genesis.get("vkey")) is not str:
        raise Refused("record", "record 0 is not log.genesis")
    key = Key(genesis["vkey"], LOG)
    check_trusted(key, trusted)
    log = open_checkpoint(proofs[0].checkpoint.encode(), key)
    open_seen(seen, key, log, False)
    device, beginning = None, Beginning()
    for proof in proofs:
        fields = check_place(proof.index, proof.body, key, beginning)
        if proof.index > 0:
            rid = fields.get("rid")
            if type(rid) is not str or rid == "" or device not in (None, rid):
                raise Refused("record", f"record {proof.index} is of no device, or of another one")
            device = rid
        if not proves(proof, leaf_hash(proof.body), log.size, log.root):
            raise Refused("proof", f"record {proof.index} is not proven to be in the log of this checkpoint")
    beginning.complete(log.size)
    return key, log, len(proofs), beginning


# --- the witness: section 8 -----------------------------------------------------------------------------------------


def grew(old, new, path):
    """RFC 9162, section 2.1.4.2."""
    if old.size == new.size:
        return not path and same_hash(old.root, new.root)
    if old.size & (old.size - 1) == 0:
        path = [old.root, *path]
    if not path:
        return False
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and same_hash(fr, old.root) and same_hash(sr, new.root)


REQUEST = re.compile(r"old ([0-9]+)\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.+)", re.DOTALL)


def verify_request(data, log_key, witness_key, state, at):
    """What a witness that remembers the note `state` (or nothing) must cosign at a time, in seconds since 1970."""
    form = REQUEST.fullmatch(data.decode("utf-8", "replace"))
    old = form and number(form[1])
    path = form and [base64_of(line) for line in form[2].split("\n")[:-1]]
    if old is None or None in path:
        raise Refused("form", "it is not of the form old, hashes, empty line, checkpoint")
    origin = form[3].partition("\n")[0]
    if origin != log_key.name:
        raise Refused("unknown", f"it is of the log {origin}, which this witness does not watch")
    note = data[data.index(b"\n\n") + 2:]
    try:
        new = open_checkpoint(note, log_key, [witness_key])
    except Refused as refused:
        raise Refused({"witness": "cosignature"}.get(refused.part, refused.part), refused.why) from None
    known = Checkpoint(0, b"", [])
    if state is not None:
        with part_is("state"):
            known = open_checkpoint(state, log_key, [witness_key])
    if new.witnesses and new.size > known.size:
        raise Refused("rolled-back", f"the witness cosigned {new.size} records and remembers {known.size}: its memory is an older copy")
    if new.size < known.size:
        raise Refused("smaller", f"the witness cosigned {known.size} records already, and this is {new.size}")
    if new.size == known.size and not same_hash(new.root, known.root):
        raise Refused("forked", f"the witness cosigned another log of {new.size} records")
    if any(at < signature.time for signature in known.witnesses):
        raise Refused("clock", "the last cosignature is of a later time")
    if old != known.size:
        raise Refused("conflict", f"the witness remembers {known.size} records, not {old}")
    if path if old == 0 else not grew(known, new, path):
        raise Refused("proof", f"it is not proven that the log of {new.size} records grew out of that of {old}")
    return new


def compare(notes, key, path):
    less, more = sorted((open_checkpoint(note, key) for note in notes), key=lambda checkpoint: checkpoint.size)
    if less.size == more.size and not same_hash(less.root, more.root):
        raise Refused("two-logs", f"one key signed two logs of {less.size} records")
    if less.size < more.size and path is None:
        raise Refused("proof", f"without a proof two checkpoints of {less.size} and {more.size} records cannot be compared")
    if not grew(less, more, path or []):
        raise Refused("proof", f"it is not proven that the log of {more.size} records grew out of that of {less.size}")


# --- the database of a station: section 4 ---------------------------------------------------------------------------


@contextlib.contextmanager
def opened(folder):
    """audit.db, unchanged by being read. A write-ahead log beside it that no station has open is read in a copy."""
    path = os.path.join(os.path.abspath(folder), "audit.db")
    if not os.path.isfile(path):
        raise Refused("file", f"{path} is missing")
    log = path + "-wal"
    with tempfile.TemporaryDirectory() as copy:
        mode = "mode=ro"
        if not os.path.exists(log) or os.path.getsize(log) == 0:
            mode += "&immutable=1"
        elif not os.path.exists(path + "-shm"):
            path, origin = os.path.join(copy, "audit.db"), path
            shutil.copyfile(origin, path)
            shutil.copyfile(log, path + "-wal")
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        try:
            with contextlib.closing(sqlite3.connect(f"file:{quoted}?{mode}", uri=True, isolation_level=None)) as database:
                database.execute("PRAGMA trusted_schema = OFF")
                database.execute("BEGIN")  # everything is of one moment, also of a log that grows
                yield database
        except sqlite3.Error as error:
            raise Refused("file", f"audit.db cannot be read: {error}") from None


BLOCK = 4096
TAIL_BYTES = 16 * 2**20
ENTRY = re.compile(rb"tail/v1 ([1-9][0-9]*) ([1-9][0-9]*) ([0-9a-f]{64})\n")
Entry = collections.namedtuple("Entry", "first checkpoint records")


def tail_of(data, key, witnesses, head):
    """The entries of head.tail that follow the head and one another. Where one was torn, nobody was told of it and of what is behind."""
    found, at, covered = [], 0, head.size
    while form := ENTRY.match(data, at):
        count, end = int(form[1]), form.end() + int(form[2])
        body = data[form.end():end]
        if len(body) != int(form[2]) or hashlib.sha256(body).hexdigest() != form[3].decode():
            break
        note = re.match(rb".*?\n\n(?:\xe2\x80\x94 [^\n]*\n)*", body, re.DOTALL)
        records = body[note.end():].split(b"\n") if note else []
        if len(records) != count + 1 or records.pop() != b"":
            raise Refused("file", f"an entry of head.tail at byte {at} is whole and not of its form")
        checkpoint = open_checkpoint(note[0], key, witnesses)
        first = checkpoint.size - count
        if first > covered if not found else first != covered:
            break
        found.append(Entry(first, checkpoint, records))
        at, covered = -(-end // BLOCK) * BLOCK, checkpoint.size
    return found


class Nodes:
    """The table `node`, read in the order in which the tree needs it: one cursor a level."""

    def __init__(self, database):
        self.database, self.levels, self.read = database, {}, 0

    def check(self, level, index, computed):
        if level not in self.levels:
            self.levels[level] = self.database.execute("SELECT idx, hash FROM node WHERE level = ? ORDER BY idx", (level,))
        row = self.levels[level].fetchone()
        self.read += 1
        if row is None or row[0] != index or not same_hash(row[1], computed):
            raise Refused("tree", f"the node of records {index << level} to {((index + 1) << level) - 1} is missing or is not "
                                  "the hash of what is under it")

    def check_number(self):
        if self.database.execute("SELECT count(*) FROM node").fetchone()[0] != self.read:
            raise Refused("tree", "there are more nodes than the records have")


def verify_database(folder, trusted, seen, witnesses):
    """Key, checkpoint and number of records of the database of a station."""
    keys = read_keys(os.path.join(folder, "log.vkey"), LOG)
    if len(keys) != 1:
        raise Refused("key", f"log.vkey has {len(keys)} keys, a log has one")
    key = keys[0]
    check_trusted(key, trusted)
    head = open_checkpoint(read_regular(os.path.join(folder, "head.note"), NOTE_BYTES, "checkpoint"), key, witnesses)
    tail = []
    if os.path.lexists(os.path.join(folder, "head.tail")):  # an older station has none
        tail = tail_of(read_regular(os.path.join(folder, "head.tail"), TAIL_BYTES), key, witnesses, head)
    with opened(folder) as database:
        if database.execute("PRAGMA application_id").fetchone()[0] != 0x4B534C47:
            raise Refused("file", "audit.db is not the database of a log")
        if database.execute("PRAGMA user_version").fetchone()[0] not in (1, 2, 3, 4, 5, 6, 7):
            raise Refused("file", "audit.db is of a version that this program does not know")
        own = []
        for size, note, cosignatures in database.execute("SELECT size, note, cosig FROM checkpoint ORDER BY size"):
            own.append(open_checkpoint(f"{note}{cosignatures or ''}".encode(), key, witnesses))
            if own[-1].size != size:
                raise Refused("checkpoint", f"a checkpoint of {own[-1].size} records stands as one of {size}")
        if not own:
            raise Refused("checkpoint", "there is no checkpoint in the database")
        log = own[-1]
        held = [(checkpoint, "checkpoint") for checkpoint in own]
        if head.size > log.size:
            raise Refused("seen", f"the database has {log.size} records, and its head has {head.size}: records {log.size} and up are gone")
        held += [(checkpoint, "seen") for checkpoint in [head, *(entry.checkpoint for entry in tail)] if checkpoint.size <= log.size]
        held += [(checkpoint, "seen") for checkpoint in open_seen(seen, key, tail[-1].checkpoint if tail else log, True)]
        held = collections.deque(sorted(held, key=lambda pair: pair[0].size))
        nodes, tree, beginning = Nodes(database), Peaks(), Beginning()
        rules = DevicesOut(), Batches()
        for stored, body, leaf in database.execute("SELECT seq, body, leaf FROM log ORDER BY seq"):
            seq = tree.size
            if stored != seq:
                raise Refused("record", f"record {seq} is missing")
            if type(body) is not bytes:
                raise Refused("record", f"record {seq} is no record")
            fields = check_place(seq, body, key, beginning)
            for rule in rules:
                rule.add(fields)
            if not same_leaf(leaf_hash(body), leaf):
                raise Refused("record", f"record {seq} is not the one whose hash the tree has")
            tree.add(leaf, nodes.check)
            hold(tree, held)
        beginning.complete(log.size)
        if tree.size != log.size:
            raise Refused("record", f"there are {tree.size} records, and the checkpoint in the database says {log.size}")
        nodes.check_number()
    # What a power cut took from the database, and the tail has: a start puts it back.
    held.extend((entry.checkpoint, "seen") for entry in tail if entry.checkpoint.size > log.size)
    held = collections.deque(sorted(held, key=lambda pair: pair[0].size))
    for entry in tail:
        for seq, body in enumerate(entry.records, entry.first):
            if seq == tree.size:
                fields = check_place(seq, body, key, beginning)
                for rule in rules:
                    rule.add(fields)
                tree.add(leaf_hash(body))
                hold(tree, held)
    if held:
        raise Refused("seen", f"there are {tree.size} records, and a checkpoint of {held[0][0].size}: records {tree.size} and up are gone")
    return key, tail[-1].checkpoint if tail and tail[-1].checkpoint.size > log.size else log, tree.size, beginning


class Peaks:
    """A tree that grows: the roots of its complete subtrees, the greatest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, found, check=lambda level, index, computed: None):
        level = 0
        while self.peaks and self.peaks[-1][0] == level:
            found, level = node_hash(self.peaks.pop()[1], found), level + 1
            check(level, self.size >> level, found)
        self.peaks.append((level, found))
        self.size += 1

    def root(self):
        found = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            found = node_hash(left, found)
        return found


def hold(tree, held):
    """Compares the root with that of each checkpoint of as many records."""
    while held and held[0][0].size == tree.size:
        checkpoint, part = held.popleft()
        if not same_hash(tree.root(), checkpoint.root):
            raise Refused(part, f"its first {tree.size} records are not those of a checkpoint that its key signed")


# --- the command line -----------------------------------------------------------------------------------------------


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in [("bundle", "DIR"), ("proof", "FILE"), ("database", "DIR")]:
        command = commands.add_parser(name)
        command.add_argument("name", metavar=what)
        command.add_argument("--vkey", metavar="FILE", help="the key that you know to be that of the log")
        command.add_argument("--seen", metavar="NOTE", action="append", default=[], help="a checkpoint that left the machine before")
        if name == "bundle":
            command.add_argument("--devices", metavar="LABEL", action="append", default=[],
                                 help="say how many devices hang on this group key; of a whole bundle")
        if name == "database":
            command.add_argument("--witness", metavar="FILE", help="the vkeys of witnesses, one a line")
    command = commands.add_parser("compare")
    command.add_argument("notes", metavar="NOTE", nargs=2)
    command.add_argument("--vkey", metavar="FILE", required=True)
    command.add_argument("--proof", metavar="FILE", help="Base64 of hashes, one a line, from the smaller to the greater")
    command = commands.add_parser("request")
    command.add_argument("name", metavar="FILE")
    command.add_argument("--vkey", metavar="FILE", required=True)
    command.add_argument("--witness", metavar="FILE", required=True)
    command.add_argument("--state", metavar="NOTE", help="the checkpoint that the witness cosigned last")
    command.add_argument("--time", metavar="SECONDS", type=int, default=int(time.time()))
    return parser


class Unusable(Exception):
    """What the user gave cannot be used."""


def given(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Unusable(str(error)) from None


def given_key(path, kind):
    try:
        return Key(given(path).decode("utf-8").removesuffix("\n"), kind)
    except (UnicodeDecodeError, Refused) as error:
        raise Unusable(f"{path}: {error}") from None


ACCEPTED = {
    "whole": "the whole log, every record of it",
    "selection": "each of the records that are shown is in the log; it is not proven that none was left out",
    "proof": "each of the records of the device is in the log; it is not proven that there are no more",
    "database": "the whole log, every record of it, and its head",
}


def report(kind, key, log, shown, beginning, options):
    print(f"ACCEPTED: {ACCEPTED[kind]}\n  log        {key.name}\n  records    {log.size}, of which {shown} are here")
    print(f"  root       {base64.b64encode(log.root).decode()}")
    if beginning.follows is not None:
        print(f"  follows    {printable(beginning.follows)}")
    for signature in log.witnesses:
        try:
            at = datetime.fromtimestamp(signature.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (OverflowError, ValueError, OSError):
            at = f"second {signature.time}"
        print(f"  witness    {printable(signature.name)}, {at}")
    print(f"  held against {len(options.seen)} checkpoints that were seen before\n  key        {key.text}")
    if options.vkey is None:
        print("  NOT CHECKED whose key that is: compare it with the one that you know, or give --vkey")


def run(options):
    trusted = given_key(options.vkey, LOG) if options.vkey else None
    if options.command == "compare":
        path = None
        if options.proof:
            path = [base64_of(line) for line in given(options.proof).decode("utf-8", "replace").split("\n") if line]
            if any(step is None or len(step) != 32 for step in path):
                raise Refused("proof", f"{options.proof} is not Base64 of hashes, one a line")
        compare([given(note) for note in options.notes], trusted, path)
        print("ACCEPTED: one log, of which the one checkpoint has all records that the other has")
        return
    if options.command == "request":
        state = given(options.state) if options.state else None
        witness = given_key(options.witness, WITNESS)
        log = verify_request(given(options.name), trusted, witness, state, options.time)
        print(f"ACCEPTED: a witness must cosign {log.size} records with the root {base64.b64encode(log.root).decode()}")
        return
    seen = [given(note) for note in options.seen]
    if options.command != "proof" and not os.path.isdir(options.name):
        raise Unusable(f"{options.name} is no folder")
    if options.command == "bundle":
        bundle = Bundle(options.name, trusted, seen, Devices() if options.devices else None)
        if options.devices and not bundle.whole:
            raise Unusable("a selection does not say which devices hang on a key")
        report("whole" if bundle.whole else "selection", bundle.key, bundle.checkpoint, bundle.verify(), bundle.beginning, options)
        for label in options.devices:
            count = bundle.devices.under(label)
            out = {how: count[how] for how in ("scrap", "revoke", "replace")}
            print(f"  key {printable(label)}: {count['devices']} devices, {count['devices'] - sum(out.values())} in use; "
                  f"scrapped {out['scrap']}, revoked {out['revoke']}, replaced {out['replace']}")
    elif options.command == "proof":
        if os.path.isfile(options.name) and os.path.getsize(options.name) > PROOF_BYTES:
            raise Refused("file", "it is longer than 16 MiB")
        report("proof", *verify_proof(given(options.name), trusted, seen), options)
    else:
        witnesses = read_keys(options.witness, WITNESS) if options.witness else []
        report("database", *verify_database(options.name, trusted, seen, witnesses), options)


def main(words=None):
    options = arguments().parse_args(words)
    try:
        run(options)
    except Refused as refused:
        print(f"REFUSED ({refused.part}): {refused.why}")
        return 1
    except (Unusable, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
