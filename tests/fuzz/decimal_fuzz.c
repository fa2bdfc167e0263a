/* A literal that is a decimal is written and read the same, and is near the double of the same text. */
#include "base/decimal.h"
#include "base/number.h"
#include "fuzz.h"
#include <math.h>

static void
check_decimal(struct str text, struct decimal d)
{
	struct decimal again, other;
	struct buf b;
	double v;

	buf_init(&b, 100);
	decimal_write(&b, d);
	check(decimal_parse(buf_str(&b), &again) == DECIMAL_OK && again.coef == d.coef &&
		again.scale == d.scale);
	buf_clear(&b);
	decimal_write_short(&b, d);
	check(decimal_parse(buf_str(&b), &again) == DECIMAL_OK && decimal_cmp(again, d) == 0);
	buf_done(&b);
	if (text.n < 500)
		check(double_parse(text, &v) && fabs(v - decimal_to_double(d)) <= 1e-15 * fabs(v));
	for (int32_t scale = 0; scale <= DECIMAL_SCALE_MAX; scale++) {
		if (decimal_rescale(d, scale, false, &other) == DECIMAL_OK)
			check(decimal_cmp(other, d) == 0);
		if (decimal_div(d, d, scale, &other))
			check(decimal_cmp(other, (struct decimal){ 1, 0 }) == 0);
		(void)!decimal_mul(d, d, scale, &other);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct str text = { (const char *)bytes, size };
	struct decimal d;
	struct buf b;
	double v, back;

	if (decimal_parse(text, &d) == DECIMAL_OK) {
		check(number_prefix(text) == size && d.scale >= 0 && d.scale <= DECIMAL_SCALE_MAX);
		check_decimal(text, d);
	}
	if (double_parse(text, &v)) {
		buf_init(&b, 100);
		double_write(&b, v);
		check(double_parse(buf_str(&b), &back) && memcmp(&v, &back, sizeof(v)) == 0);
		buf_done(&b);
	}
	return 0;
}
