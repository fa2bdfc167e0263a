#!/usr/bin/env python3
"""What tools/sqlgen.py accepts, refuses and makes."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))
sys.dont_write_bytecode = True
import sqlgen  # noqa: E402


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.dir.cleanup()

    def file(self, text, name="x.sql"):
        path = pathlib.Path(self.dir.name) / name
        path.write_text(text, encoding="utf-8")
        return path

    def refused(self, pattern, call, *args):
        with self.assertRaisesRegex(sqlgen.Fault, pattern):
            call(*args)


class Statements(Files):
    def compile(self, text):
        return sqlgen.compile_statements(self.file(text))

    def test_comments_and_layout_go_but_quotes_stay(self):
        rows = self.compile("-- name: a\nSELECT 'x  --y'  -- note\n\tFROM t /* all */ WHERE b = $1;\n")
        self.assertEqual(rows, [("a", dict.fromkeys(sqlgen.KINDS, "SELECT 'x  --y' FROM t WHERE b = $1"), 1)])

    def test_variant_replaces_the_common_text(self):
        rows = self.compile("-- name: a\nSELECT 1\n-- name: a @postgres\nSELECT 2\n")
        self.assertEqual(rows[0][1], {"sqlite": "SELECT 1", "postgres": "SELECT 2"})

    def test_row_locks_are_left_out_on_sqlite(self):
        rows = self.compile("-- name: a\nSELECT b FROM t WHERE c = $1 FOR UPDATE SKIP LOCKED\n")
        self.assertEqual(rows[0][1]["sqlite"], "SELECT b FROM t WHERE c = $1")
        self.assertTrue(rows[0][1]["postgres"].endswith("FOR UPDATE SKIP LOCKED"))

    def test_cast_texts_keep_byte_order_on_postgres(self):
        rows = self.compile("-- name: a\nSELECT CAST($1 AS TEXT), 'AS TEXT)'\n")
        self.assertEqual(rows[0][1], {"sqlite": "SELECT CAST($1 AS TEXT), 'AS TEXT)'",
                                      "postgres": "SELECT CAST($1 AS TEXT) COLLATE \"C\", 'AS TEXT)'"})

    def test_a_parameter_in_a_text_is_none(self):
        self.assertEqual(self.compile("-- name: a\nSELECT '$7', $1, $1\n")[0][2], 1)

    def test_faults(self):
        for pattern, text in (
            ("without gaps", "-- name: a\nSELECT $1, $3\n"),
            ("without gaps", "-- name: a\nSELECT $0\n"),
            ("parameters are", "-- name: a\nSELECT ?\n"),
            ("one statement", "-- name: a\nSELECT 1; SELECT 2\n"),
            ("empty block", "-- name: a\n-- nothing\n"),
            ("defined twice", "-- name: a\nSELECT 1\n-- name: a\nSELECT 1\n"),
            ("is none of", "-- name: a @oracle\nSELECT 1\n"),
            ("not a name", "-- name: A-b\nSELECT 1\n"),
            ("different numbers", "-- name: a @sqlite\nSELECT $1\n-- name: a @postgres\nSELECT $1, $2\n"),
            ("before the first", "SELECT 1\n-- name: a\nSELECT 1\n"),
            ("no '-- name:'", "-- only words\n"),
        ):
            with self.subTest(text=text):
                self.refused(pattern, self.compile, text)

    def test_hash_is_fnv1a(self):
        self.assertEqual(sqlgen.fnv1a(""), 0xCBF29CE484222325)
        self.assertEqual(sqlgen.fnv1a("a"), 0xAF63DC4C8601EC8C)
        self.assertEqual(sqlgen.fnv1a("foobar"), 0x85944171F73967E8)


class Migrations(Files):
    def compile(self, text, name="0001_a.sql"):
        return sqlgen.compile_migration(self.file(text, name))

    def texts(self, text):
        return self.compile(text)[2]

    def test_words_of_each_database(self):
        lite, pg = self.texts("CREATE TABLE t (company_id BIGINT, a BOOLEAN, b TEXT DEFAULT 'BIGINT', c DOUBLE PRECISION, d BYTEA,\n"
                              " UNIQUE (company_id, b), PRIMARY KEY (company_id, a)) WITHOUT ROWID;")
        self.assertEqual(lite, "CREATE TABLE t (company_id INTEGER, a INTEGER, b TEXT DEFAULT 'BIGINT', c REAL, d BLOB, "
                         "CONSTRAINT t_b_key UNIQUE (company_id, b), PRIMARY KEY (company_id, a)) WITHOUT ROWID, STRICT;\n")
        self.assertEqual(pg, "CREATE TABLE t (company_id BIGINT, a BIGINT, b TEXT COLLATE \"C\" DEFAULT 'BIGINT', c DOUBLE PRECISION, "
                         "d BYTEA, CONSTRAINT t_b_key UNIQUE (company_id, b), PRIMARY KEY (company_id, a));\n")

    def test_sequence(self):
        lite, pg = self.texts("CREATE SEQUENCE kpi;")
        self.assertIn("INSERT INTO sequence (name, next) VALUES ('kpi', 1)", lite)
        self.assertIn("CREATE SEQUENCE kpi_seq INCREMENT BY 32", pg)

    def test_sections_reach_one_database_unchanged(self):
        lite, pg = self.texts("-- @sqlite\nCREATE TRIGGER x BEGIN a; b; END;\n-- @postgres\nDO $$ a; $$;\n-- @all\nCREATE INDEX i ON t (a);")
        self.assertEqual(lite, "CREATE TRIGGER x BEGIN a; b; END;\nCREATE INDEX i ON t (a);\n")
        self.assertEqual(pg, "DO $$ a; $$;\nCREATE INDEX i ON t (a);\n")

    def test_checksum_sees_words_and_not_layout(self):
        first = self.compile("CREATE INDEX i ON t (a);")[3]
        self.assertEqual(first, self.compile("-- why\nCREATE INDEX i\n\tON t (a);\n")[3])
        self.assertNotEqual(first, self.compile("CREATE INDEX i ON t (b);")[3])

    def test_faults(self):
        for pattern, text in (
            ("tenant comes first", "CREATE TABLE t (id BIGINT PRIMARY KEY);"),
            ("tenant comes first", "CREATE TABLE t (company_id BIGINT, id BIGINT, PRIMARY KEY (company_id, id), UNIQUE (id));"),
            ("portable types", "CREATE TABLE t (company_id INTEGER, PRIMARY KEY (company_id));"),
            ("portable types", "ALTER TABLE t ADD COLUMN a TIMESTAMP;"),
            ("no primary key", "CREATE TABLE t (company_id BIGINT);"),
            ("must be named t_a_key", "CREATE UNIQUE INDEX wrong ON t (company_id, a);"),
            ("without ';'", "CREATE INDEX i ON t (a)"),
            ("unknown mark", "-- @mysql\nCREATE INDEX i ON t (a);"),
        ):
            with self.subTest(text=text):
                self.refused(pattern, self.compile, text)
        self.refused("NNNN_topic", self.compile, "", "1_a.sql")
        self.compile("-- @global one row a company\nCREATE TABLE t (id BIGINT PRIMARY KEY);")

    def test_numbers_without_gaps(self):
        files = [self.file("CREATE INDEX i ON t (a);", f"{n}_a.sql") for n in ("0001", "0003")]
        self.refused("without gaps", sqlgen.generate_migrations, self.file(""), files)


if __name__ == "__main__":
    unittest.main()
