/*
 * How often the insight rules say something where nothing is, and how often they find what is there, over many simulated campaigns: the
 * longer form of the unit test campaign_insight_rules. Prints one line a world and the time of a run.
 */
#include "simulated.h"

#include "base/number.h"
#include "base/time.h"
#include <stdio.h>

enum { RUNS = 500 };

struct tally {
	int any, rule;
	double us;
};

static struct tally
tally(const struct simulated_world *w, const struct simulated_effect *e, const char *rule, int runs)
{
	struct arena *a = arena_new(256u << 20);
	struct random_source random;
	struct tally t = { 0 };
	struct insight_options o = { .false_positive_rate = 0.05 };
	random_init(&random, 90210);
	for (int i = 0; i < runs; i++) {
		struct campaign_facts f = simulated_campaign(a, w, e, &random);
		struct insight_finding *found = NULL;
		size_t count = 0;
		bool by_rule = false;
		int64_t start = monotonic_us();
		if (insight_rules_run(a, &f, &o, &found, &count))
			return (struct tally){ -1, -1, 0 };
		t.us += (double)(monotonic_us() - start) / runs;
		for (size_t k = 0; k < count; k++)
			by_rule |= str_eq(found[k].rule_id, str_from_cstr(rule));
		t.any += count > 0;
		t.rule += by_rule;
		arena_reset(a);
	}
	arena_free(a);
	return t;
}

int
main(int argc, char **argv)
{
	double wanted = RUNS, sum = 0;
	if (argc > 1 && !double_parse(str_from_cstr(argv[1]), &wanted))
		return 2;
	int runs = wanted >= 1 && wanted <= 1e6 ? (int)wanted : RUNS;
	printf("campaigns without effects: share of %d runs that say something (asked: at most 0.05)\n",
		runs);
	for (size_t i = 0; i < simulated_world_count; i++) {
		struct tally t = tally(&simulated_worlds[i], &simulated_none, "", runs);
		sum += (double)t.any / runs;
		printf("  %-32s %.4f   %6.1f ms a run\n", simulated_worlds[i].name, (double)t.any / runs,
			t.us / 1000);
	}
	printf("  %-32s %.4f\n", "all", sum / (double)simulated_world_count);
	static const struct simulated_effect worse = { 0.7, 1, 0, 1, 1, 1 };
	printf("a creative with 30 %% fewer clicks: share of %d runs that find it\n", runs);
	for (size_t i = 0; i < simulated_world_count; i++) {
		struct tally t = tally(&simulated_worlds[i], &worse, "ai_rule_001", runs);
		printf("  %-32s %.4f\n", simulated_worlds[i].name, (double)t.rule / runs);
	}
	return 0;
}
