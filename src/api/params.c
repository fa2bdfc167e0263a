/*
 * Query parameters of one request, by name and by type. kpi-assignments takes every name in snake and in camel case, the others as they
 * are written.
 */
#include "api/core.h"

/* employee_id and employeeId are one name. */
static bool
same_words(struct str a, struct str b)
{
	size_t i = 0, j = 0;
	while (i < a.n && j < b.n) {
		if (a.p[i] == '_' && b.p[j] != '_')
			i++;
		else if (b.p[j] == '_' && a.p[i] != '_')
			j++;
		if (i >= a.n || j >= b.n || (a.p[i] | 0x20) != (b.p[j] | 0x20))
			return false;
		i++;
		j++;
	}
	return i == a.n && j == b.n;
}

bool
param_name_matches(const struct dialect *d, struct str given, struct str name)
{
	return str_eq(given, name) || (d->id == DIALECT_ASSIGNMENTS && same_words(given, name));
}

struct str
api_param(const struct api_ctx *c, const char *name)
{
	const struct str wanted = str_from_cstr(name);
	for (size_t i = 0; i < c->query.count; i++)
		if (param_name_matches(c->dialect, c->query.pairs[i].name, wanted))
			return c->query.pairs[i].value;
	return (struct str){ NULL, 0 };
}

static bool
bool_parse(struct str s, bool *out)
{
	static const char *const yes[] = { "true", "1", "yes", "on", "t", "y" };
	static const char *const no[] = { "false", "0", "no", "off", "f", "n" };
	for (size_t i = 0; i < COUNT(yes); i++) {
		const bool is_yes = str_eq_nocase(s, str_from_cstr(yes[i]));
		if (is_yes || str_eq_nocase(s, str_from_cstr(no[i]))) {
			*out = is_yes;
			return true;
		}
	}
	return false;
}

void
api_param_int(struct api_ctx *c, const char *name, int64_t min, int64_t max, int64_t *out, struct err **e)
{
	const struct str s = api_param(c, name);
	struct arena *a = c->res.arena;
	int64_t v;
	if (!s.p)
		return;
	if (!str_to_int(s, &v))
		err_add_field(a, e, str_from_cstr(name), "A valid integer is required.");
	else if (v < min)
		err_add_field(a, e, str_from_cstr(name),
			"Ensure this value is greater than or equal to %lld.", (long long)min);
	else if (v > max)
		err_add_field(a, e, str_from_cstr(name), "Ensure this value is less than or equal to %lld.",
			(long long)max);
	else
		*out = v;
}

void
api_param_bool(struct api_ctx *c, const char *name, bool *out, struct err **e)
{
	const struct str s = api_param(c, name);
	if (s.p && !bool_parse(s, out))
		err_add_field(c->res.arena, e, str_from_cstr(name), "Must be a valid boolean.");
}

void
api_param_date(struct api_ctx *c, const char *name, struct date *out, bool *given, struct err **e)
{
	const struct str s = api_param(c, name);
	*given = false;
	if (!s.p)
		return;
	if (date_parse(s, out))
		*given = true;
	else
		err_add_field(c->res.arena, e, str_from_cstr(name),
			"Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
}

void
api_param_instant(struct api_ctx *c, const char *name, struct instant *out, bool *given, struct err **e)
{
	const struct str s = api_param(c, name);
	*given = false;
	if (!s.p)
		return;
	if (instant_parse(s, c->actor.zone, out))
		*given = true;
	else
		err_add_field(c->res.arena, e, str_from_cstr(name),
			"Datetime has wrong format. Use one of these formats instead: "
			"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].");
}

void
api_param_enum(struct api_ctx *c, const char *name, const char *const *names, int *out, struct err **e)
{
	const struct str s = api_param(c, name);
	if (!s.p)
		return;
	for (int i = 0; names[i]; i++) {
		if (!str_eq_nocase(s, str_from_cstr(names[i])))
			continue;
		*out = i;
		return;
	}
	err_add_field(c->res.arena, e, str_from_cstr(name), "\"%.*s\" is not a valid choice.", STR_ARG(s));
}

bool
api_is_strict(const struct api_ctx *c)
{
	bool strict = false;
	return bool_parse(api_param(c, "strict"), &strict) && strict;
}
