/*
 * The stack of doubles behind the methods. Blocks are rounded up to four doubles so that every block starts on a
 * 32-byte boundary, which the vector loops of ets.c like.
 */
#include "forecast/workspace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	LANES = 4,
	ALIGNMENT = LANES * sizeof(double),
	VECTORS_A_SERIES =
		48, /* arrays of the series' length that the deepest chain of methods holds at once */
	VECTORS_A_PERIOD = 96, /* arrays of the period's length, among them the state derivatives of ETS */
	FIXED = 16384	       /* small matrices, tables and alignment */
};

struct forecast_workspace *
forecast_workspace_new(void)
{
	return calloc(1, sizeof(struct forecast_workspace));
}

void
forecast_workspace_free(struct forecast_workspace *workspace)
{
	if (!workspace)
		return;
	free(workspace->base);
	free(workspace);
}

size_t
workspace_need(size_t count, size_t period, size_t horizon)
{
	return VECTORS_A_SERIES * (count + horizon) + VECTORS_A_PERIOD * period + FIXED;
}

bool
workspace_reserve(struct forecast_workspace *ws, size_t count)
{
	ws->used = 0;
	if (ws->cap >= count)
		return true;
	count = (count + LANES - 1) / LANES * LANES;
	double *base = aligned_alloc(ALIGNMENT, count * sizeof *base);
	if (!base)
		return false;
	free(ws->base);
	ws->base = base;
	ws->cap = count;
	return true;
}

double *
workspace_take(struct forecast_workspace *ws, size_t count)
{
	count = (count + LANES - 1) / LANES * LANES;
	assert(count <= ws->cap - ws->used);
	double *block = ws->base + ws->used;
	ws->used += count;
	return block;
}

double *
workspace_take_zero(struct forecast_workspace *ws, size_t count)
{
	double *block = workspace_take(ws, count);
	memset(block, 0, count * sizeof *block);
	return block;
}
