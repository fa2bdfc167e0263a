/*
 * Values of PostgreSQL's binary results. Columns are BIGINT, TEXT, DOUBLE PRECISION or BYTEA by the house's rules, and what expressions
 * give besides (INTEGER, BOOLEAN, NAME); others are refused before a value is read. Conversions are those that SQLite makes.
 */
#include "base/number.h"
#include "db/postgres.h"

static const PGresult *
result_of(const struct db_rows *r)
{
	const struct postgres_cursor *cursor = r->cursor;

	return cursor->result;
}

struct err *
db_postgres_columns(struct postgres *c, struct arena *a, const PGresult *result, const char *where)
{
	for (int i = 0; i < PQnfields(result); i++) {
		switch (PQftype(result, i)) {
		case PG_BOOL:
		case PG_BYTEA:
		case PG_CHAR:
		case PG_NAME:
		case PG_INT8:
		case PG_INT2:
		case PG_INT4:
		case PG_TEXT:
		case PG_OID:
		case PG_FLOAT4:
		case PG_FLOAT8:
		case PG_BPCHAR:
		case PG_VARCHAR:
		case PG_VOID:
			break;
		default: /* not our enumeration */
			c->base.trouble = DB_TROUBLE_FINAL;
			return err_private(a, ERR_INTERNAL,
				"%s: column %s has the type %u of PostgreSQL: CAST it to BIGINT or TEXT",
				where, PQfname(result, i), PQftype(result, i));
		}
	}
	return NULL;
}

static uint64_t
big_endian(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static int64_t
read_integer(const char *p, int n)
{
	uint64_t v = big_endian(p, (size_t)n);

	/* Signed ones of every width; a BOOLEAN has one byte and is never negative. */
	switch (n) {
	case 8:
		return (int64_t)v;
	case 4:
		return (int32_t)(uint32_t)v;
	case 2:
		return (int16_t)(uint16_t)v;
	default:
		return (int64_t)v;
	}
}

static double
read_real(const char *p, int n)
{
	uint64_t bits = big_endian(p, (size_t)n);
	uint32_t low = (uint32_t)bits;
	double d;
	float f;

	if (n == (int)sizeof(d)) {
		memcpy(&d, &bits, sizeof(d));
		return d;
	}
	memcpy(&f, &low, sizeof(f));
	return (double)f;
}

enum shape { SHAPE_INTEGER, SHAPE_REAL, SHAPE_BYTES };

static enum shape
shape_of(const PGresult *result, int column)
{
	switch (PQftype(result, column)) {
	case PG_BOOL:
	case PG_INT8:
	case PG_INT2:
	case PG_INT4:
	case PG_OID:
		return SHAPE_INTEGER;
	case PG_FLOAT4:
	case PG_FLOAT8:
		return SHAPE_REAL;
	default:
		return SHAPE_BYTES;
	}
}

bool
db_postgres_is_null(const struct db_rows *r, int column)
{
	return PQgetisnull(result_of(r), r->row, column);
}

int64_t
db_postgres_integer(const struct db_rows *r, int column)
{
	const PGresult *result = result_of(r);
	const char *p = PQgetvalue(result, r->row, column);
	int n = PQgetlength(result, r->row, column);
	int64_t v = 0;

	if (PQgetisnull(result, r->row, column))
		return 0;
	switch (shape_of(result, column)) {
	case SHAPE_INTEGER:
		return read_integer(p, n);
	case SHAPE_REAL: {
		double d = read_real(p, n);
		return d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? (int64_t)d : 0;
	}
	case SHAPE_BYTES:
		return str_to_int((struct str){ p, (size_t)n }, &v) ? v : 0;
	}
	return 0;
}

double
db_postgres_real(const struct db_rows *r, int column)
{
	const PGresult *result = result_of(r);
	const char *p = PQgetvalue(result, r->row, column);
	int n = PQgetlength(result, r->row, column);
	double v = 0;

	if (PQgetisnull(result, r->row, column))
		return 0;
	switch (shape_of(result, column)) {
	case SHAPE_INTEGER:
		return (double)read_integer(p, n);
	case SHAPE_REAL:
		return read_real(p, n);
	case SHAPE_BYTES:
		return double_parse((struct str){ p, (size_t)n }, &v) ? v : 0;
	}
	return 0;
}

struct str
db_postgres_text(const struct db_rows *r, int column)
{
	const PGresult *result = result_of(r);
	const char *p = PQgetvalue(result, r->row, column);
	int n = PQgetlength(result, r->row, column);
	struct buf b;

	if (PQgetisnull(result, r->row, column))
		return (struct str){ NULL, 0 };
	switch (shape_of(result, column)) {
	case SHAPE_INTEGER:
		return arena_fmt(r->tx->arena, "%lld", (long long)read_integer(p, n));
	case SHAPE_REAL:
		buf_init_arena(&b, r->tx->arena, 64);
		double_write(&b, read_real(p, n));
		return buf_str(&b);
	case SHAPE_BYTES:
		break;
	}
	return (struct str){ p, (size_t)n };
}
