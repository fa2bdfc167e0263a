/*
 * Plans: what a table and a view come to, worked out once. A plan is constant when it is made, so threads share it without a lock. The
 * engine's users own the set of plans (an API server makes one at its start); whoever has none gets a plan for the call alone.
 */
#include "resource/engine.h"

#define BUCKETS 256 /* several times the number of pairs there are; a power of two */

struct res_plans {
	struct arena *arena;
	const struct res_plan *buckets[BUCKETS];
	size_t count;
};

static struct str
parent_of(struct str path)
{
	while (path.n > 0 && path.p[path.n - 1] != '.')
		path.n--;
	return (struct str){ path.p, path.n ? path.n - 1 : 0 };
}

static void
plan_member(struct res_plan *p, const struct res_slot *slot)
{
	struct res_member *m = &p->members[p->member_count];
	struct str group = parent_of(slot->name);

	*m = (struct res_member){
		.group = group,
		.name = str_sub(slot->name, group.n ? group.n + 1 : 0, slot->name.n),
		.field = slot->field,
		.view = slot->view,
		.flags = slot->flags,
		.bit = slot->field ? res_bit(p->def, slot->field) : 0,
	};
	/* Neighbours of one group share its slice, so that comparing addresses tells almost always. */
	if (p->member_count > 0 && str_eq(m[-1].group, group))
		m->group = m[-1].group;
	p->member_count++;
}

static struct str
select_columns(struct arena *a, const struct res_def *def)
{
	struct buf b;

	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	for (size_t i = 0; i < def->field_count; i++) {
		buf_add_str(&b, i ? STR(", ") : STR("SELECT "));
		buf_add_str(&b, str_from_cstr(def->fields[i].column));
	}
	check(!b.over);
	return buf_str(&b);
}

static const struct res_plan *
plan_new(struct arena *a, const struct res_def *def, const struct res_view *view)
{
	struct res_plan *p = arena_new_of(a, struct res_plan);
	struct res_walk w = res_walk(def, view);
	struct res_slot slot;

	*p = (struct res_plan){ .def = def, .view = view, .shape = res_shape(def) };
	p->select = select_columns(a, def);
	p->members = arena_alloc_array(
		a, view && view->fields ? view->field_count : def->field_count, sizeof *p->members);
	while (res_walk_next(&w, &slot))
		if (!(slot.flags & RV_WRITE_ONLY))
			plan_member(p, &slot);
	return p;
}

/* The bucket that holds the pair's plan, or the free one where it belongs. */
static const struct res_plan **
bucket_of(struct res_plans *all, const struct res_def *def, const struct res_view *view)
{
	/* Tables are larger than 16 bytes, so their addresses differ above that. */
	size_t i = ((uintptr_t)def >> 4) * 31 + ((uintptr_t)view >> 4);

	for (;; i++) {
		const struct res_plan **b = &all->buckets[i & (BUCKETS - 1)];
		if (!*b || ((*b)->def == def && (*b)->view == view))
			return b;
	}
}

struct res_plans *
res_plans_new(struct arena *a)
{
	struct res_plans *all = arena_new_of(a, struct res_plans);

	all->arena = a;
	return all;
}

void
res_plans_add(struct res_plans *all, const struct res_def *def, const struct res_view *view)
{
	const struct res_plan **b = bucket_of(all, def, view);

	if (*b)
		return;
	check(all->count < BUCKETS / 2);
	*b = plan_new(all->arena, def, view);
	all->count++;
}

const struct res_plan *
res_plan(const struct res_ctx *c, const struct res_def *def, const struct res_view *view)
{
	const struct res_plan *known =
		c->plans ? *bucket_of((struct res_plans *)(uintptr_t)c->plans, def, view) : NULL;

	return known ? known : plan_new(c->arena, def, view);
}
