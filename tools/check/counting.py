"""The tally counts every kind of report rightly, and a report that breaks off is an error.

Everything that is said about a test run rests on these few lines, so they are asked with reports whose counts are known.
"""
import json
import subprocess
import sys
import tempfile

import house

CRASH = json.dumps({"result": "FAIL", "stdout": "1..2\nok 1 - a\n"})
TIMEOUT = json.dumps({"result": "TIMEOUT", "stdout": ""})
GROUPS = json.dumps({"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b\n1..1\nok 1 # SKIP c\n"})
PLAIN = json.dumps({"result": "OK", "stdout": "fine\n"})
# file name, content, what the tally has to print; None: it has to refuse.
REPORTS = [
    ("node.tap", "TAP version 13\nnot ok 1 - a\n# pass 4\n# fail 2\n# cancelled 1\n# skipped 3\n", "4 3 3"),
    ("checks.tap", "TAP version 13\n1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP absent\n", "1 1 1"),
    ("died.tap", "TAP version 13\nok 1 - a\n", None),
    ("empty.tap", "", None),
    ("unit.json", "\n".join([CRASH, TIMEOUT, GROUPS, PLAIN]) + "\n", "4 2 1"),
    ("broken.json", '{"result": "OK"', None),
]


def findings(root):
    tally = root / "tools" / "test" / "tally"
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, content, expected in REPORTS:
            path = f"{scratch}/{name}"
            with open(path, "w", encoding="utf-8") as report:
                report.write(content)
            done = subprocess.run([sys.executable, str(tally), path], capture_output=True, text=True, check=False)
            counted = done.stdout.strip() if done.returncode == 0 else None
            if counted != expected:
                found.append(f"{name}: counted {counted!r} instead of {expected!r}")
    return found


must_fail = [{"tools/test/tally": "print('1 0 0')\n"}]
must_pass = [{"tools/test/tally": (house.ROOT / "tools/test/tally").read_text(encoding="utf-8")}]
