/*
 * Figures of reports against plain integer arithmetic that knows nothing of them: parts come to the whole, ratios come from sums, means
 * say that they are means, and nothing passes through a double.
 */
#include "domain/campaign/report_figures.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CHANNELS 7
#define SOURCES	 5
#define DAYS	 9

struct totals {
	int64_t clicks, impressions, spend; /* spend in hundredths */
	int64_t rate_sum, rates;	    /* entered CTRs in millionths */
};
struct model {
	struct arena *a;
	struct report_figures *f;
	size_t clicks, impressions, spend, ctr, score;
	struct totals all, channel[CHANNELS], source[SOURCES], day[DAYS];
	uint64_t seed;
};

static uint32_t
below(struct model *m, uint32_t n)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(m->seed >> 33) % n;
}

static size_t
metric(struct report_figures *f, const char *name, int part, bool adds_up, enum report_unit unit)
{
	struct report_metric m = { .name = str_from_cstr(name),
		.kpi_id = str_from_cstr(name),
		.part = part,
		.adds_up = adds_up,
		.unit = unit };

	return report_figures_metric(f, &m);
}

static struct model
model_new(uint64_t seed)
{
	struct model m = { .a = arena_new(64 << 20), .seed = seed };

	m.f = report_figures_new(m.a, 2);
	m.clicks = metric(m.f, "Clicks", METRIC_CLICKS, true, REPORT_COUNT);
	m.impressions = metric(m.f, "Impressions", METRIC_IMPRESSIONS, true, REPORT_COUNT);
	m.spend = metric(m.f, "Spend", METRIC_SPEND, true, REPORT_MONEY);
	m.ctr = metric(m.f, "CTR", METRIC_CTR, false, REPORT_RATIO);
	m.score = metric(m.f, "Score", METRIC_OTHER, false, REPORT_OTHER);
	return m;
}

static struct str
name_of(struct arena *a, char letter, size_t i)
{
	/* The first one has no name. */
	return i == 0 ? (struct str){ "", 0 } : arena_fmt(a, "%c%zu", letter, i);
}

static void
add(struct model *m, size_t of, struct decimal v, size_t channel, size_t source, size_t day)
{
	struct report_entry e = { of, v, name_of(m->a, 'c', channel), name_of(m->a, 's', source),
		(int64_t)day * 7 - 20 };

	report_figures_add(m->f, &e);
}

static void
count(struct totals *t, int64_t clicks, int64_t impressions, int64_t spend, int64_t rate)
{
	t->clicks += clicks;
	t->impressions += impressions;
	t->spend += spend;
	t->rate_sum += rate;
	t->rates += rate > 0;
}

/* Values of one slice on one day: all counts, or, for some slices, entered rates alone. */
static void
add_random(struct model *m)
{
	size_t c = below(m, CHANNELS), s = below(m, SOURCES), d = below(m, DAYS);
	struct totals *all[] = { &m->all, &m->channel[c], &m->source[s], &m->day[d] };
	int64_t impressions = below(m, 100000), clicks = below(m, (uint32_t)impressions / 10 + 1),
		spend = below(m, 1000000);
	int64_t rate = 1 + below(m, 90000);

	if (c >= CHANNELS - 2) {
		impressions = clicks = spend = 0;
		add(m, m->ctr, (struct decimal){ rate, 6 }, c, s, d);
	} else {
		rate = 0;
		add(m, m->impressions, (struct decimal){ impressions, 0 }, c, s, d);
		add(m, m->clicks, (struct decimal){ clicks * 1000, 3 }, c, s, d);
		add(m, m->spend, (struct decimal){ spend * 10000, 6 }, c, s, d);
	}
	for (size_t i = 0; i < COUNT(all); i++)
		count(all[i], clicks, impressions, spend, rate);
}

static size_t
index_of(const struct model *m, const char *name)
{
	for (size_t i = 0; i < report_metric_count(m->f); i++)
		if (str_eq(report_metric_at(m->f, i)->name, str_from_cstr(name)))
			return i;
	fail_msg("no metric %s", name);
	return 0;
}

static void
assert_decimal(struct decimal d, int64_t coef, int32_t scale)
{
	assert_int_equal(decimal_cmp(d, (struct decimal){ coef, scale }), 0);
}

/* num / den rounded half up at 10^-6, as integers. */
static int64_t
divided(int64_t num, int64_t den, int64_t unit)
{
	__extension__ typedef __int128 wide;
	return (int64_t)(((wide)num * unit * 2 + den) / ((wide)den * 2));
}

static void
assert_slice(const struct model *m, const struct totals *t, enum report_axis axis, int64_t slice)
{
	struct report_figure clicks = report_figure(m->f, index_of(m, "Clicks"), axis, slice);
	struct report_figure spend = report_figure(m->f, index_of(m, "Spend"), axis, slice);
	struct report_figure ctr = report_figure(m->f, index_of(m, "CTR"), axis, slice);
	struct report_figure cpm = report_figure(m->f, index_of(m, "CPM"), axis, slice);

	if (clicks.basis != REPORT_ABSENT)
		assert_decimal(clicks.value, t->clicks, 0);
	else
		assert_int_equal(t->impressions, 0);
	if (spend.basis != REPORT_ABSENT) {
		assert_decimal(spend.value, t->spend, 2);
		assert_int_equal(spend.value.scale, 2);
	}
	if (t->impressions > 0) {
		assert_int_equal(ctr.basis, REPORT_COMPUTED);
		assert_decimal(ctr.value, divided(t->clicks, t->impressions, 1000000), 6);
		assert_true(ctr.has_interval && ctr.low <= decimal_to_double(ctr.value) + 1e-6 &&
			    ctr.high >= decimal_to_double(ctr.value) - 1e-6);
		assert_decimal(cpm.value, divided(t->spend * 1000, t->impressions, 1), 2);
	} else if (t->rates > 0) {
		assert_int_equal(ctr.basis, REPORT_AVERAGED);
		assert_decimal(ctr.value, divided(t->rate_sum, t->rates, 1), 6);
		assert_false(ctr.has_interval);
		assert_int_equal(cpm.basis, REPORT_ABSENT);
	}
	assert_int_equal(ctr.has_entered, t->impressions > 0 && t->rates > 0);
}

/* Where a name stands; the names are sorted and the empty one is last. */
static size_t
place_of(const struct model *m, enum report_axis axis, struct str name)
{
	struct report_slices s = report_slices(m->f, axis);

	for (size_t i = 0; i < s.count; i++)
		if (str_eq(s.names[i], name))
			return i;
	return s.count;
}

static void
assert_axis(const struct model *m, enum report_axis axis, char letter, const struct totals *t, size_t n)
{
	struct decimal sum = { 0 };
	struct report_slices s = report_slices(m->f, axis);

	for (size_t i = 0; i < n; i++) {
		size_t at = place_of(m, axis, name_of(m->a, letter, i));
		if (at < s.count)
			assert_slice(m, &t[i], axis, (int64_t)at);
	}
	for (size_t i = 0; i < s.count; i++) {
		struct report_figure f = report_figure(m->f, index_of(m, "Spend"), axis, (int64_t)i);
		assert_true(decimal_add(sum, f.value, &sum));
		if (i > 0 && s.names[i].n)
			assert_true(str_cmp(s.names[i - 1], s.names[i]) < 0);
	}
	/* The parts come to the whole. */
	assert_decimal(sum, m->all.spend, 2);
}

static void
parts_come_to_the_whole_and_ratios_come_from_sums(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct model m = model_new(seed);
		size_t rows = 20 + below(&m, 400);
		for (size_t i = 0; i < rows; i++)
			add_random(&m);
		report_figures_close(m.f);
		assert_slice(&m, &m.all, REPORT_TOTAL, 0);
		assert_axis(&m, REPORT_CHANNEL, 'c', m.channel, CHANNELS);
		assert_axis(&m, REPORT_SOURCE, 's', m.source, SOURCES);
		for (size_t d = 0; d < DAYS; d++)
			assert_slice(&m, &m.day[d], REPORT_PERIOD, (int64_t)d * 7 - 20);
		arena_free(m.a);
	}
}

static void
several_slices_together_are_as_one(void **state)
{
	struct model m = model_new(99);
	int64_t all[CHANNELS];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		add_random(&m);
	report_figures_close(m.f);
	size_t n = report_slices(m.f, REPORT_CHANNEL).count;
	for (size_t i = 0; i < n; i++)
		all[i] = (int64_t)i;
	for (size_t i = 0; i < report_metric_count(m.f); i++) {
		struct report_figure together = report_figure_of(m.f, i, REPORT_CHANNEL, all, n),
				     whole = report_figure(m.f, i, REPORT_TOTAL, 0);
		assert_int_equal(together.basis, whole.basis);
		assert_int_equal(together.values, whole.values);
		assert_int_equal(decimal_cmp(together.value, whole.value), 0);
	}
	arena_free(m.a);
}

static void
ratios_are_derived_from_their_parts_and_only_then(void **state)
{
	struct model m = model_new(1);

	(void)state;
	add(&m, m.clicks, (struct decimal){ 30, 0 }, 1, 1, 0);
	add(&m, m.spend, (struct decimal){ 1000, 2 }, 1, 1, 0);
	report_figures_close(m.f);
	/* CPC has its parts; CPM and CPA have not. */
	struct report_figure cpc = report_figure(m.f, index_of(&m, "CPC"), REPORT_TOTAL, 0);
	assert_int_equal(cpc.basis, REPORT_COMPUTED);
	assert_decimal(cpc.value, 3333, 4); /* 10.00 / 30, at two decimals beyond the currency's */
	assert_int_equal(cpc.values, 0);
	for (size_t i = 0; i < report_metric_count(m.f); i++)
		assert_false(str_eq(report_metric_at(m.f, i)->name, STR("CPM")) ||
			     str_eq(report_metric_at(m.f, i)->name, STR("CPA")));
	arena_free(m.a);
}

static void
nothing_is_divided_by_zero_and_no_sum_overflows(void **state)
{
	struct model m = model_new(1);

	(void)state;
	add(&m, m.clicks, (struct decimal){ 0, 0 }, 1, 1, 0);
	add(&m, m.impressions, (struct decimal){ 0, 0 }, 1, 1, 0);
	add(&m, m.score, (struct decimal){ INT64_MAX, 0 }, 1, 1, 0);
	add(&m, m.score, (struct decimal){ INT64_MAX, 0 }, 2, 1, 0);
	add(&m, m.spend, (struct decimal){ INT64_MAX, 2 }, 1, 1, 0);
	report_figures_close(m.f);
	assert_int_equal(report_figure(m.f, index_of(&m, "CTR"), REPORT_TOTAL, 0).basis, REPORT_ABSENT);
	/* The mean of two values whose sum leaves the range is absent in total, and there for each of them. */
	struct report_figure score = report_figure(m.f, index_of(&m, "Score"), REPORT_TOTAL, 0);
	assert_int_equal(score.basis, REPORT_ABSENT);
	assert_int_equal(score.values, 2);
	assert_int_equal(report_figure(m.f, index_of(&m, "CPC"), REPORT_TOTAL, 0).basis, REPORT_ABSENT);
	assert_int_equal(report_figure(m.f, index_of(&m, "Spend"), REPORT_TOTAL, 0).basis, REPORT_SUM);
	arena_free(m.a);
}

static void
thousands_of_slices_are_told_apart(void **state)
{
	struct model m = model_new(1);

	(void)state;
	for (size_t i = 1; i <= 5000; i++)
		add(&m, m.clicks, (struct decimal){ (int64_t)i, 0 }, i, i % 50 + 1, i % 400);
	report_figures_close(m.f);
	struct report_slices s = report_slices(m.f, REPORT_CHANNEL);
	assert_int_equal(s.count, 5000);
	for (size_t i = 0; i < s.count; i++) {
		int64_t number;
		assert_true(str_to_int(str_sub(s.names[i], 1, s.names[i].n), &number));
		assert_decimal(report_figure(m.f, index_of(&m, "Clicks"), REPORT_CHANNEL, (int64_t)i).value,
			number, 0);
	}
	assert_decimal(report_figure(m.f, index_of(&m, "Clicks"), REPORT_TOTAL, 0).value, 5000 * 5001 / 2, 0);
	arena_free(m.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_come_to_the_whole_and_ratios_come_from_sums),
		cmocka_unit_test(several_slices_together_are_as_one),
		cmocka_unit_test(ratios_are_derived_from_their_parts_and_only_then),
		cmocka_unit_test(nothing_is_divided_by_zero_and_no_sum_overflows),
		cmocka_unit_test(thousands_of_slices_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
