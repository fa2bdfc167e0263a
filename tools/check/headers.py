"""Every header compiles alone, and every C file says at its top what it owns.
"""
import concurrent.futures
import subprocess

import house


def alone(root, name):
    done = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-Isrc", "-I.", "-x", "c", name],
                          cwd=root, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return f"{name} does not compile alone: {errors[0]}" if errors else None


def findings(root):
    names = [name for name in house.files(root, ".h") if name.startswith("src/")]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = [wrong for wrong in pool.map(lambda name: alone(root, name), names) if wrong]
    for name in house.files(root, ".c", ".h"):
        if not house.text(root, name).startswith("/*"):
            found.append(f"{name} does not open with a comment that says what it owns")
    return found


must_fail = [
    {"src/base/a.h": "/* A thing. */\nsize_t a(void);\n"},
    {"src/base/a.c": "int x;\n"},
]
must_pass = [{"src/base/a.h": "/* A thing. */\n#include <stddef.h>\nsize_t a(void);\n"}]
