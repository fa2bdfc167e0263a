"""No object has a mutable global or static variable, but the few that are listed with their reason.

Looks into the objects of a build rather than the text: whatever landed in a writable section is mutable, however it was
written. Tests and benchmarks are not looked at.
"""
import collections
import pathlib
import re
import subprocess

import house

# (file, symbol) → why it has to be mutable.
ALLOWED = {
    ("base/log.c", "least_level"): "the process has one log, and a line may be written where no context reaches",
    ("base/log.c", "write_lock"): "the same: lines of several threads must not mix",
    ("base/time_zone.c", "cache"): "zones are read once a process and never change; entries are only added",
}
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss)(\.(?!rel\.ro).*)?$")
# What sanitizers and the compiler add by themselves.
TOOLING = re.compile(r"^(__odr_asan|__asan|__ubsan|\.L|__func__|__PRETTY_FUNCTION__|_GLOBAL_|completed\.|__sancov)")


def objects(root):
    for directory in ("build-test", "build-dev", "build"):
        found = sorted((root / directory).glob("lib*.a.p/**/*.o")) + sorted((root / directory).glob("sextant.p/**/*.o"))
        if found:
            return found
    planted = []
    for name in house.files(root, ".c"):
        target = root / (name + ".o")
        subprocess.run(["gcc", "-w", "-c", str(root / name), "-o", str(target)], check=True)
        planted.append(target)
    return planted


def writable_symbols(paths):
    """(object, symbol) for every data symbol in a writable section."""
    listing = subprocess.run(["readelf", "-W", "-S", "-s", *map(str, paths)], capture_output=True, text=True, check=True).stdout
    sections = {}
    current = str(paths[0])
    seen = collections.OrderedDict()
    for line in listing.splitlines():
        if line.startswith("File: "):
            current, sections = line[6:].strip(), {}
            continue
        section = re.match(r"^\s*\[\s*(\d+)\]\s+(\S+)", line)
        if section:
            sections[section.group(1)] = section.group(2)
            continue
        symbol = re.match(r"^\s*\d+:\s+[0-9a-f]+\s+\S+\s+(OBJECT|TLS)\s+\S+\s+\S+\s+(\d+)\s+(\S+)", line)
        if symbol and WRITABLE.match(sections.get(symbol.group(2), "")) and not TOOLING.match(symbol.group(3)):
            seen[(current, symbol.group(3))] = True
    return list(seen)


def findings(root):
    paths = objects(root)
    if not paths:
        raise house.CannotLook("nothing is built yet")
    found = []
    for path, symbol in writable_symbols(paths):
        # Meson names the object of src/base/log.c "src_base_log.c.o"; the compiler numbers statics of functions.
        file = pathlib.Path(path).name.removesuffix(".o").removeprefix("src_").replace("_", "/", 1)
        if (file, symbol.split(".")[0]) not in ALLOWED:
            found.append(f"{file}: {symbol} is mutable")
    return found


must_fail = [
    {"src/base/a.c": "int counter;\n"},
    {"src/base/a.c": "int\nnext(void)\n{\n\tstatic int last = 1;\n\treturn ++last;\n}\n"},
    {"src/base/a.c": "_Thread_local int depth;\n"},
]
must_pass = [
    {"src/base/a.c": "static const char *const names[] = { \"a\", \"b\" };\nconst char *const *all = 0;\n".replace("const char *const *all = 0;\n", "const char *const *\nall(void)\n{\n\treturn names;\n}\n")},
]
