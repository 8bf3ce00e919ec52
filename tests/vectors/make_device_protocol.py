#!/usr/bin/env python3
"""Makes device-protocol.json from docs/device-protocol.md and the example log alone, with Python's standard library.

It shares no code with the station or the firmware: where the three agree, the specification was clear.
Run it in this folder; the tests check that the file is current.
"""
import base64
import binascii
import hashlib
import hmac
import json
import struct
import sys

GROUP = 0x4B53
GLOBAL = "global.azure-devices-provisioning.net"
RID = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
SCOPE = "0ne00EMU001"
KEY = base64.b64decode("Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=")
MAC = bytes.fromhex("a1b2c3d4e5f6")
SN = "007-888-abc"
NONCE = bytes(range(32))
READ, READ_RSP, WRITE, WRITE_RSP = 0, 1, 2, 3
INFO, STAGE, COMMIT, PROVE, SAS, SET, LOCK, WHO = range(8)

# docs/audit-format.md, section 9: record 2 of that log is the intent of this write.
with open("audit-log.json") as file:
    LOG = json.load(file)


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for extra, limit, fmt in ((24, 1 << 8, ">B"), (25, 1 << 16, ">H"), (26, 1 << 32, ">I"), (27, 1 << 64, ">Q")):
        if value < limit:
            return bytes([major << 5 | extra]) + struct.pack(fmt, value)
    raise ValueError(value)


def cbor(value):
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    raise TypeError(value)


def packet(op, seq, command, body, group=GROUP, version=1):
    body = body if isinstance(body, bytes) else cbor(body)
    return struct.pack(">BBHHBB", version << 3 | op, 0, len(body), group, seq, command) + body


def frames(pkt, crc=None, length=None):
    crc = binascii.crc_hqx(pkt, 0) if crc is None else crc
    raw = struct.pack(">H", len(pkt) + 2 if length is None else length) + pkt + struct.pack(">H", crc)
    out = []
    for start in range(0, len(raw), 93):
        marker = b"\x06\x09" if start == 0 else b"\x04\x14"
        out.append(marker + base64.b64encode(raw[start:start + 93]) + b"\n")
    return out


def wire(pkt):
    return b"".join(frames(pkt))


def lengthed(data):
    return bytes([len(data)]) + data


def device_digest(mac, sn):
    return hashlib.sha256(b"keystation/device/v1\0" + lengthed(mac) + lengthed(sn.encode())).digest()[:8]


def anchor(log, intent):
    key_id = bytes.fromhex(log["vkey"].split("+")[1])
    return key_id + struct.pack(">Q", intent + 1) + bytes.fromhex(log["roots"][intent + 1])[:8]


def set_digest(rid, scope, ep, key, an=b""):
    parts = lengthed(rid.encode()) + lengthed(scope.encode()) + lengthed(ep.encode()) + lengthed(an) + key
    return hashlib.sha256(b"keystation/set/v1\0" + parts).digest()[:8]


def proof(key, nonce, rid):
    return hmac.new(key, b"keystation-verify/v1\0" + nonce + rid.encode(), "sha256").digest()


def fingerprint(key):
    return hashlib.sha256(b"keystation/dkfp/v1\0" + key).digest()[:12]


def token(key, scope, rid, expiry):
    sr = f"{scope}%2Fregistrations%2F{rid}"
    sig = base64.b64encode(hmac.new(key, f"{sr}\n{expiry}".encode(), "sha256").digest()).decode()
    sig = sig.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return f"SharedAccessSignature sr={sr}&sig={sig}&se={expiry}&skn=registration"


def slot(generation, fields):
    payload = cbor(fields)
    header = b"KS1\0" + struct.pack("<IHH", generation, len(payload), 0)
    crc = binascii.crc32(header + payload)
    return (header + struct.pack("<I", crc) + b"\xff" * 16 + payload).ljust(512, b"\xff")


IDENTITY = device_digest(MAC, SN)
ANCHOR = anchor(LOG, 2)
DIGEST = set_digest(RID, SCOPE, GLOBAL, KEY, ANCHOR)
BARE_DIGEST = set_digest(RID, SCOPE, GLOBAL, KEY)
BARE = {"rid": RID, "scope": SCOPE, "key": KEY}
STAGED = {**BARE, "an": ANCHOR}
STORED = {"rid": RID, "scope": SCOPE, "ep": GLOBAL, "key": KEY, "an": ANCHOR}
INFO_EMPTY = {"v": 1, "mac": MAC, "sn": SN, "fw": "1.0.0", "cap": 3, "gen": 0, "st": 0, "boot": 7}
WHO_KEYED = {"mac": MAC, "sn": SN, "st": 1, "boot": 8}

EXCHANGE = [  # one injection, in order: name, request, response
    ("info", packet(READ, 1, INFO, {}), packet(READ_RSP, 1, INFO, INFO_EMPTY)),
    ("stage", packet(WRITE, 2, STAGE, STAGED), packet(WRITE_RSP, 2, STAGE, {})),
    ("commit", packet(WRITE, 3, COMMIT, {"id": IDENTITY, "dg": DIGEST}), packet(WRITE_RSP, 3, COMMIT, {"gen": 1})),
    ("reset", packet(WRITE, 4, 5, {}, group=0), packet(WRITE_RSP, 4, 5, {}, group=0)),
    ("prove", packet(READ, 5, PROVE, {"n": NONCE}), packet(READ_RSP, 5, PROVE, {"p": proof(KEY, NONCE, RID)})),
    ("who", packet(READ, 6, WHO, {}), packet(READ_RSP, 6, WHO, WHO_KEYED)),
]
MORE = [
    ("stage with endpoint", packet(WRITE, 2, STAGE, {"rid": RID, "scope": SCOPE, "ep": "dps.example.com", "key": KEY, "an": ANCHOR}),
     packet(WRITE_RSP, 2, STAGE, {})),
    ("stage without an anchor", packet(WRITE, 2, STAGE, BARE), packet(WRITE_RSP, 2, STAGE, {})),
    ("commit without an anchor", packet(WRITE, 3, COMMIT, {"id": IDENTITY, "dg": BARE_DIGEST}),
     packet(WRITE_RSP, 3, COMMIT, {"gen": 1})),
    ("set without an anchor", packet(READ, 8, SET, {}),
     packet(READ_RSP, 8, SET, {"rid": RID, "scope": SCOPE, "ep": GLOBAL, "fp": fingerprint(KEY), "gen": 1})),
    ("commit that overwrites", packet(WRITE, 3, COMMIT, {"id": IDENTITY, "dg": DIGEST, "ow": True}),
     packet(WRITE_RSP, 3, COMMIT, {"gen": 2})),
    ("sas", packet(READ, 7, SAS, {"se": 1800000000}),
     packet(READ_RSP, 7, SAS, {"tok": token(KEY, SCOPE, RID, 1800000000)})),
    ("set", packet(READ, 8, SET, {}),
     packet(READ_RSP, 8, SET, {"rid": RID, "scope": SCOPE, "ep": GLOBAL, "fp": fingerprint(KEY), "gen": 1,
                                 "an": ANCHOR})),
    ("lock", packet(WRITE, 9, LOCK, {"id": IDENTITY}), packet(WRITE_RSP, 9, LOCK, {})),
    ("echo", packet(WRITE, 10, 0, {"d": "keystation"}, group=0), packet(WRITE_RSP, 10, 0, {"r": "keystation"}, group=0)),
    ("refused: keyed", packet(WRITE, 11, COMMIT, {"id": IDENTITY, "dg": DIGEST}),
     packet(WRITE_RSP, 11, COMMIT, b"\xa1" + cbor("err") + cbor({"group": GROUP, "rc": 3}))),
    ("unknown command", packet(READ, 12, 99, {}), packet(READ_RSP, 12, 99, {"rc": 8})),
]


def flip(data, index, mask=1):
    return data[:index] + bytes([data[index] ^ mask]) + data[index + 1:]


good = EXCHANGE[0][2]  # an info response, answer to sequence 1
info_frames = frames(good)
two = frames(EXCHANGE[1][1])
big = packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "x": b"\0" * 600})

# A receiver sees the bytes and delivers exactly these packets.
FRAMING = [
    ("one frame", wire(good), [good]),
    ("two frames", wire(EXCHANGE[1][1]), [EXCHANGE[1][1]]),
    ("log line before the frame", b"[00:00:01] <inf> boot: ok\r\n" + wire(good), [good]),
    ("log line between two frames of one packet", two[0] + b"<wrn> adc: drift\r\n" + two[1], [EXCHANGE[1][1]]),
    ("half a frame, then a whole one", info_frames[0][:40] + wire(good), [good]),
    ("two packets in one read", wire(good) + wire(EXCHANGE[0][1]), [good, EXCHANGE[0][1]]),
    ("carriage return before the line feed", info_frames[0][:-1] + b"\r\n", [good]),
    ("CRC wrong by one bit", b"".join(frames(good, crc=binascii.crc_hqx(good, 0) ^ 1)), []),
    ("one body bit flipped under the old CRC", b"".join(frames(flip(good, 20), crc=binascii.crc_hqx(good, 0))), []),
    ("length one too small", b"".join(frames(good, length=len(good) + 1)), []),
    ("length one too large", b"".join(frames(good, length=len(good) + 3)), []),
    ("length zero", b"\x06\x09" + base64.b64encode(b"\0\0") + b"\n", []),
    ("shorter than a header", b"".join(frames(b"\x0b\0\0\0")), []),
    ("header length disagrees with the body", b"".join(frames(flip(good, 3))), []),
    ("continuation without a start", two[1], []),
    ("second frame lost, then a whole packet", two[0] + wire(good), [good]),
    ("continuation twice", two[0] + two[1] + two[1], [EXCHANGE[1][1]]),
    ("URL-safe Base64", wire(EXCHANGE[4][2]).replace(b"+", b"-"), []),
    ("Base64 with a space inside", info_frames[0][:30] + b" " + info_frames[0][30:], []),
    ("Base64 with padding in the middle", info_frames[0][:30] + b"=" + info_frames[0][31:], []),
    ("frame without a line feed", info_frames[0][:-1], []),
    ("line longer than a frame may be", b"\x06\x09" + base64.b64encode(struct.pack(">H", len(big) + 2) + big[:150]) + b"\n", []),
    ("packet larger than 512 bytes", wire(big), []),
    ("markers swapped", b"\x09\x06" + info_frames[0][2:], []),
    ("empty frame", b"\x06\x09\n", []),
]

# An info response as a packet; the station refuses each of these as an answer to sequence 1, `info`.
REFUSED = [
    ("answer to another sequence number", packet(READ_RSP, 2, INFO, INFO_EMPTY), "ignored"),
    ("answer of another command", packet(READ_RSP, 1, PROVE, INFO_EMPTY), "ignored"),
    ("answer of another group", packet(READ_RSP, 1, INFO, INFO_EMPTY, group=64), "ignored"),
    ("write response to a read", packet(WRITE_RSP, 1, INFO, INFO_EMPTY), "ignored"),
    ("a request instead of a response", packet(READ, 1, INFO, INFO_EMPTY), "ignored"),
    ("body is no map", packet(READ_RSP, 1, INFO, b"\x80"), "garbled"),
    ("body is empty", packet(READ_RSP, 1, INFO, b""), "garbled"),
    ("bytes after the map", packet(READ_RSP, 1, INFO, cbor(INFO_EMPTY) + b"\0"), "garbled"),
    ("map shorter than its head says", packet(READ_RSP, 1, INFO, cbor(INFO_EMPTY)[:-1]), "garbled"),
    ("a key twice", packet(READ_RSP, 1, INFO, b"\xa9" + cbor(INFO_EMPTY)[1:] + cbor("st") + cbor(1)), "garbled"),
    ("MAC of five bytes", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "mac": MAC[:5]}), "garbled"),
    ("MAC as text", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "mac": "a1b2c3d4e5f6"}), "garbled"),
    ("state unknown", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "st": 3}), "garbled"),
    ("state missing", packet(READ_RSP, 1, INFO, {k: v for k, v in INFO_EMPTY.items() if k != "st"}), "garbled"),
    ("generation beyond 32 bits", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "gen": 1 << 32}), "garbled"),
    ("empty with a generation", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "gen": 4}), "garbled"),
    ("keyed without a generation", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "st": 1}), "garbled"),
    ("firmware with an escape sequence", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "fw": "\x1b[2J"}), "garbled"),
    ("firmware of 33 characters", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "fw": "1" * 33}), "garbled"),
    ("serial number with a control character", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "sn": "a\x00b"}), "no-identity"),
    ("serial number never programmed", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "sn": "00000000"}), "no-identity"),
    ("neither MAC nor serial number", packet(READ_RSP, 1, INFO, {k: v for k, v in INFO_EMPTY.items() if k not in ("mac", "sn")}), "garbled"),
    ("only version 2", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "v": 2, "vl": 2}), "unsupported"),
    ("an error of this group", packet(READ_RSP, 1, INFO, {"err": {"group": GROUP, "rc": 5}}), "storage-failed"),
    ("an error of another group", packet(READ_RSP, 1, INFO, {"err": {"group": 1, "rc": 5}}), "refused"),
    ("unknown command, SMP level", packet(READ_RSP, 1, INFO, {"rc": 8}), "unsupported"),
]
# The same for `who`, as an answer to sequence 1.
WHO_REFUSED = [
    ("answer of info", packet(READ_RSP, 1, INFO, INFO_EMPTY), "ignored"),
    ("neither MAC nor serial number", packet(READ_RSP, 1, WHO, {"st": 1, "boot": 8}), "garbled"),
    ("MAC of five bytes", packet(READ_RSP, 1, WHO, {**WHO_KEYED, "mac": MAC[:5]}), "garbled"),
    ("serial number never programmed", packet(READ_RSP, 1, WHO, {**WHO_KEYED, "sn": "00000000"}), "no-identity"),
    ("state unknown", packet(READ_RSP, 1, WHO, {**WHO_KEYED, "st": 3}), "garbled"),
    ("state missing", packet(READ_RSP, 1, WHO, {k: v for k, v in WHO_KEYED.items() if k != "st"}), "garbled"),
    ("boot missing", packet(READ_RSP, 1, WHO, {k: v for k, v in WHO_KEYED.items() if k != "boot"}), "garbled"),
    ("boot beyond 32 bits", packet(READ_RSP, 1, WHO, {**WHO_KEYED, "boot": 1 << 32}), "garbled"),
    ("a device without it", packet(READ_RSP, 1, WHO, {"rc": 8}), "unsupported"),
]
# The same for `set`.
SET_HELD = {"rid": RID, "scope": SCOPE, "ep": GLOBAL, "fp": fingerprint(KEY), "gen": 1, "an": ANCHOR}
SET_REFUSED = [
    ("anchor of 19 bytes", packet(READ_RSP, 1, SET, {**SET_HELD, "an": ANCHOR[:19]}), "garbled"),
    ("anchor of 21 bytes", packet(READ_RSP, 1, SET, {**SET_HELD, "an": ANCHOR + b"\0"}), "garbled"),
    ("anchor as text", packet(READ_RSP, 1, SET, {**SET_HELD, "an": ANCHOR.hex()[:20]}), "garbled"),
    ("fingerprint missing", packet(READ_RSP, 1, SET, {k: v for k, v in SET_HELD.items() if k != "fp"}), "garbled"),
]
# Accepted although it is not what this version sends.
ACCEPTED = [
    ("keys in another order", packet(READ_RSP, 1, INFO, dict(reversed(INFO_EMPTY.items())))),
    ("unknown keys are passed over", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "temp": 21, "log": {"a": b"\0"}})),
    ("a later version that still speaks this one", packet(READ_RSP, 1, INFO, {**INFO_EMPTY, "v": 9})),
    ("no MAC, a serial number", packet(READ_RSP, 1, INFO, {k: v for k, v in INFO_EMPTY.items() if k != "mac"})),
]

# Requests that a device answers with an error, in the state named; rc of this group, or SMP level 8.
DEVICE_REFUSES = [
    ("stage without a key", "empty", packet(WRITE, 1, STAGE, {"rid": RID, "scope": SCOPE}), 1),
    ("stage with a key of 31 bytes", "empty", packet(WRITE, 1, STAGE, {**STAGED, "key": KEY[:31]}), 1),
    ("stage with a key of 33 bytes", "empty", packet(WRITE, 1, STAGE, {**STAGED, "key": KEY + b"\0"}), 1),
    ("stage with an empty registration ID", "empty", packet(WRITE, 1, STAGE, {**STAGED, "rid": ""}), 1),
    ("stage with a registration ID of 129 characters", "empty", packet(WRITE, 1, STAGE, {**STAGED, "rid": "a" * 129}), 1),
    ("stage with a scope of 33 characters", "empty", packet(WRITE, 1, STAGE, {**STAGED, "scope": "a" * 33}), 1),
    ("stage with an endpoint of 65 characters", "empty", packet(WRITE, 1, STAGE, {**STAGED, "ep": "a" * 65}), 1),
    ("stage with the key as text", "empty", packet(WRITE, 1, STAGE, {**STAGED, "key": "k" * 32}), 1),
    ("stage with an anchor of 19 bytes", "empty", packet(WRITE, 1, STAGE, {**STAGED, "an": ANCHOR[:19]}), 1),
    ("stage with an anchor of 21 bytes", "empty", packet(WRITE, 1, STAGE, {**STAGED, "an": ANCHOR + b"\0"}), 1),
    ("stage with an anchor as text", "empty", packet(WRITE, 1, STAGE, {**STAGED, "an": "a" * 20}), 1),
    ("stage with an empty anchor", "empty", packet(WRITE, 1, STAGE, {**STAGED, "an": b""}), 1),
    ("stage with a key twice", "empty", packet(WRITE, 1, STAGE, b"\xa5" + cbor(STAGED)[1:] + cbor("rid") + cbor(RID)), 1),
    ("stage with bytes after the map", "empty", packet(WRITE, 1, STAGE, cbor(STAGED) + b"\0"), 1),
    ("commit without a stage", "empty", packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": DIGEST}), 6),
    ("commit for another device", "staged", packet(WRITE, 1, COMMIT, {"id": flip(IDENTITY, 7), "dg": DIGEST}), 2),
    ("commit of another set", "staged", packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": flip(DIGEST, 0)}), 6),
    ("commit of the set without its anchor", "staged", packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": BARE_DIGEST}), 6),
    ("commit of the set with another anchor", "staged",
     packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": set_digest(RID, SCOPE, GLOBAL, KEY, anchor(LOG, 3))}), 6),
    ("commit of the held set with another anchor", "keyed",
     packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": set_digest(RID, SCOPE, GLOBAL, KEY, anchor(LOG, 3))}), 6),
    ("commit with a digest of 7 bytes", "staged", packet(WRITE, 1, COMMIT, {"id": IDENTITY, "dg": DIGEST[:7]}), 1),
    ("prove without a set", "empty", packet(READ, 1, PROVE, {"n": NONCE}), 7),
    ("prove with a nonce of 31 bytes", "keyed", packet(READ, 1, PROVE, {"n": NONCE[:31]}), 1),
    ("prove with a nonce of 33 bytes", "keyed", packet(READ, 1, PROVE, {"n": NONCE + b"\0"}), 1),
    ("prove without a nonce", "keyed", packet(READ, 1, PROVE, {}), 1),
    ("sas without a set", "empty", packet(READ, 1, SAS, {"se": 1800000000}), 7),
    ("set without a set", "empty", packet(READ, 1, SET, {}), 7),
    ("lock without a set", "empty", packet(WRITE, 1, LOCK, {"id": IDENTITY}), 7),
    ("lock for another device", "keyed", packet(WRITE, 1, LOCK, {"id": flip(IDENTITY, 0)}), 2),
    ("stage after lock", "locked", packet(WRITE, 1, STAGE, STAGED), 4),
    ("sas after lock", "locked", packet(READ, 1, SAS, {"se": 1800000000}), 4),
]

assert b"+" in wire(EXCHANGE[4][2])


def hexed(data):
    return data.hex()


def exchange(rows):
    return [{"name": name, "request": hexed(request), "request_wire": hexed(wire(request)),
             "response": hexed(response), "response_wire": hexed(wire(response))} for name, request, response in rows]


made = {
    "about": "Vectors of docs/device-protocol.md, made by make_device_protocol.py. Bytes are hexadecimal.",
    "device": {"mac": MAC.hex(), "serial": SN, "firmware": "1.0.0", "capabilities": 3},
    "set": {"registration_id": RID, "scope": SCOPE, "endpoint": GLOBAL, "device_key": KEY.hex(), "anchor": ANCHOR.hex(),
            "digest": DIGEST.hex(), "digest_without_anchor": BARE_DIGEST.hex(), "device_digest": IDENTITY.hex(), "fingerprint": fingerprint(KEY).hex(),
            "nonce": NONCE.hex(), "proof": proof(KEY, NONCE, RID).hex()},
    "device_digests": [
        {"mac": "a1b2c3d4e5f6", "serial": "", "digest": device_digest(MAC, "").hex()},
        {"mac": "", "serial": SN, "digest": device_digest(b"", SN).hex()},
    ],
    "exchange": exchange(EXCHANGE),
    "more": exchange(MORE),
    "framing": [{"name": v[0], "bytes": hexed(v[1]), "packets": [hexed(p) for p in v[2]]} for v in FRAMING],
    "info_refused": [{"name": n, "packet": hexed(p), "verdict": v} for n, p, v in REFUSED],
    "who_refused": [{"name": n, "packet": hexed(p), "verdict": v} for n, p, v in WHO_REFUSED],
    "set_refused": [{"name": n, "packet": hexed(p), "verdict": v} for n, p, v in SET_REFUSED],
    "info_accepted": [{"name": n, "packet": hexed(p)} for n, p in ACCEPTED],
    "device_refuses": [{"name": n, "state": s, "request": hexed(q), "rc": rc} for n, s, q, rc in DEVICE_REFUSES],
    "storage_slot": {"generation": 1, "bytes": slot(1, STORED).hex()},
    "storage_slot_without_anchor": {
        "generation": 1, "bytes": slot(1, {k: v for k, v in STORED.items() if k != "an"}).hex()},
}
text = json.dumps(made, indent=1) + "\n"
if sys.argv[1:] == ["--check"]:
    sys.exit(0 if open("device-protocol.json").read() == text else "device-protocol.json is not current")
open("device-protocol.json", "w").write(text)
if sys.argv[1:] == ["--print"]:
    total = 0
    for n, q, r in EXCHANGE:
        total += len(wire(q)) + len(wire(r))
        print(n, len(wire(q)), len(wire(r)))
        print(" ", q[:8].hex(), q[8:].hex()); print("  ", wire(q)); print("  <", r[:8].hex(), r[8:].hex()); print("  <", wire(r))
    print("total", total, "id", IDENTITY.hex(), "dg", DIGEST.hex())
