"""The committed files that a program derives are what it derives now: the demo company from its source.

The source is larger than the project and stands beside it ($SEXTANT_SHARED or ../shared) where it is there at all.
"""
import os
import pathlib
import subprocess
import sys

import house

SOURCE = pathlib.Path(os.environ.get("SEXTANT_SHARED", house.ROOT.parent / "shared")) / "data" / "real"
LINES = SOURCE / "online_retail_lines_full.csv.gz"


def findings(root):
    made = root / "tools" / "make_demo.py"
    if root == house.ROOT:
        if not LINES.exists():
            raise house.CannotLook(f"{LINES.name} is not there")
        arguments = [str(LINES), "--daily", str(SOURCE / "online_retail_daily_kpis.csv"), "--check"]
    else:
        arguments = ["--check"]
    done = subprocess.run([sys.executable, str(made), *arguments], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines if done.returncode else []


must_fail = [{"tools/make_demo.py": "print('demo/values.csv is stale'); raise SystemExit(1)\n"}]
must_pass = [{"tools/make_demo.py": "raise SystemExit(0)\n"}]
