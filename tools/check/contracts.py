"""The server's own description has every operation of the five contracts, but those listed as pending with a reason.

tests/contracts/operations.tsv is the whole list, tests/contracts/pending.tsv names what later rooms bring. An operation
that appears while it is listed as pending is minded as well, so that the list only shrinks.
"""
import csv
import io
import json
import re
import subprocess

import house

SERVERS = ("build-test/sextant", "build-dev/sextant", "build/sextant")


def key(method, path):
    """Both slash forms are one route, and parameters may be named differently; a WebSocket starts as a GET."""
    path = re.sub(r"\{[^}]*\}", "{}", path)
    return ("GET" if method == "WS" else method.upper()), path.rstrip("/") or "/"


def rows(root, name):
    return list(csv.DictReader(io.StringIO(house.text(root, name)), delimiter="\t", quoting=csv.QUOTE_NONE))


def description(root):
    planted = root / "openapi.json"
    if planted.exists():
        return json.loads(planted.read_text(encoding="utf-8"))
    for server in SERVERS:
        if (root / server).exists():
            done = subprocess.run([str(root / server), "openapi"], capture_output=True, text=True, check=False, timeout=60)
            return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else {}
    raise house.CannotLook("the server is not built")


def findings(root):
    paths = description(root).get("paths")
    if not paths:
        return ["'sextant openapi' describes no operations"]
    described = {key(method, path) for path, item in paths.items() for method in item
                 if method in ("get", "post", "put", "patch", "delete")}
    pending = {}
    found = []
    for row in rows(root, "tests/contracts/pending.tsv"):
        pending[key(row["method"], row["path"])] = row
        if not row["reason"]:
            found.append(f"{row['method']} {row['path']}: pending without a reason")
    named = set()
    for row in rows(root, "tests/contracts/operations.tsv"):
        operation = key(row["method"], row["path"])
        named.add(operation)
        if operation in described and operation in pending:
            found.append(f"{row['method']} {row['path']} is described now; take it off tests/contracts/pending.tsv")
        if operation not in described and operation not in pending:
            found.append(f"{row['contract']}: {row['method']} {row['path']} is missing")
    found += [f"{row['method']} {row['path']} is pending but in no contract" for operation, row in pending.items()
              if operation not in named]
    return found


_OPERATIONS = "contract\tmethod\tpath\tsuccess\tnote\na\tGET\t/api/x/{id}/\t200\t\n"
_PENDING = "method\tpath\treason\n"
_DESCRIBED = '{"paths":{"/api/x/{x_id}":{"get":{}}}}'
must_fail = [
    {"tests/contracts/operations.tsv": _OPERATIONS, "tests/contracts/pending.tsv": _PENDING, "openapi.json": "{}"},
    {"tests/contracts/operations.tsv": _OPERATIONS, "tests/contracts/pending.tsv": _PENDING, "openapi.json": '{"paths":{}}'},
    {"tests/contracts/operations.tsv": _OPERATIONS, "tests/contracts/pending.tsv": _PENDING + "GET\t/api/x/{id}/\tlater\n",
     "openapi.json": _DESCRIBED},
]
must_pass = [
    {"tests/contracts/operations.tsv": _OPERATIONS, "tests/contracts/pending.tsv": _PENDING, "openapi.json": _DESCRIBED},
]
