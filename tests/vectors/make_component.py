#!/usr/bin/env python3
"""Makes component.json from docs/ceremony.md alone: texts that a ceremony for a key of 64 bytes must take or refuse."""
import base64
import hashlib
import hmac
import json
import sys


def digest(text):
    return hashlib.sha512(text.encode()).digest()


def b64(raw):
    return base64.b64encode(raw).decode()


def check(number, raw):
    return hashlib.sha256(b"keystation/gkc/v1\0" + bytes([number]) + raw).hexdigest()[:6].upper()


def xor(*parts):
    return bytes(a ^ b for a, b in zip(parts[0], parts[1])) if len(parts) == 2 else xor(xor(*parts[:-1]), parts[-1])


KEY = base64.b64decode("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==")
FIRST, SECOND = digest("keystation example component 1"), digest("keystation example component 2")
GOOD = b64(FIRST)

taken = [
    ("component 1 of the example", 1, FIRST),
    ("component 2 of two", 2, xor(KEY, FIRST)),
    ("component 2 of three", 2, SECOND),
    ("component 3 of three", 3, xor(KEY, FIRST, SECOND)),
    ("the same text is another component under another number", 2, FIRST),
    ("all bytes but one are the same", 1, bytes(63) + b"\1"),
    ("halves that differ in one bit", 1, FIRST[:32] + FIRST[:31] + bytes([FIRST[31] ^ 1])),
]
refused = [
    ("nothing", "", "Empty"),
    ("half of a key", b64(FIRST[:32]), "Length"),
    ("32 hexadecimal digits less: half in another spelling", FIRST[:32].hex(), "Length"),
    ("hexadecimal instead of Base64", FIRST.hex(), "TooLong"),
    ("one byte short", b64(FIRST[:63]), "Length"),
    ("one byte more", b64(FIRST + b"\0"), "TooLong"),
    ("16 bytes: a key that Azure takes, no component", b64(FIRST[:16]), "Length"),
    ("15 bytes", b64(FIRST[:15]), "TooShort"),
    ("zeros", b64(bytes(64)), "Constant"),
    ("one byte repeated", b64(b"\xa5" * 64), "Constant"),
    ("two bytes repeated", b64(b"\xa5\x5a" * 32), "Repeated"),
    ("sixteen bytes four times", b64(FIRST[:16] * 4), "Repeated"),
    ("a half twice", b64(FIRST[:32] * 2), "Repeated"),
    ("a blank in front", " " + GOOD, "WhiteSpace"),
    ("a blank behind", GOOD + " ", "WhiteSpace"),
    ("blanks in groups of four", " ".join(GOOD[at:at + 4] for at in range(0, 88, 4)), "WhiteSpace"),
    ("a no-break space", GOOD[:44] + "\u00a0" + GOOD[44:], "WhiteSpace"),
    ("one `=` missing", GOOD[:-1], "Cut"),
    ("both `=` missing", GOOD[:-2], "Cut"),
    ("a third `=`", GOOD + "=", "Character"),
    ("`=` in the middle", GOOD[:40] + "=" + GOOD[41:], "Character"),
    ("a character missing in the middle", GOOD[:40] + GOOD[41:], "Cut"),
    ("four characters missing", GOOD[:40] + GOOD[44:], "Length"),
    ("a group twice", GOOD[:44] + GOOD[40:], "TooLong"),
    ("trailing bits", GOOD[:85] + "R" + "==", "TrailingBits"),
    ("the alphabet of URLs", GOOD.replace("+", "-").replace("/", "_"), "UrlSafe"),
    ("a quotation mark", '"' + GOOD[1:], "Character"),
    ("a Cyrillic letter that looks like B", "f/\u0412" + GOOD[3:], "Character"),
    ("a full-width letter", "\uff46" + GOOD[1:], "Character"),
    ("the letter O with a stroke for zero", GOOD[:31] + "\u00d8" + GOOD[32:], "Character"),
    ("a number in front, as on the paper", "1" + GOOD, "Cut"),
    ("check value and component glued", check(1, FIRST) + GOOD, "Cut"),
]
assert len(refused) >= 30, len(refused)
rows = [{"name": n, "part": p, "text": b64(r), "accept": True, "check": check(p, r)} for n, p, r in taken]
rows += [{"name": n, "part": 1, "text": t, "accept": False, "error": e} for n, t, e in refused]
keys = [
    {"name": "two", "components": [b64(FIRST), b64(xor(KEY, FIRST))], "key": b64(KEY)},
    {"name": "three", "components": [b64(FIRST), b64(SECOND), b64(xor(KEY, FIRST, SECOND))], "key": b64(KEY)},
    {"name": "equal", "components": [b64(FIRST), b64(FIRST)], "error": "Equal"},
    {"name": "equal, and a third", "components": [b64(FIRST), b64(SECOND), b64(FIRST)], "error": "Equal"},
    {"name": "complements", "components": [b64(FIRST), b64(xor(FIRST, b"\xff" * 64))], "error": "Weak"},
    {"name": "halves that come out the same", "components": [b64(FIRST), b64(xor(FIRST, SECOND[:32] * 2))], "error": "Weak"},
]
for row in keys:
    if "key" in row:
        mac = hmac.new(base64.b64decode(row["key"]), b"keystation/gkcv/v1\0", "sha256").hexdigest()[:10].upper()
        row["check"] = mac[:5] + "-" + mac[5:]
about = ("Texts that a ceremony for a key of 64 bytes must take as component `part`, with its check value, or refuse, and why; "
         "components that make a key, or none (docs/ceremony.md).")
text = json.dumps({"about": about, "components": rows, "keys": keys}, indent=1) + "\n"
if "--check" in sys.argv:
    with open("component.json") as file:
        if file.read() != text:
            sys.exit("component.json is not what make_component.py makes")
else:
    with open("component.json", "w") as file:
        file.write(text)
