#!/usr/bin/env python3
"""Makes vault-key.json, vault-document.json and key-card.json: what an importer, a reader of a vault and a reader of key
cards must take or refuse, and why.

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


def cards():
    """Directories of cards: file name and text of each."""
    rows = []

    def take(name, files, labels):
        rows.append({"name": name, "files": files, "labels": labels})

    def refuse(name, files, error):
        rows.append({"name": name, "files": files if isinstance(files, dict) else {"gk-a.json": files}, "error": error})

    def text(fields):
        return json.dumps(dict(sorted(fields.items())), separators=(",", ":")) + "\n"

    def fields(k=base64.b64decode(EXAMPLE), label="gk-a"):
        return {"bytes": len(k), "check": check_value(k), "format": "keystation-key/v1", "group": "line-1",
                "label": label, "scope": "0ne00000001", "slot": "primary"}

    # As TPM 2.0 Library part 2 has them: TPM2B_PUBLIC of a keyed-hash object, TPM2B_PRIVATE of any bytes.
    public = bytes.fromhex("0030" "0008" "000b" "00040052" "0000" "0005" "000b" "0020") + key(32, b"unique")
    private = bytes.fromhex("00be") + key(64, b"a") + key(64, b"b") + key(62, b"c")

    def tpm(*of, **other):
        return text({**fields(*of), "custody": "tpm", "public": b64(public), "private": b64(private), **other})

    def token(*of, **other):
        return text({**fields(*of), "custody": "pkcs11", "token": "factory", "id": "0f1e2d3c", **other})

    def named(*cards):
        return {json.loads(card)["label"] + ".json": card for card in cards}

    a, t = tpm(), token()

    def but(old, new, card=a):
        assert old in card
        return card.replace(old, new)

    def many(count):
        return named(*[token(key(16, bytes([i])), f"gk-{i:02}") for i in range(count)])

    take("no card", {}, [])
    take("a key in a TPM", named(a), ["gk-a"])
    take("a key in a token", named(t), ["gk-a"])
    take("both, in the order of their labels", named(tpm(key(32), "gk-b"), token()), ["gk-a", "gk-b"])
    take("names of full length", named(token(key(16), "a" * 32, group="A" * 128, scope="0" * 32, token="t" * 32,
                                             id="00" * 32)), ["a" * 32])
    take("a space inside the token's label", named(token(token="line 7")), ["gk-a"])
    take("the shortest blobs", named(tpm(public="AA==", private="AA==")), ["gk-a"])
    take("other files beside it", {**named(a), "gk-a.json.new": "x", "README": "x"}, ["gk-a"])
    take("64 cards", many(64), [f"gk-{i:02}" for i in range(64)])
    refuse("65 cards", many(65), "TooMany")

    refuse("empty", "", "NotACard")
    refuse("not JSON", "hello\n", "NotACard")
    refuse("a list", "[]\n", "NotACard")
    refuse("byte order mark", "\ufeff" + a, "NotACard")
    refuse("format of another program", but("keystation-key/v1", "password-card/v1"), "NotACard")
    refuse("a vault's format", but("keystation-key/v1", "keystation-vault/v1"), "NotACard")
    refuse("longer than a card", a + " " * 4096, "NotACard")
    refuse("next version", but("keystation-key/v1", "keystation-key/v2"), "UnknownVersion")
    refuse("version with a suffix", but("keystation-key/v1", "keystation-key/v1.1"), "UnknownVersion")
    refuse("custody that has no cards", but('"tpm"', '"sealed-file"'), "UnknownCustody")
    refuse("unknown custody", but('"tpm"', '"cloud"'), "UnknownCustody")
    refuse("custody in capitals", but('"tpm"', '"TPM"'), "UnknownCustody")

    slot = '"slot":"primary"'
    refuse("unknown field, last", but(slot, slot + ',"use":"test"'), "UnknownField")
    refuse("unknown field, first", but('{"bytes"', '{"alg":"hmac","bytes"'), "UnknownField")
    refuse("unknown field, middle", but('"label"', '"hint":"x","label"'), "UnknownField")
    refuse("a group key", but('"label"', '"key":"AAAA","label"'), "UnknownField")
    refuse("field of the other custody", but(slot, slot + ',"token":"factory"'), "NotCanonical")
    refuse("fields of the other custody alone", but('"custody":"tpm"', '"custody":"pkcs11"'), "NotCanonical")

    refuse("field missing", but('"scope":"0ne00000001",', ""), "NotCanonical")
    refuse("field twice", but(slot, f"{slot},{slot}"), "NotCanonical")
    refuse("fields in another order", but('"scope":"0ne00000001",' + slot, slot + ',"scope":"0ne00000001"'), "NotCanonical")
    refuse("space after a colon", but('"label":', '"label": '), "NotCanonical")
    refuse("no line feed", a[:-1], "NotCanonical")
    refuse("two line feeds", a + "\n", "NotCanonical")
    refuse("carriage return and line feed", a[:-1] + "\r\n", "NotCanonical")
    refuse("two cards in one file", a + a, "NotCanonical")
    refuse("cut in the middle", a[:200], "NotCanonical")
    refuse("escape for a letter", but("gk-a", "gk-\\u0061"), "NotCanonical")
    refuse("NUL in a value", but("line-1", "line\0-1"), "NotCanonical")
    refuse("letter beyond ASCII in the token's label", but("factory", "fabrik-\u00e4", t), "NotCanonical")
    refuse("text for a number", but('"bytes":64', '"bytes":"64"'), "NotCanonical")
    refuse("leading zero", but('"bytes":64', '"bytes":064'), "NotCanonical")
    refuse("negative number", but('"bytes":64', '"bytes":-64'), "NotCanonical")
    refuse("fraction", but('"bytes":64', '"bytes":64.0'), "NotCanonical")
    refuse("number for a text", but(slot, '"slot":1'), "NotCanonical")

    for length in ("0", "15", "65", "320", "4294967295"):
        refuse(f"{length} bytes", but('"bytes":64', f'"bytes":{length}'), "Field")
    refuse("check value in small letters", but(check_value(base64.b64decode(EXAMPLE)),
                                              check_value(base64.b64decode(EXAMPLE)).lower()), "Field")
    refuse("check value without its dash", but("9B5BD-BEC8B", "9B5BDBEC8B"), "Field")
    refuse("check value too short", but("9B5BD-BEC8B", "9B5BD-BEC8"), "Value")
    refuse("label in capitals", but("gk-a", "GK-A"), "Value")
    refuse("label that leads elsewhere", but("gk-a", "../gk-a"), "Value")
    refuse("empty group", but("line-1", ""), "Value")
    refuse("scope with a dash", but("0ne00000001", "0ne-0000001"), "Value")
    refuse("third slot", but("primary", "tertiary"), "Value")
    refuse("empty public area", tpm(public=""), "Field")
    refuse("public area too long", tpm(public=b64(bytes(129))), "Field")
    refuse("private area too long", tpm(private=b64(bytes(1025))), "Field")
    refuse("public area without its padding", but("==", "", tpm(public="AA==")), "Field")
    refuse("public area with trailing bits", tpm(public="AB=="), "Field")
    refuse("URL-safe alphabet", tpm(private="-_-_"), "Field")
    refuse("empty token label", token(token=""), "Field")
    refuse("token label of 33 characters", token(token="t" * 33), "Field")
    refuse("token label with its padding", token(token="factory "), "Field")
    refuse("empty ID", token(id=""), "Field")
    refuse("ID of 33 bytes", token(id="00" * 33), "Field")
    refuse("half a byte in the ID", token(id="0f1"), "Field")
    refuse("ID in capitals", token(id="0F1E"), "Field")
    refuse("ID that is no number", token(id="0x1e"), "Field")

    refuse("file named after another label", {"gk-b.json": a}, "FileName")
    refuse("two cards of one label", {"gk-a.json": a, "gk-b.json": token(key(32))}, "FileName")
    refuse("a copy beside it", {"gk-a.json": a, "gk-a (copy).json": a}, "FileName")
    refuse("one key under two labels", named(a, tpm(base64.b64decode(EXAMPLE), "gk-b")), "KeyTwice")
    refuse("one key in two custodies", named(a, token(base64.b64decode(EXAMPLE), "gk-b")), "KeyTwice")
    refuse("one that is wrong beside one that is right", {"gk-a.json": a, "gk-b.json": "{}\n"}, "NotACard")
    return {
        "about": "Directories of key cards, each by the names and texts of its files, that a reader must take (\"labels\") or "
        "refuse (\"error\"), as docs/vault-format.md has it. The blobs are made up: no TPM loads them.",
        "vectors": rows,
    }


MADE = (("vault-key.json", key_texts()), ("vault-document.json", documents()), ("key-card.json", cards()))
for name, made in MADE:
    text = json.dumps(made, indent=1) + "\n"
    if "--check" in sys.argv:
        with open(name) as file:
            if file.read() != text:
                sys.exit(f"{name} is not what make_vault.py makes")
    else:
        with open(name, "w") as file:
            file.write(text)
