"""Every C file compiles without a warning by clang too, with the build's own flags.

The sanitizer build runs with -Werror under gcc; this asks the other compiler about every file of that build's
compile_commands.json without producing code, so that it needs no build of its own. What clang warns about grows with its
version, so that one version judges: Debian 12's.
"""
import concurrent.futures
import json
import shlex
import shutil
import subprocess

import house

COMPILER = "clang"
VERSION = 14
PLANTED = ["-std=gnu17", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wmissing-prototypes"]


def commands(root):
    """(directory, file, flags) of every file, without what only matters when code is produced."""
    for directory in ("build-test", "build-dev"):
        database = root / directory / "compile_commands.json"
        if database.exists():
            break
    else:
        for name in house.files(root, ".c"):
            yield str(root), name, PLANTED
        return
    for entry in json.loads(database.read_text(encoding="utf-8")):
        words = shlex.split(entry["command"])
        while words[0].split("/")[-1] not in ("cc", "gcc", "clang"):
            words.pop(0)
        flags, skip = [], False
        for word in words[1:]:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MQ", "-MT"):
                skip = True
            elif word != "-c" and word != entry["file"] and word not in ("-MD", "-MMD", "-MP") and \
                    not word.startswith(("-fsanitize", "-O", "-g", "-fdiagnostics")):
                flags.append(word)
        yield entry["directory"], entry["file"], flags


# What it counts to -Wall and -Wconversion although it is no fault: texts as conditions of check(), long texts in
# lists over several lines, macros without variable part, and an enum's constant in an
# int (gcc judges signs as well, but leaves enums alone).
ALLOWED = ["-Wno-unknown-warning-option", "-Wno-string-conversion", "-Wno-string-concatenation", "-Wno-sign-conversion",
           "-Wno-gnu-zero-variadic-macro-arguments"]


def look(task):
    directory, name, flags = task
    done = subprocess.run([COMPILER, "-Wall", "-Wextra", *flags, *ALLOWED, "-Werror", "-fsyntax-only", name], cwd=directory,
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if "error:" in line]
    return f"{(lines or done.stderr.splitlines() or ['failed'])[0].lstrip('./')}"


def findings(root):
    told = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=False).stdout \
        if shutil.which(COMPILER) else ""
    if f"version {VERSION}." not in told:
        raise house.CannotLook(f"{COMPILER} {VERSION} is not installed")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return [found for found in pool.map(look, commands(root)) if found]


must_fail = [
    {"src/base/a.c": "int\nf(long x)\n{\n\treturn x;\n}\n"},
    {"src/base/a.c": "int f(int);\nint\nf(int x)\n{\n\treturn 1;\n}\n"},
]
must_pass = [{"src/base/a.c": "int f(int x);\nint\nf(int x)\n{\n\treturn x;\n}\n"}]
