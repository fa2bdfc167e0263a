/* What the rules find in simulated campaigns, and that they find nothing where nothing is. */
#include "domain/campaign/insight_parts.h"
#include "simulated.h"

#include "base/number.h"
#include "codec/json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct insight_options presets = { .false_positive_rate = 0.05 };

struct run {
	struct insight_finding *found;
	size_t count;
};

static struct run
run_rules(struct arena *a, const struct campaign_facts *f, const struct insight_options *o)
{
	struct run r;
	struct err *e = insight_rules_run(a, f, o, &r.found, &r.count);
	if (e)
		fail_msg("%.*s %.*s", STR_ARG(e->message), STR_ARG(e->detail));
	return r;
}

static const struct insight_finding *
found_by(const struct run *r, const char *rule)
{
	for (size_t i = 0; i < r->count; i++)
		if (str_eq(r->found[i].rule_id, str_from_cstr(rule)))
			return &r->found[i];
	return NULL;
}

/* The share of runs in which a rule (NULL: any) says something. */
static double
share_of_runs(const struct simulated_world *w, const struct simulated_effect *e, const char *rule, int runs)
{
	struct arena *a = arena_new(256u << 20);
	struct random_source random;
	int found = 0;
	random_init(&random, 2024);
	for (int i = 0; i < runs; i++) {
		struct campaign_facts f = simulated_campaign(a, w, e, &random);
		struct run r = run_rules(a, &f, &presets);
		found += rule ? found_by(&r, rule) != NULL : r.count > 0;
		if (!rule && getenv("SEXTANT_INSIGHTS_SHOWN"))
			for (size_t k = 0; k < r.count; k++)
				print_message("%s: %.*s %.*s\n", w->name, STR_ARG(r.found[k].rule_id),
					STR_ARG(r.found[k].summary));
		arena_reset(a);
	}
	arena_free(a);
	return (double)found / runs;
}

/* ---- noise ---- */

/* Of a whole run, all rules together. A longer simulation is a benchmark (bench/insights). */
static void
campaigns_without_effects_are_left_alone(void **state)
{
	(void)state;
	enum { RUNS = 40 };
	double sum = 0;
	for (size_t i = 0; i < simulated_world_count; i++) {
		double share = share_of_runs(&simulated_worlds[i], &simulated_none, NULL, RUNS);
		/* Three standard errors above 0.05 for a single world. */
		if (share > 0.15)
			fail_msg("%s: %.3f of the runs without effects say something",
				simulated_worlds[i].name, share);
		sum += share / (double)simulated_world_count;
	}
	if (sum > 0.05)
		fail_msg("%.4f of all runs without effects say something", sum);
}

/* The rules would see much in the same noise if units were taken for independent counts: what the control is for. */
static void
counting_alone_would_be_fooled(void **state)
{
	(void)state;
	struct arena *a = arena_new(64u << 20);
	struct random_source random;
	int fooled = 0;
	random_init(&random, 7);
	for (int run = 0; run < 20; run++) {
		struct campaign_facts f =
			simulated_campaign(a, &simulated_worlds[4], &simulated_none, &random);
		double clicks[2] = { 0 }, impressions[2] = { 0 };
		for (size_t i = 0; i < f.count; i++) {
			bool first = str_eq(f.facts[i].creative, STR("A"));
			clicks[first] += f.facts[i].clicks;
			impressions[first] += f.facts[i].impressions;
		}
		fooled += significance_proportions(clicks[1], impressions[1], clicks[0], impressions[0])
				  .two_sided < 0.05;
		arena_reset(a);
	}
	arena_free(a);
	assert_true(fooled >= 15);
}

/* ---- effects ---- */

static void
effects_are_found(void **state)
{
	(void)state;
	static const struct simulated_world ordinary = { "ordinary", 4, 2, 0, 21, 3000, 0, 0.15, 0.15, 0.3, 3,
		0.08, false };
	static const struct simulated_world varied = { "varied", 4, 3, 4, 21, 2000, 0.15, 0.1, 0.1, 0.3, 0, 0,
		false };
	static const struct {
		const struct simulated_world *world;
		struct simulated_effect effect;
		const char *rule;
		double least;
	} rows[] = {
		{ &ordinary, { 0.7, 1, 0, 1, 1, 1 }, "ai_rule_001", 0.9 },
		{ &varied, { 0.7, 1, 0, 1, 1, 1 }, "ai_rule_001", 0.7 },
		{ &ordinary, { 1, 0.3, 0, 1, 1, 1 }, "ai_rule_010", 0.7 },
		{ &ordinary, { 1, 1, -1.2, 1, 1, 1 }, "ai_rule_062", 0.7 },
		{ &ordinary, { 1, 1, 0, 0.5, 1, 1 }, "ai_rule_095", 0.7 },
		{ &ordinary, { 1, 1, 0, 1, 1.3, 1 }, "ai_rule_090", 1 },
		{ &ordinary, { 1, 1, 0, 1, 1, 2.5 }, "ai_rule_060", 0.5 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double share = share_of_runs(rows[i].world, &rows[i].effect, rows[i].rule, 30);
		if (share < rows[i].least)
			fail_msg("%s in %s: found in %.2f of the runs", rows[i].rule, rows[i].world->name,
				share);
	}
}

/* ---- single campaigns, told by hand ---- */

enum { HAND_MAX = 400 };

struct hand {
	struct arena *a;
	struct campaign_fact fact[HAND_MAX];
	struct campaign_facts facts;
};

static struct hand *
hand_new(void)
{
	struct arena *a = arena_new(64u << 20);
	struct hand *h = arena_new_of(a, struct hand);
	h->a = a;
	h->facts = (struct campaign_facts){
		.facts = h->fact, .campaign_id = 1, .budget = NAN, .today = { 19900 }, .currency = STR("GBP")
	};
	return h;
}

static struct campaign_fact *
hand_add(struct hand *h, int day)
{
	struct campaign_fact *f = &h->fact[h->facts.count++];
	*f = (struct campaign_fact){ 1, { 19800 + day }, STR(""), STR(""), STR(""), STR(""), NAN, NAN, NAN,
		NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	return f;
}

static struct run
hand_run(struct hand *h, const char *rules)
{
	struct insight_options o = presets;
	o.rules = str_from_cstr(rules);
	return run_rules(h->a, &h->facts, &o);
}

/* Two creatives over 14 days, one of which is 40 % worse. */
static struct hand *
hand_creatives(void)
{
	struct hand *h = hand_new();
	for (int day = 0; day < 14; day++)
		for (int creative = 0; creative < 2; creative++) {
			struct campaign_fact *f = hand_add(h, day);
			f->creative = creative ? STR("B") : STR("A");
			f->impressions = 10000;
			f->clicks = (creative ? 200 : 120) + day % 5;
		}
	return h;
}

static double
evidence_number(struct hand *h, const struct insight_finding *f, const char *key)
{
	json_val *v;
	double number = NAN;
	assert_null(json_parse(h->a, f->evidence, &v));
	v = json_get(v, str_from_cstr(key));
	assert_non_null(v);
	assert_true(json_type_of(v) == JSON_NUMBER && double_parse(json_number(v), &number));
	return number;
}

static void
a_finding_shows_its_numbers(void **state)
{
	(void)state;
	struct hand *h = hand_creatives();
	struct run r = hand_run(h, "");
	assert_int_equal(r.count, 1);
	const struct insight_finding *f = &r.found[0];
	assert_string_equal(arena_cstr(h->a, f->rule_id), "ai_rule_001");
	assert_string_equal(arena_cstr(h->a, f->type), "Underperforming Creative");
	assert_string_equal(arena_cstr(h->a, f->summary),
		"Creative A shows 40 % lower CTR than its peers: 1.22 % "
		"against 2.02 %, 140,000 impressions, p < 0.001.");
	assert_string_equal(arena_cstr(h->a, f->action_suggestion), "Consider pausing A; B does best.");
	assert_int_equal(f->severity, SEVERITY_HIGH);
	assert_true(evidence_number(h, f, "count") == 1706 && evidence_number(h, f, "exposure") == 140000);
	assert_true(evidence_number(h, f, "peer_count") == 2826 && evidence_number(h, f, "days") == 14);
	assert_true(fabs(evidence_number(h, f, "effect") - (1706.0 / 2826 - 1)) <
		    5e-7); /* six digits are shown */
	arena_free(h->a);
}

static void
roi_below_1_is_told_as_recorded_or_tested(void **state)
{
	(void)state;
	struct hand *h = hand_new();
	struct campaign_fact *f = hand_add(h, 0);
	f->channel = STR("Paid Social");
	f->roi = 0.62;
	f = hand_add(h, 0);
	f->channel = STR("Search");
	f->roi = 2.45;
	struct run r = hand_run(h, "{\"ai_rule_010\": {\"enabled\": false}}");
	assert_int_equal(r.count, 1);
	assert_string_equal(arena_cstr(h->a, r.found[0].summary),
		"Channel Paid Social returned less than it cost: ROI 0.62, 38 % below 1 (as recorded).");
	assert_true(isnan(r.found[0].p_value) && r.found[0].severity == SEVERITY_HIGH);
	r = hand_run(h, "");
	assert_true(r.count == 2 && found_by(&r, "ai_rule_010"));
	/* A company whose ROI is the net return breaks even at 0. */
	r = hand_run(h, "{\"ai_rule_051\": {\"target\": 0}}");
	assert_null(found_by(&r, "ai_rule_051"));
	h->fact[0].roi = -0.3;
	r = hand_run(h, "{\"ai_rule_050\": {\"enabled\": false}, \"ai_rule_051\": {\"target\": 0}}");
	assert_non_null(found_by(&r, "ai_rule_051"));
	/* Money known day by day is an estimate: 0.97 on average of days that vary by a quarter is not below 1. */
	h->facts.count = 0;
	for (int day = 0; day < 20; day++) {
		f = hand_add(h, day);
		f->spend = 100;
		f->revenue = 97 + (day % 2 ? 25 : -25);
	}
	r = hand_run(h, "");
	assert_null(found_by(&r, "ai_rule_050"));
	for (int day = 0; day < 20; day++)
		h->fact[day].revenue -= 37;
	r = hand_run(h, "");
	assert_non_null(found_by(&r, "ai_rule_050"));
	arena_free(h->a);
}

static void
targets_and_budget_are_the_campaigns_own(void **state)
{
	(void)state;
	struct hand *h = hand_creatives();
	h->facts.targets = STR("{\"CTR\": 0.025, \"cpc\": 0}");
	struct run r = hand_run(h, "{\"ai_rule_001\": {\"enabled\": false}}");
	assert_int_equal(r.count, 1);
	assert_string_equal(arena_cstr(h->a, r.found[0].rule_id), "ai_rule_061");
	for (size_t i = 0; i < h->facts.count; i++)
		h->fact[i].spend = 50;
	h->facts.budget = 2800;
	h->facts.start = (struct date){ 19800 };
	h->facts.end = (struct date){ 19827 };
	h->facts.today = (struct date){ 19806 };
	r = hand_run(h, "{\"ai_rule_001\": {\"enabled\": false}, \"ai_rule_061\": {\"enabled\": false}}");
	assert_int_equal(r.count, 1);
	assert_string_equal(arena_cstr(h->a, r.found[0].summary),
		"Spending is 100 % above plan: 1,400.00 GBP spent, "
		"700.00 GBP planned for 7 days of the budget.");
	assert_int_equal(r.found[0].severity, SEVERITY_CRITICAL);
	arena_free(h->a);
}

static void
no_facts_or_senseless_ones_find_nothing(void **state)
{
	(void)state;
	struct hand *h = hand_new();
	assert_int_equal(hand_run(h, "").count, 0);
	struct campaign_fact *f = hand_add(h, 0);
	f->impressions = 0;
	f->clicks = 0;
	f->ctr = INFINITY;
	f = hand_add(h, -30000);
	f->impressions = 1e15;
	f->clicks = 3;
	f->creative = STR("A");
	f = hand_add(h, 30000);
	f->impressions = 10;
	f->clicks = 1000;
	f->creative = STR("B");
	f->spend = -5;
	f->revenue = -1e18;
	hand_run(h, "");
	arena_free(h->a);
}

/* ---- rules as data ---- */

/* A rule the binary does not know, given as a row. */
static void
a_rule_is_a_row(void **state)
{
	(void)state;
	static const char table[] =
		"[{\"id\": \"mine\", \"type\": \"Dear Weather\", \"figure\": \"cpm\", \"compare\": \"peers\","
		" \"dimension\": \"weather\", \"minimum_effect\": 0.2, \"correction\": \"holm\","
		" \"summary\": \"{member}: {value} against {reference}\", \"suggestion\": \"Wait{best}.\"}]";
	struct hand *h = hand_new();
	for (int day = 0; day < 14; day++)
		for (int rain = 0; rain < 2; rain++) {
			struct campaign_fact *f = hand_add(h, day);
			f->dimensions = rain ? STR("{\"Weather\":\"rain\"}") : STR("{\"Weather\":\"sun\"}");
			f->impressions = 10000;
			f->spend = (rain ? 60 : 40) + day % 3;
		}
	struct run r;
	assert_null(
		insight_rules_run_table(h->a, str_from_cstr(table), &h->facts, &presets, &r.found, &r.count));
	assert_int_equal(r.count, 1);
	assert_string_equal(arena_cstr(h->a, r.found[0].summary), "rain: 6.09 GBP against 4.09 GBP");
	assert_string_equal(arena_cstr(h->a, r.found[0].action_suggestion), "Wait; sun does best.");
	arena_free(h->a);
}

static void
a_company_changes_rules(void **state)
{
	(void)state;
	struct hand *h = hand_creatives();
	assert_int_equal(hand_run(h, "{\"ai_rule_001\": {\"enabled\": false}}").count, 0);
	assert_int_equal(hand_run(h, "{\"ai_rule_001\": {\"minimum_effect\": 0.5}}").count, 0);
	assert_int_equal(hand_run(h, "{\"ai_rule_001\": {\"minimum_count\": 1000000}}").count, 0);
	struct run r = hand_run(h, "{\"ai_rule_001\": {\"high\": 0.45}}");
	assert_int_equal(r.found[0].severity, SEVERITY_MEDIUM);
	arena_free(h->a);
}

static void
faults_of_changes_are_told_by_rule_and_parameter(void **state)
{
	(void)state;
	static const struct {
		const char *changes, *field;
	} rows[] = {
		{ "{\"ai_rule_999\": {}}", "rules.ai_rule_999" },
		{ "{\"ai_rule_001\": 5}", "rules.ai_rule_001" },
		{ "{\"ai_rule_001\": {\"minimum_effect\": \"x\"}}", "rules.ai_rule_001.minimum_effect" },
		{ "{\"ai_rule_001\": {\"minimum_effect\": -1}}", "rules.ai_rule_001.minimum_effect" },
		{ "{\"ai_rule_001\": {\"minimum_effect\": 1e999}}", "rules.ai_rule_001.minimum_effect" },
		{ "{\"ai_rule_001\": {\"enabled\": 1}}", "rules.ai_rule_001.enabled" },
		{ "{\"ai_rule_001\": {\"summary\": \"x\"}}", "rules.ai_rule_001.summary" },
		{ "{\"ai_rule_001\": {\"medium\": 0.9}}", "rules.ai_rule_001.high" },
		{ "[]", "rules" },
	};
	struct arena *a = arena_new(8u << 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err *e = insight_rules_check(a, str_from_cstr(rows[i].changes));
		if (!e || e->code != ERR_INVALID_INPUT || !e->fields)
			fail_msg("accepted: %s", rows[i].changes);
		assert_string_equal(arena_cstr(a, e->fields->field), rows[i].field);
	}
	struct err *both =
		insight_rules_check(a, STR("{\"x\": {}, \"ai_rule_001\": {\"enabled\": 1, \"most\": 0}}"));
	assert_non_null(both);
	assert_true(both->fields && both->fields->next && both->fields->next->next &&
		    !both->fields->next->next->next);
	assert_null(insight_rules_check(a, STR("")));
	assert_null(insight_rules_check(a, STR("{\"ai_rule_001\": {\"enabled\": false, \"most\": 3}}")));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(campaigns_without_effects_are_left_alone),
		cmocka_unit_test(counting_alone_would_be_fooled),
		cmocka_unit_test(effects_are_found),
		cmocka_unit_test(a_finding_shows_its_numbers),
		cmocka_unit_test(roi_below_1_is_told_as_recorded_or_tested),
		cmocka_unit_test(targets_and_budget_are_the_campaigns_own),
		cmocka_unit_test(no_facts_or_senseless_ones_find_nothing),
		cmocka_unit_test(a_rule_is_a_row),
		cmocka_unit_test(a_company_changes_rules),
		cmocka_unit_test(faults_of_changes_are_told_by_rule_and_parameter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
