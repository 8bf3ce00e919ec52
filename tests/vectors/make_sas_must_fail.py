#!/usr/bin/env python3
"""Makes sas-must-fail.json: tokens that a station must refuse, with the part that is wrong, and near misses that it must take.

With Python's standard library alone; it shares no code with the station. Run it in this folder.
"""
import base64
import hashlib
import hmac
import json
from urllib.parse import quote

SCOPE = "0ne00EMU001"
ID = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
KEY = base64.b64decode("Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=")
GROUP_KEY = base64.b64decode("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==")
NOW = 1_795_000_000
SE = 1_795_003_600
DAY = 86_400
EXACTLY = {"exactly": SE}
WITHIN = {"now": NOW, "shortest": 60, "longest": DAY}


def signature(sr, se, key=KEY):
    return base64.b64encode(hmac.new(key, f"{sr}\n{se}".encode(), hashlib.sha256).digest()).decode()


SR = f"{SCOPE}%2Fregistrations%2F{ID}"
RAW = f"{SCOPE}/registrations/{ID}"
# One whose signature has a `+` and a `/`, so that their spelling can be tested.
while not ("+" in signature(SR, SE) and "/" in signature(SR, SE)):
    SE += 1
EXACTLY["exactly"] = SE
SIG = quote(signature(SR, SE), safe="")
NEXT = quote(signature(SR, SE + 1), safe="")
SKN = "&skn=registration"


def token(sr=SR, se=SE, key=KEY, tail=SKN):
    return f"SharedAccessSignature sr={sr}&sig={quote(signature(sr, se, key), safe='')}&se={se}{tail}"


GOOD = token()
fail, good = [], []


def must_fail(name, text, error, part, expect=EXACTLY):
    assert text != GOOD, f"{name}: nothing is wrong with it"
    fail.append({"name": name, "token": text, "expect": expect, "error": error, "part": part})


def must_pass(name, text, key_name, dialect=None, expect=EXACTLY):
    good.append({"name": name, "token": text, "expect": expect, "key_name": key_name, "dialect": dialect})


# --- the text ---
must_fail("nothing", "", "prefix", "token")
must_fail("no prefix", GOOD.removeprefix("SharedAccessSignature "), "prefix", "token")
must_fail("prefix in lower case", GOOD.replace("SharedAccessSignature", "sharedaccesssignature"), "prefix", "token")
must_fail("tab after the prefix", GOOD.replace("Signature ", "Signature\t"), "prefix", "token")
must_fail("space before the prefix", " " + GOOD, "prefix", "token")
must_fail("prefix alone", "SharedAccessSignature ", "unknown-field", "token")
must_fail("two spaces after the prefix", GOOD.replace("Signature ", "Signature  "), "unknown-field", "token")
must_fail("header name before it", "Authorization: " + GOOD, "prefix", "token")
must_fail("1025 bytes", GOOD + "0" * (1025 - len(GOOD)), "too-long", "token")
must_fail("1024 bytes", GOOD + "0" * (1024 - len(GOOD)), "key-name", "skn")
must_fail("trailing line feed", GOOD + "\n", "encoding", "skn")
must_fail("trailing space", GOOD + " ", "encoding", "skn")
must_fail("trailing NUL", GOOD + "\0", "encoding", "skn")
must_fail("trailing ampersand", GOOD + "&", "unknown-field", "token")
must_fail("two ampersands", GOOD.replace("&se=", "&&se="), "unknown-field", "token")
must_fail("semicolon between the fields", GOOD.replace("&sig=", ";sig="), "encoding", "sr")
must_fail("quoted", GOOD.replace("sr=", 'sr="').replace("&sig", '"&sig'), "encoding", "sr")
# --- the fields ---
must_fail("unknown field", GOOD + "&x=1", "unknown-field", "token")
must_fail("field name in capitals", GOOD.replace("&se=", "&SE="), "unknown-field", "token")
must_fail("field name escaped", GOOD.replace("&se=", "&s%65="), "unknown-field", "token")
must_fail("field without a value", GOOD.replace(SKN, "&skn"), "unknown-field", "token")
must_fail("no sr", f"SharedAccessSignature sig={SIG}&se={SE}{SKN}", "missing", "sr")
must_fail("no sig", f"SharedAccessSignature sr={SR}&se={SE}{SKN}", "missing", "sig")
must_fail("no se", f"SharedAccessSignature sr={SR}&sig={SIG}{SKN}", "missing", "se")
for name, again in [("sr", SR), ("sig", SIG), ("se", str(SE)), ("skn", "registration")]:
    must_fail(f"{name} repeated with the same value", f"{GOOD}&{name}={again}", "repeated", name)
must_fail("sr repeated with another device", GOOD.replace(ID, "other", 1).replace("&sig", f"&sr={SR}&sig"), "repeated", "sr")
must_fail("se repeated with another expiry", GOOD.replace("&se=", "&se=1&se="), "repeated", "se")
# --- skn ---
must_fail("skn of a service policy", token(tail="&skn=provisioningserviceowner"), "key-name", "skn")
must_fail("skn in capitals", token(tail="&skn=Registration"), "key-name", "skn")
must_fail("skn escaped", token(tail="&skn=%72egistration"), "key-name", "skn")
# --- sig ---
must_fail("plus sign not escaped in sig", GOOD.replace("%2B", "+", 1), "encoding", "sig")
must_fail("slash not escaped in sig", f"SharedAccessSignature sr={SR}&sig={SIG.replace('%2F', '/')}&se={SE}{SKN}", "encoding", "sig")
must_fail("padding not escaped in sig", GOOD.replace("%3D&se", "=&se"), "encoding", "sig")
must_fail("padding stripped from sig", GOOD.replace("%3D&se", "&se"), "signature-form", "sig")
must_fail("padding doubled in sig", GOOD.replace("%3D&se", "%3D%3D&se"), "signature-form", "sig")
must_fail("sig in the URL-safe alphabet", GOOD.replace(SIG, SIG.replace("%2B", "-").replace("%2F", "_")), "signature-form", "sig")
must_fail("sig escaped twice", GOOD.replace(SIG, SIG.replace("%", "%25")), "signature-form", "sig")
must_fail("sig in hexadecimal", GOOD.replace(SIG, base64.b64decode(signature(SR, SE)).hex()), "signature-form", "sig")
must_fail("sig empty", GOOD.replace(SIG, ""), "signature-form", "sig")
must_fail("sig of 31 bytes", GOOD.replace(SIG, quote(base64.b64encode(bytes(31)), safe="")), "signature-form", "sig")
must_fail("sig of 33 bytes", GOOD.replace(SIG, quote(base64.b64encode(bytes(33)), safe="")), "signature-form", "sig")
must_fail("sig with loose bits in its last character", GOOD.replace(SIG, SIG[:-4] + chr(ord(SIG[-4]) + 1) + "%3D"), "signature-form", "sig")
must_fail("sig with a line feed in it", GOOD.replace(SIG, SIG + "%0A"), "signature-form", "sig")
must_fail("sig of 32 zero bytes", GOOD.replace(SIG, quote(base64.b64encode(bytes(32)), safe="")), "signature", "key")
must_fail("sig of the next second", GOOD.replace(SIG, NEXT), "signature", "key")
must_fail("escape cut short", GOOD.replace("%3D&se", "%3&se"), "encoding", "sig")
must_fail("escape with other digits", GOOD.replace("%3D&se", "%3G&se"), "encoding", "sig")
# --- se ---
for name, text in [("empty", ""), ("with a plus sign", "%2B1795003600"), ("with a leading zero", f"0{SE}"), ("in hexadecimal", "0x6b000000"),
                   ("with a decimal point", f"{SE}.0"), ("of one more than 64 bits hold", str(1 << 64)), ("of 300 digits", "9" * 300),
                   ("negative", f"-{SE}"), ("as a date", "2026-11-18T08:00:00Z")]:
    must_fail(f"se {name}", token(se=text), "expiry-form", "se")
must_fail("se in Arabic digits", token(se="١٧٩٥٠٠٣٦٠٠"), "encoding", "se")
must_fail("another expiry than the one asked for, well signed", token(se=SE + 1), "other-expiry", "se")
must_fail("expiry in milliseconds", token(se=SE * 1000), "other-expiry", "se")
must_fail("the expiry asked for was signed, another is sent", GOOD.replace(f"se={SE}", f"se={SE + 1}"), "signed-over-other-expiry", "se")
must_fail("400 days ahead", token(se=NOW + 400 * DAY), "too-late", "se", WITHIN)
must_fail("one second later than may be", token(se=NOW + DAY + 1), "too-late", "se", WITHIN)
must_fail("one second earlier than may be", token(se=NOW + 59), "too-early", "se", WITHIN)
must_fail("expired a second ago", token(se=NOW - 1), "too-early", "se", WITHIN)
must_fail("a clock that was never set", token(se=3600), "too-early", "se", WITHIN)
must_fail("expiry 0", token(se=0), "too-early", "se", WITHIN)
must_fail("the last expiry that 64 bits hold", token(se=(1 << 64) - 1), "too-late", "se", WITHIN)
# --- sr ---
must_fail("another scope", token(sr=SR.replace(SCOPE, "0ne00EMU002")), "other-scope", "sr")
must_fail("another ID", token(sr=SR.replace("f6", "f7")), "other-id", "sr")
must_fail("an ID that begins with this one", token(sr=SR + "-2"), "other-id", "sr")
must_fail("an ID that this one begins with", token(sr=SR[:-1]), "other-id", "sr")
must_fail("colons for dashes in the MAC", token(sr=SR.replace("a1-b2-c3-d4-e5-f6", "a1:b2:c3:d4:e5:f6")), "other-id", "sr")
must_fail("sr escaped twice", token(sr=SR.replace("%", "%25")), "resource-form", "sr")
must_fail("sr of IoT Hub", token(sr=f"{SCOPE}.azure-devices.net%2Fdevices%2F{ID}"), "resource-form", "sr")
must_fail("sr of the scope alone", token(sr=SCOPE), "resource-form", "sr")
must_fail("sr with the operation after it", token(sr=SR + "%2Fregister"), "resource-form", "sr")
must_fail("sr with a scheme", token(sr="https://global.azure-devices-provisioning.net/" + RAW), "resource-form", "sr")
must_fail("sr with a slash before it", token(sr="%2F" + SR), "resource-form", "sr")
must_fail("sr with a slash after it", token(sr=SR + "/"), "resource-form", "sr")
must_fail("sr with an escaped NUL after it", token(sr=SR + "%00"), "other-id", "sr")
must_fail("sr with an escaped line feed after it", token(sr=SR + "%0A"), "other-id", "sr")
must_fail("sr with an escaped space after it", token(sr=SR + "%20"), "other-id", "sr")
must_fail("sr empty", token(sr=""), "resource-form", "sr")
must_fail("sr with a plus sign", token(sr=SR + "+"), "encoding", "sr")
must_fail("sr with a NUL", token(sr="\0" + SR), "encoding", "sr")
must_fail("sr with a line feed", token(sr=SR + "\n"), "encoding", "sr")
must_fail("sr with a letter that only looks right", token(sr=SR.replace("a1", "а1")), "encoding", "sr")
must_fail("sr decoded on the way", GOOD.replace(SR, RAW), "signed-over-other-spelling", "sr")
must_fail("sr signed raw and sent escaped", token(sr=RAW).replace(RAW, SR), "signed-over-other-spelling", "sr")
must_fail("escapes of sr changed to lower case on the way", GOOD.replace(SR, SR.replace("%2F", "%2f")), "signed-over-other-spelling", "sr")
must_fail("sr changed to lower case on the way", GOOD.replace(SR, SR.replace(SCOPE, SCOPE.lower())), "signed-over-other-spelling", "sr")
must_fail("ID in capitals, signed in lower case", GOOD.replace(SR, SR.replace(ID, ID.upper())), "signed-over-other-spelling", "sr")
# --- the key ---
must_fail("signed with the group key", token(key=GROUP_KEY), "signature", "key")
must_fail("signed with an all-zero key", token(key=bytes(32)), "signature", "key")
must_fail("signed with the Base64 text of the key", token(key=base64.b64encode(KEY)), "signed-with-key-as-text", "key")
must_fail("line feed left out of the signed text",
          GOOD.replace(SIG, quote(base64.b64encode(hmac.new(KEY, f"{SR}{SE}".encode(), hashlib.sha256).digest()), safe="")), "signature", "key")

must_pass("as it should be", GOOD, "registration", "csharp")
must_pass("without skn", token(tail=""), "absent", "python")
must_pass("with an empty skn", token(tail="&skn="), "empty")
must_pass("fields in another order", f"SharedAccessSignature skn=registration&se={SE}&sig={SIG}&sr={SR}", "registration")
must_pass("escapes of sig in lower case, which nobody signs", GOOD.replace(SIG, SIG.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")), "registration")
must_pass("more escaped in sig than needs to be", GOOD.replace(SIG, f"%{ord(SIG[0]):02X}{SIG[1:]}"), "registration")
must_pass("ID in capitals, signed in capitals", token(sr=SR.replace(ID, ID.upper())), "registration")
must_pass("more escaped in sr than needs to be", token(sr=SR.replace("registrations", "%72egistrations")), "registration")
must_pass("raw slashes", token(sr=RAW, tail="").replace("&se", f"{SKN}&se"), "registration", "node")
must_pass("as late as may be", token(se=NOW + DAY), "registration", "csharp", WITHIN)
must_pass("as early as may be", token(se=NOW + 60), "registration", "csharp", WITHIN)

document = {
    "about": "SAS tokens that a station must refuse, named by what is wrong with them, and near misses that it must take. "
             "\"part\" is what a person has to look at. Made by make_sas_must_fail.py.",
    "id_scope": SCOPE,
    "registration_id": ID,
    "device_key_b64": base64.b64encode(KEY).decode(),
    "must_fail": fail,
    "must_pass": good,
}
with open("sas-must-fail.json", "w", encoding="utf-8") as file:
    json.dump(document, file, indent=1)
    file.write("\n")
