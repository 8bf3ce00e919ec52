#!/usr/bin/env python3
"""Makes audit-log.json, audit-record.json and audit-checkpoint.json from docs/audit-format.md alone.

Python's standard library for JSON, SHA-256 and the tree; the openssl program for Ed25519. It shares no code with the
station: where the two agree, the specification was clear. Run it in this folder; `--check` only compares.
"""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile

ORIGIN = "keylog.example.com/plant7/stn03/1"
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # RFC 8032, test 1
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
OTHER_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")  # RFC 8032, test 2
OTHER_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
BOOT = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11"
# Published by Microsoft; see dps-derive.json.
GROUP_KEY = base64.b64decode("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==")
RID = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"


# --- the record -------------------------------------------------------------------------------------------------


def text(value):
    out = ""
    for c in value:
        if c in '"\\':
            out += "\\" + c
        elif ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0:
            out += "\\u%04x" % ord(c)
        else:
            out += c
    return '"' + out + '"'


def canonical(fields):
    values = ((k, str(v) if isinstance(v, int) else text(v)) for k, v in sorted(fields.items()))
    return ("{" + ",".join('"%s":%s' % pair for pair in values) + "}").encode()


def record(seq, t, mono, ev, rc="", op="op-0117", role="operator", ses="5c1e0b7d", **own):
    common = dict(v=1, seq=seq, log=ORIGIN, t=t, mono=mono, boot=BOOT, ses=ses, op=op, op2="", role=role, ev=ev, rc=rc)
    assert not common.keys() & own.keys()
    return common | own


# --- the tree ---------------------------------------------------------------------------------------------------


def leaf(body):
    return hashlib.sha256(b"\0" + body).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves):
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(root(leaves[:k]), root(leaves[k:]))


# --- the note ---------------------------------------------------------------------------------------------------


def ed25519(seed, message):
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    with tempfile.TemporaryDirectory() as folder:
        key, data = os.path.join(folder, "key"), os.path.join(folder, "data")
        open(key, "wb").write(der)
        open(data, "wb").write(message)
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", key, "-in", data]
        return subprocess.run(command, check=True, capture_output=True).stdout


def key_id(name, public):
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def vkey(name, public):
    return "%s+%s+%s" % (name, key_id(name, public).hex(), base64.b64encode(b"\x01" + public).decode())


def line(name, identifier, signature):
    return "\u2014 %s %s\n" % (name, base64.b64encode(identifier + signature).decode())


def note(body, name=ORIGIN, seed=SEED, public=PUBLIC):
    return body + "\n" + line(name, key_id(name, public), ed25519(seed, body.encode()))


def checkpoint_text(size, hash_, origin=ORIGIN):
    return "%s\n%s\n%s\n" % (origin, size, base64.b64encode(hash_).decode())


# --- audit-log.json ---------------------------------------------------------------------------------------------


def tail(signed, bodies):
    """An entry of the tail, without the zeros behind it."""
    rest = signed.encode() + b"".join(body + b"\n" for body in bodies)
    return (f"tail/v1 {len(bodies)} {len(rest)} {hashlib.sha256(rest).hexdigest()}\n".encode() + rest).decode()


def example():
    gkcv = hmac.new(GROUP_KEY, b"keystation/gkcv/v1\0", "sha256").digest()[:5].hex().upper()
    device_key = hmac.new(GROUP_KEY, RID.encode(), "sha256").digest()
    dkfp = hashlib.sha256(b"keystation/dkfp/v1\0" + device_key).digest()[:12].hex()
    day = "2026-11-22T02:14:"
    records = [
        record(0, day + "03.123Z", 81233412, "log.genesis", role="station", op="", vkey=vkey(ORIGIN, PUBLIC)),
        record(1, day + "04.000Z", 81234289, "log.open", version="keystation 0.1.0", sqlite="3.54.1",
               os="linux x86_64", config="00" * 32, open=0),
        record(2, day + "09.500Z", 81239789, "inject.intent", gk="gk-2026a", gkcv=gkcv, group="contoso-line-7",
               scope="0ne00EMU001", slot="primary", mac="a1b2c3d4e5f6", sn="007-888-abc", rid=RID, fw="2.4.1",
               endpoint="global.azure-devices-provisioning.net", dkfp=dkfp, profile="example 1", job="WO-44192",
               port="usb-1-1.4/0403:6001/FT9X2", prior=-1, mode="new") | {"try": 1},
        record(3, day + "11.340Z", 81241629, "inject.result", rc="ok", ref=2, rid=RID, holds="new",
               vmode="challenge", code=""),
        record(4, day + "12.000Z", 81242289, "log.close"),
    ]
    bodies = [canonical(r) for r in records]
    leaves = [leaf(b) for b in bodies]
    nodes = []
    for level in range(1, 3):
        for index in range(len(leaves) >> level):
            under = leaves[index << level:(index + 1) << level]
            nodes.append({"level": level, "index": index, "hash": root(under).hex()})
    return {
        "about": "The worked example of docs/audit-format.md. The key is that of RFC 8032, section 7.1, test 1.",
        "origin": ORIGIN,
        "seed": SEED.hex(),
        "vkey": vkey(ORIGIN, PUBLIC),
        "records": [b.decode() for b in bodies],
        "leaves": [h.hex() for h in leaves],
        "nodes": nodes,
        "roots": [root(leaves[:n]).hex() for n in range(len(leaves) + 1)],
        "note": note(checkpoint_text(len(leaves), root(leaves))),
        "tail": tail(note(checkpoint_text(len(leaves), root(leaves))), bodies[-1:]),
    }


# --- audit-record.json ------------------------------------------------------------------------------------------


def records():
    good = record(7, "2026-11-22T02:14:03.123Z", 81233412, "inject.refuse", rc="refused", code="silent", rid="",
                  port="usb-1-1.4", mac="", sn="")
    body = canonical(good)

    def having(**fields):
        return canonical(good | fields)

    def lacking(key):
        return canonical({k: v for k, v in good.items() if k != key})

    def swap(old, new):
        assert body.count(old) == 1, old
        return body.replace(old, new)

    room = 4096 - len(having(port=""))
    must_pass = {
        "as the station writes it": body,
        "an event and fields that no version knew": having(ev="future.event", zz="x", a=0),
        "no fields of its own": canonical(record(0, "2026-11-22T02:14:03.123Z", 0, "log.close")),
        "the first record of an epoch that follows another": canonical(
            record(0, "2026-11-23T08:00:00.000Z", 1000, "log.genesis", role="administrator", vkey=vkey(ORIGIN[:-1] + "2", OTHER_PUBLIC),
                   prev=ORIGIN, prev_size=5, prev_root="00" * 32, reason="disk replaced") | {"op2": "qa-0003"}
            | {"log": ORIGIN[:-1] + "2"}),
        "a work order": canonical(record(8, "2026-11-25T06:00:00.000Z", 1000, "order.create", op="su-1", role="supervisor", job="WO-44192",
                                         sha256="b87a805e93e6943ef9f75c10344383632742553012cbda4481a6e66206df17ca", qty=500,
                                         gk="gk-2026a", gkcv="9B5BDBEC8B", profile="thermostat.toml", until="2026-12-24", signer="")
                                  | {"from": "2026-11-25"}),
        "scrap of a work order": canonical(record(9, "2026-11-25T07:00:00.000Z", 2000, "order.scrap", op="su-1", role="supervisor",
                                                  job="WO-44192", rid="", mac="a4cf12000107", sn="SN00000263", reason="it fell")),
        "4096 bytes": having(port="x" * room),
        "quotation mark and backslash": having(op='"\\'),
        "every control character": having(op="".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))),
        "what is not a control character is not escaped": having(op="/\u00a0\u00e9\u2028\u202e\ufeff\U0001f511"),
        "the greatest and the least number": having(mono=2**53 - 1, prior=-(2**53) + 1),
        "zero": having(seq=0, mono=0),
        "29 February of a leap year": having(t="2028-02-29T23:59:59.999Z"),
    }
    must_fail = {
        # The frame.
        "empty": b"",
        "one byte": b"{",
        "4097 bytes": having(port="x" * (room + 1)),
        "an object without fields": b"{}",
        "an array": b"[]",
        "a byte after it": body + b" ",
        "a newline after it": body + b"\n",
        "a byte before it": b" " + body,
        "a byte order mark": b"\xef\xbb\xbf" + body,
        "its last byte missing": body[:-1],
        "two records": body + body,
        "a comma at the end": body[:-1] + b",}",
        "a space after a colon": swap(b'"ev":', b'"ev": '),
        "a space after a comma": swap(b',"ev"', b', "ev"'),
        "a tab": swap(b',"ev"', b',\t"ev"'),
        # Keys.
        "keys not in order": swap(b'"mac":"","mono":81233412', b'"mono":81233412,"mac":""'),
        "a key twice": swap(b'"mac":""', b'"mac":"","mac":""'),
        "a key twice with other values": swap(b'"seq":7', b'"seq":7,"seq":8'),
        "a key in capitals": swap(b'"boot":', b'"BOOT":"","boot":'),
        "a key with an escape": swap(b'"ev":', b'"\\u0065v":'),
        "a key that begins with a digit": swap(b'{"boot"', b'{"1":0,"boot"'),
        "an empty key": swap(b'{"boot"', b'{"":0,"boot"'),
        "a key with a dash": swap(b'{"boot"', b'{"a-b":0,"boot"'),
        "a key without quotation marks": swap(b'"ev":', b"ev:"),
        # Numbers.
        "a fraction": swap(b'"seq":7', b'"seq":7.0'),
        "an exponent": swap(b'"seq":7', b'"seq":7e0'),
        "a leading zero": swap(b'"seq":7', b'"seq":07'),
        "a plus sign": swap(b'"seq":7', b'"seq":+7'),
        "minus zero": swap(b'"seq":7', b'"seq":-0'),
        "a minus without digits": swap(b'"seq":7', b'"seq":-'),
        "2^53": swap(b'"mono":81233412', b'"mono":9007199254740992'),
        "more digits than 64 bits": swap(b'"mono":81233412', b'"mono":' + b"9" * 30),
        # Other values.
        "null": swap(b'"mac":""', b'"mac":null'),
        "true": swap(b'"mac":""', b'"mac":true'),
        "an object inside": swap(b'"mac":""', b'"mac":{}'),
        "an array inside": swap(b'"mac":""', b'"mac":[]'),
        "a value missing": swap(b'"mac":""', b'"mac":'),
        "the last value missing": swap(b'"v":1', b'"v":'),
        # Texts.
        "a raw newline in a text": swap(b'"op-0117"', b'"op\n"'),
        "a raw NUL in a text": swap(b'"op-0117"', b'"op\0"'),
        "a raw DEL in a text": swap(b'"op-0117"', b'"op\x7f"'),
        "a raw U+009B in a text": swap(b'"op-0117"', '"op\u009b"'.encode()),
        "a short escape of a control character": swap(b'"op-0117"', b'"op\\n"'),
        "an escaped slash": swap(b'"op-0117"', b'"op\\/"'),
        "an escaped letter": swap(b'"op-0117"', b'"\\u006fp"'),
        "an escape in capitals": swap(b'"op-0117"', b'"op\\u001B"'),
        "an escape cut short": swap(b'"op-0117"', b'"op\\u001"'),
        "an escaped quotation mark by number": swap(b'"op-0117"', b'"op\\u0022"'),
        "an escaped surrogate pair": swap(b'"op-0117"', b'"\\ud83d\\udd11"'),
        "a text that does not end": swap(b'"op-0117"', b'"op-0117'),
        "not UTF-8": swap(b'"op-0117"', b'"op\xff"'),
        "an overlong NUL": swap(b'"op-0117"', b'"op\xc0\x80"'),
        "a surrogate in UTF-8": swap(b'"op-0117"', b'"op\xed\xa0\x80"'),
        # Common fields.
        "another version": having(v=2),
        "the version as a text": having(v="1"),
        "a negative number": having(seq=-1),
        "the number as a text": having(seq="7"),
        "a negative count since boot": having(mono=-1),
        "the operator as a number": having(op=117),
        "an origin with a space": having(log="keylog.example.com/plant 7/stn03/1"),
        "an origin without an epoch": having(log="keylog.example.com/plant7/stn03"),
        "a time without milliseconds": having(t="2026-11-22T02:14:03Z"),
        "a time of another zone": having(t="2026-11-22T02:14:03.123+01:00"),
        "a day that no calendar has": having(t="2026-02-29T02:14:03.123Z"),
        "a leap second": having(t="2016-12-31T23:59:60.000Z"),
        "a boot ID in capitals": having(boot=BOOT.upper()),
        "a boot ID without dashes": having(boot=BOOT.replace("-", "")),
        "no event": having(ev=""),
        "an event in capitals": having(ev="Log.open"),
        "an outcome in capitals": having(rc="OK"),
    }
    for key in ["boot", "ev", "log", "mono", "op", "op2", "rc", "role", "seq", "ses", "t", "v"]:
        must_fail["without " + key] = lacking(key)
    return {
        "about": "Bytes that are a record, and bytes that must be refused. In hexadecimal.",
        "must_pass": [{"name": n, "body": b.hex()} for n, b in must_pass.items()],
        "must_fail": [{"name": n, "body": b.hex()} for n, b in must_fail.items()],
    }


# --- audit-checkpoint.json --------------------------------------------------------------------------------------


def checkpoints():
    hash_ = hashlib.sha256(b"").digest()
    body = checkpoint_text(5, hash_)
    good = note(body)
    signed = good[len(body) + 1:]
    signature = base64.b64decode(signed.split()[-1])[4:]
    identifier = key_id(ORIGIN, PUBLIC)
    witness = line("witness.example/qa", bytes.fromhex("0a0b0c0d"), bytes(72))
    # Ed25519 signatures carry a number s below L; s + L is the same number to a careless verifier (RFC 8032, 5.1.7).
    order = 2**252 + 27742317777372353535851937790883648493
    malleable = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")

    def text_of(*lines):
        return note("".join(part + "\n" for part in lines))

    b64 = base64.b64encode(hash_).decode()
    must_pass = {
        "as the station writes it": good,
        "a witness has signed too": good + witness,
        "a witness has signed before": body + "\n" + witness + signed,
        "signed twice alike": good + signed,
        "another key of the same name": good + line(ORIGIN, key_id(ORIGIN, OTHER_PUBLIC), bytes(64)),
        "another name with the same key ID": good + line("keylog.example.com/plant7/stn04/1", identifier, bytes(64)),
        "the greatest size": note(checkpoint_text(2**53 - 1, hash_)),
    }
    must_fail = {
        # The note.
        "empty": "",
        "without a signature": body,
        "without a signature line": body + "\n",
        "without the blank line": body + signed,
        "without its last newline": good[:-1],
        "a line after the signatures": good + "x\n",
        "with carriage returns": good.replace("\n", "\r\n"),
        "with a hyphen in place of the dash": good.replace("\u2014", "-"),
        "with a tab in the signature line": good.replace("\u2014 ", "\u2014\t"),
        "signature not Base64": good.replace("=\n", "!\n"),
        "signature without padding": good[:-2].rstrip("=") + "\n",
        "signature too short": body + "\n" + line(ORIGIN, identifier, signature[:63]),
        "signature too long": body + "\n" + line(ORIGIN, identifier, signature + b"\0"),
        "signature with s + L": body + "\n" + line(ORIGIN, identifier, malleable),
        "signature of another text": checkpoint_text(6, hash_) + "\n" + signed,
        "signature by another key under this name and ID":
            body + "\n" + line(ORIGIN, identifier, ed25519(OTHER_SEED, body.encode())),
        "signed by another key": note(body, seed=OTHER_SEED, public=OTHER_PUBLIC),
        "signed by another log": note(body, name="keylog.example.com/plant7/stn04/1"),
        "only a witness has signed": body + "\n" + witness,
        "a good signature and a wrong one of the same key": good + line(ORIGIN, identifier, bytes(64)),
        # The checkpoint.
        "two lines": text_of(ORIGIN, "5"),
        "an extension line": text_of(ORIGIN, "5", b64, "extension"),
        "an empty line at the end": note(body + "\n"),
        "an empty line at the beginning": note("\n" + body),
        "the origin of another log": note(checkpoint_text(5, hash_, "keylog.example.com/plant7/stn04/1")),
        "a space after the origin": text_of(ORIGIN + " ", "5", b64),
        "size 0": text_of(ORIGIN, "0", b64),
        "a size with a leading zero": text_of(ORIGIN, "05", b64),
        "a size with a plus sign": text_of(ORIGIN, "+5", b64),
        "a size in hexadecimal": text_of(ORIGIN, "0x5", b64),
        "a size with a space": text_of(ORIGIN, " 5", b64),
        "no size": text_of(ORIGIN, "", b64),
        "size 2^53": text_of(ORIGIN, str(2**53), b64),
        "a size beyond 64 bits": text_of(ORIGIN, "9" * 30, b64),
        "a root of 31 bytes": note(checkpoint_text(5, hash_[:31])),
        "a root of 33 bytes": note(checkpoint_text(5, hash_ + b"\0")),
        "a root in hexadecimal": text_of(ORIGIN, "5", hash_.hex()),
        "a root in Base64 for URLs": text_of(ORIGIN, "5", base64.urlsafe_b64encode(b"\xff" * 32).decode()),
        "a root without padding": text_of(ORIGIN, "5", b64.rstrip("=")),
        "a root with a bit set in the padding": text_of(ORIGIN, "5", b64[:-2] + chr(ord(b64[-2]) + 1) + "="),
    }
    return {
        "about": "Notes that are a checkpoint of the log of this key, and notes that must be refused.",
        "vkey": vkey(ORIGIN, PUBLIC),
        "size": 5,
        "root": hash_.hex(),
        "must_pass": [{"name": n, "note": t} for n, t in must_pass.items()],
        "must_fail": [{"name": n, "note": t} for n, t in must_fail.items()],
    }


def main():
    current = True
    for name, make in [("log", example), ("record", records), ("checkpoint", checkpoints)]:
        path = "audit-%s.json" % name
        made = json.dumps(make(), indent=1, ensure_ascii=True) + "\n"
        if sys.argv[1:] == ["--check"]:
            current &= os.path.exists(path) and open(path).read() == made
        else:
            open(path, "w").write(made)
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())
