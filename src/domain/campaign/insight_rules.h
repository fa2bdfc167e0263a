/*
 * Insight rules: what a careful analyst looks for in a campaign's figures. Rules are rows of insight_rules.json (built into the binary): which
 * figure, compared across what, how strong an effect is worth telling, and the sentences. This file's code knows tests, not rules.
 *
 * No rule fires on noise: every comparison has a p-value, a run corrects for all its comparisons (Benjamini–Hochberg, or Holm where the
 * rule asks), and the rate at which a run on campaigns without any effect says something is at most false_positive_rate. Pure: facts in,
 * findings out.
 */
#ifndef CAMPAIGN_INSIGHT_RULES_H
#define CAMPAIGN_INSIGHT_RULES_H

#include "domain/campaign/retrospective.h"

/* One slice of a campaign on one day: counts that add up, and figures that were entered as they are. NaN: not known. */
struct campaign_fact {
	int64_t campaign_id;
	struct date day;
	struct str source, channel, creative;
	struct str dimensions; /* further ones: JSON object, or empty */
	double impressions, clicks, spend, conversions, revenue;
	/* Entered as ratios, when the counts are not there. */
	double ctr, cpc, cpa, conversion_rate, roi;
};
struct campaign_facts {
	const struct campaign_fact *facts; /* of this campaign and, behind it, of earlier ones of the team */
	size_t count;
	int64_t campaign_id;
	double budget;         /* NaN: none */
	struct date start, end, today; /* of the campaign; days 0: not known */
	struct str currency;
	struct str targets;    /* of the campaign: JSON object figure → number; may be empty */
};
struct insight_options {
	double false_positive_rate; /* 0.05 */
	struct str rules;           /* the company's changes: retro_settings.rules; may be empty */
};
struct insight_finding {
	struct str rule_id, type, summary, action_suggestion, evidence;
	int severity;   /* enum insight_severity */
	double p_value; /* corrected; NaN: a recorded figure, which is no estimate */
};
/* Strongest first. INVALID_INPUT naming the rule when options.rules does not fit the built-in ones. */
struct err *insight_rules_run(struct arena *a, const struct campaign_facts *f, const struct insight_options *o,
	struct insight_finding **out, size_t *count) MUST_USE;
/* Whether a company's changes fit the built-in rules; INVALID_INPUT with a field for each fault. */
struct err *insight_rules_check(struct arena *a, struct str changes) MUST_USE;
/* The facts of a campaign and of up to five earlier ones of its team, from the stored values. */
struct err *campaign_facts_read(struct res_ctx *c, int64_t campaign_id, struct campaign_facts *out) MUST_USE;

#endif
