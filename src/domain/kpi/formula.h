/*
 * Formulas: a KPI computed from others, "{kpi-002} / {kpi-001} * 100". A small safe language: numbers, references in braces, + - * /,
 * comparisons, parentheses and a few functions; no loops, no state. A formula is evaluated a period at a time on the figures that its
 * sources have for that period, so a ratio of sums is a ratio of sums at every interval.
 *
 * Arithmetic is exact on decimals (up to 128 bits); a quotient is rounded half up at FORMULA_SCALE digits. A missing operand, a division
 * by zero or an overflow makes the result missing, never wrong.
 */
#ifndef KPI_FORMULA_H
#define KPI_FORMULA_H

#include "domain/kpi/kpi.h"

#define FORMULA_NODES_MAX 500 /* operations and operands */
#define FORMULA_DEPTH_MAX 64  /* nesting */
#define FORMULA_REFS_MAX  32  /* different KPIs */
#define FORMULA_LEVELS	  8   /* formulas of formulas of … */
#define FORMULA_SCALE	  18

struct formula;

/* INVALID_INPUT with a sentence that names the position (1 is the first character). */
struct err *formula_parse(struct arena *a, struct str text, struct formula **out) MUST_USE;
size_t formula_ref_count(const struct formula *f);
struct str formula_ref(const struct formula *f, size_t index);

struct formula_input {
	bool present;
	struct decimal value;
};
/* inputs in the order of the references. False: the result is missing. The result is rounded half up to decimals. */
bool formula_eval(
	const struct formula *f, const struct formula_input *inputs, int32_t decimals, struct decimal *out);

/* Until the transaction ends, nobody else in the company changes references or deletes a KPI. */
struct err *formula_lock_references(struct res_ctx *c) MUST_USE;
/* Takes that lock. Every reference must be a KPI of the company, and none may lead back to self or more than FORMULA_LEVELS deep; faults go to *e. */
struct err *formula_check_references(
	struct res_ctx *c, struct str self, const struct formula *f, struct err **e) MUST_USE;
/* Replaces the stored references of k by those of its formula. */
struct err *formula_store_references(struct res_ctx *c, const struct kpi *k) MUST_USE;

#endif
