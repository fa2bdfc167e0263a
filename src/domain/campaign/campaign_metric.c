/*
 * Metrics: what a campaign's figures are called, and the KPI that each is kept under. The names that advertising reports use are known
 * with the way their values come together; any other is a figure of its own. A metric's KPI is an ordinary one: its type, direction and
 * aggregation may be changed like any KPI's, and when it is deleted the next use of the metric makes another.
 */
#include "codec/text.h"
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/campaign_sql.h"
#include "domain/kpi/value.h"

#define ID_TRIES	100
#define ID_SUFFIX_CHARS 8 /* room for a blank's hyphen and the number of a try */

static const char *const part_names[] = { "other", "impressions", "clicks", "spend", "conversions", "revenue",
	"ctr", "cpc", "cpm", "cpa", "conversion_rate", "roas", "roi" };

/* How a metric's KPI is set up. */
struct setup {
	int type, aggregation, direction; /* of the KPI */
	int64_t decimals;
	bool in_currency, is_signed;
	const char *doc;
};

static const struct setup setups[] = {
	[METRIC_OTHER] = { KPI_NUMERIC, KPI_AVG, KPI_HIGHER, 6, false, false, "A figure of campaigns." },
	[METRIC_IMPRESSIONS] = { KPI_COUNT, KPI_SUM, KPI_HIGHER, 0, false, false,
		"How often ads were shown." },
	[METRIC_CLICKS] = { KPI_COUNT, KPI_SUM, KPI_HIGHER, 0, false, false, "How often ads were clicked." },
	[METRIC_SPEND] = { KPI_CURRENCY, KPI_SUM, KPI_LOWER, 6, true, false, "What campaigns cost." },
	[METRIC_CONVERSIONS] = { KPI_NUMERIC, KPI_SUM, KPI_HIGHER, 6, false, false,
		"Purchases, sign-ups and whatever else was to be reached; parts of one when several ads "
		"share it." },
	[METRIC_REVENUE] = { KPI_CURRENCY, KPI_SUM, KPI_HIGHER, 6, true, false,
		"What campaigns brought in." },
	[METRIC_CTR] = { KPI_RATIO, KPI_AVG, KPI_HIGHER, 6, false, false, "Clicks by impressions." },
	[METRIC_CPC] = { KPI_NUMERIC, KPI_AVG, KPI_LOWER, 6, true, false, "Spend by clicks." },
	[METRIC_CPM] = { KPI_NUMERIC, KPI_AVG, KPI_LOWER, 6, true, false,
		"Spend by a thousand impressions." },
	[METRIC_CPA] = { KPI_NUMERIC, KPI_AVG, KPI_LOWER, 6, true, false, "Spend by conversions." },
	[METRIC_CONVERSION_RATE] = { KPI_RATIO, KPI_AVG, KPI_HIGHER, 6, false, false,
		"Conversions by clicks." },
	[METRIC_ROAS] = { KPI_RATIO, KPI_AVG, KPI_HIGHER, 6, false, false, "Revenue by spend." },
	[METRIC_ROI] = { KPI_RATIO, KPI_AVG, KPI_HIGHER, 6, false, true, "Return on what was spent." },
};

/* Folded spellings; those without a part of their own are here because they may be negative. */
static const struct {
	struct str key;
	int part;
	bool is_signed;
} known[] = {
	{ STR_INIT("impressions"), METRIC_IMPRESSIONS, false },
	{ STR_INIT("views"), METRIC_IMPRESSIONS, false },
	{ STR_INIT("clicks"), METRIC_CLICKS, false },
	{ STR_INIT("link clicks"), METRIC_CLICKS, false },
	{ STR_INIT("spend"), METRIC_SPEND, false },
	{ STR_INIT("spent"), METRIC_SPEND, false },
	{ STR_INIT("cost"), METRIC_SPEND, false },
	{ STR_INIT("ad spend"), METRIC_SPEND, false },
	{ STR_INIT("conversions"), METRIC_CONVERSIONS, false },
	{ STR_INIT("purchases"), METRIC_CONVERSIONS, false },
	{ STR_INIT("leads"), METRIC_CONVERSIONS, false },
	{ STR_INIT("revenue"), METRIC_REVENUE, false },
	{ STR_INIT("conversion value"), METRIC_REVENUE, false },
	{ STR_INIT("ctr"), METRIC_CTR, false },
	{ STR_INIT("click-through rate"), METRIC_CTR, false },
	{ STR_INIT("cpc"), METRIC_CPC, false },
	{ STR_INIT("cost per click"), METRIC_CPC, false },
	{ STR_INIT("cpm"), METRIC_CPM, false },
	{ STR_INIT("cpa"), METRIC_CPA, false },
	{ STR_INIT("cost per conversion"), METRIC_CPA, false },
	{ STR_INIT("conversion rate"), METRIC_CONVERSION_RATE, false },
	{ STR_INIT("cvr"), METRIC_CONVERSION_RATE, false },
	{ STR_INIT("roas"), METRIC_ROAS, false },
	{ STR_INIT("roi"), METRIC_ROI, true },
	{ STR_INIT("profit"), METRIC_OTHER, true },
	{ STR_INIT("margin"), METRIC_OTHER, true },
	{ STR_INIT("net promoter score"), METRIC_OTHER, true },
	{ STR_INIT("nps"), METRIC_OTHER, true },
	{ STR_INIT("sentiment"), METRIC_OTHER, true },
	{ STR_INIT("lift"), METRIC_OTHER, true },
};

/* "_" and runs of blanks are one blank: conversion_rate is Conversion Rate. */
static struct str
metric_key(struct arena *a, struct str name)
{
	struct str folded = text_fold(a, name);
	char *key = arena_alloc(a, folded.n + 1);

	for (size_t i = 0; i < folded.n; i++)
		key[i] = folded.p[i] == '_' ? ' ' : folded.p[i];
	return (struct str){ key, folded.n };
}

void
campaign_metric_known(struct arena *a, struct str name, struct campaign_metric *out)
{
	struct str key = metric_key(a, name);

	*out = (struct campaign_metric){ .name = name, .part = METRIC_OTHER };
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(known[i].key, key)) {
			out->part = known[i].part;
			out->is_signed = known[i].is_signed;
			break;
		}
	out->decimals = setups[out->part].decimals;
}

static int
part_of(struct str name)
{
	for (size_t i = 0; i < COUNT(part_names); i++)
		if (str_eq(name, str_from_cstr(part_names[i])))
			return (int)i;
	return METRIC_OTHER;
}

static void
read_metric(const struct db_rows *r, struct campaign_metric *out)
{
	*out = (struct campaign_metric){
		.name = db_text_copy(r, 0),
		.kpi_id = db_text_copy(r, 1),
		.part = part_of(db_text(r, 2)),
		.is_signed = db_int(r, 3) != 0,
		.decimals = db_int(r, 4),
	};
}

struct err *
campaign_metric_find(struct res_ctx *c, struct str name, struct campaign_metric *out, bool *found)
{
	struct db_rows r;

	TRY(DB_FIND(c->tx, &sql_campaign_metric_get, &r, found, P_INT(c->actor->company_id),
		P_TEXT(metric_key(c->arena, name))));
	if (*found)
		read_metric(&r, out);
	return NULL;
}

#define METRICS_STEP 16

struct err *
campaign_metrics(struct res_ctx *c, struct campaign_metric **out, size_t *count)
{
	struct db_rows r;
	size_t n = 0, cap = 0;
	struct campaign_metric *list = NULL;

	TRY(DB_QUERY(c->tx, &sql_campaign_metric_list, &r, P_INT(c->actor->company_id)));
	for (bool row;; n++) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		if (n == cap) {
			list = arena_grow(
				c->arena, list, cap * sizeof *list, (cap * 2 + METRICS_STEP) * sizeof *list);
			cap = cap * 2 + METRICS_STEP;
		}
		read_metric(&r, &list[n]);
	}
	*out = list;
	*count = n;
	return NULL;
}

/* ---- making one ---- */

/* "Conversion Rate" → "campaign-conversion-rate"; what is left of a name in another script may be "campaign-metric". */
static struct str
kpi_id_of(struct arena *a, struct str key)
{
	struct buf b;
	bool gap = true;

	buf_init_arena(&b, a, LIMIT_ID_CHARS * 2);
	buf_add_lit(&b, "campaign");
	for (size_t i = 0; i < key.n && b.len < LIMIT_ID_CHARS - ID_SUFFIX_CHARS; i++) {
		char ch = key.p[i];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))) {
			gap = true;
			continue;
		}
		if (gap)
			buf_add_byte(&b, '-');
		gap = false;
		buf_add_byte(&b, ch);
	}
	return str_eq(buf_str(&b), STR("campaign")) ? STR("campaign-metric") : buf_str(&b);
}

static struct err *
free_kpi_name(struct res_ctx *c, struct str base, struct str name, struct kpi *k)
{
	struct db_rows r;
	bool taken = true;

	for (int i = 1; taken && i <= ID_TRIES; i++) {
		k->id = i == 1 ? base : arena_fmt(c->arena, "%.*s-%d", STR_ARG(base), i);
		k->name = i == 1 ? arena_fmt(c->arena, "Campaign %.*s", STR_ARG(name))
				 : arena_fmt(c->arena, "Campaign %.*s (%d)", STR_ARG(name), i);
		TRY(DB_FIND(c->tx, &sql_campaign_kpi_taken, &r, &taken, P_INT(c->actor->company_id),
			P_TEXT(k->id), P_TEXT(k->name)));
	}
	return taken ? err_new(c->arena, ERR_CONFLICT, "No free id was found for the metric's KPI.") : NULL;
}

static void
give(struct kpi *k, const char *field)
{
	res_set_null(&kpi_res, k, field, false);
}

static void
set_up(struct res_ctx *c, const struct setup *s, struct kpi *k)
{
	k->type = s->type;
	k->description = str_from_cstr(s->doc);
	give(k, "description");
	k->decimals = s->decimals;
	give(k, "decimals");
	k->aggregation = s->aggregation;
	give(k, "aggregation");
	k->direction = s->direction;
	if (s->in_currency && s->type != KPI_CURRENCY) {
		k->unit = c->actor->currency;
		res_set_null(&kpi_res, k, "unit", str_is_empty(k->unit));
	}
}

/* The company's KPI and nobody's own, whoever happened to send the first value. */
static struct err *
make_kpi(struct res_ctx *c, const struct campaign_metric *m, struct str key, struct kpi *k)
{
	struct actor maker = *c->actor;
	struct res_ctx as_company = *c;

	maker.permissions |= PERM_BIT(PERM_MANAGE_KPI);
	maker.employee_id = (struct str){ 0 };
	as_company.actor = &maker;
	res_defaults(c, &kpi_res, k);
	set_up(c, &setups[m->part], k);
	TRY(free_kpi_name(c, kpi_id_of(c->arena, key), m->name, k));
	return kpi_create(&as_company, k);
}

static struct err *
store(struct res_ctx *c, struct str key, const struct campaign_metric *m)
{
	return DB_EXEC(c->tx, &sql_campaign_metric_put, P_INT(c->actor->company_id), P_TEXT(key),
		P_TEXT(m->name), P_TEXT(m->kpi_id), P_TEXT(str_from_cstr(part_names[m->part])),
		P_INT(m->is_signed));
}

static struct err *
metric_event(struct res_ctx *c, const struct campaign_metric *m)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	campaign_metric_write(&o, m);
	return event_add(c, STR("campaign.metric_registered"), CAMPAIGN_METRIC_OBJECT, m->kpi_id,
		(struct str){ 0 }, buf_str(&b));
}

struct err *
campaign_metric_register(
	struct res_ctx *c, struct str name, const bool *is_signed, struct campaign_metric *out)
{
	struct kpi k = { 0 };
	bool found;
	struct str key = metric_key(c->arena, name);

	TRY(campaign_company_lock(c));
	TRY(campaign_metric_find(c, name, out, &found));
	if (found && (!is_signed || out->is_signed == *is_signed))
		return NULL;
	if (!found) {
		campaign_metric_known(c->arena, name, out);
		TRY(make_kpi(c, out, key, &k));
		out->kpi_id = k.id;
	}
	out->is_signed = is_signed ? *is_signed : out->is_signed;
	TRY(store(c, key, out));
	return metric_event(c, out);
}

struct err *
campaign_metric_require(struct res_ctx *c, struct str name, struct campaign_metric *out)
{
	bool found;

	TRY(campaign_metric_find(c, name, out, &found));
	return found ? NULL : campaign_metric_register(c, name, NULL, out);
}

void
campaign_metric_write(struct json_out *o, const struct campaign_metric *m)
{
	json_begin_object(o);
	json_pair_str(o, "name", m->name);
	json_pair_str(o, "kpi_id", m->kpi_id);
	json_pair_str(o, "part", str_from_cstr(part_names[m->part]));
	json_pair_bool(o, "signed", m->is_signed);
	json_end_object(o);
}
