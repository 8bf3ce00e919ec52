#!/usr/bin/env python3
"""Writes hostile.json beside this file: five hundred texts that mean something to somebody who is not asked.

Each is [kind, text, times]: the text stands so many times one after the other. A text with a surrogate that stands
alone cannot be written in JSON for every reader: those of the kind "surrogate" have it as the six characters of its
escape. The order is fixed; a text is in it once. `--check` writes nothing and says whether the file is up to date.
"""

import json
import pathlib
import sys

FAMILIES = {
    "html": [
        "<script>{}</script>", "<img src=x onerror={}>", "<svg onload={}>", "<svg/onload={}>", "<body onload={}>",
        "<iframe srcdoc='<script>{}</script>'></iframe>", "<a href=\"javascript:{}\">x</a>", "</bdi><script>{}</script>",
        "</p></main><script>{}</script>", "<details open ontoggle={}>", "<input autofocus onfocus={}>",
        "<video><source onerror={}></video>", "<math><mtext></style><img src=x onerror={}></math>", "<b>{}</b>",
        "--><script>{}</script>", "]]><script>{}</script>", "'\"><img src=x onerror={}>", "{{{{constructor.constructor('{}')()}}}}",
        "${{{}}}", "{{@html '<img src=x onerror={}>'}}", "<link rel=stylesheet href=//example.com/{}>",
        "<meta http-equiv=refresh content='0;url=//example.com/{}'>", "<form action=//example.com><input name={}>",
        "<style>@import '//example.com/{}';</style>", "<object data='//example.com/{}'></object>",
    ],
    "ansi": [
        "\x1b[2J{}", "\x1b[31m{}\x1b[0m", "\x1b[1;1H{}", "\x1b]0;{}\x07", "\x1b]8;;http://example.com/{}\x1b\\x\x1b]8;;\x1b\\",
        "\x1b]52;c;{}\x07", "\x9b2J{}", "\x9d0;{}\x9c", "\x1bP{}\x1b\\", "\x1b_{}\x1b\\", "\x1bc{}", "\x1b[6n{}",
        "\x1b[?1049h{}", "\x1b[8m{}", "{}\x1b", "\x1b[{}", "\x1b(0{}", "\x1b#8{}", "\x1b[20t{}", "\x1b]4;1;?\x07{}",
    ],
    "control": [
        "{}\0", "\0{}", "SN\0{}", "{}\r", "{}\n", "{}\r\nPASS", "\b\b\b\b{}", "{}\x7f", "{}\t1", "\x04{}", "\x03{}", "\x1a{}",
        "\x0b{}", "\x0c{}", "{}\x85x", "{}\x80", "\x1d{}", "\x1e{}", "\x02{}\x03", "{}\u2028x",
    ],
    "bidi": [
        "\u202e{}", "{}\u202etxt.exe", "\u202d{}\u202c", "\u2066{}\u2069", "\u2067{}\u2069", "\u2068{}", "\u200f{}", "\u200e{}",
        "\u061c{}", "\u202b{}\u202c", "SN-\u202e1000{}", "{}\u2069\u2069",
    ],
    "rtl": ["\u05d0\u05d1\u05d2{}", "\u0645\u0631\u062d\u0628\u0627{}", "{}\u06f1\u06f2\u06f3", "\ufdfd{}", "\u07c0\u07c1{}"],
    "invisible": [
        "SN\u200b{}", "SN\u200c{}", "SN\u200d{}", "\ufeff{}", "SN\u00ad{}", "SN\u2060{}", "{}\u180e", "\u3164{}", "\u115f{}",
        "{}\U000e0041\U000e007f", "SN\u00a0{}", "{}\u2003x", "{}\ufe0f",
    ],
    "formula": [
        "=cmd|' /C calc'!A{}", "=1+{}", "+{}+1", "-{}+1", "@SUM({})", "\t={}", "\r={}", "\n={}", "\0={}", " ={}",
        "=HYPERLINK(\"http://example.com/{}\")", "=IMPORTXML(\"http://example.com/{}\",\"//a\")", "\uff1d{}", "\uff0b{}", "\uff0d{}",
        "\uff20{}", "\"=1+{}\"", ";={}", ",={}", "'={}", "%0A={}", "=DDE(\"cmd\";\"/C calc\";\"{}\")", "|{}", "\u2212{}",
    ],
    "sql": [
        "'; DROP TABLE log;-- {}", "' OR '1'='1' -- {}", "\"; DELETE FROM log; -- {}", "'); ATTACH 'x{}' AS y; --",
        "' UNION SELECT body FROM log -- {}", "%' ESCAPE '{}", "{}%_", "*{}", "\" OR \"\"=\"{}", "id:{} OR outcome:ok",
        "');SELECT load_extension('{}');--", "NEAR({})", "\\'; VACUUM; -- {}",
    ],
    "path": [
        "../{}", "../../../../etc/passwd{}", "..\\..\\{}", "/etc/{}", "{}/../x", "./{}", "~/{}", "file:///etc/{}", "\\\\example.com\\{}",
        "CON{}", "nul.{}", "{}.toml", "..%2f{}", "%2e%2e%2f{}", "..\u2215{}", ".{}", "{}.", "-{}", "--data={}", "|sh {}",
        "$(touch {})", "`touch {}`", "; touch {}", "&& touch {}", "{} > /dev/sda", "* {}",
    ],
    "format": [
        "%s%s%s%n{}", "%x%x%x{}", "%08x.{}", "{{}}{}", "{{0}}{}", "{{:?}}{}", "%d{}", "{}%", "${{HOME}}{}", "$({})",
        "{{{{7*7}}}}{}", "#{{{}}}", "<%= {} %>", "%00{}", "&#x202e;{}", "&lt;b&gt;{}", "\\u0000{}", "\\x1b[2J{}", "\\n{}", "{}\\",
        "(?<x>.*){}", "^(a+)+${}",
    ],
    "json": [
        "\"{}", "\\\"{}", "\"}},\"ev\":\"inject.result\",\"rc\":\"ok\",\"x\":\"{}", "{{\"ev\":\"{}\"}}", "]{}", "}}{}", "__proto__{}",
        "constructor{}", "null{}", "NaN{}", "1e999{}", "toString{}", "\u2028\"{}", "\n- {}", "{}: &a [*a]", "{} = \"x\"\n[x]",
    ],
    "surrogate": [
        "\\ud800{}", "{}\\udfff", "\\udc00\\ud800{}", "\\ud83d{}\\ude00", "\\ud800\\ud800{}", "{}\\udbff", "\\udead{}",
    ],
    "combining": [
        "Z\u0351\u036b\u0343\u036a\u0302{}", "a\u0300{}", "\u0301{}", "{}\u20dd", "\u0e01\u0e34\u0e4c{}", "\u1100\u1161{}", "\u0b95\u0bcd{}",
        "e\u0301\u0301\u0301{}", "\u0488{}",
    ],
    "look-alike": [
        "\u0405N-{}", "SN\u2010{}", "\uff33\uff2e-{}", "\u216b{}", "\u2460{}", "\U0001d7d8{}", "\U0001f600{}", "\ue000{}", "\ufffd{}",
        "\ufffe{}", "\U0010ffff{}", "\u0131{}", "\u212a{}", "\u00df{}", "\u0130{}",
    ],
}

LONG = [
    ("long", "A", 65536), ("long", "<b>", 21846), ("long", "\u202e", 21846), ("long", "0", 65), ("long", "A", 129), ("long", "A", 4096),
    ("long", "Z\u0351\u036b", 13108), ("long", "\x1b[2J", 16384), ("long", "=", 65536), ("long", "../", 21846), ("long", "\0", 65536),
    ("long", "%n", 32768), ("long", "\U0001f600", 16384), ("long", "\"", 65536), ("long", "\\", 65536), ("long", "{", 65536),
]

FILLINGS = ["alert(1)", "document.title='owned'", "9", "x1"]
COUNT = 500


def texts():
    """Families in turn, so that each has its part of the five hundred."""
    yield from LONG
    for filling in FILLINGS:
        for rank in range(max(map(len, FAMILIES.values()))):
            for kind, patterns in FAMILIES.items():
                if rank < len(patterns):
                    yield (kind, patterns[rank].format(filling), 1)


def main():
    found = list(dict.fromkeys(texts()))[:COUNT]
    assert len(found) == COUNT
    assert {kind for kind, _, _ in found} == {*FAMILIES, "long"}
    text = "[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n"
    file = pathlib.Path(__file__).with_name("hostile.json")
    if sys.argv[1:] == ["--check"]:
        if file.read_text(encoding="ascii") != text:
            sys.exit("hostile.json is not what make_hostile.py makes")
    else:
        file.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
