/*
 * Reading what a report is made of: the campaign's values and those of the team's campaigns before it, brought into figures. Values are
 * streamed, so that memory follows from how many slices and periods there are, not from how many values.
 */
#include "base/hash.h"
#include "domain/campaign/report_parts.h"
#include "domain/campaign/report_sql.h"

/* Dimension texts repeat with every value; each is parsed once. */
struct dimension {
	struct str text, channel, source;
};
struct reader {
	struct res_ctx *c;
	struct report_figures *figures;
	const struct campaign_metric *metrics;
	size_t *numbers; /* of the figures, for each metric */
	size_t metric_count;
	enum period interval;
	struct dimension *seen;
	size_t seen_size; /* a power of two */
};

#define SEEN_SIZE 4096 /* remembered dimension texts; others are parsed again */

static enum report_unit
unit_of(const struct res_ctx *c, const struct campaign_metric *m, const struct kpi *k, struct str *text)
{
	switch ((enum campaign_metric_part)m->part) {
	case METRIC_IMPRESSIONS:
	case METRIC_CLICKS:
	case METRIC_CONVERSIONS:
		return REPORT_COUNT;
	case METRIC_SPEND:
	case METRIC_REVENUE:
	case METRIC_CPC:
	case METRIC_CPM:
	case METRIC_CPA:
		return REPORT_MONEY;
	case METRIC_CTR:
	case METRIC_CONVERSION_RATE:
		return REPORT_RATIO;
	case METRIC_ROAS:
	case METRIC_ROI:
		return REPORT_FACTOR;
	case METRIC_OTHER:
		break;
	}
	if (k->type == KPI_COUNT)
		return REPORT_COUNT;
	if (k->type == KPI_CURRENCY && str_eq(k->currency, c->actor->currency))
		return REPORT_MONEY;
	*text = k->type == KPI_CURRENCY			  ? k->currency
		: k->type == KPI_PERCENTAGE && !k->unit.n ? STR("%")
							  : k->unit;
	return REPORT_OTHER;
}

static bool
is_additive(int part)
{
	return part >= METRIC_IMPRESSIONS && part <= METRIC_REVENUE;
}

/* Every metric of the company gets its number; those without values are never seen again. */
static struct err *
number_metrics(struct reader *rd)
{
	for (size_t i = 0; i < rd->metric_count; i++) {
		const struct campaign_metric *m = &rd->metrics[i];
		struct kpi k = { 0 };
		bool found;
		TRY(res_find(rd->c, &kpi_res, "id", P_TEXT(m->kpi_id), &k, &found));
		struct report_metric told = { .name = m->name, .kpi_id = m->kpi_id, .part = m->part };
		told.adds_up = is_additive(m->part) ||
			       (m->part == METRIC_OTHER && found && k.aggregation == KPI_SUM);
		told.unit = unit_of(rd->c, m, &k, &told.unit_text);
		rd->numbers[i] = report_figures_metric(rd->figures, &told);
	}
	return NULL;
}

/* By KPI id; count when it is none of them. */
static size_t
find_metric(const struct reader *rd, struct str kpi_id)
{
	for (size_t i = 0; i < rd->metric_count; i++)
		if (str_eq(rd->metrics[i].kpi_id, kpi_id))
			return i;
	return rd->metric_count;
}

static struct str
text_member(const json_val *object, struct str key)
{
	const json_val *v = json_get(object, key);
	return v && json_type_of(v) == JSON_STRING ? json_string(v) : (struct str){ "", 0 };
}

static struct err *
read_dimension(struct reader *rd, struct str text, const struct dimension **out)
{
	struct dimension *at = &rd->seen[str_hash(text) & (rd->seen_size - 1)];
	json_val *v = NULL;

	*out = at;
	if (at->text.p && str_eq(at->text, text))
		return NULL;
	if (text.n)
		TRY(json_parse(rd->c->arena, text, &v));
	*at = (struct dimension){ arena_str(rd->c->arena, text), text_member(v, STR("channel")),
		text_member(v, STR("source")) };
	return NULL;
}

static int64_t
period_of(const struct reader *rd, int64_t at)
{
	return period_start(zone_date(rd->c->actor->zone, (struct instant){ at }), rd->interval).days;
}

static struct err *
stream_values(struct reader *rd, int64_t campaign_id)
{
	struct db_rows r;

	TRY(DB_QUERY(rd->c->tx, &sql_report_values, &r, P_INT(rd->c->actor->company_id), P_INT(campaign_id)));
	for (bool row;;) {
		const struct dimension *d;
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		size_t m = find_metric(rd, db_text(&r, 0));
		if (m == rd->metric_count)
			continue;
		TRY(read_dimension(rd, db_text(&r, 3), &d));
		struct report_entry e = { .metric = rd->numbers[m],
			.value = { db_int(&r, 1), (int32_t)rd->metrics[m].decimals },
			.channel = d->channel,
			.source = d->source,
			.period = period_of(rd, db_int(&r, 2)) };
		report_figures_add(rd->figures, &e);
	}
}

static struct err *
read_figures(struct res_ctx *c, struct report_input *in, int64_t campaign_id, struct report_figures **out)
{
	struct campaign_metric *metrics;
	struct reader rd = { .c = c, .interval = in->interval, .seen_size = SEEN_SIZE };

	TRY(campaign_metrics(c, &metrics, &rd.metric_count));
	rd.metrics = metrics;
	rd.figures = report_figures_new(c->arena, in->currency_decimals);
	rd.numbers = arena_alloc_array(c->arena, rd.metric_count, sizeof(*rd.numbers));
	rd.seen = arena_alloc_array(c->arena, rd.seen_size, sizeof(*rd.seen));
	TRY(number_metrics(&rd));
	TRY(stream_values(&rd, campaign_id));
	report_figures_close(rd.figures);
	*out = rd.figures;
	return NULL;
}

/* The shortest interval that does not need more points than the course may have. */
static enum period
choose_interval(struct date first, struct date last)
{
	for (enum period p = PERIOD_DAY; p < PERIOD_YEAR; p++)
		if (period_add(first, p, REPORT_POINTS_MAX - 1).days >= period_start(last, p).days)
			return p;
	return PERIOD_YEAR;
}

static struct err *
read_extent(struct res_ctx *c, struct report_input *in)
{
	struct db_rows r;
	bool found;

	TRY(DB_FIND(
		c->tx, &sql_report_extent, &r, &found, P_INT(c->actor->company_id), P_INT(in->campaign.id)));
	in->value_count = found ? db_int(&r, 2) : 0;
	if (in->value_count == 0)
		return NULL;
	in->first = zone_date(c->actor->zone, (struct instant){ db_int(&r, 0) });
	in->last = zone_date(c->actor->zone, (struct instant){ db_int(&r, 1) });
	in->interval = choose_interval(in->first, in->last);
	return NULL;
}

static struct db_param
start_of(struct res_ctx *c, const struct campaign *k)
{
	bool has_start = !res_is_null(&campaign_res, k, "start_date"),
	     has_end = !res_is_null(&campaign_res, k, "end_date");
	struct buf b;

	if (!has_start && !has_end)
		return P_NULL;
	buf_init_arena(&b, c->arena, 32);
	date_write(&b, has_start ? k->start_date : k->end_date);
	return P_TEXT(buf_str(&b));
}

static struct err *
read_earlier(struct res_ctx *c, const struct retrospective *r, struct report_input *in)
{
	struct db_rows rows;
	bool of_campaign = !res_is_null(&campaign_res, &in->campaign, "team_id");

	if (!of_campaign && res_is_null(&retrospective_res, r, "team_id"))
		return NULL;
	int64_t team = of_campaign ? in->campaign.team_id : r->team_id;
	TRY(DB_QUERY(c->tx, &sql_report_earlier, &rows, P_INT(c->actor->company_id), P_INT(team),
		P_INT(in->campaign.id), start_of(c, &in->campaign), P_INT(REPORT_EARLIER_MAX)));
	for (bool row;; in->earlier_count++) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		in->earlier[in->earlier_count] = (struct report_earlier){ db_int(&rows, 0),
			db_text_copy(&rows, 1), db_text_copy(&rows, 2), db_text_copy(&rows, 3), NULL };
	}
	for (size_t i = 0; i < in->earlier_count; i++)
		TRY(read_figures(c, in, in->earlier[i].id, &in->earlier[i].figures));
	return NULL;
}

struct err *
report_input_read(struct res_ctx *c, const struct retrospective *r, struct report_input *out)
{
	bool found;
	int decimals = currency_decimals(c->actor->currency);

	*out = (struct report_input){ .currency_decimals = decimals < 0 ? 2 : decimals,
		.interval = PERIOD_DAY };
	TRY(res_find(c, &campaign_res, "id", P_INT(r->task_id), &out->campaign, &found));
	if (!found)
		return err_new(c->arena, ERR_NOT_FOUND, "The campaign of the retrospective does not exist.");
	if (out->campaign.targets.n)
		TRY(json_parse(c->arena, out->campaign.targets, &out->targets));
	TRY(read_extent(c, out));
	TRY(read_figures(c, out, out->campaign.id, &out->figures));
	return read_earlier(c, r, out);
}
