"""Every .c file is laid out as .clang-format says.

Headers are laid out by hand, because their contract comments stand in columns that the formatter takes apart.
The layout is that of clang-format 14 (Debian 12's); other versions differ in details, so only that one judges.
"""
import concurrent.futures
import re
import shutil
import subprocess

import house

VERSION = 14
LAYOUT = (house.ROOT / ".clang-format")


def program():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if not path:
            continue
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        if re.search(rf"version {VERSION}\.", told):
            return path
    raise house.CannotLook(f"clang-format {VERSION} is not installed")


def findings(root):
    path = program()

    def look(name):
        source = house.text(root, name)
        laid_out = subprocess.run([path, f"--style=file:{LAYOUT}", f"--assume-filename={name}"], input=source,
                                  capture_output=True, text=True, check=True).stdout
        return None if laid_out == source else f"{name}: run ./dev fmt"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return [found for found in pool.map(look, house.files(root, ".c")) if found]


must_fail = [{"src/base/a.c": "int f(void){return 1;}\n"}]
must_pass = [{"src/base/a.c": "int\nf(void)\n{\n\treturn 1;\n}\n"}]
