/*
 * Chooses among the ETS models by AICc, in two rounds. The first fits the smoothing parameters of every form with the
 * initial states left at their start, which is an order of magnitude cheaper than searching them; the second searches
 * the seasonal states too, for the forms that are still within reach of the best.
 */
#include "forecast/ets.h"

#include <math.h>

enum { FORM_COUNT = 15 };

/* AICc distance from the best of the first round within which a form is looked at again. */
static const double reach = 6;

static const struct ets_effort first_round = {
	.iterations = 40, .tolerance = 0.02, .states = ETS_STATES_FIXED
};
static const struct ets_effort second_round = {
	.iterations = 40, .tolerance = 0.02, .states = ETS_STATES_SEASON
};

/* All forms that the series and the choice allow. */
static size_t
forms_list(const double *y, size_t n, struct ets_choice choice, struct ets_form *forms)
{
	bool positive = all_positive(y, n);
	size_t count = 0;
	for (int season = SEASON_NONE; season <= (choice.seasonal ? SEASON_MULTIPLICATIVE : SEASON_NONE);
		season++)
		for (int trend = TREND_NONE; trend <= TREND_DAMPED; trend++)
			for (int error = season == SEASON_MULTIPLICATIVE; error <= positive; error++)
				forms[count++] = (struct ets_form){ .multiplicative_error = error,
					.trend = (enum ets_trend)trend,
					.season = (enum season_kind)season,
					.m = season ? choice.m : 1 };
	return count;
}

static bool
form_fit(struct forecast_workspace *ws, const double *y, size_t n, struct ets_effort effort,
	struct ets_model *model)
{
	if (!ets_start(ws, y, n, &model->form, &model->start))
		return false;
	ets_estimate(ws, y, n, effort, model);
	return model->good;
}

bool
ets_select(struct forecast_workspace *ws, const double *y, size_t n, struct ets_choice choice,
	struct ets_model *best)
{
	struct ets_form forms[FORM_COUNT];
	struct ets_model models[FORM_COUNT];
	struct ets_effort effort = first_round;
	effort.prior = choice.prior;
	size_t count = forms_list(y, n, choice, forms);
	double least = INFINITY;
	for (size_t i = 0; i < count; i++) {
		models[i] = (struct ets_model){ .form = forms[i] };
		if (!form_fit(ws, y, n, effort, &models[i]))
			models[i].aicc = INFINITY;
		least = fmin(least, models[i].aicc);
	}
	effort = second_round;
	effort.prior = choice.prior;
	best->aicc = INFINITY;
	for (size_t i = 0; i < count; i++) {
		if (!(models[i].aicc <= least + reach))
			continue;
		if (models[i].form.season != SEASON_NONE)
			ets_estimate(ws, y, n, effort, &models[i]);
		if (models[i].good && models[i].aicc < best->aicc)
			*best = models[i];
	}
	return best->aicc < INFINITY;
}
