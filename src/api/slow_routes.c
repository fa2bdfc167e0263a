/* A moment for each route, until when it counts as slow. */
#include "api/slow_routes.h"
#include <stdatomic.h>

struct slow_routes {
	const struct route_entry *first;
	_Atomic int64_t *until_us; /* in the order of the router's entries */
};

struct slow_routes *
slow_routes_new(struct arena *a, const struct router *r)
{
	struct slow_routes *s = arena_new_of(a, struct slow_routes);

	s->first = router_entry(r, 0);
	s->until_us = arena_alloc_array(a, router_count(r), sizeof(*s->until_us));
	for (size_t i = 0; i < router_count(r); i++)
		atomic_init(&s->until_us[i], INT64_MIN);
	return s;
}

void
slow_routes_note(struct slow_routes *s, const struct route_entry *entry, int64_t steps, int64_t now_us)
{
	if (steps >= SLOW_READ_STEPS)
		atomic_store_explicit(
			&s->until_us[entry - s->first], now_us + SLOW_ROUTE_US, memory_order_relaxed);
}

bool
slow_routes_have(struct slow_routes *s, const struct route_entry *entry, int64_t now_us)
{
	return atomic_load_explicit(&s->until_us[entry - s->first], memory_order_relaxed) > now_us;
}
