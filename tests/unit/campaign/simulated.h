/*
 * Simulated campaigns for the tests and the benchmark of the insight rules: volumes as real campaigns have them, with or without variation
 * beyond chance, without any effect or with one put in.
 */
#ifndef TESTS_CAMPAIGN_SIMULATED_H
#define TESTS_CAMPAIGN_SIMULATED_H

#include "domain/campaign/insight_rules.h"
#include "forecast/numeric.h"

/* How a campaign varies where nothing is to be found: standard deviations of logarithms. */
struct simulated_world {
	const char *name;
	int creatives, channels, ages, days; /* channels and ages of 1 or 0: facts do not have them */
	double impressions;		     /* of a slice on a day, on average */
	double slice_sd, day_sd, unit_sd;
	double day_correlation;
	int earlier; /* campaigns before it */
	double campaign_sd;
	bool entered; /* the figures as ratios instead of counts */
};
extern const struct simulated_world simulated_worlds[];
extern const size_t simulated_world_count;

/* An effect put in; simulated_none has none. */
struct simulated_effect {
	double creative_ctr;	 /* of creative "A" */
	double channel_revenue;	 /* of channel "Search" */
	double slope_ctr;	 /* logarithm over the whole campaign */
	double change_ctr;	 /* from the middle on */
	double spend;		 /* of the budget's pace */
	double earlier_ctr;	 /* of the earlier campaigns */
};
extern const struct simulated_effect simulated_none;

/* The facts of one campaign on the arena. */
struct campaign_facts simulated_campaign(struct arena *a, const struct simulated_world *w, const struct simulated_effect *e,
	struct random_source *random);

#endif
