/*
 * Sums live in one hash table, keyed by axis, slice and metric; figures are worked out from them when asked for. A sum that leaves the
 * decimal's range makes its figure absent rather than wrong.
 */
#include "domain/campaign/report_figures.h"
#include "base/hash.h"
#include <math.h>
#include <stdlib.h>

#define SHARE_SCALE 6 /* of ratios without unit */
#define MEAN_SCALE  6
#define CELLS_FIRST 256
#define SLICES_MAX  10000 /* distinct names an axis keeps; what comes behind goes with those without a name */

const char *const report_basis_names[] = { "absent", "sum", "computed", "averaged", NULL };

struct cell {
	bool used, over;
	enum report_axis axis;
	int64_t slice;
	size_t metric;
	struct decimal sum;
	int64_t count;
};

struct names {
	struct str *names;
	size_t count, cap;
	size_t *table; /* index + 1 by hash; 0: free */
	size_t table_size;
	size_t *place; /* behind report_figures_close: where the sorted name stood */
};

struct report_figures {
	struct arena *arena;
	int currency_decimals;
	struct report_metric *metrics;
	size_t metric_count, metric_cap;
	size_t *order;
	struct cell *cells;
	size_t cell_count, cell_size;
	struct names names[REPORT_AXES];
};

/* ---- ratios ---- */

struct ratio {
	int part, over, under; /* over · factor / under */
	int64_t factor;
	enum report_unit unit;
	bool is_share; /* of trials, so that an interval can be told */
	const char *name, *formula;
};
static const struct ratio ratios[] = {
	{ METRIC_CTR, METRIC_CLICKS, METRIC_IMPRESSIONS, 1, REPORT_RATIO, true, "CTR",
		"clicks / impressions" },
	{ METRIC_CPC, METRIC_SPEND, METRIC_CLICKS, 1, REPORT_MONEY, false, "CPC", "spend / clicks" },
	{ METRIC_CPM, METRIC_SPEND, METRIC_IMPRESSIONS, 1000, REPORT_MONEY, false, "CPM",
		"1000 spend / impressions" },
	{ METRIC_CPA, METRIC_SPEND, METRIC_CONVERSIONS, 1, REPORT_MONEY, false, "CPA",
		"spend / conversions" },
	{ METRIC_CONVERSION_RATE, METRIC_CONVERSIONS, METRIC_CLICKS, 1, REPORT_RATIO, true, "Conversion rate",
		"conversions / clicks" },
	{ METRIC_ROAS, METRIC_REVENUE, METRIC_SPEND, 1, REPORT_FACTOR, false, "ROAS", "revenue / spend" },
	{ METRIC_ROI, METRIC_REVENUE, METRIC_SPEND, 1, REPORT_FACTOR, false, "ROI", "revenue / spend" },
};

static const struct ratio *
ratio_of(int part)
{
	for (size_t i = 0; i < COUNT(ratios); i++)
		if (ratios[i].part == part)
			return &ratios[i];
	return NULL;
}

const char *
report_formula(int part)
{
	const struct ratio *r = ratio_of(part);
	return r ? r->formula : NULL;
}

/* ---- sums ---- */

struct report_figures *
report_figures_new(struct arena *a, int currency_decimals)
{
	struct report_figures *f = arena_new_of(a, struct report_figures);

	f->arena = a;
	f->currency_decimals = currency_decimals;
	return f;
}

size_t
report_figures_metric(struct report_figures *f, const struct report_metric *m)
{
	if (f->metric_count == f->metric_cap) {
		size_t cap = f->metric_cap ? f->metric_cap * 2 : 16;
		f->metrics = arena_grow(f->arena, f->metrics, f->metric_cap * sizeof(*m), cap * sizeof(*m));
		f->metric_cap = cap;
	}
	f->metrics[f->metric_count] = *m;
	return f->metric_count++;
}

static struct cell *
find_cell(const struct report_figures *f, enum report_axis axis, int64_t slice, size_t metric)
{
	uint64_t key = hash_pair((uint64_t)slice, (uint64_t)metric * REPORT_AXES + axis);

	if (f->cell_size == 0)
		return NULL;
	for (size_t i = key & (f->cell_size - 1);; i = (i + 1) & (f->cell_size - 1)) {
		struct cell *at = &f->cells[i];
		if (!at->used || (at->axis == axis && at->slice == slice && at->metric == metric))
			return at;
	}
}

static void
grow_cells(struct report_figures *f)
{
	struct cell *old = f->cells;
	size_t old_size = f->cell_size;

	f->cell_size = old_size ? old_size * 2 : CELLS_FIRST;
	f->cells = arena_alloc_array(f->arena, f->cell_size, sizeof(*f->cells));
	for (size_t i = 0; i < old_size; i++)
		if (old[i].used)
			*find_cell(f, old[i].axis, old[i].slice, old[i].metric) = old[i];
}

static void
add_to(struct report_figures *f, enum report_axis axis, int64_t slice, const struct report_entry *e)
{
	if (2 * (f->cell_count + 1) > f->cell_size)
		grow_cells(f);
	struct cell *at = find_cell(f, axis, slice, e->metric);
	if (!at->used) {
		*at = (struct cell){ .used = true, .axis = axis, .slice = slice, .metric = e->metric };
		f->cell_count++;
	}
	at->over = at->over || !decimal_add(at->sum, e->value, &at->sum);
	at->count++;
}

static void
grow_names(struct arena *a, struct names *n)
{
	n->table_size = n->table_size ? n->table_size * 2 : 64;
	n->table = arena_alloc_array(a, n->table_size, sizeof(*n->table));
	for (size_t i = 0; i < n->count; i++) {
		size_t at = str_hash(n->names[i]) & (n->table_size - 1);
		while (n->table[at])
			at = (at + 1) & (n->table_size - 1);
		n->table[at] = i + 1;
	}
}

static int64_t
index_of(struct report_figures *f, enum report_axis axis, struct str name)
{
	struct names *n = &f->names[axis];

	if (2 * (n->count + 1) > n->table_size)
		grow_names(f->arena, n);
	if (n->count >= SLICES_MAX)
		name = (struct str){ "", 0 };
	size_t at = str_hash(name) & (n->table_size - 1);
	for (; n->table[at]; at = (at + 1) & (n->table_size - 1))
		if (str_eq(n->names[n->table[at] - 1], name))
			return (int64_t)n->table[at] - 1;
	if (n->count == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 16;
		n->names =
			arena_grow(f->arena, n->names, n->cap * sizeof(*n->names), cap * sizeof(*n->names));
		n->cap = cap;
	}
	n->names[n->count++] = arena_str(f->arena, name);
	n->table[at] = n->count;
	return (int64_t)n->count - 1;
}

void
report_figures_add(struct report_figures *f, const struct report_entry *e)
{
	check(e->metric < f->metric_count && !f->order);
	add_to(f, REPORT_TOTAL, 0, e);
	add_to(f, REPORT_CHANNEL, index_of(f, REPORT_CHANNEL, e->channel), e);
	add_to(f, REPORT_SOURCE, index_of(f, REPORT_SOURCE, e->source), e);
	add_to(f, REPORT_PERIOD, e->period, e);
}

/* ---- order ---- */

static bool
was_measured(const struct report_figures *f, int part)
{
	for (size_t i = 0; i < f->metric_count; i++) {
		const struct cell *at = f->metrics[i].part == part ? find_cell(f, REPORT_TOTAL, 0, i) : NULL;
		if (at && at->used)
			return true;
	}
	return false;
}

static void
derive(struct report_figures *f)
{
	for (size_t i = 0; i < COUNT(ratios); i++) {
		const struct ratio *r = &ratios[i];
		if (was_measured(f, r->part) || !was_measured(f, r->over) || !was_measured(f, r->under))
			continue;
		struct report_metric m = { .name = str_from_cstr(r->name), .part = r->part, .unit = r->unit };
		report_figures_metric(f, &m);
	}
}

static int
metric_order(const void *a, const void *b, void *arg)
{
	const struct report_figures *f = arg;
	const struct report_metric *x = &f->metrics[*(const size_t *)a], *y = &f->metrics[*(const size_t *)b];
	int px = x->part == METRIC_OTHER ? 100 : x->part, py = y->part == METRIC_OTHER ? 100 : y->part;

	return px != py ? px - py : str_cmp(x->name, y->name);
}

static int
name_order(const void *a, const void *b, void *arg)
{
	const struct names *n = arg;
	struct str x = n->names[*(const size_t *)a], y = n->names[*(const size_t *)b];

	if (!x.n != !y.n)
		return x.n ? -1 : 1;
	return str_cmp(x, y);
}

static void
sort_names(struct arena *a, struct names *n)
{
	struct str *sorted = arena_alloc_array(a, n->count, sizeof(*sorted));

	n->place = arena_alloc_array(a, n->count, sizeof(*n->place));
	for (size_t i = 0; i < n->count; i++)
		n->place[i] = i;
	qsort_r(n->place, n->count, sizeof(*n->place), name_order, n);
	for (size_t i = 0; i < n->count; i++)
		sorted[i] = n->names[n->place[i]];
	n->names = sorted;
}

void
report_figures_close(struct report_figures *f)
{
	derive(f);
	f->order = arena_alloc_array(f->arena, f->metric_count, sizeof(*f->order));
	for (size_t i = 0; i < f->metric_count; i++)
		f->order[i] = i;
	qsort_r(f->order, f->metric_count, sizeof(*f->order), metric_order, f);
	sort_names(f->arena, &f->names[REPORT_CHANNEL]);
	sort_names(f->arena, &f->names[REPORT_SOURCE]);
}

size_t
report_metric_count(const struct report_figures *f)
{
	return f->metric_count;
}

const struct report_metric *
report_metric_at(const struct report_figures *f, size_t i)
{
	check(i < f->metric_count);
	return &f->metrics[f->order[i]];
}

struct report_slices
report_slices(const struct report_figures *f, enum report_axis axis)
{
	return (struct report_slices){ f->names[axis].names, f->names[axis].count };
}

/* ---- figures ---- */

/* Slices as the caller counts them. */
struct place {
	enum report_axis axis;
	const int64_t *slices;
	size_t count;
};

static int64_t
cell_slice(const struct report_figures *f, const struct place *p, size_t i)
{
	bool named = p->axis == REPORT_CHANNEL || p->axis == REPORT_SOURCE;

	return named ? (int64_t)f->names[p->axis].place[p->slices[i]] : p->slices[i];
}

/* What a metric's values come to at a place. */
static struct cell
sum_of(const struct report_figures *f, const struct place *p, size_t metric)
{
	struct cell sum = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		const struct cell *at = find_cell(f, p->axis, cell_slice(f, p, i), metric);
		if (!at || !at->used)
			continue;
		sum.used = true;
		sum.over = sum.over || at->over || !decimal_add(sum.sum, at->sum, &sum.sum);
		sum.count += at->count;
	}
	return sum;
}

/* Of all metrics of a part: "Cost" and "Ad spend" are both spend. */
static bool
part_sum(const struct report_figures *f, const struct place *p, int part, struct decimal *out)
{
	bool any = false;
	struct decimal sum = { 0 };

	for (size_t i = 0; i < f->metric_count; i++) {
		if (f->metrics[i].part != part)
			continue;
		struct cell c = sum_of(f, p, i);
		if (!c.used)
			continue;
		if (c.over || !decimal_add(sum, c.sum, &sum))
			return false;
		any = true;
	}
	*out = sum;
	return any;
}

static int32_t
ratio_scale(const struct report_figures *f, const struct ratio *r)
{
	if (r->unit != REPORT_MONEY)
		return r->unit == REPORT_FACTOR ? 4 : SHARE_SCALE;
	/* A click costs cents. */
	return r->part == METRIC_CPC ? f->currency_decimals + 2 : f->currency_decimals;
}

/* Wilson's interval of a share (E. B. Wilson, 1927) at 95 %. */
static void
add_interval(struct report_figure *out, struct decimal hits, struct decimal trials)
{
	const double z = 1.959963984540054;
	double n = decimal_to_double(trials), p = decimal_to_double(hits) / n;

	if (!(n >= 1) || p < 0 || p > 1)
		return;
	double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	out->has_interval = true;
	out->low = fmax(middle - half, 0);
	out->high = fmin(middle + half, 1);
}

static bool
compute(const struct report_figures *f, const struct place *p, const struct ratio *r,
	struct report_figure *out)
{
	struct decimal over, under, factor = { r->factor, 0 };

	if (!part_sum(f, p, r->over, &over) || !part_sum(f, p, r->under, &under) || under.coef <= 0)
		return false;
	struct decimal above = over;
	if (r->factor != 1 && !decimal_mul(above, factor, above.scale, &above))
		return false;
	if (!decimal_div(above, under, ratio_scale(f, r), &out->value))
		return false;
	out->basis = REPORT_COMPUTED;
	if (r->is_share)
		add_interval(out, over, under);
	return true;
}

static struct decimal
at_least(struct decimal d, int32_t decimals)
{
	struct decimal short_form = d;

	while (short_form.scale > decimals && short_form.coef % 10 == 0) {
		short_form.coef /= 10;
		short_form.scale--;
	}
	if (short_form.scale < decimals &&
		decimal_rescale(short_form, decimals, false, &short_form) != DECIMAL_OK)
		return d;
	return short_form;
}

struct report_figure
report_figure_of(
	const struct report_figures *f, size_t i, enum report_axis axis, const int64_t *slices, size_t count)
{
	size_t metric = f->order[i];
	const struct report_metric *m = &f->metrics[metric];
	const struct ratio *r = ratio_of(m->part);
	struct place p = { axis, slices, count };
	struct cell sum = sum_of(f, &p, metric);
	struct report_figure out = { .values = sum.count };
	int32_t least = m->unit == REPORT_MONEY ? f->currency_decimals : 0;

	bool computed = r && compute(f, &p, r, &out);
	if (!sum.used || sum.over)
		return out;
	if (m->adds_up) {
		out.value = at_least(sum.sum, least);
		out.basis = REPORT_SUM;
		return out;
	}
	struct decimal mean;
	if (!decimal_div(sum.sum, (struct decimal){ sum.count, 0 }, MEAN_SCALE, &mean))
		return out;
	if (computed) {
		out.has_entered = true;
		out.entered = at_least(mean, least);
	} else {
		out.value = at_least(mean, least);
		out.basis = REPORT_AVERAGED;
	}
	return out;
}

struct report_figure
report_figure(const struct report_figures *f, size_t i, enum report_axis axis, int64_t slice)
{
	return report_figure_of(f, i, axis, &slice, 1);
}
