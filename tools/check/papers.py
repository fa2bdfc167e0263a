"""Links inside the documents lead somewhere, files end as .editorconfig says, and none names the machine it was written on.
"""
import re

import house

TEXT = (".c", ".h", ".md", ".py", ".sql", ".mjs", ".js", ".css", ".html", ".json", ".yml", ".yaml", ".csv", ".tsv", ".svg",
        "meson.build", "dev", "run", "deps", "build", "pg", "tally", "fuzz", "bench")
# Inputs of tests are bytes as they have to be.
EXACT = ("tests/api/inputs/", "tests/fuzz/seeds/")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Written so that this file does not mind itself.
PLACES = re.compile(r"(?<![\w.])/(?:work|root|home)/[\w.]|/tmp/(?:bash_|issues)|registry" + r"\.npmjs")


def findings(root):
    found = []
    for name in house.files(root):
        if not name.endswith(TEXT) or name.startswith(EXACT):
            continue
        text = house.text(root, name)
        for number, line in enumerate(text.split("\n"), 1):
            if PLACES.search(line):
                found.append(f"{name}:{number}: names a place of one machine: {PLACES.search(line).group(0)}")
            if line != line.rstrip() and not name.endswith((".md", ".csv", ".tsv")):
                found.append(f"{name}:{number}: white space at the end of the line")
        if text and not text.endswith("\n"):
            found.append(f"{name}: no newline at the end")
        if name.endswith(".md"):
            found += dead_links(root, name, text)
    return found


def dead_links(root, name, text):
    folder = (root / name).parent
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target) and not (folder / target).exists():
            yield f"{name}: the link to {target} leads nowhere"


must_fail = [
    {"README.md": "[x](docs/absent.md)\n"},
    {"src/base/a.c": "int x; \n"},
    {"src/base/a.c": "int x;"},
    {"docs/a.md": "see /wo" + "rk/main\n"},
]
must_pass = [{"README.md": "[x](docs/a.md#part) [y](https://example.org/z)\n", "docs/a.md": "text\n"}]
