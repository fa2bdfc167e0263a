"""A file includes only its own layer and lower ones, and a library's header only in the room that wraps it.

The table is the one of ARCHITECTURE.md. Tests and benchmarks may include everything.
"""
import re

import house

LAYER = {
    "base": 0,
    "codec": 1, "forecast": 1, "draw": 1,
    "db": 2, "net": 2,
    "resource": 3, "queue": 3,
    "domain": 4,
    "jobs": 5, "live": 5,
    "api": 6,
    "app": 7,
}
# Rooms of one layer that must not see each other.
APART = [{"codec", "forecast"}, {"draw", "forecast"}, {"db", "net"}, {"jobs", "live"}, {"queue", "resource"}]
# The forecasting library can be lifted out of the house: nothing but itself.
ALONE = {"forecast"}
# header → the only room that may include it.
WRAPPED = {
    "sqlite3.h": "db",
    "libpq-fe.h": "db",
    "microhttpd.h": "net",
    "wslay/wslay.h": "net",
    "gnutls/gnutls.h": "net",
    "nettle/base64.h": "net",
    "nettle/sha1.h": "net",
    "curl/curl.h": "net",
    "yyjson.h": "codec",
    "csv.h": "codec",
    "zlib.h": "codec",
    "cairo.h": "draw",
    "cairo-pdf.h": "draw",
    "cairo-svg.h": "draw",
    "pango/pangocairo.h": "draw",
}
# (file, header) → why the room's own interface does not serve there.
EXCEPTIONS = {
    ("src/app/forecast_csv.c", "csv.h"): "every line is parsed on its own, so that a broken one costs no other",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[>"]', re.M)


def minded(name, room, quote, header):
    if header in WRAPPED:
        return None if WRAPPED[header] == room or (name, header) in EXCEPTIONS else f"{header} belongs to {WRAPPED[header]}/"
    if quote == "<":
        return None
    target = header.split("/")[0]
    if "/" not in header:
        return f'"{header}" is not named from src/'
    if target not in LAYER:
        return f'"{header}" is in no room of the table'
    if target == room:
        return None
    if room in ALONE:
        return f"{room}/ includes nothing of the rest"
    if LAYER[target] > LAYER[room]:
        return f"layer {LAYER[room]} must not see layer {LAYER[target]} ({header})"
    if any({room, target} == pair for pair in APART):
        return f"{room}/ and {target}/ must not see each other ({header})"
    return None


def findings(root):
    found = []
    for name in house.files(root, ".c", ".h"):
        parts = name.split("/")
        if parts[0] != "src" or len(parts) < 3:
            continue
        if parts[1] not in LAYER:
            found.append(f"{name}: the room {parts[1]}/ is not in the table")
            continue
        source = house.text(root, name)
        for match in INCLUDE.finditer(source):
            wrong = minded(name, parts[1], match.group(1), match.group(2))
            if wrong:
                line = source.count("\n", 0, match.start(2)) + 1
                found.append(f"{name}:{line}: {wrong}")
    return found


must_fail = [
    {"src/base/arena.c": '#include "api/router.h"\n'},
    {"src/api/router.c": "#include <sqlite3.h>\n"},
    {"src/db/sqlite.c": "#include <microhttpd.h>\n"},
    {"src/forecast/ets.c": '#include "base/arena.h"\n'},
    {"src/db/pool.c": '#include "net/server.h"\n'},
    {"src/base/arena.c": '#include "arena.h"\n'},
    {"src/misc/thing.c": "int x;\n"},
]
must_pass = [
    {"src/db/sqlite.c": '#include <sqlite3.h>\n#include "db/db.h"\n#include "base/arena.h"\n'},
    {"src/app/main.c": '#include "api/router.h"\n'},
]
