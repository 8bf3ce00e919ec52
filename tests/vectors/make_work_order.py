#!/usr/bin/env python3
"""Makes work-order.json from docs/work-order.md alone: orders that must be read, orders that must be refused, and devices.

The customer's key is that of RFC 8032, section 7.1, test 2. Run it in this folder; `--check` only compares.
"""
import hashlib
import json
import sys

from make_audit import OTHER_PUBLIC, OTHER_SEED, PUBLIC, SEED, ed25519, key_id, line, vkey

CUSTOMER = "orders.example.com"

EXAMPLE = """\
format = "keystation-order/v1"
id = "WO-44192"
customer = "Contoso Thermostats"
profile = "thermostat.toml"
quantity = 500
from = "2026-11-25"
until = "2026-12-24"

[key]
label = "gk-2026a"
check_value = "9B5BD-BEC8B"

[devices]
oui = ["a4:cf:12"]
serial = "SN########"
range = { first = "SN00000100", last = "SN00000599" }
"""

LIST = EXAMPLE.replace("quantity = 500", "quantity = 2").split("oui =")[0] + """\
list = [
    { serial = "SN-1", mac = "a4:cf:12:00:00:01" },
    { serial = "SN-2" },
    { mac = "A4CF12000003" },
]
"""


def note(text, name=CUSTOMER, seed=OTHER_SEED, public=OTHER_PUBLIC):
    return text + "\n" + line(name, key_id(name, public), ed25519(seed, text.encode()))


def orders():
    plain = EXAMPLE.split("\n[devices]")[0]
    strange = note(EXAMPLE, "other.example.com", SEED, PUBLIC).split("\n\n— ")[1]
    return [
        ("the example", EXAMPLE),
        ("a list", LIST),
        ("without devices", plain),
        ("a form without a range", EXAMPLE.split("range =")[0]),
        ("a table in place of an inline one", EXAMPLE.split("range =")[0] + "[devices.range]\nfirst = \"SN1\"\nlast = \"SN9\"\n"
         .replace("SN1", "SN00000001").replace("SN9", "SN00000999")),
        ("signed by the customer", note(EXAMPLE)),
        ("signed by a stranger, too", note(EXAMPLE) + "— " + strange),
    ]


def altered(*pairs, text=EXAMPLE):
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def refused():
    signed = note(EXAMPLE)
    broken = signed.replace("quantity = 500", "quantity = 501")
    rows = [
        ("another format", altered(("order/v1", "order/v2"))),
        ("a key that is not known", altered(("id =", "colour = 1\nid ="))),
        ("a key that is not known, of the key", altered(("[key]\n", "[key]\nslot = 1\n"))),
        ("a key twice", altered(("id =", "quantity = 500\nid ="))),
        ("no quantity", altered(("quantity = 500\n", ""))),
        ("no check value", altered(('check_value = "9B5BD-BEC8B"\n', ""))),
        ("an ID with a slash", altered(("WO-44192", "WO/44192"))),
        ("an ID that climbs", altered(("WO-44192", ".."))),
        ("an ID of 33 characters", altered(("WO-44192", "W" * 33))),
        ("no ID", altered(("WO-44192", ""))),
        ("a customer that turns the text", altered(("Contoso T", "Contoso \\u202eT"))),
        ("a customer of two lines", altered(("Contoso T", "Contoso\\nT"))),
        ("no customer", altered(("Contoso Thermostats", ""))),
        ("a customer of 101 characters", altered(("Contoso Thermostats", "C" * 101))),
        ("a profile elsewhere", altered(("thermostat.toml", "../thermostat.toml"))),
        ("a profile without its ending", altered(("thermostat.toml", "thermostat"))),
        ("a hidden profile", altered(("thermostat.toml", ".toml"))),
        ("nothing to make", altered(("quantity = 500", "quantity = 0"))),
        ("less than nothing", altered(("quantity = 500", "quantity = -1"))),
        ("a million and one", EXAMPLE.split("range =")[0].replace("= 500", "= 1000001")),
        ("more than the range has", altered(("quantity = 500", "quantity = 501"))),
        ("more than the list has", altered(("quantity = 2", "quantity = 4"), text=LIST)),
        ("a quantity in words", altered(("quantity = 500", 'quantity = "500"'))),
        ("a day that no calendar has", altered(("2026-11-25", "2026-02-30"))),
        ("a day in another spelling", altered(("2026-11-25", "25.11.2026"))),
        ("a day with a time", altered(("2026-11-25", "2026-11-25T00:00:00Z"))),
        ("a day that is no text", altered(('"2026-11-25"', "2026-11-25"))),
        ("the end before the begin", altered(("2026-12-24", "2026-11-24"))),
        ("a label in capitals", altered(("gk-2026a", "GK"))),
        ("a check value that is short", altered(("9B5BD-BEC8B", "9B5BD-BEC8"))),
        ("an OUI of four bytes", altered(("a4:cf:12", "a4:cf:12:00"))),
        ("an OUI that is none", altered(("a4:cf:12", "a4:cf:1"))),
        ("an OUI twice", altered(('["a4:cf:12"]', '["a4:cf:12", "A4-CF-12"]'))),
        ("no OUI", altered(('["a4:cf:12"]', "[]"))),
        ("a form with a space", altered(("SN########", "SN #######"))),
        ("no form", altered(('serial = "SN########"', 'serial = ""'))),
        ("a range that runs backwards", altered(("SN00000100", "SN00000600"))),
        ("a range of two lengths", altered(("SN00000100", "SN0000100"))),
        ("a range of two prefixes", altered(("SN00000100", "SX00000100"))),
        ("a range without a counter", altered(("SN00000100", "SNA"), ("SN00000599", "SNB"))),
        ("a range with a third", altered(("last =", "step = 2, last ="))),
        ("a list and a range", LIST + 'range = { first = "SN1", last = "SN2" }\n'),
        ("an empty list", LIST.split("list = [")[0] + "list = []\n"),
        ("an entry that names nothing", altered(('{ serial = "SN-2" }', "{ }"), text=LIST)),
        ("an entry with another key", altered(('{ serial = "SN-2" }', '{ serial = "SN-2", name = "x" }'), text=LIST)),
        ("a serial number twice", altered(('{ serial = "SN-2" }', '{ serial = "SN-1" }'), text=LIST)),
        ("a MAC address twice, in two spellings", altered(("A4CF12000003", "a4-cf-12-00-00-01"), text=LIST)),
        ("a serial number that is a placeholder", altered(('"SN-2"', '"0000"'), text=LIST)),
        ("a serial number with an escape", altered(('"SN-2"', '"SN\\u001b[2J"'), text=LIST)),
        ("a MAC address that is none", altered(("A4CF12000003", "A4CF1200000G"), text=LIST)),
        ("a byte order mark", "\ufeff" + EXAMPLE),
        ("no TOML", "work order 44192\n"),
        ("nothing", ""),
        ("altered after it was signed", broken),
        ("signed by nobody whom the station knows", note(EXAMPLE, "other.example.com", SEED, PUBLIC)),
        ("the name of the customer over another key", note(EXAMPLE, CUSTOMER, SEED, PUBLIC)),
        ("the signature of another order", EXAMPLE + "\n— " + note(LIST).split("\n\n— ")[1]),
        ("one signature that holds and one that does not", signed + "— " + note(LIST).split("\n\n— ")[1]),
        ("a note whose last newline is gone", signed[:-1]),
        ("a note with a tab", note(altered(("id =", "id\t=")))),
        ("a note with carriage returns", note(EXAMPLE.replace("\n", "\r\n"))),
    ]
    return [{"name": name, "text": text} for name, text in rows]


def devices():
    rows = [
        ("the first of the range", EXAMPLE, "SN00000100", "a4:cf:12:00:00:01", ""),
        ("the last of the range", EXAMPLE, "SN00000599", "a4:cf:12:ff:ff:ff", ""),
        ("before the range", EXAMPLE, "SN00000099", "a4:cf:12:00:00:01", "unlisted"),
        ("behind the range", EXAMPLE, "SN00000600", "a4:cf:12:00:00:01", "unlisted"),
        ("another maker", EXAMPLE, "SN00000100", "a4:cf:13:00:00:01", "wrong-oui"),
        ("no MAC address", EXAMPLE, "SN00000100", "", "wrong-oui"),
        ("another form", EXAMPLE, "SN0000010A", "a4:cf:12:00:00:01", "wrong-serial"),
        ("a shorter serial number", EXAMPLE, "SN0000100", "a4:cf:12:00:00:01", "wrong-serial"),
        ("no serial number", EXAMPLE, "", "a4:cf:12:00:00:01", "wrong-serial"),
        ("another maker and another form", EXAMPLE, "X", "00:00:5e:00:00:01", "wrong-oui"),
        ("of the list", LIST, "SN-1", "a4:cf:12:00:00:01", ""),
        ("of the list by its serial number", LIST, "SN-2", "a4:cf:12:00:00:09", ""),
        ("of the list by its MAC address", LIST, "SN-9", "a4:cf:12:00:00:03", ""),
        ("not of the list", LIST, "SN-9", "a4:cf:12:00:00:09", "unlisted"),
        ("a listed serial number on another board", LIST, "SN-1", "a4:cf:12:00:00:02", "unlisted"),
        ("a listed board with another serial number", LIST, "SN-9", "a4:cf:12:00:00:01", "unlisted"),
        ("half of what is listed", LIST, "SN-1", "", "unlisted"),
        ("case counts", LIST, "sn-2", "", "unlisted"),
    ]
    return [dict(zip(("name", "order", "serial", "mac", "code"), row)) for row in rows]


def main():
    made = {
        "source": "docs/work-order.md",
        "vkey": vkey(CUSTOMER, OTHER_PUBLIC),
        "example": EXAMPLE,
        "sha256": hashlib.sha256(EXAMPLE.encode()).hexdigest(),
        "must_pass": [{"name": name, "text": text} for name, text in orders()],
        "must_fail": refused(),
        "devices": devices(),
    }
    text = json.dumps(made, indent=1, ensure_ascii=True) + "\n"
    if sys.argv[1:] == ["--check"]:
        with open("work-order.json", encoding="utf-8") as kept:
            sys.exit(kept.read() != text)
    with open("work-order.json", "w", encoding="utf-8") as kept:
        kept.write(text)


if __name__ == "__main__":
    main()
