#!/usr/bin/env python3
"""Makes audit-bundle.json from docs/audit-format.md, sections 6, 7, 13 and 14, alone.

The log is that of make_audit.py. A file below `tile/` is given in hexadecimal, every other one as it is; `null` in a
`set` takes the file away. `part` is what a verifier must find wrong: key, checkpoint, witness, seen, file, record, tile,
tree or proof. Run it in this folder; `--check` only compares.
"""
import base64
import hashlib
import json
import os
import struct
import sys

from make_audit import (ORIGIN, OTHER_PUBLIC, OTHER_SEED, PUBLIC, RID, SEED, canonical, checkpoint_text, ed25519,
                        example, leaf, line, note, record, root, vkey)

WITNESS = "witness.example.com/qa"
WITNESS_SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")  # RFC 8032, test 3
WITNESS_PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
HEADER = "c2sp.org/tlog-proof@v1\n"
README = "See docs/audit-format.md.\n"


def b64(data):
    return base64.b64encode(data).decode()


# --- the bundle -------------------------------------------------------------------------------------------------


def number(n):
    digits = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        digits = "x%03d/%s" % (n % 1000, digits)
    return digits


def tile_path(level, n, width):
    return "tile/%s/%s%s" % (level, number(n), "" if width == 256 else ".p/%d" % width)


def tiles(leaves):
    """Every tile of a log, by path."""
    files, level, hashes = {}, 0, leaves
    while hashes:
        for n in range(0, len(hashes), 256):
            files[tile_path(level, n // 256, len(hashes[n:n + 256]))] = b"".join(hashes[n:n + 256])
        whole = len(hashes) // 256
        hashes = [root(hashes[256 * n:256 * n + 256]) for n in range(whole)]
        level += 1
    return files


def entries(bodies):
    files = {}
    for n in range(0, len(bodies), 256):
        part = bodies[n:n + 256]
        files[tile_path("entries", n // 256, len(part))] = b"".join(struct.pack(">H", len(b)) + b for b in part)
    return files


def frame(bodies, signed=None):
    signed = signed or note(checkpoint_text(len(bodies), root([leaf(b) for b in bodies])))
    return {"checkpoint": signed.encode(), "log.vkey": (vkey(ORIGIN, PUBLIC) + "\n").encode(), "witness.vkeys": b"",
            "README": README.encode()}


def whole(bodies, signed=None):
    return frame(bodies, signed) | tiles([leaf(b) for b in bodies]) | entries(bodies)


def selection(bodies, chosen, signed=None):
    chosen = sorted({0, *chosen})
    every = tiles([leaf(b) for b in bodies])
    wanted = {path for path in every if ".p/" in path}
    for seq in chosen:
        for level in range(8):
            n = seq // 256 ** (level + 1)
            wanted |= {tile_path(level, n, 256)} & every.keys()
    records = {"records/%d.json" % seq: bodies[seq] for seq in chosen}
    return frame(bodies, signed) | {path: every[path] for path in wanted} | records


# --- the proof file ---------------------------------------------------------------------------------------------


def path(m, leaves):
    """RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return path(m, leaves[:k]) + [root(leaves[k:])]
    return path(m - k, leaves[k:]) + [root(leaves[:k])]


def proof(bodies, seq, signed, body=None, index=None, hashes=None):
    leaves = [leaf(b) for b in bodies]
    hashes = path(seq, leaves) if hashes is None else hashes
    lines = ["extra " + b64(bodies[seq] if body is None else body), "index %s" % (seq if index is None else index)]
    return HEADER + "".join(part + "\n" for part in lines + [b64(h) for h in hashes]) + "\n" + signed


def proof_file(bodies, chosen, signed=None):
    signed = signed or note(checkpoint_text(len(bodies), root([leaf(b) for b in bodies])))
    return "".join(proof(bodies, seq, signed) for seq in [0, *chosen])


# --- witnesses --------------------------------------------------------------------------------------------------


def cosignature(text, seed=WITNESS_SEED, says=1795313700):
    message = "cosignature/v1\ntime 1795313700\n" + text
    return line(WITNESS, witness_id(), struct.pack(">Q", says) + ed25519(seed, message.encode()))


def witness_id(kind=b"\x04"):
    return hashlib.sha256(WITNESS.encode() + b"\n" + kind + WITNESS_PUBLIC).digest()[:4]


def witness_vkey(kind=b"\x04"):
    return "%s+%s+%s\n" % (WITNESS, witness_id(kind).hex(), b64(kind + WITNESS_PUBLIC))


# --- an epoch that follows another ------------------------------------------------------------------------------


def epoch(carried=None, change=lambda own: None, records=None, **says):
    """A log that takes two accounts, a component and a key over, as section 12 has them."""
    gk = dict(gk="gk-2026a", gkcv="9B5BDBEC8B", group="contoso-line-7", scope="0ne00EMU001", slot="primary")
    account = dict(roles="operator+repair", active=1, cred=1, once=1, tries=0, try_boot="", try_mono=0, was=1)
    over = records or [
        ("carry.account", account | dict(user="ad-1", roles="administrator", once=0, was=3)),
        ("carry.account", account | dict(user="op-0117", tries=2, try_boot="9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11", try_mono=81241629)),
        ("carry.component", gk | dict(cer="8f3c0a51d2e6b794", cv="0A1B2C", part=2, by="cu-2", was=4)),
        ("carry.key", gk | dict(bytes=64, custody="tpm", how="ceremony", state="destroyed", by="cu-1", by2="cu-2", was=6)),
    ]
    change(over)
    first = dict(vkey=vkey(ORIGIN, PUBLIC), prev=ORIGIN[:-1] + "9", prev_size=7, prev_root="5a" * 32, reason="disk replaced",
                 carried=len(over) if carried is None else carried, carried_size=7, carried_root="5a" * 32, carried_lost=0) | says
    rows = [("log.genesis", {k: v for k, v in first.items() if v is not None}), *over, ("log.close", {})]
    return [canonical(record(seq, "2026-11-22T02:14:03.123Z", 81233412 + seq, ev, op="ad-1", role="administrator") | own)
            for seq, (ev, own) in enumerate(rows)]


def having(at, **fields):
    """Changes the fields of one of the records that carry something over; None takes one away."""
    def change(over):
        ev, own = over[at]
        over[at] = ev, {k: v for k, v in (own | fields).items() if v is not None}
    return change


def out(how, **own):
    """A record that takes the device of the example out: section 14."""
    board = dict(new_rid=RID[:-1] + "7", new_mac="a1b2c3d4e5f7", new_sn="007-888-abc", destroyed="") if how == "replace" else {}
    return "device." + how, dict(rid=RID, mac="a1b2c3d4e5f6", sn="007-888-abc", ref=2, reason="other", note="x") | board | own


def out_before(how, was, **own):
    """The same of the epoch before."""
    return "carry.device", dict(how=how, rid=RID, mac="a1b2c3d4e5f6", sn="007-888-abc", new_rid="", new_mac="", was=was) | own


def order_of(change, **own):
    return "order." + change, dict(job="WO-1") | own


# --- a batch of repair: section 13 --------------------------------------------------------------------------------


GK = dict(gk="gk-2026b", gkcv="7C1D0A4E91", group="contoso-line-7", scope="0ne00EMU001", slot="secondary")
APPROVED = GK | dict(endpoint="global.azure-devices-provisioning.net", profile_sha256="21" * 32, reason="leaked-key", note="case 4711",
                     same_key=0, op2="su-1")
# One row by registration ID, one by all three, one by a serial number with every sign that JSON escapes.
ROWS = [RID + ",,", 'sn-2,a4cf12000107,S"2', ',,S\\,"3']
ROOT = root([leaf(row.encode()) for row in ROWS])


def opens(job="RK-1", prior=-1, rows=ROWS, qty=3, **own):
    """The record that opens a batch for the devices of a list, or for so many. None takes a field away."""
    hashes = dict(sha256="74" * 32, list_root=ROOT.hex()) if rows else dict(sha256="", list_root="")
    said = APPROVED | hashes | {"job": job, "qty": qty, "profile": "second.toml", "from": "", "prior": prior} | own
    return "rekey.open", {k: v for k, v in said.items() if v is not None}


def rekeys(row=0, job="RK-1", named=None, at=None, hashes=None, **own):
    """An intent of it, for the device of a row; without a row, of a batch that has no list."""
    device = [dict(rid=RID, mac="a1b2c3d4e5f6", sn="007-888-abc"), dict(rid="sn-2", mac="a4cf12000107", sn='S"2'),
              dict(rid="sn-3", mac="a4cf12000108", sn='S\\,"3')][row if row is not None else 0]
    place = {}
    if row is not None:
        hashes = path(row, [leaf(r.encode()) for r in ROWS]) if hashes is None else hashes
        place = dict(row=row if at is None else at, named=named or ["id", "id+mac+serial", "serial"][row], path=b64(b"".join(hashes)))
    said = APPROVED | device | place | dict(fw="2.4.1", dkfp="%024x" % (row or 7), profile="example 1", job=job, port="p", prior=3, mode="rekey",
                                            before="a165bece4738cde6fbdc5281", effect="new-key") | {"try": 2} | own
    return "inject.intent", {k: v for k, v in said.items() if v is not None}


def came(ref, rid=RID, holds="new"):
    return "inject.result", dict(rc="ok" if holds == "new" else "unplugged", ref=ref, rid=rid, holds=holds,
                                 vmode="challenge" if holds == "new" else "", code="" if holds == "new" else "unplugged")


def closes(done, failed, missing, ref=5, job="RK-1", prior=-1, **own):
    return "rekey.close", dict(job=job, ref=ref, asked=done + failed + missing, done=done, failed=failed, missing=missing, unexpected=0,
                               prior=prior) | own


# --- what must be accepted and refused --------------------------------------------------------------------------


def cases():
    file = example()
    bodies = [b.encode() for b in file["records"]]
    leaves = [leaf(b) for b in bodies]
    signed = file["note"]
    text = checkpoint_text(5, root(leaves))
    device = [2, 3]
    good = {"whole": whole(bodies), "selection": selection(bodies, device), "proof": proof_file(bodies, device)}
    tile0, entries0 = "tile/0/000.p/5", "tile/entries/000.p/5"

    def other(seq, old, new):
        """The same log with one record changed, every hash computed anew."""
        assert old in bodies[seq], old
        return bodies[:seq] + [bodies[seq].replace(old, new)] + bodies[seq + 1:]

    def forged(changed, seed=SEED, public=PUBLIC):
        signed = note(checkpoint_text(len(changed), root([leaf(b) for b in changed])), seed=seed, public=public)
        made = whole(changed, signed)
        return {name: made.get(name) for name in made.keys() | good["whole"].keys()}

    def later(*rows):
        """The same log, and what became of its device; `True` is another intent of it."""
        again = {k: v for k, v in json.loads(bodies[2]).items() if k not in ("seq", "t", "mono")}
        rows = [(again["ev"], again) if row is True else row for row in rows]
        return forged(bodies + [canonical(record(seq, "2026-11-22T02:14:13.000Z", 81243289 + seq, ev, op="rep-1", role="repair") | own)
                                for seq, (ev, own) in enumerate(rows, 5)])

    def then(before, *rows):
        """An epoch that took one device over, and what became of it; `True` is an intent of it."""
        again = {k: v for k, v in json.loads(bodies[2]).items() if k not in ("seq", "t", "mono")}
        rows = [(again["ev"], again) if row is True else row for row in rows]
        return epoch(records=[before]) + [
            canonical(record(seq, "2026-11-22T02:14:13.000Z", 81243289 + seq, ev, op="rep-1", role="repair") | own)
            for seq, (ev, own) in enumerate(rows, 3)]

    def chosen_of(changed, chosen):
        made = selection(changed, chosen)
        return {name: made.get(name) for name in made.keys() | good["selection"].keys()}

    def renumbered(body, seq):
        return canonical(json.loads(body) | {"seq": seq})

    def changed(kind, seq, old, new):
        return {"whole": lambda b: forged(b), "proof": lambda b: proof_file(b, device)}[kind](other(seq, old, new))

    edited = other(3, b'"rc":"ok"', b'"rc":"no"')
    swapped = bodies[:2] + [bodies[3], bodies[2]] + bodies[4:]
    second = bodies + [canonical(record(5, "2026-11-22T02:14:13.000Z", 81243289, "log.genesis", vkey=vkey(ORIGIN, PUBLIC)))]
    other_genesis = canonical(json.loads(bodies[0]) | {"vkey": vkey(ORIGIN, OTHER_PUBLIC)})
    six = bodies + [canonical(record(5, "2026-11-22T02:14:13.000Z", 81243289, "log.close"))]
    beyond = canonical(json.loads(bodies[3]) | {"seq": 5})
    note4 = note(checkpoint_text(4, root(leaves[:4])))
    note6 = note(checkpoint_text(6, root([leaf(b) for b in six])))
    fork4 = note(checkpoint_text(4, root([leaf(b) for b in edited[:4]])))
    cosigned = signed + cosignature(text)
    tile = b"".join(leaves)

    older_epoch = [canonical({k: v for k, v in json.loads(b).items() if not k.startswith("carried")})
                   for b in epoch(records=[("log.open", {})])]

    passes = [
        ("whole", "everything", {}, None),
        ("selection", "one device", {}, None),
        ("proof", "one device", None, None),
        ("whole", "a witness that is known has signed", {"checkpoint": cosigned.encode(), "witness.vkeys": witness_vkey().encode()}, None),
        ("whole", "a witness that is not known has signed", {"checkpoint": cosigned.encode()}, None),
        ("whole", "an earlier checkpoint that a witness signed", {"checkpoints/4": note4.encode()}, None),
        ("whole", "no file README", {"README": None}, None),
        ("whole", "it has grown since it was seen", {}, note4),
        ("whole", "it is what was seen", {}, signed),
        ("selection", "it is what was seen", {}, signed),
        ("proof", "it is what was seen", None, signed),
        ("proof", "of a log of one record more", proof_file(six, device), None),
        ("selection", "of all records", selection(bodies, range(5)), None),
        ("whole", "an epoch that took something over", forged(epoch()), None),
        ("whole", "an epoch that took nothing over", forged(epoch(records=[("log.open", {})], carried=0)), None),
        ("whole", "an epoch of an older program", forged(older_epoch), None),
        ("whole", "an epoch that took over what a later program knows", forged(epoch(change=lambda over: over.append(("carry.later", {})))), None),
        ("selection", "of an epoch", chosen_of(epoch(), [2, 4]), None),
        ("whole", "a device that was scrap by mistake", later(out("scrap"), out("restore", ref=5), True, out("scrap")), None),
        ("whole", "a device that was scrap, then revoked, then replaced", later(out("scrap"), out("revoke"), out("replace")), None),
        ("whole", "another board under the same registration ID",
         later(out("scrap"), out("replace", new_rid=RID, destroyed="D-1"), True, out("revoke")), None),
        ("whole", "scrap of an order, made under another",
         later(order_of("create"), order_of("scrap", rid=RID, mac="", sn="x"), True, order_of("scrap", rid=RID, mac="", sn="x"), out("restore", ref=6),
               out("scrap")), None),
        ("whole", "scrap of the epoch before, by mistake", forged(then(out_before("scrap", 4), out("restore", ref=1), True)), None),
        ("whole", "the same, on a list", forged(then(out_before("scrap", 4, cloud="listed"), out("restore", ref=1), True)), None),
        ("whole", "an event of a device that a later program knows", later(out("scrap"), ("device.later", {}), out("revoke")), None),
        ("whole", "a batch for the devices of a list", later(opens(), rekeys(0), came(6), rekeys(1), came(8, "sn-2", "unknown"), rekeys(1, prior=8),
                                                             rekeys(2), closes(1, 2, 0)), None),
        ("whole", "a batch for so many devices", later(opens(rows=None, qty=2), rekeys(None), rekeys(None, rid="sn-8"), rekeys(None), came(8),
                                                       closes(1, 1, 0)), None),
        ("whole", "batches, one behind the other and at the same time",
         later(opens(), opens("RK-2", 5, rows=None, qty=9), rekeys(0), came(7), rekeys(None, job="RK-2"), came(9), closes(1, 0, 2),
               closes(1, 0, 8, 6, "RK-2", 11), opens("RK-3", 6), rekeys(0, job="RK-3")), None),
        ("whole", "an outcome that comes after the end of its batch", later(opens(), rekeys(0), closes(0, 1, 2), came(6)), None),
        ("whole", "a batch that is for a list of one device",
         later(opens(rows=["x"], qty=1, list_root=leaf((RID + ",,").encode()).hex()), rekeys(0, hashes=[])), None),
        ("whole", "the same key for a leak, which was approved", later(opens(same_key=1), rekeys(0, same_key=1, effect="same-key"),
                                                                        rekeys(0, job="", same_key=1, effect="unknown-key")), None),
        ("whole", "one device re-keyed, of no batch", later(rekeys(None, job="")), None),
        ("whole", "a batch of an older program, which asked nothing",
         later(opens(profile_sha256=None, endpoint=None, list_root=None), rekeys(None, profile_sha256=None, same_key=None, gk="other"),
               closes(0, 0, 3), rekeys(None, profile_sha256=None, same_key=None)), None),
        ("whole", "a re-key of a program that knew no batches", later(rekeys(None, job="WO-44192", effect=None, profile_sha256=None, same_key=None)), None),
    ]
    fails = [
        # Whoever has no key.
        ("whole", "record", "a record edited", {entries0: entries(edited)[entries0]}),
        ("whole", "tree", "a record edited, and its leaf", {entries0: entries(edited)[entries0], tile0: tiles([leaf(b) for b in edited])[tile0]}),
        ("whole", "record", "two records swapped", {entries0: entries(swapped)[entries0], tile0: tiles([leaf(b) for b in swapped])[tile0]}),
        ("whole", "record", "a leaf edited", {tile0: bytes([tile[0] ^ 1]) + tile[1:]}),
        ("whole", "file", "a record deleted", {entries0: None, tile0: None} | entries(bodies[:4]) | tiles(leaves[:4])),
        ("whole", "file", "a record added", {entries0: None, tile0: None} | entries(six) | tiles([leaf(b) for b in six])),
        ("whole", "file", "cut back, with the checkpoint of more records", {name: None for name in [entries0, tile0]} | {k: v for k, v in whole(bodies[:3]).items() if k.startswith("tile/")}),
        ("whole", "file", "a longer log, with the checkpoint of fewer records", {"checkpoint": note4.encode()}),
        # The key.
        ("whole", "checkpoint", "signed by another key", {"checkpoint": note(text, seed=OTHER_SEED, public=OTHER_PUBLIC).encode()}),
        ("whole", "record", "checkpoint and vkey by another key", {"checkpoint": note(text, seed=OTHER_SEED, public=OTHER_PUBLIC).encode(), "log.vkey": (vkey(ORIGIN, OTHER_PUBLIC) + "\n").encode()}),
        ("whole", "checkpoint", "the vkey of another log", {"log.vkey": (vkey(ORIGIN[:-1] + "2", PUBLIC) + "\n").encode()}),
        ("whole", "key", "two vkeys", {"log.vkey": (vkey(ORIGIN, PUBLIC) + "\n").encode() * 2}),
        ("whole", "key", "a vkey without newline", {"log.vkey": vkey(ORIGIN, PUBLIC).encode()}),
        ("whole", "key", "no vkey", {"log.vkey": None}),
        ("whole", "key", "a vkey with a wrong ID", {"log.vkey": vkey(ORIGIN, PUBLIC).replace("f8", "f9", 1).encode() + b"\n"}),
        ("whole", "checkpoint", "no checkpoint", {"checkpoint": None}),
        ("whole", "checkpoint", "an empty checkpoint", {"checkpoint": b""}),
        # Files.
        ("whole", "file", "no records", {entries0: None}),
        ("whole", "file", "records in both forms", {"records/0.json": bodies[0]}),
        ("whole", "file", "no tile", {tile0: None}),
        ("whole", "file", "a tile with a byte more", {tile0: tile + b"\0"}),
        ("whole", "file", "a tile with a byte less", {tile0: tile[:-1]}),
        ("whole", "file", "a tile spelled with fewer digits", {tile0: None, "tile/0/0.p/5": tile}),
        ("whole", "file", "a tile of another width", {tile0: None, "tile/0/000.p/05": tile}),
        ("whole", "file", "a full tile that is none", {"tile/0/000": tile}),
        ("whole", "file", "a tile that is not called for", {"tile/0/001.p/1": leaves[0]}),
        ("whole", "file", "a level that is not called for", {"tile/1/000.p/1": root(leaves[:4])}),
        ("whole", "file", "entries that are not called for", {"tile/entries/001.p/1": b"\0\2{}"}),
        ("whole", "file", "a byte behind the last record", {entries0: entries(bodies)[entries0] + b"\0"}),
        ("whole", "file", "the last record cut short", {entries0: entries(bodies)[entries0][:-1]}),
        ("whole", "file", "a length beyond the file", {entries0: b"\xff\xff" + entries(bodies)[entries0][2:]}),
        # What even the key does not make a log.
        ("whole", "record", "signed: a record that is not canonical", changed("whole", 3, b'{"boot"', b'{ "boot"')),
        ("whole", "record", "signed: a number that stands elsewhere", changed("whole", 3, b'"seq":3', b'"seq":4')),
        ("whole", "record", "signed: a record of another log", changed("whole", 3, b"stn03/1", b"stn04/1")),
        ("whole", "record", "signed: a second genesis", forged(second)),
        ("whole", "record", "signed: no genesis", changed("whole", 0, b"log.genesis", b"log.open")),
        ("whole", "record", "signed: a genesis of another key", forged([other_genesis] + bodies[1:])),
        ("whole", "record", "signed: a record too few bytes long", forged(bodies[:4] + [b"{"])),
        # Devices that are out.
        ("whole", "record", "signed, of a device: scrap begun again", later(out("scrap"), True)),
        ("whole", "record", "signed, of a device: a revoked device begun again", later(out("scrap"), out("revoke"), True)),
        ("whole", "record", "signed, of a device: a board begun again that was replaced", later(out("replace"), True)),
        ("whole", "record", "signed, of a device: scrap twice", later(out("scrap"), out("scrap"))),
        ("whole", "record", "signed, of a device: scrap of an order, and scrap once more",
         later(order_of("create"), order_of("scrap", rid=RID, mac="", sn="x"), out("scrap"))),
        ("whole", "record", "signed, of a device: revoked twice", later(out("revoke"), out("revoke"))),
        ("whole", "record", "signed, of a device: revoked after it was replaced", later(out("replace"), out("revoke"))),
        ("whole", "record", "signed, of a device: replaced twice", later(out("replace"), out("replace", new_rid=RID[:-1] + "8"))),
        ("whole", "record", "signed, of a device: another board under an ID that was revoked", later(out("revoke"), out("replace", new_rid=RID, destroyed="D-1"))),
        ("whole", "record", "signed, of a device: nothing restored", later(out("restore", ref=3))),
        ("whole", "record", "signed, of a device: a revoked device restored", later(out("revoke"), out("restore", ref=5))),
        ("whole", "record", "signed, of a device: restored twice", later(out("scrap"), out("restore", ref=5), out("restore", ref=5))),
        ("whole", "record", "signed, of a device: no device taken out", later(out("scrap", rid=""))),
        ("whole", "record", "signed, of a device: begun again, and was revoked in the epoch before", forged(then(out_before("revoke", 4), True))),
        ("whole", "record", "signed, of a device: restored, and was revoked in the epoch before",
         forged(then(out_before("revoke", 4), out("restore", ref=1)))),
        ("whole", "record", "signed, of a device: carried over without its MAC address", forged(then(out_before("scrap", 4, mac=5)))),
        # Batches of repair.
        ("whole", "record", "signed, of a batch: never opened", later(rekeys(None))),
        ("whole", "record", "signed, of a batch: never opened, and of no profile", later(rekeys(None, profile_sha256=None, same_key=None))),
        ("whole", "record", "signed, of a batch: opened later", later(rekeys(0), opens())),
        ("whole", "record", "signed, of a batch: closed", later(opens(), closes(0, 0, 3), rekeys(0))),
        ("whole", "record", "signed, of a batch: another group key", later(opens(), rekeys(0, gk="gk-2026c"))),
        ("whole", "record", "signed, of a batch: another check value", later(opens(), rekeys(0, gkcv="9B5BDBEC8B"))),
        ("whole", "record", "signed, of a batch: another ID scope", later(opens(), rekeys(0, scope="0ne00EMU002"))),
        ("whole", "record", "signed, of a batch: another slot of the key", later(opens(), rekeys(0, slot="primary"))),
        ("whole", "record", "signed, of a batch: another enrollment group", later(opens(), rekeys(0, group="contoso-line-8"))),
        ("whole", "record", "signed, of a batch: another endpoint", later(opens(), rekeys(0, endpoint="elsewhere.example.com"))),
        ("whole", "record", "signed, of a batch: another profile", later(opens(), rekeys(0, profile_sha256="22" * 32))),
        ("whole", "record", "signed, of a batch: of no profile", later(opens(), rekeys(0, profile_sha256=None))),
        ("whole", "record", "signed, of a batch: another reason", later(opens(), rekeys(0, reason="returned"))),
        ("whole", "record", "signed, of a batch: another note", later(opens(), rekeys(0, note="case 4712"))),
        ("whole", "record", "signed, of a batch: the same key, which nobody approved", later(opens(), rekeys(0, same_key=1, effect="same-key"))),
        ("whole", "record", "signed, of a batch: another approver", later(opens(), rekeys(0, op2="su-2"))),
        ("whole", "record", "signed, of a batch: by who approved it", later(opens(), rekeys(0, op="su-1"))),
        ("whole", "record", "signed, of a batch: a first key", later(opens(), rekeys(0, mode="new"))),
        ("whole", "record", "signed, of a batch: one that is not on the list", later(opens(), rekeys(0, rid="sn-9"))),
        ("whole", "record", "signed, of a batch: another board than the row says", later(opens(), rekeys(1, mac="a4cf12000109"))),
        ("whole", "record", "signed, of a batch: another serial number than the row says", later(opens(), rekeys(2, sn="S-4"))),
        ("whole", "record", "signed, of a batch: a row that names less than it says", later(opens(), rekeys(1, named="id"))),
        ("whole", "record", "signed, of a batch: what it names spelled otherwise", later(opens(), rekeys(1, named="mac+id+serial"))),
        ("whole", "record", "signed, of a batch: without a row", later(opens(), rekeys(None))),
        ("whole", "record", "signed, of a batch: another row", later(opens(), rekeys(0, at=1))),
        ("whole", "record", "signed, of a batch: a row behind the last", later(opens(), rekeys(0, at=3))),
        ("whole", "record", "signed, of a batch: a row below the first", later(opens(), rekeys(0, at=-1))),
        ("whole", "record", "signed, of a batch: a row as a text", later(opens(), rekeys(0, at="0"))),
        ("whole", "record", "signed, of a batch: a path of no hash", later(opens(), rekeys(0, hashes=[]))),
        ("whole", "record", "signed, of a batch: a path of half a hash", later(opens(), rekeys(0, hashes=path(0, [leaf(r.encode()) for r in ROWS]) + [b"x"]))),
        ("whole", "record", "signed, of a batch: a path that is no Base64", later(opens(), rekeys(0, path="!"))),
        ("whole", "record", "signed, of a batch: two devices of one row", later(opens(), rekeys(2), rekeys(2, rid="sn-4"))),
        ("whole", "record", "signed, of a batch: done twice", later(opens(), rekeys(0), came(6), rekeys(0))),
        ("whole", "record", "signed, of a batch: done twice, once more after another", later(opens(), rekeys(0), came(6), rekeys(1), rekeys(0))),
        ("whole", "record", "signed, of a batch: one device more than approved", later(opens(rows=None, qty=1), rekeys(None), rekeys(None, rid="sn-8"))),
        ("whole", "record", "signed, of a batch: a row where there is no list", later(opens(rows=None), rekeys(0))),
        ("whole", "record", "signed, of a batch: the same key for a leak", later(opens(), rekeys(0, effect="same-key"))),
        ("whole", "record", "signed, of a batch: nobody knows which key, for a leak", later(opens(), rekeys(0, effect="unknown-key"))),
        ("whole", "record", "signed, of no batch: the same key for a leak", later(rekeys(None, job="", effect="same-key"))),
        ("whole", "record", "signed, of no batch: nobody knows which key, for a rotation",
         later(rekeys(None, job="", reason="key-rotation", effect="unknown-key"))),
        ("whole", "record", "signed, of a batch: opened twice", later(opens(), opens(prior=5))),
        ("whole", "record", "signed, of a batch: opened again after its end", later(opens(), closes(0, 0, 3), opens(prior=5))),
        ("whole", "record", "signed, of a batch: the ID of a work order", later(order_of("create"), opens("WO-1"))),
        ("whole", "record", "signed, of a batch: its ID given to a work order", later(opens(), order_of("create", job="RK-1"))),
        ("whole", "record", "signed, of a batch: approved by nobody", later(opens(op2=""))),
        ("whole", "record", "signed, of a batch: approved by who asked", later(opens(op2="rep-1"))),
        ("whole", "record", "signed, of a batch: for no device", later(opens(qty=0))),
        ("whole", "record", "signed, of a batch: a list without its tree", later(opens(list_root=""))),
        ("whole", "record", "signed, of a batch: a tree without its list", later(opens(sha256=""))),
        ("whole", "record", "signed, of a batch: a tree that is no hash", later(opens(list_root="ff"))),
        ("whole", "record", "signed, of a batch: a profile that is no hash", later(opens(profile_sha256=""))),
        ("whole", "record", "signed, of a batch: without an endpoint", later(opens(endpoint=None))),
        ("whole", "record", "signed, of a batch: it names another before it", later(opens(prior=3))),
        ("whole", "record", "signed, of a batch: it passes over the one before it", later(opens(), opens("RK-2"))),
        ("whole", "record", "signed, of a batch: the end of none", later(closes(0, 0, 3))),
        ("whole", "record", "signed, of a batch: the end of another record", later(opens(), closes(0, 0, 3, ref=4))),
        ("whole", "record", "signed, of a batch: two ends", later(opens(), closes(0, 0, 3), closes(0, 0, 3, prior=6))),
        ("whole", "record", "signed, of a batch: an end that passes over the one before it",
         later(opens(), opens("RK-2", 5), closes(0, 0, 3), closes(0, 0, 3, 6, "RK-2"))),
        ("whole", "record", "signed, of a batch: more asked than approved", later(opens(), closes(0, 0, 4))),
        ("whole", "record", "signed, of a batch: sums that do not add up", later(opens(), closes(0, 0, 2, asked=3))),
        ("whole", "record", "signed, of a batch: more done than were", later(opens(), rekeys(0), closes(1, 0, 2))),
        ("whole", "record", "signed, of a batch: fewer done than were", later(opens(), rekeys(0), came(6), closes(0, 1, 2))),
        ("whole", "record", "signed, of a batch: begun, and said to be missing", later(opens(), rekeys(0), closes(0, 0, 3))),
        # What an epoch takes over.
        ("whole", "record", "signed, of a device: carried over with a word of the cloud that there is none of", forged(then(out_before("scrap", 4, cloud="maybe")))),
        ("whole", "record", "signed, of a device: carried over with a number of the cloud", forged(then(out_before("scrap", 4, cloud=1)))),
        ("whole", "record", "signed: devices out of order", forged(epoch(records=[out_before("scrap", 5), out_before("revoke", 4)]))),
        ("whole", "record", "signed: a record carried over behind the beginning", forged(epoch(carried=3))),
        ("whole", "record", "signed: another record among those that carry over", forged(epoch(carried=5))),
        ("whole", "record", "signed: a record carried over into a log that follows none", changed("whole", 4, b"log.close", b"carry.later")),
        ("whole", "record", "signed: one carried over a second time, later", forged(epoch() + [renumbered(epoch()[4], 6)])),
        ("whole", "record", "signed: a log of no more than it took over", forged(epoch()[:4])),
        ("whole", "record", "signed: accounts out of order", forged(epoch(change=lambda over: over.insert(0, over.pop(1))))),
        ("whole", "record", "signed: kinds out of order", forged(epoch(change=lambda over: over.insert(0, over.pop())))),
        ("whole", "record", "signed: an account twice", forged(epoch(change=lambda over: over.insert(1, over[1])))),
        ("whole", "record", "signed: a key twice", forged(epoch(change=lambda over: over.append(over[3])))),
        ("whole", "record", "signed: a component twice", forged(epoch(change=lambda over: over.insert(2, over[2])))),
        ("whole", "record", "signed: an account without its number of wrong PINs", forged(epoch(change=having(1, tries=None)))),
        ("whole", "record", "signed: an account without a user", forged(epoch(change=having(0, user=None)))),
        ("whole", "record", "signed: an account that is neither enabled nor not", forged(epoch(change=having(0, active=2)))),
        ("whole", "record", "signed: a component of no record", forged(epoch(change=having(2, was="4")))),
        ("whole", "record", "signed: a key without a label", forged(epoch(change=having(3, gk=7)))),
        ("whole", "record", "signed: a key in a state that no key has", forged(epoch(change=having(3, state="lost")))),
        ("whole", "record", "signed: a number of carried records that is none", forged(epoch(carried="4"))),
        ("whole", "record", "signed: less than none carried over", forged(epoch(carried=-1))),
        ("whole", "record", "signed: carried over from no log", forged(epoch(prev=None))),
        ("whole", "record", "signed: carried over from no records", forged(epoch(carried_size=0))),
        ("whole", "record", "signed: carried over without a root", forged(epoch(carried_root=""))),
        ("selection", "record", "signed: of an epoch, out of order", chosen_of(epoch(change=lambda over: over.insert(0, over.pop(1))), [1, 2])),
        # Other checkpoints.
        ("whole", "tree", "an earlier checkpoint of another past", {"checkpoints/4": fork4.encode()}),
        ("whole", "file", "an earlier checkpoint under another size", {"checkpoints/3": note4.encode()}),
        ("whole", "file", "a checkpoint of more records", {"checkpoints/6": note6.encode()}),
        ("whole", "checkpoint", "an earlier checkpoint by another key", {"checkpoints/4": note(checkpoint_text(4, root(leaves[:4])), seed=OTHER_SEED, public=OTHER_PUBLIC).encode()}),
        ("selection", "file", "an earlier checkpoint in a selection", {"checkpoints/4": note4.encode()}),
        # Witnesses.
        ("whole", "witness", "the signature of a witness is of another time", {"checkpoint": (signed + cosignature(text, says=1795313701)).encode(), "witness.vkeys": witness_vkey().encode()}),
        ("whole", "witness", "the signature of a witness is of another text", {"checkpoint": (signed + cosignature(checkpoint_text(4, root(leaves[:4])))).encode(), "witness.vkeys": witness_vkey().encode()}),
        ("whole", "witness", "the signature of a witness is by another key", {"checkpoint": (signed + cosignature(text, OTHER_SEED)).encode(), "witness.vkeys": witness_vkey().encode()}),
        ("whole", "witness", "the signature of a witness is too short", {"checkpoint": (signed + line(WITNESS, witness_id(), bytes(71))).encode(), "witness.vkeys": witness_vkey().encode()}),
        ("whole", "key", "a witness with a key for logs", {"witness.vkeys": witness_vkey(b"\x01").encode()}),
        ("whole", "key", "no file of witnesses", {"witness.vkeys": None}),
        ("whole", "key", "a witness without newline", {"witness.vkeys": witness_vkey()[:-1].encode()}),
        # Selections.
        ("selection", "record", "a record edited", {"records/3.json": edited[3]}),
        ("selection", "record", "two records swapped", {"records/2.json": bodies[3], "records/3.json": bodies[2]}),
        ("selection", "record", "a newline behind a record", {"records/3.json": bodies[3] + b"\n"}),
        ("selection", "file", "without record 0", {"records/0.json": None}),
        ("selection", "file", "a number with a leading zero", {"records/3.json": None, "records/03.json": bodies[3]}),
        ("selection", "file", "a file that is no record", {"records/notes.txt": b"x"}),
        ("selection", "file", "a record that the log does not have", {"records/5.json": six[5]}),
        ("selection", "file", "no tile", {tile0: None}),
        ("selection", "file", "a tile that is not called for", {"tile/1/000.p/1": root(leaves[:4])}),
        ("selection", "tree", "a leaf edited", {tile0: tile[:-1] + bytes([tile[-1] ^ 1])}),
    ]
    seen = [
        ("whole", "it is smaller than what was seen", {}, note6),
        ("whole", "it has another past than what was seen", {}, fork4),
        ("whole", "what was seen is signed by another key", {}, note(text, seed=OTHER_SEED, public=OTHER_PUBLIC)),
        ("selection", "it is smaller than what was seen", {}, note6),
        ("selection", "it cannot be compared with what was seen", {}, note4),
        ("selection", "what was seen has another root", {}, note(checkpoint_text(5, root([leaf(b) for b in edited])))),
        ("proof", "it is smaller than what was seen", None, note6),
        ("proof", "it cannot be compared with what was seen", None, note4),
        ("proof", "what was seen has another root", None, note(checkpoint_text(5, root([leaf(b) for b in edited])))),
    ]
    one = [proof(bodies, seq, signed) for seq in range(5)]
    p3 = one[3]
    hashes3 = path(3, leaves)
    other_rid = other(3, b"sn-007-888-abc", b"sn-007-888-abd")
    no_rid = [proof(bodies, seq, signed) for seq in [0, 1]]
    proofs = [
        ("file", "empty", ""),
        ("file", "its last newline missing", good["proof"][:-1]),
        ("file", "a line before it", "\n" + good["proof"]),
        ("checkpoint", "a line between two proofs", one[0] + "\n" + one[2]),
        ("file", "with carriage returns", good["proof"].replace("\n", "\r\n")),
        ("file", "another version", good["proof"].replace("proof@v1", "proof@v2")),
        ("file", "without extra", one[0] + "".join(l for l in p3.splitlines(True) if not l.startswith("extra"))),
        ("file", "extra twice", one[0] + p3.replace("index", "extra AAAA\nindex", 1)),
        ("file", "extra that is not canonical Base64", one[0] + p3.replace("\nindex", "=\nindex", 1)),
        ("file", "without an index", one[0] + "".join(l for l in p3.splitlines(True) if not l.startswith("index"))),
        ("file", "an index with a leading zero", one[0] + p3.replace("index 3", "index 03")),
        ("file", "an index beyond 64 bits", one[0] + p3.replace("index 3", "index " + "9" * 30)),
        ("file", "a hash of 31 bytes", one[0] + p3.replace(b64(hashes3[0]), b64(hashes3[0][:31]))),
        ("file", "a hash that is not Base64", one[0] + p3.replace(b64(hashes3[0]), "!" + b64(hashes3[0])[1:])),
        ("file", "without the blank line", one[0] + p3.replace("\n\n", "\n", 1)),
        ("file", "a header alone", one[0] + HEADER),
        ("proof", "a hash too few", one[0] + proof(bodies, 3, signed, hashes=hashes3[:-1])),
        ("proof", "a hash too many", one[0] + proof(bodies, 3, signed, hashes=hashes3 + [leaves[0]])),
        ("proof", "two hashes swapped", one[0] + proof(bodies, 3, signed, hashes=hashes3[1:] + hashes3[:1])),
        ("proof", "a hash changed", one[0] + proof(bodies, 3, signed, hashes=[leaves[1]] + hashes3[1:])),
        ("proof", "the record edited", one[0] + proof(bodies, 3, signed, body=edited[3])),
        ("record", "the index of another record", one[0] + proof(bodies, 3, signed, index=2)),
        ("record", "an index that the log does not have", one[0] + proof(bodies, 3, signed, index=5)),
        ("proof", "a record that the log does not have", one[0] + proof(bodies, 3, signed, body=beyond, index=5)),
        ("record", "the record not canonical", one[0] + proof(bodies, 3, signed, body=b" " + bodies[3])),
        ("record", "of another log", changed("proof", 3, b"stn03/1", b"stn04/1")),
        ("file", "records not in order", one[0] + one[3] + one[2]),
        ("file", "a record twice", one[0] + one[3] + one[3]),
        ("file", "without record 0", one[2] + one[3]),
        ("file", "record 0 alone", one[0]),
        ("record", "of an epoch, a device among what it took over", proof_file(epoch(change=lambda over: over.insert(1, ("inject.refuse", dict(rid="sn-1")))), [2])),
        ("record", "of two devices", proof_file(other_rid, device)),
        ("record", "of a record that names no device", "".join(no_rid)),
        ("checkpoint", "a genesis of another key", proof_file([other_genesis] + bodies[1:], device)),
        ("record", "no genesis", changed("proof", 0, b"log.genesis", b"log.open")),
        ("checkpoint", "two checkpoints", one[0] + one[2] + proof(bodies, 3, cosigned)),
        ("checkpoint", "signed by another key", proof_file(bodies, device, note(text, seed=OTHER_SEED, public=OTHER_PUBLIC))),
        ("checkpoint", "a checkpoint of two lines", proof_file(bodies, device, note("%s\n5\n" % ORIGIN))),
    ]

    def shown(files):
        return {name: None if data is None else data.hex() if name.startswith("tile/") else data.decode()
                for name, data in sorted(files.items())}

    rows_pass = []
    for kind, name, change, seen_note in passes:
        row = {"kind": kind, "name": name}
        if kind == "proof":
            row["file"] = change or good["proof"]
        else:
            row["set"] = shown({path: data for path, data in change.items() if good[kind].get(path) != data})
        rows_pass.append(row | ({"seen": seen_note} if seen_note else {}))
    rows_fail = [{"kind": kind, "part": part, "name": name, "set": shown(change)} for kind, part, name, change in fails]
    rows_fail += [{"kind": "proof", "part": part, "name": name, "file": data} for part, name, data in proofs]
    for kind, name, change, seen_note in seen:
        row = {"kind": kind, "part": "seen", "name": name, "seen": seen_note}
        rows_fail.append(row | ({"file": good["proof"]} if kind == "proof" else {"set": {}}))
    return {"whole": shown(good["whole"]), "selection": shown(good["selection"]), "proof": good["proof"],
            "must_pass": rows_pass, "must_fail": rows_fail}


def main():
    made = {"about": "Bundles and proof files of the worked example: what they are, what must be accepted and refused.",
            "vkey": vkey(ORIGIN, PUBLIC)} | cases()
    text = json.dumps(made, indent=1, ensure_ascii=True) + "\n"
    if sys.argv[1:] == ["--check"]:
        return 0 if os.path.exists("audit-bundle.json") and open("audit-bundle.json").read() == text else 1
    open("audit-bundle.json", "w").write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
