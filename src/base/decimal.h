/*
 * Exact decimals: coefficient × 10^-scale. Money and KPI values are decimals from the literal text of the input to the literal text of
 * the answer and never pass through a double. Arithmetic is checked; rounding is half up (away from zero), the rule of invoices.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/buf.h"

struct decimal {
	int64_t coef;
	int32_t scale; /* digits behind the point, 0 to DECIMAL_SCALE_MAX */
};

#define DECIMAL_SCALE_MAX 15

/* Amount in the currency's minor units; the currency's number of decimals is kept by whoever owns the amount. */
struct money {
	int64_t minor;
};

enum decimal_fault { DECIMAL_OK, DECIMAL_NOT_A_NUMBER, DECIMAL_TOO_LARGE, DECIMAL_TOO_PRECISE };

/* JSON number syntax, exponent included ("5.5e4"); keeps trailing zeros of the text as scale. *out untouched on a fault. */
enum decimal_fault decimal_parse(struct str s, struct decimal *out) MUST_USE;
void decimal_write(struct buf *b, struct decimal d);        /* 55000.00 */
void decimal_write_short(struct buf *b, struct decimal d);  /* without trailing zeros: 2.45, 3 */
/* To another scale: exact (TOO_PRECISE when digits would be lost) or rounded half up. TOO_LARGE on overflow. */
enum decimal_fault decimal_rescale(struct decimal d, int32_t scale, bool may_round, struct decimal *out) MUST_USE;
/* Exact value order across scales: <0, 0, >0. */
int decimal_cmp(struct decimal a, struct decimal b);
bool decimal_add(struct decimal a, struct decimal b, struct decimal *out) MUST_USE; /* false: overflow */
bool decimal_sub(struct decimal a, struct decimal b, struct decimal *out) MUST_USE;
bool decimal_mul(struct decimal a, struct decimal b, int32_t scale, struct decimal *out) MUST_USE; /* rounded half up to scale */
bool decimal_div(struct decimal a, struct decimal b, int32_t scale, struct decimal *out) MUST_USE; /* likewise; false too when b is 0 */
/* For statistics and forecasts, never for amounts. */
double decimal_to_double(struct decimal d);
/* Nearest decimal at a scale, for figures that come from statistics; false when not finite or too large. */
bool decimal_from_double(double v, int32_t scale, struct decimal *out) MUST_USE;

/* Checked int64 arithmetic: false on overflow. */
bool int_add(int64_t a, int64_t b, int64_t *out) MUST_USE;
bool int_sub(int64_t a, int64_t b, int64_t *out) MUST_USE;
bool int_mul(int64_t a, int64_t b, int64_t *out) MUST_USE;

/* ISO 4217 code → decimals (GBP 2, JPY 0, KWD 3); -1 for an unknown code. */
int currency_decimals(struct str code);

#endif
