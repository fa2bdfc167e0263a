/* Any bytes are lines of series or are refused with a sentence; what is accepted is forecast with finite, ordered numbers. */
#include "app/forecast_csv.h"
#include "base/check.h"
#include "forecast/forecast.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>

enum {
	LINES = 4,   /* of one input */
	VALUES = 400 /* longer rows are parsed only, so that an input takes milliseconds */
};

static void
result_check(const struct forecast_result *r)
{
	for (size_t i = 0; i < r->horizon; i++) {
		check(isfinite(r->mean[i]));
		for (size_t l = 0; l < r->level_count; l++) {
			double low = r->lower[l * r->horizon + i], high = r->upper[l * r->horizon + i];
			check(isfinite(low) && isfinite(high) && low <= r->mean[i] && r->mean[i] <= high);
		}
	}
}

static void
row_forecast(const struct forecast_csv_row *row)
{
	struct forecast_series series = { .values = row->values,
		.count = row->count,
		.calendar = forecast_calendar_of(row->frequency),
		.non_negative = row->frequency % 2 == 1,
		.integer = row->frequency % 3 == 0 };
	struct forecast_options options = { .horizon = 5 };
	struct forecast_result *result = NULL;
	struct forecast_error error = { 0 };
	if (row->frequency <= row->count && series.calendar == FORECAST_CALENDAR_UNKNOWN) {
		series.period_count = 1;
		series.periods[0] = row->frequency;
	}
	if (forecast_run(NULL, &series, &options, &result, &error) != FORECAST_OK) {
		check(error.code == FORECAST_BAD_VALUE && error.text[0]);
		return;
	}
	result_check(result);
	forecast_result_free(result);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct forecast_csv_row row = { 0 };
	const char *text = (const char *)bytes, *end = text + size;
	for (int line = 0; line < LINES && text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = stop ? (size_t)(stop - text) : (size_t)(end - text);
		const char *problem = forecast_csv_parse(text, length, &row);
		check(!problem || problem[0]);
		if (!problem && row.id && row.count <= VALUES)
			row_forecast(&row);
		text += length + 1;
	}
	forecast_csv_row_done(&row);
	return 0;
}
