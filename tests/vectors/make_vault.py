#!/usr/bin/env python3
"""Makes vault-key.json and vault-document.json: what an importer and a reader of a vault must take or refuse, and why.

With Python's standard library alone, after docs/vault-format.md; it shares no code with the station. Run it in this
folder; with --check it writes nothing and fails if a file differs.
"""
import base64
import hashlib
import hmac
import json
import sys

EXAMPLE = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="


def b64(key):
    return base64.b64encode(key).decode()


def key(length, name=b"keystation vault vector"):
    """A key that looks random and is the same each time."""
    return hashlib.sha512(name + bytes([length])).digest()[:length]


def check_value(key):
    digits = hmac.new(key, b"keystation/gkcv/v1\0", hashlib.sha256).hexdigest()[:10].upper()
    return f"{digits[:5]}-{digits[5:]}"


def key_texts():
    rows = []

    def take(name, text, **more):
        rows.append({"name": name, "text": text, "accept": True, "bytes": len(base64.b64decode(text)), **more})

    def refuse(name, text, error, **more):
        rows.append({"name": name, "text": text, "accept": False, "error": error, **more})

    half = key(16)
    take("64 bytes, the key that Microsoft publishes", EXAMPLE)
    for length in (16, 17, 18, 31, 33, 48, 63):
        take(f"{length} bytes", b64(key(length)))
    take("32 bytes, when a person says that it is a group key", b64(key(32)), question=True)
    take("halves that differ in one bit", b64(half + half[:15] + bytes([half[15] ^ 1])), question=True)
    take("one byte repeated but for the last", b64(b"\xaa" * 47 + b"\xab"))
    take("counting bytes: not random, but no repetition", b64(bytes(range(64))))

    refuse("empty", "", "Empty")
    refuse("space before", " " + EXAMPLE, "WhiteSpace", position=1)
    refuse("space after", EXAMPLE + " ", "WhiteSpace", position=89)
    refuse("line feed inside", EXAMPLE[:44] + "\n" + EXAMPLE[44:], "WhiteSpace", position=45)
    refuse("carriage return at the end", EXAMPLE + "\r", "WhiteSpace", position=89)
    refuse("no-break space after", EXAMPLE + "\u00a0", "WhiteSpace", position=89)
    url_safe = EXAMPLE.replace("+", "-").replace("/", "_")
    refuse("URL-safe alphabet", url_safe, "UrlSafe", position=EXAMPLE.replace("/", "+").index("+") + 1)
    refuse("quotation marks around", f'"{EXAMPLE}"', "Character", position=1)
    refuse("a connection string", f"SharedAccessKey={EXAMPLE}", "Character", position=16)
    refuse("hexadecimal digits with colons", "f2:2b:2b:14", "Character", position=3)
    refuse("Cyrillic letter that looks like a Latin one", EXAMPLE[:5] + "\u0410" + EXAMPLE[6:], "Character", position=6)
    refuse("byte order mark before", "\ufeff" + EXAMPLE, "Character", position=1)
    refuse("zero-width space inside", EXAMPLE[:10] + "\u200b" + EXAMPLE[10:], "Character", position=11)
    refuse("padding in the middle", EXAMPLE[:40] + "==" + EXAMPLE[42:], "Character", position=41)
    refuse("three padding characters", EXAMPLE[:-3] + "===", "Character", position=86)
    refuse("padding removed", EXAMPLE[:-2], "Cut")
    refuse("half of the padding removed", EXAMPLE[:-1], "Cut")
    refuse("padding one too many", EXAMPLE + "=", "Character", position=87)
    refuse("last character lost before the padding", EXAMPLE[:-3] + "==", "Cut")
    refuse("one character lost in the middle", EXAMPLE[:30] + EXAMPLE[31:], "Cut")
    refuse("one character doubled", EXAMPLE[:30] + EXAMPLE[29] + EXAMPLE[30:], "Cut")
    refuse("trailing bits of the last character set", EXAMPLE[:-3] + "h==", "TrailingBits")
    text = b64(key(17))
    refuse("trailing bits set, one padding character", text[:-2] + chr(ord(text[-2]) + 1) + "=", "TrailingBits")
    refuse("15 bytes", b64(key(15)), "TooShort")
    refuse("1 byte", b64(key(1)), "TooShort")
    refuse("65 bytes", b64(key(64) + b"x"), "TooLong")
    with open("dps-derive.json") as file:
        endorsement = json.load(file)["vectors"][3]["group_key_b64"]
    refuse("316 bytes: an endorsement key in place of a group key", endorsement, "TooLong")
    refuse("64 bytes in hexadecimal digits: 96 bytes of Base64", base64.b64decode(EXAMPLE).hex(), "TooLong")
    for length, byte in ((64, 0x00), (32, 0xFF), (16, 0xAA), (17, 0x00)):
        refuse(f"{length} bytes {byte:02x}", b64(bytes([byte]) * length), "Constant")
    for length, times in ((16, 2), (32, 2), (16, 4), (16, 3), (9, 2)):
        refuse(f"{length} bytes, {times} times", b64(key(length) * times), "Repeated")
    refuse("two bytes alternating", b64(b"\x55\xaa" * 16), "Repeated")
    return {
        "about": "Texts that an importer of a vault must take or refuse, and why (docs/vault-format.md). \"position\" "
        "counts characters from 1. \"question\": 32 bytes, taken only when a person has answered that it is a group key.",
        "vectors": rows,
    }


def documents():
    rows = []

    def take(name, text, labels):
        rows.append({"name": name, "text": text, "labels": labels})

    def refuse(name, text, error):
        rows.append({"name": name, "text": text, "error": error})

    def entry(k=base64.b64decode(EXAMPLE), label="gk-a", **other):
        fields = {"check": check_value(k), "group": "line-1", "key": b64(k), "label": label,
                  "scope": "0ne00000001", "slot": "primary"}
        return {**fields, **other}

    def document(*entries, name="keystation-vault/v1"):
        return json.dumps({"format": name, "keys": list(entries)}, separators=(",", ":")) + "\n"

    def many(count):
        return document(*[entry(key(16, bytes([i])), f"gk-{i}") for i in range(count)])

    a = entry()
    b = entry(key(32), "gk-b", slot="secondary")
    base = document(a)

    def but(old, new):
        assert old in base
        return base.replace(old, new)

    take("no keys", document(), [])
    take("one key", base, ["gk-a"])
    take("two keys, 64 and 32 bytes", document(a, b), ["gk-a", "gk-b"])
    take("names of full length", document(entry(label="a" * 32, group="A" * 128, scope="0" * 32)), ["a" * 32])
    take("64 keys", many(64), [f"gk-{i}" for i in range(64)])
    refuse("65 keys", many(65), "TooMany")

    refuse("empty", "", "NotAVault")
    refuse("not JSON", "hello\n", "NotAVault")
    refuse("another document", '{"keys":[]}\n', "NotAVault")
    refuse("format of another program", document(a, name="password-store/v1"), "NotAVault")
    refuse("next version", document(a, name="keystation-vault/v2"), "UnknownVersion")
    refuse("version with a suffix", document(a, name="keystation-vault/v1.1"), "UnknownVersion")
    refuse("version in capitals", document(a, name="Keystation-Vault/v1"), "NotAVault")
    refuse("byte order mark", "\ufeff" + base, "NotAVault")

    slot = '"slot":"primary"'
    refuse("unknown field in a key, last", but(slot, slot + ',"use":"test"'), "UnknownField")
    refuse("unknown field in a key, first", but('{"check"', '{"alg":"hmac","check"'), "UnknownField")
    refuse("unknown field in a key, middle", but('"label"', '"kdf":"none","label"'), "UnknownField")
    refuse("unknown field of the document, last", but("]}", '],"policy":"x"}'), "UnknownField")
    refuse("unknown field of the document, middle", but('"keys"', '"id":"1","keys"'), "UnknownField")

    refuse("field missing", but('"scope":"0ne00000001",', ""), "NotCanonical")
    refuse("field twice", but(slot, f"{slot},{slot}"), "NotCanonical")
    swapped = '"scope":"0ne00000001","label":"gk-a"'
    refuse("fields in another order", but('"label":"gk-a","scope":"0ne00000001"', swapped), "NotCanonical")
    refuse("space after a colon", but('"label":', '"label": '), "NotCanonical")
    refuse("space before the line feed", but("\n", " \n"), "NotCanonical")
    refuse("no line feed", base[:-1], "NotCanonical")
    refuse("two line feeds", base + "\n", "NotCanonical")
    refuse("carriage return and line feed", base[:-1] + "\r\n", "NotCanonical")
    refuse("two documents", base + base, "NotCanonical")
    refuse("cut in the middle", base[:120], "NotCanonical")
    refuse("escape for a letter", but("gk-a", "gk-\\u0061"), "NotCanonical")
    refuse("escaped solidus in a key", but("/+ah/", "\\/+ah\\/"), "NotCanonical")
    refuse("NUL in a value", but("line-1", "line\0-1"), "NotCanonical")
    refuse("letter beyond ASCII in a value", but("line-1", "linie-\u00e9"), "NotCanonical")
    refuse("number for a text", but(slot, '"slot":1'), "NotCanonical")
    refuse("null for a text", but(slot, '"slot":null'), "NotCanonical")
    refuse("comma after the last key", but("}]}", "},]}"), "NotCanonical")
    refuse("keys are no list", '{"format":"keystation-vault/v1","keys":{}}\n', "NotCanonical")
    refuse("check value in small letters", but(a["check"], a["check"].lower()), "NotCanonical")
    refuse("check value without its dash", but(a["check"], a["check"].replace("-", "")), "NotCanonical")

    refuse("label in capitals", but("gk-a", "GK-A"), "Value")
    refuse("label of 33 characters", but("gk-a", "a" * 33), "Value")
    refuse("empty group", but("line-1", ""), "Value")
    refuse("scope with a dash", but("0ne00000001", "0ne-0000001"), "Value")
    refuse("third slot", but("primary", "tertiary"), "Value")
    refuse("check value too short", but(a["check"], a["check"][:-1]), "Value")

    refuse("one label twice", document(a, entry(key(32))), "LabelTwice")
    refuse("one key under two labels", document(a, entry(label="gk-b")), "KeyTwice")

    refuse("check value of another key", document(entry(check=b["check"])), "CheckValue")
    refuse("last digit of the check value changed", but(a["check"], a["check"][:-1] + "C"), "CheckValue")
    exchanged = document(entry(key=b["key"]), entry(label="gk-b", check=b["check"]))
    refuse("two keys exchanged", exchanged, "CheckValue")

    refuse("key without its padding", but("==", ""), "Key")
    refuse("key with trailing bits", but("gw==", "gx=="), "Key")
    refuse("key of 15 bytes", document(entry(key(15))), "Key")
    refuse("key of 65 bytes", document(entry(key(64) + b"x")), "Key")
    refuse("key of 64 zero bytes", document(entry(bytes(64))), "Key")
    refuse("empty key", document(entry(key="")), "Key")
    return {
        "about": "Plaintexts that a reader of a vault must take (\"labels\") or refuse (\"error\"), as docs/vault-format.md "
        "has it. The keys are Microsoft's published example and SHA-512 of fixed texts.",
        "vectors": rows,
    }


for name, made in (("vault-key.json", key_texts()), ("vault-document.json", documents())):
    text = json.dumps(made, indent=1) + "\n"
    if "--check" in sys.argv:
        with open(name) as file:
            if file.read() != text:
                sys.exit(f"{name} is not what make_vault.py makes")
    else:
        with open(name, "w") as file:
            file.write(text)
