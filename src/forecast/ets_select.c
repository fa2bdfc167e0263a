/*
 * Chooses among the ETS models by AICc, in two rounds. The first fits the smoothing parameters of every form with the
 * initial states left at their start, which is an order of magnitude cheaper than searching them; the second searches
 * all states, for the seasonal forms that are still within reach of the best. Non-seasonal forms keep the start: with
 * free states short series are fitted too well (docs/decisions/0041).
 */
#include "forecast/ets.h"

#include <math.h>

enum { FORM_COUNT = 15 };

/* AICc distance from the best of the first round within which a form is looked at again. */
static const double reach = 3;

static const struct ets_effort first_round = {
	.iterations = 40, .tolerance = 0.01, .states = ETS_STATES_FIXED
};
static const struct ets_effort second_round = {
	.iterations = 40, .tolerance = 0.001, .states = ETS_STATES_FREE
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

/* Fits a form, starting from the parameters of one that differs in the error only, when there is one. */
static bool
form_fit(struct forecast_workspace *ws, const double *y, size_t n, struct ets_effort effort,
	const struct ets_model *like, struct ets_model *model)
{
	if (!ets_start(ws, y, n, &model->form, &model->start))
		return false;
	if (like && like->good) {
		model->start.alpha = like->start.alpha;
		model->start.beta = like->start.beta;
		model->start.gamma = like->start.gamma;
		model->start.phi = like->start.phi;
	}
	ets_estimate(ws, y, n, effort, model);
	return model->good;
}

/* The form before in the list, when it is the same with an additive error. */
static const struct ets_model *
additive_twin(const struct ets_model *models, size_t i)
{
	if (i == 0 || !models[i].form.multiplicative_error || models[i - 1].form.multiplicative_error)
		return NULL;
	bool same = models[i - 1].form.trend == models[i].form.trend &&
		    models[i - 1].form.season == models[i].form.season;
	return same ? &models[i - 1] : NULL;
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
		if (!form_fit(ws, y, n, effort, additive_twin(models, i), &models[i]))
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
