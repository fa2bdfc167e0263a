"""Functions that truncate, guess or depend on the locale are not called, and nothing is left marked as unfinished.

base/banned.h poisons most of them at compile time; this covers tests and benchmarks too, and those that a macro of the
C library would hide from the poison. snprintf() is fine where its result is looked at.
"""
import re

import house

FUNCTIONS = [
    "atoi", "atol", "atoll", "atof", "strtod", "sprintf", "vsprintf", "strcpy", "strcat",
    "strncpy", "strncat", "strtok", "localtime", "localtime_r", "gmtime", "asctime", "asctime_r", "ctime", "ctime_r",
    "gets", "scanf", "sscanf", "fscanf", "alloca", "setlocale", "rand", "srand", "tmpnam", "mktemp", "system", "popen",
]
# Tests compare against these, or show that they change nothing.
FINE_IN_TESTS = {"localtime_r", "setlocale", "strtod"}
# (path, function) → why the call is right there.
ALLOWED = {}
CALL = re.compile(r"\b(" + "|".join(FUNCTIONS) + r")\s*\(")
# A statement of its own: nobody looks at how much was written.
UNCHECKED = re.compile(r"[;{})]\s*(?:\(void\)\s*)?(v?snprintf)\s*\(")
MARK = re.compile(r"\b(TODO|FIXME)\b")


def findings(root):
    found = []
    for name in house.files(root, ".c", ".h"):
        source = house.text(root, name)
        fine = FINE_IN_TESTS if name.startswith(("tests/", "bench/")) else set()
        code = house.code_only(source)
        for match in () if fine else UNCHECKED.finditer(code):
            number = code.count("\n", 0, match.start(1)) + 1
            found.append(f"{name}:{number}: the result of {match.group(1)}() is not looked at")
        for number, line in enumerate(code.splitlines(), 1):
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
    {"src/base/a.c": "void\nf(char *b)\n{\n\tsnprintf(b, 3, \"x\");\n}\n"},
    {"src/base/a.c": "/* TO" + "DO: later */\n"},
]
must_pass = [
    {"src/base/a.c": "/* sprintf(x) would truncate. */\nconst char *s = \"atoi(\";\nint my_atoi(int x);\n"},
    {"src/base/a.c": "int\nf(char *b)\n{\n\tint n =\n\t\tsnprintf(b, 3, \"x\");\n\treturn n;\n}\n"},
]
