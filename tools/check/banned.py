"""Functions that truncate, guess or depend on the locale are not called, and nothing is left marked as unfinished.

base/banned.h poisons most of them at compile time; this covers tests and benchmarks too, and those that a macro of the
C library would hide from the poison. A bounded write whose length is looked at goes through base/buf.h.
"""
import re

import house

FUNCTIONS = [
    "atoi", "atol", "atoll", "atof", "strtod", "sprintf", "vsprintf", "snprintf", "vsnprintf", "strcpy", "strcat",
    "strncpy", "strncat", "strtok", "localtime", "localtime_r", "gmtime", "asctime", "asctime_r", "ctime", "ctime_r",
    "gets", "scanf", "sscanf", "fscanf", "alloca", "setlocale", "rand", "srand", "tmpnam", "mktemp", "system", "popen",
]
# Tests compare against these and write into buffers of their own making.
FINE_IN_TESTS = {"snprintf", "localtime_r", "strtod"}
# (path, function) → why the call is right there.
ALLOWED = {
    ("src/base/arena.c", "vsnprintf"): "the one formatter of texts on an arena; looks at the length and grows",
    ("src/base/buf.c", "vsnprintf"): "the one formatter into buffers; looks at the length and grows",
    ("src/base/number.c", "snprintf"): "the one writer of doubles; the length is checked",
}
CALL = re.compile(r"\b(" + "|".join(FUNCTIONS) + r")\s*\(")
MARK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def findings(root):
    found = []
    for name in house.files(root, ".c", ".h"):
        source = house.text(root, name)
        fine = FINE_IN_TESTS if name.startswith(("tests/", "bench/")) else set()
        for number, line in enumerate(house.code_only(source).splitlines(), 1):
            for match in CALL.finditer(line):
                if match.group(1) not in fine and (name, match.group(1)) not in ALLOWED:
                    found.append(f"{name}:{number}: {match.group(1)}() is banned")
    for name in house.files(root, ".c", ".h", ".sql", ".mjs", ".js", ".html", ".css"):
        for number, line in enumerate(house.text(root, name).splitlines(), 1):
            if MARK.search(line):
                found.append(f"{name}:{number}: says it is unfinished ({MARK.search(line).group(1)})")
    return found


must_fail = [
    {"src/base/a.c": "int\nf(const char *s)\n{\n\treturn atoi(s);\n}\n"},
    {"tests/unit/base/a_test.c": "void f(char *b) { sprintf (b, \"x\"); }\n"},
    {"src/base/a.c": "/* TO" + "DO: later */\n"},
]
must_pass = [
    {"src/base/a.c": "/* sprintf(x) would truncate. */\nconst char *s = \"atoi(\";\nint my_atoi(int x);\n"},
]
