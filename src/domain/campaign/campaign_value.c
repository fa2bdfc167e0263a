/*
 * Values of campaigns in the one time series store: each metric's go to its KPI with the dimensions that name campaign, source, channel
 * and creative, and are read back from there, so it does not matter through which door a value came.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/campaign_sql.h"
#include "domain/kpi/value.h"

/* ---- between a campaign's value and a KPI's ---- */

static void
pair_text(struct json_out *o, const char *key, struct str value)
{
	if (str_is_empty(value))
		return;
	json_key(o, str_from_cstr(key));
	json_put_str(o, value);
}

/* The canonical dimensions under which a value is kept. */
static struct err *
dimensions_of(struct arena *a, const struct campaign_value *v, struct str *out)
{
	struct buf b;
	struct json_out o;
	json_val *further, *all;
	struct str name;

	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "campaign", arena_fmt(a, "%lld", (long long)v->campaign_id));
	pair_text(&o, "source", v->source);
	pair_text(&o, "channel", v->channel);
	pair_text(&o, "creative", v->creative);
	if (!str_is_empty(v->dimensions)) {
		TRY(json_parse(a, v->dimensions, &further));
		for (struct json_iter it = json_iter(further); json_next(&it, &name, &all);) {
			json_key_escaped(&o, name);
			json_put_str(&o, json_string(all));
		}
	}
	json_end_object(&o);
	TRY(json_parse(a, buf_str(&b), &all));
	return kpi_dimensions_parse(a, all, out);
}

/* The other way round. */
static struct err *
read_dimensions(struct arena *a, struct str text, struct campaign_value *v)
{
	struct buf b;
	struct json_out o;
	json_val *all, *value;
	struct str name;
	size_t further = 0;

	TRY(json_parse(a, text, &all));
	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (struct json_iter it = json_iter(all); json_next(&it, &name, &value);) {
		if (str_eq(name, STR("campaign")))
			continue;
		if (str_eq(name, STR("source"))) {
			v->source = json_string(value);
		} else if (str_eq(name, STR("channel"))) {
			v->channel = json_string(value);
		} else if (str_eq(name, STR("creative"))) {
			v->creative = json_string(value);
		} else {
			json_key_escaped(&o, name);
			json_put_str(&o, json_string(value));
			further++;
		}
	}
	json_end_object(&o);
	if (further > 0)
		v->dimensions = buf_str(&b);
	return NULL;
}

void
campaign_value_write(struct json_out *o, struct arena *a, const struct campaign_value *v)
{
	struct buf at;

	buf_init_arena(&at, a, 64);
	instant_write(&at, v->recorded_at, INSTANT_ISO_SECONDS, NULL);
	json_begin_object(o);
	json_pair_int(o, "id", v->id);
	json_pair_int(o, "campaign_id", v->campaign_id);
	json_pair_str(o, "metric", v->metric);
	json_key(o, STR("value"));
	json_put_decimal(o, v->value, true);
	json_pair_str(o, "recorded_at", buf_str(&at));
	json_key(o, STR("source"));
	v->source.n ? json_put_str(o, v->source) : json_put_null(o);
	json_key(o, STR("channel"));
	v->channel.n ? json_put_str(o, v->channel) : json_put_null(o);
	pair_text(o, "creative", v->creative);
	if (v->dimensions.n) {
		json_key(o, STR("dimensions"));
		json_put_raw(o, v->dimensions);
	}
	json_end_object(o);
}

/* ---- storing ---- */

/* A metric of the request and which values are its. */
struct group {
	struct str sent; /* as this request spells it */
	struct campaign_metric metric;
	size_t *members, count;
};

static int
group_order(const void *a, const void *b)
{
	return str_cmp(((const struct group *)a)->metric.kpi_id, ((const struct group *)b)->metric.kpi_id);
}

struct grouping {
	struct group *groups;
	size_t count, values; /* values: in the request */
};

static struct err *
group_of(struct res_ctx *c, struct str sent, struct grouping *all, struct group **out)
{
	struct group *g = &all->groups[all->count];

	for (size_t i = 0; i < all->count; i++)
		if (str_eq(all->groups[i].sent, sent)) {
			*out = &all->groups[i];
			return NULL;
		}
	g->sent = sent;
	g->members = arena_alloc_array(c->arena, all->values, sizeof *g->members);
	TRY(campaign_metric_require(c, sent, &g->metric));
	all->count++;
	*out = g;
	return NULL;
}

/*
 * The values by metric. Metrics are made before any KPI is locked, and KPIs are locked in the order of their ids: two requests with the
 * same metrics in another order follow each other and never wait for one another.
 */
static struct err *
group_values(struct res_ctx *c, struct campaign_value *v, struct grouping *all)
{
	struct group *g;

	all->groups = arena_alloc_array(c->arena, all->values, sizeof *all->groups);
	for (size_t i = 0; i < all->values; i++) {
		TRY(group_of(c, v[i].metric, all, &g));
		v[i].metric = g->metric.name;
		g->members[g->count++] = i;
	}
	qsort(all->groups, all->count, sizeof *all->groups, group_order);
	return NULL;
}

static struct err *
put_group(struct res_ctx *c, const struct group *g, struct campaign_value *v)
{
	struct kpi k = { 0 };
	struct kpi_value *values = arena_alloc_array(c->arena, g->count, sizeof *values);

	TRY(kpi_require(c, g->metric.kpi_id, KPI_MAY_SUBMIT, &k));
	for (size_t i = 0; i < g->count; i++) {
		struct campaign_value *from = &v[g->members[i]];
		values[i] = (struct kpi_value){ .at = from->recorded_at,
			.value = from->value,
			.recorded_by = c->actor->person_id,
			.recorded_at = c->now,
			.number = from->id };
		TRY(dimensions_of(c->arena, from, &values[i].dimensions));
		if (decimal_rescale(from->value, (int32_t)k.decimals, true, &values[i].value) != DECIMAL_OK)
			return err_field(c->arena, "value", "The number is too large.");
		from->value = values[i].value;
	}
	TRY(kpi_values_put(c, &k, values, g->count));
	for (size_t i = 0; i < g->count; i++)
		v[g->members[i]].id = values[i].number;
	return NULL;
}

static struct err *
updated_event(struct res_ctx *c, int64_t campaign_id, const struct campaign_value *v, size_t count)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	json_begin_array(&o);
	for (size_t i = 0; i < count; i++)
		campaign_value_write(&o, c->arena, &v[i]);
	json_end_array(&o);
	return campaign_event(c, "campaign.kpi_updated", &campaign_res, campaign_id, buf_str(&b));
}

struct err *
campaign_values_put(struct res_ctx *c, int64_t campaign_id, struct campaign_value *v, size_t count)
{
	struct campaign campaign;
	struct grouping all = { .values = count };

	TRY(campaign_require(c, campaign_id, &campaign));
	TRY(group_values(c, v, &all));
	/* Numbered in the order of the request, which is not that of the metrics. */
	for (size_t i = 0; i < count; i++)
		TRY(db_next_id(c->tx, "campaign_value", &v[i].id));
	for (size_t i = 0; i < all.count; i++)
		TRY(put_group(c, &all.groups[i], v));
	return updated_event(c, campaign_id, v, count);
}

/* ---- values that came through a KPI's door ---- */

static int
campaign_order(const void *a, const void *b)
{
	const struct kpi_value *const *x = a, *const *y = b;

	if ((*x)->campaign_id != (*y)->campaign_id)
		return (*x)->campaign_id < (*y)->campaign_id ? -1 : 1;
	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

/* The event of one campaign's values. Dimensions may name a campaign that nobody has made. */
static struct err *
recorded_event(struct res_ctx *c, struct str metric, const struct kpi_value *const *v, size_t count)
{
	struct campaign_value *values = arena_alloc_array(c->arena, count, sizeof *values);
	struct db_rows r;
	bool found;

	TRY(DB_FIND(c->tx, &sql_campaign_exists, &r, &found, P_INT(c->actor->company_id),
		P_INT(v[0]->campaign_id)));
	if (!found)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		values[i] = (struct campaign_value){ .id = v[i]->number,
			.campaign_id = v[i]->campaign_id,
			.metric = metric,
			.value = v[i]->value,
			.recorded_at = v[i]->at };
		TRY(read_dimensions(c->arena, v[i]->dimensions, &values[i]));
	}
	return updated_event(c, v[0]->campaign_id, values, count);
}

struct err *
campaign_values_recorded(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, size_t count)
{
	const struct kpi_value **mine = arena_alloc_array(c->arena, count, sizeof(*mine));
	struct db_rows r;
	bool is_metric;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (v[i].campaign_id)
			mine[n++] = &v[i];
	if (n == 0)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_campaign_metric_of_kpi, &r, &is_metric, P_INT(c->actor->company_id),
		P_TEXT(k->id)));
	if (!is_metric)
		return NULL;
	struct str metric = db_text_copy(&r, 0);
	qsort(mine, n, sizeof(*mine), campaign_order);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && mine[to]->campaign_id == mine[from]->campaign_id;)
			to++;
		TRY(recorded_event(c, metric, &mine[from], to - from));
	}
	return NULL;
}

/* ---- reading ---- */

static bool
matches(const struct campaign_value_query *q, const struct campaign_value *v)
{
	return (str_is_empty(q->source) || str_eq(q->source, v->source)) &&
	       (str_is_empty(q->channel) || str_eq(q->channel, v->channel));
}

static struct err *
read_row(struct res_ctx *c, const struct db_rows *r, int64_t campaign_id, struct campaign_value *out)
{
	*out = (struct campaign_value){
		.id = db_int(r, 0),
		.campaign_id = campaign_id,
		.metric = db_text_copy(r, 1),
		.value = { db_int(r, 2), (int32_t)db_int(r, 3) },
		.recorded_at = { db_int(r, 4) },
	};
	return read_dimensions(c->arena, db_text_copy(r, 5), out);
}

#define VALUES_STEP 256

struct found {
	struct campaign_value *values;
	size_t count, cap;
	int64_t passed; /* matching rows before the first wanted one */
};

static void
found_add(struct arena *a, struct found *f, const struct campaign_value *v)
{
	if (f->count == f->cap) {
		f->values = arena_grow(a, f->values, f->cap * sizeof *f->values,
			(f->cap * 2 + VALUES_STEP) * sizeof *f->values);
		f->cap = f->cap * 2 + VALUES_STEP;
	}
	f->values[f->count++] = *v;
}

/* Source and channel stand inside the dimensions, so they are compared here and not by the database. */
static struct err *
read_rows(struct res_ctx *c, int64_t campaign_id, const struct campaign_value_query *q, struct db_rows *r,
	struct found *f)
{
	bool filters = !str_is_empty(q->source) || !str_is_empty(q->channel);

	for (;;) {
		struct campaign_value v;
		bool row;
		TRY(db_next(r, &row));
		if (!row)
			return NULL;
		TRY(read_row(c, r, campaign_id, &v));
		if (!matches(q, &v) || (filters && f->passed++ < q->offset))
			continue;
		found_add(c->arena, f, &v);
		if ((int64_t)f->count == q->limit) {
			db_rows_close(r);
			return NULL;
		}
	}
}

struct err *
campaign_values_list(struct res_ctx *c, int64_t campaign_id, const struct campaign_value_query *q,
	struct campaign_value **out, size_t *count)
{
	bool filters = !str_is_empty(q->source) || !str_is_empty(q->channel), known = true;
	struct campaign_metric m = { 0 };
	struct found f = { 0 };
	struct db_rows r;

	*out = NULL;
	*count = 0;
	if (!str_is_empty(q->metric))
		TRY(campaign_metric_find(c, q->metric, &m, &known));
	if (!known || q->limit < 1)
		return NULL;
	TRY(DB_QUERY(c->tx, &sql_campaign_value_list, &r, P_INT(c->actor->company_id), P_INT(campaign_id),
		m.kpi_id.n ? P_TEXT(m.kpi_id) : P_NULL, P_INT(q->from.us ? q->from.us : INSTANT_MIN_US),
		P_INT(q->to.us ? q->to.us : INSTANT_MAX_US + 1), P_INT(filters ? INT64_MAX : q->limit),
		P_INT(filters ? 0 : q->offset)));
	TRY(read_rows(c, campaign_id, q, &r, &f));
	*out = f.values;
	*count = f.count;
	return NULL;
}
