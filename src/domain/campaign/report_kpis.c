/*
 * The KPIs of a report as JSON: each against its target and against the team's earlier campaigns. Every number stands with its unit and
 * with how it came about.
 */
#include "domain/campaign/report_parts.h"
#include "domain/kpi/status.h"

struct str
report_unit_text(const struct res_ctx *c, const struct report_metric *m)
{
	switch (m->unit) {
	case REPORT_COUNT:
		return STR("count");
	case REPORT_MONEY:
		return c->actor->currency;
	case REPORT_RATIO:
		return STR("ratio");
	case REPORT_FACTOR:
		return STR("factor");
	case REPORT_OTHER:
		break;
	}
	return m->unit_text.n ? m->unit_text : STR("number");
}

void
report_put_number(struct json_out *o, const char *key, struct decimal d)
{
	json_key(o, str_from_cstr(key));
	json_put_decimal(o, d, false);
}

static void
put_rounded(struct json_out *o, double v)
{
	struct decimal d;

	if (decimal_from_double(v, 6, &d))
		json_put_decimal(o, d, true);
	else
		json_put_null(o);
}

void
report_put_figure(struct json_out *o, const struct res_ctx *c, const struct report_metric *m,
	const struct report_figure *f)
{
	json_pair_str(o, "metric", m->name);
	json_key(o, STR("value"));
	f->basis == REPORT_ABSENT ? json_put_null(o) : json_put_decimal(o, f->value, false);
	json_pair_str(o, "unit", report_unit_text(c, m));
	json_pair_str(o, "basis", str_from_cstr(report_basis_names[f->basis]));
	json_pair_int(o, "values", f->values);
	if (f->has_interval) {
		json_key(o, STR("interval_95"));
		json_begin_array(o);
		put_rounded(o, f->low);
		put_rounded(o, f->high);
		json_end_array(o);
	}
	if (f->has_entered)
		report_put_number(o, "entered_mean", f->entered);
}

/* ---- KPIs ---- */

/* By name, in any case. */
static const json_val *
target_of(const json_val *targets, struct str name)
{
	struct str key;
	json_val *v;

	if (!targets)
		return NULL;
	for (struct json_iter it = json_iter(targets); json_next(&it, &key, &v);)
		if (str_eq_nocase(key, name) && json_type_of(v) == JSON_NUMBER)
			return v;
	return NULL;
}

struct aim {
	bool given;
	struct decimal value;
	const char *from;
};

static struct aim
find_aim(const struct report_input *in, const struct report_metric *m, const struct kpi *k, bool has_kpi)
{
	const json_val *v = target_of(in->targets, m->name);
	struct aim aim = { .from = "campaign" };

	if (v && decimal_parse(json_number(v), &aim.value) == DECIMAL_OK)
		aim.given = true;
	else if (has_kpi && !res_is_null(&kpi_res, k, "thresholds.target_value"))
		aim = (struct aim){ true, k->target_value, "kpi" };
	if (m->unit == REPORT_MONEY && aim.value.scale < in->currency_decimals &&
		decimal_rescale(aim.value, in->currency_decimals, false, &aim.value) != DECIMAL_OK)
		aim.given = false;
	return aim;
}

static void
put_target(struct json_out *o, const struct kpi *k, const struct aim *aim, const struct report_figure *f)
{
	struct decimal achievement, percent, hundred = { 100, 0 };

	json_key(o, STR("target"));
	if (!aim->given) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	report_put_number(o, "value", aim->value);
	json_pair_str(o, "from", str_from_cstr(aim->from));
	json_pair_str(o, "direction", str_from_cstr(kpi_direction_names[k->direction]));
	if (f->basis != REPORT_ABSENT && kpi_achievement(k, f->value, aim->value, &achievement) &&
		decimal_mul(achievement, hundred, 1, &percent)) {
		report_put_number(o, "achievement_percent", percent);
		json_pair_str(
			o, "status", str_from_cstr(kpi_state_names[kpi_judge(k, achievement, KPI_NO_DATA)]));
	} else {
		json_pair_null(o, "achievement_percent");
		json_pair_str(o, "status", str_from_cstr(kpi_state_names[KPI_NO_DATA]));
	}
	json_end_object(o);
}

/* The index of the same metric in another campaign's figures; its count when it was not measured there. */
static size_t
same_metric(const struct report_figures *f, const struct report_metric *m)
{
	size_t n = report_metric_count(f), i;

	for (i = 0; i < n; i++) {
		const struct report_metric *other = report_metric_at(f, i);
		/* A ratio is the same whether it was entered or derived. */
		if (str_eq(other->kpi_id, m->kpi_id) && str_eq(other->name, m->name))
			return i;
	}
	for (i = 0; i < n; i++)
		if (m->part >= METRIC_CTR && report_metric_at(f, i)->part == m->part &&
			report_figure(f, i, REPORT_TOTAL, 0).basis != REPORT_ABSENT)
			return i;
	return n;
}

static size_t
mean_of_earlier(
	const struct report_input *in, const struct report_metric *m, int32_t scale, struct decimal *mean)
{
	struct decimal sum = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < in->earlier_count; i++) {
		const struct report_figures *f = in->earlier[i].figures;
		size_t at = same_metric(f, m);
		if (at == report_metric_count(f))
			continue;
		struct report_figure v = report_figure(f, at, REPORT_TOTAL, 0);
		if (v.basis == REPORT_ABSENT)
			continue;
		if (!decimal_add(sum, v.value, &sum))
			return 0;
		count++;
	}
	if (count == 0 || !decimal_div(sum, (struct decimal){ (int64_t)count, 0 }, scale, mean))
		return 0;
	return count;
}

/* (value − mean) / |mean| in percent. */
static bool
change_percent(struct decimal value, struct decimal mean, struct decimal *out)
{
	struct decimal change, size = { mean.coef < 0 ? -mean.coef : mean.coef, mean.scale },
			       hundred = { 100, 0 };

	return mean.coef > INT64_MIN && decimal_sub(value, mean, &change) &&
	       decimal_mul(change, hundred, change.scale, &change) && decimal_div(change, size, 1, out);
}

static void
put_earlier(struct json_out *o, const struct report_input *in, const struct report_metric *m,
	const struct kpi *k, const struct report_figure *f)
{
	struct decimal mean, change;
	int32_t scale = f->value.scale > 2	  ? f->value.scale
			: m->unit == REPORT_MONEY ? in->currency_decimals
						  : 2;
	size_t count = f->basis == REPORT_ABSENT ? 0 : mean_of_earlier(in, m, scale, &mean);

	json_key(o, STR("earlier"));
	if (count == 0) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	report_put_number(o, "mean", mean);
	json_pair_int(o, "campaigns", (int64_t)count);
	if (change_percent(f->value, mean, &change)) {
		report_put_number(o, "change_percent", change);
		json_key(o, STR("better"));
		/* Spending less is no achievement by itself, and a range has no side. */
		if (change.coef == 0 || m->part == METRIC_SPEND || k->direction == KPI_RANGE)
			json_put_null(o);
		else
			json_put_bool(o, (change.coef > 0) == (k->direction == KPI_HIGHER));
	} else {
		json_pair_null(o, "change_percent");
		json_pair_null(o, "better");
	}
	json_end_object(o);
}

/* A derived ratio has no KPI of its own: costs are better low, and the thresholds are the usual ones. */
static struct kpi
presets_of(const struct res_ctx *c, int part)
{
	struct kpi k = { 0 };

	res_defaults(c, &kpi_res, &k);
	k.direction = part == METRIC_CPC || part == METRIC_CPM || part == METRIC_CPA ? KPI_LOWER : KPI_HIGHER;
	return k;
}

bool
report_is_shown(const struct report_input *in, size_t i)
{
	return report_figure(in->figures, i, REPORT_TOTAL, 0).basis != REPORT_ABSENT ||
	       report_figure(in->figures, i, REPORT_TOTAL, 0).values > 0;
}

static struct err *
write_kpi(struct json_out *o, struct res_ctx *c, const struct report_input *in, size_t i)
{
	const struct report_metric *m = report_metric_at(in->figures, i);
	struct report_figure f = report_figure(in->figures, i, REPORT_TOTAL, 0);
	struct kpi k = presets_of(c, m->part);
	bool has_kpi = false;

	if (m->kpi_id.n)
		TRY(res_find(c, &kpi_res, "id", P_TEXT(m->kpi_id), &k, &has_kpi));
	struct aim aim = find_aim(in, m, &k, has_kpi);
	json_begin_object(o);
	report_put_figure(o, c, m, &f);
	if (has_kpi)
		json_pair_str(o, "kpi_id", m->kpi_id);
	else
		json_pair_null(o, "kpi_id");
	if (report_formula(m->part) && f.basis == REPORT_COMPUTED)
		json_pair_str(o, "formula", str_from_cstr(report_formula(m->part)));
	put_target(o, &k, &aim, &f);
	put_earlier(o, in, m, &k, &f);
	json_end_object(o);
	return NULL;
}

struct err *
report_write_kpis(struct json_out *o, struct res_ctx *c, const struct report_input *in)
{
	size_t shown = 0, all = 0;

	json_key(o, STR("kpis"));
	json_begin_array(o);
	for (size_t i = 0; i < report_metric_count(in->figures); i++) {
		if (!report_is_shown(in, i))
			continue;
		all++;
		if (shown == REPORT_METRICS_MAX)
			continue;
		shown++;
		TRY(write_kpi(o, c, in, i));
	}
	json_end_array(o);
	json_pair_int(o, "kpis_left_out", (int64_t)(all - shown));
	return NULL;
}
