#!/usr/bin/env python3
"""Turns tests/vectors/device-protocol.json into C tables: vectors_to_c.py FROM.json TO.h"""
import json
import sys

source, target = sys.argv[1:]
vectors = json.load(open(source))
out = ["/* Made by vectors_to_c.py. */", "#include \"vector.h\"", ""]


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def octets(value):
    # One string literal for each byte: "\x0d" "0a" would otherwise read as one long escape.
    data = bytes.fromhex(value)
    return "{ %d, (const uint8_t *)%s }" % (len(data), " ".join('"\\x%02x"' % byte for byte in data) or '""')


def table(kind, name, rows):
    assert rows, name
    out.append(f"static const struct {kind} {name}[] = {{")
    out.extend("    { %s }," % ", ".join(row) for row in rows)
    out.append("};\n")


for name in "exchange", "more":
    table("exchange", name, [[text(v["name"]), octets(v["request_wire"]), octets(v["response_wire"]), octets(v["response"])]
                             for v in vectors[name]])
most = max(len(v["packets"]) for v in vectors["framing"])
out.insert(1, f"enum {{ PACKETS_MAX = {most} }};")
table("framing", "framing", [[text(v["name"]), octets(v["bytes"]), str(len(v["packets"])),
                              "{ " + ", ".join(octets(p) for p in v["packets"] or [""]) + " }"] for v in vectors["framing"]])
table("refusal", "device_refuses", [[text(v["name"]), text(v["state"]), octets(v["request"]), str(v["rc"])]
                                    for v in vectors["device_refuses"]])
table("identity", "device_digests", [[octets(v["mac"]), text(v["serial"]), octets(v["digest"])]
                                     for v in vectors["device_digests"]])
out.append("static const struct octets storage_slot = %s;" % octets(vectors["storage_slot"]["bytes"]))
out.append("static const struct octets storage_slot_without_anchor = %s;"
           % octets(vectors["storage_slot_without_anchor"]["bytes"]))
out.append("static const struct octets anchor = %s;" % octets(vectors["set"]["anchor"]))
out.append("static const struct octets device_key = %s;" % octets(vectors["set"]["device_key"]))
out.append("static const struct octets fingerprint = %s;" % octets(vectors["set"]["fingerprint"]))
open(target, "w").write("\n".join(out) + "\n")
