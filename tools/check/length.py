"""No C file has more than 800 lines and no function more than 70.

Declarative tables and flat switches are longer than they are complicated; they stand in the lists with their reason.
"""
import re

import house

MOST_FILE_LINES = 800
MOST_FUNCTION_LINES = 70
# path → why it may be longer.
LONG_FILES = {}
# (path, function) → why it may be longer.
LONG_FUNCTIONS = {}

NAME = re.compile(r"^(?:[A-Za-z_].*?)?\b([A-Za-z_]\w*)\s*\(")


def functions(source):
    """(name, first line, number of lines) of every function; the layout puts its braces into column 0."""
    name, start = None, 0
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}"):
            if start and name:
                yield name, start, number - start - 1
            name, start = None, 0
        elif not start and NAME.match(line) and not line.rstrip().endswith(";"):
            name = NAME.match(line).group(1)


def findings(root):
    found = []
    for name in house.files(root, ".c", ".h"):
        source = house.text(root, name)
        lines = source.count("\n")
        if lines > MOST_FILE_LINES and name not in LONG_FILES:
            found.append(f"{name}: {lines} lines (at most {MOST_FILE_LINES})")
        for function, start, length in functions(house.code_only(source)):
            if length > MOST_FUNCTION_LINES and (name, function) not in LONG_FUNCTIONS:
                found.append(f"{name}:{start}: {function} has {length} lines (at most {MOST_FUNCTION_LINES})")
    return found


must_fail = [
    {"src/base/a.c": "int x;\n" * 801},
    {"src/base/a.c": "int\nlong_one(void)\n{\n" + "\tx();\n" * 71 + "}\n"},
]
must_pass = [
    {"src/base/a.c": "int\nfits(void)\n{\n" + "\tx();\n" * 70 + "}\n"},
]
