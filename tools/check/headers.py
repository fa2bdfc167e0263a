"""Every header compiles alone, and every file of src/ says at its top what it owns.
"""
import concurrent.futures
import json
import re
import subprocess

import house


def include_flags(root):
    """Where the build finds the headers of libraries."""
    for directory in ("build-test", "build-dev"):
        database = root / directory / "compile_commands.json"
        if database.exists():
            commands = " ".join(entry["command"] for entry in json.loads(database.read_text(encoding="utf-8")))
            return sorted(set(re.findall(r"-I/\S+", commands)))
    return []


def alone(root, name, flags):
    done = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-Isrc", *flags, "-x", "c", name],
                          cwd=root, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return f"{name} does not compile alone: {errors[0]}" if errors else None


def findings(root):
    names = [name for name in house.files(root, ".h") if name.startswith("src/")]
    flags = include_flags(root)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = [wrong for wrong in pool.map(lambda name: alone(root, name, flags), names) if wrong]
    for name in house.files(root, ".c", ".h"):
        if name.startswith("src/") and not house.text(root, name).startswith("/*"):
            found.append(f"{name} does not open with a comment that says what it owns")
    return found


must_fail = [
    {"src/base/a.h": "/* A thing. */\nsize_t a(void);\n"},
    {"src/base/a.c": "int x;\n"},
]
must_pass = [{"src/base/a.h": "/* A thing. */\n#include <stddef.h>\nsize_t a(void);\n"}]
