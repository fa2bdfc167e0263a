/* Impressions vary by slice and day, clicks and conversions are counted, prices and revenue are amounts of every click and conversion. */
#include "simulated.h"

#include <math.h>

const struct simulated_world simulated_worlds[] = {
	/* name, creatives, channels, ages, days, impressions, slice, day, unit, correlation, earlier, campaign, entered */
	{ "chance alone", 4, 2, 0, 14, 3000, 0, 0, 0, 0, 0, 0, false },
	{ "chance alone, small", 5, 3, 3, 10, 300, 0, 0, 0, 0, 3, 0, false },
	{ "slices vary", 4, 3, 4, 14, 2000, 0.3, 0, 0, 0, 0, 0, false },
	{ "days vary", 4, 1, 0, 28, 5000, 0, 0.25, 0.1, 0.4, 3, 0.1, false },
	{ "everything varies", 4, 2, 3, 28, 2000, 0.25, 0.2, 0.2, 0.3, 5, 0.15, false },
	{ "one day of many advertisements", 40, 2, 4, 1, 20000, 0.3, 0, 0, 0, 2, 0.1, false },
	{ "totals of creatives", 6, 1, 0, 1, 100000, 0.1, 0, 0, 0, 0, 0, false },
	{ "entered as ratios", 3, 3, 0, 21, 5000, 0.1, 0.15, 0.15, 0.2, 2, 0.1, true },
};
const size_t simulated_world_count = sizeof simulated_worlds / sizeof *simulated_worlds;

const struct simulated_effect simulated_none = { 1, 1, 0, 1, 1, 1 };

static double
counted(struct random_source *random, double mean)
{
	if (mean > 40)
		return fmax(0, round(mean + sqrt(mean) * random_normal(random)));
	double limit = exp(-mean), product = random_uniform(random), k = 0;
	for (; product > limit; k++)
		product *= random_uniform(random);
	return k;
}

/* The sum of count amounts of a mean and a relative deviation each. */
static double
amount(struct random_source *random, double count, double mean, double deviation)
{
	return count > 0 ? fmax(0.05 * count * mean,
				   mean * (count + deviation * sqrt(count) * random_normal(random)))
			 : 0;
}

struct maker {
	struct arena *arena;
	const struct simulated_world *w;
	const struct simulated_effect *e;
	struct random_source *random;
	double *days;	 /* a day's common variation of CTR, conversion rate and price */
	double campaign; /* this campaign's */
	bool present;	 /* the campaign itself, not an earlier one */
};

static void
days_make(struct maker *m)
{
	double rest = sqrt(1 - m->w->day_correlation * m->w->day_correlation);
	for (int k = 0; k < 3; k++)
		for (int day = 0; day < m->w->days; day++) {
			double last = day > 0 ? m->days[3 * (day - 1) + k] : 0;
			double fresh = m->w->day_sd * random_normal(m->random);
			m->days[3 * day + k] = day > 0 ? m->w->day_correlation * last + rest * fresh : fresh;
		}
}

static double
effect_ctr(const struct maker *m, int creative, int day)
{
	double factor = m->present ? 1 : m->e->earlier_ctr;
	if (!m->present)
		return factor;
	factor *= creative == 0 ? m->e->creative_ctr : 1;
	factor *= exp(m->e->slope_ctr * day / m->w->days);
	return factor * (day >= m->w->days / 2 ? m->e->change_ctr : 1);
}

static void
fact_fill(struct maker *m, struct campaign_fact *f, const double *slice, int creative, int channel)
{
	int day = f->day.days - 19800;
	double u = m->w->unit_sd,
	       impressions = m->w->impressions * slice[3] * exp(0.3 * random_normal(m->random));
	const double *common = &m->days[3 * day];
	double ctr = 0.02 * exp(slice[0] + common[0] + m->campaign + u * random_normal(m->random)) *
		     effect_ctr(m, creative, day);
	double rate = 0.06 * exp(slice[1] + common[1] + m->campaign + u * random_normal(m->random));
	double price = 0.6 * exp(slice[2] / 2 + common[2] / 2 + u / 2 * random_normal(m->random));
	double order = 30 * (channel == 0 && m->present ? m->e->channel_revenue : 1);
	f->impressions = counted(m->random, impressions);
	f->clicks = fmin(f->impressions, counted(m->random, f->impressions * fmin(ctr, 0.9)));
	f->conversions = counted(m->random, f->clicks * fmin(rate, 0.9));
	f->spend = amount(m->random, f->clicks, price, 0.5);
	f->revenue = amount(m->random, f->conversions, order, 0.8);
	f->ctr = f->cpc = f->cpa = f->conversion_rate = f->roi = NAN;
	if (!m->w->entered)
		return;
	f->ctr = f->impressions > 0 ? f->clicks / f->impressions : (double)NAN;
	f->cpc = f->clicks > 0 ? f->spend / f->clicks : (double)NAN;
	f->cpa = f->conversions > 0 ? f->spend / f->conversions : (double)NAN;
	f->conversion_rate = f->clicks > 0 ? f->conversions / f->clicks : (double)NAN;
	f->roi = f->spend > 0 ? f->revenue / f->spend : (double)NAN;
	f->impressions = f->clicks = f->conversions = f->revenue = f->spend = NAN;
}

static size_t
campaign_fill(struct maker *m, int64_t id, struct campaign_fact *facts)
{
	static const char *const channels[] = { "Search", "Social", "Display", "Video" }, *const ages[] = {
		"18-24", "25-34", "35-44", "45-54"
	};
	int ages_count = m->w->ages > 1 ? m->w->ages : 1,
	    slices = m->w->creatives * m->w->channels * ages_count;
	size_t n = 0;
	days_make(m);
	m->campaign = m->w->campaign_sd * random_normal(m->random);
	for (int s = 0; s < slices; s++) {
		int creative = s % m->w->creatives, channel = s / m->w->creatives % m->w->channels,
		    age = s / m->w->creatives / m->w->channels;
		double sd = m->w->slice_sd;
		double slice[4] = { sd * random_normal(m->random), sd * random_normal(m->random),
			sd * random_normal(m->random), exp(0.5 * random_normal(m->random)) };
		for (int day = 0; day < m->w->days; day++) {
			struct campaign_fact *f = &facts[n++];
			*f = (struct campaign_fact){ .campaign_id = id, .day = { 19800 + day } };
			f->creative =
				arena_fmt(m->arena, "%c%s", 'A' + creative % 26, creative >= 26 ? "2" : "");
			f->channel = m->w->channels > 1 ? str_from_cstr(channels[channel]) : STR("");
			f->source = channel == 1	 ? STR("Facebook")
				    : m->w->channels > 1 ? STR("Google")
							 : STR("");
			f->dimensions =
				m->w->ages > 1 ? arena_fmt(m->arena, "{\"age\":\"%s\"}", ages[age]) : STR("");
			fact_fill(m, f, slice, creative, channel);
		}
	}
	return n;
}

struct campaign_facts
simulated_campaign(struct arena *a, const struct simulated_world *w, const struct simulated_effect *e,
	struct random_source *random)
{
	int slices = w->creatives * w->channels * (w->ages > 1 ? w->ages : 1);
	size_t most = (size_t)(slices * w->days * (1 + w->earlier)), n;
	struct campaign_fact *facts = arena_alloc_array(a, most, sizeof *facts);
	struct maker m = { a, w, e, random, arena_alloc_array(a, (size_t)(3 * w->days), sizeof(double)), 0,
		true };
	double spend = 0;
	n = campaign_fill(&m, 100, facts);
	for (size_t i = 0; i < n; i++)
		spend += isnan(facts[i].spend) ? 0 : facts[i].spend;
	m.present = false;
	for (int i = 0; i < w->earlier; i++)
		n += campaign_fill(&m, 100 - 1 - i, facts + n);
	return (struct campaign_facts){ .facts = facts,
		.count = n,
		.campaign_id = 100,
		.start = { 19800 },
		.end = { 19800 + w->days - 1 },
		.today = { 19900 },
		.currency = STR("GBP"),
		.budget = spend > 0 ? spend / e->spend * (1 + 0.02 * random_normal(random)) : (double)NAN };
}
