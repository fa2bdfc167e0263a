"""What the checks share: the project's root, its files, and C text without comments and strings."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class CannotLook(Exception):
    """The check has no way to look on this machine; the text says what is absent."""


def files(root, *suffixes):
    """The project's files below root, as paths relative to it: tracked and new ones, nothing that git ignores."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
        names = sorted(n for n in set(listed) if n and (root / n).is_file())
    else:
        names = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    return [n for n in names if not suffixes or n.endswith(suffixes)]


def text(root, name):
    return (root / name).read_text(encoding="utf-8", errors="replace")


_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(source):
    """C source with comments and literals blanked, line by line in place."""
    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] * 2
        return "\n" * found.count("\n")
    return _NOISE.sub(blank, source)
