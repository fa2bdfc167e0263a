/*
 * Loads the demo's KPIs through the same tables and rules that a request meets. Targets come before values, so that the state that the
 * last value leaves behind was judged on them.
 */
#include "app/demo_kpi.h"
#include "app/csv_table.h"
#include "base/asset.h"
#include "base/limits.h"
#include "domain/kpi/assignment.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value.h"

struct load {
	struct res_ctx *c;
	int32_t shift_days;
	int shift_months; /* of what holds for a month */
};

static struct err *
read_file(struct arena *a, const char *name, struct csv_table *out)
{
	const struct asset *asset = asset_find(&demo_assets, str_from_cstr(name));
	check(asset);
	return csv_table_read(a, asset->bytes, out);
}

static struct str
cell(const struct load *l, const struct csv_table *t, size_t row, const char *name)
{
	size_t column = 0;
	/* The files are the program's own: a column that is missing is a mistake of ours. */
	check(!csv_table_column(l->c->arena, t, name, &column));
	return csv_table_cell(t, row, column);
}

static void
pair(struct json_out *o, const char *key, struct str value)
{
	if (value.n == 0)
		return;
	json_key(o, str_from_cstr(key));
	json_put_str(o, value);
}

static void
raw_pair(struct json_out *o, const char *key, struct str value)
{
	if (value.n == 0)
		return;
	json_key(o, str_from_cstr(key));
	json_put_raw(o, value);
}

static struct date
own_date(struct str text)
{
	struct date d = { 0 };
	check(date_parse(text, &d));
	return d;
}

static struct date
shifted(const struct load *l, struct str text)
{
	return (struct date){ own_date(text).days + l->shift_days };
}

static struct str
kpi_json(const struct load *l, const struct csv_table *t, size_t row)
{
	static const char *const texts[] = { "id", "name", "description", "type", "unit", "currency",
		"aggregation" };
	static const char *const numbers[] = { "min_value", "target_value", "warning_threshold",
		"critical_threshold" };
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, l->c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < COUNT(texts); i++)
		pair(&o, texts[i], cell(l, t, row, texts[i]));
	raw_pair(&o, "decimals", cell(l, t, row, "decimals"));
	pair(&o, "team_id", cell(l, t, row, "team"));
	pair(&o, "owner_id", cell(l, t, row, "owner"));
	json_key(&o, STR("thresholds"));
	json_begin_object(&o);
	for (size_t i = 0; i < COUNT(numbers); i++)
		raw_pair(&o, numbers[i], cell(l, t, row, numbers[i]));
	pair(&o, "direction", cell(l, t, row, "direction"));
	json_pair_bool(&o, "prorate", str_eq(cell(l, t, row, "aggregation"), STR("sum")));
	json_end_object(&o);
	json_key(&o, STR("time_config"));
	json_begin_object(&o);
	pair(&o, "period", cell(l, t, row, "period"));
	json_end_object(&o);
	json_end_object(&o);
	return buf_str(&b);
}

static struct err *
load_kpis(struct load *l)
{
	struct csv_table t;

	TRY(read_file(l->c->arena, "kpis.csv", &t));
	for (size_t i = 0; i < t.rows; i++) {
		struct kpi k = { 0 };
		json_val *body;
		TRY(json_parse(l->c->arena, kpi_json(l, &t, i), &body));
		TRY(res_parse(l->c, &kpi_res, NULL, body, RES_MODE_CREATE, true, &k));
		TRY(kpi_create(l->c, &k));
	}
	return NULL;
}

static struct err *
find_kpi(struct load *l, struct str id, struct kpi *k)
{
	bool found = false;
	TRY(res_find(l->c, &kpi_res, "id", P_TEXT(id), k, &found));
	return found ? NULL
		     : err_new(l->c->arena, ERR_INTERNAL, "the demo files name an unknown KPI %.*s",
			       STR_ARG(id));
}

/* The rows from first on that name the same KPI. */
static size_t
rows_of_kpi(const struct load *l, const struct csv_table *t, size_t first)
{
	size_t end = first + 1;
	while (end < t->rows && str_eq(cell(l, t, end, "kpi"), cell(l, t, first, "kpi")))
		end++;
	return end;
}

static void
write_date(struct json_out *o, struct date d)
{
	char text[32];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };
	date_write(&b, d);
	json_put_str(o, buf_str(&b));
}

static struct err *
load_targets_of(struct load *l, const struct csv_table *t, size_t first, size_t end)
{
	struct kpi k = { 0 };
	struct buf b;
	struct json_out o;
	json_val *body;
	struct kpi_target *stored;
	size_t count;

	buf_init_arena(&b, l->c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_array(&o);
	for (size_t i = first; i < end; i++) {
		/* By months: moved by days, two of them could begin in one month and the next would have none. */
		struct date start = date_add_months(own_date(cell(l, t, i, "start")), l->shift_months);
		json_begin_object(&o);
		pair(&o, "period", cell(l, t, i, "period"));
		json_key(&o, STR("start"));
		write_date(&o, start);
		raw_pair(&o, "value", cell(l, t, i, "target"));
		json_end_object(&o);
	}
	json_end_array(&o);
	TRY(json_parse(l->c->arena, buf_str(&b), &body));
	TRY(find_kpi(l, cell(l, t, first, "kpi"), &k));
	return kpi_targets_put(l->c, &k, body, &stored, &count);
}

static struct err *
load_values_of(struct load *l, const struct csv_table *t, size_t first, size_t end)
{
	struct kpi k = { 0 };
	struct kpi_value *v = arena_alloc_array(l->c->arena, end - first, sizeof *v);

	TRY(find_kpi(l, cell(l, t, first, "kpi"), &k));
	for (size_t i = first; i < end; i++) {
		struct kpi_value *x = &v[i - first];
		*x = (struct kpi_value){
			.at = zone_day_start(l->c->actor->zone, shifted(l, cell(l, t, i, "date"))),
			.dimensions = STR(""),
			.recorded_at = l->c->now,
		};
		check(decimal_parse(cell(l, t, i, "value"), &x->value) == DECIMAL_OK);
		check(decimal_rescale(x->value, (int32_t)k.decimals, false, &x->value) == DECIMAL_OK);
	}
	return kpi_values_put(l->c, &k, v, end - first);
}

typedef struct err *load_group(struct load *l, const struct csv_table *t, size_t first, size_t end);

static struct err *
load_by_kpi(struct load *l, const struct csv_table *t, load_group *group)
{
	for (size_t first = 0, end; first < t->rows; first = end) {
		end = rows_of_kpi(l, t, first);
		TRY(group(l, t, first, end));
	}
	return NULL;
}

static struct err *
load_assignment(struct load *l, const struct csv_table *t, size_t row)
{
	struct assignment x = { 0 };
	struct kpi k = { 0 };
	struct buf b;
	struct json_out o;
	json_val *body;

	buf_init_arena(&b, l->c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	pair(&o, "type", cell(l, t, row, "type"));
	pair(&o, "target_id", cell(l, t, row, "target"));
	pair(&o, "role", cell(l, t, row, "role"));
	pair(&o, "supervisor_id", cell(l, t, row, "supervisor"));
	raw_pair(&o, "custom_weight_percentage", cell(l, t, row, "weight"));
	pair(&o, "effective_date", cell(l, t, row, "effective_date"));
	json_end_object(&o);
	TRY(json_parse(l->c->arena, buf_str(&b), &body));
	TRY(find_kpi(l, cell(l, t, row, "kpi"), &k));
	TRY(res_parse(l->c, &assignment_res, &assignment_view, body, RES_MODE_CREATE, true, &x));
	return assignment_create(l->c, &k, &x);
}

static struct date
last_day(const struct load *l, const struct csv_table *values)
{
	struct date last = { INT32_MIN };
	for (size_t i = 0; i < values->rows; i++) {
		struct date d = shifted(l, cell(l, values, i, "date"));
		if (d.days > last.days)
			last = d;
	}
	return last;
}

/* So that the last day is today. */
static void
plan_shift(struct load *l, struct date last)
{
	const struct date today = zone_date(l->c->actor->zone, l->c->now);
	const struct civil from = date_to_civil(last), to = date_to_civil(today);
	l->shift_days = today.days - last.days;
	l->shift_months = (to.year - from.year) * 12 + to.month - from.month;
}

struct err *
demo_kpis_load(struct res_ctx *c, bool shift_to_today)
{
	struct load l = { .c = c };
	struct csv_table targets, values, assignments;

	TRY(read_file(c->arena, "targets.csv", &targets));
	TRY(read_file(c->arena, "values.csv", &values));
	TRY(read_file(c->arena, "assignments.csv", &assignments));
	if (shift_to_today)
		plan_shift(&l, last_day(&l, &values));
	TRY(load_kpis(&l));
	TRY(load_by_kpi(&l, &targets, load_targets_of));
	TRY(load_by_kpi(&l, &values, load_values_of));
	for (size_t i = 0; i < assignments.rows; i++)
		TRY(load_assignment(&l, &assignments, i));
	return NULL;
}
