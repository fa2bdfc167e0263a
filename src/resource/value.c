/*
 * A value between record and database, and whether two records hold the same one. Columns are those of enum res_kind: instants and
 * amounts are integers, dates and decimals are text, an enum is its name, so that a person can read the tables.
 */
#include "resource/engine.h"

int
res_money_decimals(const struct res_ctx *c)
{
	int n = currency_decimals(c->actor->currency);
	return n < 0 ? 2 : n;
}

static struct db_param
decimal_param(struct arena *a, struct decimal d)
{
	struct buf b;
	buf_init_arena(&b, a, 64);
	decimal_write(&b, d);
	return P_TEXT(buf_str(&b));
}

static struct db_param
date_param(struct arena *a, struct date d)
{
	struct buf b;
	buf_init_arena(&b, a, 64);
	date_write(&b, d);
	return P_TEXT(buf_str(&b));
}

struct db_param
res_param_at(struct arena *a, const struct res_field *f, const void *at)
{
	switch (f->kind) {
	case RES_TEXT:
	case RES_JSON:
		return P_TEXT(*(const struct str *)at);
	case RES_INT:
	case RES_REF:
		return P_INT(*(const int64_t *)at);
	case RES_BOOL:
		return P_INT(*(const bool *)at ? 1 : 0);
	case RES_DECIMAL:
		return decimal_param(a, *(const struct decimal *)at);
	case RES_MONEY:
		return P_INT(((const struct money *)at)->minor);
	case RES_DATE:
		return date_param(a, *(const struct date *)at);
	case RES_INSTANT:
		return P_INSTANT(*(const struct instant *)at);
	case RES_ENUM:
		return P_TEXT(str_from_cstr(f->names[*(const int *)at]));
	}
	check(!"a kind");
	return P_NULL;
}

struct db_param
res_param(const struct res_ctx *c, const struct res_def *def, const struct res_field *f, const void *record)
{
	if (!res_has_value(def, f, record))
		return P_NULL;
	return res_param_at(c->arena, f, res_member_of(f, record));
}

static bool
enum_read(const struct res_field *f, struct str name, int *out)
{
	for (int i = 0; f->names[i]; i++)
		if (strncmp(f->names[i], name.p, name.n) == 0 && f->names[i][name.n] == '\0') {
			*out = i;
			return true;
		}
	return false;
}

static bool
holds_text(enum res_kind kind)
{
	return kind == RES_TEXT || kind == RES_JSON || kind == RES_DECIMAL || kind == RES_DATE ||
	       kind == RES_ENUM;
}

static bool
text_read(const struct res_field *f, struct arena *a, struct str text, void *at)
{
	if (f->kind == RES_DECIMAL)
		return decimal_parse(text, at) == DECIMAL_OK;
	if (f->kind == RES_DATE)
		return date_parse(text, at);
	if (f->kind == RES_ENUM)
		return enum_read(f, text, at);
	*(struct str *)at = arena_str(a, text);
	return true;
}

static void
integer_read(const struct res_field *f, int64_t v, void *at)
{
	if (f->kind == RES_BOOL)
		*(bool *)at = v != 0;
	else
		*(int64_t *)at = v; /* an amount and an instant are one int64_t as well */
}

/* An absent text has no address and an absent integer reads as 0, so only a 0 has to be asked about. */
struct err *
res_column_read(struct res_ctx *c, const struct res_def *def, const struct res_field *f,
	const struct db_rows *r, int column, void *record)
{
	struct str text = { 0 };
	int64_t v = 0;
	bool null;

	if (holds_text(f->kind)) {
		text = db_text(r, column);
		null = !text.p;
	} else {
		v = db_int(r, column);
		null = v == 0 && db_is_null(r, column);
	}
	if (null)
		((struct res_row *)record)->null |= res_bit(def, f);
	else if (!holds_text(f->kind))
		integer_read(f, v, res_member(f, record));
	else if (!text_read(f, c->arena, text, res_member(f, record)))
		return err_private(
			c->arena, ERR_INTERNAL, "%s.%s holds no value of its kind", def->table, f->column);
	return NULL;
}

bool
res_value_same(const struct res_def *def, const struct res_field *f, const void *a, const void *b)
{
	bool has = res_has_value(def, f, a);
	if (has != res_has_value(def, f, b))
		return false;
	if (!has)
		return true;
	const void *x = res_member_of(f, a), *y = res_member_of(f, b);
	switch (f->kind) {
	case RES_TEXT:
	case RES_JSON:
		return str_eq(*(const struct str *)x, *(const struct str *)y);
	case RES_INT:
	case RES_REF:
		return *(const int64_t *)x == *(const int64_t *)y;
	case RES_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case RES_DECIMAL: {
		const struct decimal *d = x, *e = y;
		return d->coef == e->coef && d->scale == e->scale;
	}
	case RES_MONEY:
		return ((const struct money *)x)->minor == ((const struct money *)y)->minor;
	case RES_DATE:
		return ((const struct date *)x)->days == ((const struct date *)y)->days;
	case RES_INSTANT:
		return ((const struct instant *)x)->us == ((const struct instant *)y)->us;
	case RES_ENUM:
		return *(const int *)x == *(const int *)y;
	}
	return false;
}

struct str
res_id_text(struct arena *a, const struct res_field *f, const void *record)
{
	const void *at = res_member_of(f, record);
	if (f->kind == RES_TEXT)
		return *(const struct str *)at;
	return arena_fmt(a, "%lld", (long long)*(const int64_t *)at);
}
