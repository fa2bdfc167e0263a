/*
 * The facts of a campaign for the rules, from the stored values: summed up by the database to a slice and a quarter of an hour, and here to
 * the company's days. A campaign of more cells than FACTS_MOST is summed up to weeks, then to slices without time, so that memory is bounded
 * whatever was recorded. Of earlier campaigns only the totals are read, one fact each.
 */
#include "codec/json.h"
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/insight_facts_sql.h"
#include "domain/campaign/insight_rules.h"

#include <math.h>

enum {
	FACTS_MOST = 20000, /* of the campaign: some 10 MB with all that the rules make of them */
	EARLIER_MOST = 5,
	QUARTER_US = 900000000,
	RATIOS = 5
};

/* A fact while it is summed up: ratios are averaged, so their numbers are kept. */
struct cell {
	struct campaign_fact fact;
	double ratio[RATIOS], ratios[RATIOS];
};

struct reader {
	struct res_ctx *c;
	struct campaign_fact *facts;
	size_t count, cap;
	int32_t step;	      /* days that one fact covers */
	struct str last_text; /* dimensions of the last row, as stored */
	struct cell cell;
	bool open;
	bool over;
};

/* ---- one value ---- */

static const struct {
	const char *part;
	size_t sum;   /* member of the fact that adds up; SIZE_MAX: a ratio */
	size_t ratio; /* member that the average goes to */
} parts[] = {
	{ "impressions", offsetof(struct campaign_fact, impressions), SIZE_MAX },
	{ "clicks", offsetof(struct campaign_fact, clicks), SIZE_MAX },
	{ "spend", offsetof(struct campaign_fact, spend), SIZE_MAX },
	{ "conversions", offsetof(struct campaign_fact, conversions), SIZE_MAX },
	{ "revenue", offsetof(struct campaign_fact, revenue), SIZE_MAX },
	{ "ctr", SIZE_MAX, offsetof(struct campaign_fact, ctr) },
	{ "cpc", SIZE_MAX, offsetof(struct campaign_fact, cpc) },
	{ "cpa", SIZE_MAX, offsetof(struct campaign_fact, cpa) },
	{ "conversion_rate", SIZE_MAX, offsetof(struct campaign_fact, conversion_rate) },
	{ "roi", SIZE_MAX, offsetof(struct campaign_fact, roi) },
	/* Both are what comes back for one unit spent. */
	{ "roas", SIZE_MAX, offsetof(struct campaign_fact, roi) },
};
static const size_t ratio_members[RATIOS] = { offsetof(struct campaign_fact, ctr),
	offsetof(struct campaign_fact, cpc), offsetof(struct campaign_fact, cpa),
	offsetof(struct campaign_fact, conversion_rate), offsetof(struct campaign_fact, roi) };

static double *
member(struct campaign_fact *f, size_t at)
{
	return (double *)(void *)((char *)f + at);
}

static void
cell_start(struct cell *k, int64_t campaign_id)
{
	*k = (struct cell){ .fact = { .campaign_id = campaign_id } };
	for (size_t i = 0; i < COUNT(parts); i++)
		*member(&k->fact, parts[i].sum != SIZE_MAX ? parts[i].sum : parts[i].ratio) = NAN;
}

static void
cell_add(struct cell *k, struct str part, double sum, double count)
{
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (!str_eq(part, str_from_cstr(parts[i].part)))
			continue;
		if (parts[i].sum != SIZE_MAX) {
			double *to = member(&k->fact, parts[i].sum);
			*to = isnan(*to) ? sum : *to + sum;
			return;
		}
		for (size_t r = 0; r < RATIOS; r++)
			if (ratio_members[r] == parts[i].ratio) {
				k->ratio[r] += sum;
				k->ratios[r] += count;
			}
	}
}

static void
cell_finish(struct cell *k)
{
	for (size_t r = 0; r < RATIOS; r++)
		if (k->ratios[r] > 0)
			*member(&k->fact, ratio_members[r]) = k->ratio[r] / k->ratios[r];
}

static double
row_sum(const struct db_rows *r, int sum, int decimals)
{
	return db_double(r, sum) / pow(10, (double)db_int(r, decimals));
}

/* ---- the campaign's cells ---- */

static void
fact_keep(struct reader *r, struct cell *k)
{
	if (r->count == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		r->facts =
			arena_grow(r->c->arena, r->facts, r->cap * sizeof *r->facts, cap * sizeof *r->facts);
		r->cap = cap;
	}
	cell_finish(k);
	r->facts[r->count++] = k->fact;
}

static void
fact_add(struct reader *r, struct cell *k)
{
	r->over = r->count == FACTS_MOST;
	if (!r->over)
		fact_keep(r, k);
}

/* The stored dimensions as source, channel, creative and the others. */
static struct err *
slice_read(struct res_ctx *c, struct str text, struct campaign_fact *f)
{
	struct buf b;
	struct json_out o;
	json_val *all, *value;
	struct str name;
	bool further = false;
	if (str_is_empty(text))
		return NULL;
	TRY(json_parse(c->arena, text, &all));
	buf_init_arena(&b, c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (struct json_iter it = json_iter(all); json_next(&it, &name, &value);) {
		if (str_eq(name, STR("source"))) {
			f->source = json_string(value);
		} else if (str_eq(name, STR("channel"))) {
			f->channel = json_string(value);
		} else if (str_eq(name, STR("creative"))) {
			f->creative = json_string(value);
		} else if (!str_eq(name, STR("campaign"))) {
			json_key_escaped(&o, name);
			json_put_str(&o, json_string(value));
			further = true;
		}
	}
	json_end_object(&o);
	f->dimensions = further ? buf_str(&b) : STR("");
	return NULL;
}

static struct err *
row_add(struct reader *r, const struct db_rows *rows, int64_t campaign_id)
{
	struct str text = db_text(rows, 2);
	struct instant at = { db_int(rows, 3) * QUARTER_US };
	int32_t day =
		zone_date(r->c->actor->zone ? r->c->actor->zone : zone_utc(), at).days / r->step * r->step;
	bool same_slice = r->open && str_eq(text, r->last_text);
	if (!same_slice || day != r->cell.fact.day.days) {
		struct campaign_fact slice = r->cell.fact;
		if (r->open)
			fact_add(r, &r->cell);
		cell_start(&r->cell, campaign_id);
		if (same_slice) {
			r->cell.fact.source = slice.source;
			r->cell.fact.channel = slice.channel;
			r->cell.fact.creative = slice.creative;
			r->cell.fact.dimensions = slice.dimensions;
		} else {
			r->last_text = arena_str(r->c->arena, text);
			TRY(slice_read(r->c, r->last_text, &r->cell.fact));
		}
		r->cell.fact.day.days = day;
		r->open = true;
	}
	cell_add(&r->cell, db_text(rows, 0), row_sum(rows, 4, 1), (double)db_int(rows, 5));
	return NULL;
}

static struct err *
cells_read(struct reader *r, int64_t campaign_id)
{
	struct db_rows rows;
	r->count = 0;
	r->open = r->over = false;
	r->last_text = STR("");
	TRY(DB_QUERY(
		r->c->tx, &sql_insight_cells, &rows, P_INT(r->c->actor->company_id), P_INT(campaign_id)));
	for (;;) {
		bool row;
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		TRY(row_add(r, &rows, campaign_id));
		if (r->over) {
			db_rows_close(&rows);
			return NULL;
		}
	}
	if (r->open)
		fact_add(r, &r->cell);
	return NULL;
}

/* By day, or as coarsely as they fit. */
static struct err *
campaign_read(struct reader *r, int64_t campaign_id)
{
	static const int32_t steps[] = { 1, 7, 10000000 };
	for (size_t i = 0; i < COUNT(steps); i++) {
		r->step = steps[i];
		TRY(cells_read(r, campaign_id));
		if (!r->over)
			return NULL;
	}
	return err_new(
		r->c->arena, ERR_TOO_LARGE, "The campaign's values are in more than %d slices.", FACTS_MOST);
}

/* ---- earlier campaigns ---- */

static struct err *
total_read(struct reader *r, int64_t campaign_id)
{
	struct db_rows rows;
	struct cell k;
	cell_start(&k, campaign_id);
	TRY(DB_QUERY(
		r->c->tx, &sql_insight_totals, &rows, P_INT(r->c->actor->company_id), P_INT(campaign_id)));
	for (;;) {
		bool row;
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		cell_add(&k, db_text(&rows, 0), row_sum(&rows, 2, 1), (double)db_int(&rows, 3));
	}
	cell_finish(&k);
	fact_keep(r, &k);
	return NULL;
}

static struct err *
earlier_read(struct reader *r, int64_t campaign_id)
{
	int64_t ids[EARLIER_MOST], company = r->c->actor->company_id, team;
	size_t n = 0;
	struct db_rows rows;
	bool found;
	TRY(DB_FIND(r->c->tx, &sql_insight_team, &rows, &found, P_INT(company), P_INT(campaign_id)));
	if (!found || db_is_null(&rows, 0))
		return NULL;
	team = db_int(&rows, 0);
	TRY(DB_QUERY(r->c->tx, &sql_insight_earlier, &rows, P_INT(company), P_INT(campaign_id), P_INT(team)));
	for (;;) {
		TRY(db_next(&rows, &found));
		if (!found)
			break;
		if (n < EARLIER_MOST)
			ids[n++] = db_int(&rows, 0);
	}
	for (size_t i = 0; i < n; i++)
		TRY(total_read(r, ids[i]));
	return NULL;
}

/* ---- all of it ---- */

static double
budget_of(const struct res_ctx *c, const struct campaign *k)
{
	int decimals = currency_decimals(c->actor->currency);
	if (res_is_null(&campaign_res, k, "budget"))
		return NAN;
	return (double)k->budget.minor / pow(10, decimals < 0 ? 2 : decimals);
}

struct err *
campaign_facts_read(struct res_ctx *c, int64_t campaign_id, struct campaign_facts *out)
{
	struct campaign k = { 0 };
	struct reader r = { .c = c };
	bool found;
	TRY(res_find(c, &campaign_res, "id", P_INT(campaign_id), &k, &found));
	if (!found)
		return err_new(c->arena, ERR_NOT_FOUND, "Campaign with ID %lld does not exist.",
			(long long)campaign_id);
	TRY(campaign_read(&r, campaign_id));
	TRY(earlier_read(&r, campaign_id));
	*out = (struct campaign_facts){
		.facts = r.facts,
		.count = r.count,
		.campaign_id = campaign_id,
		.budget = budget_of(c, &k),
		.start = res_is_null(&campaign_res, &k, "start_date") ? (struct date){ 0 } : k.start_date,
		.end = res_is_null(&campaign_res, &k, "end_date") ? (struct date){ 0 } : k.end_date,
		.today = zone_date(c->actor->zone ? c->actor->zone : zone_utc(), c->now),
		.currency = c->actor->currency,
		.targets = k.targets,
	};
	return NULL;
}
