#!/usr/bin/env python3
"""Turns .sql files into C constants, so that SQL stands beside the code that uses it and is checked before it is compiled.

statements  named blocks of one file        -> struct db_sql constants (header and C file)
all         the headers of all those files  -> one table of every statement, for the test that prepares them
migrations  src/db/migrations/NNNN_*.sql    -> the list of migrations, in the words of each database

The syntax is described in src/db/README.md. A fault ends the build with file, line and reason.
"""

import hashlib
import pathlib
import re
import sys

KINDS = ("sqlite", "postgres")  # in the order of enum db_kind


class Fault(Exception):
    pass


# ---- text ------------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*' | "(?:[^"]|"")*" | \$\$.*?\$\$)
      | (?P<comment>--[^\n]* | /\*.*?\*/)
      | (?P<param>\$\d+)
      | (?P<space>\s+)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(sql):
    """Pairs (kind, text) without comments; white space between tokens becomes one blank."""
    out = []
    for m in TOKEN.finditer(sql):
        kind = m.lastgroup
        if kind in ("comment", "space"):
            if out and out[-1][0] != "space":
                out.append(("space", " "))
        else:
            out.append((kind, m.group()))
    while out and out[-1][0] == "space":
        out.pop()
    return out


def text_of(toks):
    return "".join(t for _, t in toks).strip()


def normalise(sql):
    return text_of(tokens(sql))


def fnv1a(text):
    """str_hash of base/str.h."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def c_literal(text):
    if not text:
        return '""'
    lines = []
    raw = text.encode()
    for i in range(0, len(raw), 90):
        part = ""
        for byte in raw[i : i + 90]:
            c = chr(byte)
            if c in '"\\':
                part += "\\" + c
            elif c == "?":
                part += "\\?"  # no trigraphs
            elif 32 <= byte < 127:
                part += c
            else:
                part += "\\%03o" % byte
        lines.append('"%s"' % part)
    return "\n\t\t".join(lines)


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="utf-8")


# ---- statements -----------------------------------------------------------------------------------------------------------

NAME_LINE = re.compile(r"^--\s*name:\s*(?P<name>\S+)(?:\s+@(?P<kind>\S+))?\s*$")


def blocks(path):
    """name -> {kind or None: (line, sql)} in order of appearance."""
    found = {}
    current = None
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").split("\n"), 1):
        m = NAME_LINE.match(line)
        if m:
            name, kind = m["name"], m["kind"]
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise Fault(f"{path}:{number}: '{name}' is not a name (lower case letters, digits, _)")
            if kind not in (None, *KINDS):
                raise Fault(f"{path}:{number}: '@{kind}' is none of {', '.join('@' + k for k in KINDS)}")
            variants = found.setdefault(name, {})
            if kind in variants:
                raise Fault(f"{path}:{number}: '{name}' is defined twice")
            current = variants[kind] = [number, []]
        elif current:
            current[1].append(line)
        elif line.strip() and not line.lstrip().startswith("--"):
            raise Fault(f"{path}:{number}: SQL before the first '-- name:' line")
    return {n: {k: (v[0], "\n".join(v[1])) for k, v in variants.items()} for n, variants in found.items()}


# Row locks are PostgreSQL's; on SQLite the writer holds the only write lock anyway.
ROW_LOCK = re.compile(r" FOR (?:NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)(?: OF [a-z0-9_, ]+?)?(?: SKIP LOCKED| NOWAIT)?(?=$| *\)|;)", re.I)


# A cast text has the cluster's order on PostgreSQL, which does not go together with columns in byte order.
TEXT_CAST = re.compile(r"\bAS TEXT\)")


def text_for(kind, text):
    """The common text in the words of one database."""
    if kind == "sqlite":
        return ROW_LOCK.sub("", text)
    return outside_quotes(text, lambda t: TEXT_CAST.sub('AS TEXT) COLLATE "C"', t))


def statement(path, line, sql):
    """Checked text and number of parameters."""
    toks = tokens(sql)
    while toks and toks[-1][1] in (";", " "):
        toks.pop()
    if not toks:
        raise Fault(f"{path}:{line}: empty block")
    if any(t == ";" for _, t in toks):
        raise Fault(f"{path}:{line}: a block is one statement")
    if any(k == "other" and t == "?" for k, t in toks):
        raise Fault(f"{path}:{line}: parameters are $1, $2, …")
    numbers = {int(t[1:]) for k, t in toks if k == "param"}
    if numbers and numbers != set(range(1, max(numbers) + 1)):
        raise Fault(f"{path}:{line}: parameters must be $1 to ${max(numbers)} without gaps")
    return text_of(toks), len(numbers)


def compile_statements(path):
    """List of (name, {kind: text}, params)."""
    out = []
    for name, variants in blocks(path).items():
        texts, counts = {}, set()
        for kind in KINDS:
            if kind not in variants and None not in variants:
                continue
            line, sql = variants.get(kind) or variants[None]
            text, params = statement(path, line, sql)
            texts[kind] = text if kind in variants else text_for(kind, text)
            counts.add(params)
        if len(counts) > 1:
            raise Fault(f"{path}: the variants of '{name}' have different numbers of parameters")
        out.append((name, texts, counts.pop()))
    if not out:
        raise Fault(f"{path}: no '-- name:' block")
    return out


def generate_statements(path, c_file, h_file):
    stem = pathlib.Path(path).stem
    rows = compile_statements(path)
    head = f"/* Made by tools/sqlgen.py from {stem}.sql: edit that. */\n"
    guard = re.sub(r"\W", "_", stem).upper() + "_SQL_H"
    h = head + f'#ifndef {guard}\n#define {guard}\n\n#include "db/db.h"\n\n'
    h += "".join(f"extern const struct db_sql sql_{name};\n" for name, _, _ in rows)
    h += f"\n/* Every statement of the file. */\nextern const struct db_sql *const {stem}_sql_all[{len(rows)}];\n\n#endif\n"
    c = head + f'#include "{stem}_sql.h"\n\n#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n'
    for name, texts, params in rows:
        c += f'const struct db_sql sql_{name} = {{\n\t.name = "{name}",\n\t.text = {{\n'
        for kind in KINDS:
            c += f"\t\tSTR_INIT({c_literal(texts[kind])}),\n" if kind in texts else "\t\t{ NULL, 0 },\n"
        hashes = ", ".join("0x%016x" % (fnv1a(texts[k]) if k in texts else 0) for k in KINDS)
        c += f"\t}},\n\t.hash = {{ {hashes} }},\n\t.params = {params},\n}};\n\n"
    c += f"const struct db_sql *const {stem}_sql_all[{len(rows)}] = {{\n"
    c += "".join(f"\t&sql_{name},\n" for name, _, _ in rows) + "};\n"
    write(c_file, c)
    write(h_file, h)


def generate_all(c_file, h_file, headers):
    """headers: the generated ones; their table is named like the file."""
    stems = sorted(pathlib.Path(h).name[: -len("_sql.h")] for h in headers)
    head = "/* Made by tools/sqlgen.py: every statement of every .sql file. */\n"
    h = head + '#ifndef SQL_ALL_H\n#define SQL_ALL_H\n\n#include "db/db.h"\n\n'
    h += "struct sql_file {\n\tconst char *name;\n\tconst struct db_sql *const *statements;\n\tsize_t count;\n};\n\n"
    h += f"extern const struct sql_file sql_all[{len(stems)}];\n\n#endif\n"
    c = head + '#include "sql_all.h"\n\n'
    # Declared without their sizes, which the table takes from the headers' own text.
    sizes = {}
    for path in headers:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        stem = pathlib.Path(path).name[: -len("_sql.h")]
        sizes[stem] = int(re.search(r"_sql_all\[(\d+)\]", text)[1])
    c += "".join(f"extern const struct db_sql *const {s}_sql_all[{sizes[s]}];\n" for s in stems)
    c += f"\nconst struct sql_file sql_all[{len(stems)}] = {{\n"
    c += "".join(f'\t{{ "{s}", {s}_sql_all, {sizes[s]} }},\n' for s in stems) + "};\n"
    write(c_file, c)
    write(h_file, h)


# ---- migrations -----------------------------------------------------------------------------------------------------------

FOREIGN_TYPES = {
    "INT", "INTEGER", "SMALLINT", "INT2", "INT4", "INT8", "SERIAL", "BIGSERIAL", "REAL", "FLOAT", "FLOAT8", "VARCHAR", "CHAR",
    "BLOB", "TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIME", "JSON", "JSONB", "UUID", "NUMERIC", "DECIMAL", "AUTOINCREMENT",
}
SQLITE_WORDS = (
    (re.compile(r"\bBIGINT\b"), "INTEGER"),
    (re.compile(r"\bBOOLEAN\b"), "INTEGER"),
    (re.compile(r"\bDOUBLE PRECISION\b"), "REAL"),
    (re.compile(r"\bBYTEA\b"), "BLOB"),
)
# Byte order on both databases, whatever the locale of the PostgreSQL cluster is.
POSTGRES_WORDS = (
    (re.compile(r"\bBOOLEAN\b"), "BIGINT"),
    (re.compile(r"(?<!AS )\bTEXT\b"), 'TEXT COLLATE "C"'),
)
SEQUENCE_BLOCK = 32  # numbers a PostgreSQL connection pool takes at once; DB_SEQUENCE_BLOCK in src/db/sequences.h


def sections(path):
    """Runs of (kind or None, first line, text) of a migration."""
    out = [(None, 1, [])]
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").split("\n"), 1):
        m = re.match(r"^--\s*@(\w+)\s*$", line)
        if m and m[1] in (*KINDS, "all"):
            out.append((None if m[1] == "all" else m[1], number, []))
        else:
            out[-1][2].append(line)
    return [(kind, number, "\n".join(lines)) for kind, number, lines in out]


def portable_statements(path, first, sql):
    """Statements of a portable section with the line they start on and whether '-- @global' precedes them."""
    out, start, is_global = [], first, False
    current = ""
    for number, line in enumerate(sql.split("\n"), first):
        if re.match(r"^--\s*@global\b", line):
            is_global = True
            continue
        if re.match(r"^--\s*@", line):
            raise Fault(f"{path}:{number}: unknown mark '{line.strip()}'")
        if not normalise(current):
            start = number
        current += line + "\n"
        body = normalise(current)
        if body.endswith(";"):
            out.append((start, body[:-1].rstrip(), is_global))
            current, is_global = "", False
    if normalise(current):
        raise Fault(f"{path}:{start}: statement without ';'")
    return out


def outside_quotes(sql, change):
    return "".join(t if k == "quoted" else change(t) for k, t in merged(tokens(sql)))


def merged(toks):
    """Joins neighbouring tokens that are not quoted, so that patterns can span them."""
    out = []
    for kind, text in toks:
        kind = "quoted" if kind == "quoted" else "plain"
        if out and out[-1][0] == kind == "plain":
            out[-1] = (kind, out[-1][1] + text)
        else:
            out.append((kind, text))
    return out


def columns_of(listing):
    return [c.strip() for c in listing.split(",")]


def check_table(path, line, sql, is_global):
    """Table name, after the rules every portable table follows were checked."""
    table = re.match(r"CREATE TABLE (?:IF NOT EXISTS )?([a-z_][a-z0-9_]*) ?\(", sql)
    if not table:
        raise Fault(f"{path}:{line}: CREATE TABLE wants a lower case name and its columns")
    if re.search(r"[a-z_]+ [A-Z ]+\bUNIQUE\b(?! ?\()", sql):
        raise Fault(f"{path}:{line}: write UNIQUE (company_id, column) as a constraint of the table")
    keys = re.findall(r"(?:PRIMARY KEY|UNIQUE) ?\(([^)]*)\)", sql)
    if not re.search(r"\bPRIMARY KEY\b", sql):
        raise Fault(f"{path}:{line}: table {table[1]} has no primary key")
    inline = re.search(r"([a-z_][a-z0-9_]*) [A-Z ]+ PRIMARY KEY(?! ?\()", sql)
    if inline:
        keys.append(inline[1])
    for key in keys:
        if columns_of(key)[0] != "company_id" and not is_global:
            raise Fault(f"{path}:{line}: the tenant comes first in every key of {table[1]}: ({key}); "
                        "or say '-- @global why' before the table")
    return table[1]


def name_unique(table, sql):
    """UNIQUE (a, b) becomes CONSTRAINT table_b_key UNIQUE (a, b): the errors' column is derived from the name."""
    def named(m):
        return f"{m[1]}CONSTRAINT {table}_{columns_of(m[2])[-1]}_key UNIQUE ({m[2]})"
    return re.sub(r"(, ?|\()UNIQUE ?\(([^)]*)\)", named, sql)


def check_words(path, line, sql):
    words = {t.upper() for k, t in tokens(sql) if k == "word"}
    bad = sorted(words & FOREIGN_TYPES)
    if bad and re.match(r"(CREATE TABLE|ALTER TABLE)", sql):
        raise Fault(f"{path}:{line}: {', '.join(bad)}: portable types are BIGINT, TEXT, DOUBLE PRECISION, BYTEA, BOOLEAN; "
                    "what differs goes into a section @sqlite or @postgres")
    index = re.match(r"CREATE UNIQUE INDEX ([a-z0-9_]+) ON ([a-z0-9_]+) ?\(([^)]*)\)", sql)
    if index and index[1] != f"{index[2]}_{columns_of(index[3])[-1]}_key":
        raise Fault(f"{path}:{line}: the index must be named {index[2]}_{columns_of(index[3])[-1]}_key")


def translate(path, line, sql, is_global):
    """(sqlite text, postgres text) of a portable statement."""
    check_words(path, line, sql)
    sequence = re.fullmatch(r"CREATE SEQUENCE ([a-z][a-z0-9_]*)", sql)
    if sequence:
        return (f"INSERT INTO sequence (name, next) VALUES ('{sequence[1]}', 1)",
                f"CREATE SEQUENCE {sequence[1]}_seq INCREMENT BY {SEQUENCE_BLOCK}")
    rowid = re.search(r"\) ?WITHOUT ROWID$", sql)
    body = sql[: rowid.start() + 1] if rowid else sql
    lite = pg = body
    if sql.startswith("CREATE TABLE"):
        lite = pg = name_unique(check_table(path, line, sql, is_global), body)
    if re.match(r"(CREATE|ALTER) TABLE", sql):
        for pattern, word in SQLITE_WORDS:
            lite = outside_quotes(lite, lambda t, p=pattern, w=word: p.sub(w, t))
        for pattern, word in POSTGRES_WORDS:
            pg = outside_quotes(pg, lambda t, p=pattern, w=word: p.sub(w, t))
    if sql.startswith("CREATE TABLE"):
        lite += " WITHOUT ROWID, STRICT" if rowid else " STRICT"
    return lite, pg


def compile_migration(path):
    """Version, topic, [sqlite text, postgres text], SHA-256 of the normalised source (comments and layout may change)."""
    m = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", pathlib.Path(path).name)
    if not m:
        raise Fault(f"{path}: a migration is named NNNN_topic.sql")
    texts, source = ["", ""], ""
    for kind, line, sql in sections(path):
        source += f"@{kind or 'all'} {normalise(sql)}\n"
        if kind:
            part = sql.strip()
            texts[KINDS.index(kind)] += part + "\n" if part else ""
            continue
        for start, statement_sql, is_global in portable_statements(path, line, sql):
            for i, text in enumerate(translate(path, start, statement_sql, is_global)):
                texts[i] += text + ";\n"
    return int(m[1]), m[2], texts, hashlib.sha256(source.encode()).hexdigest()


def generate_migrations(c_file, files):
    rows = sorted(compile_migration(f) for f in files)
    for before, after in zip(rows, rows[1:]):
        if before[0] == after[0]:
            raise Fault(f"two migrations have the number {after[0]:04}")
    if [r[0] for r in rows] != list(range(1, len(rows) + 1)):
        raise Fault("migrations are numbered from 0001 without gaps")
    c = "/* Made by tools/sqlgen.py from the files of src/db/migrations: edit those. */\n"
    c += '#include "db/migrate.h"\n\n#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n'
    c += "const struct db_migration db_migrations[] = {\n"
    for version, topic, texts, checksum in rows:
        c += f'\t{{ .version = {version}, .name = "{topic}", .checksum = STR_INIT("{checksum}"), .text = {{\n'
        c += "".join(f"\t\tSTR_INIT({c_literal(t)}),\n" for t in texts) + "\t} },\n"
    c += f"}};\nconst size_t db_migration_count = {len(rows)};\n"
    write(c_file, c)


def main(args):
    try:
        if len(args) == 4 and args[0] == "statements":
            generate_statements(*args[1:])
        elif len(args) >= 3 and args[0] == "all":
            generate_all(args[1], args[2], args[3:])
        elif len(args) >= 2 and args[0] == "migrations":
            generate_migrations(args[1], args[2:])
        else:
            raise Fault("usage: sqlgen.py statements FILE.sql OUT.c OUT.h | all OUT.c OUT.h HEADER… | migrations OUT.c FILE.sql…")
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
