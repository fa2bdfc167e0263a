/* The writers of kpi_answers.h. */
#include "api/kpi_answers.h"
#include <math.h>

#define STATISTIC_DIGITS 9

void
answer_date(struct json_out *o, struct str key, struct date d)
{
	char text[32];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };

	date_write(&b, d);
	json_key(o, key);
	json_put_str(o, buf_str(&b));
}

void
answer_instant(struct json_out *o, struct str key, struct instant t)
{
	char text[64];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };

	instant_write(&b, t, INSTANT_ISO_SECONDS, zone_utc());
	json_key(o, key);
	json_put_str(o, buf_str(&b));
}

void
answer_decimal(struct json_out *o, struct str key, bool present, struct decimal d)
{
	json_key(o, key);
	if (present)
		json_put_decimal(o, d, true);
	else
		json_put_null(o);
}

void
answer_number(struct json_out *o, struct str key, bool present, double v)
{
	json_key(o, key);
	if (!present || !isfinite(v)) {
		json_put_null(o);
		return;
	}
	/* Digits beyond the ninth are noise of the arithmetic. */
	if (v != 0) {
		double scale = pow(10, STATISTIC_DIGITS - 1 - floor(log10(fabs(v))));
		double rounded = round(v * scale) / scale;
		if (isfinite(scale) && scale > 0 && isfinite(rounded))
			v = rounded;
	}
	json_put_double(o, v);
}

void
answer_list_begin(struct json_out *o)
{
	json_begin_object(o);
	json_key(o, STR("items"));
	json_begin_array(o);
}

void
answer_list_end(struct json_out *o, int64_t total, int64_t offset, int64_t limit)
{
	json_end_array(o);
	json_pair_int(o, "total", total);
	json_pair_int(o, "page", limit > 0 ? offset / limit + 1 : 1);
	json_pair_int(o, "pages", limit > 0 ? (total + limit - 1) / limit : total > 0);
	json_end_object(o);
}
