/*
 * A table of KPIs by company and id, each with its texts in one allocation. The figure of the judged window follows every rollup that is
 * written: what was added moves it, anything else makes the next judgement read it. When the table is full it
 * starts anew.
 */
#include "domain/kpi/memory.h"
#include "base/hash.h"

#define MEMO_SLOTS 1024 /* a power of two */
#define MEMOS_MAX  2048 /* 3 MB */

struct kpi_memory {
	struct kpi_memo *slots[MEMO_SLOTS];
	size_t count;
};

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

static void *
memory_make(void)
{
	struct kpi_memory *all = calloc(1, sizeof *all);

	check(all);
	return all;
}

static void
memory_empty(void *memory)
{
	struct kpi_memory *all = memory;

	for (size_t i = 0; i < MEMO_SLOTS; i++) {
		for (struct kpi_memo *m = all->slots[i], *next; m; m = next) {
			next = m->chain;
			free(m);
		}
		all->slots[i] = NULL;
	}
	all->count = 0;
}

static void
memory_discard(void *memory)
{
	memory_empty(memory);
	free(memory);
}

static const char *const remembered_tables[] = { "kpi", "kpi_target", "kpi_state", "kpi_reference",
	"kpi_rollup", NULL };
const struct db_memory_kind kpi_memory_kind = {
	.tables = remembered_tables,
	.make = memory_make,
	.empty = memory_empty,
	.discard = memory_discard,
};

static struct kpi_memo **
slot_of(struct kpi_memory *all, int64_t company_id, struct str kpi_id)
{
	return &all->slots[hash_bytes(kpi_id, (uint64_t)company_id) & (MEMO_SLOTS - 1)];
}

struct kpi_memo *
kpi_memo_find(const struct res_ctx *c, struct str kpi_id)
{
	struct kpi_memory *all = db_tx_memory(c->tx);
	struct kpi_memo *m = all ? *slot_of(all, c->actor->company_id, kpi_id) : NULL;

	while (m && (m->company_id != c->actor->company_id || !str_eq(m->kpi.id, kpi_id)))
		m = m->chain;
	return m;
}

/* ---- records ---------------------------------------------------------------------------------------------------------------- */

static struct str *
text_of(struct kpi *k, size_t field)
{
	const struct res_field *f = &kpi_res.fields[field];

	return f->kind == RES_TEXT ? (struct str *)(void *)((char *)k + f->offset) : NULL;
}

/* A memo of the record with copies of its texts behind it. */
static struct kpi_memo *
memo_new(const struct kpi *from)
{
	struct kpi k = *from;
	size_t bytes = 0;

	for (size_t i = 0; i < kpi_res.field_count; i++)
		bytes += text_of(&k, i) ? text_of(&k, i)->n : 0;
	struct kpi_memo *m = malloc(sizeof *m + bytes);
	check(m);
	char *at = (char *)(m + 1);
	for (size_t i = 0; i < kpi_res.field_count; i++) {
		struct str *text = text_of(&k, i);
		if (!text || !text->p)
			continue;
		memcpy(at, text->p, text->n);
		text->p = at;
		at += text->n;
	}
	*m = (struct kpi_memo){ .kpi = k };
	return m;
}

struct err *
kpi_memo_get(struct res_ctx *c, struct str kpi_id, struct kpi_memo **out)
{
	struct kpi_memory *all = db_tx_memory(c->tx);
	struct kpi k = { 0 };
	bool found;

	*out = all ? kpi_memo_find(c, kpi_id) : NULL;
	if (!all || *out)
		return NULL;
	if (all->count >= MEMOS_MAX) {
		db_tx_forget(c->tx);
		return NULL;
	}
	TRY(res_find(c, &kpi_res, "id", P_TEXT(kpi_id), &k, &found));
	if (!found || !str_is_empty(k.formula))
		return NULL;
	struct kpi_memo **slot = slot_of(all, c->actor->company_id, kpi_id);
	struct kpi_memo *m = memo_new(&k);
	m->company_id = c->actor->company_id;
	m->chain = *slot;
	*slot = *out = m;
	all->count++;
	return NULL;
}

/* ---- rollups ---------------------------------------------------------------------------------------------------------------- */

static struct memo_bucket *
bucket_of(const struct kpi_memo *m, struct str slice, struct date day)
{
	for (size_t i = 0; i < MEMO_BUCKETS; i++) {
		const struct memo_bucket *b = &m->buckets[i];
		if (b->used && b->day.days == day.days &&
			str_eq((struct str){ b->slice, b->slice_length }, slice))
			return (struct memo_bucket *)(uintptr_t)b;
	}
	return NULL;
}

const struct bucket *
kpi_memo_bucket(const struct kpi_memo *m, struct str slice, struct date day)
{
	const struct memo_bucket *b = bucket_of(m, slice, day);

	return b ? &b->bucket : NULL;
}

static void
remember_bucket(struct kpi_memo *m, struct str slice, const struct bucket_change *change)
{
	struct memo_bucket *b = bucket_of(m, slice, change->day);

	if (!b) {
		if (slice.n > MEMO_SLICE_BYTES)
			return;
		b = &m->buckets[m->next_bucket++ % MEMO_BUCKETS];
		memcpy(b->slice, slice.p, slice.n);
		b->slice_length = slice.n;
		b->day = change->day;
		b->used = true;
	}
	b->bucket = change->after;
}

/* False: the figure has to be read anew. */
static bool
figure_follows(struct gather *g, const struct bucket_change *change)
{
	const struct bucket *before = &change->before, *after = &change->after;

	if (!g->any || !int_sub(after->sum, before->sum, &(int64_t){ 0 }) ||
		!int_add(g->sum, after->sum - before->sum, &g->sum))
		return false;
	g->count += after->count - before->count;
	g->min = after->min < g->min ? after->min : g->min;
	g->max = after->max > g->max ? after->max : g->max;
	if (change->day.days >= g->last_day.days) {
		g->last = after->last;
		g->last_day = change->day;
	}
	return true;
}

void
kpi_memo_bucket_written(struct kpi_memo *m, struct str slice, const struct bucket_change *change)
{
	int32_t day = change->day.days;

	remember_bucket(m, slice, change);
	/* Days after today are not looked at until their day comes, with which the ground changes. */
	if (!str_eq(slice, ROLLUP_ALL) || !m->has_ground || day > m->ground.today.days)
		return;
	if (!change->added || day > m->ground.last_day.days)
		m->has_ground = m->has_figure = false;
	else if (m->has_figure && day >= m->from.days && day <= m->to.days)
		m->has_figure = figure_follows(&m->figure, change);
}
