/*
 * Values of campaigns and of KPIs are the same rows: whatever dimensions a KPI's value has, exactly those that name a campaign are that
 * campaign's, and metrics are known by their names however they are spelled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "base/random.h"
#include "domain/campaign/campaign.h"
#include "domain/iam/company.h"
#include "domain/kpi/value.h"

static enum db_kind kind;

/* Dimensions as a client may send them, and the campaign they name; 0: none. */
static const struct {
	const char *dimensions;
	int64_t campaign_id;
} cases[] = {
	{ "{\"campaign\":\"5\"}", 5 },
	{ "{\"campaign\":5}", 5 },
	{ "{\"age\":\"30-34\",\"campaign\":\"5\",\"source\":\"Google\"}", 5 },
	{ "{\"a\":\",\",\"campaign\":\"6\"}", 6 },
	{ "{\"campaign\":\"9007199254740992\"}", 9007199254740992 },
	{ "{\"campaign\":\"9007199254740993\"}", 0 },
	{ "{\"campaign\":\"99999999999999999999\"}", 0 },
	{ "{\"campaign\":\"0\"}", 0 },
	{ "{\"campaign\":\"-5\"}", 0 },
	{ "{\"campaign\":\"05\"}", 0 },
	{ "{\"campaign\":\"5 \"}", 0 },
	{ "{\"campaign\":\"five\"}", 0 },
	{ "{\"campaigns\":\"5\"}", 0 },
	{ "{\"my campaign\":\"5\"}", 0 },
	{ "{\"x\\\"campaign\":\"5\"}", 0 },
	{ "{\"x,\\\"campaign\":\"5\"}", 0 },
	{ "{\"note\":\"{\\\"campaign\\\":\\\"5\\\"}\"}", 0 },
	{ "{\"note\":\",\\\"campaign\\\":\\\"5\\\"\"}", 0 },
	{ "{\"source\":\"campaign\"}", 0 },
	{ "{}", 0 },
};

struct trial {
	struct actor actor;
	size_t i;
	int64_t campaign_id, number, listed;
};

static struct res_ctx
context(struct db_tx *tx, struct trial *t)
{
	return (struct res_ctx){ .arena = db_tx_arena(tx),
		.tx = tx,
		.actor = &t->actor,
		.now = { 1718442000LL * INSTANT_SECOND + (int64_t)t->i } };
}

static struct err *
try_one(struct db_tx *tx, void *arg)
{
	struct trial *t = arg;
	struct res_ctx c = context(tx, t);
	struct campaign_metric m;
	struct kpi k = { 0 };
	struct kpi_value v = { .at = c.now, .value = { 1000000, 6 }, .recorded_at = c.now };
	json_val *d;

	TRY(campaign_metric_register(&c, STR("ROI"), NULL, &m));
	TRY(kpi_require(&c, m.kpi_id, KPI_MAY_SUBMIT, &k));
	TRY(json_parse(c.arena, str_from_cstr(cases[t->i].dimensions), &d));
	TRY(kpi_dimensions_parse(c.arena, d, &v.dimensions));
	TRY(kpi_values_put(&c, &k, &v, 1));
	t->campaign_id = v.campaign_id;
	t->number = v.number;
	const struct campaign_value_query q = { .from = c.now, .to = { c.now.us + 1 }, .limit = 10 };
	struct campaign_value *found;
	size_t n;
	TRY(campaign_values_list(&c, cases[t->i].campaign_id, &q, &found, &n));
	t->listed = (int64_t)n;
	return NULL;
}

static void
exactly_the_values_that_name_a_campaign_are_its(void **state)
{
	(void)state;
	struct fixture f = { .kind = kind };
	struct trial t = { .actor = iam_system_actor(1) };

	t.actor.zone = zone_utc();
	t.actor.currency = STR("GBP");
	fixture_start(&f);
	for (t.i = 0; t.i < COUNT(cases); t.i++) {
		struct arena *a = arena_new(16u << 20);
		fixture_ok(db_write(f.db, a, try_one, &t));
		arena_free(a);
		assert_int_equal(t.campaign_id, cases[t.i].campaign_id);
		assert_int_equal(t.listed, cases[t.i].campaign_id != 0);
		assert_int_equal(t.number != 0, cases[t.i].campaign_id != 0);
	}
	fixture_end(&f);
}

static void
a_metric_is_known_by_its_name_in_any_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum campaign_metric_part part;
		bool is_signed;
	} names[] = {
		{ "ROI", METRIC_ROI, true },
		{ "roi", METRIC_ROI, true },
		{ "Conversion Rate", METRIC_CONVERSION_RATE, false },
		{ "conversion_rate", METRIC_CONVERSION_RATE, false },
		{ "  CTR ", METRIC_CTR, false },
		{ "ＣＴＲ", METRIC_CTR, false },
		{ "Impressions", METRIC_IMPRESSIONS, false },
		{ "spent", METRIC_SPEND, false },
		{ "Footfall", METRIC_OTHER, false },
		{ "NPS", METRIC_OTHER, true },
		{ "ROI2", METRIC_OTHER, false },
	};
	struct arena *a = arena_new(1u << 20);

	for (size_t i = 0; i < COUNT(names); i++) {
		struct campaign_metric m;
		campaign_metric_known(a, str_from_cstr(names[i].name), &m);
		assert_int_equal(m.part, names[i].part);
		assert_int_equal(m.is_signed, names[i].is_signed);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_values_that_name_a_campaign_are_its),
		cmocka_unit_test(a_metric_is_known_by_its_name_in_any_spelling),
	};
	int failures = 0;

	if (!random_start())
		return 1;
	for (kind = DB_SQLITE; kind <= DB_POSTGRES; kind++)
		if (fixture_available(kind))
			failures += cmocka_run_group_tests_name(
				kind == DB_SQLITE ? "values (SQLite)" : "values (PostgreSQL)", tests, NULL,
				NULL);
	return failures;
}
